import { whyNot } from './allowed.js';
import { isElsewhere } from './badges.js';
import { announce, h, toast } from './dom.js';
import * as format from './format.js';
import { callForm, field, number, select, text } from './forms.js';
import { offer } from './offer.js';

/**
 * A form for each call on a handle. Those that its state does not allow stay where they are and say why. `onchange` is called when one has changed the
 * handle, `onreceived` when one has received data.
 *
 * @returns {{node: HTMLElement, update: (socket: object) => void}} `update` follows the handle's state
 */
export function callsPanel({ service, handles }, session, socket, { onchange, onreceived }) {
  const post = async (call, json) => {
    handles.put(await service.call('POST', `sockets/${session.id}/${call}`, { json }));
    session.note(`${call} succeeded.`);
    announce(`${call} succeeded`);
    onchange();
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
  const forms = {
    bind: callForm({
      fields: addressFields({ host: loopback, port: '0', value: loopback }),
      quiet: true,
      action: 'Bind',
      target: (values) => ({ ...values, operation: 'bind', type: socket.type }),
      run: (values) => post('bind', address(values)),
    }),
    connect: callForm({
      fields: [
        ...addressFields({ host: 'example.com', port: '80' }),
        field('Timeout (ms)', number('timeoutMs', { min: '0', placeholder: '60000' })),
      ],
      quiet: true,
      action: 'Connect',
      target: (values) => ({ ...values, operation: 'connect', type: socket.type }),
      run: (values) => post('connect', address(values)),
    }),
    listen: callForm({
      fields: [field('Backlog', number('backlog', { placeholder: '128' }))],
      quiet: true,
      action: 'Listen',
      run: (values) => post('listen', values),
    }),
    accept: callForm({
      fields: [field('Timeout (ms)', number('timeoutMs', { min: '0', placeholder: '60000' }))],
      quiet: true,
      action: 'Accept',
      run: async ({ timeoutMs }) => {
        const accepted = await session.accept(timeoutMs);
        toast(accepted ? `Accepted ${format.address(accepted.address)}.` : 'No connection came in time.',
          accepted ? { action: { label: 'Open', href: `#/sockets/${accepted.socket.id}` } } : {});
      },
    }),
    receive: callForm({
      fields: [
        field('Bytes at most', number('bufsize', { min: '0', value: '65536', required: true })),
        field('Timeout (ms)', number('timeoutMs', { min: '0', value: '5000' })),
        field('Flags', text('flags', { placeholder: 'MSG_PEEK|MSG_DONTWAIT' })),
      ],
      quiet: true,
      action: 'Receive',
      run: async (values) => {
        if (await session.receive(values)) {
          onreceived();
        } else {
          toast('Nothing came in time.');
        }
      },
    }),
    shutdown: callForm({
      fields: [field('How', select('how', [['SHUT_WR'], ['SHUT_RD'], ['SHUT_RDWR']]))],
      quiet: true,
      action: 'Shut down',
      run: ({ how }) => session.shutdown(how),
    }),
    lease: callForm({
      fields: [field('Seconds', number('seconds', { min: '1', value: String(Math.round(socket.lease.durationMs / 1000)), required: true }))],
      quiet: true,
      action: 'Set',
      run: async ({ seconds }) => {
        handles.put(await service.call('PUT', `sockets/${session.id}/lease`, { json: { durationMs: seconds * 1000 } }));
        onchange();
      },
    }),
  };
  const card = (title, manual, form) => h('section.card', {}, h('h3', {}, title, ' ', h('span.manual', {}, manual)), form);
  return {
    node: h('div.calls-panel', {},
      card('Bind', 'bind(2)', forms.bind),
      card('Connect', 'connect(2)', forms.connect),
      card('Listen', 'listen(2)', forms.listen),
      card('Accept', 'accept(2)', forms.accept),
      card('Receive', stream ? 'recv(2)' : 'recvfrom(2)', forms.receive),
      card('Shut down', 'shutdown(2)', forms.shutdown),
      card('Lease', 'seconds until an unused handle is closed', forms.lease)),
    update: (now) => {
      const attached = session.state !== 'detached' || isElsewhere(now, session);
      for (const [call, form] of Object.entries(forms)) {
        const reason = whyNot(call, now, { closed: session.closed, attached });
        offer(form.querySelector('[type="submit"]'), reason, { visible: true });
        for (const control of form.querySelectorAll('input, select')) {
          control.disabled = reason !== null;
        }
      }
    },
  };
}
