import { h, toast, uniqueId } from './dom.js';

/** Button → the element that says why it cannot be used. */
const notes = new WeakMap();

/**
 * Offers a button, which must be in an element already, or says why it cannot be used. It stays where it is and can be reached by keyboard, so that
 * its reason can be read; pressing it shows the reason.
 *
 * @param {string|null} reason a sentence; null where it can be used
 * @param {{visible?: boolean}} options whether the reason is there for all to see, or for screen readers only
 */
export function offer(button, reason, { visible = false } = {}) {
  let note = notes.get(button);
  if (!note) {
    note = h('span', { class: visible ? 'why' : 'visually-hidden', id: uniqueId('why') });
    notes.set(button, note);
    button.after(note);
    button.addEventListener('click', (event) => refuse(button, note, event), { capture: true });
  }
  if (note.textContent !== (reason ?? '')) {
    note.textContent = reason ?? '';
  }
  if (reason) {
    button.setAttribute('aria-disabled', 'true');
    button.setAttribute('aria-describedby', note.id);
  } else {
    button.removeAttribute('aria-disabled');
    button.removeAttribute('aria-describedby');
  }
}

function refuse(button, note, event) {
  if (button.getAttribute('aria-disabled') === 'true') {
    event.preventDefault();
    event.stopImmediatePropagation();
    toast(note.textContent);
  }
}
