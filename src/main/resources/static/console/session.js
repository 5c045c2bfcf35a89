/** What the console does with one handle: its stream, its journal, its accepted connections. */

import * as format from './format.js';
import { Journal } from './journal.js';
import { Problem } from './service.js';

const MAX_ACCEPTS = 1000;

/**
 * A handle in use. Emits `state` when it is attached, detached or gone; `data` with the number of bytes that went over it; `accepted`
 * with the connection; `trouble` with a {@link Problem}.
 */
class Session extends EventTarget {
  #service;
  #handles;
  #stream = null;

  /** detached, attaching, attached or resuming. */
  state = 'detached';

  /** Whether the peer will send no more. */
  eof = false;

  /** Whether no more can be sent. */
  shut = false;

  /** Whether the handle is closed for good. */
  closed = false;

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
    this.journal = new Journal(socket.type === 'SOCK_DGRAM');
  }

  get socket() {
    return this.#handles.byId.get(this.id) ?? null;
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
        this.#become('detached');
        if (error) {
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
    const problem = Problem.of(error);
    this.note(`${problem.errno ? `${problem.errno}: ` : ''}${problem.message}`);
    this.#emit('trouble', problem);
  }

  #accepted({ socket, address }) {
    this.accepts.unshift({ time: Date.now(), socket, address });
    this.accepts.length = Math.min(this.accepts.length, MAX_ACCEPTS);
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

  /** Sends all of the bytes: those of a connection on its stream if one is attached, all others by a call. */
  async send(bytes, address = null) {
    if (this.attached && !this.journal.datagrams) {
      try {
        await this.#stream.send(bytes);
      } catch (error) {
        throw Problem.of(error);
      }
    } else {
      await this.#service.call('POST', `sockets/${this.id}/${address ? 'sendto' : 'sendall'}`, { query: address ?? {}, body: bytes });
    }
    this.journal.add('out', bytes, { address });
    this.#emit('data', bytes.length);
  }

  /** Receives once, by a call. Whether anything came. */
  async receive({ bufsize, flags, timeoutMs }) {
    const datagrams = this.journal.datagrams;
    const answer = await this.#service.call('POST', `sockets/${this.id}/${datagrams ? 'recvfrom' : 'recv'}`, {
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
      this.#handles.put(await this.#service.call('POST', `sockets/${this.id}/shutdown`, { json: { how } }));
    }
    if (how !== 'SHUT_RD') {
      this.shut = true;
      this.note('Sent FIN: nothing more will be sent.');
    } else {
      this.note('Shut down for reading.');
    }
    this.#emit('state');
  }

  /** close(2). */
  async close() {
    const name = `${format.kind(this.socket)} ${format.address(this.socket.remoteAddress ?? this.socket.localAddress)}`;
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
    this.gone(`${name}: closed.`);
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

/** The sessions of the handles that were opened here. */
export class Sessions {
  #service;
  #handles;
  #byId = new Map();

  constructor(service, handles) {
    this.#service = service;
    this.#handles = handles;
    handles.addEventListener('change', ({ detail }) => {
      for (const socket of detail.closed) {
        const expired = Date.parse(socket.lease.expiresAt) <= Date.now() + service.skew + 2000 && !socket.attached;
        this.#byId.get(socket.id)?.gone(expired ? 'The lease ran out: the service closed the handle.' : 'The handle was closed.');
      }
    });
    service.addEventListener('disconnect', ({ detail }) => this.#byId.get(detail.socket)?.interrupted(false));
    service.addEventListener('reconnect', ({ detail }) => this.#byId.get(detail.socket)?.interrupted(true));
    service.addEventListener('closing', ({ detail }) => this.#byId.get(detail.socket)?.note('The service is going down.'));
  }

  /** The handle's session, made if there is none yet; null if there is no such handle either. */
  of(id) {
    let session = this.#byId.get(id);
    if (!session) {
      const socket = this.#handles.byId.get(id);
      if (!socket) {
        return null;
      }
      session = new Session(this.#service, this.#handles, socket);
      this.#byId.set(id, session);
      this.#forgetOldest();
    }
    return session;
  }

  // Journals of handles that are gone are kept for reading, but not for ever.
  #forgetOldest() {
    if (this.#byId.size > 32) {
      for (const [id, session] of this.#byId) {
        if (session.closed || (session.state === 'detached' && session.journal.version === 0)) {
          this.#byId.delete(id);
          return;
        }
      }
    }
  }

  /** Lets go of all streams. */
  detachAll() {
    for (const session of this.#byId.values()) {
      session.detach();
    }
  }
}
