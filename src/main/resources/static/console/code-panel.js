import { copyButton } from './copy.js';
import { download, h, perFrame, setText, uniqueId } from './dom.js';
import { field, select } from './forms.js';
import * as format from './format.js';
import { stepsOf } from './history.js';
import { LANGUAGES, program } from './programs.js';
import { BASE } from './service.js';

const API = new URL('api/v1', BASE).href;

const NOTHING = 'Nothing has been asked of the service here yet.';

/** What was done here as a program: one call, or all of them; of one handle where `id` is given. */
export class CodePanel {
  #service;
  #id;
  #language = localStorage.getItem('socket-proxy.language') ?? LANGUAGES[0][0];
  #which;
  #code = h('code');
  #listed = '';

  constructor({ service }, { id = null, which = 'all' } = {}) {
    this.#service = service;
    this.#id = id;
    const group = uniqueId('language');
    this.#which = select('which', [['all', 'All']], { value: 'all', onchange: () => this.#write() });
    this.node = h('div.code-panel', {},
      h('div.code-head', {},
        field('Calls', this.#which),
        h('div.segmented', { role: 'radiogroup', 'aria-label': 'Language' }, LANGUAGES.map(([language, label]) =>
          h('label.segment', {},
            h('input.visually-hidden', {
              type: 'radio',
              name: group,
              value: language,
              checked: language === this.#language,
              onchange: () => this.#speak(language),
            }),
            h('span', {}, label)))),
        h('div.code-actions', {},
          copyButton(() => this.#text(), 'Copy the program', { text: 'Copy' }),
          h('button.button', { type: 'button', onclick: () => this.#save() }, 'Save'))),
      h('pre.code', { tabindex: '0', role: 'region', 'aria-label': 'Program' }, this.#code),
      h('p.hint', {}, 'The token is not in it: the program takes it from the environment, ', h('code', {}, 'SOCKET_PROXY_TOKEN'), '.'));
    const update = perFrame(() => this.#update());
    this.onchange = () => (this.node.isConnected ? update() : this.#service.history.removeEventListener('change', this.onchange));
    this.#update();
    this.#which.value = which === 'last' && this.#steps.length > 0 ? String(this.#steps.length - 1) : 'all';
    this.#write();
    // Not before it is on the page, which is what ends it.
    requestAnimationFrame(() => this.#service.history.addEventListener('change', this.onchange));
  }

  get #steps() {
    const { steps } = this.#service.history;
    return this.#id ? stepsOf(steps, this.#id) : steps;
  }

  #speak(language) {
    this.#language = language;
    localStorage.setItem('socket-proxy.language', language);
    this.#write();
  }

  #update() {
    const steps = this.#steps;
    const options = [
      ['all', `All that was done ${this.#id ? 'with this socket' : 'here'}: ${steps.length === 1 ? '1 call' : `${steps.length} calls`}`],
      ...steps.map((step, index) => [String(index), label(step)]).reverse(),
    ];
    const listed = JSON.stringify(options);
    if (listed !== this.#listed) {
      this.#listed = listed;
      const { value } = this.#which;
      this.#which.replaceChildren(...options.map(([option, text]) => h('option', { value: option }, text)));
      this.#which.value = options.some(([option]) => option === value) ? value : 'all';
      this.#write();
    }
  }

  #text() {
    const steps = this.#steps;
    const chosen = this.#which.value === 'all' ? steps : steps.slice(Number(this.#which.value)).slice(0, 1);
    return chosen.length === 0 ? '' : program(this.#language, chosen, API);
  }

  #write() {
    setText(this.#code, this.#text() || NOTHING);
  }

  #save() {
    download(LANGUAGES.find(([language]) => language === this.#language)[2], [this.#text()], 'text/plain');
  }
}

function label({ time, method, path, query, bytes, omitted, failed, json }) {
  const call = path.split('/').filter((part, index, all) => !(index === 1 && all[0] === 'sockets')).join('/');
  const { host, port = 0 } = { ...query, ...json };
  const where = host ? `, ${format.address({ host, port })}` : '';
  const size = bytes + omitted > 0 ? `, ${format.bytes(bytes + omitted)}` : '';
  return `${format.clock(time).slice(0, 8)} ${method} ${call}${where}${size}${failed ? ', failed' : ''}`;
}

/** The same in a dialog, for all that was done. */
export function codeDialog(app, options) {
  const panel = new CodePanel(app, options);
  const dialog = h('dialog.dialog.code-dialog', { 'aria-label': 'Copy as a program', onclose: () => dialog.remove() },
    h('header.dialog-head', {},
      h('h2', {}, 'Copy as a program'),
      h('button.button.small', { type: 'button', onclick: () => dialog.close() }, 'Close')),
    h('div.dialog-body', {}, panel.node));
  document.body.append(dialog);
  dialog.showModal();
}
