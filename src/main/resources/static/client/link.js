import { Attachment, Outage, mayAttach, pause } from './attachment.js';
import { SocketError, explain, injection, socketError } from './errors.js';
import { Progress, deferred } from './promises.js';
import { LastWords, ReceiveWindow, SendQueue } from './resume.js';

const FRAME_BYTES = 64 * 1024;
/** What is sent and not yet taken by the service for the target; a write waits beyond it. */
const SEND_WINDOW_BYTES = 1024 * 1024;
/** What the service may have under way to the page: with less, browser and service wait for each other. */
const WINDOW_BYTES = 1024 * 1024;
/** How long who closes a socket waits until its last bytes are taken. */
const LINGER_MS = 10_000;
const REFUSALS = 4;

/**
 * One socket's stream: a WebSocket that speaks socket-proxy.v1, and the next one when the network drops it.
 *
 * Both sides count bytes, each way, and so the next WebSocket goes on at the very byte: see SendQueue and ReceiveWindow.
 */
export class Link {
  #service;
  #sink;
  #own;
  #bytes;
  #addressed;
  #accepts;
  /** Connections that the page has not taken. */
  #waiting = 0;
  /** Those that it has taken since the WebSocket was attached. */
  #accepted = 0;
  /** Whether the handle is left open when the stream ends. */
  #keeps;
  /** The latest WebSocket; null before the first. */
  #attachment = null;
  #ready = deferred();
  #ended = deferred();
  #isEnded = false;
  #error = null;
  #fault = null;
  #progress = new Progress();
  #wasAttached = false;
  #outage = new Outage();
  #input = new ReceiveWindow((received) => this.#control({ type: 'ack', received }));
  #eof = false;
  #output = new SendQueue();
  #words = new LastWords();
  #tls = null;
  #detached = false;

  /**
   * @param sink what takes what arrives: `data(bytes)`, `eof()`, `accepted(message)`, `fault(error)` and, last, `end(error or null)`
   * @param own whether the socket was made here, so that no stream but ours was ever attached to it
   * @param bytes whether it is a stream of bytes, which is counted and resumed; false for datagrams and for accepted connections
   * @param accepts for a listening socket, how many connections may wait here to be taken; undefined for no bound
   */
  constructor(service, id, sink, { own = true, bytes = true, addressed = false, accepts, keeps = false } = {}) {
    this.#service = service;
    this.id = id;
    this.#sink = sink;
    this.#own = own;
    this.#bytes = bytes;
    this.#addressed = addressed;
    this.#accepts = accepts;
    this.#keeps = keeps;
    this.#run();
  }

