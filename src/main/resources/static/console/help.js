import { h, icon } from './dom.js';
import { check } from './forms.js';
import { PALETTE_KEYS, singleKeys, useSingleKeys } from './keys.js';
import { BASE } from './service.js';

const KEYS = [
  [PALETTE_KEYS, 'Find a command or a socket'],
  ['n', 'New socket'],
  ['/', 'Search in the data, or filter the sockets'],
  ['?', 'This help'],
  ['↑ ↓', 'Move in the list; Enter opens'],
  ['Enter', 'Send; Shift+Enter begins a new line'],
  ['Esc', 'Close a dialog'],
];

const DOCUMENTS = [
  ['swagger-ui.html', 'REST interface', 'Every call, with a form to try it'],
  ['openapi.yaml', 'openapi.yaml', 'The REST interface, OpenAPI 3.1'],
  ['asyncapi.yaml', 'asyncapi.yaml', 'The WebSockets, AsyncAPI 3.0'],
  ['examples/', 'Examples', 'Pages on the browser client, to try and to start from'],
  ['client/socket-proxy.d.ts', 'socket-proxy.d.ts', 'The browser client: sockets for pages, in types'],
];

/** Keys, documents, and which version of the service it is. */
export function openHelp() {
  const version = h('span', {}, '…');
  const dialog = h('dialog.dialog.help', { 'aria-label': 'Help', onclose: () => dialog.remove() },
    h('header.dialog-head', {},
      h('h2', {}, 'Help'),
      h('button.icon-button', { type: 'button', 'aria-label': 'Close', onclick: () => dialog.close() }, icon('close'))),
    h('div.dialog-body', {},
      h('h3', {}, 'Keys'),
      h('dl.keys', {}, KEYS.map(([key, what]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)))),
      keysBox(),
      h('h3', {}, 'Documents'),
      h('dl.keys.documents', {}, DOCUMENTS.map(([path, name, what]) =>
        h('div', {}, h('dt', {}, h('a', { href: new URL(path, BASE).href, target: '_blank', rel: 'opener' }, name)), h('dd', {}, what)))),
      h('p.version', {}, 'socket-proxy ', version)));
  serverVersion().then((text) => {
    version.textContent = text;
  }, () => {
    version.textContent = '';
  });
  document.body.append(dialog);
  dialog.showModal();
}

function keysBox() {
  const box = check('Keys without Ctrl: n, / and ?', 'keys', { checked: singleKeys() });
  box.addEventListener('change', ({ target }) => useSingleKeys(target.checked));
  return box;
}

/** The version is that of the contract, which is at the beginning of what is served. */
async function serverVersion() {
  const response = await fetch(new URL('openapi.yaml', BASE), { headers: { range: 'bytes=0-511' } });
  return (await response.text()).match(/^ {2}version: (\S+)$/m)?.[1] ?? '';
}
