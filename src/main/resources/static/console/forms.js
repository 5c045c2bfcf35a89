import { splitsAddress } from './address.js';
import { h, uniqueId } from './dom.js';
import { ProblemSlot } from './problem.js';
import { Malformed } from './text.js';

/** A labelled control. */
export function field(label, control, { hint = null, wide = false } = {}) {
  const id = control.id || uniqueId('field');
  control.id = id;
  const hintId = `${id}-hint`;
  if (hint) {
    control.setAttribute('aria-describedby', hintId);
  }
  return h(
    'div.field',
    { class: wide ? 'wide' : '' },
    h('label', { for: id }, label),
    control,
    hint && h('p.hint', { id: hintId }, hint));
}

/** A line of text. */
export function text(name, attributes = {}) {
  return h('input', { type: 'text', name, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', ...attributes });
}

/** A whole number. */
export function number(name, attributes = {}) {
  return h('input', { type: 'number', name, inputmode: 'numeric', step: '1', autocomplete: 'off', ...attributes });
}

/** A choice of `[value, label]`. */
export function select(name, options, attributes = {}) {
  const { value, ...rest } = attributes;
  const node = h('select', { name, ...rest }, options.map(([option, label]) => h('option', { value: option }, label ?? option)));
  if (value !== undefined) {
    node.value = value;
  }
  return node;
}

/** A box to tick. */
export function check(label, name, { checked = false, value = 'on', title = null } = {}) {
  return h('label.check', { title }, h('input', { type: 'checkbox', name, checked, value }), h('span', {}, label));
}

/** A group of boxes under a legend. */
export function checks(legend, name, values, checked = []) {
  return h(
    'fieldset.checks',
    {},
    h('legend', {}, legend),
    values.map(([value, title]) => check(value, name, { value, title, checked: checked.includes(value) })));
}

/** The form's values: numbers as numbers, what is empty left out, boxes of one name as an array. */
export function values(form) {
  const result = {};
  for (const control of form.elements) {
    if (!control.name || control.disabled || control.closest('[hidden]')) {
      continue;
    }
    if (control.type === 'checkbox') {
      if (control.value === 'on') {
        result[control.name] = control.checked;
      } else if (control.checked) {
        (result[control.name] ??= []).push(control.value);
      }
    } else if (control.type === 'radio') {
      if (control.checked) {
        result[control.name] = control.value;
      }
    } else if (control.value !== '') {
      result[control.name] = control.type === 'number' ? Number(control.value) : control.value;
    }
  }
  return result;
}

/**
 * A form that makes one call: shows that it is under way, and the problem if it fails, at the field that the service names.
 *
 * @param {{fields: Array, action: string, run: (values: object) => Promise<any>, target?: (values) => object,
 *     label?: string, quiet?: boolean}} options `quiet` where many forms stand side by side
 */
export function callForm({ fields, action, run, target = null, label = null, quiet = false }) {
  const problems = new ProblemSlot();
  const submit = h('button.button', { type: 'submit', class: quiet ? '' : 'primary' }, action);
  const form = h(
    'form.call',
    {
      'aria-label': label ?? action,
      onsubmit: async (event) => {
        event.preventDefault();
        if (form.getAttribute('aria-busy') === 'true') {
          return;
        }
        problems.clear();
        unmark(form);
        const given = values(form);
        form.setAttribute('aria-busy', 'true');
        try {
          await run(given);
        } catch (problem) {
          if (problem.name !== 'AbortError') {
            problems.show(shown(problem), { target: target?.(given) });
            mark(form, problem.field);
          }
        } finally {
          form.removeAttribute('aria-busy');
        }
      },
    },
    h('div.fields', {}, fields),
    h('div.actions', {}, submit),
    problems.node);
  for (const [host, port] of [['host', 'port'], ['localHost', 'localPort']]) {
    const { [host]: hostInput, [port]: portInput } = form.elements;
    if (hostInput && portInput) {
      splitsAddress(hostInput, portInput);
    }
  }
  return form;
}

/** What can be shown of anything thrown. */
export function shown(failure) {
  if (failure.name === 'Problem') {
    return failure;
  }
  if (!(failure instanceof Malformed)) {
    console.error(failure);
  }
  return { title: failure instanceof Malformed ? 'Not sent' : 'The console failed', message: failure.message, status: 0, errno: null };
}

function unmark(form) {
  for (const control of form.querySelectorAll('[aria-invalid]')) {
    control.removeAttribute('aria-invalid');
  }
}

function mark(form, name) {
  const control = name && form.querySelector(`[name="${CSS.escape(name)}"]`);
  if (control) {
    control.setAttribute('aria-invalid', 'true');
    control.focus();
  }
}
