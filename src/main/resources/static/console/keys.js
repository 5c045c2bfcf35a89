/** Keys that work wherever the focus is, but never where one types. */

const OFF = 'socket-proxy.no-keys';

const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);

/** What opens the palette, as it is written on the keys. */
export const PALETTE_KEYS = APPLE ? '⌘K' : 'Ctrl+K';

/** Whether ?, / and n do something: those who speak to their machine may not want it (WCAG 2.1, 2.1.4). */
export function singleKeys() {
  return localStorage.getItem(OFF) === null;
}

export function useSingleKeys(use) {
  if (use) {
    localStorage.removeItem(OFF);
  } else {
    localStorage.setItem(OFF, '1');
  }
}

/** @param {{palette: () => void, help: () => void, search: () => void, create: () => void}} commands */
export function listenForKeys({ palette, help, search, create }) {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) {
      return;
    }
    const held = APPLE ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (held && !event.shiftKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      palette();
      return;
    }
    const command = { '?': help, '/': search, n: create }[event.key];
    if (!command || event.ctrlKey || event.metaKey || event.repeat || !singleKeys() || takesKeys(event.target) || document.querySelector('dialog[open]')) {
      return;
    }
    event.preventDefault();
    command();
  });
}

function takesKeys(target) {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;
}