  /** Whether a new WebSocket goes on where the last one was. */
  get #resumes() {
    return this.#own && this.#bytes;
  }

  /** Settles when the first WebSocket is attached, or never will be. */
  get ready() {
    return this.#ready.promise;
  }

  /** Sends a stream's bytes, which the caller must not change afterwards; resolves when there is room for more. */
  async send(bytes, signal) {
    if (this.#words.starttls) {
      await this.#until(() => !this.#words.starttls, signal);
    }
    for (let at = 0; at < bytes.length; at += FRAME_BYTES) {
      this.#requireOpen();
      const frame = bytes.subarray(at, at + FRAME_BYTES);
      this.#output.add(frame);
      this.#pump();
      if (this.#output.kept > SEND_WINDOW_BYTES) {
        await this.#until(() => this.#output.kept <= SEND_WINDOW_BYTES, signal);
      }
    }
  }

  /** Sends one datagram. While no WebSocket is attached it waits for one. */
  async sendDatagram(frame, signal) {
    await this.#until(() => this.#attachment?.isAttached, signal);
    this.#transmit(frame);
    while (this.#attachment?.isAttached && this.#attachment.bufferedAmount > SEND_WINDOW_BYTES) {
      await pause(5);
      signal?.throwIfAborted();
    }
  }

  /**
   * Starts TLS with the target, behind all that was sent; resolves with what was agreed on. What is sent later waits for it, what comes in clear ends the socket.
   * The `sink` takes the place of the one before; `unread` says that bytes have come that nobody has read.
   */
  async startTls(request, { sink = this.#sink, unread = false } = {}) {
    this.#requireOpen();
    this.#sink = sink;
    this.#words.starttls = { ...request, type: 'starttls' };
    if (unread) {
      this.#breakOff();
    }
    this.#pump();
    await this.#until(() => !this.#words.starttls);
    return this.#tls;
  }

  /** Closes the socket if TLS is still to come, behind which no message goes; whether it was. */
  giveUp() {
    const waits = this.#words.starttls && !this.#isEnded;
    if (waits) {
      this.#words.close = { type: 'close' };
      this.#service.discard(this.id);
    }
    return waits;
  }

  /** Half-closes: the target gets a FIN after all that was sent. */
  shutdown() {
    this.#requireOpen();
    this.#words.shutdown = { type: 'shutdown', how: 'SHUT_WR' };
    this.#pump();
  }

  /** The page has read these. */
  consumed(count) {
    this.#input.consume(count);
  }

  /** The page has taken one of the connections, and so there is room for another. */
  accept() {
    this.#waiting -= 1;
    this.#accepted += 1;
    this.#control({ type: 'ack', received: this.#accepted });
  }

  /** Closes the socket behind all that was sent. Resolves when that is done, or, with a target that does not read on, some time before. */
  async close() {
    if (!this.#words.close && !this.#isEnded) {
      this.#words.close = { type: 'close' };
      this.#pump();
    }
    let timer;
    await Promise.race([this.#ended.promise, new Promise((resolve) => (timer = setTimeout(resolve, LINGER_MS)))]);
    clearTimeout(timer);
  }

  /**
   * Says, as a last word, that the socket is to be closed: for a page that is going. Where not all was sent that is left to the lease, whose end
   * tells the peer that something is missing.
   */
  abandon() {
    if (this.#keeps) {
      this.detach();
      return;
    }
    this.#words.close = { type: 'close' };
    this.#pump();
  }

  /** Lets go of the socket, which stays open on the service until its lease runs out. */
  detach() {
    this.#detached = true;
    this.#attachment?.close();
    return this.#ended.promise;
  }

  /** Drops the WebSocket as a failing network would; a new one goes on where it was. */
  drop() {
    this.#attachment?.drop();
  }

  async #run() {
    this.#service.links.add(this);
    let refusals = 0;
    for (let first = true; ; first = false) {
      if (first || (await this.#mayAttach())) {
        const { code, reason, attached, final } = await this.#attach();
        if (this.#isEnded) {
          return;
        }
        if (final) {
          this.#end(code === 1000 ? null : (this.#fault ?? explain(code, reason)));
          return;
        }
        if (attached) {
          this.#outage.begin();
          refusals = 0;
          this.#service.tell('disconnect', { socket: this.id, code, reason });
        } else if (this.#wasAttached ? this.#outage.ms > this.#service.leaseMs : ++refusals >= REFUSALS) {
          this.#end(socketError('EIO', 'The service has the socket but takes no stream for it. Is this page\'s origin allowed?'));
          return;
        }
      }
      if (this.#isEnded) {
        return;
      }
      if (this.#detached) {
        this.#end(null);
        return;
      }
      await this.#outage.beforeNextAttempt();
    }
  }

  async #mayAttach() {
    const { may, error } = await mayAttach(this.#service, this.id, { own: this.#own, resumes: this.#resumes, outage: this.#outage });
    if (error) {
      this.#end(this.#words.close && error.status === 404 ? null : error);
    }
    return may;
  }

  /** One WebSocket, until it is closed. */
  async #attach() {
    const query = new URLSearchParams();
    if (this.#addressed) {
      query.set('addressed', 'true');
    }
    if (this.#accepts !== undefined) {
      this.#accepted = 0;
      query.set('accepts', String(this.#accepts - this.#waiting));
    }
    if (this.#resumes) {
      query.set('received', String(this.#input.resumeAt()));
      query.set('window', String(WINDOW_BYTES));
    }
    let webSocket;
    try {
      webSocket = await this.#service.openWebSocket(`/sockets/${this.id}/stream`, query);
    } catch (error) {
      return { code: 1006, reason: String(error), attached: false };
    }
    this.#attachment = new Attachment(webSocket, {
      data: (bytes) => this.#data(bytes),
      message: (message) => this.#message(message),
    });
    return this.#attachment.closed;
  }

  #message(message) {
    switch (message.type) {
      case 'attached':
        this.#resume(message);
        break;
      case 'ack':
        this.#output.take(message.received, message.credit);
        this.#progress.made();
        this.#pump();
        break;
      case 'tls':
        this.#secured(message);
        break;
      case 'eof':
        this.#eof = true;
        this.#sink.eof?.();
        break;
      case 'accepted':
        this.#waiting += 1;
        this.#sink.accepted?.(message);
        break;
      case 'error':
        this.#fault = new SocketError(message);
        this.#sink.fault?.(this.#fault);
        if (this.#words.starttls) {
          this.#breakOff(this.#fault);
        }
        break;
      case 'closing':
        this.#service.tell('closing', { socket: this.id });
        break;
    }
  }

  /** Goes on where the service says it is. */
  #resume({ socket, sent = this.#input.received, received = this.#output.taken, credit }) {
    if (this.#wasAttached) {
      this.#service.tell('reconnect', { socket: this.id, attempts: this.#outage.attempts, downMs: this.#outage.ms });
    } else {
      this.#input.startAt(sent);
      this.#output.startAt(received);
    }
    this.#wasAttached = this.#own = true;
    this.#bytes = socket.type === 'SOCK_STREAM' && socket.state !== 'listening';
    this.#input.repeatFrom(sent);
    this.#output.take(received, credit);
    this.#output.rewind();
    this.#words.rewind();
    if (socket.tls) {
      this.#secured(socket.tls);
    }
    this.#pump();
    if (this.#accepted > 0) {
      this.#control({ type: 'ack', received: this.#accepted });
    }
    this.#ready.resolve();
    this.#progress.made();
  }

  #data(bytes) {
    if (!this.#bytes) {
      this.#sink.data(bytes);
      return;
    }
    // Acknowledged first, so that the service can go on while the page works.
    const received = this.#input.receive(bytes);
    if (received.length > 0 && this.#words.starttls) {
      this.#breakOff();
    } else if (received.length > 0) {
      this.#sink.data(received);
    }
  }

  #secured(tls) {
    this.#tls = tls;
    this.#words.starttls = null;
    this.#progress.made();
    this.#pump();
  }

  #breakOff(error = injection()) {
    this.#end(error);
    this.#attachment?.close();
  }

  /** Sends what is to be sent, as far as the service has room for it; what comes behind the bytes waits for them. */
  #pump() {
    if (!this.#attachment?.isOpen || this.#words.hold) {
      // It is sent when the next WebSocket is attached, or TLS is there.
      return;
    }
    for (let frame; (frame = this.#output.next()); ) {
      this.#transmit(frame);
    }
    if (!this.#output.isEmpty) {
      return;
    }
    for (let message; (message = this.#words.next()); ) {
      this.#control(message);
    }
  }

  async #until(condition, signal) {
    while (!condition()) {
      this.#requireOpen();
      signal?.throwIfAborted();
      await this.#progress.step(signal);
    }
  }

  #requireOpen() {
    if (this.#isEnded) {
      throw this.#error ?? socketError('EPIPE', 'The connection has ended.');
    }
  }

  #control(message) {
    return this.#transmit(JSON.stringify(message));
  }

  #transmit(data) {
    return this.#attachment?.send(data);
  }

  #end(error) {
    this.#isEnded = true;
    this.#error = error;
    this.#service.links.delete(this);
    this.#input.stop();
    this.#output.clear();
    if (!error && this.#words.shutdown) {
      // The FIN is out, so everything before it is.
      this.#output.takeAll();
    }
    // A stream that ends because both directions have leaves the handle, and so does one that fails.
    const keeps = this.#keeps && error?.tlsReason !== 'starttls-injection';
    if (!keeps && !this.#detached && error?.status !== 404 && (!this.#words.close || (this.#eof && this.#words.shutdown))) {
      this.#service.discard(this.id);
    }
    this.#sink.end(error);
    this.#progress.made();
    if (error) {
      this.#ready.reject(error);
    }
    this.#ready.resolve();
    this.#ended.resolve(error);
  }
}
