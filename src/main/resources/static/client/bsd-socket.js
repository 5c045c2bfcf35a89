import { addressOf, base64, bytesOf, unbase64 } from './codec.js';
import { constants } from './constants.js';
import { SocketError } from './errors.js';

/** What one call of sendall sends at the most. */
const PIECE_BYTES = 1024 * 1024;

/** A result that can be taken apart as Python's tuple and has names too. */
const tuple = (names, ...values) => Object.assign(values, Object.fromEntries(names.map((name, i) => [name, values[i]])));

const isFlag = (flags, name) => (typeof flags === 'number' ? (flags & constants[name]) !== 0 : `${flags ?? ''}`.includes(name));

/**
 * A socket by its handle, with the calls of socket(2) as methods: what `socket()` returns.
 *
 * Every method is one call of the service, and rejects with a SocketError that has the errno. A call that waits takes `{ timeoutMs, signal }`
 * last; without a timeout it waits for as long as it takes, and when one runs out the errno is EAGAIN, as with SO_RCVTIMEO.
 */
export class BsdSocket {
  #service;

  constructor(service, { id, family, type, proto }) {
    this.#service = service;
    this.id = id;
    this.family = family;
    this.type = type;
    this.proto = proto;
  }

  async bind(address) {
    await this.#post('bind', addressOf(address));
  }

  async listen(backlog = 128) {
    await this.#post('listen', { backlog });
  }

  /** connect(2). Without a timeout, the service's own limit is the limit. */
  async connect(address, { timeoutMs, signal } = {}) {
    await this.#service.longCalls.run(() => this.#post('connect', { ...addressOf(address), timeoutMs }, signal));
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
        sent += await this.send(bytes.subarray(sent, sent + PIECE_BYTES), flags, options);
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

  /** Starts TLS with the target, to which all calls then speak in clear; what was agreed on. */
  starttls(request = {}) {
    return this.#service.longCalls.run(() => this.#post('starttls', request));
  }

  async shutdown(how) {
    await this.#post('shutdown', { how });
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

  #post(call, json, signal) {
    return this.#service.request('POST', `/sockets/${this.id}/${call}`, { json, signal });
  }

  #wait(event, { timeoutMs, signal } = {}, call, flags) {
    const deadline = isFlag(flags, 'MSG_DONTWAIT') ? 0 : Date.now() + (timeoutMs ?? Infinity);
    return this.#service.longCalls.until(this.id, event, deadline, signal, (sliceMs) => call({ timeoutMs: sliceMs }, signal));
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
