/** Certificates as people read them, and what is to be said against them. */

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** The attributes of a distinguished name (RFC 2253), as `[type, value]`, the most particular first. */
export function attributes(name) {
  return name.split(/(?<!\\)[,+]/).map((part) => {
    const [, type, value] = /^\s*([^=]*)=(.*)$/s.exec(part) ?? [null, '', part];
    return [type.trim(), value.trim().replace(/\\(.)/gs, '$1')];
  });
}

/** What a distinguished name is called for short. */
export function shortName(name) {
  const all = attributes(name);
  const of = (wanted) => all.find(([type]) => type === wanted)?.[1];
  return of('CN') ?? of('OU') ?? of('O') ?? (name || 'without a name');
}

/** Whether two distinguished names are one, however they are spaced. */
const same = (one, other) => JSON.stringify(attributes(one)) === JSON.stringify(attributes(other));

export const signsItself = ({ subject, issuer }) => same(subject, issuer);

const many = (count) => (count === 1 ? '1 day' : `${count.toLocaleString('en')} days`);

/** How long a certificate is still valid, in words; `kind` is the class of its colour. */
export function validity({ notBefore, notAfter }, now = Date.now()) {
  const left = Math.floor((Date.parse(notAfter) - now) / DAY_MS);
  if (left < 0) {
    const ago = Math.floor((now - Date.parse(notAfter)) / DAY_MS);
    return { text: `expired ${ago === 0 ? 'within the last day' : `${many(ago)} ago`}`, kind: 'bad' };
  }
  if (Date.parse(notBefore) > now) {
    return { text: 'not valid yet', kind: 'bad' };
  }
  return { text: left === 0 ? 'expires within a day' : `${many(left)} left`, kind: left < SOON_DAYS ? 'soon' : 'good' };
}

const stands = (certificate, now) => validity(certificate, now).text.replace(/^(?=expired)/, 'has ').replace(/^(?=not)/, 'is ');

/** Whether one of a certificate's names is the one asked for; RFC 9525 section 6.3: an asterisk is the whole first label. */
export function isFor(names, serverName) {
  const wanted = serverName.toLowerCase().replace(/\.$/, '');
  return names.some((name) => {
    const given = name.replace(/^[A-Za-z ]+:\s*/, '').toLowerCase();
    return given === wanted || (given.startsWith('*.') && wanted.includes('.') && wanted.slice(wanted.indexOf('.')) === given.slice(1));
  });
}

/** What is to be said against a connection's TLS, in sentences, the worst first; most of it shows that nobody has verified the peer. */
export function warnings({ certificates, serverName }, now = Date.now()) {
  const [own] = certificates;
  if (!own) {
    return ['The peer has shown no certificate: nobody knows who it is.'];
  }
  const state = validity(own, now);
  return [
    state.kind === 'bad' && `Its certificate ${stands(own, now)}.`,
    signsItself(own) && 'Its certificate is signed by itself: no authority says whose it is.',
    serverName && !isFor(own.names, serverName) && `Its certificate is not for ${serverName}.`,
    state.kind === 'soon' && `Its certificate ${state.text.startsWith('expires') ? state.text : `expires in ${state.text.replace(' left', '')}`}.`,
    ...certificates.slice(1).filter((each) => validity(each, now).kind === 'bad')
      .map((each) => `In its chain, ${shortName(each.subject)} ${stands(each, now)}.`),
  ].filter(Boolean);
}

/** The protocol without its prefix: TLS 1.3. */
export const protocolName = (protocol) => protocol.replace(/^TLSv/, 'TLS ');
