import { Archive } from './archive.js';
import { Keeper } from './keeper.js';
import { Session } from './session.js';

/** The sessions of the handles that were opened here. */
export class Sessions {
  #service;
  #handles;
  #byId = new Map();
  #archive = null;
  #ended = false;
  /** Session → who keeps it. */
  #keepers = new Map();

  constructor(service, handles) {
    this.#service = service;
    this.#handles = handles;
    handles.addEventListener('change', ({ detail }) => {
      this.#byId.forEach((session) => session.follow());
      for (const socket of detail.closed) {
        const expired = Date.parse(socket.lease.expiresAt) <= Date.now() + service.skew + 2000 && !socket.attached;
        this.#byId.get(socket.id)?.gone(expired ? 'The lease ran out: the service closed the handle.' : 'The handle was closed.');
      }
    });
    service.addEventListener('disconnect', ({ detail }) => this.#byId.get(detail.socket)?.interrupted(false));
    service.addEventListener('reconnect', ({ detail }) => this.#byId.get(detail.socket)?.interrupted(true));
    service.addEventListener('closing', ({ detail }) => this.#byId.get(detail.socket)?.note('The server is shutting down.'));
    this.onpagehide = () => this.#keepers.forEach((keeper) => keeper.flush());
    addEventListener('pagehide', this.onpagehide);
  }

  /** Brings back what earlier pages have kept of this owner, and keeps what is said from now on. Once, when the handles are known. */
  async keep(owner) {
    const archive = await Archive.open(owner);
    const records = (await archive?.load()) ?? [];
    if (this.#ended) {
      archive?.clear();
      return;
    }
    for (const record of records) {
      const { peer, acceptedOn } = record.socket;
      this.#handles.remember(record.id, { peer, acceptedOn });
      const session = this.#byId.get(record.id) ?? new Session(this.#service, this.#handles, record.socket);
      if (session.journal.version === 0) {
        session.restore(record);
      }
      this.#byId.set(record.id, session);
    }
    this.#archive = archive;
    for (const session of this.#byId.values()) {
      this.#keeps(session);
      if (!this.#handles.byId.has(session.id)) {
        session.gone('The handle is no more: it was closed while this page was away.');
      }
    }
  }

  #keeps(session) {
    if (this.#archive) {
      this.#keepers.set(session, new Keeper(this.#archive, session));
    }
  }

  /** Lets go of all streams, and forgets what was kept. */
  end() {
    this.#ended = true;
    removeEventListener('pagehide', this.onpagehide);
    this.#archive?.clear();
    this.#archive = null;
    this.#keepers.clear();
    for (const session of this.#byId.values()) {
      session.detach();
    }
  }

  /** The handle's session, if it was opened here. */
  existing(id) {
    return this.#byId.get(id) ?? null;
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
      this.#keeps(session);
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
          this.#keepers.delete(session);
          return;
        }
      }
    }
  }
}
