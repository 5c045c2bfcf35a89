/**
 * Sockets for pages, workers and Node: the platform's own socket APIs, and the BSD calls, on sockets that a socket-proxy service holds.
 *
 *   import { SocketProxy } from 'https://proxy.example/client/socket-proxy.js';
 *   const { TCPSocket, UDPSocket, TCPServerSocket, connect } = new SocketProxy({ url: 'https://proxy.example', token });
 *
 * `TCPSocket`, `UDPSocket` and `TCPServerSocket` are WICG Direct Sockets, `connect` is the sockets API of WinterTC and Cloudflare, and
 * `socket`, `bind`, `listen`, `accept`, `recv` … are socket(2) and its kin. docs/client.md has it all; types are in socket-proxy.d.ts.
 *
 * @license Apache-2.0
 */

// --- constants -------------------------------------------------------------------------------------------------------------------

/** Linux's numbers. Wherever a call takes one of these it also takes the name, as in `'SO_REUSEADDR'`; `constants()` has them all. */
export const constants = Object.freeze({
  AF_UNSPEC: 0, AF_UNIX: 1, AF_INET: 2, AF_INET6: 10,
  SOCK_STREAM: 1, SOCK_DGRAM: 2,
  IPPROTO_IP: 0, IPPROTO_TCP: 6, IPPROTO_UDP: 17, IPPROTO_IPV6: 41,
  SOL_SOCKET: 1, SOMAXCONN: 4096,
  SO_REUSEADDR: 2, SO_TYPE: 3, SO_ERROR: 4, SO_BROADCAST: 6, SO_SNDBUF: 7, SO_RCVBUF: 8, SO_KEEPALIVE: 9, SO_LINGER: 13,
  SO_REUSEPORT: 15, SO_ACCEPTCONN: 30,
  TCP_NODELAY: 1, TCP_MAXSEG: 2, TCP_CORK: 3, TCP_KEEPIDLE: 4, TCP_KEEPINTVL: 5, TCP_KEEPCNT: 6, TCP_INFO: 11, TCP_USER_TIMEOUT: 18,
  IP_TOS: 1, IP_TTL: 2, IPV6_UNICAST_HOPS: 16, IPV6_V6ONLY: 26,
  MSG_OOB: 0x1, MSG_PEEK: 0x2, MSG_TRUNC: 0x20, MSG_DONTWAIT: 0x40, MSG_WAITALL: 0x100, MSG_NOSIGNAL: 0x4000,
  SHUT_RD: 0, SHUT_WR: 1, SHUT_RDWR: 2,
  AI_PASSIVE: 0x1, AI_CANONNAME: 0x2, AI_NUMERICHOST: 0x4, AI_V4MAPPED: 0x8, AI_ALL: 0x10, AI_ADDRCONFIG: 0x20, AI_NUMERICSERV: 0x400,
  NI_NUMERICHOST: 1, NI_NUMERICSERV: 2, NI_NOFQDN: 4, NI_NAMEREQD: 8, NI_DGRAM: 16,
});

const PROTOCOL = 'socket-proxy.v1';
/** WebSocket's readyState. */
const OPEN = 1;
/** Kubernetes' convention for a token where no header can be set; the server never echoes it. */
const BEARER = 'base64url.bearer.authorization.socket-proxy.';

const FRAME_BYTES = 64 * 1024;
/** What is sent and not yet taken by the service for the target; a write waits beyond it. */
const SEND_WINDOW_BYTES = 1024 * 1024;
/** What is received, acknowledged, and not yet read by the page; the service stops reading the target soon after. */
const RECEIVE_WINDOW_BYTES = 256 * 1024;
/** What the service may have under way to the page: with less, browser and service wait for each other. */
const WINDOW_BYTES = 1024 * 1024;
/** An acknowledgement costs page, browser and service as much as receiving some 20 KiB. */
const ACK_BYTES = 96 * 1024;
/** The latest after which less than that is acknowledged: the service may be set to hold less. */
const ACK_MS = 20;
/** Like a kernel's receive buffer: a datagram that finds it full is dropped. */
const DATAGRAM_BUFFER_BYTES = 1024 * 1024;
const DATAGRAM_QUEUE = 32;
/** Connections that are accepted before the page asks for them; the others wait in the kernel's backlog. */
const ACCEPTED_QUEUE = 8;
/** The largest payload of UDP over IPv4. */
const MAX_DATAGRAM_BYTES = 65_507;

const HANDSHAKE_MS = 15_000;
const QUESTION_MS = 5_000;
/** How long who closes a socket waits until its last bytes are taken. */
const LINGER_MS = 10_000;
const RETRY_MS = { first: 100, longest: 2_000 };
const REFUSALS = 4;
/** How long the service may believe a WebSocket alive that is gone: by default it gives up after 80 s. */
const GHOST_MS = 120_000;
const WAIT_SLICE_MS = 25_000;
const LEASE_MS = 60_000;

/** A close code that no new WebSocket mends: the socket ended, or the service will not have it. RFC 6455 section 7.4.1. */
const FINAL_CODES = new Set([1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011]);

// --- errors ----------------------------------------------------------------------------------------------------------------------

/**
 * What a socket call failed with: `errno` (symbolic), `errnoCode` and `strerror`; for names `gaiName` and `gaiCode`.
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

function socketError(errno, detail, cause) {
  const [errnoCode, strerror] = ERRNOS[errno] ?? [];
  return new SocketError({ errno, errnoCode, strerror, detail }, cause && { cause });
}

/** What a close code other than 1000 says; its reason holds the errno's name. */
function explain(code, reason) {
  const errno = /\bE[A-Z0-9]{2,}\b/.exec(reason)?.[0] ?? 'ECONNABORTED';
  return socketError(errno, ERRNOS[errno]?.[1] ?? `the stream was closed: ${code} ${reason}`);
}

/** The error as Direct Sockets name it, with the errno beside. */
function domException(error, prefix = '') {
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

const aborted = (error) => domException(error, 'Stream aborted by the remote: ');

// --- bytes, text and addresses ----------------------------------------------------------------------------------------------------

/** The bytes of a BufferSource, not copied. */
function bytesOf(source, what = 'The chunk') {
  const buffer = ArrayBuffer.isView(source) ? source.buffer : source;
  // A foreign realm's buffer is one too, so the tag is asked and not the prototype.
  if (Object.prototype.toString.call(buffer) !== '[object ArrayBuffer]') {
    throw new TypeError(`${what} must be an ArrayBuffer or a view of one.`);
  }
  if (source.byteLength === 0) {
    // Web IDL has it that a detached buffer is an empty one; a view of it cannot be made.
    return new Uint8Array(0);
  }
  return ArrayBuffer.isView(source) ? new Uint8Array(buffer, source.byteOffset, source.byteLength) : new Uint8Array(buffer);
}

const utf8 = new TextEncoder();

function base64(bytes) {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

const base64url = (text) => base64(utf8.encode(text)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const unbase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** The 4 bytes of a dotted quad, or undefined. */
function ipv4(text) {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts?.every((part) => part < 256) ? Uint8Array.from(parts) : undefined;
}

/** The 16 bytes of an IPv6 address, or undefined. The URL parser knows every way to write one. */
function ipv6(text) {
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)) {
    return undefined;
  }
  let canonical;
  try {
    canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [head, tail] = canonical.split('::').map((half) => (half ? half.split(':') : []));
  const groups = tail ? [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail] : head;
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]));
}

function ipv6Text(bytes) {
  if (bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255) {
    return `::ffff:${bytes.subarray(12).join('.')}`;
  }
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] << 8) | bytes[2 * i + 1]).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** A datagram with its address before it, as RFC 1928 section 7 has it: two reserved bytes, a fragment, type, address, port. */
function addressed(data, host, port) {
  const numeric = ipv4(host) ?? ipv6(host);
  const name = numeric ? undefined : utf8.encode(host);
  if (name && (name.length === 0 || name.length > 255)) {
    throw new TypeError(`A host name is 1 to 255 bytes long, not ${name.length}.`);
  }
  const address = numeric ?? Uint8Array.of(name.length, ...name);
  const frame = new Uint8Array(4 + address.length + 2 + data.length);
  frame[3] = name ? 3 : address.length === 4 ? 1 : 4;
  frame.set(address, 4);
  frame.set([port >> 8, port & 255], 4 + address.length);
  frame.set(data, 6 + address.length);
  return frame;
}

function unaddressed(frame) {
  const length = frame[3] === 1 ? 4 : 16;
  const address = frame.subarray(4, 4 + length);
  return {
    data: frame.slice(6 + length),
    remoteAddress: length === 4 ? address.join('.') : ipv6Text(address),
    remotePort: (frame[4 + length] << 8) | frame[5 + length],
  };
}

