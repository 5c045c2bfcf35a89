import { commandsOf } from './commands.js';
import { announce, h, toast, uniqueId } from './dom.js';
import { shown } from './forms.js';

const MOST = 50;

/** A dialog in which a few letters find what can be done, by WAI-ARIA's pattern of a combobox with a list; the focus goes back where it was. */
export function openPalette(app) {
  if (document.querySelector('dialog.palette[open]')) {
    return;
  }
  const commands = commandsOf(app);
  const listId = uniqueId('commands');
  let found = [];
  let at = 0;
  let chosen = null;
  const list = h('ul.palette-list', { id: listId, role: 'listbox', 'aria-label': 'Commands' });
  const none = h('p.palette-none', { hidden: true }, 'Nothing is called that.');
  const input = h('input', {
    type: 'text',
    role: 'combobox',
    'aria-label': 'Find a command or a socket',
    'aria-expanded': 'true',
    'aria-controls': listId,
    'aria-autocomplete': 'list',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'Find a command or a socket',
    oninput: () => look(),
    onkeydown: (event) => key(event),
  });
  const dialog = h('dialog.dialog.palette', {
    'aria-label': 'Commands',
    onclose: () => {
      dialog.remove();
      if (chosen) {
        Promise.resolve().then(chosen.run).catch((failure) => toast(shown(failure).message, { kind: 'error' }));
      }
    },
    onclick: (event) => event.target === dialog && dialog.close(),
  }, input, list, none);

  const mark = (next) => {
    at = next;
    [...list.children].forEach((item, index) => item.setAttribute('aria-selected', String(index === at)));
    const current = list.children[at];
    if (current) {
      input.setAttribute('aria-activedescendant', current.id);
      current.scrollIntoView({ block: 'nearest' });
    } else {
      input.removeAttribute('aria-activedescendant');
    }
  };

  const take = (command) => {
    chosen = command;
    dialog.close();
  };

  const look = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const text = ({ group, label, more = '' }) => `${group} ${label} ${more}`.toLowerCase();
    // What is called so comes before what has words that begin so, and that before what only has to do with it.
    const rank = ({ label }) => {
      const named = label.toLowerCase();
      return named.startsWith(words.join(' ')) ? 0 : words.every((word) => ` ${named}`.includes(` ${word}`)) ? 1 : 2;
    };
    found = commands.filter((command) => words.every((word) => text(command).includes(word)))
      .map((command, index) => ({ command, index }))
      .sort((one, other) => rank(one.command) - rank(other.command) || one.index - other.index)
      .map(({ command }) => command);
    list.replaceChildren(...found.slice(0, MOST).map((command, index) =>
      h('li', { role: 'option', id: `${listId}-${index}`, onclick: () => take(command), onmousemove: () => index !== at && mark(index) },
        h('span', {}, command.label), h('span.palette-group', {}, command.group))));
    none.hidden = found.length > 0;
    list.hidden = found.length === 0;
    input.setAttribute('aria-expanded', String(found.length > 0));
    mark(0);
    if (words.length > 0) {
      announce(found.length === 1 ? '1 command' : `${found.length} commands`);
    }
  };

  const key = (event) => {
    const count = list.childElementCount;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.isComposing) {
      return;
    }
    if (event.key === 'Enter' && found[at]) {
      event.preventDefault();
      take(found[at]);
    } else if (steps[event.key] && count > 0) {
      event.preventDefault();
      const step = steps[event.key];
      mark(Math.abs(step) === 1 ? (at + step + count) % count : Math.min(count - 1, Math.max(0, at + step)));
    }
  };

  look();
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
}
