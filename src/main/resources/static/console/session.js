/** What the console does with one handle: its stream, its journal, its accepted connections. */

import { protocolName } from './certificates.js';
import * as format from './format.js';
import { Journal } from './journal.js';
import { Problem } from './service.js';

const MAX_ACCEPTS = 1000;

/** What ends a connection for good. */
const ENDINGS = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'EHOSTUNREACH', 'ENETUNREACH']);

/**
 * A handle in use. Emits `state` when it is attached, detached or gone; `data` with the number of bytes that went over it; `accepted`
 * with the connection; `trouble` with a {@link Problem}.
 */
export class Session extends EventTarget {
  #service;
  #handles;
  #stream = null;
  #last;

  /** detached, attaching, attached or resuming. */
  state = 'detached';

  /** When it was detached last, on the page's clock. */
  leftAt = 0;

  /** Whether the peer will send no more. */
  eof = false;

  /** Whether no more can be sent. */
  shut = false;

  /** The errno that the connection ended with; null for none. */
  failure = null;

  /** Whether the handle is closed for good, and whether it was closed by this page. */
  closed = false;
  closedHere = false;

  /** Where it was connected to, as it was typed: `{host, port}`. */
  target = null;

  /** Connections that were accepted here, newest first: `{time, socket, address}`. */
  accepts = [];

  /** How the page shows the journal. */
  mode = 'text';

  /** What is offered to be sent first: `{text}`, or `{kind: 'hex', text}`; null for nothing. */
  draft = null;

  /** What was sent by hand, newest last. */
  history = [];

  constructor(service, handles, socket) {
    super();
    this.#service = service;
    this.#handles = handles;
    this.id = socket.id;
    this.#last = socket;
    this.journal = new Journal(socket.type === 'SOCK_DGRAM');
  }

  get socket() {
    return this.#handles.byId.get(this.id) ?? null;
  }

  /** The handle, or what it was when it was seen last. */
  get known() {
    return this.socket ?? this.#last;
  }

  /** Follows the list of handles. */
  follow() {
    const now = this.known;
    if (now.state === 'connected' && this.#last.state !== 'connected') {
      // Another connection, on the same socket.
      Object.assign(this, { eof: false, shut: false, failure: null });
    }
    this.#last = now;
  }

  /** What another page has to know of it to go on; see {@link restore}. */
  get facts() {
    const { id, eof, shut, failure, closed, closedHere, target, mode } = this;
    return { id, socket: this.known, eof, shut, failure, closed, closedHere, target, mode };
  }

  /** Takes back what an earlier page has kept. */
  restore({ blocks, counts, accepts, history, socket, owner, at, ...facts }) {
    Object.assign(this, facts, { accepts, history });
    this.journal.restore(blocks, counts);
    this.#emit('state');
  }

  get attached() {
    return this.state === 'attached' || this.state === 'resuming';
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #become(state) {
    this.state = state;
    this.#emit('state');
  }