/** An address as the API has it, from `{ host, port }`, `[host, port]` as Python writes it, or a path. */
function addressOf(address) {
  if (typeof address === 'string') {
    return { path: address };
  }
  if (Array.isArray(address)) {
    const [host, port, flowinfo, scopeId] = address;
    return { host, port, flowinfo, scopeId };
  }
  if (address === null || typeof address !== 'object') {
    throw new TypeError('An address is { host, port }, [host, port] or a path.');
  }
  const { host, port, flowinfo, scopeId, path } = address;
  return { host, port, flowinfo, scopeId, path };
}

/** A result that can be taken apart as Python's tuple and has names too. */
const tuple = (names, ...values) => Object.assign(values, Object.fromEntries(names.map((name, i) => [name, values[i]])));

// --- Web IDL ---------------------------------------------------------------------------------------------------------------------

const integer = (value, modulus) => {
  const number = Math.trunc(+value);
  return Number.isFinite(number) ? ((number % modulus) + modulus) % modulus : 0;
};

function enforceRange(value, maximum, name) {
  const number = Math.trunc(+value);
  if (!Number.isFinite(number) || number < 0 || number > maximum) {
    throw new TypeError(`${name} is outside the range 0 to ${maximum}.`);
  }
  return number;
}

const IDL = {
  string: (value) => `${value}`,
  boolean: Boolean,
  port: (value, name) => enforceRange(value, 0xffff, name),
  unsignedLong: (value, name) => enforceRange(value, 0xffff_ffff, name),
  dnsQueryType: (value, name) => {
    const text = `${value}`;
    if (text !== 'ipv4' && text !== 'ipv6') {
      throw new TypeError(`${name}: '${text}' is not a SocketDnsQueryType.`);
    }
    return text;
  },
};

/** A dictionary's members, converted; absent ones are undefined. */
function dictionary(value, members, name) {
  if (value !== undefined && value !== null && typeof value !== 'object' && typeof value !== 'function') {
    throw new TypeError(`${name} must be an object.`);
  }
  const result = {};
  for (const member of Object.keys(members).sort()) {
    const given = value?.[member];
    result[member] = given === undefined ? undefined : members[member](given, member);
  }
  return result;
}

function requireArguments(count, required, name) {
  if (count < required) {
    throw new TypeError(`Failed to construct '${name}': ${required} argument${required > 1 ? 's' : ''} required, but only ${count} present.`);
  }
}

function requirePositive(options, ...names) {
  for (const name of names) {
    if (options[name] === 0) {
      throw new TypeError(`${name} must be greater than zero.`);
    }
  }
}

// --- the stream of one socket -----------------------------------------------------------------------------------------------------

/** A promise and what settles it. */
function deferred() {
  const result = {};
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  result.promise.catch(() => {});
  return result;
}

