/**
 * Sockets for pages, workers and Node: the platform's own socket APIs, and the BSD calls, on sockets that a socket-proxy service holds.
 *
 *   import { SocketProxy } from 'https://proxy.example/client/socket-proxy.js';
 *   const { TCPSocket, UDPSocket, TCPServerSocket, connect } = new SocketProxy({ url: 'https://proxy.example', token });
 *
 * `TCPSocket`, `UDPSocket` and `TCPServerSocket` are WICG Direct Sockets, `connect` is the sockets API of WinterTC and Cloudflare, and
 * `socket`, `bind`, `listen`, `accept`, `recv` … are socket(2) and its kin. docs/client.md has it all; types are in socket-proxy.d.ts.
 *
 * @license Apache-2.0
 */

import { BsdSocket } from './bsd-socket.js';
import { addressOf, base64, bytesOf, unaddressed, unbase64 } from './codec.js';
import { connect } from './connect.js';
import { constants } from './constants.js';
import { ADOPTED, directSockets, stateOf } from './direct-sockets.js';
import { SocketError } from './errors.js';
import { Link } from './link.js';
import { Service } from './service.js';
// Named here as well, so that a browser asks for all modules at once.
import './attachment.js';
import './long-calls.js';
import './promises.js';
import './resume.js';
import './socket-streams.js';
import './tcp-streams.js';
import './udp-streams.js';
import './web-idl.js';

export { constants, SocketError };

const LEASE_MS = 60_000;

/** The calls that take a socket first, as in C: `bind(socket, address)` is `socket.bind(address)`. */
const SOCKET_CALLS = [
  'bind', 'listen', 'accept', 'recv', 'recvfrom', 'recvInto', 'recvfromInto', 'send', 'sendall', 'sendto', 'starttls', 'shutdown', 'close',
  'getsockname', 'getpeername', 'getsockopt', 'setsockopt',
];

/**
 * A service, and everything that its sockets can be used by. All members can be taken off it: `const { TCPSocket } = new SocketProxy(…)`. What each
 * of them does is said in socket-proxy.d.ts.
 *
 * Fires `disconnect` when a socket's WebSocket drops, `reconnect` when the socket goes on, and `closing` when the service shuts down. The
 * event's `detail` has the socket's handle; who reads or writes notices nothing.
 */
export class SocketProxy extends EventTarget {
  constructor({ url, token, WebSocket, fetch, leaseMs = LEASE_MS } = {}) {
    super();
    const service = new Service({ url, token, WebSocket, fetch, leaseMs }, (type, detail) =>
      this.dispatchEvent(new CustomEvent(type, { detail })));
    const { TCPSocket, UDPSocket, TCPServerSocket } = directSockets(service);
    const get = (path, query) => service.request('GET', path, { query });
    const linkOf = async (socket) => {
      const { streams } = stateOf(socket) ?? {};
      if (!streams) {
        throw new TypeError('This is no open TCPSocket, UDPSocket or TCPServerSocket.');
      }
      return streams.link;
    };

    Object.assign(this, {
      TCPSocket,
      UDPSocket,
      TCPServerSocket,

      /** connect(2) if the first argument is a socket, and otherwise `connect(address, options)` of WinterTC and Cloudflare. */
      connect: (address, ...rest) => {
        if (address instanceof BsdSocket) {
          return address.connect(...rest);
        }
        return connect(service, address, ...rest);
      },

      socket: async (family, type, proto) =>
        new BsdSocket(service, await service.request('POST', '/sockets', { json: { family, type, proto } })),
      socketpair: async (family, type, proto) => {
        const { sockets } = await service.request('POST', '/socketpair', { json: { family, type, proto } });
        return sockets.map((socketJson) => new BsdSocket(service, socketJson));
      },
      poll: async (entries, timeoutMs) => {
        const sockets = entries.map(({ socket, events = ['POLLIN'] }) => ({ id: socket.id, events }));
        const { ready } = await service.longCalls.run(() => service.request('POST', '/sockets/poll', { json: { sockets, timeoutMs } }));
        return ready.map(({ id, revents }) => ({ socket: entries.find(({ socket }) => socket.id === id).socket, revents }));
      },

      getaddrinfo: (...query) => service.getaddrinfo(...query),
      getnameinfo: (address, flags) => get('/getnameinfo', { ...addressOf(address), flags }),
      getservbyname: async (name, proto) => (await get('/getservbyname', { name, proto })).port,
      getservbyport: async (port, proto) => (await get('/getservbyport', { port, proto })).name,
      inet_aton: async (ip) => unbase64((await get('/inet_aton', { ip })).packed),
      inet_ntoa: async (packed) => (await get('/inet_ntoa', { packed: base64(bytesOf(packed)) })).ip,
      inet_pton: async (family, ip) => unbase64((await get('/inet_pton', { family, ip })).packed),
      inet_ntop: async (family, packed) => (await get('/inet_ntop', { family, packed: base64(bytesOf(packed)) })).ip,
      constants: () => get('/constants'),

      idOf: async (socket) => (await linkOf(socket)).id,
      attach: async (id) => {
        const socketJson = await get(`/sockets/${id}`);
        const Class = socketJson.type === 'SOCK_DGRAM' ? UDPSocket : socketJson.state === 'listening' ? TCPServerSocket : TCPSocket;
        const socket = new Class(ADOPTED, { ...socketJson, own: false });
        await (await linkOf(socket)).ready;
        return socket;
      },
      detach: async (socket) => void (await (await linkOf(socket)).detach()),
      stream: (id, sink, { datagrams = false, addressed = false } = {}) => {
        const data = (frame) => {
          const { data: bytes, remoteAddress: host, remotePort: port } = unaddressed(frame);
          sink.data(bytes, { host, port });
        };
        const link = new Link(service, id, addressed ? { ...sink, data } : sink, { own: false, bytes: !datagrams, addressed, keeps: true });
        return {
          ready: link.ready,
          send: (bytes, signal) => link.send(bytes, signal),
          consumed: (count) => link.consumed(count),
          shutdown: () => link.shutdown(),
          startTls: (request) => link.startTls(request),
          detach: () => link.detach(),
        };
      },
      reconnect: () => service.links.forEach((link) => link.drop()),
      request: (method, path, options) => service.request(method, path, options),

      install: (target = globalThis) => {
        for (const name of ['TCPSocket', 'UDPSocket', 'TCPServerSocket', 'connect']) {
          if (!(name in target)) {
            Object.defineProperty(target, name, { value: this[name], writable: true, configurable: true });
          }
        }
        return target;
      },
    });
    for (const call of SOCKET_CALLS) {
      this[call] = (socket, ...rest) => socket[call](...rest);
    }
  }
}

Object.assign(SocketProxy.prototype, constants);