  /** Attaches a stream: from then on, it alone receives, and accepts. */
  async attach() {
    if (this.state !== 'detached' || this.closed) {
      return;
    }
    const datagrams = this.journal.datagrams;
    const addressed = datagrams && this.socket?.state !== 'connected';
    let wasAttached = false;
    this.#become('attaching');
    const stream = this.#service.stream(this.id, {
      data: (bytes, address = null) => {
        this.journal.add('in', bytes, { address });
        stream.consumed(bytes.length);
        this.#emit('data', bytes.length);
      },
      eof: () => this.#reachEof('The peer sent FIN: it will send no more.'),
      accepted: (accepted) => this.#accepted(accepted),
      fault: (error) => this.#trouble(error),
      end: (error) => {
        this.#stream = null;
        this.leftAt = performance.now();
        this.#become('detached');
        if (error?.errno === 'EBUSY' && wasAttached) {
          this.note('Another client has taken the socket over.');
        } else if (error) {
          this.#trouble(error);
        }
        this.#handles.refresh();
      },
    }, { datagrams, addressed });
    this.#stream = stream;
    try {
      await stream.ready;
    } catch {
      // The sink has been told.
      return;
    }
    if (this.#stream === stream) {
      wasAttached = true;
      this.#become('attached');
      this.#handles.refresh();
    }
  }

  #reachEof(text) {
    if (!this.eof) {
      this.eof = true;
      this.note(text);
      this.#emit('state');
    }
  }

  #trouble(error) {
    const problem = this.#failed(error);
    this.note(`${problem.errno ? `${problem.errno}: ` : ''}${problem.message}`);
    this.#emit('trouble', problem);
  }

  // Remembers what ended the connection: the state that is left says only that it has.
  #failed(error) {
    const problem = Problem.of(error);
    if (!this.journal.datagrams && ENDINGS.has(problem.errno)) {
      this.failure ??= problem.errno;
    }
    return problem;
  }

  async #call(...call) {
    try {
      return await this.#service.call(...call);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #accepted({ socket, address }) {
    this.accepts.unshift({ time: Date.now(), socket, address });
    this.accepts.length = Math.min(this.accepts.length, MAX_ACCEPTS);
    this.#handles.remember(socket.id, { peer: address, acceptedOn: this.known.localAddress });
    this.#handles.put(socket);
    this.#emit('accepted', { socket, address });
  }

  /** The stream's network has gone, or is back. */
  interrupted(resumed) {
    if (this.attached) {
      this.note(resumed ? 'Resumed: nothing was lost.' : 'The network dropped the stream; resuming.');
      this.#become(resumed ? 'attached' : 'resuming');
    }
  }

  /** Lets go of the stream; the handle lives on. */
  async detach() {
    await this.#stream?.detach();
  }

  /** Takes the socket from the stream that another client has attached, and attaches. */
  async takeOver() {
    await this.#service.call('DELETE', `sockets/${this.id}/stream`);
    this.#handles.put(await this.#service.call('GET', `sockets/${this.id}`));
    await this.attach();
  }

  /**
   * Sends all of the bytes: those of a connection on its stream if one is attached, all others by a call. They are written down first, since an answer
   * may come before the service says that they went.
   */
  async send(bytes, address = null) {
    const block = this.journal.add('out', bytes, { address });
    this.#emit('data', bytes.length);
    try {
      if (this.attached && !this.journal.datagrams) {
        await this.#stream.send(bytes);
      } else {
        await this.#service.call('POST', `sockets/${this.id}/${address ? 'sendto' : 'sendall'}`, { query: address ?? {}, body: bytes });
      }
    } catch (error) {
      const problem = this.#failed(error);
      const unsent = bytes.length - (problem.sent ?? 0);
      this.journal.fail(unsent, block);
      this.note(`${problem.errno ?? problem.title}: ${format.count(unsent)} of ${format.count(bytes.length)} bytes were not sent.`);
      throw problem;
    }
  }

  /** Receives once, by a call. Whether anything came. */
  async receive({ bufsize, flags, timeoutMs }) {
    const datagrams = this.journal.datagrams;
    const answer = await this.#call('POST', `sockets/${this.id}/${datagrams ? 'recvfrom' : 'recv'}`, {
      query: { bufsize, flags, timeoutMs },
    });
    if (!answer) {
      return false;
    }
    if (answer.eof) {
      this.#reachEof('End of file: the peer will send no more.');
    } else {
      const bytes = Uint8Array.from(atob(answer.data), (character) => character.charCodeAt(0));
      this.journal.add('in', bytes, { address: answer.address });
      this.#emit('data', bytes.length);
    }
    return true;
  }

  /** Accepts one connection, by a call; null if none came in time. */
  async accept(timeoutMs) {
    const accepted = await this.#service.call('POST', `sockets/${this.id}/accept`, { query: { timeoutMs } });
    if (accepted) {
      this.#accepted(accepted);
    }
    return accepted;
  }

  /** shutdown(2). */
  async shutdown(how) {
    if (this.attached && how === 'SHUT_WR' && !this.journal.datagrams) {
      // On the stream it comes after what was sent there.
      this.#stream.shutdown();
    } else {
      this.#handles.put(await this.#call('POST', `sockets/${this.id}/shutdown`, { json: { how } }));
    }
    if (how !== 'SHUT_RD') {
      this.shut = true;
      this.note('Sent FIN: nothing more will be sent.');
    } else {
      this.note('Shut down for reading.');
    }
    this.#emit('state');
  }

  /** Starts TLS with the peer: on the stream if one is attached, behind what was sent there, and otherwise by a call. */
  async startTls(request) {
    try {
      await (this.attached ? this.#stream.startTls(request) : this.#service.call('POST', `sockets/${this.id}/starttls`, { json: request }));
    } catch (error) {
      this.#handles.refresh();
      throw this.#failed(error);
    }
    const socket = await this.#service.call('GET', `sockets/${this.id}`);
    this.#handles.put(socket);
    this.note(`${protocolName(socket.tls.protocol)} with ${socket.tls.serverName ?? 'the peer'}: from here on the service encrypts.`);
    this.#emit('state');
  }

  /** close(2). */
  async close() {
    await this.detach();
    this.#handles.remove(this.id);
    try {
      await this.#service.call('DELETE', `sockets/${this.id}`);
    } catch (problem) {
      if (problem.errno !== 'EBADF') {
        this.#handles.refresh();
        throw problem;
      }
    }
    // Again, for a list that was asked for before.
    this.#handles.remove(this.id);
    this.closedHere = true;
    this.gone(`${format.title(this.known)}: closed.`);
  }

  /** The handle is gone. */
  gone(reason) {
    if (!this.closed) {
      this.closed = true;
      this.note(reason);
      this.#emit('state');
    }
  }

  note(text) {
    this.journal.note(text);
    this.#emit('data', 0);
  }
}