/** Waits, at most until the network is back, which browsers tell. */
function pause(ms) {
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

/**
 * One socket's stream: a WebSocket that speaks socket-proxy.v1, and the next one when the network drops it.
 *
 * Both sides count bytes. What was sent is kept until the service says that it has taken it for the target, and is sent again where a new
 * WebSocket needs it; no byte is sent beyond the credit that the service gives. What was received is acknowledged as far as the page reads; the service holds a bounded amount beyond that, and when
 * that is full it stops reading the target. So a page that does not read stops the target, and its own memory stays bounded.
 */
class Link {
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
  #webSocket = null;
  #dropWebSocket = null;
  #attached = false;
  #ready = deferred();
  #ended = deferred();
  #isEnded = false;
  #error = null;
  #fault = null;
  /** For those who wait; null if nobody does. */
  #progress = null;

  #wasAttached = false;
  #lostAt = Date.now();
  #attempts = 0;

  #received = 0;
  #consumed = 0;
  #acknowledged = 0;
  #acknowledging = null;
  #repeated = 0;
  #eof = false;

  #sent = 0;
  #taken = 0;
  /** What is on its way and not taken: views, oldest first. */
  #pending = [];
  /** What is still to go on its way, behind that. */
  #unsent = [];
  /** The offset of the first byte of that, and how far the service lets it go. */
  #next = 0;
  #credit = Infinity;
  #shutdown = null;
  #closing = false;
  /** What this WebSocket's service has been told of these two. */
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
    for (let at = 0; at < bytes.length; at += FRAME_BYTES) {
      this.#requireOpen();
      const frame = bytes.subarray(at, at + FRAME_BYTES);
      this.#unsent.push(frame);
      this.#sent += frame.length;
      this.#pump();
      if (this.#sent - this.#taken > SEND_WINDOW_BYTES) {
        await this.#until(() => this.#sent - this.#taken <= SEND_WINDOW_BYTES, signal);
      }
    }
  }

  /** Sends one datagram. While no WebSocket is attached it waits for one. */
  async sendDatagram(frame, signal) {
    await this.#until(() => this.#attached, signal);
    this.#transmit(frame);
    while (this.#attached && this.#webSocket.bufferedAmount > SEND_WINDOW_BYTES) {
      await pause(5);
      signal?.throwIfAborted();
    }
  }

  /** Half-closes: the target gets a FIN after all that was sent. */
  shutdown() {
    this.#requireOpen();
    this.#shutdown = 'SHUT_WR';
    this.#pump();
  }

  /** The page has read these. */
  consumed(count) {
    this.#consumed += count;
    this.#acknowledge();
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
    this.#webSocket?.close(1000);
    return this.ended;
  }

  /** Drops the WebSocket as a failing network would; a new one goes on where it was. */
  drop() {
    this.#dropWebSocket?.(1006, 'dropped');
  }

  async #run() {
    this.#service.links.add(this);
    let refusals = 0;
    for (let first = true; ; first = false) {
      if (first || (await this.#mayAttach())) {
        const { code, reason, attached } = await this.#session();
        if (this.#isEnded) {
          return;
        }
        if (FINAL_CODES.has(code)) {
          this.#end(code === 1000 ? null : (this.#fault ?? explain(code, reason)));
          return;
        }
        if (attached) {
          this.#lostAt = Date.now();
          this.#attempts = refusals = 0;
          this.#service.tell('disconnect', { socket: this.#id, code, reason });
        } else if (this.#wasAttached ? Date.now() - this.#lostAt > this.#service.leaseMs : ++refusals >= REFUSALS) {
          this.#end(socketError('EIO', 'the service has the socket but takes no stream for it: is this page\'s origin allowed?'));
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
      if (this.#attempts > 0) {
        await pause(Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** Math.min(this.#attempts - 1, 10)) * (0.75 + Math.random() / 2));
      }
      this.#attempts += 1;
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
      this.#end(socketError('EBUSY', 'a stream is attached to this socket already'));
    } else if (Date.now() - this.#lostAt > (answer ? GHOST_MS : this.#service.leaseMs)) {
      this.#end(socketError('ETIMEDOUT', 'the stream could not be taken up again in time'));
    }
    return false;
  }

  /** One WebSocket, from its handshake to its close. */
  async #session() {
    const query = new URLSearchParams();
    if (this.#addressed) {
      query.set('addressed', 'true');
    }
    if (this.#accepts !== undefined) {
      this.#accepted = 0;
      query.set('accepts', String(this.#accepts - this.#waiting));
    }
    if (this.#own && this.#bytes) {
      // What is beyond the window is asked for again rather than acknowledged, so that a page that does not read gets no more by dropping.
      this.#acknowledged = Math.max(this.#acknowledged, this.#reach());
      query.set('received', String(this.#acknowledged));
      query.set('window', String(WINDOW_BYTES));
    }
    let webSocket;
    try {
      webSocket = await this.#service.openWebSocket(`/sockets/${this.#id}/stream`, query);
    } catch (error) {
      return { code: 1006, reason: String(error), attached: false };
    }
    return new Promise((resolve) => {
      let attached = false;
      const finish = (code, reason) => {
        clearTimeout(handshake);
        webSocket.onmessage = webSocket.onclose = null;
        this.#attached = false;
        this.#webSocket = this.#dropWebSocket = null;
        webSocket.close();
        resolve({ code, reason, attached });
      };
      const handshake = setTimeout(finish, HANDSHAKE_MS, 1006, 'the handshake took too long');
      this.#webSocket = webSocket;
      this.#dropWebSocket = finish;
      webSocket.onerror = () => {};
      webSocket.onclose = ({ code, reason }) => finish(code, String(reason));
      webSocket.onmessage = ({ data }) => {
        if (typeof data !== 'string') {
          this.#data(new Uint8Array(data));
          return;
        }
        const message = JSON.parse(data);
        if (message.type === 'attached') {
          clearTimeout(handshake);
          attached = true;
        }
        this.#message(message);
      };
    });
  }

  #message(message) {
    switch (message.type) {
      case 'attached':
        this.#resume(message);
        break;
      case 'ack':
        this.#credit = message.credit ?? Infinity;
        this.#take(message.received);
        this.#pump();
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
  #resume({ socket, sent = this.#received, received = this.#taken, credit = Infinity }) {
    const first = !this.#wasAttached;
    this.#wasAttached = this.#own = true;
    this.#bytes = socket.type === 'SOCK_STREAM' && socket.state !== 'listening';
    this.#attached = true;
    if (first) {
      this.#received = this.#consumed = this.#acknowledged = sent;
      this.#sent = this.#taken = received;
    } else {
      this.#service.tell('reconnect', { socket: this.#id, attempts: this.#attempts, downMs: Date.now() - this.#lostAt });
    }
    this.#repeated = this.#received - sent;
    this.#take(received);
    this.#unsent = [...this.#pending, ...this.#unsent];
    this.#pending = [];
    this.#next = this.#taken;
    this.#credit = credit;
    this.#told = {};
    this.#pump();
    if (this.#accepted > 0) {
      this.#control({ type: 'ack', received: this.#accepted });
    }
    this.#ready.resolve();
    this.#moved();
  }

  #data(bytes) {
    if (!this.#bytes) {
      this.#sink.data(bytes);
      return;
    }
    if (this.#repeated > 0) {
      const skipped = Math.min(this.#repeated, bytes.length);
      this.#repeated -= skipped;
      bytes = bytes.subarray(skipped);
      if (bytes.length === 0) {
        return;
      }
    }
    this.#received += bytes.length;
    // First, so that the service can go on while the page works.
    this.#acknowledge();
    this.#sink.data(bytes);
  }

  /** How far the service may forget what it sent. */
  #reach() {
    return Math.min(this.#received, this.#consumed + RECEIVE_WINDOW_BYTES);
  }

  #acknowledge() {
    const reach = this.#reach();
    if (reach - this.#acknowledged >= ACK_BYTES) {
      this.#acknowledgeNow(reach);
    } else if (reach > this.#acknowledged) {
      this.#acknowledging ??= setTimeout(() => {
        this.#acknowledging = null;
        this.#acknowledgeNow(this.#reach());
      }, ACK_MS);
    }
  }

  #acknowledgeNow(reach) {
    if (this.#attached && reach > this.#acknowledged) {
      this.#acknowledged = reach;
      this.#control({ type: 'ack', received: reach });
    }
  }

  /** Sends what is to be sent, as far as the service has room for it; what comes behind the bytes waits for them. */
  #pump() {
    if (!this.#attached || this.#webSocket.readyState !== OPEN) {
      // It is sent when the next WebSocket is attached.
      return;
    }
    while (this.#unsent.length > 0 && this.#next < this.#credit) {
      const frame = this.#unsent[0];
      const part = frame.subarray(0, this.#credit - this.#next);
      if (part.length < frame.length) {
        this.#unsent[0] = frame.subarray(part.length);
      } else {
        this.#unsent.shift();
      }
      this.#pending.push(part);
      this.#next += part.length;
      this.#transmit(part);
    }
    if (this.#unsent.length > 0) {
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

  /** The service has taken the client's bytes up to here. */
  #take(offset) {
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
    this.#moved();
  }

  #moved() {
    this.#progress?.resolve();
    this.#progress = null;
  }

  async #until(condition, signal) {
    while (!condition()) {
      this.#requireOpen();
      signal?.throwIfAborted();
      let stop;
      const stopped = new Promise((resolve) => (stop = resolve));
      signal?.addEventListener('abort', stop, { once: true });
      this.#progress ??= deferred();
      await Promise.race([this.#progress.promise, stopped]);
      signal?.removeEventListener('abort', stop);
    }
  }

  #requireOpen() {
    if (this.#isEnded) {
      throw this.#error ?? socketError('EPIPE', 'the connection has ended');
    }
  }

  #control(message) {
    this.#transmit(JSON.stringify(message));
  }

  #transmit(data) {
    // What is not sent now is sent when the next WebSocket is attached.
    if (this.#attached && this.#webSocket.readyState === OPEN) {
      this.#webSocket.send(data);
    }
  }

  #end(error) {
    this.#isEnded = true;
    this.#error = error;
    this.#service.links.delete(this);
    this.#webSocket?.close();
    clearTimeout(this.#acknowledging);
    this.#pending = this.#unsent = [];
    if (!error && this.#shutdown) {
      // The FIN is out, so everything before it is.
      this.#taken = this.#sent;
    }
    // A stream that ends because both directions have leaves the handle, and so does one that fails.
    if (!this.#keeps && !this.#detached && error?.status !== 404 && (!this.#closing || (this.#eof && this.#shutdown))) {
      this.#service.discard(this.#id);
    }
    this.#sink.end(error);
    this.#moved();
    if (error) {
      this.#ready.reject(error);
    }
    this.#ready.resolve();
    this.#ended.resolve(error);
  }
}

// --- WHATWG streams on a socket -----------------------------------------------------------------------------------------------------

/** The halves of a socket, of which `closed` waits for all: it rejects with the first error, and resolves if there was none. */
class Halves {
  #open;
  #closed = deferred();
  #error = null;
  #link;

  constructor(link, ...names) {
    this.#link = link;
    this.#open = new Set(names);
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

  async end(name, error = null) {
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
    this.fail(this.#error);
  }

  /** Settles without waiting for the rest: nothing more can happen. */
  fail(error) {
    if (error) {
      this.#closed.reject(error);
    } else {
      this.#closed.resolve();
    }
  }
}

/** A byte stream each way: what a connected TCP socket has. */
class ByteStreams {
  #link;
  #open = null;
  #halves;
  #input;
  #output;
  #chunks = [];
  #wanted = false;
  #eof = false;
  #finishing = false;
  #failure = null;
  #onEof;

  /**
   * @param open gives the Link, and is told this as its sink; the streams can be used before it does
   * @param onEof called when the page has read everything that the peer sent before its FIN
   */
  constructor(open, { onEof = () => {} } = {}) {
    this.#onEof = onEof;
    this.#link = open(this);
    this.#link.then((link) => (this.#open = link), (error) => this.end(error));
    this.#halves = new Halves(this.#link, 'readable', 'writable');
    this.readable = new ReadableStream({
      type: 'bytes',
      start: (controller) => void (this.#input = controller),
      pull: () => this.#pull(),
      cancel: () => this.#cancel(),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream({
      start: (controller) => void (this.#output = controller),
      write: (chunk) => this.#write(chunk),
      close: () => this.#finish(),
      abort: () => this.#finish(),
    }, { highWaterMark: 1 });
  }

  get closed() {
    return this.#halves.closed;
  }

  get locked() {
    return this.readable.locked || this.writable.locked;
  }

  get link() {
    return this.#link;
  }

  // As the Link's sink.

  data(bytes) {
    if (!this.#halves.isOpen('readable')) {
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
    const failure = aborted(error ?? socketError('EPIPE', 'the socket was closed on the service'));
    if (error && this.#halves.areOpen) {
      this.#halves.fail(failure);
    }
    if (this.#halves.isOpen('writable') && (error || !this.#finishing)) {
      this.#output.error(failure);
      this.#halves.end('writable', failure);
    }
    // What came before is still there to be read, as in the kernel.
    this.#failure = error ? failure : null;
    this.eof();
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
      this.#link.then((link) => link.consumed(count), () => {});
    }
  }

  /** When all is read that has come: the end, or the error that came after it. */
  #drained() {
    if (this.#chunks.length > 0 || !this.#halves.isOpen('readable')) {
      return;
    }
    if (this.#failure) {
      this.#input.error(this.#failure);
      this.#halves.end('readable', this.#failure);
    } else if (this.#eof) {
      this.#close();
      this.#halves.end('readable');
      this.#onEof();
    }
  }

  #close() {
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
    this.#halves.end('readable');
    // From here on what comes is thrown away, so that a peer that goes on sending does not block.
    this.#consumed(unread);
  }

  // As the writable's sink.

  async #write(chunk) {
    try {
      // A copy: the bytes may have to be sent again, when the page has long put others into its buffer.
      const bytes = bytesOf(chunk).slice();
      const link = await this.#link;
      await link.send(bytes, this.#output.signal);
    } catch (error) {
      throw this.#broken(error);
    }
  }

  /** Half-closes, behind all that was written. */
  async #finish() {
    this.#finishing = true;
    try {
      const link = await this.#link;
      link.shutdown();
    } catch (error) {
      throw this.#broken(error);
    }
    this.#halves.end('writable');
  }

  #broken(error) {
    const failure = aborted(error);
    // An abort goes on with the sink's abort.
    if (!this.#output.signal.aborted) {
      this.#halves.end('writable', failure);
    }
    return failure;
  }

  // For who closes without asking the streams' holders.

  /** Ends the writable with a FIN. */
  finish() {
    if (this.#halves.isOpen('writable')) {
      this.#output.error(aborted(socketError('EPIPE', 'the peer has closed the connection, and allowHalfOpen is false')));
      this.#finish().catch(() => {});
    }
  }

  /** Ends both as cancel and abort do, locked or not. */
  abandon(reason) {
    if (this.#halves.isOpen('writable')) {
      this.#output.error(reason);
      this.#finish().catch(() => {});
    }
    if (this.#halves.isOpen('readable')) {
      this.#close();
      this.#cancel();
    }
  }
}

/** Messages each way, with addresses where the socket is bound and not connected. */
class DatagramStreams {
  #link;
  #halves;
  #input;
  #output;
  #bound;
  #resolve;
  #queue = [];
  #queuedBytes = 0;

  constructor(open, { bound, resolve }) {
    this.#bound = bound;
    this.#resolve = resolve;
    this.#link = open(this);
    this.#link.catch((error) => this.end(error));
    this.#halves = new Halves(this.#link, 'readable', 'writable');
    this.readable = new ReadableStream({
      start: (controller) => void (this.#input = controller),
      pull: () => this.#fill(),
      cancel: () => void this.#halves.end('readable'),
    }, { highWaterMark: DATAGRAM_QUEUE });
    this.writable = new WritableStream({
      start: (controller) => void (this.#output = controller),
      write: (message) => this.#write(message),
      close: () => void this.#halves.end('writable'),
      abort: () => void this.#halves.end('writable'),
    }, { highWaterMark: 1 });
  }

  get closed() {
    return this.#halves.closed;
  }

  get locked() {
    return this.readable.locked || this.writable.locked;
  }

  get link() {
    return this.#link;
  }

  data(frame) {
    if (this.#halves.isOpen('readable') && this.#queuedBytes + frame.length <= DATAGRAM_BUFFER_BYTES) {
      this.#queue.push(frame);
      this.#queuedBytes += frame.length;
      this.#fill();
    }
  }

  /** Of an unconnected socket it is about one message that was sent; of a connected one it is about the peer. */
  fault(error) {
    this.#fail(aborted(error), this.#bound ? ['writable'] : ['readable', 'writable']);
  }

  end(error) {
    this.#fail(aborted(error ?? socketError('ECONNABORTED', 'the socket was closed on the service')), ['readable', 'writable']);
  }

  #fail(failure, names) {
    for (const name of names) {
      if (this.#halves.isOpen(name)) {
        (name === 'readable' ? this.#input : this.#output).error(failure);
        this.#halves.end(name, failure);
      }
    }
  }

  #fill() {
    while (this.#queue.length > 0 && this.#input.desiredSize > 0) {
      const frame = this.#queue.shift();
      this.#queuedBytes -= frame.length;
      this.#input.enqueue(this.#bound ? unaddressed(frame) : { data: frame });
    }
  }

  async #write(chunk) {
    try {
      const frame = await this.#frame(chunk);
      const link = await this.#link;
      await link.sendDatagram(frame, this.#output.signal);
    } catch (error) {
      const failure = aborted(error);
      if (!this.#output.signal.aborted) {
        this.#halves.end('writable', failure);
      }
      throw failure;
    }
  }

  async #frame(chunk) {
    const message = dictionary(chunk, {
      data: (value) => bytesOf(value, "UDPMessage: 'data'").slice(),
      remoteAddress: IDL.string,
      remotePort: (value) => integer(value, 0x10000),
      dnsQueryType: IDL.dnsQueryType,
    }, 'UDPMessage');
    const { data, remoteAddress, remotePort, dnsQueryType } = message;
    if (!data) {
      throw new TypeError("UDPMessage: missing 'data' field.");
    }
    if ((remoteAddress === undefined) !== (remotePort === undefined)) {
      throw new TypeError("UDPMessage: either none or both 'remoteAddress' and 'remotePort' fields must be specified.");
    }
    if (!this.#bound && remoteAddress !== undefined) {
      throw new TypeError("UDPMessage: 'remoteAddress' and 'remotePort' must not be specified in 'connected' mode.");
    }
    if (this.#bound && remoteAddress === undefined) {
      throw new TypeError("UDPMessage: 'remoteAddress' and 'remotePort' must be specified in 'bound' mode.");
    }
    if (!this.#bound && dnsQueryType !== undefined) {
      throw new TypeError("UDPMessage: 'dnsQueryType' must not be specified in 'connected' mode.");
    }
    if (data.length === 0) {
      throw new TypeError("UDPMessage: 'data' field must not be empty.");
    }
    if (data.length > MAX_DATAGRAM_BYTES) {
      throw socketError('EMSGSIZE', `a datagram holds at most ${MAX_DATAGRAM_BYTES} bytes, not ${data.length}`);
    }
    return this.#bound ? addressed(data, await this.#resolve(remoteAddress, dnsQueryType), remotePort) : data;
  }
}

/** Accepted connections, one at a time as they are asked for. */
class AcceptStream {
  #link;
  #halves;
  #input;
  #adopt;
  #discard;
  #queue = [];
  #wanted = false;

  constructor(open, { adopt, discard }) {
    this.#adopt = adopt;
    this.#discard = discard;
    this.#link = open(this);
    this.#link.catch((error) => this.end(error));
    this.#halves = new Halves(this.#link, 'readable');
    this.readable = new ReadableStream({
      start: (controller) => void (this.#input = controller),
      pull: () => {
        this.#wanted = true;
        this.#deliver();
      },
      cancel: () => this.#cancel(),
    }, { highWaterMark: 0 });
  }

  get closed() {
    return this.#halves.closed;
  }

  get locked() {
    return this.readable.locked;
  }

  get link() {
    return this.#link;
  }

  data() {}

  accepted({ socket }) {
    if (!this.#halves.isOpen('readable')) {
      this.#discard(socket.id);
      return;
    }
    // Adopted at once: a handle without a stream does not live long, and what has come for it is there when it is taken.
    this.#queue.push(this.#adopt(socket));
    this.#deliver();
  }

  end(error) {
    if (this.#halves.isOpen('readable')) {
      const failure = domException(error ?? socketError('ECONNABORTED', 'the socket was closed on the service'), 'Server socket closed: ');
      this.#input.error(failure);
      this.#halves.end('readable', failure);
    }
    this.#drop();
  }

  #deliver() {
    if (this.#wanted && this.#queue.length > 0) {
      this.#wanted = false;
      this.#input.enqueue(this.#queue.shift());
      this.#link.then((link) => link.accept());
    }
  }

  #cancel() {
    this.#halves.end('readable');
    this.#drop();
  }

  /** Nobody will ever ask for these. */
  #drop() {
    for (const socket of this.#queue.splice(0)) {
      socket.close();
    }
  }
}

