import { h } from './dom.js';
import { Runs } from './runs.js';
import { Terminal } from './terminal.js';

/** How much a terminal is given at once; what a flood leaves behind is more than anyone reads. */
const BACKLOG_BYTES = 256 << 10;

/** The rows that a journal takes as a terminal shows it. */
export class TerminalRows {
  #journal;
  #terminal = new Terminal();
  #rows = [];

  /** How many characters fit into a row. */
  columns = 80;

  constructor(journal) {
    this.#journal = journal;
  }

  get count() {
    return this.#rows.length;
  }

  /** Begins with an empty screen. */
  clear() {
    this.#terminal = new Terminal();
  }

  /** Follows the journal. */
  follow() {
    const terminal = this.#terminal;
    const pending = this.#journal.blocks.filter((block) => block.fedTo !== terminal || block.fed < block.length);
    let backlog = pending.reduce((sum, block) => sum + block.length - (block.fedTo === terminal ? block.fed : 0), 0);
    for (const block of pending) {
      let from = block.fedTo === terminal ? block.fed : 0;
      const over = backlog - BACKLOG_BYTES;
      backlog -= block.length - from;
      if (over > 0) {
        from = Math.min(block.length, from + over);
      }
      terminal.write(block.direction, block.bytes.subarray(from, block.length));
      block.fedTo = terminal;
      block.fed = block.length;
    }
    const rows = [];
    terminal.lines.forEach((line, index) => {
      if (index === terminal.lines.length - 1 && line.length === 0) {
        return;
      }
      for (let from = 0; from === 0 || from < line.length; from += this.columns) {
        rows.push([line, from]);
      }
    });
    this.#rows = rows;
  }

  draw(node, index) {
    const [line, from] = this.#rows[index];
    const code = h('code');
    const runs = new Runs(code);
    for (const { character, style } of line.slice(from, from + this.columns)) {
      runs.put(character, style);
    }
    runs.flush();
    node.className = 'jrow terminal';
    node.replaceChildren(code);
  }
}
