/** Names that the user gives to handles. They stay in this browser, apart for each owner, and go with the handles. */

const LONGEST = 40;
const MOST = 500;

/** The names of one owner's handles. */
export class Names {
  #ownerOf;
  #keep;
  #owner = null;
  #byId = new Map();

  /**
   * @param {() => string} ownerOf whose handles they are
   * @param {boolean} keep whether they may be written down; otherwise they go with the page
   */
  constructor(ownerOf, keep) {
    this.#ownerOf = ownerOf;
    this.#keep = keep;
  }

  get #key() {
    return `socket-proxy.names ${this.#owner}`;
  }

  // The owner is known when the handles are.
  #load() {
    const owner = this.#ownerOf();
    if (this.#keep && owner !== this.#owner) {
      this.#owner = owner;
      try {
        this.#byId = new Map(Object.entries(JSON.parse(localStorage.getItem(this.#key) ?? '{}')));
      } catch {
        // Nothing that can be read: there are no names.
      }
    }
  }

  /** The handle's name; '' if it has none. */
  of(id) {
    this.#load();
    return this.#byId.get(id) ?? '';
  }

  /** What a handle is called: its name and what it is, or only that. */
  title(id, what) {
    const name = this.of(id);
    return name ? `${name} · ${what}` : what;
  }

  /** Names the handle, or with '' takes the name away; names of handles that are not among `open` are forgotten. */
  set(id, name, open) {
    this.#load();
    this.#byId.delete(id);
    const short = Array.from(name.trim()).slice(0, LONGEST).join('');
    if (short !== '') {
      this.#byId.set(id, short);
    }
    const kept = [...this.#byId].filter(([named]) => named === id || open.has(named)).slice(-MOST);
    this.#byId = new Map(kept);
    if (!this.#keep) {
      return;
    }
    try {
      if (kept.length === 0) {
        localStorage.removeItem(this.#key);
      } else {
        localStorage.setItem(this.#key, JSON.stringify(Object.fromEntries(kept)));
      }
    } catch {
      // Storage may be closed or full; the names hold for the page then.
    }
  }
}
