/** What can go wrong, and as what each of the interfaces tells it. */

/**
 * What a socket call failed with: `errno` (symbolic), `errnoCode` and `strerror`; for names `gaiName` and `gaiCode`; for TLS
 * `tlsReason`, and the peer's `tlsAlert`.
 *
 * `status` is the HTTP status and `problem` the whole answer (RFC 9457), where there was one; `sent` is what a send had sent before.
 */
export class SocketError extends Error {
  constructor(problem, options) {
    const code = problem.errno ?? problem.gaiName;
    const text = problem.detail ?? problem.strerror ?? problem.title ?? 'the call failed';
    super(code && !text.includes(code) ? `${text} (${code})` : text, options);
    this.errno = problem.errno;
    this.errnoCode = problem.errnoCode;
    this.strerror = problem.strerror;
    this.gaiName = problem.gaiName;
    this.gaiCode = problem.gaiCode;
    this.tlsReason = problem.tlsReason;
    this.tlsAlert = problem.tlsAlert;
    this.status = problem.status;
    this.sent = problem.sent;
    this.problem = problem;
  }

  get name() {
    return 'SocketError';
  }
}

/** The few errors that this side finds by itself. */
const ERRNOS = {
  EIO: [5, 'Input/output error'], EAGAIN: [11, 'Resource temporarily unavailable'], EACCES: [13, 'Permission denied'],
  EBUSY: [16, 'Device or resource busy'], EINVAL: [22, 'Invalid argument'], EPIPE: [32, 'Broken pipe'], EMSGSIZE: [90, 'Message too long'],
  ENETDOWN: [100, 'Network is down'], ECONNABORTED: [103, 'Software caused connection abort'],
  ECONNRESET: [104, 'Connection reset by peer'], ETIMEDOUT: [110, 'Connection timed out'],
};

export function socketError(errno, detail, cause) {
  const [errnoCode, strerror] = ERRNOS[errno] ?? [];
  return new SocketError({ errno, errnoCode, strerror, detail }, cause && { cause });
}

/** What has come in clear when TLS is to start cannot be told from what comes under it. */
export const injection = () => new SocketError({
  errno: 'EPROTO', errnoCode: 71, strerror: 'Protocol error', tlsReason: 'starttls-injection',
  detail: 'Bytes had come in clear that nobody had read when TLS was to start: whoever is on the way may have put them there.',
});

/** What a close code other than 1000 says; its reason is the errno's name and what happened. */
export function explain(code, reason) {
  const [, errno, happened] = /^(E[A-Z0-9]{2,}): (.+)$/.exec(reason) ?? [];
  return socketError(errno ?? 'ECONNABORTED', happened ?? `The service closed the stream: ${code} ${reason}`);
}

/** The error as Direct Sockets name it, with the errno beside. */
export function domException(error, prefix = '') {
  if (!(error instanceof SocketError)) {
    return error;
  }
  const denied = error.errno === 'EACCES' || error.errno === 'EPERM';
  const name = error.status === 401 ? 'NotAllowedError' : denied && !prefix ? 'InvalidAccessError' : 'NetworkError';
  const exception = new DOMException(prefix + error.message, name);
  for (const field of ['errno', 'errnoCode', 'strerror', 'gaiName', 'gaiCode']) {
    Object.defineProperty(exception, field, { value: error[field], enumerable: true, configurable: true });
  }
  Object.defineProperty(exception, 'cause', { value: error, configurable: true, writable: true });
  return exception;
}

/** As the streams of Direct Sockets have it. */
export const aborted = (error) => domException(error, 'Stream aborted by the remote: ');
