import { announce, h, icon, perFrame, setText, uniqueId } from './dom.js';
import { Flood } from './flood.js';
import * as format from './format.js';
import { saveMenu } from './journal-files.js';
import { JournalRows } from './journal-rows.js';
import { JournalSearch } from './journal-search.js';
import { Rows } from './rows.js';
import { TerminalRows } from './terminal-rows.js';

const ROW_PIXELS = 18;

const MODES = [
  ['text', 'Text'],
  ['hex', 'Hex'],
  ['terminal', 'Terminal'],
];

/** A journal on the page: as text, as a hexdump, as a terminal; with search and saving. */
export class JournalView {
  #journal;
  #mode;
  #onmode;
  #blocks;
  #terminal;
  #search;
  #rows;
  #follow = true;
  #lastTop = 0;

  #viewport;
  #space;
  #ruler;
  #marks;
  #followButton;
  #flooded;
  #empty;
  #summary;

  #flood = new Flood({
    rises: () => {
      this.#flooded.hidden = false;
      setText(this.#flooded, 'Counting, not showing.');
      announce('Too much data to show: it is counted only');
    },
    goesOn: (rate) => {
      setText(this.#flooded, `${format.rate(rate)} – counting, not showing. The last ${format.bytes(this.#journal.kept)} are kept.`);
      this.#summarise();
    },
    falls: () => {
      this.#flooded.hidden = true;
      this.refresh();
    },
  });

