/**
 * Types of socket-proxy.js: Direct Sockets (WICG), `connect()` (WinterTC, Cloudflare) and the BSD calls, on sockets that a service holds.
 *
 * @license Apache-2.0
 */

/** A Uint8Array with a buffer of its own, whatever this TypeScript calls that. */
export type Bytes = ReturnType<TextEncoder['encode']>;

// --- Direct Sockets, https://wicg.github.io/direct-sockets/ ------------------------------------------------------------------------

export type SocketDnsQueryType = 'ipv4' | 'ipv6';

export interface TCPSocketOptions {
  /** SO_SNDBUF, in bytes. */
  sendBufferSize?: number;
  /** SO_RCVBUF, in bytes. */
  receiveBufferSize?: number;
  /** TCP_NODELAY. */
  noDelay?: boolean;
  /** SO_KEEPALIVE, with TCP_KEEPIDLE and TCP_KEEPINTVL, in milliseconds; at least 1,000. */
  keepAliveDelay?: number;
  dnsQueryType?: SocketDnsQueryType;
}

export interface TCPSocketOpenInfo {
  /** A byte stream: `getReader({ mode: 'byob' })` reads into the caller's buffer. */
  readable: ReadableStream<Bytes>;
  /** Closing it sends a FIN, and reading goes on. */
  writable: WritableStream<BufferSource>;
  remoteAddress: string;
  remotePort: number;
  localAddress: string;
  localPort: number;
}

