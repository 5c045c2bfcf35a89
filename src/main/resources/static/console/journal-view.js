import { announce, download, h, icon, perFrame, setText, uniqueId } from './dom.js';
import * as format from './format.js';
import { latin1 } from './journal.js';
import { Rows } from './rows.js';
import { Terminal } from './terminal.js';
import { codePoint, columns, encode, parseHex, textRows, unescape } from './text.js';

/** From this many bytes within the window on, bytes are counted and not shown. */
const FLOOD_BYTES = 1_500_000;
const WINDOW_MS = 250;

/** How much a terminal is given at once; what a flood leaves behind is more than anyone reads. */
const TERMINAL_BACKLOG = 256 << 10;

const MODES = [
  ['text', 'Text'],
  ['hex', 'Hex'],
  ['terminal', 'Terminal'],
];

/** A journal on the page: as text, as a hexdump, as a terminal; with search and saving. */
export class JournalView {
  #journal;
  #name;
  #mode;
  #marks = false;
  #follow = true;
  #blocks = [];
  #starts = [0];
  #columns = 80;
  #hexWidth = 16;
  #characterWidth = 7;
  #lastTop = 0;
  #matches = [];
  #match = -1;
  #searchedVersion = -1;
  #searchTimer = 0;
  #flooded = false;
  #recent = 0;
  #windowTimer = 0;
  #terminal = null;
  #terminalRows = [];

