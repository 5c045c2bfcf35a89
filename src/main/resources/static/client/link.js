import { Attachment, Outage, pause } from './attachment.js';
import { SocketError, explain, socketError } from './errors.js';
import { Progress, deferred } from './promises.js';
import { ReceiveWindow, SendQueue } from './resume.js';

const FRAME_BYTES = 64 * 1024;
/** What is sent and not yet taken by the service for the target; a write waits beyond it. */
const SEND_WINDOW_BYTES = 1024 * 1024;
/** What the service may have under way to the page: with less, browser and service wait for each other. */
const WINDOW_BYTES = 1024 * 1024;
const QUESTION_MS = 5_000;
/** How long who closes a socket waits until its last bytes are taken. */
const LINGER_MS = 10_000;
const REFUSALS = 4;
/** How long the service may believe a WebSocket alive that is gone: by default it gives up after 80 s. */
const GHOST_MS = 120_000;

/** A close code that no new WebSocket mends: the socket ended, or the service will not have it. RFC 6455 section 7.4.1. */
const FINAL_CODES = new Set([1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011]);

/**
 * One socket's stream: a WebSocket that speaks socket-proxy.v1, and the next one when the network drops it.
 *
 * Both sides count bytes, each way, and so the next WebSocket goes on at the very byte: see SendQueue and ReceiveWindow.
 */
export class Link {
  #service;
  #id;
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