  /**
   * @param {import('./journal.js').Journal} journal
   * @param {{name: string, mode?: string, onaddress?: (address) => void, onmode?: (mode: string) => void}} options `name` begins the names
   *     of saved files; `onaddress` is called with the address of a datagram that was clicked
   */
  constructor(journal, { name, mode = 'text', onaddress = null, onmode = null }) {
    this.#journal = journal;
    this.#onmode = onmode;
    this.#search = new JournalSearch(journal, { onfound: () => this.#rows.render(), onstep: (by) => this.#step(by) });
    this.#blocks = new JournalRows(journal, { hit: (block, at) => this.#search.hit(block, at), onaddress });
    this.#terminal = new TerminalRows(journal);
    this.#become(mode);
    this.node = this.#build(name);
    this.#rows = new Rows(this.#viewport, this.#space, ROW_PIXELS, {
      count: () => this.#shown.count,
      key: (index) => index,
      create: () => h('div.jrow'),
      update: (node, index) => this.#shown.draw(node, index),
    });
    this.refresh = perFrame(() => this.#refresh());
    this.#measureSoon = perFrame(() => this.#measure());
    this.resized = new ResizeObserver(() => this.#measure());
    this.resized.observe(this.#viewport);
  }

  #measureSoon;

  /** What has the rows of the present mode. */
  get #shown() {
    return this.#mode === 'terminal' ? this.#terminal : this.#blocks;
  }

  #build(name) {
    this.#ruler = h('span.ruler', { 'aria-hidden': 'true' }, 'x'.repeat(64));
    this.#space = h('div.jspace');
    this.#empty = h('p.jempty', {}, 'Nothing yet. What is sent and received appears here.');
    this.#flooded = h('p.jflood', { hidden: true });
    this.#viewport = h(
      'div.journal',
      { tabindex: '0', role: 'region', 'aria-label': 'Sent and received data', onscroll: () => this.#scrolled() },
      this.#ruler,
      this.#space);
    this.#summary = h('span.jsummary');
    return h(
      'section.journal-view',
      { 'aria-label': 'Data' },
      this.#toolbar(name),
      h('div.journal-frame', {}, this.#viewport, this.#empty, this.#flooded),
      this.#summary);
  }

  #toolbar(name) {
    const group = uniqueId('mode');
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
    this.#marks = h(
      'label.check.marks',
      { title: 'Show line ends and other control characters', hidden: this.#mode !== 'text' },
      h('input', {
        type: 'checkbox',
        onchange: (event) => {
          this.#blocks.marks = event.target.checked;
          this.#divideAnew();
        },
      }),
      h('span', {}, 'Line ends'));
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
    const { input, kind, found } = this.#search;
    return h(
      'div.toolbar',
      {},
      h('div.segmented', { role: 'radiogroup', 'aria-label': 'Show as' }, modes),
      this.#marks,
      h('div.searchbox', {},
        input,
        kind,
        h('button.icon-button', { type: 'button', 'aria-label': 'Previous match', title: 'Previous match (Shift+Enter)', onclick: () => this.#step(-1) }, icon('up')),
        h('button.icon-button', { type: 'button', 'aria-label': 'Next match', title: 'Next match (Enter)', onclick: () => this.#step(1) }, icon('down')),
        found),
      h('div.toolbar-end', {},
        this.#searchToggle(),
        this.#followButton,
        h('button.icon-button', { type: 'button', 'aria-label': 'Clear', title: 'Clear', onclick: () => this.clear() }, icon('clear')),
        saveMenu(this.#journal, name)));
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
          this.#search.input.focus();
        }
      },
    }, icon('search'));
    return button;
  }

  /** Notes that so many bytes have just gone over the socket. */
  moved(byteCount) {
    this.#flood.add(byteCount);
    if (!this.#flood.isHigh) {
      this.refresh();
    }
  }

  /** Empties the view; the counters go on. */
  clear() {
    this.#journal.clear();
    this.#terminal.clear();
    this.#search.clear();
    this.refresh();
  }

  #become(mode) {
    this.#mode = mode;
    this.#blocks.hex = mode === 'hex';
  }

  #setMode(mode) {
    this.#become(mode);
    this.#marks.hidden = mode !== 'text';
    this.#search.kind.value = mode === 'hex' ? 'hex' : 'text';
    this.#onmode?.(mode);
    this.#divideAnew();
    this.#setFollow(true);
    this.#search.now();
  }

  #divideAnew() {
    this.#blocks.divideAnew();
    this.#measureSoon();
    this.refresh();
  }

  #measure() {
    const width = this.#ruler.scrollWidth / 64;
    if (width === 0) {
      return;
    }
    const padding = Number.parseFloat(getComputedStyle(this.#viewport).paddingLeft);
    const all = Math.floor((this.#viewport.clientWidth - 2 * padding) / width);
    const narrow = this.#viewport.clientWidth < 560;
    if (narrow !== this.#blocks.narrow) {
      // Another font, another width: measured anew.
      this.#blocks.narrow = narrow;
      this.#viewport.classList.toggle('narrow', narrow);
      this.#measure();
      return;
    }
    // The gutter: time and direction.
    const columns = Math.max(16, all - (this.#mode === 'terminal' ? 0 : narrow ? 3 : 16));
    const hexWidth = all >= 78 ? 16 : all >= 42 ? 8 : 4;
    if (columns !== this.#blocks.columns || hexWidth !== this.#blocks.hexWidth) {
      this.#blocks.columns = this.#terminal.columns = columns;
      this.#blocks.hexWidth = hexWidth;
      this.#divideAnew();
      this.#refresh();
    }
  }

  #refresh() {
    if (!this.node.isConnected) {
      return;
    }
    const gone = this.#shown.follow(!this.#follow);
    if (gone > 0) {
      // What was let go was above: what is read stays where it is.
      this.#viewport.scrollTop = Math.max(0, this.#viewport.scrollTop - gone * this.#rows.height);
    }
    this.#search.follow();
    this.#empty.hidden = this.#shown.count > 0;
    this.#rows.render();
    if (this.#follow) {
      this.#viewport.scrollTop = this.#viewport.scrollHeight;
      this.#lastTop = this.#viewport.scrollTop;
      this.#rows.render(false);
    }
    this.#summarise();
  }

  #summarise() {
    const { received, sent, unsent, dropped } = this.#journal;
    setText(
      this.#summary,
      `${format.count(received)} bytes received, ${format.count(sent - unsent)} sent`
        + (dropped > 0 ? `; the last ${format.bytes(this.#journal.kept)} are kept` : ''));
  }

  #scrolled() {
    const viewport = this.#viewport;
    const atBottom = viewport.scrollTop + viewport.clientHeight >= viewport.scrollHeight - 4;
    if (atBottom) {
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

  #step(by) {
    const match = this.#search.step(by);
    if (!match) {
      return;
    }
    if (this.#mode === 'terminal') {
      // A terminal's screen has lost the places.
      this.node.querySelector('input[value="text"]').click();
    }
    this.#setFollow(false, false);
    this.#refresh();
    this.#rows.reveal(this.#blocks.rowOf(match));
    this.#lastTop = this.#viewport.scrollTop;
    this.#rows.render();
  }
}
