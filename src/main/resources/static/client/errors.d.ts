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
  tlsReason?: string;
  tlsAlert?: string;
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
  /** Why TLS failed, such as `expired`, `name-mismatch` or `unknown-ca`. */
  readonly tlsReason: string | undefined;
  /** The alert that the peer sent. */
  readonly tlsAlert: string | undefined;
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** How much a send had sent before it failed. */
  readonly sent: number | undefined;
  readonly problem: Problem;
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
