import { announce, h } from './dom.js';
import * as format from './format.js';
import { callForm, checks, field, number, select, shown, text } from './forms.js';
import { openSocket } from './open-socket.js';
import { ProblemSlot } from './problem.js';
import { Malformed, parseHex } from './text.js';

const FLAGS = [
  ['AI_CANONNAME', 'Ask for the canonical name'],
  ['AI_PASSIVE', 'For bind: no host is the wildcard address'],
  ['AI_NUMERICHOST', 'Look no name up'],
  ['AI_NUMERICSERV', 'The port is a number'],
  ['AI_ADDRCONFIG', 'Only families that the server has addresses of'],
  ['AI_V4MAPPED', 'IPv4 addresses as IPv6 ones where there are no others'],
  ['AI_ALL', 'With AI_V4MAPPED: both'],
];

const NAME_FLAGS = [
  ['NI_NUMERICHOST', 'The address, not its name'],
  ['NI_NUMERICSERV', 'The port, not the service'],
  ['NI_NAMEREQD', 'An address without a name is an error'],
  ['NI_DGRAM', 'The service of UDP'],
  ['NI_NOFQDN', 'Only the first label of a local name'],
];

/** getaddrinfo(3), getnameinfo(3) and their kin, as the server's libc answers them. */
export class ResolverPage {
  #app;
  #service;
  #names = null;

  title = 'Resolver';

