/** What went over a socket, as far back as a bound allows. */

/** Bytes kept of one socket, both directions together. */
export const RETAINED = 4 << 20;

const BLOCK = 64 << 10;
const SMALLEST = 256;
const MAX_BLOCKS = 8192;

/** Pieces that come this close together, in milliseconds, are one block. */
const GAP = 30;

const NONE = new Uint8Array(0);

/** And a block is no longer than this, so that its time says something. */
const SPAN = 250;

/** Received and sent bytes in the order in which they went, in blocks: `{direction, offset, time, address, length, bytes}`. */
export class Journal {
  #blocks = [];
  #first = 0;
  #kept = 0;
  #datagrams;
  #spare = [];

  /** Bytes since the beginning. */
  received = 0;
  sent = 0;

  /** Of those sent, what turned out not to have gone. */
  unsent = 0;

  /** Bytes that were let go to keep the bound. */
  dropped = 0;

  /** Grows with every change. */
  version = 0;

  /** Called when what is kept is forgotten. */
  onclear = () => {};

  /** @param {boolean} datagrams whether each piece is a message of its own */
  constructor(datagrams) {
    this.#datagrams = datagrams;
  }

  get datagrams() {
    return this.#datagrams;
  }

  get kept() {
    return this.#kept;
  }

  /** The blocks, oldest first. */
  get blocks() {
    if (this.#first > 1024) {
      this.#blocks.splice(0, this.#first);
      this.#first = 0;
    }
    return this.#first === 0 ? this.#blocks : this.#blocks.slice(this.#first);
  }

  /** Notes bytes that were received (`in`) or sent (`out`); they are copied. A datagram's block is given back, for {@link fail}. */
  add(direction, bytes, { address = null, time = Date.now() } = {}) {
    const offset = direction === 'in' ? this.received : this.sent;
    if (direction === 'in') {
      this.received += bytes.length;
    } else {
      this.sent += bytes.length;
    }
    this.version += 1;
    let block = null;
    if (this.#datagrams) {
      block = this.#push({ direction, offset, time, address, length: bytes.length, bytes: bytes.slice(0), continues: false });
      this.#kept += bytes.length;
    } else {
      this.#append(direction, bytes, offset, time);
    }
    this.#trim();
    return block;
  }

  /** So many of the bytes that were noted as sent did not go; `block` is their datagram's. */
  fail(byteCount, block) {
    this.unsent += byteCount;
    this.version += 1;
    if (block) {
      block.failed = true;
      block.saved = null;
    }
  }

