import { h, icon } from './dom.js';
import { callForm, check, field, number, select, text } from './forms.js';
import { openSocket } from './open-socket.js';
import { tlsFields, tlsRequest } from './tls-panel.js';

const KINDS = [
  ['connect', 'Connect', 'TCP: socket, connect'],
  ['listen', 'Listen', 'TCP: socket, bind, listen'],
  ['udp', 'UDP', 'socket, bind, connect'],
  ['bare', 'Handle', 'socket'],
  ['pair', 'Pair', 'socketpair'],
];

const FAMILIES = [['', 'Either'], ['AF_INET', 'IPv4'], ['AF_INET6', 'IPv6']];
const FAMILY = FAMILIES.slice(1);

/** Asks what socket to make, makes it, and opens it. A preset says which kind, where it goes, and what is to be sent first. */
export function newSocketDialog(app, preset = {}) {
  const { service, handles } = app;
  const lease = () => field('Lease (s)', number('lease', { min: '1', placeholder: '300' }), { hint: 'Until an unused handle is closed' });
  const timeout = () => field('Timeout (ms)', number('timeoutMs', { min: '0', placeholder: '60000' }));
  const host = (label, attributes) => field(label, text('host', attributes));
  const port = (attributes) => field('Port', number('port', { min: '0', max: '65535', ...attributes }));
  const attach = (label) => h('div.field.wide', {}, check(label, 'attach', { checked: true }));

  const done = (socket, values) => {
    dialog.close();
    const { host: name, port: number, tls } = values;
    openSocket(app, socket, {
      attach: values.attach,
      target: socket.remoteAddress && name ? { host: name.trim(), port: number, ...(tls && { tls, ...tlsRequest(values) }) } : null,
      draft: preset.first ?? null,
    });
  };

  /** socket(2), then the rest; what fails in between leaves no handle behind. */
  const stepwise = async ({ family, type, lease: seconds }, steps) => {
    let socket = await service.call('POST', 'sockets', {
      json: { family: family || 'AF_INET', type, leaseMs: seconds && seconds * 1000 },
    });
    try {
      for (const [method, call, json] of steps.filter(Boolean)) {
        const answer = await service.call(method, `sockets/${socket.id}/${call}`, { json });
        socket = answer?.id ? answer : socket;
      }
      return steps.at(-1)?.[1] === 'starttls' ? await service.call('GET', `sockets/${socket.id}`) : socket;
    } catch (problem) {
      service.call('DELETE', `sockets/${socket.id}`).catch(() => {});
      throw problem;
    }
  };

  const option = (on, level, name, value) => on && ['PUT', `options/${level}/${name}`, { value }];

  const forms = {
    connect: () => callForm({
      label: 'TCP connection',
      fields: [
        host('Host', { placeholder: 'example.com', required: true, autofocus: true }),
        port({ placeholder: '80', required: true, min: '1' }),
        field('Family', select('family', FAMILIES)),
        attach('Attach a stream, to see the data as it comes'),
        h('div.field.wide', {}, check('TLS, which the service speaks with the server', 'tls', { title: 'Its certificate is verified' })),
        h('details.wide', {}, h('summary', {}, 'Options'),
          h('div.fields', {},
            tlsFields(),
            timeout(),
            lease(),
            field('Local host', text('localHost', { placeholder: 'any' })),
            field('Local port', number('localPort', { min: '0', max: '65535', placeholder: 'ephemeral' })),
            h('div.field.wide.check-row', {},
              check('TCP_NODELAY', 'nodelay', { title: 'Send small segments at once' }),
              check('SO_KEEPALIVE', 'keepalive', { title: 'Probe an idle peer' })))),
      ],
      action: 'Connect',
      target: (values) => ({ ...values, type: 'SOCK_STREAM', operation: 'connect' }),
      run: async (values) => {
        const address = { host: values.host.trim(), port: values.port };
        const plain = values.localHost === undefined && values.localPort === undefined && !values.nodelay && !values.keepalive;
        const socket = plain
          ? await service.call('POST', 'connections', {
            json: {
              ...address, family: values.family, timeoutMs: values.timeoutMs, leaseMs: values.lease && values.lease * 1000,
              ...(values.tls && { tls: true, ...tlsRequest(values) }),
            },
          })
          : await stepwise({ ...values, type: 'SOCK_STREAM', family: values.family ?? (address.host.includes(':') ? 'AF_INET6' : 'AF_INET') }, [
            option(values.nodelay, 'IPPROTO_TCP', 'TCP_NODELAY', 1),
            option(values.keepalive, 'SOL_SOCKET', 'SO_KEEPALIVE', 1),
            (values.localHost !== undefined || values.localPort !== undefined)
              && ['POST', 'bind', { host: values.localHost ?? '', port: values.localPort ?? 0 }],
            ['POST', 'connect', { ...address, timeoutMs: values.timeoutMs }],
            values.tls && ['POST', 'starttls', tlsRequest(values)],
          ]);
        done(socket, values);
      },
    }),
    listen: () => callForm({
      label: 'TCP listener',
      fields: [
        host('Local host', { value: '127.0.0.1', autofocus: true }),
        port({ placeholder: 'ephemeral' }),
        field('Family', select('family', FAMILY)),
        field('Backlog', number('backlog', { placeholder: '128' })),
        attach('Accept connections as they come'),
        h('details.wide', {}, h('summary', {}, 'Options'),
          h('div.fields', {}, lease(), h('div.field.wide.check-row', {}, check('SO_REUSEADDR', 'reuse', { title: 'Bind although an old connection lingers' })))),
      ],
      action: 'Listen',
      target: (values) => ({ ...values, port: values.port ?? 0, type: 'SOCK_STREAM', operation: 'bind' }),
      run: async (values) => {
        const address = { host: values.host ?? '', port: values.port ?? 0 };
        const socket = values.reuse
          ? await stepwise({ ...values, type: 'SOCK_STREAM' }, [
            option(true, 'SOL_SOCKET', 'SO_REUSEADDR', 1),
            ['POST', 'bind', address],
            ['POST', 'listen', { backlog: values.backlog }],
          ])
          : await service.call('POST', 'listeners', {
            json: { ...address, backlog: values.backlog, family: values.family, leaseMs: values.lease && values.lease * 1000 },
          });
        done(socket, values);
      },
    }),
    udp: () => callForm({
      label: 'UDP socket',
      fields: [
        field('Family', select('family', FAMILY)),
        field('Local host', text('localHost', { placeholder: 'not bound' })),
        field('Local port', number('localPort', { min: '0', max: '65535', placeholder: 'ephemeral' })),
        host('Remote host', { placeholder: 'not connected' }),
        port({ placeholder: '53' }),
        attach('Attach a stream, to see datagrams as they come'),
        h('details.wide', {}, h('summary', {}, 'Options'),
          h('div.fields', {}, lease(), h('div.field.wide.check-row', {}, check('SO_BROADCAST', 'broadcast', { title: 'May send to broadcast addresses' })))),
      ],
      action: 'Make',
      target: (values) => (values.host
        ? { ...values, type: 'SOCK_DGRAM', operation: 'connect' }
        : { host: values.localHost, port: values.localPort ?? 0, type: 'SOCK_DGRAM', operation: 'bind' }),
      run: async (values) => {
        const socket = await stepwise({ ...values, type: 'SOCK_DGRAM' }, [
          option(values.broadcast, 'SOL_SOCKET', 'SO_BROADCAST', 1),
          (values.localHost !== undefined || values.localPort !== undefined)
            && ['POST', 'bind', { host: values.localHost ?? '', port: values.localPort ?? 0 }],
          values.host !== undefined && ['POST', 'connect', { host: values.host.trim(), port: values.port ?? 0 }],
        ]);
        done(socket, values);
      },
    }),
    bare: () => callForm({
      label: 'Bare handle',
      fields: [
        field('Family', select('family', [['AF_INET'], ['AF_INET6'], ['AF_UNIX']])),
        field('Type', select('type', [['SOCK_STREAM'], ['SOCK_DGRAM']])),
        field('Protocol', select('proto', [['', '0'], ['IPPROTO_TCP'], ['IPPROTO_UDP']])),
        lease(),
      ],
      action: 'Make',
      run: async (values) => {
        const { family, type, proto, lease: seconds } = values;
        done(await service.call('POST', 'sockets', { json: { family, type, proto, leaseMs: seconds && seconds * 1000 } }), {});
      },
    }),
    pair: () => callForm({
      label: 'Socket pair',
      fields: [
        field('Type', select('type', [['SOCK_STREAM'], ['SOCK_DGRAM']])),
        lease(),
        h('p.hint.field.wide', {}, 'Two handles connected to each other: what one sends, the other receives. Nothing leaves the server.'),
      ],
      action: 'Make',
      run: async ({ type, lease: seconds }) => {
        const { sockets } = await service.call('POST', 'socketpair', { json: { type, leaseMs: seconds && seconds * 1000 } });
        handles.put(sockets[1]);
        done(sockets[0], {});
      },
    }),
  };

  const first = preset.kind ?? app.lastKind ?? 'connect';
  const body = h('div.dialog-body');
  const choose = (kind) => {
    app.lastKind = kind;
    body.replaceChildren(forms[kind]());
    if (kind === preset.kind && preset.host) {
      body.querySelector('[name="host"]').value = preset.host;
      body.querySelector('[name="port"]').value = preset.port;
      body.prepend(h('p.preset', {}, `${preset.name}: the first message is put in for you to send.`));
    }
  };
  const dialog = h(
    'dialog.dialog',
    { 'aria-label': 'New socket', onclose: () => dialog.remove() },
    h('header.dialog-head', {},
      h('h2', {}, 'New socket'),
      h('button.icon-button', { type: 'button', 'aria-label': 'Close', onclick: () => dialog.close() }, icon('close'))),
    h('div.kinds', { role: 'radiogroup', 'aria-label': 'Kind' }, KINDS.map(([kind, label, calls]) =>
      h('label.kind', {},
        h('input.visually-hidden', { type: 'radio', name: 'kind', value: kind, checked: kind === first, onchange: () => choose(kind) }),
        h('span', {}, h('strong', {}, label), h('small', {}, calls))))),
    body);
  choose(first);
  document.body.append(dialog);
  dialog.showModal();
  body.querySelector('[autofocus], input, select')?.focus();
}
