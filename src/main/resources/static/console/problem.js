import { h, icon } from './dom.js';

/** A problem on the page: what happened, what to do about it, and by what name the kernel calls it. */
export function problemCard(problem, { target = null, ondismiss = null } = {}) {
  const facts = [
    problem.field && ['Field', problem.field],
    problem.rule && ['Rule', problem.rule],
    problem.addressClass && ['Address class', problem.addressClass],
    problem.tlsReason && ['TLS', problem.tlsReason],
    problem.tlsAlert && ['Alert of the peer', problem.tlsAlert],
    problem.sent !== null && problem.sent !== undefined && ['Sent before the error', `${problem.sent} bytes`],
  ].filter(Boolean);
  return h(
    'div.problem',
    { role: 'alert' },
    h('div.problem-head', {},
      problem.errno && h('code.errno', { title: problem.code === null ? null : `number ${problem.code}` }, problem.errno),
      h('strong', {}, problem.title || 'It did not work'),
      problem.status > 0 && h('span.status', {}, `HTTP ${problem.status}`),
      ondismiss && h('button.icon-button', { type: 'button', 'aria-label': 'Dismiss', onclick: ondismiss }, icon('close'))),
    h('p', {}, problem.message),
    facts.length > 0 && h('dl.facts', {}, facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    problem.rule && target && h('p', {}, h('a', { href: policyLink(target) }, 'Explain the decision')));
}

function policyLink({ host, port, type, operation }) {
  const query = new URLSearchParams({ host: host ?? '', port: port ?? '', type: type ?? 'SOCK_STREAM', operation: operation ?? 'connect' });
  return `#/policy?${query}`;
}

/** Where the last problem of a form or a page is shown, if there is one. */
export class ProblemSlot {
  constructor() {
    this.node = h('div.problem-slot');
  }

  show(problem, options = {}) {
    this.node.replaceChildren(problemCard(problem, { ondismiss: () => this.clear(), ...options }));
    this.node.scrollIntoView?.({ block: 'nearest' });
  }

  clear() {
    this.node.replaceChildren();
  }
}
