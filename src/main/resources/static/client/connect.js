import { SocketError } from './errors.js';
import { Link } from './link.js';
import { deferred } from './promises.js';
import { ByteStreams } from './tcp-streams.js';

const socketTypeError = (message, options) => new TypeError(`SocketError: ${message}`, options);

/** An error as the sockets API has it: a TypeError whose message starts with `SocketError: `. The errno is beside, and why TLS failed. */
function connectError(error) {
  const result = socketTypeError(error.message, { cause: error });
  const { errno, errnoCode, strerror, tlsReason, tlsAlert } = error;
  return error instanceof SocketError ? Object.assign(result, { errno, errnoCode, strerror, tlsReason, tlsAlert }) : result;
}

/** What `connect(address)` returns: a TCP connection, whose streams can be used at once. */
export class Socket {
  #open;
  #options;
  #secureTransport;
  #streams;
  #upgraded = false;
  /** What gives the Link of a socket that another was upgraded to. */
  #handedOn = null;
  #opened = deferred();
  #closed = deferred();

  /**
   * @param open gives the Link, which tells the sink, and the Socket as the service has it: `{ link, socketJson }`
   * @param options `allowHalfOpen`, and the `sni` and `alpn` that startTls() begins with
   */
  constructor(open, secureTransport, options) {
    this.#options = options;
    this.#secureTransport = secureTransport;
    this.#streams = new ByteStreams(
      async (sink) => {
        this.#open = open(sink);
        return (await this.#open).link;
      },
      { onEof: () => options.allowHalfOpen || this.#streams.shutdown() },
    );
    this.#open.then(
      ({ socketJson: { remoteAddress, localAddress, tls } }) => this.#opened.resolve({
        remoteAddress: authority(remoteAddress), localAddress: authority(localAddress), alpn: tls?.alpn ?? null,
      }),
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
    return this.#upgraded;
  }

  get secureTransport() {
    return this.#secureTransport;
  }

  /** Closes both ways, whoever reads or writes. */
  close(reason) {
    if (!this.#upgraded) {
      const why = reason ?? new DOMException('The socket was closed.', 'AbortError');
      this.#opened.reject(why);
      this.#streams.abandon(why);
      this.#handedOn?.then(({ link }) => link.giveUp() && this.#closed.resolve(), () => {});
    }
    return this.closed;
  }

  /** The connection as a new socket, whose bytes TLS protects. This one is closed, behind what was written to it. */
  startTls({ expectedServerHostname, sni = this.#options.sni, alpn = this.#options.alpn } = {}) {
    if (this.#secureTransport !== 'starttls') {
      throw socketTypeError("startTls() is for sockets that were made with { secureTransport: 'starttls' }.");
    }
    if (this.#upgraded || !this.#streams.halves.areWhole) {
      throw socketTypeError(this.#upgraded ? 'startTls() was called before.' : 'The socket is closed, in one direction at least.');
    }
    const request = tlsRequest(expectedServerHostname ?? sni, alpn);
    this.#upgraded = true;
    const handedOn = this.#streams.handOn();
    const secured = new Socket(async (sink) => {
      const { link, unread } = await handedOn;
      const tls = await link.startTls(request, { sink, unread });
      return { link, socketJson: { ...(await this.#open).socketJson, tls } };
    }, 'on', this.#options);
    secured.#handedOn = handedOn;
    return secured;
  }

  get [Symbol.toStringTag]() {
    return 'Socket';
  }
}

/** `connect(address, options)`: a socket that is on its way. */
export function connect(service, address, options) {
  const { hostname, port } = anySocketAddress(address);
  const { secureTransport = 'off', allowHalfOpen = false, sni, alpn = [] } = options ?? {};
  if (!['off', 'on', 'starttls'].includes(secureTransport)) {
    throw socketTypeError(`secureTransport is 'off', 'on' or 'starttls', not '${secureTransport}'.`);
  }
  const request = tlsRequest(sni, alpn);
  if (secureTransport === 'off' && (request.serverName || request.alpn.length > 0)) {
    throw socketTypeError("sni and alpn are for secureTransport 'on' and 'starttls'.");
  }
  const tls = secureTransport === 'on' ? { ...request, tls: true } : undefined;
  return new Socket(async (sink) => {
    const socketJson = await service.open(hostname, port, undefined, 'SOCK_STREAM', [], tls);
    const link = new Link(service, socketJson.id, sink);
    await link.ready;
    return { link, socketJson };
  }, secureTransport, { allowHalfOpen: Boolean(allowHalfOpen), sni, alpn });
}

/** What the service is asked for. */
function tlsRequest(serverName, alpn) {
  if (!Array.isArray(alpn)) {
    throw socketTypeError('alpn is a list of protocols.');
  }
  return { serverName: serverName ?? undefined, alpn: alpn.map(String) };
}

const authority = ({ host, port } = {}) => (host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** `host:port`, `[v6]:port` or `{ hostname, port }`. */
function anySocketAddress(address) {
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
    throw socketTypeError('the address must be "hostname:port" or { hostname, port }.');
  }
  return { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: number };
}