export interface TCPSocket {
  readonly opened: Promise<TCPSocketOpenInfo>;
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

export interface TCPSocketConstructor {
  new (remoteAddress: string, remotePort: number, options?: TCPSocketOptions): TCPSocket;
  readonly prototype: TCPSocket;
}

export interface UDPMessage {
  data: BufferSource;
  remoteAddress?: string;
  remotePort?: number;
  dnsQueryType?: SocketDnsQueryType;
}

/** A message as it is read: the address is there in bound mode. */
export interface ReceivedUDPMessage {
  data: Bytes;
  remoteAddress?: string;
  remotePort?: number;
}

export interface UDPSocketOptions {
  /** With `remotePort`: connected mode. */
  remoteAddress?: string;
  remotePort?: number;
  /** Bound mode. */
  localAddress?: string;
  localPort?: number;
  sendBufferSize?: number;
  receiveBufferSize?: number;
  dnsQueryType?: SocketDnsQueryType;
  ipv6Only?: boolean;
}

export interface UDPSocketOpenInfo {
  readable: ReadableStream<ReceivedUDPMessage>;
  writable: WritableStream<UDPMessage>;
  remoteAddress?: string;
  remotePort?: number;
  localAddress: string;
  localPort: number;
}

export interface UDPSocket {
  readonly opened: Promise<UDPSocketOpenInfo>;
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

export interface UDPSocketConstructor {
  new (options?: UDPSocketOptions): UDPSocket;
  readonly prototype: UDPSocket;
}

export interface TCPServerSocketOptions {
  localPort?: number;
  backlog?: number;
  ipv6Only?: boolean;
}

export interface TCPServerSocketOpenInfo {
  /** Accepted connections. */
  readable: ReadableStream<TCPSocket>;
  localAddress: string;
  localPort: number;
}

export interface TCPServerSocket {
  readonly opened: Promise<TCPServerSocketOpenInfo>;
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

export interface TCPServerSocketConstructor {
  new (localAddress: string, options?: TCPServerSocketOptions): TCPServerSocket;
  readonly prototype: TCPServerSocket;
}

/** What the promises and streams of Direct Sockets reject with. */
export interface SocketDOMException extends DOMException {
  readonly errno?: string;
  readonly errnoCode?: number;
  readonly strerror?: string;
  readonly gaiName?: string;
  readonly gaiCode?: number;
  readonly cause?: SocketError;
}

// --- connect(), https://sockets-api.proposal.wintertc.org/ -------------------------------------------------------------------------

export interface SocketAddress {
  hostname: string;
  port: number;
}

export interface SocketOptions {
  /** Only `off`: there is no TLS to the target yet. */
  secureTransport?: 'off';
  /** Whether the writable stays open after the peer's FIN. */
  allowHalfOpen?: boolean;
}

export interface SocketInfo {
  /** `host:port`, or `[host]:port`. */
  remoteAddress: string;
  localAddress: string;
  alpn: null;
}

export interface Socket {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<BufferSource>;
  readonly opened: Promise<SocketInfo>;
  readonly closed: Promise<void>;
  readonly upgraded: false;
  readonly secureTransport: 'off';
  close(reason?: unknown): Promise<void>;
  /** @throws TypeError always: not supported yet */
  startTls(): never;
}

// --- BSD calls ------------------------------------------------------------------------------------------------------------------------

/** A constant by its number or its name, such as `SO_REUSEADDR`. */
export type Constant = number | string;
/** Flags by their sum, by name, or by names. */
export type Flags = number | string | string[];

/** An address of AF_INET or AF_INET6, or of AF_UNIX. */
export interface Address {
  host?: string;
  port?: number;
  flowinfo?: number;
  scopeId?: number;
  path?: string;
}

/** `{ host, port }`, `[host, port]`, `[host, port, flowinfo, scopeId]`, or a path. */
export type AddressLike = Address | readonly [string, number] | readonly [string, number, number, number] | string;

export interface WaitOptions {
  /** In milliseconds; without one the call waits for as long as it takes. When it runs out the errno is EAGAIN. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export type Accepted = [BsdSocket, Address] & { socket: BsdSocket; address: Address };
export type Received = [Bytes, Address | undefined, number] & { data: Bytes; address: Address | undefined; flags: number };
export type ReceivedInto = [number, Address | undefined] & { nbytes: number; address: Address | undefined };

/** A socket by its handle. Every method rejects with a SocketError. */
export interface BsdSocket {
  readonly id: string;
  readonly family: string;
  readonly type: string;
  readonly proto: string;
  bind(address: AddressLike): Promise<void>;
  connect(address: AddressLike, options?: WaitOptions): Promise<void>;
  listen(backlog?: number): Promise<void>;
  accept(options?: WaitOptions): Promise<Accepted>;
  /** No bytes at the end of the stream. */
  recv(bufsize: number, flags?: Flags, options?: WaitOptions): Promise<Bytes>;
  recvfrom(bufsize: number, flags?: Flags, options?: WaitOptions): Promise<Received>;
  /** How many bytes it put into the buffer. */
  recvInto(buffer: BufferSource, nbytes?: number, flags?: Flags, options?: WaitOptions): Promise<number>;
  recvfromInto(buffer: BufferSource, nbytes?: number, flags?: Flags, options?: WaitOptions): Promise<ReceivedInto>;
  /** How many bytes were sent. */
  send(data: BufferSource, flags?: Flags, options?: WaitOptions): Promise<number>;
  sendall(data: BufferSource, flags?: Flags, options?: WaitOptions): Promise<void>;
  sendto(data: BufferSource, address: AddressLike): Promise<number>;
  sendto(data: BufferSource, flags: Flags | undefined, address: AddressLike): Promise<number>;
  shutdown(how: Constant): Promise<void>;
  close(): Promise<void>;
  getsockname(): Promise<Address>;
  getpeername(): Promise<Address>;
  getsockopt(level: Constant, name: Constant): Promise<number>;
  getsockopt(level: Constant, name: Constant, length: number): Promise<Bytes>;
  setsockopt(level: Constant, name: Constant, value: number | BufferSource): Promise<void>;
  setsockopt(level: Constant, name: Constant, value: null, length: number): Promise<void>;
}

export interface AddrInfo {
  family: number;
  type: number;
  proto: number;
  canonname: string;
  sockaddr: Address;
}

/** What the service answered, RFC 9457. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  field?: string;
  errno?: string;
  errnoCode?: number;
  strerror?: string;
  gaiName?: string;
  gaiCode?: number;
  sent?: number;
  rule?: string;
  addressClass?: string;
  [member: string]: unknown;
}

/** What a socket call failed with. */
export class SocketError extends Error {
  constructor(problem: Problem, options?: { cause?: unknown });
  /** The symbolic name, such as ECONNREFUSED. */
  readonly errno: string | undefined;
  readonly errnoCode: number | undefined;
  readonly strerror: string | undefined;
  /** For names: EAI_NONAME and the like. */
  readonly gaiName: string | undefined;
  readonly gaiCode: number | undefined;
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** How much a send had sent before it failed. */
  readonly sent: number | undefined;
  readonly problem: Problem;
}

type SocketCall<Name extends keyof BsdSocket> = BsdSocket[Name] extends (...args: infer Args) => infer Result
  ? (socket: BsdSocket, ...args: Args) => Result
  : never;

// --- the entry ------------------------------------------------------------------------------------------------------------------------

export interface SocketProxyOptions {
  /** Where the service is; by default, where the module was loaded from. */
  url?: string | URL;
  /** An API token or a JWT, or what gives one. */
  token?: string | (() => string | Promise<string>);
  /** By default the global one; in Node 20, pass npm's `ws`. */
  WebSocket?: new (url: string, protocols?: string | string[]) => unknown;
  fetch?: typeof fetch;
  /** How long the service keeps a socket whose network has gone, in milliseconds; 60,000 by default. */
  leaseMs?: number;
}

export interface SocketProxyEvents {
  /** A socket's WebSocket has dropped. */
  disconnect: CustomEvent<{ socket: string; code: number; reason: string }>;
  /** The socket goes on, with nothing lost. */
  reconnect: CustomEvent<{ socket: string; attempts: number; downMs: number }>;
  /** The service is shutting down. */
  closing: CustomEvent<{ socket: string }>;
}

/** What is told of what happens on a handle's stream. */
export interface StreamSink {
  /** Bytes, or a datagram, with its sender where the stream is addressed. Say `consumed` when they are dealt with. */
  data(bytes: Bytes, address?: Address): void;
  eof?(): void;
  accepted?(accepted: { socket: Record<string, unknown>; address: Address }): void;
  fault?(error: SocketError): void;
  /** The last call: with the error, or null. */
  end(error: SocketError | null): void;
}

/** A handle's stream; the handle is left open when it ends. */
export interface HandleStream {
  /** Settles when the stream is attached, or never will be. */
  readonly ready: Promise<void>;
  /** Sends the bytes of a stream socket, which must not change afterwards; resolves when there is room for more. */
  send(bytes: Bytes, signal?: AbortSignal): Promise<void>;
  /** So many bytes are dealt with: until then the service holds a bounded amount, and then stops reading the target. */
  consumed(count: number): void;
  /** Half-closes: the target gets a FIN after all that was sent. */
  shutdown(): void;
  /** Lets go of the handle. */
  detach(): Promise<unknown>;
}

export interface RequestOptions {
  query?: Record<string, unknown>;
  json?: unknown;
  body?: BodyInit;
  signal?: AbortSignal;
  accept?: string;
}

/** The constants that the module knows; they are members of every SocketProxy too. */
export interface Constants {
  readonly AF_UNSPEC: number; readonly AF_UNIX: number; readonly AF_INET: number; readonly AF_INET6: number;
  readonly SOCK_STREAM: number; readonly SOCK_DGRAM: number;
  readonly IPPROTO_IP: number; readonly IPPROTO_TCP: number; readonly IPPROTO_UDP: number; readonly IPPROTO_IPV6: number;
  readonly SOL_SOCKET: number; readonly SOMAXCONN: number;
  readonly SO_REUSEADDR: number; readonly SO_TYPE: number; readonly SO_ERROR: number; readonly SO_BROADCAST: number;
  readonly SO_SNDBUF: number; readonly SO_RCVBUF: number; readonly SO_KEEPALIVE: number; readonly SO_LINGER: number;
  readonly SO_REUSEPORT: number; readonly SO_ACCEPTCONN: number;
  readonly TCP_NODELAY: number; readonly TCP_MAXSEG: number; readonly TCP_CORK: number; readonly TCP_KEEPIDLE: number;
  readonly TCP_KEEPINTVL: number; readonly TCP_KEEPCNT: number; readonly TCP_INFO: number; readonly TCP_USER_TIMEOUT: number;
  readonly IP_TOS: number; readonly IP_TTL: number; readonly IPV6_UNICAST_HOPS: number; readonly IPV6_V6ONLY: number;
  readonly MSG_OOB: number; readonly MSG_PEEK: number; readonly MSG_TRUNC: number; readonly MSG_DONTWAIT: number;
  readonly MSG_WAITALL: number; readonly MSG_NOSIGNAL: number;
  readonly SHUT_RD: number; readonly SHUT_WR: number; readonly SHUT_RDWR: number;
  readonly AI_PASSIVE: number; readonly AI_CANONNAME: number; readonly AI_NUMERICHOST: number; readonly AI_V4MAPPED: number;
  readonly AI_ALL: number; readonly AI_ADDRCONFIG: number; readonly AI_NUMERICSERV: number;
  readonly NI_NUMERICHOST: number; readonly NI_NUMERICSERV: number; readonly NI_NOFQDN: number; readonly NI_NAMEREQD: number;
  readonly NI_DGRAM: number;
}

export const constants: Constants;

/** A service, and everything that its sockets can be used by. All members can be taken off it. */
export interface SocketProxy extends Constants {}
export class SocketProxy extends EventTarget {
  constructor(options?: SocketProxyOptions);