  #input = new ReceiveWindow((received) => {
    const attached = this.#isAttached;
    if (attached) {
      this.#control({ type: 'ack', received });
    }
    return attached;
  });
  #eof = false;

  #output = new SendQueue();
  /** The message that asks for TLS, until it is there. */
  #starttls = null;
  #tls = null;
  #shutdown = null;
  #closing = false;
  /** What this WebSocket's service has been told of these. */
  #told = {};
  #detached = false;

  /**
   * @param sink what takes what arrives: `data(bytes)`, `eof()`, `accepted(message)`, `fault(error)` and, last, `end(error or null)`
   * @param own whether the socket was made here, so that no stream but ours was ever attached to it
   * @param bytes whether it is a stream of bytes, which is counted and resumed; false for datagrams and for accepted connections
   * @param accepts for a listening socket, how many connections may wait here to be taken; undefined for no bound
   */
  constructor(service, id, sink, { own = true, bytes = true, addressed = false, accepts, keeps = false } = {}) {
    this.#service = service;
    this.#id = id;
    this.#sink = sink;
    this.#own = own;
    this.#bytes = bytes;
    this.#addressed = addressed;
    this.#accepts = accepts;
    this.#keeps = keeps;
    this.#run();
  }

  get id() {
    return this.#id;
  }

  get #isAttached() {
    return this.#attachment?.isAttached ?? false;
  }

  /** Settles when the first WebSocket is attached, or never will be. */
  get ready() {
    return this.#ready.promise;
  }

  /** Resolves when the socket and its stream are no more, with the error or null. */
  get ended() {
    return this.#ended.promise;
  }

  /** Sends a stream's bytes, which the caller must not change afterwards; resolves when there is room for more. */
  async send(bytes, signal) {
    if (this.#starttls) {
      await this.#until(() => !this.#starttls, signal);
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
    await this.#until(() => this.#isAttached, signal);
    this.#transmit(frame);
    while (this.#isAttached && this.#attachment.bufferedAmount > SEND_WINDOW_BYTES) {
      await pause(5);
      signal?.throwIfAborted();
    }
  }

  /**
   * Starts TLS with the target, behind all that was sent; what is sent later waits for it. Resolves with what was agreed on.
   *
   * @param request `serverName`, `alpn` and what else the service takes
   * @param sink takes the place of the one before
   * @param unread whether bytes have come that nobody has read. They cannot be told from what TLS protects, and so they end the socket, as do those that come meanwhile
   */
  async startTls(request, { sink = this.#sink, unread = false } = {}) {
    this.#requireOpen();
    this.#sink = sink;
    this.#starttls = { ...request, type: 'starttls' };
    if (unread) {
      this.#injected();
    }
    this.#pump();
    await this.#until(() => !this.#starttls);
    return this.#tls;
  }

  /** Half-closes: the target gets a FIN after all that was sent. */
  shutdown() {
    this.#requireOpen();
    this.#shutdown = 'SHUT_WR';
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
    if (!this.#closing && !this.#isEnded) {
      this.#closing = true;
      if (this.#starttls) {
        // No message goes behind that one.
        this.#service.discard(this.#id);
      }
      this.#pump();
    }
    let timer;
    await Promise.race([this.ended, new Promise((resolve) => (timer = setTimeout(resolve, LINGER_MS)))]);
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
    this.#closing = true;
    this.#pump();
  }

  /** Lets go of the socket, which stays open on the service until its lease runs out. */
  detach() {
    this.#detached = true;
    this.#attachment?.close();
    return this.ended;
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
        const { code, reason, attached } = await this.#attach();
        if (this.#isEnded) {
          return;
        }
        if (FINAL_CODES.has(code)) {
          this.#end(code === 1000 ? null : (this.#fault ?? explain(code, reason)));
          return;
        }
        if (attached) {
          this.#outage.begin();
          refusals = 0;
          this.#service.tell('disconnect', { socket: this.#id, code, reason });
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

  /**
   * Asks the REST API whether the socket can be attached to again; ends what cannot.
   *
   * A handshake would tell a browser's page nothing, and Chromium punishes those that fail: after some it delays all WebSockets by seconds.
   */
  async #mayAttach() {
    let answer;
    try {
      answer = await this.#service.request('GET', `/sockets/${this.#id}`, { signal: AbortSignal.timeout(QUESTION_MS) });
    } catch (error) {
      if (error instanceof SocketError && [401, 403, 404].includes(error.status)) {
        this.#end(this.#closing && error.status === 404 ? null : error);
        return false;
      }
    }
    if (answer && (!answer.attached || (this.#own && this.#bytes))) {
      return true;
    }
    if (answer && !this.#own) {
      this.#end(socketError('EBUSY', 'A stream is attached to this socket already.'));
    } else if (this.#outage.ms > (answer ? GHOST_MS : this.#service.leaseMs)) {
      this.#end(socketError('ETIMEDOUT', 'The stream was not taken up again in time.'));
    }
    return false;
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
    if (this.#own && this.#bytes) {
      query.set('received', String(this.#input.resumeAt()));
      query.set('window', String(WINDOW_BYTES));
    }
    let webSocket;
    try {
      webSocket = await this.#service.openWebSocket(`/sockets/${this.#id}/stream`, query);
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
        break;
      case 'closing':
        this.#service.tell('closing', { socket: this.#id });
        break;
      default:
      // A later service may say more.
    }
  }

  /** Goes on where the service says it is. */
  #resume({ socket, sent = this.#input.received, received = this.#output.taken, credit }) {
    if (this.#wasAttached) {
      this.#service.tell('reconnect', { socket: this.#id, attempts: this.#outage.attempts, downMs: this.#outage.ms });
    } else {
      this.#input.startAt(sent);
      this.#output.startAt(received);
    }
    this.#wasAttached = this.#own = true;
    this.#bytes = socket.type === 'SOCK_STREAM' && socket.state !== 'listening';
    this.#input.repeatFrom(sent);
    this.#output.take(received, credit);
    this.#output.rewind();
    this.#told = {};
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
    if (received.length > 0 && this.#starttls) {
      this.#injected();
    } else if (received.length > 0) {
      this.#sink.data(received);
    }
  }

  #secured(tls) {
    this.#tls = tls;
    this.#starttls = null;
    this.#told.starttls = false;
    this.#progress.made();
    this.#pump();
  }

  #injected() {
    this.#service.discard(this.#id);
    this.#end(new SocketError({
      errno: 'EPROTO', errnoCode: 71, strerror: 'Protocol error', tlsReason: 'starttls-injection',
      detail: 'Bytes came in clear that nobody had read when TLS was to start: whoever is on the way may have put them there.',
    }));
    this.#attachment?.close();
  }

  /** Sends what is to be sent, as far as the service has room for it; what comes behind the bytes waits for them. */
  #pump() {
    if (!this.#attachment?.isOpen || this.#told.starttls) {
      // It is sent when the next WebSocket is attached, or TLS is there.
      return;
    }
    for (let frame; (frame = this.#output.next()); ) {
      this.#transmit(frame);
    }
    if (!this.#output.isEmpty) {
      return;
    }
    if (this.#starttls) {
      this.#told.starttls = true;
      this.#control(this.#starttls);
      return;
    }
    if (this.#shutdown && !this.#told.shutdown) {
      this.#told.shutdown = true;
      this.#control({ type: 'shutdown', how: this.#shutdown });
    }
    if (this.#closing && !this.#told.close) {
      this.#told.close = true;
      this.#control({ type: 'close' });
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
    this.#transmit(JSON.stringify(message));
  }

  #transmit(data) {
    this.#attachment?.send(data);
  }

  #end(error) {
    this.#isEnded = true;
    this.#error = error;
    this.#service.links.delete(this);
    this.#input.stop();
    this.#output.clear();
    if (!error && this.#shutdown) {
      // The FIN is out, so everything before it is.
      this.#output.takeAll();
    }
    // A stream that ends because both directions have leaves the handle, and so does one that fails.
    if (!this.#keeps && !this.#detached && error?.status !== 404 && (!this.#closing || (this.#eof && this.#shutdown))) {
      this.#service.discard(this.#id);
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