  constructor(app) {
    this.#app = app;
    this.#service = app.service;
    this.heading = h('h1', { tabindex: '-1' }, 'Resolver');
    this.node = h(
      'div.page',
      {},
      h('header.pane-head', {}, this.heading, h('p.lead', {}, 'Names and addresses as the server’s libc sees them.')),
      this.#getaddrinfo(),
      h('div.cards', {}, this.#getnameinfo(), this.#toBytes(), this.#toText(), this.#services()));
  }

  focus() {
    this.heading.focus({ preventScroll: true });
  }

  dispose() {}

  async #constants() {
    this.#names ??= this.#service.call('GET', 'constants').catch((problem) => {
      this.#names = null;
      throw problem;
    });
    return this.#names;
  }

  async #name(prefix, value) {
    const constants = await this.#constants();
    return Object.keys(constants).find((name) => name.startsWith(prefix) && constants[name] === value) ?? String(value);
  }

  #getaddrinfo() {
    const result = h('div.result-area', { role: 'region', 'aria-label': 'Addresses', 'aria-live': 'polite' });
    return h('section.card.wide', {},
      h('h2', {}, 'getaddrinfo ', h('span.manual', {}, 'names to addresses')),
      callForm({
        label: 'getaddrinfo',
        fields: [
          field('Host', text('host', { placeholder: 'example.com; empty is NULL' })),
          field('Port or service', text('port', { placeholder: 'http; empty is NULL' })),
          field('Family', select('family', [['AF_UNSPEC'], ['AF_INET'], ['AF_INET6']])),
          field('Type', select('type', [['', 'any'], ['SOCK_STREAM'], ['SOCK_DGRAM']])),
          field('Protocol', select('proto', [['', 'any'], ['IPPROTO_TCP'], ['IPPROTO_UDP']])),
          checks('Flags', 'flags', FLAGS),
        ],
        action: 'Resolve',
        run: async ({ flags, ...query }) => {
          result.replaceChildren();
          const begin = performance.now();
          const found = await this.#service.call('GET', 'getaddrinfo', { query: { ...query, flags: flags?.join('|') } });
          const took = performance.now() - begin;
          const addresses = byAddress(found);
          const problems = new ProblemSlot();
          const rows = await Promise.all(addresses.map((infos) => this.#address(infos, problems)));
          result.replaceChildren(
            h('p.hint', {}, `${addresses.length === 1 ? '1 address' : `${addresses.length} addresses`} in ${took.toFixed(0)} ms`),
            problems.node,
            table(['Address', 'Family', 'Type', 'Protocol', 'Canonical name', h('span.visually-hidden', {}, 'Connect')], rows));
        },
      }),
      result);
  }

  /** A row: an address, with all that getaddrinfo said of it. */
  async #address(infos, problems) {
    const [{ sockaddr, family }] = infos;
    const types = await this.#all('SOCK_', infos.map(({ type }) => type));
    return h('tr', {},
      h('td.mono', {}, format.address(sockaddr)),
      h('td', {}, await this.#name('AF_', family)),
      h('td', {}, types.join(', ')),
      h('td', {}, (await this.#all('IPPROTO_', infos.map(({ proto }) => proto))).join(', ')),
      h('td.mono', {}, infos.find(({ canonname }) => canonname)?.canonname ?? '–'),
      h('td.end', {}, this.#connectForm(sockaddr, types, problems)));
  }

  async #all(prefix, numbers) {
    return Promise.all([...new Set(numbers)].map((number) => this.#name(prefix, number)));
  }

  #connectForm(sockaddr, types, problems) {
    const type = ['SOCK_STREAM', 'SOCK_DGRAM'].find((one) => types.includes(one));
    if (!type) {
      return null;
    }
    const name = format.address(sockaddr);
    const port = sockaddr.port === 0 && number('port', { min: '1', max: '65535', placeholder: 'port', required: true, 'aria-label': `Port at ${name}` });
    const onsubmit = async (event) => {
      event.preventDefault();
      const place = { ...sockaddr, port: port ? Number(port.value) : sockaddr.port };
      const target = { ...place, type };
      problems.clear();
      button.setAttribute('aria-busy', 'true');
      try {
        const socket = await this.#service.call('POST', 'connections', { json: target });
        openSocket(this.#app, socket, { attach: true, target: place });
      } catch (problem) {
        problems.show(shown(problem), { target });
      } finally {
        button.removeAttribute('aria-busy');
      }
    };
    const button = h('button.button.small', { type: 'submit' }, 'Connect', h('span.visually-hidden', {}, ` to ${name}`));
    return h('form.row-form', { onsubmit }, port, button);
  }

  #answering(title, note, fields, action, ask) {
    const result = h('output.result', { 'aria-label': `${title} answer` });
    const form = callForm({
      label: title,
      fields,
      action,
      quiet: true,
      run: async (values) => {
        result.replaceChildren();
        const answer = await ask(values);
        result.replaceChildren(...answer.map(([name, value]) => h('span.answer', {}, h('span.manual', {}, name), h('code', {}, value))));
        announce(answer.map(([name, value]) => `${name} ${value}`).join(', '));
      },
    });
    return h('section.card', {}, h('h2', {}, title, ' ', h('span.manual', {}, note)), form, result);
  }

  #getnameinfo() {
    return this.#answering('getnameinfo', 'addresses to names', [
      field('Address', text('host', { placeholder: '127.0.0.1', required: true })),
      field('Port', number('port', { min: '0', max: '65535', value: '80', required: true })),
      checks('Flags', 'flags', NAME_FLAGS),
    ], 'Look up', async ({ flags, ...query }) => {
      const { host, service } = await this.#service.call('GET', 'getnameinfo', { query: { ...query, flags: flags?.join('|') } });
      return [['host', host], ['service', service]];
    });
  }

  #toBytes() {
    return this.#answering('Text to bytes', 'inet_aton, inet_pton', [
      field('Function', select('call', [['inet_aton', 'inet_aton: liberal'], ['AF_INET', 'inet_pton: IPv4'], ['AF_INET6', 'inet_pton: IPv6']])),
      field('Address', text('ip', { placeholder: '127.1', required: true })),
    ], 'Pack', async ({ call, ip }) => {
      const { packed, hex } = call === 'inet_aton'
        ? await this.#service.call('GET', 'inet_aton', { query: { ip } })
        : await this.#service.call('GET', 'inet_pton', { query: { family: call, ip } });
      return [['hex', hex], ['base64', packed]];
    });
  }

  #toText() {
    return this.#answering('Bytes to text', 'inet_ntoa, inet_ntop', [
      field('Function', select('call', [['inet_ntoa', 'inet_ntoa: IPv4'], ['AF_INET', 'inet_ntop: IPv4'], ['AF_INET6', 'inet_ntop: IPv6']])),
      field('Bytes', text('packed', { placeholder: '7f 00 00 01', required: true }), { hint: 'Hexadecimal' }),
    ], 'Unpack', async ({ call, packed }) => {
      const bytes = parseHex(packed);
      if (bytes.length === 0) {
        throw new Malformed('Give the bytes of an address.');
      }
      const base64 = btoa(String.fromCharCode(...bytes));
      const { ip } = call === 'inet_ntoa'
        ? await this.#service.call('GET', 'inet_ntoa', { query: { packed: base64 } })
        : await this.#service.call('GET', 'inet_ntop', { query: { family: call, packed: base64 } });
      return [['address', ip]];
    });
  }

  #services() {
    return this.#answering('Services', 'getservbyname, getservbyport', [
      field('Name or port', text('service', { placeholder: 'https', required: true })),
      field('Protocol', select('proto', [['', 'any'], ['tcp'], ['udp']])),
    ], 'Look up', async ({ service, proto }) => {
      if (/^\d+$/.test(service)) {
        const { name } = await this.#service.call('GET', 'getservbyport', { query: { port: service, proto } });
        return [['service', name]];
      }
      const { port } = await this.#service.call('GET', 'getservbyname', { query: { name: service, proto } });
      return [['port', String(port)]];
    });
  }
}

/** What getaddrinfo found, address by address in its order: it tells each once for every type of socket. */
function byAddress(found) {
  const groups = new Map();
  for (const info of found) {
    const key = JSON.stringify(info.sockaddr);
    groups.set(key, [...(groups.get(key) ?? []), info]);
  }
  return [...groups.values()];
}

/** A table of results. */
export function table(headings, rows) {
  return h('div.table-scroll', { tabindex: '0', role: 'group', 'aria-label': 'Results' },
    h('table.data', {},
      h('thead', {}, h('tr', {}, headings.map((heading) => h('th', { scope: 'col' }, heading)))),
      h('tbody', {}, rows)));
}
