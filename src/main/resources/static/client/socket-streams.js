import { aborted } from './errors.js';
import { deferred } from './promises.js';

/** The halves of a socket, of which `closed` waits for all: it rejects with the first error, and resolves if there was none. */
class Halves {
  #open;
  #count;
  #closed = deferred();
  #error = null;
  #link;

  constructor(link, ...names) {
    this.#link = link;
    this.#open = new Set(names);
    this.#count = names.length;
  }

  get closed() {
    return this.#closed.promise;
  }

  isOpen(name) {
    return this.#open.has(name);
  }

  get areOpen() {
    return this.#open.size > 0;
  }

  /** Whether none has closed. */
  get areWhole() {
    return this.#open.size === this.#count;
  }

  async close(name, error = null) {
    if (!this.#open.delete(name)) {
      return;
    }
    this.#error ??= error;
    if (this.#open.size > 0) {
      return;
    }
    let link;
    try {
      link = await this.#link;
    } catch {
      // It never opened, which is an error that the halves have already.
    }
    await link?.close();
    this.settle(this.#error);
  }

  /** Settles without waiting for the rest: nothing more can happen. */
  settle(error) {
    if (error) {
      this.#closed.reject(error);
    } else {
      this.#closed.resolve();
    }
  }
}

/** What the page has of a socket's stream: its halves as WHATWG streams. The Link tells it, as its sink, what arrives. */
export class SocketStreams {
  /**
   * @param open gives the Link, and is told this as its sink; the streams can be used before it does
   * @param names which of `readable` and `writable` there are
   */
  constructor(open, ...names) {
    this.link = open(this);
    this.link.catch((error) => this.end(error));
    this.halves = new Halves(this.link, ...names);
  }

  get closed() {
    return this.halves.closed;
  }

  get locked() {
    return this.readable.locked || Boolean(this.writable?.locked);
  }

  /** The error of a write that has failed, which closes the writable; but an abort goes on with that of the stream. */
  broken(error, { aborted: isAborted }) {
    const failure = aborted(error);
    if (!isAborted) {
      this.halves.close('writable', failure);
    }
    return failure;
  }
}
