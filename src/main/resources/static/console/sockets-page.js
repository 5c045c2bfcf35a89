import { isElsewhere, stateOf } from './badges.js';
import { announce, h, icon, perFrame, setText } from './dom.js';
import { emptyState } from './empty-state.js';
import * as format from './format.js';
import { ProblemSlot, problemCard } from './problem.js';
import { Rows } from './rows.js';
import { Sparkline } from './sparkline.js';

let HandlePane = null;

/** Loads what shows a handle, for which the list does not wait. */
export async function loadHandlePane() {
  HandlePane ??= (await import('./handle-pane.js')).HandlePane;
}

const ORDERS = {
  newest: (a, b) => b.order - a.order,
  oldest: (a, b) => a.order - b.order,
  bytes: (a, b) => b.socket.bytesIn + b.socket.bytesOut - (a.socket.bytesIn + a.socket.bytesOut) || b.order - a.order,
};

/** All of the caller's sockets, live, and beside them the one that is open. */
export class SocketsPage {
  #console;
  #handles;
  #sessions;
  #rows;
  #shown = [];
  #indexOf = new Map();
  #selected = null;
  #pane = null;
  #problems = new ProblemSlot();
  #plots = new WeakMap();

  constructor(app) {
    this.#console = app;
    this.#handles = app.handles;
    this.#sessions = app.sessions;
    this.node = this.#build();
    this.#rows = new Rows(this.viewport, this.space, 46, {
      count: () => this.#shown.length,
      key: (index) => this.#shown[index].id,
      create: () => this.#createRow(),
      update: (node, index) => this.#updateRow(node, index),
    });
    const update = perFrame(() => this.#update());
    this.onchange = ({ detail }) => {
      update();
      for (const socket of detail.closed) {
        announce(`${format.title(socket)} is closed`);
      }
    };
    this.#handles.addEventListener('change', this.onchange);
    this.#handles.addEventListener('trouble', ({ detail }) => {
      if (detail.status !== 401) {
        this.#problems.show(detail);
      }
    });
    this.#handles.addEventListener('recovered', () => this.#problems.clear());
    // Leases count down between the polls, too.
    this.ticker = setInterval(() => this.#tick(), 1000);
    this.resized = new ResizeObserver(([entry]) => {
      this.table.classList.toggle('compact', entry.contentRect.width < 720);
    });
    this.resized.observe(this.table);
    this.#update();
  }

  #build() {
    this.heading = h('h1', { tabindex: '-1' }, 'Sockets');
    this.totals = {
      open: h('strong', {}, '0'),
      listening: h('strong', {}, '0'),
      in: h('strong.in', {}, '–'),
      out: h('strong.out', {}, '–'),
      plot: new Sparkline(160, 32),
    };
    this.filter = h('input', {
      type: 'search',
      placeholder: 'Filter by name, address, id, kind',
      'aria-label': 'Filter the sockets',
      spellcheck: 'false',
      autocomplete: 'off',
      oninput: () => this.#update(),
    });
    this.stateFilter = h(
      'select',
      { 'aria-label': 'State', onchange: () => this.#update() },
      [['', 'Any state'], ['connected'], ['listening'], ['connecting'], ['bound'], ['unbound'], ['disconnected']].map(([value, label]) =>
        h('option', { value }, label ?? value)));
    this.order = h(
      'select',
      { 'aria-label': 'Order', onchange: () => this.#update() },
      [['newest', 'Newest first'], ['oldest', 'Oldest first'], ['bytes', 'Most bytes first']].map(([value, label]) => h('option', { value }, label)));
    this.space = h('div.rows');
    this.viewport = h('div.viewport', { role: 'rowgroup', tabindex: '-1', onkeydown: (event) => this.#key(event) }, this.space);
    this.empty = emptyState(this.#console, (preset) => this.#new(preset));
    this.noMatch = h('p.empty', { hidden: true }, 'No socket matches the filter.');
    const header = (text, cls, label) => h('span', { role: 'columnheader', class: cls }, label ? h('span.visually-hidden', {}, label) : text);
    this.table = h(
      'div.table',
      { role: 'table', 'aria-label': 'Sockets', 'aria-rowcount': '1' },
      h('div.head', { role: 'rowgroup' },
        h('div.row', { role: 'row', 'aria-rowindex': '1' },
          header('State', 'c-state'),
          header('Remote', 'c-remote'),
          header('Local', 'c-local'),
          header('Received', 'c-in'),
          header('Sent', 'c-out'),
          header('', 'c-plot', 'Rates'),
          header('Lease', 'c-lease'))),
      this.viewport);
    this.detail = h('div.detail-pane', { hidden: true });
    return h(
      'div.sockets-page',
      {},
      h('section.list-pane', { 'aria-label': 'All sockets' },
        h('header.pane-head', {},
          this.heading,
          h('button.button.primary', { type: 'button', onclick: () => this.#new() }, icon('plus'), h('span', {}, 'New socket'))),
        h('div.totals', {},
          h('span', {}, this.totals.open, ' open'),
          h('span', {}, this.totals.listening, ' listening'),
          h('span.total-rates', {},
            h('span', {}, h('span.in', { 'aria-hidden': 'true' }, '↓ '), h('span.visually-hidden', {}, 'receiving '), this.totals.in),
            h('span', {}, h('span.out', { 'aria-hidden': 'true' }, '↑ '), h('span.visually-hidden', {}, 'sending '), this.totals.out)),
          this.totals.plot.node),
        h('div.filters', { role: 'search' }, this.filter, this.stateFilter, this.order),
        this.#problems.node,
        this.table,
        this.empty,
        this.noMatch),
      this.detail);
  }

  #new(preset) {
    this.#console.create(preset);
  }

  #createRow() {
    const plot = new Sparkline(96, 28);
    const cell = (cls, ...children) => h('span', { role: 'cell', class: cls }, ...children);
    const node = h(
      'div.row',
      { role: 'row' },
      cell('c-state', h('span.state')),
      cell('c-remote', h('a.row-link', {}, h('span.kind-tag'), ' ', h('span'))),
      cell('c-local'),
      cell('c-in'),
      cell('c-out'),
      cell('c-plot', plot.node),
      cell('c-lease'));
    this.#plots.set(node, plot);
    return node;
  }

  #updateRow(node, index) {
    const { socket, id } = this.#shown[index];
    const rates = this.#handles.rates(id);
    const [state, remote, local, received, sent, , lease] = node.children;
    node.setAttribute('aria-rowindex', String(index + 2));
    const selected = id === this.#selected;
    node.classList.toggle('selected', selected);
    const chip = state.firstChild;
    const { word, kind } = stateOf(socket, this.#sessions.existing(id));
    chip.className = `state ${kind}`;
    setText(chip, word);
    const link = remote.firstChild;
    link.setAttribute('href', `#/sockets/${id}`);
    link.tabIndex = selected || (!this.#indexOf.has(this.#selected) && index === 0) ? 0 : -1;
    if (selected) {
      link.setAttribute('aria-current', 'true');
    } else {
      link.removeAttribute('aria-current');
    }
    const peer = socket.remoteAddress ?? (socket.state === 'disconnected' ? socket.peer : null);
    const main = peer ? format.address(peer)
      : socket.state === 'listening' ? format.address(socket.localAddress) : 'not connected';
    setText(link.firstChild, format.kind(socket));
    setText(link.lastChild, this.#console.names.title(id, main));
    link.classList.toggle('faint', main === 'not connected');
    setText(local, socket.localAddress ? format.address(socket.localAddress) : '–');
    setText(received, rates.in >= 0.5 ? format.rate(rates.in) : format.bytes(socket.bytesIn));
    received.classList.toggle('moving', rates.in >= 0.5);
    setText(sent, rates.out >= 0.5 ? format.rate(rates.out) : format.bytes(socket.bytesOut));
    sent.classList.toggle('moving', rates.out >= 0.5);
    this.#plots.get(node).draw(rates);
    this.#drawLease(lease, socket);
  }

  #drawLease(node, socket) {
    if (socket.attached) {
      setText(node, isElsewhere(socket, this.#sessions.existing(socket.id)) ? 'taken' : 'stream');
      node.className = 'c-lease attached';
      return;
    }
    const left = Date.parse(socket.lease.expiresAt) - Date.now() - this.#console.service.skew;
    setText(node, format.duration(left));
    node.className = `c-lease${left < 30_000 ? ' soon' : ''}`;
  }

  #tick() {
    if (document.visibilityState !== 'visible' || !this.node.isConnected) {
      return;
    }
    for (const { id, socket } of this.#shown) {
      const node = this.#rows.node(id);
      if (node) {
        this.#drawLease(node.lastChild, socket);
      }
    }
    this.#pane?.tick();
  }

  #update() {
    if (!this.node.isConnected) {
      return;
    }
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const state = this.stateFilter.value;
    const shown = [];
    let order = 0;
    let listening = 0;
    for (const [id, socket] of this.#handles.byId) {
      order += 1;
      if (socket.state === 'listening') {
        listening += 1;
      }
      if (state !== '' && socket.state !== state) {
        continue;
      }
      if (words.length > 0) {
        const text = `${this.#console.names.of(id)} ${id} ${format.kind(socket)} ${socket.state} ${format.address(socket.localAddress)} ${format.address(socket.remoteAddress)}`.toLowerCase();
        if (!words.every((word) => text.includes(word))) {
          continue;
        }
      }
      shown.push({ id, socket, order });
    }
    shown.sort(ORDERS[this.order.value]);
    this.#shown = shown;
    this.#indexOf = new Map(shown.map(({ id }, index) => [id, index]));
    const total = this.#handles.byId.size;
    setText(this.totals.open, format.count(total));
    setText(this.totals.listening, format.count(listening));
    setText(this.totals.in, format.rate(this.#handles.total.in));
    setText(this.totals.out, format.rate(this.#handles.total.out));
    this.totals.plot.draw(this.#handles.total);
    this.table.hidden = shown.length === 0;
    this.table.setAttribute('aria-rowcount', String(shown.length + 1));
    this.empty.hidden = !(this.#handles.loaded && total === 0);
    this.noMatch.hidden = !(total > 0 && shown.length === 0);
    this.#rows.render();
    this.#pane?.update();
  }

  #key(event) {
    const keys = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    const step = keys[event.key];
    if (step === undefined || this.#shown.length === 0) {
      return;
    }
    const row = event.target.closest?.('.row');
    const current = row ? Number(row.getAttribute('aria-rowindex')) - 2 : -1;
    const next = Math.min(this.#shown.length - 1, Math.max(0, current + step));
    event.preventDefault();
    this.#rows.reveal(next);
    this.#rows.node(this.#shown[next].id)?.querySelector('a').focus({ preventScroll: true });
  }

  /** Opens the handle beside the list; null closes it. */
  open(id) {
    if (id !== null && id === this.#selected) {
      return;
    }
    this.#selected = id;
    this.#pane?.dispose();
    this.#pane = null;
    const session = id && this.#sessions.of(id);
    if (session) {
      this.#show(id, session);
    } else if (id) {
      this.detail.replaceChildren();
      this.#find(id);
    }
    this.detail.hidden = id === null;
    this.node.classList.toggle('open', id !== null);
    this.#update();
    if (id !== null && this.#indexOf.has(id)) {
      this.#rows.reveal(this.#indexOf.get(id));
    }
    this.#pane?.update();
  }

  #show(id, session) {
    if (HandlePane) {
      this.#pane = new HandlePane(this.#console, session);
      this.detail.replaceChildren(this.#pane.node);
    } else {
      this.detail.replaceChildren();
      loadHandlePane().then(() => this.#openAgain(id));
    }
  }

  #openAgain(id) {
    if (this.#selected === id) {
      this.#selected = null;
      this.open(id);
      this.#pane?.focus();
    }
  }

  // A handle that was made elsewhere since the last poll, or one that is no more.
  async #find(id) {
    try {
      this.#handles.put(await this.#console.service.call('GET', `sockets/${encodeURIComponent(id)}`));
      this.#openAgain(id);
    } catch (problem) {
      if (this.#selected === id) {
        this.detail.replaceChildren(problem.errno === 'EBADF'
          ? h('div.gone', {},
            h('h2', { tabindex: '-1' }, 'No such socket'),
            h('p', {}, 'It was closed, its lease ran out, or it belongs to another owner.'),
            h('a.button', { href: '#/' }, 'All sockets'))
          : problemCard(problem));
      }
    }
  }

  /** Puts the focus where a reader begins. */
  focus() {
    if (this.#pane) {
      this.#pane.focus();
    } else {
      (this.#selected ? this.detail.querySelector('h2') : this.heading)?.focus({ preventScroll: true });
    }
  }

  get title() {
    return this.#pane?.title ?? 'Sockets';
  }

  dispose() {
    clearInterval(this.ticker);
    this.#pane?.dispose();
    this.#handles.removeEventListener('change', this.onchange);
    this.resized.disconnect();
  }
}
