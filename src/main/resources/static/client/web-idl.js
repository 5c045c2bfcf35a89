/** Arguments as Web IDL converts them, https://webidl.spec.whatwg.org/. */

export const integer = (value, modulus) => {
  const number = Math.trunc(+value);
  return Number.isFinite(number) ? ((number % modulus) + modulus) % modulus : 0;
};

function enforceRange(value, maximum, name) {
  const number = Math.trunc(+value);
  if (!Number.isFinite(number) || number < 0 || number > maximum) {
    throw new TypeError(`${name} is outside the range 0 to ${maximum}.`);
  }
  return number;
}

export const IDL = {
  string: (value) => `${value}`,
  boolean: Boolean,
  port: (value, name) => enforceRange(value, 0xffff, name),
  unsignedLong: (value, name) => enforceRange(value, 0xffff_ffff, name),
  dnsQueryType: (value, name) => {
    const text = `${value}`;
    if (text !== 'ipv4' && text !== 'ipv6') {
      throw new TypeError(`${name}: '${text}' is not a SocketDnsQueryType.`);
    }
    return text;
  },
};

/** A dictionary's members, converted; absent ones are undefined. */
export function dictionary(value, members, name) {
  if (value !== undefined && value !== null && typeof value !== 'object' && typeof value !== 'function') {
    throw new TypeError(`${name} must be an object.`);
  }
  const result = {};
  for (const member of Object.keys(members).sort()) {
    const given = value?.[member];
    result[member] = given === undefined ? undefined : members[member](given, member);
  }
  return result;
}

export function requireArguments(count, required, name) {
  if (count < required) {
    throw new TypeError(`Failed to construct '${name}': ${required} argument${required > 1 ? 's' : ''} required, but only ${count} present.`);
  }
}

export function requirePositive(options, ...names) {
  for (const name of names) {
    if (options[name] === 0) {
      throw new TypeError(`${name} must be greater than zero.`);
    }
  }
}
