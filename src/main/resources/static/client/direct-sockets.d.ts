/** Direct Sockets, https://wicg.github.io/direct-sockets/. */

import type { Bytes } from './codec.js';

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