  /**
   * Takes back what was kept of an earlier page: `{direction, time, last, address, text, bytes, continues, failed}`, oldest first, and the counts as they
   * were. Only before anything else.
   */
  restore(records, { received, sent, unsent }) {
    const offsets = { in: received, out: sent, note: 0 };
    for (const { direction, bytes } of records) {
      offsets[direction] -= direction === 'note' ? 0 : bytes.length;
    }
    for (const record of records) {
      const { direction, bytes } = record;
      this.#push({ ...record, offset: offsets[direction], length: bytes.length, saved: bytes.length });
      offsets[direction] += direction === 'note' ? 0 : bytes.length;
      this.#kept += bytes.length;
    }
    Object.assign(this, { received, sent, unsent, dropped: received + sent - this.#kept });
    this.version += 1;
    this.#trim();
  }

  /** Notes something that happened between the bytes. */
  note(text, time = Date.now()) {
    this.version += 1;
    this.#push({ direction: 'note', offset: 0, time, address: null, length: 0, bytes: NONE, continues: false, text });
    this.#trim();
  }

  #append(direction, bytes, offset, time) {
    let rest = bytes;
    if (rest.length > RETAINED) {
      // Only its end would be kept anyhow.
      this.dropped += rest.length - RETAINED;
      offset += rest.length - RETAINED;
      rest = rest.subarray(rest.length - RETAINED);
    }
    let block = this.#blocks.length > this.#first ? this.#blocks[this.#blocks.length - 1] : null;
    const joins = block && block.direction === direction && time - block.last <= GAP && time - block.time <= SPAN;
    if (!joins) {
      block = null;
    }
    while (rest.length > 0) {
      if (!block || block.length === BLOCK) {
        block = this.#push({
          direction,
          offset,
          time,
          last: time,
          address: null,
          length: 0,
          bytes: this.#buffer(rest.length),
          continues: block !== null,
        });
      }
      const taken = Math.min(rest.length, BLOCK - block.length);
      if (block.length + taken > block.bytes.length) {
        const grown = this.#buffer(Math.max(block.length + taken, 2 * block.bytes.length));
        grown.set(block.bytes.subarray(0, block.length));
        block.bytes = grown;
      }
      block.bytes.set(rest.subarray(0, taken), block.length);
      block.length += taken;
      block.last = time;
      block.index = null;
      this.#kept += taken;
      offset += taken;
      rest = rest.subarray(taken);
    }
  }

  #push(block) {
    this.#blocks.push(block);
    return block;
  }

  // Whole blocks are used again: a flood makes no garbage.
  #buffer(atLeast) {
    let size = SMALLEST;
    while (size < atLeast && size < BLOCK) {
      size *= 2;
    }
    return (size === BLOCK && this.#spare.pop()) || new Uint8Array(size);
  }

  #trim() {
    while (this.#kept > RETAINED || this.#blocks.length - this.#first > MAX_BLOCKS) {
      const block = this.#blocks[this.#first];
      this.#blocks[this.#first] = undefined;
      this.#first += 1;
      this.#kept -= block.length;
      this.dropped += block.length;
      if (!this.#datagrams && block.bytes.length === BLOCK && this.#spare.length < 4) {
        this.#spare.push(block.bytes);
        block.bytes = null;
      }
    }
  }

  /** Forgets what is kept; the counts go on. */
  clear() {
    this.#blocks = [];
    this.#first = 0;
    this.#kept = 0;
    this.version += 1;
    this.onclear();
  }

  /** What is kept of one direction, in parts. */
  parts(direction) {
    return this.blocks
      .filter((block) => block.direction === direction)
      .map((block) => block.bytes.slice(0, block.length));
  }

  /**
   * Where the pattern is found, as `{direction, offset, length}` in the order of the blocks. A match may cross blocks as long as nothing
   * lies between them in its direction.
   *
   * @param {string} pattern one character per byte
   */
  find(pattern, { ignoreCase = false, limit = 10_000 } = {}) {
    const matches = [];
    if (pattern.length === 0) {
      return matches;
    }
    const needle = ignoreCase ? lower(pattern) : pattern;
    for (const direction of ['in', 'out']) {
      let text = '';
      let begin = 0;
      const search = () => {
        const hay = ignoreCase ? lower(text) : text;
        for (let at = hay.indexOf(needle); at >= 0 && matches.length < limit; at = hay.indexOf(needle, at + needle.length)) {
          matches.push({ direction, offset: begin + at, length: needle.length });
        }
      };
      for (const block of this.blocks) {
        if (block.direction !== direction) {
          continue;
        }
        if (this.#datagrams || text.length === 0 || begin + text.length !== block.offset) {
          search();
          text = '';
          begin = block.offset;
        }
        text += latin1(block.bytes.subarray(0, block.length));
      }
      search();
    }
    return matches;
  }

  /** The index of the block that holds the byte; -1 if it is not kept. */
  blockAt(direction, offset) {
    return this.blocks.findIndex(
      (block) => block.direction === direction && offset >= block.offset && offset < block.offset + block.length);
  }
}

// ASCII only: the pattern is bytes, of an encoding that nobody knows.
function lower(text) {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

const LATIN1 = new TextDecoder('latin1');

/** One character per byte. The decoder's label stands for windows-1252, whose C1 range differs: those are set right. */
export function latin1(bytes) {
  const text = LATIN1.decode(bytes);
  return /[^\u0000-\u00ff]/.test(text) ? exactLatin1(bytes) : text;
}

function exactLatin1(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
