/** The service as the console sees it: its calls, its problems, its streams. */

import { SocketProxy } from '../client/socket-proxy.js';
import { History } from './history.js';

/** Where the service is; the console may be served below a context path. */
export const BASE = new URL('../', import.meta.url);

/** A call that failed, with all that the service said about it (RFC 9457). */
export class Problem extends Error {
  constructor({ title = '', detail, status = 0, errno, errnoCode, strerror, gaiName, gaiCode, field, rule, addressClass, sent, tlsReason, tlsAlert }) {
    super(detail ?? strerror ?? title);
    this.name = 'Problem';
    this.status = status;
    this.title = title || strerror || '';
    this.errno = errno ?? gaiName ?? null;
    this.code = errnoCode ?? gaiCode ?? null;
    this.field = field ?? null;
    this.rule = rule ?? null;
    this.addressClass = addressClass ?? null;
    this.sent = sent ?? null;
    this.tlsReason = tlsReason ?? null;
    this.tlsAlert = tlsAlert ?? null;
  }

  /** Out of what the client module throws. */
  static of(error) {
    return error.problem ? new Problem(error.problem) : error;
  }
}

/** The calls of one token. Emits `unauthorized` when the service does not take the token (any more). */
export class Service extends EventTarget {
  #proxy;

  /** The server's clock minus this one, in milliseconds: leases end by the server's. */
  skew = 0;

  /** Whose handles they are, and whether the server is shutting down; known when they have been asked for. */
  owner = null;
  draining = false;
  /** What has been asked of it here. */
  history = new History();

  constructor(token) {
    super();
    this.token = token;
    this.#proxy = new SocketProxy({ url: BASE, token });
    for (const type of ['disconnect', 'reconnect', 'closing']) {
      this.#proxy.addEventListener(type, ({ detail }) => this.dispatchEvent(new CustomEvent(type, { detail })));
    }
  }

  /** Reads the server's clock. */
  async synchronise() {
    const response = await fetch(BASE, { method: 'HEAD', cache: 'no-store' });
    // The header has whole seconds.
    this.skew = Date.parse(response.headers.get('Date')) + 500 - Date.now() || 0;
  }

  /** Makes a call, which the history keeps unless it is `quiet`, and gives its JSON, or null where there is none; whatever is not a success is thrown as a {@link Problem}. */
  async call(method, path, { query, quiet = false, ...options } = {}) {
    const given = Object.fromEntries(Object.entries(query ?? {}).filter(([, value]) => value !== ''));
    const ask = async () => (await this.#proxy.request(method, `/${path}`, { query: given, ...options })) ?? null;
    try {
      return await (quiet ? ask() : this.history.keep(method, path, { query: given, ...options }, ask));
    } catch (error) {
      if (error.status === 401) {
        this.dispatchEvent(new Event('unauthorized'));
      }
      throw Problem.of(error);
    }
  }

  /** All of the caller's handles, page by page. */
  async sockets() {
    const sockets = [];
    let cursor;
    do {
      const page = await this.call('GET', 'sockets', { query: { limit: 250, cursor } });
      sockets.push(...page.sockets);
      this.owner = page.owner;
      this.draining = page.draining;
      cursor = page.nextCursor;
    } while (cursor);
    return sockets;
  }

  /** A stream on the handle, which it leaves open when it ends. */
  stream(id, sink, options = {}) {
    const open = (heard) => this.#proxy.stream(id, heard, options);
    return options.quiet ? open(sink) : this.history.stream(id, sink, options, open);
  }
}
