import { copyButton } from './copy.js';
import { h } from './dom.js';
import * as format from './format.js';

/** A handle's properties, and how to ask for it from a shell. */
export function aboutPanel(socket) {
  const curl = `curl -H "Authorization: Bearer $SOCKET_PROXY_TOKEN" ${new URL(socket.links.self, location.href)}`;
  return h('div.about-panel', {},
    h('h3', {}, 'From a shell'),
    h('div.snippet', {}, h('code', {}, curl), copyButton(curl, 'Copy the command')),
    h('h3', {}, 'The handle'),
    h('dl.properties', {}, [
      ['id', h('span.copyable', {}, h('code.handle-id', {}, socket.id), copyButton(socket.id, 'Copy the id'))],
      ...(socket.node ? [['node', socket.node]] : []),
      ['family', socket.family],
      ['type', socket.type],
      ['proto', socket.proto],
      ['made', new Date(socket.createdAt).toLocaleString()],
      ['local address', format.address(socket.localAddress)],
      ...(socket.advertisedAddress ? [['advertised address', format.address(socket.advertisedAddress)]] : []),
      ['remote address', format.address(socket.remoteAddress)],
      ['stream attached', socket.attached ? 'yes' : 'no'],
    ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))));
}
