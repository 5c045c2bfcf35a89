import { aboutPanel } from './about-panel.js';
import { whyNot } from './allowed.js';
import { badge, isElsewhere, notesOf, stateOf } from './badges.js';
import { callsPanel } from './calls-panel.js';
import { CodePanel } from './code-panel.js';
import { Composer } from './composer.js';
import { ConnectionPanel } from './connection-panel.js';
import { ConnectionsPanel } from './connections-panel.js';
import { announce, h, icon, perFrame, setText, toast } from './dom.js';
import { FactsStrip } from './facts-strip.js';
import * as format from './format.js';
import { shown } from './forms.js';
import { JournalView } from './journal-view.js';
import { nameControl } from './name-control.js';
import { offer } from './offer.js';
import { again, openSocket } from './open-socket.js';
import { OptionsPanel } from './options-panel.js';
import { ProblemSlot } from './problem.js';
import { Tabs } from './tabs.js';
import { TlsPanel } from './tls-panel.js';

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
  #calls = null;
  #connections = null;
  #tls = null;
  #cleanup = [];
  #announced;
  #announceTimer = 0;
  #noted = '';

  constructor(app, session) {
    this.#console = app;
    this.#session = session;
    this.#socket = session.known;
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
    return this.#console.names.title(this.#session.id, format.title(this.#socket));
  }

  #build() {
    this.heading = h('h2', { tabindex: '-1' });
    this.state = h('span.state');
    this.stateWhy = h('span.visually-hidden');
    this.notes = h('span.notes');
    this.route = h('p.route');
    this.attach = h('button.button', { type: 'button', onclick: () => this.#toggleStream() });
    this.again = h('button.button.primary', { type: 'button', onclick: () => this.#do(() => this.#again()) });
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
          h('div.names', {},
            h('div.name-line', {},
              this.heading, nameControl(this.#console, this.#session.id, () => this.#renamed()), this.state, this.stateWhy, this.notes),
            this.route),
          h('div.handle-actions', {}, this.attach, this.halfClose, this.closing, this.again)),
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
      ...(format.kind(this.#socket).startsWith('TCP') ? [['connection', listening ? 'Queue' : 'Connection', () => this.#connectionPanel()]] : []),
      ...(this.#socket.type === 'SOCK_STREAM' && !listening ? [['tls', 'TLS', () => this.#tlsPanel()]] : []),
      ['calls', 'Calls', () => this.#callsPanel()],
      ['options', 'Options', () => this.#optionsPanel()],
      ['code', 'Code', () => new CodePanel(this.#console, { id: this.#session.id }).node, true],
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

  #connectionPanel() {
    const panel = new ConnectionPanel(this.#console.service, this.#session);
    this.#cleanup.push(() => panel.dispose());
    return panel.node;
  }

  #tlsPanel() {
    this.#tls = new TlsPanel(this.#session);
    return this.#tls.node;
  }

  #callsPanel() {
    this.#calls = callsPanel(this.#console, this.#session, this.#socket, {
      onchange: () => this.update(),
      onreceived: () => this.#tabs.show('data'),
    });
    this.#calls.update(this.#socket);
    return this.#calls.node;
  }

  #optionsPanel() {
    return this.#session.closed
      ? h('p.options-panel', {}, 'The handle is closed, and its options are gone with it.')
      : new OptionsPanel(this.#console.service, this.#session, () => this.#socket).node;
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
    this.#problems.clear();
    if (isElsewhere(this.#socket, this.#session)) {
      this.#do(() => this.#session.takeOver());
    } else if (this.#session.state === 'detached') {
      this.#session.attach();
    } else {
      this.#session.detach();
    }
  }

  async #again() {
    const { path, json } = again(this.#session);
    const { target } = this.#session;
    openSocket(this.#console, await this.#console.service.call('POST', path, { json }), { attach: true, target });
  }

  async #renew() {
    this.#console.handles.put(await this.#console.service.call('GET', `sockets/${this.#session.id}`));
    this.update();
  }

  #renamed() {
    this.#console.retitle();
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

  /** Puts the focus where one goes on: to what is to be sent, if anything can be. */
  focus() {
    if (this.#tabs.current !== 'data' || !this.#composer?.focus()) {
      this.heading.focus({ preventScroll: true });
    }
  }

  /** Follows the handle's state. */
  update() {
    const session = this.#session;
    this.#socket = session.known;
    const socket = this.#socket;
    this.#arrange();
    setText(this.heading, this.title);
    this.#drawState(socket);
    setText(this.route, this.#whereFrom(socket));
    this.#offerActions(socket);
    this.#calls?.update(socket);
    this.#tls?.update(socket);
    this.#connections?.update(socket);
    this.#composer?.update();
    this.#view?.refresh();
    this.#facts.update(socket);
  }

  #drawState(socket) {
    const session = this.#session;
    const { word, kind, why } = stateOf(socket, session);
    this.state.className = `state ${kind}`;
    this.state.title = why ?? '';
    setText(this.state, word);
    setText(this.stateWhy, why ?? '');
    const notes = notesOf(socket, session, this.#console.service.draining);
    if (notes.map((note) => note.word).join() !== this.#noted) {
      this.#noted = notes.map((note) => note.word).join();
      this.notes.replaceChildren(...notes.map(badge));
      notes.forEach((note) => announce(`${note.word}: ${note.why}`));
    }
  }

  // Which side has connected is known only of what was accepted here.
  #whereFrom({ remoteAddress, peer, acceptedOn, localAddress }) {
    return acceptedOn ? `accepted on ${format.address(acceptedOn)}`
      : (remoteAddress ?? peer) && localAddress ? `local ${format.address(localAddress)}` : '';
  }

  #offerActions(socket) {
    const session = this.#session;
    const { closed } = session;
    const elsewhere = isElsewhere(socket, session);
    this.attach.hidden = closed || (socket.state === 'listening' && !elsewhere);
    setText(this.attach, elsewhere ? 'Take over' : { detached: 'Attach', attaching: 'Attaching…', attached: 'Detach', resuming: 'Resuming…' }[session.state]);
    this.attach.classList.toggle('primary', session.state === 'detached' && socket.state !== 'disconnected');
    this.attach.title = elsewhere ? 'End the other stream, and attach one here'
      : session.attached ? 'Let go of the stream: the handle lives on, for its lease'
        : 'Attach a stream: data appears here as it comes';
    offer(this.attach, session.state === 'detached' ? whyNot('attach', socket) : null);
    this.halfClose.hidden = closed || socket.type === 'SOCK_DGRAM' || socket.state === 'listening';
    offer(this.halfClose, session.shut || socket.shut ? 'FIN is sent already.' : whyNot('shutdown', socket));
    this.closing.hidden = closed;
    const anew = closed || socket.state === 'disconnected' ? again(session) : null;
    this.again.hidden = anew === null;
    setText(this.again, anew?.label ?? '');
  }

  dispose() {
    clearTimeout(this.#announceTimer);
    for (const clean of this.#cleanup) {
      clean();
    }
  }
}
