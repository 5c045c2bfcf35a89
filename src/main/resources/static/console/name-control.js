import { announce, h, icon } from './dom.js';
import { text } from './forms.js';

/** A button that gives the handle a name: it becomes a field, Enter takes what is in it, Escape does not. */
export function nameControl({ names, handles }, id, onchange) {
  const node = h('span.name-control');
  const show = (focus) => {
    const name = names.of(id);
    const button = h('button.icon-button', {
      type: 'button',
      title: name ? 'Rename' : 'Give it a name',
      'aria-label': name ? `Rename ${name}` : 'Give the socket a name',
      onclick: edit,
    }, icon('pen'));
    node.replaceChildren(button);
    if (focus) {
      button.focus();
    }
  };
  const edit = () => {
    const input = text('name', { value: names.of(id), maxlength: '40', 'aria-label': 'Name of the socket', placeholder: 'Name' });
    let over = false;
    const done = (take) => {
      if (over) {
        return;
      }
      over = true;
      if (take && input.value.trim() !== names.of(id)) {
        names.set(id, input.value, handles.byId);
        announce(names.of(id) ? `Named ${names.of(id)}` : 'Has no name any more');
        onchange();
      }
      show(document.activeElement === input);
    };
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === 'Escape') {
        event.preventDefault();
        done(event.key === 'Enter');
      }
    });
    input.addEventListener('blur', () => done(true));
    node.replaceChildren(input);
    input.select();
    input.focus();
  };
  show(false);
  return node;
}