// --- Direct Sockets -----------------------------------------------------------------------------------------------------------------

/** Handed to a constructor in the place of its first argument, with a socket that is open already. */
const ADOPTED = Symbol('adopted');

const states = new WeakMap();

/** What `opened` resolves with: the members in the order of Web IDL, and no others. */
function openInfo({ readable, writable }, { localAddress, remoteAddress }) {
  return {
    ...(localAddress && { localAddress: localAddress.host, localPort: localAddress.port }),
    readable,
    ...(remoteAddress && { remoteAddress: remoteAddress.host, remotePort: remoteAddress.port }),
    ...(writable && { writable }),
  };
}

/** What a Direct Sockets object goes through: opening, then open or failed, and from open to closed. */
class State {
  #opened;
  #shown;

  constructor() {
    this.phase = 'opening';
    this.streams = null;
    this.closed = deferred();
  }

  /** @param open gives `{ info, streams }`: the addresses, and what is behind the socket */
  open(open) {
    this.#opened = open.then(
      ({ info, streams }) => {
        this.#become(streams);
        return openInfo(streams, info);
      },
      (error) => {
        const exception = domException(error);
        this.phase = 'failed';
        this.closed.reject(exception);
        throw exception;
      },
    );
    this.#opened.catch(() => {});
  }

  adopt(info, streams) {
    this.#become(streams);
    this.#opened = Promise.resolve(openInfo(streams, info));
  }

  #become(streams) {
    this.phase = 'open';
    this.streams = streams;
    streams.closed.then(
      () => {
        this.phase = 'closed';
        this.closed.resolve();
      },
      (error) => {
        this.phase = 'closed';
        this.closed.reject(error);
      },
    );
  }

  /** Made when somebody looks, so that nobody is told of a rejection that they did not ask about. */
  get opened() {
    return (this.#shown ??= this.#opened.then((info) => info));
  }

  close() {
    if (this.phase === 'opening' || this.phase === 'failed') {
      return Promise.reject(new DOMException('Socket is not properly initialized.', 'InvalidStateError'));
    }
    if (this.phase === 'open') {
      if (this.streams.locked) {
        return Promise.reject(new DOMException('Close called on locked streams.', 'InvalidStateError'));
      }
      const reason = new DOMException('Stream closed.', 'AbortError');
      this.streams.readable.cancel(reason).catch(() => {});
      this.streams.writable?.abort(reason).catch(() => {});
    }
    return this.closed.promise;
  }
}

