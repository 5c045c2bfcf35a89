import { announce } from './dom.js';

/** The ports of the URLs that people paste. */
const PORTS = { http: 80, https: 443, ws: 80, wss: 443, ftp: 21, ssh: 22, smtp: 25, redis: 6379, postgres: 5432, postgresql: 5432, mqtt: 1883, amqp: 5672 };

const URL_OR_ADDRESS = /^(?:([a-z][a-z\d+.-]*):\/\/(?:[^@/]*@)?)?(?:\[([^\]\s]+)\]|([^:/[\]\s]+))(?:(?::|\s+)(\d{1,5}))?(?:\/\S*)?$/i;

/**
 * Host and port out of `host:port`, `[host]:port`, `host port` or a URL; the port is null where the text has none. Null for what is a host and nothing
 * else, an IPv6 address without brackets among them, whose colons say nothing about a port.
 */
export function splitAddress(text) {
  const [, scheme, bracketed, plain, digits] = text.trim().match(URL_OR_ADDRESS) ?? [];
  const port = digits === undefined ? PORTS[scheme?.toLowerCase()] ?? null : Number(digits);
  const host = bracketed ?? plain;
  return host === undefined || port > 65_535 || (port === null && !scheme && !bracketed) ? null : { host, port };
}

/** Splits an address with a port that is pasted into the field for the host, or typed there, between the fields for host and port. */
export function splitsAddress(host, port) {
  const take = (address) => {
    host.value = address.host;
    if (address.port !== null) {
      port.value = address.port;
      announce(`Port ${address.port}`);
    }
  };
  host.addEventListener('paste', (event) => {
    const address = splitAddress(event.clipboardData?.getData('text/plain') ?? '');
    const all = host.selectionEnd - host.selectionStart === host.value.length;
    if (address && all) {
      event.preventDefault();
      take(address);
    }
  });
  host.addEventListener('change', () => {
    const address = splitAddress(host.value);
    if (address) {
      take(address);
    }
  });
}
