import { SocketError } from './errors.js';
import { Link } from './link.js';
import { deferred } from './promises.js';
import { ByteStreams } from './tcp-streams.js';

/** An error as the sockets API has it: a TypeError whose message starts with `SocketError: `. The errno is beside. */
function connectError(error) {
  const result = new TypeError(`SocketError: ${error.message}`, { cause: error });
  return error instanceof SocketError ? Object.assign(result, { errno: error.errno, errnoCode: error.errnoCode, strerror: error.strerror }) : result;
}

/** What `connect(address)` returns: a TCP connection, whose streams can be used at once. */
export class Socket {
  #streams;
  #opened = deferred();
  #closed = deferred();

  constructor(service, { hostname, port }, { allowHalfOpen }) {
    const socketJson = service.open(hostname, port, undefined, 'SOCK_STREAM', []);
    this.#streams = new ByteStreams(
      async (sink) => {
        const { id } = await socketJson;
        const link = new Link(service, id, sink);
        await link.ready;
        return link;
      },
      { onEof: () => allowHalfOpen || this.#streams.shutdown() },
    );
    Promise.all([socketJson, this.#streams.link]).then(
      ([{ remoteAddress, localAddress }]) => this.#opened.resolve({ remoteAddress: authority(remoteAddress), localAddress: authority(localAddress), alpn: null }),
      (error) => this.#opened.reject(connectError(error)),
    );
    this.#streams.closed.then(this.#closed.resolve, (error) => this.#closed.reject(connectError(error.cause ?? error)));
  }

  get readable() {
    return this.#streams.readable;
  }

  get writable() {
    return this.#streams.writable;
  }

  get opened() {
    return this.#opened.promise;
  }

  get closed() {
    return this.#closed.promise;
  }

  get upgraded() {
    return false;
  }

  get secureTransport() {
    return 'off';
  }

  /** Closes both ways, whoever reads or writes. */
  close(reason) {
    const why = reason ?? new DOMException('The socket was closed.', 'AbortError');
    this.#opened.reject(why);
    this.#streams.abandon(why);
    return this.closed;
  }

  startTls() {
    throw new TypeError('SocketError: startTls() is not supported yet: the service has no TLS to the target.');
  }

  get [Symbol.toStringTag]() {
    return 'Socket';
  }
}

const authority = ({ host, port } = {}) => (host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** `host:port`, `[v6]:port` or `{ hostname, port }`. */
export function anySocketAddress(address) {
  let hostname;
  let port;
  if (typeof address === 'string') {
    [, hostname, port] = /^(.+):(\d{1,5})$/.exec(address) ?? [];
    if (hostname?.includes(':') && !/^\[.*\]$/.test(hostname)) {
      hostname = undefined;
    }
  } else {
    ({ hostname, port } = address ?? {});
  }
  const number = Number(port);
  if (typeof hostname !== 'string' || hostname === '' || !Number.isInteger(number) || number < 0 || number > 0xffff) {
    throw new TypeError('SocketError: the address must be "hostname:port" or { hostname, port }.');
  }
  return { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: number };
}
