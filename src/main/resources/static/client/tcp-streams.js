import { bytesOf } from './codec.js';
import { aborted, domException, socketError } from './errors.js';
import { Progress } from './promises.js';
import { SocketStreams } from './socket-streams.js';

const upgraded = () => new TypeError('SocketError: startTls() has made a new socket of this one.');

/** A byte stream each way: what a connected TCP socket has. */
export class ByteStreams extends SocketStreams {
  #open = null;
  #input;
  #output;
  #chunks = [];
  #wanted = false;
  #eof = false;
  #isShut = false;
  #failure = null;
  #onEof;
  /** How many chunks the page has given to be written, how many of them are dealt with, and how many will be. */
  #given = 0;
  #written = 0;
  #most = Infinity;
  #progress = new Progress();

  /** @param onEof called when the page has read everything that the peer sent before its FIN */
  constructor(open, { onEof = () => {} } = {}) {
    super(open, 'readable', 'writable');
    this.#onEof = onEof;
    this.link.then((link) => (this.#open = link), () => {});
    this.readable = new ReadableStream({
      type: 'bytes',
      start: (controller) => void (this.#input = controller),
      pull: () => this.#pull(),
      cancel: () => this.#cancel(),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream({
      start: (controller) => void (this.#output = controller),
      write: (chunk) => this.#write(chunk),
      close: () => this.#shutdown(),
      abort: () => this.#shutdown(),
    }, {
      highWaterMark: 1,
      size: () => {
        this.#given += 1;
        return 1;
      },
    });
  }

  get #isHandedOn() {
    return this.#most < Infinity;
  }

  // As the Link's sink.

  data(bytes) {
    if (!this.halves.isOpen('readable') && !this.#isHandedOn) {
      this.#consumed(bytes.length);
      return;
    }
    this.#chunks.push(bytes);
    if (this.#wanted) {
      this.#deliver();
    }
  }

  eof() {
    this.#eof = true;
    this.#drained();
  }

  end(error) {
    const failure = aborted(error ?? socketError('EPIPE', 'The service closed the socket.'));
    if (error && this.halves.areOpen) {
      this.halves.settle(failure);
    }
    if (this.halves.isOpen('writable') && (error || !this.#isShut)) {
      this.#output.error(failure);
      this.halves.close('writable', failure);
    }
    // What came before is still there to be read, as in the kernel.
    this.#failure = error ? failure : null;
    this.eof();
    this.#progress.made();
  }

  // As the readable's source.

  #pull() {
    this.#wanted = true;
    this.#deliver();
  }

  #deliver() {
    if (this.#chunks.length === 0) {
      this.#drained();
      return;
    }
    this.#wanted = false;
    const request = this.#input.byobRequest;
    let count = 0;
    if (request) {
      const view = new Uint8Array(request.view.buffer, request.view.byteOffset, request.view.byteLength);
      while (this.#chunks.length > 0 && count < view.length) {
        const chunk = this.#chunks[0];
        const part = chunk.subarray(0, view.length - count);
        view.set(part, count);
        count += part.length;
        if (part.length < chunk.length) {
          this.#chunks[0] = chunk.subarray(part.length);
        } else {
          this.#chunks.shift();
        }
      }
      request.respond(count);
    } else {
      const chunk = this.#chunks.shift();
      count = chunk.length;
      // The stream takes the buffer for itself, so it must hold nothing else.
      this.#input.enqueue(chunk.byteLength === chunk.buffer.byteLength ? chunk : chunk.slice());
    }
    this.#consumed(count);
    this.#drained();
  }

  #consumed(count) {
    if (this.#open) {
      this.#open.consumed(count);
    } else {
      this.link.then((link) => link.consumed(count), () => {});
    }
  }

  /** When all is read that has come: the end, or the error that came after it. */
  #drained() {
    if (this.#chunks.length > 0 || !this.halves.isOpen('readable')) {
      return;
    }
    if (this.#failure) {
      this.#input.error(this.#failure);
      this.halves.close('readable', this.#failure);
    } else if (this.#eof) {
      this.#closeInput();
      this.halves.close('readable');
      this.#onEof();
    }
  }

  #closeInput() {
    try {
      this.#input.close();
      this.#input.byobRequest?.respond(0);
    } catch {
      // Part of a wider element has been read into a view, and the rest never comes: the stream has errored.
    }
  }

