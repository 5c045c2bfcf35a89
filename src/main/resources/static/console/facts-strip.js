import { h, setText } from './dom.js';
import * as format from './format.js';
import { Sparkline } from './sparkline.js';

/** What a handle has received and sent, how fast, and what is left of its lease. */
export class FactsStrip {
  #console;
  #session;
  #plot = new Sparkline(200, 36);
  #in = h('dd.in');
  #inRate = h('dd.rate');
  #out = h('dd.out');
  #outRate = h('dd.rate');
  #lease = h('dd');
  #leaseNote = h('dd.rate');
  #renew;

  /** @param onrenew called when the lease is to be renewed */
  constructor(app, session, { onrenew }) {
    this.#console = app;
    this.#session = session;
    this.#renew = h('button.link', { type: 'button', onclick: onrenew }, 'Renew');
    const fact = (name, ...values) => h('div', {}, h('dt', {}, name), ...values);
    this.node = h('div.facts-strip', {},
      h('dl', {},
        fact('Received', this.#in, this.#inRate),
        fact('Sent', this.#out, this.#outRate),
        fact('Lease', this.#lease, this.#leaseNote)),
      this.#renew,
      this.#plot.node);
  }

  /** Brings all of it up to date. */
  update(socket) {
    const { received, sent } = this.#session.journal;
    // What went over this page is known at once, the rest from the last poll.
    setText(this.#in, format.bytes(Math.max(received, socket.bytesIn)));
    setText(this.#out, format.bytes(Math.max(sent, socket.bytesOut)));
    const rates = this.#console.handles.rates(this.#session.id);
    setText(this.#inRate, format.rate(rates.in));
    setText(this.#outRate, format.rate(rates.out));
    this.#plot.draw(rates);
    this.tick(socket);
  }

  /** Counts the lease down. */
  tick(socket) {
    const { closed } = this.#session;
    const held = !closed && (socket.attached || this.#session.attached);
    this.#renew.hidden = closed || held;
    if (closed || held) {
      setText(this.#lease, closed ? '–' : 'held');
      setText(this.#leaseNote, closed ? '' : 'by a stream');
      return;
    }
    const left = Date.parse(socket.lease.expiresAt) - Date.now() - this.#console.service.skew;
    setText(this.#lease, format.duration(left));
    setText(this.#leaseNote, `of ${format.duration(socket.lease.durationMs)}`);
    this.#lease.classList.toggle('soon', left < 30_000);
  }
}
