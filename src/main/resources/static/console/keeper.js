import { KEPT_BYTES } from './archive.js';

const SOON_MS = 200;
/** After much was kept, the next is kept less soon: a flood is not written down as fast as it comes. */
const LATER_MS = 1000;
const MUCH_BYTES = 64 << 10;

/** What a block costs besides its bytes. */
const BLOCK_BYTES = 64;

const MOST_ACCEPTS = 200;
const MOST_HISTORY = 50;
const LONGEST_LINE = 4096;

/** This page, among those that keep the same handle's transcript. */
const WRITER = Math.random().toString(36).slice(2);

let sequence = 0;

/** Keeps one session's transcript in the archive as it grows, at most some times a second. */
export class Keeper {
  #archive;
  #session;
  #timer = 0;
  #wasMuch = false;
  #lastTime = 0;

  constructor(archive, session) {
    this.#archive = archive;
    this.#session = session;
    for (const type of ['data', 'state', 'accepted']) {
      session.addEventListener(type, () => this.#soon());
    }
    session.journal.onclear = () => this.#soon();
  }

  #soon() {
    this.#timer ||= setTimeout(() => this.flush(), this.#wasMuch ? LATER_MS : SOON_MS);
  }

  /** Keeps now what has changed. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const { journal, accepts } = this.#session;
    if (journal.version === 0 && accepts.length === 0) {
      // Nothing has happened on it.
      return;
    }
    const blocks = journal.blocks;
    let bytes = 0;
    let from = blocks.length;
    while (from > 0 && (bytes += blocks[from - 1].length + BLOCK_BYTES) <= KEPT_BYTES) {
      from -= 1;
    }
    const added = [];
    let much = 0;
    for (const block of blocks.slice(from)) {
      block.key ??= this.#key(block);
      if (block.saved !== block.length) {
        block.saved = block.length;
        much += block.length;
        added.push({ key: block.key, value: this.#value(block) });
      }
    }
    this.#wasMuch = much > MUCH_BYTES;
    this.#archive.save(this.#record(), added, blocks[from]?.key ?? null);
  }

  #key(block) {
    // A clock that was set back does not change the order.
    this.#lastTime = Math.max(this.#lastTime, block.time);
    sequence += 1;
    return [this.#session.id, this.#lastTime, WRITER, sequence];
  }

  #value({ key, direction, time, last, address, text, continues, failed, bytes, length }) {
    return { key, direction, time, last, address, text, continues, failed, bytes: bytes.slice(0, length) };
  }

  #record() {
    const session = this.#session;
    const { received, sent, unsent } = session.journal;
    return {
      ...session.facts,
      counts: { received, sent, unsent },
      accepts: session.accepts.slice(0, MOST_ACCEPTS),
      history: session.history.slice(-MOST_HISTORY).filter((line) => line.length <= LONGEST_LINE),
    };
  }
}
