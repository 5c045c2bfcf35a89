import { base64url } from './codec.js';
import { SocketError, socketError } from './errors.js';
import { LongCalls } from './long-calls.js';

const PROTOCOL = 'socket-proxy.v1';
/** Kubernetes' convention for a token where no header can be set; the server never echoes it. */
const BEARER = 'base64url.bearer.authorization.socket-proxy.';

/** The REST API and the handshakes, with the credential. */
export class Service {
  #base;
  #token;
  #WebSocket;
  #fetch;
  #tell;

  constructor({ url, token, WebSocket, fetch, leaseMs }, tell) {
    this.#base = baseOf(url);
    this.#token = token;
    this.#WebSocket = WebSocket ?? globalThis.WebSocket;
    this.#fetch = fetch ?? globalThis.fetch;
    this.#tell = tell;
    this.leaseMs = leaseMs;
    this.links = new Set();
    this.longCalls = new LongCalls((...call) => this.request(...call));
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
      throw socketError('ENETDOWN', `The service at ${this.#base} cannot be reached: ${error.cause?.message ?? error.message}`, error);
    }
    if (!response.ok) {
      throw new SocketError(problemOf(response, content));
    }
    return typeof content === 'string' ? JSON.parse(content) : content;
  }

  /** Opens and connects a socket, of whose buffers the sizes have to be set before: tcp(7) settles the window scale in the handshake. */
  async open(host, port, family, type, buffers, tls) {
    if (buffers.length === 0) {
      return this.longCalls.run(() => this.request('POST', '/connections', { json: { host, port, family, type, leaseMs: this.leaseMs, ...tls } }));
    }
    let failure;
    for (const info of await this.getaddrinfo(host, port, family, type)) {
      const { id } = await this.request('POST', '/sockets', { json: { family: info.family, type, leaseMs: this.leaseMs } });
      try {
        return await this.orDiscard(id, async () => {
          await Promise.all(buffers.map((setting) => this.setOption(id, ...setting)));
          return this.longCalls.run(() => this.request('POST', `/sockets/${id}/connect`, { json: info.sockaddr }));
        });
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Opens and binds a socket. */
  async bound(family, type, address, ipv6Only) {
    const { id } = await this.request('POST', '/sockets', { json: { family, type, leaseMs: this.leaseMs } });
    return this.orDiscard(id, async () => {
      if (ipv6Only !== undefined) {
        await this.setOption(id, 'IPPROTO_IPV6', 'IPV6_V6ONLY', ipv6Only ? 1 : 0);
      }
      return this.request('POST', `/sockets/${id}/bind`, { json: address });
    });
  }

  setOption(id, level, name, value) {
    return this.request('PUT', `/sockets/${id}/options/${level}/${name}`, { json: { value: Math.min(value, 0x7fff_ffff) } });
  }

  /** Goes on with a handle, which is closed if that fails. */
  async orDiscard(id, goOn) {
    try {
      return await goOn();
    } catch (error) {
      this.discard(id);
      throw error;
    }
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
  // "localhost:8080" has the scheme localhost, and "127.0.0.1:8080" is a path on the page's server.
  if (!/^(https?|wss?):\/\/|^\.{0,2}\//i.test(url)) {
    throw new TypeError(`url must begin with https:// or http://, unlike "${url}".`);
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
