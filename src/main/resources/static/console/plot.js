import { h, setText, svg } from './dom.js';
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

/** Where a scale ends: 1, 2 or 5 and zeros, at or above the highest value. */
export function scaleEnd(highest) {
  const power = 10 ** Math.floor(Math.log10(Math.max(highest, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((end) => end >= highest);
}

/** Some numbers over the last while, with a scale for both axes. */
export class TimePlot {
  #series;
  #format;
  #span;
  #gap;
  #top = h('span.chart-top');
  #body;

  /**
   * @param {string} title
   * @param {{label: string, value: (sample: object) => ?number}[]} series up to three; null where a sample has no such number
   * @param {{format: (value: number) => string, span: number, gap: number}} options how a value is written; how much time is shown, and after how
   *     much without a sample a line is broken, in milliseconds
   */
  constructor(title, series, { format, span, gap }) {
    this.#format = format;
    this.#span = span;
    this.#gap = gap;
    this.#series = series.map(({ label, value }, index) => ({
      label,
      value,
      path: svg('path', { class: `line line-${index + 1}` }),
      now: h('span.chart-value'),
    }));
    this.#body = h('div.chart-body', { role: 'img' },
      svg(
        'svg',
        { viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        svg('path', { class: 'grid', d: 'M0 0H100M0 50H100M0 100H100' }),
        this.#series.map(({ path }) => path)),
      this.#top,
      h('span.chart-zero', {}, '0'));
    this.title = title;
    this.node = h('figure.chart', {},
      h('figcaption', {},
        h('strong', {}, title),
        this.#series.map(({ label, now }, index) => h('span.key', {}, h('span.swatch', { class: `swatch-${index + 1}` }), `${label} `, now))),
      this.#body,
      h('div.chart-time', { 'aria-hidden': 'true' }, h('span', {}, `${Math.round(span / 60_000)} min ago`), h('span', {}, 'now')));
  }

  /** Draws samples, oldest first; `at` is when each was taken, and `now` is where the plot ends. */
  draw(samples, now) {
    const shown = samples.filter(({ at }) => at >= now - this.#span);
    const values = this.#series.map(({ value }) => shown.map((sample) => value(sample) ?? null));
    const highest = Math.max(0, ...values.flat());
    const end = scaleEnd(highest);
    setText(this.#top, this.#format(end));
    const told = this.#series.map(({ label, path, now: node }, index) => {
      const last = values[index].at(-1) ?? null;
      setText(node, last === null ? '–' : this.#format(last));
      set(path, this.#line(shown, values[index], now, end));
      return `${label} ${last === null ? 'none' : this.#format(last)}`;
    });
    this.#body.setAttribute('aria-label', `${this.title}: ${told.join(', ')}; highest ${this.#format(highest)}`);
  }

  #line(samples, values, now, end) {
    let path = '';
    let before = -Infinity;
    samples.forEach(({ at }, index) => {
      const value = values[index];
      if (value === null) {
        before = -Infinity;
        return;
      }
      const x = 100 - ((now - at) / this.#span) * 100;
      path += `${at - before > this.#gap ? 'M' : 'L'}${x.toFixed(2)} ${(100 - (value / end) * 100).toFixed(2)}`;
      before = at;
    });
    return path;
  }
}
