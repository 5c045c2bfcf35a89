import { h, setText } from './dom.js';
import * as format from './format.js';
import { shown } from './forms.js';
import { ProblemSlot } from './problem.js';

const PERIOD_MS = 3000;

/** Policy's rules in their order, and what each has matched; the one that decided is lit. */
export class PolicyRules {
  #service;
  #timer;
  #rows = new Map();
  #lead = h('p.hint');
  #tables = h('div');
  #problems = new ProblemSlot();

  constructor(service) {
    this.#service = service;
    this.node = h('section.card.wide.rules', {}, h('h2', {}, 'Rules'), this.#lead, this.#problems.node, this.#tables);
    this.loaded = this.#load();
    this.#timer = setInterval(() => document.visibilityState === 'visible' && this.#load(), PERIOD_MS);
  }

  async #load() {
    try {
      const rules = await this.#service.call('GET', 'policy');
      this.#problems.clear();
      if (this.#rows.size === 0) {
        this.#build(rules);
      }
      for (const half of ['egress', 'listen']) {
        for (const { rule, matched } of rules[half]) {
          setText(this.#rows.get(`${half} ${rule}`).matched, matched === null ? '–' : format.count(matched));
        }
      }
    } catch (problem) {
      this.#problems.show(shown(problem));
    }
  }

  #build({ since, matchesOf, egress, listen }) {
    setText(this.#lead, `Matched are ${matchesOf === 'server' ? 'everybody’s' : 'your'} calls since ${new Date(since).toLocaleString()}. `
      + (matchesOf === 'server' ? '' : 'What the rules are about is told to operators. ')
      + 'Explaining is not counted.');
    this.#tables.replaceChildren(
      h('h3', {}, 'Connect and send: the first that matches decides'),
      this.#table('egress', egress),
      h('h3', {}, 'Bind and listen'),
      this.#table('listen', listen));
  }

  #table(half, rules) {
    return h('div.table-scroll', { tabindex: '0', role: 'group', 'aria-label': half === 'egress' ? 'What may be reached' : 'What may be bound' },
      h('table.data', {},
        h('thead', {}, h('tr', {}, ['Rule', 'Action', 'About', 'Matched'].map((name) => h('th', { scope: 'col' }, name)))),
        h('tbody', {}, rules.map((rule) => this.#row(half, rule)))));
  }

  #row(half, { rule, action, conditions }) {
    const matched = h('td.count');
    const mark = h('span.lit-mark', { hidden: true }, 'decided');
    const row = h('tr', { tabindex: '-1', class: rule.startsWith('default:') ? 'built-in' : '' },
      h('th', { scope: 'row' }, h('code', {}, rule), ' ', mark),
      h('td', {}, h('span.decision', { class: action }, action)),
      h('td.about', {}, conditions === null ? '–' : about(conditions)),
      matched);
    this.#rows.set(`${half} ${rule}`, { row, mark, matched });
    return row;
  }

  /** Lights the rules of these decisions, and no others. */
  async light(operation, decisions) {
    await this.loaded;
    const half = operation === 'bind' ? 'listen' : 'egress';
    const lit = new Set(decisions.map(({ rule }) => `${half} ${rule}`));
    for (const [key, { row, mark }] of this.#rows) {
      row.classList.toggle('lit', lit.has(key));
      mark.hidden = !lit.has(key);
    }
  }

  /** Brings a rule into view. */
  show(operation, rule) {
    const row = this.#rows.get(`${operation === 'bind' ? 'listen' : 'egress'} ${rule}`)?.row;
    row?.scrollIntoView({ block: 'center' });
    row?.focus({ preventScroll: true });
  }

  dispose() {
    clearInterval(this.#timer);
  }
}

function about(conditions) {
  const all = Object.entries(conditions);
  return all.length === 0 ? 'everything else' : all.map(([name, values]) => h('span.condition', {}, h('span.manual', {}, `${name} `), h('code', {}, values.join(', '))));
}