  readonly TCPSocket: TCPSocketConstructor;
  readonly UDPSocket: UDPSocketConstructor;
  readonly TCPServerSocket: TCPServerSocketConstructor;

  readonly connect: {
    (address: string | SocketAddress, options?: SocketOptions): Socket;
    /** connect(2). */
    (socket: BsdSocket, address: AddressLike, options?: WaitOptions): Promise<void>;
  };

  readonly socket: (family?: Constant, type?: Constant, proto?: Constant) => Promise<BsdSocket>;
  readonly socketpair: (family?: Constant, type?: Constant, proto?: Constant) => Promise<[BsdSocket, BsdSocket]>;
  readonly poll: (entries: { socket: BsdSocket; events?: string[] }[], timeoutMs?: number) => Promise<{ socket: BsdSocket; revents: string[] }[]>;

  readonly bind: SocketCall<'bind'>;
  readonly listen: SocketCall<'listen'>;
  readonly accept: SocketCall<'accept'>;
  readonly recv: SocketCall<'recv'>;
  readonly recvfrom: SocketCall<'recvfrom'>;
  readonly recvInto: SocketCall<'recvInto'>;
  readonly recvfromInto: SocketCall<'recvfromInto'>;
  readonly send: SocketCall<'send'>;
  readonly sendall: SocketCall<'sendall'>;
  readonly sendto: {
    (socket: BsdSocket, data: BufferSource, address: AddressLike): Promise<number>;
    (socket: BsdSocket, data: BufferSource, flags: Flags | undefined, address: AddressLike): Promise<number>;
  };
  readonly shutdown: SocketCall<'shutdown'>;
  readonly close: SocketCall<'close'>;
  readonly getsockname: SocketCall<'getsockname'>;
  readonly getpeername: SocketCall<'getpeername'>;
  readonly getsockopt: {
    (socket: BsdSocket, level: Constant, name: Constant): Promise<number>;
    (socket: BsdSocket, level: Constant, name: Constant, length: number): Promise<Bytes>;
  };
  readonly setsockopt: {
    (socket: BsdSocket, level: Constant, name: Constant, value: number | BufferSource): Promise<void>;
    (socket: BsdSocket, level: Constant, name: Constant, value: null, length: number): Promise<void>;
  };

