import { ipv4, ipv6 } from './codec.js';
import { constants } from './constants.js';
import { domException, socketError } from './errors.js';
import { Link } from './link.js';
import { deferred } from './promises.js';
import { AcceptStream, ByteStreams } from './tcp-streams.js';
import { DatagramStreams } from './udp-streams.js';
import { IDL, dictionary, integer, requireArguments, requirePositive } from './web-idl.js';

/** Handed to a constructor in the place of its first argument, with a socket that is open already. */
export const ADOPTED = Symbol('adopted');

const states = new WeakMap();

/** The state of a Direct Sockets object; undefined if it is none. */
export const stateOf = (socket) => states.get(socket);

/** What `opened` resolves with: the members in the order of Web IDL, and no others. */
function openInfo({ readable, writable }, { localAddress, remoteAddress }) {
  return {
    ...(localAddress && { localAddress: localAddress.host, localPort: localAddress.port }),
    readable,
    ...(remoteAddress && { remoteAddress: remoteAddress.host, remotePort: remoteAddress.port }),
    ...(writable && { writable }),
  };
}

/** What a Direct Sockets object goes through: opening, then open or failed, and from open to closed. */
class State {
  #opened;
  #shown;

  constructor(socket) {
    states.set(socket, this);
    this.phase = 'opening';
    this.streams = null;
    this.closed = deferred();
  }

  /** @param open gives `{ info, streams }`: the addresses, and what is behind the socket */
  open(open) {
    this.#opened = open.then(
      ({ info, streams }) => {
        this.#become(streams);
        return openInfo(streams, info);
      },
      (error) => {
        const exception = domException(error);
        this.phase = 'failed';
        this.closed.reject(exception);
        throw exception;
      },
    );
    this.#opened.catch(() => {});
  }

  adopt(info, streams) {
    this.#become(streams);
    this.#opened = Promise.resolve(openInfo(streams, info));
  }

  #become(streams) {
    this.phase = 'open';
    this.streams = streams;
    streams.closed.then(
      () => {
        this.phase = 'closed';
        this.closed.resolve();
      },
      (error) => {
        this.phase = 'closed';
        this.closed.reject(error);
      },
    );
  }

  /** Made when somebody looks, so that nobody is told of a rejection that they did not ask about. */
  get opened() {
    return (this.#shown ??= this.#opened.then((info) => info));
  }

  close() {
    if (this.phase === 'opening' || this.phase === 'failed') {
      return Promise.reject(new DOMException('Socket is not properly initialized.', 'InvalidStateError'));
    }
    if (this.phase === 'open') {
      if (this.streams.locked) {
        return Promise.reject(new DOMException('Close called on locked streams.', 'InvalidStateError'));
      }
      const reason = new DOMException('Stream closed.', 'AbortError');
      this.streams.readable.cancel(reason).catch(() => {});
      this.streams.writable?.abort(reason).catch(() => {});
    }
    return this.closed.promise;
  }
}

/** Gives a class the members that all three interfaces have, as Web IDL would. */
function defineInterface(Class, name) {
  const attempt = (socket, get) =>
    socket instanceof Class && states.has(socket) ? get(states.get(socket)) : Promise.reject(new TypeError(`This is no ${name}.`));
  const members = {
    get opened() {
      return attempt(this, (state) => state.opened);
    },
    get closed() {
      return attempt(this, (state) => state.closed.promise);
    },
    close() {
      return attempt(this, (state) => state.close());
    },
  };
  // A minifier may have given it another.
  Object.defineProperty(Class, 'name', { value: name, configurable: true });
  Object.defineProperties(Class.prototype, Object.getOwnPropertyDescriptors(members));
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: name, configurable: true });
}

/** Connections that are accepted before the page asks for them; the others wait in the kernel's backlog. */
const ACCEPTED_QUEUE = 8;

const FAMILIES = { ipv4: constants.AF_INET, ipv6: constants.AF_INET6 };

const BUFFERS = { sendBufferSize: IDL.unsignedLong, receiveBufferSize: IDL.unsignedLong };

const isUnspecified = (host) => ipv6(host)?.every((byte) => byte === 0) ?? false;