  /**
   * @param {import('./journal.js').Journal} journal
   * @param {{name: string, mode?: string, onaddress?: (address) => void, onmode?: (mode: string) => void}} options `name` begins the names
   *     of saved files; `onaddress` is called with the address of a datagram that was clicked
   */
  constructor(journal, { name, mode = 'text', onaddress = null, onmode = null }) {
    this.#journal = journal;
    this.#name = name;
    this.#mode = mode;
    this.onaddress = onaddress;
    this.onmode = onmode;
    this.node = this.#build();
    this.#rows = new Rows(this.#viewport, this.#space, 18, {
      count: () => this.#count(),
      key: (index) => index,
      create: () => h('div.jrow'),
      update: (node, index) => this.#draw(node, index),
    });
    this.refresh = perFrame(() => this.#refresh());
    this.resized = new ResizeObserver(() => this.#measure());
    this.resized.observe(this.#viewport);
  }

  #rows;
  #viewport;
  #space;
  #ruler;
  #search;
  #searchKind;
  #found;
  #followButton;
  #flood;
  #empty;
  #summary;

  get mode() {
    return this.#mode;
  }

  #build() {
    const group = uniqueId('mode');
    this.#ruler = h('span.ruler', { 'aria-hidden': 'true' }, 'x'.repeat(64));
    this.#space = h('div.jspace');
    this.#empty = h('p.jempty', {}, 'Nothing yet. What is sent and received appears here.');
    this.#flood = h('p.jflood', { hidden: true });
    this.#viewport = h(
      'div.journal',
      { tabindex: '0', role: 'region', 'aria-label': 'Sent and received data', onscroll: () => this.#scrolled() },
      this.#ruler,
      this.#space);
    this.#search = h('input', {
      type: 'search',
      placeholder: 'Search',
      'aria-label': 'Search in the data',
      spellcheck: 'false',
      autocomplete: 'off',
      oninput: () => this.#searchSoon(),
      onkeydown: (event) => {
        if (event.key === 'Enter') {
          event.preventDefault();
          this.#step(event.shiftKey ? -1 : 1);
        } else if (event.key === 'Escape') {
          this.#search.value = '';
          this.#searchNow();
        }
      },
    });
    this.#searchKind = h(
      'select',
      { 'aria-label': 'Search for', onchange: () => this.#searchNow() },
      h('option', { value: 'text' }, 'Text'),
      h('option', { value: 'case' }, 'Text, with case'),
      h('option', { value: 'hex' }, 'Hex'));
    this.#found = h('span.found', { role: 'status' });
    this.#followButton = h(
      'button.icon-button',
      {
        type: 'button',
        title: 'Follow the newest',
        'aria-label': 'Follow the newest',
        'aria-pressed': 'true',
        onclick: () => this.#setFollow(!this.#follow),
      },
      icon('follow'));
    this.#summary = h('span.jsummary');
    const modes = MODES.filter(([mode]) => !(mode === 'terminal' && this.#journal.datagrams)).map(([mode, label]) =>
      h(
        'label.segment',
        {},
        h('input.visually-hidden', {
          type: 'radio',
          name: group,
          value: mode,
          checked: mode === this.#mode,
          onchange: () => this.#setMode(mode),
        }),
        h('span', {}, label)));
    return h(
      'section.journal-view',
      { 'aria-label': 'Data' },
      h(
        'div.toolbar',
        {},
        h('div.segmented', { role: 'radiogroup', 'aria-label': 'Show as' }, modes),
        h(
          'label.check.marks',
          { title: 'Show line ends and other control characters', hidden: this.#mode !== 'text' },
          h('input', {
            type: 'checkbox',
            onchange: (event) => {
              this.#marks = event.target.checked;
              this.#rows.render();
            },
          }),
          h('span', {}, 'Line ends')),
        h('div.searchbox', {},
          this.#search,
          this.#searchKind,
          h('button.icon-button', { type: 'button', 'aria-label': 'Previous match', title: 'Previous match (Shift+Enter)', onclick: () => this.#step(-1) }, icon('up')),
          h('button.icon-button', { type: 'button', 'aria-label': 'Next match', title: 'Next match (Enter)', onclick: () => this.#step(1) }, icon('down')),
          this.#found),
        h('div.toolbar-end', {},
          this.#searchToggle(),
          this.#followButton,
          h('button.icon-button', { type: 'button', 'aria-label': 'Clear', title: 'Clear', onclick: () => this.clear() }, icon('clear')),
          this.#saveMenu())),
      h('div.journal-frame', {}, this.#viewport, this.#empty, this.#flood),
      this.#summary);
  }

  // Where there is no room, the search is there when asked for.
  #searchToggle() {
    const button = h('button.icon-button.search-toggle', {
      type: 'button',
      'aria-label': 'Search',
      'aria-expanded': 'false',
      onclick: () => {
        const open = button.closest('.toolbar').classList.toggle('searching');
        button.setAttribute('aria-expanded', String(open));
        if (open) {
          this.#search.focus();
        }
      },
    }, icon('search'));
    return button;
  }

  #saveMenu() {
    const id = uniqueId('save');
    const choose = (save) => () => {
      menu.hidePopover();
      save();
    };
    const menu = h(
      'div.menu',
      { id, popover: 'auto' },
      h('button', { type: 'button', onclick: choose(() => this.#save('in')) }, 'Received bytes'),
      h('button', { type: 'button', onclick: choose(() => this.#save('out')) }, 'Sent bytes'),
      h('button', { type: 'button', onclick: choose(() => this.#saveTranscript()) }, 'Transcript with times'));
    const button = h('button.icon-button', { type: 'button', popovertarget: id, 'aria-label': 'Save to a file', title: 'Save to a file' }, icon('save'));
    menu.addEventListener('beforetoggle', (event) => {
      if (event.newState === 'open') {
        const box = button.getBoundingClientRect();
        menu.style.top = `${box.bottom + 4}px`;
        menu.style.left = `${Math.max(8, box.right - 190)}px`;
      }
    });
    return [button, menu];
  }

  /** Notes that so many bytes have just gone over the socket. */
  moved(byteCount) {
    this.#recent += byteCount;
    if (this.#windowTimer === 0) {
      this.#windowTimer = setTimeout(() => this.#windowEnds(), WINDOW_MS);
    }
    if (!this.#flooded && this.#recent > FLOOD_BYTES) {
      this.#flooded = true;
      this.#flood.hidden = false;
      setText(this.#flood, 'Counting, not showing.');
      announce('Too much data to show: it is counted only');
    }
    if (!this.#flooded) {
      this.refresh();
    }
  }

  #windowEnds() {
    const recent = this.#recent;
    this.#recent = 0;
    this.#windowTimer = 0;
    if (!this.#flooded) {
      return;
    }
    if (recent > FLOOD_BYTES / 2) {
      this.#windowTimer = setTimeout(() => this.#windowEnds(), WINDOW_MS);
      setText(this.#flood, `${format.rate((recent * 1000) / WINDOW_MS)} – counting, not showing. The last ${format.bytes(this.#journal.kept)} are kept.`);
      this.#summarise();
    } else {
      this.#flooded = false;
      this.#flood.hidden = true;
      this.refresh();
    }
  }

  /** Empties the view; the counters go on. */
  clear() {
    this.#journal.clear();
    this.#terminal = null;
    this.#matches = [];
    this.#match = -1;
    this.refresh();
  }

  #setMode(mode) {
    this.#mode = mode;
    this.node.querySelector('.marks').hidden = mode !== 'text';
    this.#searchKind.value = mode === 'hex' ? 'hex' : 'text';
    this.onmode?.(mode);
    this.#reindex();
    this.#setFollow(true);
    this.#searchNow();
  }

  #measure() {
    const width = this.#ruler.scrollWidth / 64;
    if (width === 0) {
      return;
    }
    this.#characterWidth = width;
    const padding = Number.parseFloat(getComputedStyle(this.#viewport).paddingLeft);
    const all = Math.floor((this.#viewport.clientWidth - 2 * padding) / width);
    const narrow = this.#viewport.clientWidth < 560;
    if (narrow !== this.#viewport.classList.contains('narrow')) {
      // Another font, another width: measured anew.
      this.#viewport.classList.toggle('narrow', narrow);
      this.#measure();
      return;
    }
    // The gutter: time and direction.
    const columnCount = Math.max(16, all - (this.#mode === 'terminal' ? 0 : narrow ? 3 : 16));
    const hexWidth = all >= 78 ? 16 : all >= 42 ? 8 : 4;
    if (columnCount !== this.#columns || hexWidth !== this.#hexWidth) {
      this.#columns = columnCount;
      this.#hexWidth = hexWidth;
      this.#reindex();
      this.#refresh();
    }
  }

  #reindex() {
    for (const block of this.#journal.blocks) {
      block.index = null;
    }
    this.#measureSoon ??= perFrame(() => this.#measure());
    this.#measureSoon();
    this.refresh();
  }

  #measureSoon;

  #hasHeader(block) {
    return block.direction === 'note' || (this.#mode === 'hex' && !block.continues) || this.#journal.datagrams;
  }

  #index(block) {
    if (!block.index) {
      block.index = this.#mode === 'hex'
        ? { rows: Math.ceil(block.length / this.#hexWidth), starts: null }
        : (() => {
          const starts = block.length === 0 ? [] : textRows(block.bytes, block.length, this.#columns);
          return { rows: starts.length, starts };
        })();
      block.index.header = this.#hasHeader(block) ? 1 : 0;
    }
    return block.index;
  }

  #count() {
    return this.#mode === 'terminal' ? this.#terminalRows.length : this.#starts[this.#starts.length - 1];
  }

  #refresh() {
    if (!this.node.isConnected) {
      return;
    }
    if (this.#mode === 'terminal') {
      this.#feedTerminal();
    } else {
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
      if (!this.#follow && before.length > 0 && this.#blocks[0] !== before[0]) {
        // What was let go was above: what is read stays where it is.
        const gone = before.indexOf(this.#blocks[0]);
        const rows = gone < 0 ? startsBefore[startsBefore.length - 1] : startsBefore[gone];
        this.#viewport.scrollTop = Math.max(0, this.#viewport.scrollTop - rows * this.#rows.height);
      }
    }
    if (this.#search.value !== '' && this.#searchedVersion !== this.#journal.version) {
      this.#searchSoon(500);
    }
    this.#empty.hidden = this.#count() > 0;
    this.#rows.render();
    if (this.#follow) {
      this.#viewport.scrollTop = this.#viewport.scrollHeight;
      this.#lastTop = this.#viewport.scrollTop;
      this.#rows.render(false);
    }
    this.#summarise();
  }

  #summarise() {
    const { received, sent, dropped } = this.#journal;
    setText(
      this.#summary,
      `${format.count(received)} bytes received, ${format.count(sent)} sent`
        + (dropped > 0 ? `; the last ${format.bytes(this.#journal.kept)} are kept` : ''));
  }

  #scrolled() {
    const viewport = this.#viewport;
    const atEnd = viewport.scrollTop + viewport.clientHeight >= viewport.scrollHeight - 4;
    if (atEnd) {
      this.#setFollow(true, false);
    } else if (viewport.scrollTop < this.#lastTop) {
      this.#setFollow(false, false);
    }
    this.#lastTop = viewport.scrollTop;
  }

  #setFollow(follow, render = true) {
    this.#follow = follow;
    this.#followButton.setAttribute('aria-pressed', String(follow));
    if (render) {
      this.refresh();
    }
  }

  #draw(node, index) {
    if (this.#mode === 'terminal') {
      this.#drawTerminal(node, index);
      return;
    }
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
    node.className = `jrow ${block.direction}`;
    if (row < 0) {
      this.#drawHeader(node, block);
    } else if (this.#mode === 'hex') {
      this.#drawHex(node, block, row * this.#hexWidth);
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
      h('span.direction', {}, block.direction === 'in' ? '←' : '→'),
      h('span.visually-hidden', {}, block.direction === 'in' ? 'received' : 'sent'),
      peer && this.onaddress
        ? h('button.peer', { type: 'button', title: 'Send to this address', onclick: () => this.onaddress(block.address) }, peer)
        : peer ? h('span.peer', {}, peer) : '',
      h('span.length', {}, block.length === 1 ? '1 byte' : `${format.count(block.length)} bytes`));
  }

  #drawText(node, block, from, to, first) {
    const gutter = this.#journal.datagrams
      ? []
      : [
        h('span.time', {}, first && !block.continues ? format.clock(block.time) : ''),
        h('span.direction', {}, first && !block.continues ? (block.direction === 'in' ? '←' : '→') : ''),
        first && !block.continues ? h('span.visually-hidden', {}, block.direction === 'in' ? 'received' : 'sent') : '',
      ];
    const code = h('code');
    let run = '';
    let runClass = '';
    const flush = () => {
      if (run !== '') {
        code.append(runClass === '' ? run : h('span', { class: runClass }, run));
        run = '';
      }
    };
    const put = (text, cls) => {
      if (cls !== runClass) {
        flush();
        runClass = cls;
      }
      run += text;
    };
    let column = 0;
    let at = from;
    while (at < to) {
      const { length, point } = codePoint(block.bytes, at, block.length);
      const hit = this.#hit(block, at);
      if (point === 10 || (point === 13 && block.bytes[at + 1] === 10)) {
        if (this.#marks) {
          put(point === 10 ? '␊' : '␍', `${hit} mark`);
        }
      } else if (point === 9) {
        const width = 8 - (column % 8);
        put(this.#marks ? '⇥'.padEnd(width) : ' '.repeat(width), hit);
        column += width;
      } else if (point === null) {
        put(`\\x${block.bytes[at].toString(16).padStart(2, '0')}`, `${hit} mark`);
        column += 4;
      } else if (point < 32 || point === 127) {
        put(String.fromCodePoint(point === 127 ? 0x2421 : 0x2400 + point), `${hit} mark`);
        column += 1;
      } else {
        put(String.fromCodePoint(point), hit);
        column += columns(point);
      }
      at += length;
    }
    flush();
    node.replaceChildren(...gutter, code);
  }

  #drawHex(node, block, from) {
    const width = this.#hexWidth;
    const hex = h('code.hex');
    const ascii = h('code.ascii');
    let hexRun = '';
    let asciiRun = '';
    let runClass = '';
    const flush = () => {
      if (hexRun !== '') {
        hex.append(runClass === '' ? hexRun : h('span', { class: runClass }, hexRun));
        ascii.append(runClass === '' ? asciiRun : h('span', { class: runClass }, asciiRun));
        hexRun = '';
        asciiRun = '';
      }
    };
    const end = Math.min(block.length, from + width);
    for (let at = from; at < end; at++) {
      const hit = this.#hit(block, at);
      if (hit !== runClass) {
        flush();
        runClass = hit;
      }
      const byte = block.bytes[at];
      hexRun += byte.toString(16).padStart(2, '0') + (at - from === width / 2 - 1 ? '  ' : ' ');
      asciiRun += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·';
    }
    flush();
    hex.append(''.padEnd((width - (end - from)) * 3 + (end - from < width / 2 ? 1 : 0)));
    node.replaceChildren(
      h('span.offset', {}, format.hexOffset(block.offset + from, this.#viewport.classList.contains('narrow') ? 6 : 8)),
      hex,
      ascii);
  }

  #hit(block, at) {
    if (this.#matches.length === 0) {
      return '';
    }
    const offset = block.offset + at;
    const ordered = block.direction === 'in' ? this.#hitsIn : this.#hitsOut;
    let low = 0;
    let high = ordered.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const match = ordered[middle];
      if (offset < match.offset) {
        high = middle - 1;
      } else if (offset >= match.offset + match.length) {
        low = middle + 1;
      } else {
        return match === this.#matches[this.#match] ? 'hit current' : 'hit';
      }
    }
    return '';
  }

  #hitsIn = [];
  #hitsOut = [];

  #searchSoon(delay = 150) {
    clearTimeout(this.#searchTimer);
    this.#searchTimer = setTimeout(() => this.#searchNow(), delay);
  }

  #searchNow() {
    clearTimeout(this.#searchTimer);
    this.#searchedVersion = this.#journal.version;
    const query = this.#search.value;
    const current = this.#matches[this.#match];
    this.#search.removeAttribute('aria-invalid');
    try {
      const kind = this.#searchKind.value;
      const pattern = kind === 'hex' ? parseHex(query) : query.includes('\\') ? unescape(query) : encode(query);
      this.#matches = this.#journal.find(latin1(pattern), { ignoreCase: kind === 'text' });
    } catch (malformed) {
      this.#matches = [];
      this.#match = -1;
      this.#search.setAttribute('aria-invalid', 'true');
      setText(this.#found, malformed.message);
      this.#rows.render();
      return;
    }
    this.#hitsIn = this.#matches.filter((match) => match.direction === 'in');
    this.#hitsOut = this.#matches.filter((match) => match.direction === 'out');
    // In the order of the blocks, and the same match stays the current one.
    const order = new Map();
    this.#journal.blocks.forEach((block, index) => order.set(block, index));
    this.#match = current
      ? this.#matches.findIndex((match) => match.direction === current.direction && match.offset === current.offset)
      : -1;
    this.#sayFound();
    this.#rows.render();
  }

  #sayFound() {
    const total = this.#matches.length;
    setText(
      this.#found,
      this.#search.value === '' ? ''
        : total === 0 ? 'none'
          : this.#match < 0 ? `${format.count(total)} found` : `${this.#match + 1} of ${format.count(total)}`);
  }

  #step(by) {
    if (this.#searchedVersion !== this.#journal.version || this.#matches.length === 0) {
      this.#searchNow();
    }
    if (this.#matches.length === 0) {
      return;
    }
    if (this.#mode === 'terminal') {
      // A terminal's screen has lost the places.
      this.node.querySelector('input[value="text"]').click();
    }
    this.#match = this.#match < 0
      ? (by > 0 ? 0 : this.#matches.length - 1)
      : (this.#match + by + this.#matches.length) % this.#matches.length;
    this.#sayFound();
    const { direction, offset } = this.#matches[this.#match];
    const blocks = this.#journal.blocks;
    const at = this.#journal.blockAt(direction, offset);
    if (at < 0) {
      return;
    }
    this.#setFollow(false, false);
    this.#refresh();
    const block = blocks[at];
    const { header, starts } = this.#index(block);
    const inside = offset - block.offset;
    const row = this.#mode === 'hex'
      ? Math.floor(inside / this.#hexWidth)
      : Math.max(0, starts.findLastIndex((start) => start <= inside));
    this.#rows.reveal(this.#starts[at] + header + row);
    this.#lastTop = this.#viewport.scrollTop;
    this.#rows.render();
  }

  #feedTerminal() {
    this.#terminal ??= new Terminal();
    const terminal = this.#terminal;
    const pending = this.#journal.blocks.filter((block) => block.fedTo !== terminal || block.fed < block.length);
    let backlog = pending.reduce((sum, block) => sum + block.length - (block.fedTo === terminal ? block.fed : 0), 0);
    for (const block of pending) {
      let from = block.fedTo === terminal ? block.fed : 0;
      const over = backlog - TERMINAL_BACKLOG;
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
      for (let from = 0; from === 0 || from < line.length; from += this.#columns) {
        rows.push([line, from]);
      }
    });
    this.#terminalRows = rows;
  }

  #drawTerminal(node, index) {
    const [line, from] = this.#terminalRows[index];
    const code = h('code');
    let run = '';
    let style = '';
    const flush = () => {
      if (run !== '') {
        code.append(style === '' ? run : h('span', { class: style }, run));
        run = '';
      }
    };
    for (const cell of line.slice(from, from + this.#columns)) {
      if (cell.style !== style) {
        flush();
        style = cell.style;
      }
      run += cell.character;
    }
    flush();
    node.className = 'jrow terminal';
    node.replaceChildren(code);
  }

  #save(direction) {
    download(`${this.#name}-${direction === 'in' ? 'received' : 'sent'}.bin`, this.#journal.parts(direction));
  }

  #saveTranscript() {
    const lines = this.#journal.blocks.map((block) => {
      if (block.direction === 'note') {
        return `${new Date(block.time).toISOString()} * ${block.text}\n`;
      }
      const head = `${new Date(block.time).toISOString()} ${block.direction === 'in' ? '<' : '>'}`
        + `${block.address ? ` ${format.address(block.address)}` : ''} ${block.length} bytes at ${block.offset}\n`;
      const text = new TextDecoder().decode(block.bytes.subarray(0, block.length));
      return `${head}${text}${text.endsWith('\n') ? '' : '\n'}`;
    });
    download(`${this.#name}-transcript.txt`, lines, 'text/plain');
  }
}