  readonly getaddrinfo: (
    host: string | null, port: string | number | null, family?: Constant, type?: Constant, proto?: Constant, flags?: Flags,
  ) => Promise<AddrInfo[]>;
  readonly getnameinfo: (address: AddressLike, flags?: Flags) => Promise<{ host: string; service: string }>;
  readonly getservbyname: (name: string, proto?: string) => Promise<number>;
  readonly getservbyport: (port: number, proto?: string) => Promise<string>;
  readonly inet_aton: (ip: string) => Promise<Bytes>;
  readonly inet_ntoa: (packed: BufferSource) => Promise<string>;
  readonly inet_pton: (family: Constant, ip: string) => Promise<Bytes>;
  readonly inet_ntop: (family: Constant, packed: BufferSource) => Promise<string>;
  /** Every constant of the service's kernel, by name. */
  readonly constants: () => Promise<Record<string, number>>;

  /** The handle behind a Direct Sockets object that has opened. */
  readonly idOf: (socket: TCPSocket | UDPSocket | TCPServerSocket) => Promise<string>;
  /** A handle that exists, as the class that fits it. */
  readonly attach: (id: string) => Promise<TCPSocket | UDPSocket | TCPServerSocket>;
  /** Lets go of a socket, which stays open on the service for its lease. */
  readonly detach: (socket: TCPSocket | UDPSocket | TCPServerSocket) => Promise<void>;
  /** The stream of a handle that exists, for who shows what happens on it instead of reading and writing. */
  readonly stream: (id: string, sink: StreamSink, options?: { datagrams?: boolean; addressed?: boolean }) => HandleStream;
  /** Drops every WebSocket, as when the network changes; the sockets go on on new ones. */
  readonly reconnect: () => void;
  /** Any call of the REST API, by its path after `/api/v1`. */
  readonly request: (method: string, path: string, options?: RequestOptions) => Promise<unknown>;

  /** Makes the three classes and `connect` global, where the platform has none. */
  readonly install: <T extends object>(target?: T) => T;

  addEventListener<Type extends keyof SocketProxyEvents>(
    type: Type, listener: (event: SocketProxyEvents[Type]) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}
