import { announce, h, icon, perFrame, setText, toast, uniqueId } from './dom.js';
import { Composer } from './composer.js';
import * as format from './format.js';
import { callForm, field, number, select, shown, text } from './forms.js';
import { JournalView } from './journal-view.js';
import { OptionsPanel } from './options-panel.js';
import { Plot } from './plot.js';
import { ProblemSlot } from './problem.js';

const SHOWN_ACCEPTS = 200;
const ANNOUNCE_MS = 2000;

/** One handle: its data or its connections, its calls, its options. */
export class HandlePane {
  #console;
  #session;
  #problems = new ProblemSlot();
  #plot = new Plot(200, 36);
  #socket;
  #listening = null;
  #tabs = [];
  #view = null;
  #composer = null;

  constructor(app, session) {
    this.#console = app;
    this.#session = session;
    this.#socket = session.socket;
    this.#announced = session.journal.received;
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

  #cleanup = [];
  #acceptList = null;
  #drawn = null;
  #announced = 0;
  #announceTimer = 0;

  get title() {
    return `${format.kind(this.#socket)} ${format.address(this.#socket.remoteAddress ?? this.#socket.localAddress)}`;
  }

  #build() {
    this.heading = h('h2', { tabindex: '-1' });
    this.state = h('span.state');
    this.route = h('p.route');
    this.id = h('code.handle-id', {}, this.#session.id);
    this.attach = h('button.button', { type: 'button', onclick: () => this.#toggleStream() });
    this.finish = h('button.button', { type: 'button', title: 'Shut down for writing: sends FIN, reading goes on', onclick: () => this.#do(() => this.#session.shutdown('SHUT_WR')) }, 'Half-close');
    this.closing = h('button.button.danger', { type: 'button', onclick: () => this.#close() }, 'Close');
    this.facts = {
      in: h('dd.in'),
      inRate: h('dd.rate'),
      out: h('dd.out'),
      outRate: h('dd.rate'),
      lease: h('dd'),
      leaseNote: h('dd.rate'),
    };
    this.renew = h('button.link', { type: 'button', onclick: () => this.#do(() => this.#renew()) }, 'Renew');
    this.tablist = h('div.tabs', { role: 'tablist', 'aria-label': 'Views of the socket', onkeydown: (event) => this.#tabKey(event) });
    this.panels = h('div.panels');
    return h(
      'article.handle-pane',
      { 'aria-label': 'Socket' },
      h('header.handle-head', {},
        h('div.handle-title', {},
          h('a.icon-button.back', { href: '#/', 'aria-label': 'All sockets' }, icon('back')),
          h('div.names', {}, h('div.name-line', {}, this.heading, this.state), this.route),
          h('div.handle-actions', {}, this.attach, this.finish, this.closing)),
        h('div.facts-strip', {},
          h('dl', {},
            h('div', {}, h('dt', {}, 'Received'), this.facts.in, this.facts.inRate),
            h('div', {}, h('dt', {}, 'Sent'), this.facts.out, this.facts.outRate),
            h('div', {}, h('dt', {}, 'Lease'), this.facts.lease, this.facts.leaseNote)),
          this.renew,
          this.#plot.node)),
      this.#problems.node,
      this.tablist,
      this.panels);
  }

  // What there is to see depends on whether the socket listens, which it may begin to.
  #arrange() {
    const listening = this.#socket.state === 'listening';
    if (this.#listening === listening) {
      return;
    }
    this.#listening = listening;
    const tabs = [];
    if (listening) {
      this.#acceptList = h('div.accept-list');
      tabs.push(['connections', 'Connections', () => this.#connectionsPanel()]);
    } else {
      tabs.push(['data', 'Data', () => this.#dataPanel()]);
    }
    tabs.push(['calls', 'Calls', () => this.#callsPanel()]);
    tabs.push(['options', 'Options', () => new OptionsPanel(this.#console.service, this.#session, () => this.#socket).node]);
    tabs.push(['about', 'About', () => this.#aboutPanel()]);
    this.#tabs = tabs.map(([name, label, make]) => {
      const id = uniqueId('tab');
      const panel = h('div.panel', { role: 'tabpanel', id: `${id}-panel`, 'aria-labelledby': id, hidden: true, dataset: { name } });
      const tab = h('button.tab', { type: 'button', role: 'tab', id, 'aria-controls': `${id}-panel`, onclick: () => this.#show(name) }, label);
      return { name, make, panel, tab };
    });
    this.tablist.replaceChildren(...this.#tabs.map(({ tab }) => tab));
    this.panels.replaceChildren(...this.#tabs.map(({ panel }) => panel));
    const fresh = !listening && ['unbound', 'bound', 'disconnected'].includes(this.#socket.state) && this.#socket.type === 'SOCK_STREAM'
      && this.#session.journal.version === 0;
    this.#show(fresh ? 'calls' : this.#tabs[0].name);
  }

  #show(name) {
    for (const entry of this.#tabs) {
      const current = entry.name === name;
      entry.tab.setAttribute('aria-selected', String(current));
      entry.tab.tabIndex = current ? 0 : -1;
      entry.panel.hidden = !current;
      if (current) {
        if (entry.panel.childElementCount === 0 || entry.name === 'about' || entry.name === 'calls') {
          entry.panel.replaceChildren(entry.make());
        }
        this.#current = entry;
      }
    }
    this.#view?.refresh();
  }

  #current = null;

  #tabKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const at = this.#tabs.indexOf(this.#current);
      const next = this.#tabs[(at + step + this.#tabs.length) % this.#tabs.length];
      this.#show(next.name);
      next.tab.focus();
    }
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
    this.acceptSwitch = h('input', { type: 'checkbox', role: 'switch', onchange: () => this.#toggleStream() });
    this.#drawAccepts();
    return h(
      'div.connections-panel',
      {},
      h('div.toolbar', {},
        h('label.check.switch', {}, this.acceptSwitch, h('span', {}, 'Accept connections as they come')),
        h('button.button.small', { type: 'button', onclick: (event) => this.#acceptOne(event.currentTarget) }, 'Accept one')),
      this.#acceptList);
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

  async #acceptOne(button) {
    button.setAttribute('aria-busy', 'true');
    await this.#do(async () => {
      const accepted = await this.#session.accept(10_000);
      if (!accepted) {
        toast('No connection came within 10 seconds.');
      }
    });
    button.removeAttribute('aria-busy');
  }

  #drawAccepts() {
    if (!this.#acceptList) {
      return;
    }
    const { byId } = this.#console.handles;
    const accepts = this.#session.accepts.slice(0, SHOWN_ACCEPTS);
    const drawn = accepts.map(({ socket }) => `${socket.id} ${byId.get(socket.id)?.state}`).join();
    if (drawn === this.#drawn) {
      return;
    }
    this.#drawn = drawn;
    if (accepts.length === 0) {
      this.#acceptList.replaceChildren(h('p.jempty', {}, `Waiting for connections to ${format.address(this.#socket.localAddress)}.`));
      return;
    }
    this.#acceptList.replaceChildren(h('table.data', {},
      h('caption.visually-hidden', {}, 'Accepted connections, newest first'),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Time'), h('th', { scope: 'col' }, 'From'), h('th', { scope: 'col' }, 'State'), h('th', { scope: 'col' }, h('span.visually-hidden', {}, 'Open')))),
      h('tbody', {}, accepts.map(({ time, socket, address }) => {
        const now = byId.get(socket.id);
        return h('tr', {},
          h('td.mono', {}, format.clock(time)),
          h('td.mono', {}, format.address(address)),
          h('td', {}, h('span.state', { class: now?.state ?? 'closed' }, now?.state ?? 'closed')),
          h('td.end', {}, now && h('a.button.small', { href: `#/sockets/${socket.id}`, onclick: () => this.#console.sessions.of(socket.id)?.attach() }, 'Open', h('span.visually-hidden', {}, ` ${format.address(address)}`))));
      }))));
  }

  #callsPanel() {
    const { service, handles } = this.#console;
    const session = this.#session;
    const socket = this.#socket;
    const post = async (call, json) => {
      handles.put(await service.call('POST', `sockets/${session.id}/${call}`, { json }));
      session.note(`${call} succeeded.`);
      announce(`${call} succeeded`);
      this.update();
    };
    const address = ({ host, port, path, ...rest }) => (socket.family === 'AF_UNIX' ? { path: path ?? '', ...rest } : { host: host ?? '', port: port ?? 0, ...rest });
    const addressFields = (values) => socket.family === 'AF_UNIX'
      ? [field('Path', text('path', { placeholder: '/run/echo.sock' }))]
      : [
        field('Host', text('host', { placeholder: values.host, value: values.value ?? '' })),
        field('Port', number('port', { min: '0', max: '65535', placeholder: values.port })),
      ];
    const loopback = socket.family === 'AF_INET6' ? '::1' : '127.0.0.1';
    const stream = socket.type === 'SOCK_STREAM';
    const card = (title, manual, ...content) => h('section.card', {}, h('h3', {}, title, ' ', h('span.manual', {}, manual)), ...content);
    const busy = session.state !== 'detached' && 'A stream is attached, and it alone receives and accepts: detach it to call these.';
    return h('div.calls-panel', {},
      card('Bind', 'bind(2)', callForm({
        fields: addressFields({ host: loopback, port: '0', value: loopback }),
        quiet: true,
        action: 'Bind',
        target: (values) => ({ ...values, operation: 'bind', type: socket.type }),
        run: (values) => post('bind', address(values)),
      })),
      card('Connect', 'connect(2)', callForm({
        fields: [
          ...addressFields({ host: 'example.com', port: '80' }),
          field('Timeout (ms)', number('timeoutMs', { min: '0', placeholder: '60000' })),
        ],
        quiet: true,
        action: 'Connect',
        target: (values) => ({ ...values, operation: 'connect', type: socket.type }),
        run: (values) => post('connect', address(values)),
      })),
      stream && card('Listen', 'listen(2)', callForm({
        fields: [field('Backlog', number('backlog', { placeholder: '128' }))],
        quiet: true,
        action: 'Listen',
        run: (values) => post('listen', values),
      })),
      stream && socket.state === 'listening' && card('Accept', 'accept(2)', busy ? h('p.hint', {}, busy) : callForm({
        fields: [field('Timeout (ms)', number('timeoutMs', { min: '0', placeholder: '60000' }))],
        quiet: true,
        action: 'Accept',
        run: async ({ timeoutMs }) => {
          const accepted = await session.accept(timeoutMs);
          toast(accepted ? `Accepted ${format.address(accepted.address)}.` : 'No connection came in time.',
            accepted ? { action: { label: 'Open', href: `#/sockets/${accepted.socket.id}` } } : {});
        },
      })),
      socket.state !== 'listening' && card('Receive', stream ? 'recv(2)' : 'recvfrom(2)', busy ? h('p.hint', {}, busy) : callForm({
        fields: [
          field('Bytes at most', number('bufsize', { min: '0', value: '65536', required: true })),
          field('Timeout (ms)', number('timeoutMs', { min: '0', value: '5000' })),
          field('Flags', text('flags', { placeholder: 'MSG_PEEK|MSG_DONTWAIT' })),
        ],
        quiet: true,
        action: 'Receive',
        run: async (values) => {
          if (await session.receive(values)) {
            this.#show('data');
          } else {
            toast('Nothing came in time.');
          }
        },
      })),
      card('Shut down', 'shutdown(2)', callForm({
        fields: [field('How', select('how', [['SHUT_WR'], ['SHUT_RD'], ['SHUT_RDWR']]))],
        quiet: true,
        action: 'Shut down',
        run: ({ how }) => session.shutdown(how),
      })),
      card('Lease', 'seconds until an unused handle is closed', callForm({
        fields: [field('Seconds', number('seconds', { min: '1', value: String(Math.round(socket.lease.durationMs / 1000)), required: true }))],
        quiet: true,
        action: 'Set',
        run: async ({ seconds }) => {
          handles.put(await service.call('PUT', `sockets/${session.id}/lease`, { json: { durationMs: seconds * 1000 } }));
          this.update();
        },
      })));
  }

  #aboutPanel() {
    const socket = this.#socket;
    const curl = `curl -H "Authorization: Bearer $TOKEN" ${new URL(socket.links.self, location.href)}`;
    return h('div.about-panel', {},
      h('h3', {}, 'From a shell'),
      h('div.snippet', {}, h('code', {}, curl), this.#copyButton(curl, 'Copy the command')),
      h('h3', {}, 'The handle'),
      h('dl.properties', {}, [
        ['id', h('span.copyable', {}, this.id, this.#copyButton(socket.id, 'Copy the id'))],
        ['family', socket.family],
        ['type', socket.type],
        ['proto', socket.proto],
        ['made', new Date(socket.createdAt).toLocaleString()],
        ['local address', format.address(socket.localAddress)],
        ['remote address', format.address(socket.remoteAddress)],
        ['stream attached', socket.attached ? 'yes' : 'no'],
      ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))));
  }

  #copyButton(value, label) {
    return h('button.icon-button', {
      type: 'button',
      'aria-label': label,
      title: label,
      onclick: async () => {
        await navigator.clipboard.writeText(value);
        toast('Copied.');
      },
    }, icon('copy'));
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

  #drawCounters() {
    const { received, sent } = this.#session.journal;
    const socket = this.#socket;
    // What went over this page is known at once, the rest from the last poll.
    setText(this.facts.in, format.bytes(Math.max(received, socket.bytesIn)));
    setText(this.facts.out, format.bytes(Math.max(sent, socket.bytesOut)));
    const rates = this.#console.handles.rates(this.#session.id);
    setText(this.facts.inRate, format.rate(rates.in));
    setText(this.facts.outRate, format.rate(rates.out));
    this.#plot.draw(rates);
  }

  /** Counts the lease down. */
  tick() {
    const socket = this.#socket;
    if (this.#session.closed) {
      setText(this.facts.lease, '–');
      setText(this.facts.leaseNote, '');
      return;
    }
    if (socket.attached || this.#session.attached) {
      setText(this.facts.lease, 'held');
      setText(this.facts.leaseNote, 'by a stream');
      this.renew.hidden = true;
      return;
    }
    const left = Date.parse(socket.lease.expiresAt) - Date.now() - this.#console.service.skew;
    setText(this.facts.lease, format.duration(left));
    setText(this.facts.leaseNote, `of ${format.duration(socket.lease.durationMs)}`);
    this.facts.lease.classList.toggle('soon', left < 30_000);
    this.renew.hidden = false;
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
      if (this.#current?.name === 'calls') {
        this.#show('calls');
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
    this.finish.hidden = session.closed || session.shut || socket.state !== 'connected' || socket.type === 'SOCK_DGRAM';
    this.closing.hidden = session.closed;
    this.renew.hidden = session.closed;
    if (this.acceptSwitch) {
      this.acceptSwitch.checked = session.state !== 'detached';
      this.acceptSwitch.disabled = session.closed;
    }
    this.#drawAccepts();
    this.#composer?.update();
    this.#view?.refresh();
    this.#drawCounters();
    this.tick();
  }

  dispose() {
    clearTimeout(this.#announceTimer);
    for (const clean of this.#cleanup) {
      clean();
    }
  }
}
