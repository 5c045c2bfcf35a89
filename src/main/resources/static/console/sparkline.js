import { h, setText } from './dom.js';
import * as format from './format.js';
import { Plot } from './plot.js';

/** A plot of both directions' rates with its scale: the highest of them, which each half of the plot reaches up to. */
export class Sparkline {
  #plot;
  #top = h('span.spark-top', { 'aria-hidden': 'true' });

  constructor(width, height) {
    this.#plot = new Plot(width, height);
    this.node = h('span.spark', { role: 'img' }, this.#plot.node, this.#top);
  }

  draw(rates) {
    this.#plot.draw(rates);
    const received = Math.max(0, ...rates.histIn);
    const sent = Math.max(0, ...rates.histOut);
    const top = Math.max(received, sent);
    setText(this.#top, top >= 0.5 ? format.rate(top) : '');
    const label = top >= 0.5
      ? `Rates of the last minute: received ${format.rate(received)} at most, sent ${format.rate(sent)} at most`
      : 'Rates of the last minute: nothing moved';
    if (this.node.getAttribute('aria-label') !== label) {
      this.node.setAttribute('aria-label', label);
      this.node.title = label;
    }
  }
}
