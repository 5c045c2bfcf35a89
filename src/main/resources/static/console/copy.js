import { h, icon, toast } from './dom.js';

/** A button that copies what `value` gives. */
export function copyButton(value, label, { text = null } = {}) {
  return h(text ? 'button.button' : 'button.icon-button', {
    type: 'button',
    'aria-label': label,
    title: label,
    onclick: async () => {
      await copy(typeof value === 'function' ? value() : value);
      toast('Copied.');
    },
  }, icon('copy'), text && h('span', {}, text));
}

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // On plain HTTP from another machine there is no clipboard to write to; the selection can be copied still.
  const area = h('textarea.visually-hidden', { value: text, 'aria-hidden': 'true', tabindex: '-1' });
  const focused = document.activeElement;
  (focused?.closest('dialog') ?? document.body).append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
  focused?.focus();
}
