import { SocketError, socketError } from './errors.js';

/** WebSocket's readyState. */
const OPEN = 1;

const QUESTION_MS = 5_000;
/** How long the service may believe a WebSocket alive that is gone: by default it gives up after 80 s. */
const GHOST_MS = 120_000;

const HANDSHAKE_MS = 15_000;
const PAUSE_MS = { first: 100, longest: 2_000 };

/** What no new WebSocket mends: the socket ended, or the service will not have it. RFC 6455 section 7.4.1. */
const FINAL_CODES = new Set([1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011]);

/** One WebSocket on a socket's stream, from its handshake to its close. */
export class Attachment {
  #webSocket;
  #isAttached = false;
  #finish;

  /** @param receiver what is told `data(bytes)` and `message(message)`, the first of which is `attached` */
  constructor(webSocket, receiver) {
    this.#webSocket = webSocket;
    /** Resolves with the close code and reason, whether no new WebSocket mends it, and whether the service had attached it. */
    this.closed = new Promise((resolve) => {
      this.#finish = (code, reason) => {
        clearTimeout(handshake);
        webSocket.onmessage = webSocket.onclose = null;
        const attached = this.#isAttached;
        this.#isAttached = false;
        webSocket.close();
        resolve({ code, reason, attached, final: FINAL_CODES.has(code) });
      };
      const handshake = setTimeout(this.#finish, HANDSHAKE_MS, 1006, 'the handshake took too long');
      webSocket.onerror = () => {};
      webSocket.onclose = ({ code, reason }) => this.#finish(code, String(reason));
      webSocket.onmessage = ({ data }) => {
        if (typeof data !== 'string') {
          receiver.data(new Uint8Array(data));
          return;
        }
        const message = JSON.parse(data);
        if (message.type === 'attached') {
          clearTimeout(handshake);
          this.#isAttached = true;
        }
        receiver.message(message);
      };
    });
  }

  get isAttached() {
    return this.#isAttached;
  }

  /** Whether what is sent goes on its way. */
  get isOpen() {
    return this.#isAttached && this.#webSocket.readyState === OPEN;
  }

  get bufferedAmount() {
    return this.#webSocket.bufferedAmount;
  }

  /** Sends bytes or text, if it is open; otherwise the next one does. Whether it was. */
  send(data) {
    const { isOpen } = this;
    if (isOpen) {
      this.#webSocket.send(data);
    }
    return isOpen;
  }

  close() {
    this.#webSocket.close(1000);
  }

  /** Is gone at once, as when the network fails. */
  drop() {
    this.#finish(1006, 'dropped');
  }
}

/**
 * Asks the REST API whether a socket can be attached to again: `{ may }`, with the `error` where it never can.
 *
 * A handshake would tell a browser's page nothing, and Chromium punishes those that fail: after some it delays all WebSockets by seconds.
 *
 * @param own whether no stream but ours was ever attached to it
 * @param resumes whether a new stream takes the place of ours
 */
export async function mayAttach(service, id, { own, resumes, outage }) {
  let answer;
  try {
    answer = await service.request('GET', `/sockets/${id}`, { signal: AbortSignal.timeout(QUESTION_MS) });
  } catch (error) {
    if (error instanceof SocketError && [401, 403, 404].includes(error.status)) {
      return { error };
    }
  }
  if (answer && (!answer.attached || resumes)) {
    return { may: true };
  }
  if (answer && !own) {
    return { error: socketError('EBUSY', 'A stream is attached to this socket already.') };
  }
  return outage.ms > (answer ? GHOST_MS : service.leaseMs)
    ? { error: socketError('ETIMEDOUT', 'The stream was not taken up again in time.') } : {};
}

/** Waits, at most until the network is back, which browsers tell. */
export function pause(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      globalThis.removeEventListener?.('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    globalThis.addEventListener?.('online', done);
  });
}

/** For how long a stream has had no WebSocket, and how often it has tried to get one. */
export class Outage {
  #since = Date.now();
  #attempts = 0;

  get ms() {
    return Date.now() - this.#since;
  }

  get attempts() {
    return this.#attempts;
  }

  /** It begins now: a WebSocket that was attached is gone. */
  begin() {
    this.#since = Date.now();
    this.#attempts = 0;
  }

  /** Waits before the next attempt: not at all before the first, and then ever longer. */
  async beforeNextAttempt() {
    if (this.#attempts > 0) {
      await pause(Math.min(PAUSE_MS.longest, PAUSE_MS.first * 2 ** Math.min(this.#attempts - 1, 10)) * (0.75 + Math.random() / 2));
    }
    this.#attempts += 1;
  }
}