const bufferSettings = ({ sendBufferSize, receiveBufferSize }) =>
  [['SOL_SOCKET', 'SO_SNDBUF', sendBufferSize], ['SOL_SOCKET', 'SO_RCVBUF', receiveBufferSize]].filter(([, , size]) => size !== undefined);

/** What is bound to is an address, never a name. */
function requireLocal(address, port) {
  if (!ipv4(address) && !ipv6(address)) {
    throw new TypeError('localAddress must be a valid IP address.');
  }
  if (port === 0) {
    throw new TypeError('localPort must be greater than zero. Leave this field unassigned to allow the OS to pick a port on its own.');
  }
}

/** The three classes of Direct Sockets, on this service. */
export function directSockets(service) {
  /** The streams of a socket that the service has, as its kind has them. */
  const streamsOf = (Streams, { id, own }, options) =>
    new Streams(async (sink) => new Link(service, id, sink, {
      own, bytes: Streams === ByteStreams, addressed: options?.bound, accepts: options?.accepts,
    }), options);

  /** Opens the stream of a socket, which is closed again if that fails. */
  function opening(Streams, socketJson, options, settings = []) {
    const { id } = socketJson;
    return service.orDiscard(id, async () => {
      const streams = streamsOf(Streams, socketJson, options);
      const link = await streams.link;
      await Promise.all([link.ready, ...settings.map((setting) => service.setOption(id, ...setting))]);
      return { streams, info: socketJson };
    });
  }

  const bound = (type, { localAddress, localPort = 0, ipv6Only }) =>
    service.bound(ipv4(localAddress) ? 'AF_INET' : 'AF_INET6', type, { host: localAddress, port: localPort }, ipv6Only);

  const acceptOptions = {
    accepts: ACCEPTED_QUEUE,
    adopt: (socketJson) => new TCPSocket(ADOPTED, socketJson),
    discard: (id) => service.discard(id),
  };

  class TCPSocket {
    constructor(remoteAddress, remotePort, options = {}) {
      const state = new State(this);
      if (remoteAddress === ADOPTED) {
        const socketJson = remotePort;
        state.adopt(socketJson, streamsOf(ByteStreams, socketJson));
        return;
      }
      requireArguments(arguments.length, 2, 'TCPSocket');
      const host = IDL.string(remoteAddress);
      const port = integer(remotePort, 0x10000);
      const wanted = dictionary(options, {
        ...BUFFERS, noDelay: IDL.boolean, keepAliveDelay: IDL.unsignedLong, dnsQueryType: IDL.dnsQueryType,
      }, 'TCPSocketOptions');
      requirePositive(wanted, 'sendBufferSize', 'receiveBufferSize');
      if (wanted.keepAliveDelay < 1_000) {
        throw new TypeError('keepAliveDelay must be no less than 1,000 milliseconds.');
      }
      state.open(TCPSocket.#open(host, port, wanted));
    }

    static async #open(host, port, wanted) {
      const { dnsQueryType, noDelay, keepAliveDelay } = wanted;
      const socketJson = await service.open(host, port, FAMILIES[dnsQueryType], 'SOCK_STREAM', bufferSettings(wanted));
      const seconds = Math.floor(keepAliveDelay / 1000);
      return opening(ByteStreams, socketJson, undefined, [
        ...(noDelay ? [['IPPROTO_TCP', 'TCP_NODELAY', 1]] : []),
        ...(keepAliveDelay === undefined ? [] : [
          ['SOL_SOCKET', 'SO_KEEPALIVE', 1], ['IPPROTO_TCP', 'TCP_KEEPIDLE', seconds], ['IPPROTO_TCP', 'TCP_KEEPINTVL', seconds],
        ]),
      ]);
    }
  }

  class UDPSocket {
    constructor(options = {}) {
      const state = new State(this);
      if (options === ADOPTED) {
        const [, socketJson] = arguments;
        const bound = !socketJson.remoteAddress;
        state.adopt(socketJson, streamsOf(DatagramStreams, socketJson, { bound, resolve }));
        return;
      }
      const wanted = dictionary(options, {
        ...BUFFERS, remoteAddress: IDL.string, remotePort: IDL.port, localAddress: IDL.string, localPort: IDL.port,
        dnsQueryType: IDL.dnsQueryType, ipv6Only: IDL.boolean,
      }, 'UDPSocketOptions');
      const { remoteAddress, remotePort, localAddress, localPort, dnsQueryType, ipv6Only } = wanted;
      const connected = remoteAddress !== undefined && remotePort !== undefined;
      const bound = localAddress !== undefined;
      if (!connected && (remoteAddress !== undefined || remotePort !== undefined)) {
        throw new TypeError('remoteAddress and remotePort should either be specified together or not specified at all.');
      }
      if (connected && bound) {
        throw new TypeError('remoteAddress and localAddress cannot be specified at the same time.');
      }
      if (!bound && localPort !== undefined) {
        throw new TypeError('localPort cannot be specified without localAddress.');
      }
      if (!connected && !bound) {
        throw new TypeError('neither remoteAddress nor localAddress specified.');
      }
      if (bound) {
        requireLocal(localAddress, localPort);
      }
      if (bound && dnsQueryType !== undefined) {
        throw new TypeError('dnsQueryType is only relevant when remoteAddress is specified.');
      }
      if (connected && ipv6Only !== undefined) {
        throw new TypeError('ipv6Only can only be specified with localAddress.');
      }
      if (ipv6Only !== undefined && !isUnspecified(localAddress)) {
        throw new TypeError('ipv6Only can only be specified when localAddress is [::] or equivalent.');
      }
      requirePositive(wanted, 'sendBufferSize', 'receiveBufferSize');
      state.open(connected ? UDPSocket.#connect(wanted) : UDPSocket.#bind(wanted));
    }

    static async #connect(wanted) {
      const { remoteAddress, remotePort, dnsQueryType } = wanted;
      if (remotePort === 0) {
        throw socketError('EINVAL', 'No datagram can be sent to port 0.');
      }
      const socketJson = await service.open(remoteAddress, remotePort, FAMILIES[dnsQueryType], 'SOCK_DGRAM', []);
      return opening(DatagramStreams, socketJson, { bound: false }, bufferSettings(wanted));
    }

    static async #bind(wanted) {
      const socketJson = await bound('SOCK_DGRAM', wanted);
      return opening(DatagramStreams, socketJson, { bound: true, resolve }, bufferSettings(wanted));
    }
  }

  class TCPServerSocket {
    constructor(localAddress, options = {}) {
      const state = new State(this);
      if (localAddress === ADOPTED) {
        state.adopt(options, streamsOf(AcceptStream, options, acceptOptions));
        return;
      }
      requireArguments(arguments.length, 1, 'TCPServerSocket');
      const host = IDL.string(localAddress);
      const wanted = dictionary(options, { localPort: IDL.port, backlog: IDL.unsignedLong, ipv6Only: IDL.boolean }, 'TCPServerSocketOptions');
      requireLocal(host, wanted.localPort);
      requirePositive(wanted, 'backlog');
      if (wanted.ipv6Only && !isUnspecified(host)) {
        throw new TypeError('ipv6Only can only be specified when localAddress is [::] or equivalent.');
      }
      state.open(TCPServerSocket.#open(host, wanted));
    }

    static async #open(localAddress, { localPort, backlog = 128, ipv6Only }) {
      const socketJson = await bound('SOCK_STREAM', { localAddress, localPort, ipv6Only });
      await service.orDiscard(socketJson.id, () =>
        service.request('POST', `/sockets/${socketJson.id}/listen`, { json: { backlog: Math.min(backlog, 0x7fff_ffff) } }));
      return opening(AcceptStream, socketJson, acceptOptions);
    }
  }

  /** What a message is sent to: a name only where no family is asked for, since the service resolves it in the socket's. */
  const resolve = async (host, dnsQueryType) => {
    if (dnsQueryType === undefined || ipv4(host) || ipv6(host)) {
      return host;
    }
    const [info] = await service.getaddrinfo(host, null, FAMILIES[dnsQueryType], constants.SOCK_DGRAM);
    return info.sockaddr.host;
  };

  for (const [Class, name] of [[TCPSocket, 'TCPSocket'], [UDPSocket, 'UDPSocket'], [TCPServerSocket, 'TCPServerSocket']]) {
    defineInterface(Class, name);
  }
  return { TCPSocket, UDPSocket, TCPServerSocket };
}
