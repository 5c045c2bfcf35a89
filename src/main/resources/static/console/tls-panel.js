import { whyNot } from './allowed.js';
import { protocolName, shortName, signsItself, validity, warnings } from './certificates.js';
import { copyButton } from './copy.js';
import { announce, download, h } from './dom.js';
import { callForm, field, text } from './forms.js';
import { offer } from './offer.js';

/** The two wishes for TLS, as form fields. */
export const tlsFields = () => [
  field('Server name', text('serverName', { placeholder: 'the host' }), { hint: 'That the certificate has to have; told to the server (SNI)' }),
  field('Protocols', text('alpn', { placeholder: 'h2 http/1.1' }), { hint: 'Offered to the server (ALPN), the best first' }),
];

/** Those fields' values as the service takes them. */
export function tlsRequest({ serverName, alpn }) {
  const protocols = alpn?.split(/[\s,]+/).filter(Boolean) ?? [];
  return { serverName: serverName?.trim(), alpn: protocols.length > 0 ? protocols : undefined };
}

/** TLS with the peer: a form that starts it, and then what was agreed on, and the peer's certificates. */
export class TlsPanel {
  #session;
  #shown = null;
  #form;

  constructor(session) {
    this.#session = session;
    this.#form = callForm({
      label: 'Start TLS',
      fields: tlsFields(),
      action: 'Start TLS',
      run: async (values) => {
        await session.startTls(tlsRequest(values));
        announce('TLS is there.');
        this.update(session.known);
        this.node.querySelector('h3')?.focus({ preventScroll: true });
      },
    });
    this.node = h('div.tls-panel', {},
      h('p.hint', {}, 'Nothing is encrypted between the service and the peer. A server that speaks TLS from the start, or has agreed to in clear '
        + '(STARTTLS, SSLRequest), is ready for it now; its certificate is verified.'),
      this.#form);
    this.update(session.known);
  }

  /** Follows the handle's state. */
  update(socket) {
    if (socket.tls) {
      const drawn = JSON.stringify(socket.tls);
      if (drawn !== this.#shown) {
        this.#shown = drawn;
        this.node.replaceChildren(...agreed(socket.tls), chain(socket.tls));
      }
      return;
    }
    const reason = whyNot('starttls', socket, { closed: this.#session.closed, shut: this.#session.shut });
    offer(this.#form.querySelector('[type="submit"]'), reason, { visible: true });
    for (const control of this.#form.querySelectorAll('input')) {
      control.disabled = reason !== null;
    }
  }
}

const rows = (entries) => h('dl.properties', {}, entries.map(([name, ...values]) => h('div', {}, h('dt', {}, name), h('dd', {}, values))));

function agreed(tls) {
  return [
    h('h3', { tabindex: '-1' }, 'What was agreed on'),
    ...warnings(tls).map((warning) => h('p.warning', {}, warning)),
    rows([
      ['protocol', protocolName(tls.protocol)],
      ['cipher suite', tls.cipherSuite],
      ['server name', tls.serverName ?? 'none'],
      ['ALPN', tls.alpn ?? 'none'],
    ]),
  ];
}

function chain({ certificates, peerCertificates }) {
  if (certificates.length === 0) {
    return h('section', {}, h('h3', {}, 'Certificates'), h('p.hint', {}, 'The peer has shown none.'));
  }
  const last = certificates.at(-1);
  return h('section', {},
    h('div.chain-head', {},
      h('h3', {}, certificates.length === 1 ? 'The certificate' : `The chain of ${certificates.length} certificates`),
      h('button.button.small', {
        type: 'button',
        onclick: () => download('certificates.pem', peerCertificates.map((pem) => `${pem.trim()}\n`), 'application/x-pem-file'),
      }, 'Save as PEM')),
    h('ol.chain', {}, certificates.map((certificate, index) => link(certificate, peerCertificates[index], index))),
    !signsItself(last) && h('p.hint', {}, 'Signed by ', h('strong', {}, shortName(last.issuer)), ', which the peer need not send: who trusts it has it.'));
}

function link(certificate, pem, index) {
  const { subject, issuer, serialNumber, notBefore, notAfter, names } = certificate;
  const { text: left, kind } = validity(certificate);
  const time = (value) => h('time', { datetime: value }, new Date(value).toLocaleString());
  return h('li', {},
    h('details', { open: index === 0 },
      h('summary', {}, h('strong', {}, shortName(subject)), ' ', h('span.validity', { class: kind }, left)),
      rows([
        ['names', names.length === 0 ? 'none' : h('ul.names-list', {}, names.map((name) => h('li', {}, name)))],
        ['subject', subject || 'none'],
        ['issuer', signsItself(certificate) ? 'itself' : issuer],
        ['valid from', time(notBefore)],
        ['valid until', time(notAfter)],
        ['serial number', serialNumber],
      ]),
      pem && copyButton(pem, `Copy the certificate of ${shortName(subject)}`, { text: 'Copy PEM' })));
}