/** Gives a class the members that all three interfaces have, as Web IDL would. */
function defineInterface(Class, name) {
  const stateOf = (socket) => {
    if (!(socket instanceof Class) || !states.has(socket)) {
      throw new TypeError(`This is no ${name}.`);
    }
    return states.get(socket);
  };
  const attempt = (socket, get) => {
    try {
      return get(stateOf(socket));
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const members = {
    get opened() {
      return attempt(this, (state) => state.opened);
    },
    get closed() {
      return attempt(this, (state) => state.closed.promise);
    },
    close() {
      return attempt(this, (state) => state.close());
    },
  };
  // A minifier may have given it another.
  Object.defineProperty(Class, 'name', { value: name, configurable: true });
  Object.defineProperties(Class.prototype, Object.getOwnPropertyDescriptors(members));
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: name, configurable: true });
}

const FAMILIES = { ipv4: constants.AF_INET, ipv6: constants.AF_INET6 };

const BUFFERS = { sendBufferSize: IDL.unsignedLong, receiveBufferSize: IDL.unsignedLong };

/** The three classes of Direct Sockets, on this service. */
function directSockets(service) {
  /** The streams of a socket that the service has, as its kind has them. */
  const streamsOf = (Streams, { id, own }, options) =>
    new Streams(async (sink) => new Link(service, id, sink, {
      own, bytes: Streams === ByteStreams, addressed: options?.bound, accepts: options?.accepts,
    }), options);

  /** Opens a socket and its stream; what was opened is closed again if the rest fails. */
  async function opening(Streams, socketJson, options, settings = []) {
    const { id } = socketJson;
    const streams = streamsOf(Streams, socketJson, options);
    try {
      const link = await streams.link;
      await Promise.all([link.ready, ...settings.map(([level, name, value]) => service.setOption(id, level, name, value))]);
    } catch (error) {
      service.discard(id);
      throw error;
    }
    return streams;
  }

  const acceptOptions = {
    accepts: ACCEPTED_QUEUE,
    adopt: (socketJson) => new TCPSocket(ADOPTED, socketJson),
    discard: (id) => service.discard(id),
  };

  class TCPSocket {
    constructor(remoteAddress, remotePort, options = {}) {
      const state = new State();
      states.set(this, state);
      if (remoteAddress === ADOPTED) {
        const socketJson = remotePort;
        state.adopt(socketJson, streamsOf(ByteStreams, socketJson));
        return;
      }
      requireArguments(arguments.length, 2, 'TCPSocket');
      const host = IDL.string(remoteAddress);
      const port = integer(remotePort, 0x10000);
      const wanted = dictionary(options, {
        ...BUFFERS, noDelay: IDL.boolean, keepAliveDelay: IDL.unsignedLong, dnsQueryType: IDL.dnsQueryType,
      }, 'TCPSocketOptions');
      requirePositive(wanted, 'sendBufferSize', 'receiveBufferSize');
      if (wanted.keepAliveDelay < 1_000) {
        throw new TypeError('keepAliveDelay must be no less than 1,000 milliseconds.');
      }
      state.open(TCPSocket.#open(host, port, wanted));
    }

    static async #open(host, port, { dnsQueryType, sendBufferSize, receiveBufferSize, noDelay, keepAliveDelay }) {
      const buffers = [['SO_SNDBUF', sendBufferSize], ['SO_RCVBUF', receiveBufferSize]].filter(([, size]) => size !== undefined);
      const socketJson = await service.open(host, port, FAMILIES[dnsQueryType], 'SOCK_STREAM', buffers);
      const seconds = Math.floor(keepAliveDelay / 1000);
      const streams = await opening(ByteStreams, socketJson, undefined, [
        ...(noDelay ? [['IPPROTO_TCP', 'TCP_NODELAY', 1]] : []),
        ...(keepAliveDelay === undefined ? [] : [
          ['SOL_SOCKET', 'SO_KEEPALIVE', 1], ['IPPROTO_TCP', 'TCP_KEEPIDLE', seconds], ['IPPROTO_TCP', 'TCP_KEEPINTVL', seconds],
        ]),
      ]);
      return { streams, info: socketJson };
    }
  }

  class UDPSocket {
    constructor(options = {}) {
      const state = new State();
      states.set(this, state);
      if (options === ADOPTED) {
        const [, socketJson] = arguments;
        const bound = !socketJson.remoteAddress;
        state.adopt(socketJson, streamsOf(DatagramStreams, socketJson, { bound, resolve }));
        return;
      }
      const wanted = dictionary(options, {
        ...BUFFERS, remoteAddress: IDL.string, remotePort: IDL.port, localAddress: IDL.string, localPort: IDL.port,
        dnsQueryType: IDL.dnsQueryType, ipv6Only: IDL.boolean,
      }, 'UDPSocketOptions');
      const { remoteAddress, remotePort, localAddress, localPort, dnsQueryType, ipv6Only } = wanted;
      const connected = remoteAddress !== undefined && remotePort !== undefined;
      const bound = localAddress !== undefined;
      if (!connected && (remoteAddress !== undefined || remotePort !== undefined)) {
        throw new TypeError('remoteAddress and remotePort should either be specified together or not specified at all.');
      }
      if (connected && bound) {
        throw new TypeError('remoteAddress and localAddress cannot be specified at the same time.');
      }
      if (!bound && localPort !== undefined) {
        throw new TypeError('localPort cannot be specified without localAddress.');
      }
      if (!connected && !bound) {
        throw new TypeError('neither remoteAddress nor localAddress specified.');
      }
      if (bound && !ipv4(localAddress) && !ipv6(localAddress)) {
        throw new TypeError('localAddress must be a valid IP address.');
      }
      if (localPort === 0) {
        throw new TypeError('localPort must be greater than zero. Leave this field unassigned to allow the OS to pick a port on its own.');
      }
      if (bound && dnsQueryType !== undefined) {
        throw new TypeError('dnsQueryType is only relevant when remoteAddress is specified.');
      }
      if (connected && ipv6Only !== undefined) {
        throw new TypeError('ipv6Only can only be specified with localAddress.');
      }
      if (ipv6Only !== undefined && !isUnspecified(localAddress)) {
        throw new TypeError('ipv6Only can only be specified when localAddress is [::] or equivalent.');
      }
      requirePositive(wanted, 'sendBufferSize', 'receiveBufferSize');
      state.open(connected ? UDPSocket.#connect(wanted) : UDPSocket.#bind(wanted));
    }

    static async #connect({ remoteAddress, remotePort, dnsQueryType, sendBufferSize, receiveBufferSize }) {
      if (remotePort === 0) {
        throw socketError('EINVAL', 'no datagram can be sent to port 0');
      }
      const socketJson = await service.open(remoteAddress, remotePort, FAMILIES[dnsQueryType], 'SOCK_DGRAM', []);
      const streams = await opening(DatagramStreams, socketJson, { bound: false }, bufferSettings(sendBufferSize, receiveBufferSize));
      return { streams, info: socketJson };
    }

    static async #bind({ localAddress, localPort, ipv6Only, sendBufferSize, receiveBufferSize }) {
      const family = ipv4(localAddress) ? 'AF_INET' : 'AF_INET6';
      const socketJson = await service.bound(family, 'SOCK_DGRAM', { host: localAddress, port: localPort ?? 0 }, ipv6Only);
      const streams = await opening(DatagramStreams, socketJson, { bound: true, resolve }, bufferSettings(sendBufferSize, receiveBufferSize));
      return { streams, info: socketJson };
    }
  }

  class TCPServerSocket {
    constructor(localAddress, options = {}) {
      const state = new State();
      states.set(this, state);
      if (localAddress === ADOPTED) {
        state.adopt(options, streamsOf(AcceptStream, options, acceptOptions));
        return;
      }
      requireArguments(arguments.length, 1, 'TCPServerSocket');
      const host = IDL.string(localAddress);
      const wanted = dictionary(options, { localPort: IDL.port, backlog: IDL.unsignedLong, ipv6Only: IDL.boolean }, 'TCPServerSocketOptions');
      if (!ipv4(host) && !ipv6(host)) {
        throw new TypeError('localAddress must be a valid IP address.');
      }
      if (wanted.localPort === 0) {
        throw new TypeError('localPort must be greater than zero. Leave this field unassigned to allow the OS to pick a port on its own.');
      }
      requirePositive(wanted, 'backlog');
      if (wanted.ipv6Only && !isUnspecified(host)) {
        throw new TypeError('ipv6Only can only be specified when localAddress is [::] or equivalent.');
      }
      state.open(TCPServerSocket.#open(host, wanted));
    }

    static async #open(host, { localPort, backlog, ipv6Only }) {
      const family = ipv4(host) ? 'AF_INET' : 'AF_INET6';
      const bound = await service.bound(family, 'SOCK_STREAM', { host, port: localPort ?? 0 }, ipv6Only);
      try {
        await service.request('POST', `/sockets/${bound.id}/listen`, { json: { backlog: Math.min(backlog ?? 128, 0x7fff_ffff) } });
      } catch (error) {
        service.discard(bound.id);
        throw error;
      }
      return { streams: await opening(AcceptStream, bound, acceptOptions), info: bound };
    }
  }

  const isUnspecified = (host) => ipv6(host)?.every((byte) => byte === 0) ?? false;

  const bufferSettings = (sendBufferSize, receiveBufferSize) =>
    [['SOL_SOCKET', 'SO_SNDBUF', sendBufferSize], ['SOL_SOCKET', 'SO_RCVBUF', receiveBufferSize]].filter(([, , size]) => size !== undefined);

  /** What a message is sent to: a name only where no family is asked for, since the service resolves it in the socket's. */
  const resolve = async (host, dnsQueryType) => {
    if (dnsQueryType === undefined || ipv4(host) || ipv6(host)) {
      return host;
    }
    const [info] = await service.getaddrinfo(host, null, FAMILIES[dnsQueryType], constants.SOCK_DGRAM);
    return info.sockaddr.host;
  };

  for (const [Class, name] of [[TCPSocket, 'TCPSocket'], [UDPSocket, 'UDPSocket'], [TCPServerSocket, 'TCPServerSocket']]) {
    defineInterface(Class, name);
  }
  return { TCPSocket, UDPSocket, TCPServerSocket };
}

