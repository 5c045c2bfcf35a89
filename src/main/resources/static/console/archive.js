/**
 * Transcripts in the browser's IndexedDB, so that a reload loses none. They are one owner's at a time: whoever else signs in finds nothing, since
 * what is there goes first. So many bytes of so many handles are kept, for so long.
 */

const NAME = `socket-proxy ${new URL('../', import.meta.url).pathname}`;
const SESSIONS = 'sessions';
const BLOCKS = 'blocks';

/** Bytes kept of one handle, and how many handles. */
export const KEPT_BYTES = 512 << 10;
const MOST_SESSIONS = 32;
const LONGEST_MS = 24 * 60 * 60 * 1000;

/** All keys of a handle's blocks: `[id, time, writer, sequence]`, so that those of two pages lie side by side in their order. */
const blocksOf = (id) => IDBKeyRange.bound([id], [id, []]);

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** One owner's transcripts. What cannot be kept, where there is no room say, is not, and nobody is told. */
export class Archive {
  #database;
  #owner;
  /** Id → when it was kept last. */
  #times = new Map();

  constructor(database, owner) {
    this.#database = database;
    this.#owner = owner;
    database.onversionchange = () => this.#close();
  }

  /** @returns {Promise<Archive|null>} null where the browser keeps nothing */
  static async open(owner) {
    try {
      // For as long as this page is there: see sweep().
      navigator.locks?.request(NAME, { mode: 'shared' }, () => new Promise(() => {}));
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(SESSIONS, { keyPath: 'id' });
        request.result.createObjectStore(BLOCKS);
      };
      return new Archive(await settled(request), owner);
    } catch {
      return null;
    }
  }

  /** Deletes what pages have left whose tab was closed: whatever there is, if no page is there to which it belongs. */
  static sweep() {
    navigator.locks?.request(NAME, { ifAvailable: true }, (lock) => lock && settled(indexedDB.deleteDatabase(NAME)).catch(() => {}));
  }

  #stores() {
    const transaction = this.#database.transaction([SESSIONS, BLOCKS], 'readwrite');
    return { transaction, sessions: transaction.objectStore(SESSIONS), blocks: transaction.objectStore(BLOCKS) };
  }

  /** What was kept, newest last, each with its `blocks`; what is another's, or old, or too much is deleted. */
  async load() {
    try {
      const { sessions, blocks } = this.#stores();
      const all = (await settled(sessions.getAll())).sort((one, other) => one.at - other.at);
      const kept = all.filter(({ owner, at }) => owner === this.#owner && at > Date.now() - LONGEST_MS).slice(-MOST_SESSIONS);
      for (const { id } of all.filter((record) => !kept.includes(record))) {
        sessions.delete(id);
        blocks.delete(blocksOf(id));
      }
      return await Promise.all(kept.map(async (record) => {
        this.#times.set(record.id, record.at);
        return { ...record, blocks: await settled(blocks.getAll(blocksOf(record.id))) };
      }));
    } catch {
      return [];
    }
  }

  /**
   * Keeps a session.
   *
   * @param {{id: string}} record what is to be known of it
   * @param {Array<{key: Array, value: object}>} added the blocks that are new or have changed
   * @param {Array|null} first the key of the first that is to be kept; null where none is
   */
  save(record, added, first) {
    if (!this.#database) {
      return;
    }
    try {
      const { transaction, sessions, blocks } = this.#stores();
      const at = Date.now();
      this.#times.delete(record.id);
      this.#times.set(record.id, at);
      sessions.put({ ...record, owner: this.#owner, at });
      blocks.delete(first ? IDBKeyRange.bound([record.id], first, false, true) : blocksOf(record.id));
      for (const { key, value } of added) {
        blocks.put(value, key);
      }
      for (const id of [...this.#times.keys()].slice(0, -MOST_SESSIONS)) {
        this.#times.delete(id);
        sessions.delete(id);
        blocks.delete(blocksOf(id));
      }
      // At once: the page may be going.
      transaction.commit?.();
    } catch {
      this.#close();
    }
  }

  /** Deletes all, and keeps nothing any more. */
  clear() {
    if (this.#database) {
      const { sessions, blocks } = this.#stores();
      sessions.clear();
      blocks.clear();
      this.#close();
    }
  }

  #close() {
    this.#database?.close();
    this.#database = null;
  }
}
