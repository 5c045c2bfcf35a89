/** connect(), https://sockets-api.proposal.wintertc.org/. */

import type { Bytes } from './codec.js';

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
