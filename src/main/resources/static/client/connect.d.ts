/** connect(), https://sockets-api.proposal.wintertc.org/. */

import type { Bytes } from './codec.js';

export interface SocketAddress {
  hostname: string;
  port: number;
}

/** `on` is TLS from the start; `starttls` is in clear until `startTls()` is called. */
export type SecureTransport = 'off' | 'on' | 'starttls';

export interface SocketOptions {
  /** `off` by default. The service speaks TLS with the target, and verifies it. */
  secureTransport?: SecureTransport;
  /** The name that the target has to prove, and that it is told; by default the one that is connected to. */
  sni?: string | null;
  /** The protocols offered, the preferred one first. */
  alpn?: readonly string[];
  /** Whether the writable stays open after the peer's FIN. */
  allowHalfOpen?: boolean;
}

export interface TlsOptions {
  /** The name that the target has to prove, and that it is told; by default `sni`. */
  expectedServerHostname?: string;
  /** By default that of connect(). */
  sni?: string | null;
  /** By default that of connect(). */
  alpn?: readonly string[];
}

export interface SocketInfo {
  /** `host:port`, or `[host]:port`. */
  remoteAddress: string;
  localAddress: string;
  /** The protocol that was agreed on, or null. */
  alpn: string | null;
}

export interface Socket {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<BufferSource>;
  /** With TLS, when the handshake is done. */
  readonly opened: Promise<SocketInfo>;
  readonly closed: Promise<void>;
  /** Whether `startTls()` has made another socket of this one. */
  readonly upgraded: boolean;
  readonly secureTransport: SecureTransport;
  close(reason?: unknown): Promise<void>;
  /**
   * The connection as a new socket, which TLS protects; this one is closed, and its streams with it, locked or not.
   *
   * @throws TypeError unless it was made with `secureTransport: 'starttls'` and is open in both directions
   */
  startTls(options?: TlsOptions): Socket;
}
