import { h, setText } from './dom.js';
import * as format from './format.js';
import { latin1 } from './journal.js';
import { encode, parseHex, unescape } from './text.js';

/** Finds text or bytes in a journal: its controls, what was found, and which of that is the current match. */
export class JournalSearch {
  #journal;
  #onfound;
  #matches = [];
  #current = -1;
  #searchedVersion = -1;
  #timer = 0;
  #in = [];
  #out = [];

  /**
   * @param {import('./journal.js').Journal} journal
   * @param {{onfound: () => void, onstep: (by: number) => void}} options `onfound` is called when other matches are to be shown, `onstep` when the
   *     next or the previous one is asked for
   */
  constructor(journal, { onfound, onstep }) {
    this.#journal = journal;
    this.#onfound = onfound;
    this.input = h('input', {
      type: 'search',
      placeholder: 'Search',
      'aria-label': 'Search in the data',
      spellcheck: 'false',
      autocomplete: 'off',
      oninput: () => this.#soon(),
      onkeydown: (event) => {
        if (event.key === 'Enter') {
          event.preventDefault();
          onstep(event.shiftKey ? -1 : 1);
        } else if (event.key === 'Escape') {
          this.input.value = '';
          this.now();
        }
      },
    });
    this.kind = h(
      'select',
      { 'aria-label': 'Search for', onchange: () => this.now() },
      h('option', { value: 'text' }, 'Text'),
      h('option', { value: 'case' }, 'Text, with case'),
      h('option', { value: 'hex' }, 'Hex'));
    this.found = h('span.found', { role: 'status' });
  }

  #soon(delay = 150) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.now(), delay);
  }

  /** Searches anew, but not at once, if the journal has changed. */
  follow() {
    if (this.input.value !== '' && this.#searchedVersion !== this.#journal.version) {
      this.#soon(500);
    }
  }

  now() {
    clearTimeout(this.#timer);
    this.#searchedVersion = this.#journal.version;
    const query = this.input.value;
    const current = this.#matches[this.#current];
    this.input.removeAttribute('aria-invalid');
    try {
      const kind = this.kind.value;
      const pattern = kind === 'hex' ? parseHex(query) : query.includes('\\') ? unescape(query) : encode(query);
      this.#matches = this.#journal.find(latin1(pattern), { ignoreCase: kind === 'text' });
    } catch (malformed) {
      this.clear();
      this.input.setAttribute('aria-invalid', 'true');
      setText(this.found, malformed.message);
      this.#onfound();
      return;
    }
    this.#in = this.#matches.filter((match) => match.direction === 'in');
    this.#out = this.#matches.filter((match) => match.direction === 'out');
    // The same match stays the current one.
    this.#current = current
      ? this.#matches.findIndex((match) => match.direction === current.direction && match.offset === current.offset)
      : -1;
    this.#sayFound();
    this.#onfound();
  }

  /** Forgets what was found. */
  clear() {
    this.#matches = [];
    this.#current = -1;
  }

  /** Goes on to the next match, or back to the previous one, and gives it; null if there is none. */
  step(by) {
    if (this.#searchedVersion !== this.#journal.version || this.#matches.length === 0) {
      this.now();
    }
    const total = this.#matches.length;
    if (total === 0) {
      return null;
    }
    this.#current = this.#current < 0 ? (by > 0 ? 0 : total - 1) : (this.#current + by + total) % total;
    this.#sayFound();
    return this.#matches[this.#current];
  }

  /** The class of a byte that is part of a match; empty for one that is not. */
  hit(block, at) {
    if (this.#matches.length === 0) {
      return '';
    }
    const offset = block.offset + at;
    const ordered = block.direction === 'in' ? this.#in : this.#out;
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
        return match === this.#matches[this.#current] ? 'hit current' : 'hit';
      }
    }
    return '';
  }

  #sayFound() {
    const total = this.#matches.length;
    setText(
      this.found,
      this.input.value === '' ? ''
        : total === 0 ? 'none'
          : this.#current < 0 ? `${format.count(total)} found` : `${this.#current + 1} of ${format.count(total)}`);
  }
}
