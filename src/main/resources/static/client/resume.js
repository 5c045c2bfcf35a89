/** What is received, acknowledged, and not yet read by the page; the service stops reading the target soon after. */
const WINDOW_BYTES = 256 * 1024;
/** An acknowledgement costs page, browser and service as much as receiving some 20 KiB. */
const ACK_BYTES = 96 * 1024;
/** The latest after which less than that is acknowledged: the service may be set to hold less. */
const ACK_MS = 20;

/**
 * What is sent on a stream of bytes: counted, and kept until the service has taken it for the target, since a new WebSocket may have to send it
 * again. No byte goes beyond the credit that the service gives.
 */
export class SendQueue {
  #sent = 0;
  #taken = 0;
  /** What is on its way and not taken: views, oldest first. */
  #pending = [];
  /** What is still to go on its way, behind that. */
  #unsent = [];
  /** The offset of the first byte of that, and how far the service lets it go. */
  #next = 0;
  #credit = Infinity;

  /** How far the service has taken what was sent. */
  get taken() {
    return this.#taken;
  }

  /** How many bytes it has not. */
  get kept() {
    return this.#sent - this.#taken;
  }

  /** Whether all is on its way. */
  get isEmpty() {
    return this.#unsent.length === 0;
  }

  add(frame) {
    this.#unsent.push(frame);
    this.#sent += frame.length;
  }

  /** The next frame to go, as far as the credit allows; undefined if there is none. */
  next() {
    if (this.#unsent.length === 0 || this.#next >= this.#credit) {
      return undefined;
    }
    const frame = this.#unsent[0];
    const part = frame.subarray(0, this.#credit - this.#next);
    if (part.length < frame.length) {
      this.#unsent[0] = frame.subarray(part.length);
    } else {
      this.#unsent.shift();
    }
    this.#pending.push(part);
    this.#next += part.length;
    return part;
  }

  /** The service has taken the bytes up to this offset, and has room up to the credit's. */
  take(offset, credit = Infinity) {
    this.#credit = credit;
    while (this.#taken < offset && this.#pending.length > 0) {
      const frame = this.#pending[0];
      const taken = Math.min(frame.length, offset - this.#taken);
      this.#taken += taken;
      if (taken < frame.length) {
        this.#pending[0] = frame.subarray(taken);
      } else {
        this.#pending.shift();
      }
    }
  }

  /** Counts from this offset on: where the service is when the first WebSocket is attached. */
  startAt(offset) {
    this.#sent = this.#taken = offset;
  }

  /** All that the service has not taken has to go again, on another WebSocket. */
  rewind() {
    this.#unsent = [...this.#pending, ...this.#unsent];
    this.#pending = [];
    this.#next = this.#taken;
  }

  /** Forgets all that is kept. */
  clear() {
    this.#pending = this.#unsent = [];
  }

  /** Counts all as taken. */
  takeAll() {
    this.#taken = this.#sent;
  }
}

/** What is said behind the bytes, once on each WebSocket: that TLS is to start, that no more is sent, and that the socket is to be closed. */
export class LastWords {
  /** Until TLS is there; behind it goes nothing. */
  starttls = null;
  shutdown = null;
  close = null;
  #told = new Set();

  /** Whether nothing may be sent. */
  get hold() {
    return this.#told.has(this.starttls);
  }

  /** The next message to go; undefined if there is none. */
  next() {
    const message = this.hold ? undefined : [this.starttls, this.shutdown, this.close].find((each) => each && !this.#told.has(each));
    this.#told.add(message);
    return message;
  }

  /** All has to be said again, on another WebSocket. */
  rewind() {
    this.#told.clear();
  }
}

/**
 * What is received on a stream of bytes: counted, and acknowledged as far as the page reads and a window beyond. The service holds a bounded amount
 * beyond that, and when that is full it stops reading the target; so a page that does not read stops the target, and its own memory stays bounded.
 */
export class ReceiveWindow {
  #tell;
  #received = 0;
  #consumed = 0;
  #acknowledged = 0;
  #timer = null;
  /** How many of the next bytes the page has already, since a WebSocket sends them again. */
  #repeated = 0;

  /** @param tell acknowledges up to an offset, if a WebSocket is there to say it on; whether there was */
  constructor(tell) {
    this.#tell = tell;
  }

  /** The offset of the next byte. */
  get received() {
    return this.#received;
  }

  /** Where a new WebSocket has to go on, acknowledged with it. */
  resumeAt() {
    // What is beyond the window is asked for again rather than acknowledged, so that a page that does not read gets no more by dropping.
    this.#acknowledged = Math.max(this.#acknowledged, this.#reach());
    return this.#acknowledged;
  }

  /** Counts from this offset on: where the service is when the first WebSocket is attached. */
  startAt(offset) {
    this.#received = this.#consumed = this.#acknowledged = offset;
  }

  /** The service sends from this offset on, which may lie before what is here. */
  repeatFrom(offset) {
    this.#repeated = this.#received - offset;
  }

  /** Counts what came, and gives what is new of it. */
  receive(bytes) {
    if (this.#repeated > 0) {
      const skipped = Math.min(this.#repeated, bytes.length);
      this.#repeated -= skipped;
      bytes = bytes.subarray(skipped);
    }
    this.#received += bytes.length;
    this.#acknowledge();
    return bytes;
  }

  /** The page has read these. */
  consume(count) {
    this.#consumed += count;
    this.#acknowledge();
  }

  /** Acknowledges no more. */
  stop() {
    clearTimeout(this.#timer);
  }

  /** How far the service may forget what it sent. */
  #reach() {
    return Math.min(this.#received, this.#consumed + WINDOW_BYTES);
  }

  #acknowledge() {
    const reach = this.#reach();
    if (reach - this.#acknowledged >= ACK_BYTES) {
      this.#acknowledgeNow(reach);
    } else if (reach > this.#acknowledged) {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#acknowledgeNow(this.#reach());
      }, ACK_MS);
    }
  }

  #acknowledgeNow(reach) {
    if (reach > this.#acknowledged && this.#tell(reach)) {
      this.#acknowledged = reach;
    }
  }
}
