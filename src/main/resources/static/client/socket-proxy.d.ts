/**
 * Types of socket-proxy.js: Direct Sockets (WICG), `connect()` (WinterTC, Cloudflare) and the BSD calls, on sockets that a service holds.
 *
 * @license Apache-2.0
 */

import type { AddrInfo, Address, AddressLike, BsdSocket, Constant, Flags, WaitOptions } from './bsd-socket.js';
import type { Bytes } from './codec.js';
import type { Socket, SocketAddress, SocketOptions } from './connect.js';
import type { Constants } from './constants.js';
import type { TCPServerSocket, TCPServerSocketConstructor, TCPSocket, TCPSocketConstructor, UDPSocket, UDPSocketConstructor } from './direct-sockets.js';
import type { SocketError } from './errors.js';
import type { TlsRequest, TlsSession } from './tls.js';

export * from './bsd-socket.js';
export * from './codec.js';
export * from './connect.js';
export * from './constants.js';
export * from './direct-sockets.js';
export * from './errors.js';
export * from './tls.js';

type SocketCall<Name extends keyof BsdSocket> = BsdSocket[Name] extends (...args: infer Args) => infer Result
  ? (socket: BsdSocket, ...args: Args) => Result
  : never;

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
  /**
   * Starts TLS with the target, behind all that was sent; what is sent later waits for it. It fails when bytes come in clear meanwhile, and the socket
   * with it; who has not dealt with bytes that came before has to fail it, too.
   */
  startTls(request?: TlsRequest): Promise<TlsSession>;
  /** Lets go of the handle. */
  detach(): Promise<unknown>;
}

export interface RequestOptions {
  query?: Record<string, unknown>;
  json?: unknown;
  body?: BodyInit;
  signal?: AbortSignal;
  accept?: string;
  /** For a page that goes: the call outlives it. */
  keepalive?: boolean;
}

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
  readonly starttls: SocketCall<'starttls'>;
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