// --- connect() ----------------------------------------------------------------------------------------------------------------------

/** An error as the sockets API has it: a TypeError whose message starts with `SocketError: `. The errno is beside. */
function connectError(error) {
  const result = new TypeError(`SocketError: ${error.message}`, { cause: error });
  return error instanceof SocketError ? Object.assign(result, { errno: error.errno, errnoCode: error.errnoCode, strerror: error.strerror }) : result;
}

/** What `connect(address)` returns: a TCP connection, whose streams can be used at once. */
class Socket {
  #streams;
  #opened = deferred();
  #closed = deferred();

  constructor(service, { hostname, port }, { allowHalfOpen }) {
    const socketJson = service.open(hostname, port, undefined, 'SOCK_STREAM', []);
    this.#streams = new ByteStreams(
      async (sink) => {
        const { id } = await socketJson;
        const link = new Link(service, id, sink);
        await link.ready;
        return link;
      },
      { onEof: () => allowHalfOpen || this.#streams.finish() },
    );
    Promise.all([socketJson, this.#streams.link]).then(
      ([{ remoteAddress, localAddress }]) => this.#opened.resolve({ remoteAddress: authority(remoteAddress), localAddress: authority(localAddress), alpn: null }),
      (error) => this.#opened.reject(connectError(error)),
    );
    this.#streams.closed.then(this.#closed.resolve, (error) => this.#closed.reject(connectError(error.cause ?? error)));
  }

  get readable() {
    return this.#streams.readable;
  }

  get writable() {
    return this.#streams.writable;
  }

  get opened() {
    return this.#opened.promise;
  }

  get closed() {
    return this.#closed.promise;
  }

  get upgraded() {
    return false;
  }

  get secureTransport() {
    return 'off';
  }

  /** Closes both ways, whoever reads or writes. */
  close(reason) {
    const why = reason ?? new DOMException('The socket was closed.', 'AbortError');
    this.#opened.reject(why);
    this.#streams.abandon(why);
    return this.closed;
  }

  startTls() {
    throw new TypeError('SocketError: startTls() is not supported yet: the service has no TLS to the target.');
  }

  get [Symbol.toStringTag]() {
    return 'Socket';
  }
}

const authority = ({ host, port } = {}) => (host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** `host:port`, `[v6]:port` or `{ hostname, port }`. */
function anySocketAddress(address) {
  let hostname;
  let port;
  if (typeof address === 'string') {
    [, hostname, port] = /^(.+):(\d{1,5})$/.exec(address) ?? [];
    if (hostname?.includes(':') && !/^\[.*\]$/.test(hostname)) {
      hostname = undefined;
    }
  } else {
    ({ hostname, port } = address ?? {});
  }
  const number = Number(port);
  if (typeof hostname !== 'string' || hostname === '' || !Number.isInteger(number) || number < 0 || number > 0xffff) {
    throw new TypeError('SocketError: the address must be "hostname:port" or { hostname, port }.');
  }
  return { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: number };
}

// --- the BSD calls --------------------------------------------------------------------------------------------------------------------

const isFlag = (flags, name) => (typeof flags === 'number' ? (flags & constants[name]) !== 0 : `${flags ?? ''}`.includes(name));

/**
 * A socket by its handle, with the calls of socket(2) as methods: what `socket()` returns.
 *
 * Every method is one call of the service, and rejects with a SocketError that has the errno. A call that waits takes `{ timeoutMs, signal }`
 * last; without a timeout it waits for as long as it takes, and when one runs out the errno is EAGAIN, as with SO_RCVTIMEO.
 */
class BsdSocket {
  #service;

  constructor(service, { id, family, type, proto }) {
    this.#service = service;
    this.id = id;
    this.family = family;
    this.type = type;
    this.proto = proto;
  }

  bind(address) {
    return this.#post('bind', addressOf(address));
  }

  listen(backlog = 128) {
    return this.#post('listen', { backlog });
  }

  /** connect(2). Without a timeout, the service's own limit is the limit. */
  async connect(address, { timeoutMs, signal } = {}) {
    await this.#service.patiently(() => this.#post('connect', { ...addressOf(address), timeoutMs }, signal));
  }

  /** The connection and its address. */
  accept(options) {
    return this.#wait('POLLIN', options, async (query, signal) => {
      const accepted = await this.#service.request('POST', `/sockets/${this.id}/accept`, { query, signal });
      return accepted && tuple(['socket', 'address'], new BsdSocket(this.#service, accepted.socket), accepted.address);
    });
  }

  /** Up to so many bytes; none at the end of the stream. */
  recv(bufsize, flags, options) {
    return this.#wait('POLLIN', options, (query, signal) =>
      this.#service.request('POST', `/sockets/${this.id}/recv`, { query: { bufsize, flags, ...query }, signal, accept: 'application/octet-stream' }), flags);
  }

  /** The bytes and the address of who sent them. */
  recvfrom(bufsize, flags, options) {
    return this.#wait('POLLIN', options, async (query, signal) => {
      const message = await this.#service.request('POST', `/sockets/${this.id}/recvfrom`, { query: { bufsize, flags, ...query }, signal });
      return message && tuple(['data', 'address', 'flags'], unbase64(message.data), message.address, message.flags);
    }, flags);
  }

  /** Receives into the caller's buffer; how many bytes. */
  async recvInto(buffer, nbytes, flags, options) {
    const target = bytesOf(buffer, 'The buffer');
    const bytes = await this.recv(room(target, nbytes), flags, options);
    target.set(bytes);
    return bytes.length;
  }

  /** Receives into the caller's buffer; how many bytes, and the address of who sent them. */
  async recvfromInto(buffer, nbytes, flags, options) {
    const target = bytesOf(buffer, 'The buffer');
    const { data, address } = await this.recvfrom(room(target, nbytes), flags, options);
    target.set(data);
    return tuple(['nbytes', 'address'], data.length, address);
  }

