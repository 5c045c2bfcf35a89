/** The BSD calls. */

import type { Bytes } from './codec.js';
import type { TlsRequest, TlsSession } from './tls.js';

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
  /** TLS with the target, which the service speaks: the calls go on in clear. */
  starttls(request?: TlsRequest): Promise<TlsSession>;
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
