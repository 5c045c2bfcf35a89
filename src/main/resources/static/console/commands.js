import * as format from './format.js';
import { PRESETS } from './presets.js';

/** The forms under "Calls", and what else one may call them. */
const CALLS = [
  ['Bind', 'bind(2)'],
  ['Connect', 'connect(2)'],
  ['Listen', 'listen(2)'],
  ['Accept', 'accept(2)'],
  ['Receive', 'recv(2) recvfrom(2)'],
  ['Shut down', 'shutdown(2)'],
  ['Lease', 'keep longer'],
];

/** And under "TLS". */
const TLS = ['Start TLS', 'starttls encrypt SSLRequest'];

/** What can be done from where one is, as `{group, label, more, run}`: `more` is looked through as well. */
export function commandsOf(app) {
  return [...onThePage(), ...sockets(app), ...makes(app), ...pages(app)];
}

/** What the open socket's buttons and tabs do: they know what its state allows. */
function onThePage() {
  const pane = document.querySelector('.handle-pane');
  if (!pane) {
    return [];
  }
  const visible = (node) => node.checkVisibility();
  const buttons = [...pane.querySelectorAll('.handle-actions button')].filter((button) => visible(button) && !button.disabled && button.ariaDisabled !== 'true');
  const tabs = [...pane.querySelectorAll('[role="tab"]')];
  const named = (name) => tabs.find((tab) => tab.textContent === name);
  const forms = [...CALLS.map((call) => [named('Calls'), ...call]), [named('TLS'), ...TLS]].filter(([tab]) => tab);
  return [
    ...buttons.map((button) => ({ group: 'This socket', label: button.textContent.trim(), more: button.title, run: () => button.click() })),
    ...tabs.map((tab) => ({ group: 'This socket', label: `Show ${tab.textContent === 'TLS' ? 'TLS' : tab.textContent.toLowerCase()}`, run: () => press(tab) })),
    ...forms.map(([tab, label, more]) => ({
      group: 'This socket',
      label: `${label}…`,
      more,
      run: () => {
        press(tab);
        const form = pane.querySelector(`form[aria-label="${label}"]`);
        (form?.querySelector('input, select, button') ?? tab).focus();
      },
    })),
  ];
}

function press(tab) {
  tab.click();
  tab.focus();
}

function sockets({ handles, names }) {
  return [...handles.byId.values()].reverse().map((socket) => ({
    group: 'Sockets',
    label: names.title(socket.id, `${format.kind(socket)} ${format.address(socket.remoteAddress ?? socket.localAddress)}`),
    more: `${socket.state} ${socket.id}`,
    run: () => {
      location.hash = `#/sockets/${socket.id}`;
    },
  }));
}

function makes(app) {
  const kinds = [
    ['connect', 'New TCP connection', 'connect'],
    ['listen', 'New listener', 'bind listen TCP server'],
    ['udp', 'New UDP socket', 'datagram'],
    ['bare', 'New handle', 'socket(2) bare'],
    ['pair', 'New pair', 'socketpair(2)'],
  ];
  return [
    ...kinds.map(([kind, label, more]) => ({ group: 'New', label, more, run: () => app.create({ kind }) })),
    { group: 'New', label: 'Echo', more: 'demo try', run: () => import('./echo.js').then(({ openEcho }) => openEcho(app)) },
    ...PRESETS.map((preset) => ({ group: 'New', label: `${preset.name}…`, more: `${preset.what} demo preset`, run: () => app.create(preset) })),
  ];
}

function pages(app) {
  const go = (hash) => () => {
    location.hash = hash;
  };
  const open = (which) => () => import('./code-panel.js').then(({ codeDialog }) => codeDialog(app, { which }));
  return [
    { group: 'Copy', label: 'Copy the last call as curl, Python, JavaScript', more: 'code program snippet', run: open('last') },
    { group: 'Copy', label: 'Copy all calls as curl, Python, JavaScript', more: 'code program session script', run: open('all') },
    { group: 'Pages', label: 'Sockets', more: 'list all', run: go('#/') },
    { group: 'Pages', label: 'Resolver', more: 'getaddrinfo getnameinfo inet_aton inet_pton names services', run: go('#/resolver') },
    { group: 'Pages', label: 'Policy', more: 'rules explain allowed denied', run: go('#/policy') },
    { group: 'Pages', label: 'REST interface', more: 'swagger openapi', run: () => app.openRest() },
    { group: 'Pages', label: 'Help: keys, version, documents', more: 'about', run: () => app.help() },
  ];
}
