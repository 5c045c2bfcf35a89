import { h, uniqueId } from './dom.js';

/** Tabs with a panel each, as WAI-ARIA's pattern has them. */
export class Tabs {
  #entries = [];
  #current = null;

  constructor(label) {
    this.list = h('div.tabs', { role: 'tablist', 'aria-label': label, onkeydown: (event) => this.#key(event) });
    this.panels = h('div.panels');
  }

  /** The name of the one that is shown. */
  get current() {
    return this.#current?.name ?? null;
  }

  get first() {
    return this.#entries[0].name;
  }

  /** @param entries `[name, label, make, always]`: `make` gives the panel's content when it is shown first, or whenever it is shown */
  set(entries) {
    this.#entries = entries.map(([name, label, make, always = false]) => {
      const id = uniqueId('tab');
      const panel = h('div.panel', { role: 'tabpanel', id: `${id}-panel`, 'aria-labelledby': id, hidden: true, dataset: { name } });
      const tab = h('button.tab', { type: 'button', role: 'tab', id, 'aria-controls': `${id}-panel`, onclick: () => this.show(name) }, label);
      return { name, make, always, panel, tab };
    });
    this.list.replaceChildren(...this.#entries.map(({ tab }) => tab));
    this.panels.replaceChildren(...this.#entries.map(({ panel }) => panel));
  }

  show(name) {
    for (const entry of this.#entries) {
      const current = entry.name === name;
      entry.tab.setAttribute('aria-selected', String(current));
      entry.tab.tabIndex = current ? 0 : -1;
      entry.panel.hidden = !current;
      if (current) {
        if (entry.panel.childElementCount === 0 || entry.always) {
          entry.panel.replaceChildren(entry.make());
        }
        this.#current = entry;
      }
    }
    this.onshow?.();
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const at = this.#entries.indexOf(this.#current);
      const next = this.#entries[(at + step + this.#entries.length) % this.#entries.length];
      this.show(next.name);
      next.tab.focus();
    }
  }
}
