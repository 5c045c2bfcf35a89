import { download, h, icon, uniqueId } from './dom.js';
import * as format from './format.js';

/** The button and the menu that save a journal to files, whose names begin with `name`. */
export function saveMenu(journal, name) {
  const id = uniqueId('save');
  const choose = (save) => () => {
    menu.hidePopover();
    save();
  };
  const item = (label, save) => h('button', { type: 'button', onclick: choose(save) }, label);
  const menu = h(
    'div.menu',
    { id, popover: 'auto' },
    item('Received bytes', () => download(`${name}-received.bin`, journal.parts('in'))),
    item('Sent bytes', () => download(`${name}-sent.bin`, journal.parts('out'))),
    item('Transcript with times', () => download(`${name}-transcript.txt`, transcript(journal), 'text/plain')));
  const button = h('button.icon-button', { type: 'button', popovertarget: id, 'aria-label': 'Save to a file', title: 'Save to a file' }, icon('save'));
  menu.addEventListener('beforetoggle', (event) => {
    if (event.newState === 'open') {
      const box = button.getBoundingClientRect();
      menu.style.top = `${box.bottom + 4}px`;
      menu.style.left = `${Math.max(8, box.right - 190)}px`;
    }
  });
  return [button, menu];
}

function transcript(journal) {
  return journal.blocks.map((block) => {
    const time = new Date(block.time).toISOString();
    if (block.direction === 'note') {
      return `${time} * ${block.text}\n`;
    }
    const head = `${time} ${block.direction === 'in' ? '<' : '>'}`
      + `${block.address ? ` ${format.address(block.address)}` : ''} ${block.length} bytes at ${block.offset}\n`;
    const text = new TextDecoder().decode(block.bytes.subarray(0, block.length));
    return `${head}${text}${text.endsWith('\n') ? '' : '\n'}`;
  });
}
