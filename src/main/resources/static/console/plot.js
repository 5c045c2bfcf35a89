import { svg } from './dom.js';
import { HISTORY } from './handles.js';

/** A small plot of both directions' rates: received above the line, sent below it. */
export class Plot {
  #in;
  #out;
  #width;
  #height;

  constructor(width = 120, height = 28) {
    this.#width = width;
    this.#height = height;
    this.#in = svg('path', { class: 'plot-in' });
    this.#out = svg('path', { class: 'plot-out' });
    this.node = svg(
      'svg',
      { class: 'plot', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      svg('path', { class: 'plot-axis', d: `M0 ${height / 2}H${width}` }),
      this.#in,
      this.#out);
  }

  /** Draws the rates; each direction has its own half and both have one scale. */
  draw(rates) {
    const top = Math.max(1, ...rates.histIn, ...rates.histOut);
    set(this.#in, this.#area(rates.histIn, -1, top));
    set(this.#out, this.#area(rates.histOut, 1, top));
  }

  #area(history, sign, top) {
    if (!history.some((rate) => rate > 0)) {
      return '';
    }
    const middle = this.#height / 2;
    const step = this.#width / (HISTORY - 1);
    const begin = this.#width - (history.length - 1) * step;
    let path = `M${begin.toFixed(1)} ${middle}`;
    history.forEach((rate, index) => {
      // The root shows a trickle beside a flood.
      const y = middle + sign * Math.sqrt(rate / top) * (middle - 1);
      path += `L${(begin + index * step).toFixed(1)} ${y.toFixed(1)}`;
    });
    return `${path}L${this.#width} ${middle}Z`;
  }
}

function set(path, d) {
  if (path.getAttribute('d') !== d) {
    path.setAttribute('d', d);
  }
}
