/** Bytes, addresses and datagrams in the forms that they have in calls, in text and on the wire. */

/** The bytes of a BufferSource, not copied. */
export function bytesOf(source, what = 'The chunk') {
  const buffer = ArrayBuffer.isView(source) ? source.buffer : source;
  // A foreign realm's buffer is one too, so the tag is asked and not the prototype.
  if (Object.prototype.toString.call(buffer) !== '[object ArrayBuffer]') {
    throw new TypeError(`${what} must be an ArrayBuffer or a view of one.`);
  }
  if (source.byteLength === 0) {
    // Web IDL has it that a detached buffer is an empty one; a view of it cannot be made.
    return new Uint8Array(0);
  }
  return ArrayBuffer.isView(source) ? new Uint8Array(buffer, source.byteOffset, source.byteLength) : new Uint8Array(buffer);
}

export const utf8 = new TextEncoder();

export function base64(bytes) {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

export const base64url = (text) => base64(utf8.encode(text)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
export const unbase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** The 4 bytes of a dotted quad, or undefined. */
export function ipv4(text) {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts?.every((part) => part < 256) ? Uint8Array.from(parts) : undefined;
}

/** The 16 bytes of an IPv6 address, or undefined. The URL parser knows every way to write one. */
export function ipv6(text) {
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)) {
    return undefined;
  }
  let canonical;
  try {
    canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [head, tail] = canonical.split('::').map((half) => (half ? half.split(':') : []));
  const groups = tail ? [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail] : head;
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]));
}

function ipv6Text(bytes) {
  if (bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255) {
    return `::ffff:${bytes.subarray(12).join('.')}`;
  }
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] << 8) | bytes[2 * i + 1]).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** A datagram with its address before it, as RFC 1928 section 7 has it: two reserved bytes, a fragment, type, address, port. */
export function addressed(data, host, port) {
  const numeric = ipv4(host) ?? ipv6(host);
  const name = numeric ? undefined : utf8.encode(host);
  if (name && (name.length === 0 || name.length > 255)) {
    throw new TypeError(`A host name is 1 to 255 bytes long, not ${name.length}.`);
  }
  const address = numeric ?? Uint8Array.of(name.length, ...name);
  const frame = new Uint8Array(4 + address.length + 2 + data.length);
  frame[3] = name ? 3 : address.length === 4 ? 1 : 4;
  frame.set(address, 4);
  frame.set([port >> 8, port & 255], 4 + address.length);
  frame.set(data, 6 + address.length);
  return frame;
}

/** What such a datagram carries, and from whom. */
export function unaddressed(frame) {
  const length = frame[3] === 1 ? 4 : 16;
  const address = frame.subarray(4, 4 + length);
  return {
    data: frame.slice(6 + length),
    remoteAddress: length === 4 ? address.join('.') : ipv6Text(address),
    remotePort: (frame[4 + length] << 8) | frame[5 + length],
  };
}

/** An address as the API has it, from `{ host, port }`, `[host, port]` as Python writes it, or a path. */
export function addressOf(address) {
  if (typeof address === 'string') {
    return { path: address };
  }
  if (Array.isArray(address)) {
    const [host, port, flowinfo, scopeId] = address;
    return { host, port, flowinfo, scopeId };
  }
  if (address === null || typeof address !== 'object') {
    throw new TypeError('An address is { host, port }, [host, port] or a path.');
  }
  const { host, port, flowinfo, scopeId, path } = address;
  return { host, port, flowinfo, scopeId, path };
}
