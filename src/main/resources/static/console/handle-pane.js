import { aboutPanel } from './about-panel.js';
import { callsPanel } from './calls-panel.js';
import { Composer } from './composer.js';
import { ConnectionsPanel } from './connections-panel.js';
import { announce, h, icon, perFrame, setText, toast } from './dom.js';
import { FactsStrip } from './facts-strip.js';
import * as format from './format.js';
import { shown } from './forms.js';
import { JournalView } from './journal-view.js';
import { OptionsPanel } from './options-panel.js';
import { ProblemSlot } from './problem.js';
import { Tabs } from './tabs.js';

const ANNOUNCE_MS = 2000;

/** One handle: its data or its connections, its calls, its options. */
export class HandlePane {
  #console;
  #session;
  #socket;
  #problems = new ProblemSlot();
  #facts;
  #tabs = new Tabs('Views of the socket');
  #listening = null;
  #view = null;
  #composer = null;
  #connections = null;
  #cleanup = [];
  #announced;
  #announceTimer = 0;

  constructor(app, session) {
    this.#console = app;
    this.#session = session;
    this.#socket = session.socket;
    this.#announced = session.journal.received;
    this.#facts = new FactsStrip(app, session, { onrenew: () => this.#do(() => this.#renew()) });
    this.#tabs.onshow = () => this.#view?.refresh();
    this.node = this.#build();
    const refresh = perFrame(() => this.update());
    const on = (type, listener) => {
      session.addEventListener(type, listener);
      this.#cleanup.push(() => session.removeEventListener(type, listener));
    };
    on('state', refresh);
    on('data', ({ detail }) => {
      this.#view?.moved(detail);
      this.#announceData();
    });
    on('accepted', ({ detail }) => {
      announce(`Connection from ${format.address(detail.address)}`);
      refresh();
    });
    on('trouble', ({ detail }) => this.#problems.show(detail));
    this.update();
  }

  get title() {
    return `${format.kind(this.#socket)} ${format.address(this.#socket.remoteAddress ?? this.#socket.localAddress)}`;
  }

  #build() {
    this.heading = h('h2', { tabindex: '-1' });
    this.state = h('span.state');
    this.route = h('p.route');
    this.attach = h('button.button', { type: 'button', onclick: () => this.#toggleStream() });
    this.halfClose = h('button.button', {
      type: 'button',
      title: 'Shut down for writing: sends FIN, reading goes on',
      onclick: () => this.#do(() => this.#session.shutdown('SHUT_WR')),
    }, 'Half-close');
    this.closing = h('button.button.danger', { type: 'button', onclick: () => this.#close() }, 'Close');
    return h(
      'article.handle-pane',
      { 'aria-label': 'Socket' },
      h('header.handle-head', {},
        h('div.handle-title', {},
          h('a.icon-button.back', { href: '#/', 'aria-label': 'All sockets' }, icon('back')),
          h('div.names', {}, h('div.name-line', {}, this.heading, this.state), this.route),
          h('div.handle-actions', {}, this.attach, this.halfClose, this.closing)),
        this.#facts.node),
      this.#problems.node,
      this.#tabs.list,
      this.#tabs.panels);
  }

  // What there is to see depends on whether the socket listens, which it may begin to.
  #arrange() {
    const listening = this.#socket.state === 'listening';
    if (this.#listening === listening) {
      return;
    }
    this.#listening = listening;
    this.#tabs.set([
      listening ? ['connections', 'Connections', () => this.#connectionsPanel()] : ['data', 'Data', () => this.#dataPanel()],
      ['calls', 'Calls', () => callsPanel(this.#console, this.#session, this.#socket, {
        onchange: () => this.update(),
        onreceived: () => this.#tabs.show('data'),
      }), true],
      ['options', 'Options', () => new OptionsPanel(this.#console.service, this.#session, () => this.#socket).node],
      ['about', 'About', () => aboutPanel(this.#socket), true],
    ]);
    const fresh = !listening && ['unbound', 'bound', 'disconnected'].includes(this.#socket.state) && this.#socket.type === 'SOCK_STREAM'
      && this.#session.journal.version === 0;
    this.#tabs.show(fresh ? 'calls' : this.#tabs.first);
  }

  #dataPanel() {
    const session = this.#session;
    this.#view = new JournalView(session.journal, {
      name: `socket-${session.id.slice(0, 8)}`,
      mode: session.mode,
      onmode: (mode) => {
        session.mode = mode;
      },
      onaddress: (address) => this.#composer.setAddress(address),
    });
    this.#composer = new Composer(session);
    return h('div.data-panel', {}, this.#view.node, this.#composer.node);
  }

  #connectionsPanel() {
    this.#connections = new ConnectionsPanel(this.#console, this.#session, {
      ontoggle: () => this.#toggleStream(),
      onaccept: () => this.#do(async () => {
        if (!(await this.#session.accept(10_000))) {
          toast('No connection came within 10 seconds.');
        }
      }),
    });
    this.#connections.update(this.#socket);
    return this.#connections.node;
  }

  // Not each piece, which nobody could listen to.
  #announceData() {
    const { received } = this.#session.journal;
    if (received > this.#announced && this.#announceTimer === 0) {
      this.#announceTimer = setTimeout(() => {
        this.#announceTimer = 0;
        const more = this.#session.journal.received - this.#announced;
        this.#announced += more;
        announce(`${format.count(more)} bytes received`);
      }, ANNOUNCE_MS);
    }
  }

  #toggleStream() {
    if (this.#session.state === 'detached') {
      this.#problems.clear();
      this.#session.attach();
    } else {
      this.#session.detach();
    }
  }

  async #renew() {
    this.#console.handles.put(await this.#console.service.call('GET', `sockets/${this.#session.id}`));
    this.update();
  }

  async #close() {
    await this.#do(() => this.#session.close());
    announce('Closed');
  }

  async #do(work) {
    this.#problems.clear();
    try {
      await work();
    } catch (problem) {
      this.#problems.show(shown(problem));
    }
  }

  /** Counts the lease down. */
  tick() {
    this.#facts.tick(this.#socket);
  }

  /** Follows the handle's state. */
  update() {
    const session = this.#session;
    this.#socket = session.socket ?? this.#socket;
    const socket = this.#socket;
    this.#arrange();
    setText(this.heading, this.title);
    const state = session.closed ? 'closed' : socket.state;
    if (this.state.textContent !== state) {
      this.state.className = `state ${state}`;
      setText(this.state, state);
      if (this.#tabs.current === 'calls') {
        this.#tabs.show('calls');
      }
    }
    setText(this.route, socket.remoteAddress && socket.localAddress ? `from ${format.address(socket.localAddress)}` : '');
    const streams = socket.state === 'connected' || socket.state === 'listening' || (socket.type === 'SOCK_DGRAM' && socket.state !== 'connecting');
    this.attach.hidden = session.closed || !streams || socket.state === 'listening';
    setText(this.attach, { detached: 'Attach', attaching: 'Attaching…', attached: 'Detach', resuming: 'Resuming…' }[session.state]);
    this.attach.classList.toggle('primary', session.state === 'detached');
    this.attach.title = session.attached
      ? 'Let go of the stream: the handle lives on, for its lease'
      : 'Attach a stream: data appears here as it comes';
    this.halfClose.hidden = session.closed || session.shut || socket.state !== 'connected' || socket.type === 'SOCK_DGRAM';
    this.closing.hidden = session.closed;
    this.#connections?.update(socket);
    this.#composer?.update();
    this.#view?.refresh();
    this.#facts.update(socket);
  }

  dispose() {
    clearTimeout(this.#announceTimer);
    for (const clean of this.#cleanup) {
      clean();
    }
  }
}
