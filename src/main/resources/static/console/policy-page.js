import { h } from './dom.js';
import * as format from './format.js';
import { callForm, field, number, select, text } from './forms.js';
import { PolicyRules } from './policy-rules.js';
import { table } from './resolver-page.js';

/** What policy would decide for a target, address by address, and by which rule. */
export class PolicyPage {
  title = 'Policy';

  #form;
  #rules;

  constructor(app, query) {
    this.heading = h('h1', { tabindex: '-1' }, 'Policy');
    const result = h('div.result-area', { role: 'region', 'aria-label': 'Decision', 'aria-live': 'polite' });
    this.#rules = new PolicyRules(app.service);
    const get = (name) => query.get(name) ?? '';
    this.#form = callForm({
      label: 'Explain a decision',
      fields: [
        field('Operation', select('operation', [['connect', 'connect'], ['sendto', 'sendto'], ['bind', 'bind, listen']], { value: get('operation') || 'connect' })),
        field('Host', text('host', { placeholder: '169.254.169.254', value: get('host') })),
        field('Port', number('port', { min: '0', max: '65535', placeholder: '80', value: get('port'), required: true })),
        field('Type', select('type', [['SOCK_STREAM'], ['SOCK_DGRAM']], { value: get('type') || 'SOCK_STREAM' })),
      ],
      action: 'Explain',
      run: async (values) => {
        result.replaceChildren();
        const target = { host: '', ...values };
        this.#rules.light(target.operation, []);
        const { allowed, decisions } = await app.service.call('POST', 'policy/explain', { json: target });
        result.replaceChildren(
          h('p.verdict', { class: allowed ? 'allowed' : 'denied' },
            h('strong', {}, allowed ? 'Allowed' : 'Denied'),
            h('span', {}, ` ${target.operation} ${target.type === 'SOCK_STREAM' ? 'TCP' : 'UDP'} ${format.address({ host: target.host || '*', port: target.port })}`)),
          table(['Decision', 'Address', 'Class', 'Rule', 'Reason'], decisions.map((decision) => h('tr', {},
            h('td', {}, h('span.decision', { class: decision.decision }, decision.decision)),
            h('td.mono', {}, decision.address ? format.address(decision.address) : 'not told'),
            h('td', {}, decision.addressClass),
            h('td', {}, h('button.link.rule', { type: 'button', title: 'Show the rule', onclick: () => this.#rules.show(target.operation, decision.rule) }, h('code', {}, decision.rule))),
            h('td', {}, decision.reason)))));
        await this.#rules.light(target.operation, decisions);
      },
    });
    this.node = h(
      'div.page',
      {},
      h('header.pane-head', {}, this.heading, h('p.lead', {}, 'What a call would meet, without connecting or binding, and the rules that say so.')),
      h('section.card.wide', {}, h('h2', {}, 'Explain a decision'), this.#form, result),
      this.#rules.node);
    if (query.has('host') && get('port') !== '') {
      queueMicrotask(() => this.#form.requestSubmit());
    }
  }

  focus() {
    this.heading.focus({ preventScroll: true });
  }

  dispose() {
    this.#rules.dispose();
  }
}