  /** How many bytes were sent, which may be fewer than given. */
  send(data, flags, options) {
    const body = bytesOf(data, 'The data');
    return this.#wait('POLLOUT', options, async (query, signal) => {
      try {
        return (await this.#service.request('POST', `/sockets/${this.id}/send`, { query: { flags, ...query }, body, signal })).sent;
      } catch (error) {
        if (error.errno !== 'EAGAIN' || error.status !== 409) {
          throw error;
        }
        return undefined;
      }
    }, flags);
  }

  /** Sends everything; an error has in `sent` how much was sent before it. */
  async sendall(data, flags, options) {
    const bytes = bytesOf(data, 'The data');
    let sent = 0;
    do {
      try {
        sent += await this.send(bytes.subarray(sent, sent + SEND_WINDOW_BYTES), flags, options);
      } catch (error) {
        throw error instanceof SocketError ? Object.assign(error, { sent }) : error;
      }
    } while (sent < bytes.length);
  }

  /** Sends a datagram: `sendto(data, address)` or `sendto(data, flags, address)`. */
  async sendto(data, ...rest) {
    const [flags, address] = rest.length > 1 ? rest : [undefined, ...rest];
    const query = { ...addressOf(address), flags };
    return (await this.#service.request('POST', `/sockets/${this.id}/sendto`, { query, body: bytesOf(data, 'The data') })).sent;
  }

  shutdown(how) {
    return this.#post('shutdown', { how });
  }

  async close() {
    await this.#service.request('DELETE', `/sockets/${this.id}`);
  }

  getsockname() {
    return this.#service.request('GET', `/sockets/${this.id}/sockname`);
  }

  getpeername() {
    return this.#service.request('GET', `/sockets/${this.id}/peername`);
  }

  /** An option's value: an integer, or its bytes if a length is given. */
  async getsockopt(level, name, length) {
    const { value, data } = await this.#service.request('GET', `/sockets/${this.id}/options/${level}/${name}`, { query: { length } });
    return length === undefined ? value : unbase64(data);
  }

  /** Sets an option to an integer, to bytes, or, with null and a length, to a null value. */
  async setsockopt(level, name, value, length) {
    const json = value === null ? { length } : typeof value === 'number' ? { value } : { data: base64(bytesOf(value, 'The value')) };
    await this.#service.request('PUT', `/sockets/${this.id}/options/${level}/${name}`, { json });
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close().catch((error) => {
      if (error.errno !== 'EBADF') {
        throw error;
      }
    });
  }

  get [Symbol.toStringTag]() {
    return 'BsdSocket';
  }

  async #post(call, json, signal) {
    await this.#service.request('POST', `/sockets/${this.id}/${call}`, { json, signal });
  }

  /**
   * Repeats a call until it has a result, which undefined is not.
   *
   * A few calls wait on the service itself. A browser has six connections to a server (HTTP/1.1), so that more would leave none for the call that
   * ends the waiting: those wait together, in one poll(2) for all.
   */
  async #wait(events, { timeoutMs, signal } = {}, call, flags) {
    const deadline = isFlag(flags, 'MSG_DONTWAIT') ? 0 : Date.now() + (timeoutMs ?? Infinity);
    for (;;) {
      const left = Math.max(0, deadline - Date.now());
      const result = await this.#service.waiting(left, (slice) => call({ timeoutMs: slice }, signal));
      if (result !== undefined) {
        return result;
      }
      if (Date.now() >= deadline) {
        throw socketError('EAGAIN', 'nothing came in time');
      }
      await this.#service.poller.ready(this.id, events, deadline, signal);
    }
  }
}

function room(target, nbytes) {
  // As in Python: none, or 0, stands for the whole buffer.
  const size = nbytes || target.length;
  if (size > target.length) {
    throw new RangeError(`nbytes is ${size}, but the buffer holds ${target.length} bytes.`);
  }
  return size;
}

/** Everything that waits without a connection of its own: one poll(2) at a time, begun anew when someone joins. */
class Poller {
  #service;
  #waiters = new Set();
  #polling = null;

  constructor(service) {
    this.#service = service;
  }

  /** Resolves when the socket may be ready, or the deadline has passed. */
  ready(id, events, deadline, signal) {
    return new Promise((resolve, reject) => {
      const waiter = {
        id, events, deadline,
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
        this.#polling.abort(this);
      } else {
        this.#run();
      }
    });
  }

