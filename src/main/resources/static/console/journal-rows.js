import { h } from './dom.js';
import * as format from './format.js';
import { Runs } from './runs.js';
import { codePoint, columns, controlColumns, controlName, textRows } from './text.js';

/** What a line's end takes where it is shown: CR and LF. */
const LINE_END_COLUMNS = 6;

/** The rows that a journal takes as text or as a hexdump: how many there are, and what is in each. */
export class JournalRows {
  #journal;
  #hit;
  #onaddress;
  #blocks = [];
  /** For each block its first row, and after the last how many rows there are. */
  #starts = [0];

  /** How many characters fit into a row of text, and bytes into one of a hexdump. */
  columns = 80;
  hexWidth = 16;

  hex = false;
  narrow = false;

  /** Whether line ends and other control characters are shown. */
  marks = false;

  /** @param hit the class of a byte of a block, for what a search has found; `onaddress` is called with the address of a datagram that was clicked */
  constructor(journal, { hit, onaddress }) {
    this.#journal = journal;
    this.#hit = hit;
    this.#onaddress = onaddress;
  }

  get count() {
    return this.#starts[this.#starts.length - 1];
  }

  /** Forgets how the blocks were divided: the rows have another width, or another kind. */
  divideAnew() {
    for (const block of this.#journal.blocks) {
      block.index = null;
    }
  }

  /** Follows the journal; gives how many rows it let go of at the top, if that is asked for. */
  follow(countsGone) {
    const before = this.#blocks;
    const startsBefore = this.#starts;
    this.#blocks = this.#journal.blocks.slice();
    const starts = new Array(this.#blocks.length + 1);
    starts[0] = 0;
    for (let i = 0; i < this.#blocks.length; i++) {
      const index = this.#index(this.#blocks[i]);
      starts[i + 1] = starts[i] + index.rows + index.header;
    }
    this.#starts = starts;
    if (!countsGone || before.length === 0 || this.#blocks[0] === before[0]) {
      return 0;
    }
    const gone = before.indexOf(this.#blocks[0]);
    return startsBefore[gone < 0 ? startsBefore.length - 1 : gone];
  }

  /** The row that shows the byte, which is kept. */
  rowOf({ direction, offset }) {
    const at = this.#journal.blockAt(direction, offset);
    const block = this.#journal.blocks[at];
    const { header, starts } = this.#index(block);
    const inside = offset - block.offset;
    return this.#starts[at] + header
      + (this.hex ? Math.floor(inside / this.hexWidth) : Math.max(0, starts.findLastIndex((start) => start <= inside)));
  }

  #index(block) {
    if (!block.index) {
      const starts = this.hex ? null : block.length === 0 ? [] : textRows(block.bytes, block.length, this.columns - (this.marks ? LINE_END_COLUMNS : 0));
      block.index = { rows: starts ? starts.length : Math.ceil(block.length / this.hexWidth), starts, header: this.#hasHeader(block) ? 1 : 0 };
    }
    return block.index;
  }

  #hasHeader(block) {
    return block.direction === 'note' || (this.hex && !block.continues) || this.#journal.datagrams;
  }

  draw(node, index) {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= index) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    const block = this.#blocks[low];
    if (!block?.bytes) {
      node.replaceChildren();
      return;
    }
    const { header, starts } = this.#index(block);
    const row = index - this.#starts[low] - header;
    node.className = `jrow ${block.direction}${block.failed ? ' failed' : ''}`;
    if (row < 0) {
      this.#drawHeader(node, block);
    } else if (this.hex) {
      this.#drawHex(node, block, row * this.hexWidth);
    } else {
      this.#drawText(node, block, starts[row], starts[row + 1] ?? block.length, row === 0);
    }
  }

  #drawHeader(node, block) {
    node.classList.add('header');
    if (block.direction === 'note') {
      node.replaceChildren(h('span.time', {}, format.clock(block.time)), h('span.note-text', {}, block.text));
      return;
    }
    const peer = block.address && format.address(block.address);
    node.replaceChildren(
      h('span.time', {}, format.clock(block.time)),
      ...direction(block),
      peer && this.#onaddress
        ? h('button.peer', { type: 'button', title: 'Send to this address', onclick: () => this.#onaddress(block.address) }, peer)
        : peer ? h('span.peer', {}, peer) : '',
      h('span.length', {}, block.length === 1 ? '1 byte' : `${format.count(block.length)} bytes`, block.failed && ', not sent'));
  }

  #drawText(node, block, from, to, first) {
    const begins = first && !block.continues;
    const gutter = this.#journal.datagrams ? []
      : begins ? [h('span.time', {}, format.clock(block.time)), ...direction(block)]
        : [h('span.time'), h('span.direction')];
    const code = h('code');
    const runs = new Runs(code);
    let column = 0;
    let at = from;
    while (at < to) {
      const { length, point } = codePoint(block.bytes, at, block.length);
      const hit = this.#hit(block, at);
      if (point === 10 || (point === 13 && block.bytes[at + 1] === 10)) {
        if (this.marks) {
          runs.name(controlName(point), hit);
        }
      } else if (point === 9) {
        const width = 8 - (column % 8);
        runs.put(' '.repeat(width), this.marks ? `${hit} tab-stop` : hit);
        column += width;
      } else if (point === null) {
        runs.put(`\\x${block.bytes[at].toString(16).padStart(2, '0')}`, `${hit} mark`);
        column += 4;
      } else {
        const name = controlName(point);
        if (name) {
          runs.name(name, hit);
          column += controlColumns(name);
        } else {
          runs.put(String.fromCodePoint(point), hit);
          column += columns(point);
        }
      }
      at += length;
    }
    runs.flush();
    node.replaceChildren(...gutter, code);
  }

  #drawHex(node, block, from) {
    const width = this.hexWidth;
    const hex = h('code.hex');
    const ascii = h('code.ascii');
    const hexRuns = new Runs(hex);
    const asciiRuns = new Runs(ascii);
    const to = Math.min(block.length, from + width);
    for (let at = from; at < to; at++) {
      const hit = this.#hit(block, at);
      const byte = block.bytes[at];
      hexRuns.put(byte.toString(16).padStart(2, '0') + (at - from === width / 2 - 1 ? '  ' : ' '), hit);
      asciiRuns.put(byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·', hit);
    }
    hexRuns.flush();
    asciiRuns.flush();
    hex.append(''.padEnd((width - (to - from)) * 3 + (to - from < width / 2 ? 1 : 0)));
    node.replaceChildren(h('span.offset', {}, format.hexOffset(block.offset + from, this.narrow ? 6 : 8)), hex, ascii);
  }
}

/** An arrow, and what it says to who does not see it. */
function direction({ direction: way }) {
  return [
    h('span.direction', {}, way === 'in' ? '←' : '→'),
    h('span.visually-hidden', {}, way === 'in' ? 'received' : 'sent'),
  ];
}
