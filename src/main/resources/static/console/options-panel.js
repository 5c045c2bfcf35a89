import { announce, h } from './dom.js';
import { callForm, field, number, shown, text } from './forms.js';
import { problemCard } from './problem.js';

const COMMON = [
  ['SOL_SOCKET', 'SO_RCVBUF', 'Receive buffer, bytes; Linux doubles what is set'],
  ['SOL_SOCKET', 'SO_SNDBUF', 'Send buffer, bytes; Linux doubles what is set'],
  ['SOL_SOCKET', 'SO_KEEPALIVE', 'Probe an idle peer'],
  ['SOL_SOCKET', 'SO_REUSEADDR', 'Bind although an old connection lingers'],
];

const TCP = [
  ['IPPROTO_TCP', 'TCP_NODELAY', 'Send small segments at once'],
  ['IPPROTO_TCP', 'TCP_KEEPIDLE', 'Seconds of silence before the first probe'],
  ['IPPROTO_TCP', 'TCP_KEEPINTVL', 'Seconds between probes'],
  ['IPPROTO_TCP', 'TCP_KEEPCNT', 'Probes until the peer counts as dead'],
  ['IPPROTO_TCP', 'TCP_USER_TIMEOUT', 'Milliseconds that sent data may go unacknowledged'],
  ['IPPROTO_TCP', 'TCP_MAXSEG', 'Longest segment, bytes'],
];

const UDP = [['SOL_SOCKET', 'SO_BROADCAST', 'May send to broadcast addresses']];
const IP4 = [['IPPROTO_IP', 'IP_TTL', 'Hops that a packet may take'], ['IPPROTO_IP', 'IP_TOS', 'Type of service, DSCP × 4']];
const IP6 = [['IPPROTO_IPV6', 'IPV6_V6ONLY', 'No IPv4 on this socket'], ['IPPROTO_IPV6', 'IPV6_UNICAST_HOPS', 'Hops that a packet may take']];

/** getsockopt(2) and setsockopt(2), for the common options by row and for all others by name. */
export class OptionsPanel {
  #service;
  #session;

  constructor(service, session, socket) {
    this.#service = service;
    this.#session = session;
    const { family, type } = socket();
    const options = [
      ...COMMON,
      ...(family === 'AF_UNIX' ? [] : type === 'SOCK_STREAM' ? TCP : UDP),
      ...(family === 'AF_INET' ? IP4 : family === 'AF_INET6' ? IP6 : []),
    ];
    this.node = h('div.options-panel', {},
      h('div.option-table', {}, options.map(([level, name, what]) => this.#row(level, name, what))),
      h('section.card', {},
        h('h3', {}, 'Any option'),
        this.#anyOption()));
  }

  #path(level, name) {
    return `sockets/${this.#session.id}/options/${encodeURIComponent(level)}/${encodeURIComponent(name)}`;
  }

  #row(level, name, what) {
    const input = number('value', { 'aria-label': `${name}: ${what}` });
    const message = h('div.option-message');
    const load = async () => {
      const { value } = await this.#service.call('GET', this.#path(level, name));
      input.value = value;
    };
    const fail = (problem) => message.replaceChildren(problemCard(shown(problem)));
    load().catch(fail);
    return h(
      'form.option',
      {
        onsubmit: async (event) => {
          event.preventDefault();
          message.replaceChildren();
          try {
            await this.#service.call('PUT', this.#path(level, name), { json: { value: Number(input.value) } });
            // The kernel may have taken another value.
            await load();
            announce(`${name} is ${input.value}`);
          } catch (problem) {
            fail(problem);
          }
        },
      },
      h('div.option-name', {}, h('code', {}, name), h('span.hint', {}, what)),
      input,
      h('button.button.small', { type: 'submit' }, 'Set', h('span.visually-hidden', {}, ` ${name}`)),
      message);
  }

  #anyOption() {
    const result = h('output.result', { 'aria-label': 'Value of the option' });
    const form = callForm({
      label: 'Any option',
      fields: [
        field('Level', text('level', { value: 'IPPROTO_TCP', required: true })),
        field('Name', text('name', { value: 'TCP_INFO', required: true })),
        field('Length', number('length', { min: '1', max: '1024', placeholder: 'integer' }), { hint: 'Raw bytes, so many at most' }),
        field('New value', number('value', { placeholder: 'read only' }), { hint: 'Empty only reads' }),
      ],
      action: 'Read or set',
      quiet: true,
      run: async ({ level, name, length, value }) => {
        result.textContent = '';
        if (value !== undefined) {
          await this.#service.call('PUT', this.#path(level, name), { json: { value } });
        }
        const option = await this.#service.call('GET', this.#path(level, name), { query: { length } });
        result.textContent = option.value ?? hexOf(option.data);
      },
    });
    form.append(result);
    return form;
  }
}

function hexOf(base64) {
  return Array.from(atob(base64), (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
}