  async #run() {
    while (this.#waiters.size > 0) {
      const waiters = [...this.#waiters];
      const timeoutMs = Math.max(0, Math.min(WAIT_SLICE_MS, ...waiters.map((waiter) => waiter.deadline - Date.now())));
      this.#polling = new AbortController();
      try {
        const { ready } = await this.#service.request('POST', '/sockets/poll', {
          json: { sockets: waiters.map(({ id, events }) => ({ id, events: [events] })), timeoutMs: Math.ceil(timeoutMs) },
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

// --- the service ----------------------------------------------------------------------------------------------------------------------

/** The REST API and the handshakes, with the credential. */
class Service {
  #base;
  #token;
  #WebSocket;
  #fetch;
  #tell;
  #direct;
  #turns = [];

  constructor({ url, token, WebSocket, fetch, leaseMs, waits }, tell) {
    this.#base = baseOf(url);
    this.#token = token;
    this.#WebSocket = WebSocket ?? globalThis.WebSocket;
    this.#fetch = fetch ?? globalThis.fetch;
    this.#tell = tell;
    this.#direct = waits;
    this.leaseMs = leaseMs;
    this.links = new Set();
    this.poller = new Poller(this);
    if (!this.#WebSocket) {
      throw new TypeError("There is no WebSocket here. Pass one: new SocketProxy({ …, WebSocket }), for example npm's ws.");
    }
    // A page that goes takes its sockets with it.
    globalThis.addEventListener?.('pagehide', ({ persisted }) => persisted || this.links.forEach((link) => link.abandon()));
  }

  tell(type, detail) {
    this.#tell(type, detail);
  }

  async #bearer() {
    return typeof this.#token === 'function' ? this.#token() : this.#token;
  }

  async openWebSocket(path, query) {
    const url = new URL(`${this.#base}/api/v1${path}`);
    url.protocol = url.protocol.replace('http', 'ws');
    url.search = query;
    const token = await this.#bearer();
    const webSocket = new this.#WebSocket(url.href, token ? [PROTOCOL, BEARER + base64url(token)] : [PROTOCOL]);
    webSocket.binaryType = 'arraybuffer';
    return webSocket;
  }

  /** The answer's JSON, or its bytes; undefined if it has none (204). Rejects with a SocketError. */
  async request(method, path, { query = {}, json, body, signal, accept = 'application/json', keepalive } = {}) {
    const url = new URL(`${this.#base}/api/v1${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null) {
        url.searchParams.set(name, Array.isArray(value) ? value.join('|') : value);
      }
    }
    const headers = { accept };
    const token = await this.#bearer();
    if (token) {
      headers.authorization = `Bearer ${token}`;
    }
    if (json !== undefined) {
      headers['content-type'] = 'application/json';
      body = JSON.stringify(json);
    } else if (body !== undefined) {
      headers['content-type'] = 'application/octet-stream';
    }
    let response;
    let content;
    try {
      const fetch = this.#fetch;
      response = await fetch(url, { method, headers, body, signal, keepalive, cache: 'no-store', credentials: 'omit' });
      content = response.status === 204 ? undefined
        : response.ok && accept === 'application/octet-stream' ? new Uint8Array(await response.arrayBuffer())
        : await response.text();
    } catch (error) {
      if (signal?.aborted) {
        throw signal.reason;
      }
      throw socketError('ENETDOWN', `the service at ${this.#base} cannot be reached: ${error.cause?.message ?? error.message}`, error);
    }
    if (!response.ok) {
      throw new SocketError(problemOf(response, content));
    }
    return typeof content === 'string' ? JSON.parse(content) : content;
  }

  /** Runs a call that may wait long. Only so many at once; the others wait for their turn. */
  async patiently(call) {
    if (this.#direct > 0) {
      this.#direct -= 1;
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
        this.#direct += 1;
      }
    }
  }

  /** Runs a call that waits for up to so long; for no time, if too many wait already. */
  waiting(left, call) {
    return left > 0 && this.#direct > 0 ? this.patiently(() => call(Math.ceil(Math.min(left, WAIT_SLICE_MS)))) : call(0);
  }

  /** Opens and connects a socket, of whose buffers the sizes have to be set before: tcp(7) settles the window scale in the handshake. */
  async open(host, port, family, type, buffers) {
    if (buffers.length === 0) {
      return this.patiently(() => this.request('POST', '/connections', { json: { host, port, family, type, leaseMs: this.leaseMs } }));
    }
    let failure;
    for (const info of await this.getaddrinfo(host, port, family, type)) {
      const { id } = await this.request('POST', '/sockets', { json: { family: info.family, type, leaseMs: this.leaseMs } });
      try {
        await Promise.all(buffers.map(([name, size]) => this.setOption(id, 'SOL_SOCKET', name, size)));
        return await this.patiently(() => this.request('POST', `/sockets/${id}/connect`, { json: info.sockaddr }));
      } catch (error) {
        this.discard(id);
        failure = error;
      }
    }
    throw failure;
  }

  /** Opens and binds a socket. */
  async bound(family, type, address, ipv6Only) {
    const { id } = await this.request('POST', '/sockets', { json: { family, type, leaseMs: this.leaseMs } });
    try {
      if (ipv6Only !== undefined) {
        await this.setOption(id, 'IPPROTO_IPV6', 'IPV6_V6ONLY', ipv6Only ? 1 : 0);
      }
      return await this.request('POST', `/sockets/${id}/bind`, { json: address });
    } catch (error) {
      this.discard(id);
      throw error;
    }
  }

  setOption(id, level, name, value) {
    return this.request('PUT', `/sockets/${id}/options/${level}/${name}`, { json: { value: Math.min(value, 0x7fff_ffff) } });
  }

  /** Closes a handle that nobody asks about any more. */
  async discard(id) {
    await this.request('DELETE', `/sockets/${id}`, { keepalive: true }).catch(() => {});
  }

  getaddrinfo(host, port, family, type, proto, flags) {
    return this.request('GET', '/getaddrinfo', { query: { host, port, family, type, proto, flags } });
  }
}

/** Where the service is: what was given, or where this module came from. */
function baseOf(url) {
  if (url === undefined) {
    if (!/^https?:/.test(import.meta.url)) {
      throw new TypeError('Say where the service is: new SocketProxy({ url, token }).');
    }
    url = new URL('..', import.meta.url);
  }
  const base = new URL(url, globalThis.location?.href);
  base.protocol = base.protocol.replace(/^ws/, 'http');
  return base.origin + base.pathname.replace(/\/+$/, '');
}

function problemOf(response, content) {
  let problem;
  try {
    problem = JSON.parse(content);
  } catch {
    problem = {};
  }
  return { title: `${response.status} ${response.statusText}`, ...problem, status: response.status };
}

// --- the entry ------------------------------------------------------------------------------------------------------------------------

const LONGEST_WAITS = globalThis.process?.versions?.node ? 64 : 3;

/** The calls that take a socket first, as in C: `bind(socket, address)` is `socket.bind(address)`. */
const SOCKET_CALLS = [
  'bind', 'listen', 'accept', 'recv', 'recvfrom', 'recvInto', 'recvfromInto', 'send', 'sendall', 'sendto', 'shutdown', 'close',
  'getsockname', 'getpeername', 'getsockopt', 'setsockopt',
];

/**
 * A service, and everything that its sockets can be used by. All members can be taken off it: `const { TCPSocket } = new SocketProxy(…)`.
 *
 * Fires `disconnect` when a socket's WebSocket drops, `reconnect` when the socket goes on, and `closing` when the service shuts down. The
 * event's `detail` has the socket's handle; who reads or writes notices nothing.
 */
export class SocketProxy extends EventTarget {
  /**
   * @param {object} options
   * @param {string | URL} [options.url] where the service is; by default, where this module was loaded from
   * @param {string | (() => string | Promise<string>)} [options.token] an API token or JWT, or what gives one
   * @param {typeof WebSocket} [options.WebSocket] by default the global one
   * @param {typeof fetch} [options.fetch] by default the global one
   * @param {number} [options.leaseMs] how long the service keeps a socket whose network has gone
   */
  constructor({ url, token, WebSocket, fetch, leaseMs = LEASE_MS } = {}) {
    super();
    const service = new Service({ url, token, WebSocket, fetch, leaseMs, waits: LONGEST_WAITS }, (type, detail) =>
      this.dispatchEvent(new CustomEvent(type, { detail })));
    const { TCPSocket, UDPSocket, TCPServerSocket } = directSockets(service);
    const get = (path, query) => service.request('GET', path, { query });
    const linkOf = async (socket) => {
      const { streams } = states.get(socket) ?? {};
      if (!streams) {
        throw new TypeError('This is no open TCPSocket, UDPSocket or TCPServerSocket.');
      }
      return streams.link;
    };

    Object.assign(this, {
      TCPSocket,
      UDPSocket,
      TCPServerSocket,

      /** connect(2) if the first argument is a socket, and otherwise `connect(address, options)` of WinterTC and Cloudflare. */
      connect: (address, ...rest) => {
        if (address instanceof BsdSocket) {
          return address.connect(...rest);
        }
        const { secureTransport = 'off', allowHalfOpen = false } = rest[0] ?? {};
        if (secureTransport !== 'off') {
          throw new TypeError(`SocketError: secureTransport '${secureTransport}' is not supported yet: the service has no TLS to the target.`);
        }
        return new Socket(service, anySocketAddress(address), { allowHalfOpen: Boolean(allowHalfOpen) });
      },

      socket: async (family, type, proto) =>
        new BsdSocket(service, await service.request('POST', '/sockets', { json: { family, type, proto } })),
      socketpair: async (family, type, proto) => {
        const { sockets } = await service.request('POST', '/socketpair', { json: { family, type, proto } });
        return sockets.map((socketJson) => new BsdSocket(service, socketJson));
      },
      poll: async (entries, timeoutMs) => {
        const sockets = entries.map(({ socket, events = ['POLLIN'] }) => ({ id: socket.id, events }));
        const { ready } = await service.patiently(() => service.request('POST', '/sockets/poll', { json: { sockets, timeoutMs } }));
        return ready.map(({ id, revents }) => ({ socket: entries.find(({ socket }) => socket.id === id).socket, revents }));
      },

      getaddrinfo: (...query) => service.getaddrinfo(...query),
      getnameinfo: (address, flags) => get('/getnameinfo', { ...addressOf(address), flags }),
      getservbyname: async (name, proto) => (await get('/getservbyname', { name, proto })).port,
      getservbyport: async (port, proto) => (await get('/getservbyport', { port, proto })).name,
      inet_aton: async (ip) => unbase64((await get('/inet_aton', { ip })).packed),
      inet_ntoa: async (packed) => (await get('/inet_ntoa', { packed: base64(bytesOf(packed)) })).ip,
      inet_pton: async (family, ip) => unbase64((await get('/inet_pton', { family, ip })).packed),
      inet_ntop: async (family, packed) => (await get('/inet_ntop', { family, packed: base64(bytesOf(packed)) })).ip,
      /** Every constant of the service's kernel, by name. */
      constants: () => get('/constants'),

      /** The handle behind a Direct Sockets object that has opened. */
      idOf: async (socket) => (await linkOf(socket)).id,
      /** A handle that exists, as a TCPSocket, a UDPSocket or a TCPServerSocket. */
      attach: async (id) => {
        const socketJson = await get(`/sockets/${id}`);
        const Class = socketJson.type === 'SOCK_DGRAM' ? UDPSocket : socketJson.state === 'listening' ? TCPServerSocket : TCPSocket;
        const socket = new Class(ADOPTED, { ...socketJson, own: false });
        await (await linkOf(socket)).ready;
        return socket;
      },
      /** Lets go of a socket, which stays open on the service for its lease. */
      detach: async (socket) => void (await (await linkOf(socket)).detach()),
      /**
       * The stream of a handle that exists, for who shows what happens on it instead of reading and writing. The handle outlives it, and so it does
       * the page.
       *
       * `sink` is told `data(bytes, address)`, `eof()`, `accepted({ socket, address })`, `fault(error)` and, last, `end(error or null)`. What it has
       * dealt with it says by `consumed(count)`: until then the service holds a bounded amount, and then stops reading the target. `ready` settles
       * when the stream is attached; `send(bytes)`, `shutdown()` and `detach()` are the rest.
       */
      stream: (id, sink, { datagrams = false, addressed = false } = {}) => {
        const data = (frame) => {
          const { data: bytes, remoteAddress: host, remotePort: port } = unaddressed(frame);
          sink.data(bytes, { host, port });
        };
        return new Link(service, id, addressed ? { ...sink, data } : sink, { own: false, bytes: !datagrams, addressed, keeps: true });
      },
      /** Drops every WebSocket, as when the network changes; the sockets go on on new ones. */
      reconnect: () => service.links.forEach((link) => link.drop()),
      /** Any call of the REST API: the answer's JSON, or its bytes with `accept: 'application/octet-stream'`. */
      request: (method, path, options) => service.request(method, path, options),

      /** Makes the classes and `connect` global, where the platform has none. */
      install: (target = globalThis) => {
        for (const name of ['TCPSocket', 'UDPSocket', 'TCPServerSocket', 'connect']) {
          if (!(name in target)) {
            Object.defineProperty(target, name, { value: this[name], writable: true, configurable: true });
          }
        }
        return target;
      },
    });
    for (const call of SOCKET_CALLS) {
      this[call] = (socket, ...rest) => socket[call](...rest);
    }
  }
}

Object.assign(SocketProxy.prototype, constants);