  #cancel() {
    const unread = this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    this.#chunks = [];
    this.halves.close('readable');
    // From here on what comes is thrown away, so that a peer that goes on sending does not block.
    this.#consumed(unread);
  }

  // As the writable's sink.

  async #write(chunk) {
    try {
      if (this.#written >= this.#most) {
        throw upgraded();
      }
      // A copy: the bytes may have to be sent again, when the page has long put others into its buffer.
      const bytes = bytesOf(chunk).slice();
      const link = await this.link;
      await link.send(bytes, this.#output.signal);
    } catch (error) {
      throw this.broken(error, this.#output.signal);
    } finally {
      this.#written += 1;
      this.#progress.made();
    }
  }

  /** Half-closes, behind all that was written. */
  async #shutdown() {
    this.#isShut = true;
    try {
      if (this.#isHandedOn) {
        throw upgraded();
      }
      const link = await this.link;
      link.shutdown();
    } catch (error) {
      throw this.broken(error, this.#output.signal);
    }
    this.halves.close('writable');
  }

  // For who closes without asking the streams' holders.

  /** Closes the writable, with a FIN. */
  shutdown() {
    if (this.halves.isOpen('writable')) {
      this.#output.error(aborted(socketError('EPIPE', 'The peer has closed, and allowHalfOpen is false.')));
      this.#shutdown().catch(() => {});
    }
  }

  /**
   * Ends these streams and leaves the Link to others: resolves with it, when all that was written is on its way, and with whether bytes have come
   * that nobody has read.
   */
  async handOn() {
    this.#most = this.#given;
    this.#wanted = false;
    this.#closeInput();
    this.halves.close('readable');
    this.halves.settle();
    while (this.#written < this.#most && this.halves.isOpen('writable')) {
      await this.#progress.step();
    }
    const link = await this.link;
    this.#output.error(upgraded());
    return { link, unread: this.#chunks.length > 0 };
  }

  /** Closes both as cancel and abort do, locked or not. */
  abandon(reason) {
    if (this.halves.isOpen('writable')) {
      this.#output.error(reason);
      this.#shutdown().catch(() => {});
    }
    if (this.halves.isOpen('readable')) {
      this.#closeInput();
      this.#cancel();
    }
  }
}

/** Accepted connections, one at a time as they are asked for. */
export class AcceptStream extends SocketStreams {
  #input;
  #adopt;
  #discard;
  #queue = [];
  #wanted = false;

  constructor(open, { adopt, discard }) {
    super(open, 'readable');
    this.#adopt = adopt;
    this.#discard = discard;
    this.readable = new ReadableStream({
      start: (controller) => void (this.#input = controller),
      pull: () => {
        this.#wanted = true;
        this.#deliver();
      },
      cancel: () => this.#cancel(),
    }, { highWaterMark: 0 });
  }

  data() {}

  accepted({ socket }) {
    if (!this.halves.isOpen('readable')) {
      this.#discard(socket.id);
      return;
    }
    // Adopted at once: a handle without a stream does not live long, and what has come for it is there when it is taken.
    this.#queue.push(this.#adopt(socket));
    this.#deliver();
  }

  end(error) {
    if (this.halves.isOpen('readable')) {
      const failure = domException(error ?? socketError('ECONNABORTED', 'The service closed the socket.'), 'Server socket closed: ');
      this.#input.error(failure);
      this.halves.close('readable', failure);
    }
    this.#drop();
  }

  #deliver() {
    if (this.#wanted && this.#queue.length > 0) {
      this.#wanted = false;
      this.#input.enqueue(this.#queue.shift());
      this.link.then((link) => link.accept());
    }
  }

  #cancel() {
    this.halves.close('readable');
    this.#drop();
  }

  /** Nobody will ever ask for these. */
  #drop() {
    for (const socket of this.#queue.splice(0)) {
      socket.close();
    }
  }
}
