/** Text and bytes in the quotes of programming languages. */

/** What shows as it is in a source: letters, digits, punctuation, symbols and the space; not what is invisible or turns the text around. */
const PLAIN = /[\p{L}\p{N}\p{P}\p{S} ]/u;

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const UTF8 = new TextEncoder();

/** The text that the bytes are in UTF-8; null if they are none. */
export function textOf(bytes) {
  try {
    return STRICT.decode(bytes);
  } catch {
    return null;
  }
}

/** The text with all that is not plain, or in `special`, as `escape` has it. */
export function escaped(text, special, escape) {
  return Array.from(text, (character) => (special.includes(character) || !PLAIN.test(character) ? escape(character) : character)).join('');
}

const hex = (number, digits) => number.toString(16).padStart(digits, '0');

const SHORT = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\', '"': '\\"' };

/** A string literal of Python's. */
export function pythonString(text) {
  return `"${escaped(text, '\\"', (character) => {
    const point = character.codePointAt(0);
    return SHORT[character] ?? (point > 0xffff ? `\\U${hex(point, 8)}` : point > 0xff ? `\\u${hex(point, 4)}` : `\\x${hex(point, 2)}`);
  })}"`;
}

/** A bytes literal of Python's, or the string that is encoded. */
export function pythonBytes(bytes) {
  const text = textOf(bytes);
  if (text !== null && bytes.some((byte) => byte > 0x7f)) {
    return `${pythonString(text)}.encode()`;
  }
  return `b"${Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return SHORT[character] ?? (byte >= 0x20 && byte < 0x7f ? character : `\\x${hex(byte, 2)}`);
  }).join('')}"`;
}

/** A JSON value as Python writes it. */
export function pythonValue(value) {
  if (Array.isArray(value)) {
    return `[${value.map(pythonValue).join(', ')}]`;
  }
  if (value !== null && typeof value === 'object') {
    return `{${Object.entries(value).filter(([, member]) => member !== undefined).map(([name, member]) => `${pythonString(name)}: ${pythonValue(member)}`).join(', ')}}`;
  }
  return value === null ? 'None' : value === true ? 'True' : value === false ? 'False' : typeof value === 'string' ? pythonString(value) : String(value);
}

/** A string literal of JavaScript's, in double quotes; with `template`, what goes between backticks. */
export function javascriptString(text, template = false) {
  const inner = escaped(text, template ? '\\`$' : '\\"', (character) => {
    const point = character.codePointAt(0);
    return SHORT[character] ?? (point > 0xffff ? `\\u{${hex(point, 1)}}` : point > 0xff ? `\\u${hex(point, 4)}` : `\\x${hex(point, 2)}`);
  });
  return template ? inner : `"${inner}"`;
}

/** Bytes in JavaScript: a string, which is sent as UTF-8, where they are one. */
export function javascriptBytes(bytes) {
  const text = textOf(bytes);
  return text === null ? `Uint8Array.of(${Array.from(bytes, (byte) => `0x${hex(byte, 2)}`).join(', ')})` : javascriptString(text);
}

/** A JSON value as JavaScript writes it. */
export function javascriptValue(value) {
  if (Array.isArray(value)) {
    return `[${value.map(javascriptValue).join(', ')}]`;
  }
  if (value !== null && typeof value === 'object') {
    return `{ ${Object.entries(value).filter(([, member]) => member !== undefined).map(([name, member]) => `${name}: ${javascriptValue(member)}`).join(', ')} }`;
  }
  return typeof value === 'string' ? javascriptString(value) : String(value);
}

/** A word of a shell's. */
export function shellWord(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A format of printf(1), in single quotes, that prints the bytes. */
export function printfFormat(bytes) {
  const octal = (some) => Array.from(some, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  const text = textOf(bytes);
  const escape = (character) => ({ '%': '%%', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' })[character] ?? octal(UTF8.encode(character));
  const inner = text === null ? octal(bytes) : escaped(text, "%\\'", escape);
  // What begins with a dash would be an option.
  return `'${inner.replace(/^-/, '\\055')}'`;
}
