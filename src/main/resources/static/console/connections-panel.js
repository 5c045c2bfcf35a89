import { whyNot } from './allowed.js';
import { isElsewhere } from './badges.js';
import { h } from './dom.js';
import * as format from './format.js';
import { offer } from './offer.js';

const MOST_SHOWN = 200;

/** What a listener has accepted, newest first, and the switch that lets it accept. */
export class ConnectionsPanel {
  #console;
  #session;
  #list = h('div.accept-list');
  #switch;
  #one;
  #drawn = null;

  /** @param {{ontoggle: () => void, onaccept: () => Promise<void>}} on when the switch is used, and when one connection is asked for */
  constructor(app, session, { ontoggle, onaccept }) {
    this.#console = app;
    this.#session = session;
    this.#switch = h('input', { type: 'checkbox', role: 'switch', onchange: ontoggle });
    const acceptOne = async ({ currentTarget: button }) => {
      button.setAttribute('aria-busy', 'true');
      await onaccept();
      button.removeAttribute('aria-busy');
    };
    this.#one = h('button.button.small', { type: 'button', onclick: acceptOne }, 'Accept one');
    this.node = h(
      'div.connections-panel',
      {},
      h('div.toolbar', {},
        h('label.check.switch', {}, this.#switch, h('span', {}, 'Accept connections as they come')),
        this.#one),
      this.#list);
  }

  /** Follows the session. */
  update(socket) {
    this.#switch.checked = this.#session.state !== 'detached';
    const { closed, state } = this.#session;
    this.#switch.disabled = closed || isElsewhere(socket, this.#session);
    offer(this.#one, whyNot('accept', socket, { closed, attached: state !== 'detached' || isElsewhere(socket, this.#session) }));
    const { byId } = this.#console.handles;
    const accepts = this.#session.accepts.slice(0, MOST_SHOWN);
    const drawn = accepts.map((accept) => `${accept.socket.id} ${byId.get(accept.socket.id)?.state}`).join();
    if (drawn === this.#drawn) {
      return;
    }
    this.#drawn = drawn;
    if (accepts.length === 0) {
      this.#list.replaceChildren(h('p.jempty', {}, `Waiting for connections to ${format.address(socket.localAddress)}.`));
      return;
    }
    const column = (...content) => h('th', { scope: 'col' }, ...content);
    this.#list.replaceChildren(h('table.data', {},
      h('caption.visually-hidden', {}, 'Accepted connections, newest first'),
      h('thead', {}, h('tr', {}, column('Time'), column('From'), column('State'), column(h('span.visually-hidden', {}, 'Open')))),
      h('tbody', {}, accepts.map((accept) => this.#row(accept, byId.get(accept.socket.id))))));
  }

  #row({ time, socket, address }, now) {
    const state = now?.state ?? 'closed';
    const from = format.address(address);
    const open = () => this.#console.sessions.of(socket.id)?.attach();
    return h('tr', {},
      h('td.mono', {}, format.clock(time)),
      h('td.mono', {}, from),
      h('td', {}, h('span.state', { class: state }, state)),
      h('td.end', {}, now && h('a.button.small', { href: `#/sockets/${socket.id}`, onclick: open }, 'Open', h('span.visually-hidden', {}, ` ${from}`))));
  }
}
