/** The caller's handles, kept up to date, with their rates. */

/** How many rates a plot shows. */
export const HISTORY = 60;

const FASTEST = 1000;

/** Rates over the last polls, oldest first. */
export class Rates {
  #bytesIn = 0;
  #bytesOut = 0;
  #at = 0;

  in = 0;
  out = 0;
  histIn = [];
  histOut = [];

  /** Takes the counters as they are at `now`, in milliseconds. */
  sample(bytesIn, bytesOut, now) {
    if (this.#at > 0 && now > this.#at) {
      const seconds = (now - this.#at) / 1000;
      this.in = Math.max(0, (bytesIn - this.#bytesIn) / seconds);
      this.out = Math.max(0, (bytesOut - this.#bytesOut) / seconds);
      push(this.histIn, this.in);
      push(this.histOut, this.out);
    }
    this.#bytesIn = bytesIn;
    this.#bytesOut = bytesOut;
    this.#at = now;
  }
}

function push(history, rate) {
  history.push(rate);
  if (history.length > HISTORY) {
    history.shift();
  }
}

/**
 * The list of handles. Emits `change` after each poll, with `detail: {closed}`: the handles that were there before and are no more;
 * `trouble` when a poll fails, and `recovered` when one works again.
 */
export class Handles extends EventTarget {
  #service;
  #timer = 0;
  #stopped = true;
  #polling = null;
  #again = false;
  #rates = new Map();
  #expected = new Set();
  #fresh = new Set();
  #known = new Map();
  #failed = false;

  /** Id → handle, in the order of their creation. */
  byId = new Map();

  /** The rates of all handles together. */
  total = new Rates();

  /** False until the first poll has been answered. */
  loaded = false;

  #totalIn = 0;
  #totalOut = 0;

  constructor(service) {
    super();
    this.#service = service;
    this.onVisible = () => document.visibilityState === 'visible' && this.refresh();
  }

  start() {
    this.#stopped = false;
    document.addEventListener('visibilitychange', this.onVisible);
    return this.refresh();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    document.removeEventListener('visibilitychange', this.onVisible);
  }

  rates(id) {
    let rates = this.#rates.get(id);
    if (!rates) {
      rates = new Rates();
      this.#rates.set(id, rates);
    }
    return rates;
  }

  /** Keeps in mind what the service says of a handle only once: `peer`, whom it was connected to last, and `acceptedOn`, the address it was accepted on. */
  remember(id, facts) {
    this.#known.set(id, { ...this.#known.get(id), ...facts });
    Object.assign(this.byId.get(id) ?? {}, facts);
  }

  /** With what is known besides, and since when it is so, on the page's clock. */
  #withWhatIsKnown(socket, asOf) {
    if (socket.remoteAddress) {
      this.remember(socket.id, { peer: socket.remoteAddress });
    }
    return Object.assign(socket, this.#known.get(socket.id), { asOf });
  }

  /** Takes a handle out of an answer, without waiting for the next poll. */
  put(socket) {
    this.byId.set(socket.id, this.#withWhatIsKnown(socket, performance.now()));
    this.#fresh.add(socket.id);
    this.dispatchEvent(new CustomEvent('change', { detail: { closed: [] } }));
  }

  /** Takes the handle away; its end is no surprise then. */
  remove(id) {
    this.#expected.add(id);
    this.#fresh.delete(id);
    if (this.byId.delete(id)) {
      this.dispatchEvent(new CustomEvent('change', { detail: { closed: [] } }));
    }
  }

  /** Polls now; one poll at a time. */
  refresh() {
    clearTimeout(this.#timer);
    if (this.#polling) {
      this.#again = true;
      return this.#polling;
    }
    this.#polling = this.#poll().finally(() => {
      this.#polling = null;
      if (this.#again) {
        this.#again = false;
        this.refresh();
      }
    });
    return this.#polling;
  }

  async #poll() {
    const begin = performance.now();
    this.#fresh.clear();
    try {
      const sockets = await this.#service.sockets();
      if (this.#stopped) {
        return;
      }
      this.#take(sockets, begin);
      if (this.#failed) {
        this.#failed = false;
        this.dispatchEvent(new Event('recovered'));
      }
    } catch (problem) {
      this.#failed = true;
      this.dispatchEvent(new CustomEvent('trouble', { detail: problem }));
    }
    if (!this.#stopped && document.visibilityState === 'visible') {
      // A list of thousands takes its time, here and on the server: polling takes a tenth of it at most.
      this.#timer = setTimeout(() => this.refresh(), Math.max(FASTEST, 9 * (performance.now() - begin)));
    }
  }

  #take(sockets, asOf) {
    const now = performance.now();
    const next = new Map();
    let movedIn = 0;
    let movedOut = 0;
    for (const socket of sockets) {
      if (this.#expected.has(socket.id)) {
        // Closed while the page was on its way.
        continue;
      }
      const before = this.byId.get(socket.id);
      movedIn += socket.bytesIn - (before?.bytesIn ?? socket.bytesIn);
      movedOut += socket.bytesOut - (before?.bytesOut ?? socket.bytesOut);
      next.set(socket.id, this.#withWhatIsKnown(socket, asOf));
      this.rates(socket.id).sample(socket.bytesIn, socket.bytesOut, now);
    }
    for (const id of this.#fresh) {
      // Made while the page was on its way.
      if (!next.has(id) && this.byId.has(id)) {
        next.set(id, this.byId.get(id));
      }
    }
    const closed = [...this.byId.values()].filter((socket) => !next.has(socket.id));
    for (const socket of closed) {
      this.#rates.delete(socket.id);
      this.#known.delete(socket.id);
    }
    this.#expected.clear();
    this.#totalIn += movedIn;
    this.#totalOut += movedOut;
    this.total.sample(this.#totalIn, this.#totalOut, now);
    this.byId = next;
    this.loaded = true;
    this.dispatchEvent(new CustomEvent('change', { detail: { closed } }));
  }
}
