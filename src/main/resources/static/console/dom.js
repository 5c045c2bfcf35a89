/** Elements without a template language: everything goes through the DOM, so nothing that a peer sends is ever read as HTML. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An element.
 *
 * @param {string} tag the name, with `.class` suffixes if wanted
 * @param {object} [props] attributes; `on*` functions are listeners, `class` and `dataset` are what they are called, and a property of the element
 *     (`value`, `checked`, …) is set as one; null, undefined and false leave an attribute out
 * @param {...(Node|string|null|undefined|false|Array)} children
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const node = document.createElement(name);
  if (classes.length > 0) {
    node.className = classes.join(' ');
  }
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (key.startsWith('on')) {
      node.addEventListener(key.slice(2), value);
    } else if (key === 'class') {
      node.classList.add(...String(value).split(' ').filter(Boolean));
    } else if (key === 'dataset') {
      Object.assign(node.dataset, value);
    } else if (key === 'value' || key === 'checked' || key === 'disabled' || key === 'hidden' || key === 'textContent') {
      node[key] = value;
    } else {
      node.setAttribute(key, value === true ? '' : value);
    }
  }
  append(node, children);
  return node;
}

/** An SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) {
    node.setAttribute(key, value);
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) {
      node.append(child);
    }
  }
}

const ICONS = {
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  back: 'M10 3L5 8l5 5',
  search: 'M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM11 11l3 3',
  up: 'M4 10l4-4 4 4',
  down: 'M4 6l4 4 4-4',
  save: 'M8 2v8M5 7l3 3 3-3M3 13h10',
  copy: 'M6 6h7v7H6zM10 6V3H3v7h3',
  theme: 'M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12',
  out: 'M9 3h4v10H9M3 8h7M7 5l3 3-3 3',
  clear: 'M3 13h10M5 10l-2-2 6-6 4 4-6 6z',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3l2 2',
  external: 'M7 4H4v8h8V9M9 3h4v4M13 3L7 9',
  follow: 'M8 2v9M4 8l4 4 4-4M3 14h10',
  send: 'M2 8l12-5-4 11-3-4z',
  pen: 'M3 13l1-4 7-7 3 3-7 7-4 1zM9.5 3.5l3 3',
  help: 'M8 14.5A6.5 6.5 0 1 0 8 1.5a6.5 6.5 0 0 0 0 13zM6 6.2a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1v.4M8 11.4v.2',
};

/** One of the console's icons, hidden from assistive technology: what holds it must have a name of its own. */
export function icon(name) {
  return svg(
    'svg',
    { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { d: ICONS[name] }));
}

/** Sets an element's text only where it differs: an untouched node costs no layout. */
export function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/** Says a line to screen readers. */
export function announce(text) {
  const region = document.getElementById('announcer');
  // A region whose text does not change is not read again.
  region.replaceChildren(h('p', {}, text));
}

let sequence = 0;

/** An id that no other element has. */
export function uniqueId(prefix) {
  sequence += 1;
  return `${prefix}-${sequence}`;
}

/** A short message that goes away by itself, read to screen readers too. */
export function toast(text, { kind = 'info', action } = {}) {
  const region = document.getElementById('toasts');
  const dismiss = () => item.remove();
  const item = h(
    `div.toast.${kind}`,
    { role: kind === 'error' ? 'alert' : 'status' },
    h('p', {}, text),
    action && h('a.button.small', { href: action.href, onclick: dismiss }, action.label),
    h('button.icon-button', { type: 'button', 'aria-label': 'Dismiss', onclick: dismiss }, icon('close')));
  region.append(item);
  while (region.childElementCount > 4) {
    region.firstElementChild.remove();
  }
  setTimeout(dismiss, kind === 'error' ? 12_000 : 6_000);
}

/** Hands the bytes to the browser as a file to save. */
export function download(name, parts, type = 'application/octet-stream') {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Runs `work` at most once per frame, however often it is asked for. */
export function perFrame(work) {
  let asked = false;
  return () => {
    if (!asked) {
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        work();
      });
    }
  };
}
