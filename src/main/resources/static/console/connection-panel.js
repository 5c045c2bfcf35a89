import { h, setText } from './dom.js';
import * as format from './format.js';
import { shown } from './forms.js';
import { TimePlot } from './plot.js';
import { ProblemSlot } from './problem.js';
import { GROUPS, segments, time, valueText } from './tcp-fields.js';

const PERIOD_MS = 1000;
const SPAN_MS = 120_000;
const SAMPLES = SPAN_MS / PERIOD_MS;

const plot = (title, written, ...series) =>
  new TimePlot(title, series.map(([label, value]) => ({ label, value: typeof value === 'string' ? (sample) => sample[value] : value })),
    { format: written, span: SPAN_MS, gap: 3 * PERIOD_MS });

const connectionPlots = () => [
  plot('Round trip', time, ['rtt', ({ rttUs }) => rttUs || null], ['rttvar', ({ rttUs, rttvarUs }) => (rttUs ? rttvarUs : null)], ['min_rtt', 'minRttUs']),
  plot('Congestion window', segments, ['cwnd', 'sndCwndSegments'], ['ssthresh', 'sndSsthreshSegments']),
  plot('Rates', format.rate, ['delivery', 'deliveryRateBytesPerSecond'], ['pacing', 'pacingRateBytesPerSecond']),
  plot('Acknowledged and received', format.rate, ['bytes acked', 'ackedRate'], ['bytes received', 'receivedRate']),
  plot('Under way', segments, ['unacked', 'unackedSegments'], ['lost', 'lostSegments']),
  plot('Not sent yet', format.bytes, ['notsent', 'notsentBytes']),
  plot('Retransmitted', segments, ['total_retrans', 'totalRetransSegments'], ['retrans', 'retransSegments']),
];

const listenerPlots = () => [plot('Accept queue', format.count, ['waiting', 'acceptQueue'], ['backlog', 'backlog'])];

/** TCP_INFO of a handle, by name and over time: asked for once a second, only while the panel can be seen. */
export class ConnectionPanel {
  #service;
  #session;
  #samples = [];
  #timer = 0;
  #asking = false;
  #seen = false;
  #ended = false;
  #listening = null;
  #plots = [];
  #cells = new Map();
  #problems = new ProblemSlot();
  #note = h('p.hint', {}, 'Asked once a second while this is shown, which renews the lease.');
  #plotArea = h('div.charts');
  #fieldArea = h('div.tcp-fields');

  constructor(service, session) {
    this.#service = service;
    this.#session = session;
    this.node = h('div.connection-panel', { tabindex: '0', role: 'group', 'aria-label': 'TCP_INFO' }, this.#note, this.#problems.node, this.#plotArea, this.#fieldArea);
    this.onVisible = () => this.#follow();
    document.addEventListener('visibilitychange', this.onVisible);
    this.onState = () => session.closed && this.#end();
    session.addEventListener('state', this.onState);
    this.watch = new IntersectionObserver(([entry]) => {
      this.#seen = entry.isIntersecting;
      this.#follow();
    });
    this.watch.observe(this.node);
    this.onState();
  }

  #follow() {
    clearTimeout(this.#timer);
    if (this.#seen && !this.#ended && !this.#asking && document.visibilityState === 'visible') {
      this.#ask();
    }
  }

  async #ask() {
    this.#asking = true;
    try {
      const info = await this.#service.call('GET', `sockets/${this.#session.id}/tcp-info`);
      if (!this.#ended) {
        this.#problems.clear();
        this.#take(info);
      }
    } catch (problem) {
      if (problem.errno === 'EBADF') {
        this.#end();
      } else if (!this.#ended) {
        this.#problems.show(shown(problem));
      }
    } finally {
      this.#asking = false;
    }
    if (this.#seen && !this.#ended) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#follow(), PERIOD_MS);
    }
  }

  #take(info) {
    const sample = { ...info, at: performance.now() };
    const last = this.#samples.at(-1);
    if (last && sample.bytesAcked >= last.bytesAcked) {
      const seconds = (sample.at - last.at) / 1000;
      sample.ackedRate = (sample.bytesAcked - last.bytesAcked) / seconds;
      sample.receivedRate = Math.max(0, sample.bytesReceived - last.bytesReceived) / seconds;
    }
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES) {
      this.#samples.shift();
    }
    this.#arrange(info);
    for (const each of this.#plots) {
      each.draw(this.#samples, sample.at);
    }
    for (const [key, { node, unit, none }] of this.#cells) {
      setText(node, valueText(unit, info[key] ?? null, none));
    }
  }

  // A socket that begins to listen has other fields; which there are is the kernel's to say.
  #arrange(info) {
    const listening = info.state === 'TCP_LISTEN';
    if (this.#listening === listening) {
      return;
    }
    this.#listening = listening;
    this.#samples = this.#samples.slice(-1);
    this.#plots = listening ? listenerPlots() : connectionPlots();
    this.#plotArea.replaceChildren(...this.#plots.map(({ node }) => node));
    this.#cells.clear();
    this.#fieldArea.replaceChildren(...GROUPS.flatMap(([title, fields]) => {
      const there = fields.filter(([key]) => key in info);
      return there.length === 0 ? [] : [h('section', {}, h('h3', {}, title), this.#table(title, there))];
    }));
  }

  #table(title, fields) {
    return h('table.tcp-table', {},
      h('caption.visually-hidden', {}, title),
      h('thead.visually-hidden', {}, h('tr', {}, ['Field', 'Value', 'What it says'].map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, fields.map(([key, name, unit, what, none]) => {
        const node = h('td.value', { dataset: { field: key } });
        this.#cells.set(key, { node, unit, none });
        return h('tr', {}, h('th', { scope: 'row' }, h('code', {}, name)), node, h('td.what', {}, what));
      })));
  }

  // What was last seen stays to be read.
  #end() {
    this.#ended = true;
    clearTimeout(this.#timer);
    setText(this.#note, this.#samples.length > 0 ? 'The handle is closed: this is what was seen of it last.' : 'The handle is closed.');
  }

  dispose() {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.watch.disconnect();
    document.removeEventListener('visibilitychange', this.onVisible);
    this.#session.removeEventListener('state', this.onState);
  }
}
