import { socketError } from './errors.js';

/** How many may wait on the service at once: a browser has six connections to a server (HTTP/1.1). */
const MOST = globalThis.process?.versions?.node ? 64 : 3;
const SLICE_MS = 25_000;

/**
 * Calls that may wait long.
 *
 * A few wait on the service itself. More would leave no connection for the call that ends the waiting: those wait together, in one poll(2) for all.
 */
export class LongCalls {
  #request;
  #free = MOST;
  #turns = [];
  /** Those who wait in the poll. */
  #waiters = new Set();
  #polling = null;

  constructor(request) {
    this.#request = request;
  }

  /** Runs a call, as soon as its turn comes. */
  async run(call) {
    if (this.#free > 0) {
      this.#free -= 1;
    } else {
      await new Promise((resolve) => this.#turns.push(resolve));
    }
    try {
      return await call();
    } finally {
      const next = this.#turns.shift();
      if (next) {
        next();
      } else {
        this.#free += 1;
      }
    }
  }

  /** Repeats a call, which is told for how many milliseconds to wait, until it has a result, which undefined is not. */
  async until(id, event, deadline, signal, call) {
    for (;;) {
      const left = Math.max(0, deadline - Date.now());
      const waits = left > 0 && this.#free > 0;
      const result = await (waits ? this.run(() => call(Math.ceil(Math.min(left, SLICE_MS)))) : call(0));
      if (result !== undefined) {
        return result;
      }
      if (Date.now() >= deadline) {
        throw socketError('EAGAIN', 'Nothing came in time.');
      }
      await this.#ready(id, event, deadline, signal);
    }
  }

  /** Resolves when the socket may be ready, or the deadline has passed. */
  #ready(id, event, deadline, signal) {
    return new Promise((resolve, reject) => {
      const waiter = {
        id, event, deadline,
        settle: (error) => {
          this.#waiters.delete(waiter);
          signal?.removeEventListener('abort', waiter.abort);
          if (error) {
            reject(error);
          } else {
            resolve();
          }
        },
        abort: () => waiter.settle(signal.reason),
      };
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      signal?.addEventListener('abort', waiter.abort, { once: true });
      this.#waiters.add(waiter);
      if (this.#polling) {
        // Begun anew, with this one.
        this.#polling.abort(this);
      } else {
        this.#poll();
      }
    });
  }

  async #poll() {
    while (this.#waiters.size > 0) {
      const waiters = [...this.#waiters];
      const timeoutMs = Math.max(0, Math.min(SLICE_MS, ...waiters.map((waiter) => waiter.deadline - Date.now())));
      this.#polling = new AbortController();
      try {
        const { ready } = await this.#request('POST', '/sockets/poll', {
          json: { sockets: waiters.map(({ id, event }) => ({ id, events: [event] })), timeoutMs: Math.ceil(timeoutMs) },
          signal: this.#polling.signal,
        });
        const now = Date.now();
        const readyIds = new Set(ready.map(({ id }) => id));
        waiters.filter(({ id, deadline }) => readyIds.has(id) || deadline <= now).forEach((waiter) => waiter.settle());
      } catch (error) {
        if (error !== this) {
          // One of them may be closed, or the service gone: each call finds out for itself.
          waiters.forEach((waiter) => waiter.settle());
        }
      }
    }
    this.#polling = null;
  }
}
