/** Bytes to text and back. */

const UTF8 = new TextEncoder();

/** Line endings by their names. */
export const LINE_ENDINGS = { none: '', lf: '\n', crlf: '\r\n', cr: '\r', nul: '\0' };

/** What someone typed was not what it should be; the message says what is wrong with it. */
export class Malformed extends Error {}

/** UTF-8. */
export function encode(text) {
  return UTF8.encode(text);
}

/**
 * The bytes of a text with C's escapes: \n \r \t \0 \a \b \e \f \v \\ \" \' \xHH \uHHHH \u{H…}. A byte (\xHH) is that byte, a code point is UTF-8.
 */
export function unescape(text) {
  const parts = [];
  const simple = { n: 10, r: 13, t: 9, 0: 0, a: 7, b: 8, e: 27, f: 12, v: 11, '\\': 92, '"': 34, "'": 39 };
  const escape = /\\(?:x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|([nrt0abefv\\"']))/y;
  let at = 0;
  while (at < text.length) {
    const backslash = text.indexOf('\\', at);
    const end = backslash < 0 ? text.length : backslash;
    if (end > at) {
      parts.push(UTF8.encode(text.slice(at, end)));
    }
    if (backslash < 0) {
      break;
    }
    escape.lastIndex = backslash;
    const match = escape.exec(text);
    if (!match) {
      throw new Malformed(`${text.slice(backslash, backslash + 2)} is no escape. A backslash itself is written \\\\.`);
    }
    if (match[1] !== undefined) {
      parts.push(Uint8Array.of(Number.parseInt(match[1], 16)));
    } else if (match[4] !== undefined) {
      parts.push(Uint8Array.of(simple[match[4]]));
    } else {
      const point = Number.parseInt(match[2] ?? match[3], 16);
      if (point > 0x10ffff) {
        throw new Malformed(`${match[0]} is beyond the last code point, \\u{10ffff}.`);
      }
      parts.push(UTF8.encode(String.fromCodePoint(point)));
    }
    at = backslash + match[0].length;
  }
  return concat(parts);
}

/** The bytes of a hexdump: digits in pairs, with white space, commas, colons and 0x between them. */
export function parseHex(text) {
  const digits = text.replace(/0x/gi, '').replace(/[\s,:;-]+/g, '');
  const wrong = digits.match(/[^0-9a-fA-F]/);
  if (wrong) {
    throw new Malformed(`“${wrong[0]}” is no hexadecimal digit.`);
  }
  if (digits.length % 2 === 1) {
    throw new Malformed('A byte is two hexadecimal digits: one is missing.');
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** One after the other. */
export function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** How long the UTF-8 sequence at `at` is, and its code point; a byte that begins none stands for itself, as null. */
export function codePoint(bytes, at, end) {
  const lead = bytes[at];
  if (lead < 0x80) {
    return { length: 1, point: lead };
  }
  const length = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 1;
  if (length === 1 || at + length > end) {
    return { length: 1, point: null };
  }
  let point = lead & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    if ((bytes[at + i] & 0xc0) !== 0x80) {
      return { length: 1, point: null };
    }
    point = (point << 6) | (bytes[at + i] & 0x3f);
  }
  const overlong = (length === 3 && point < 0x800) || (length === 4 && (point < 0x10000 || point > 0x10ffff));
  return overlong || (point >= 0xd800 && point < 0xe000) ? { length: 1, point: null } : { length, point };
}

const ASCII = ('NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US').split(' ');

/** Those that show nothing, or turn the text around: C1, the soft hyphen, zero-width and bidirectional marks. */
const INVISIBLE = [[0x7f, 0x9f], [0xad, 0xad], [0x61c, 0x61c], [0x200b, 0x200b], [0x200e, 0x200f], [0x2028, 0x202e], [0x2060, 0x206f], [0xfeff, 0xfeff]];

/** What to write for a code point that has no sign of its own: ASCII's name of it, or its number; null for all others. */
export function controlName(point) {
  if (point < 32 || point === 127) {
    return ASCII[point] ?? 'DEL';
  }
  return INVISIBLE.some(([first, last]) => point >= first && point <= last) ? `U+${point.toString(16).toUpperCase().padStart(4, '0')}` : null;
}

/** How many columns such a name takes, which is written small. */
export function controlColumns(name) {
  return name.length <= 3 ? 3 : 5;
}

/** How many columns the code point takes in a fixed-width font. */
export function columns(point) {
  if (point >= 0x7f && point < 0x1_0000 && controlName(point) !== null) {
    return 5;
  }
  return point !== null && point >= 0x1100 && (
    point <= 0x115f || (point >= 0x2e80 && point <= 0xa4cf) || (point >= 0xac00 && point <= 0xd7a3)
    || (point >= 0xf900 && point <= 0xfaff) || (point >= 0xfe30 && point <= 0xfe6f) || (point >= 0xff00 && point <= 0xff60)
    || (point >= 0x1f300 && point <= 0x1faff) || (point >= 0x20000 && point <= 0x3fffd)) ? 2 : 1;
}

/**
 * Where the rows of a text begin, as offsets into the bytes: after each line feed, and where a line is longer than `width` columns.
 */
export function textRows(bytes, length, width) {
  const starts = [0];
  let column = 0;
  let at = 0;
  while (at < length) {
    const byte = bytes[at];
    let step = 1;
    let wide = 1;
    if (byte === 10) {
      at += 1;
      column = 0;
      if (at < length) {
        starts.push(at);
      }
      continue;
    }
    if (byte === 9) {
      wide = 8 - (column % 8);
    } else if (byte < 32 || byte === 127) {
      wide = 3;
    } else if (byte >= 0x80) {
      const { length: taken, point } = codePoint(bytes, at, length);
      step = taken;
      wide = point === null ? 4 : columns(point);
    }
    // A carriage return before its line feed takes no column.
    if (byte === 13 && bytes[at + 1] === 10) {
      wide = 0;
    }
    if (column + wide > width && column > 0) {
      starts.push(at);
      column = 0;
    }
    column += wide;
    at += step;
  }
  return starts;
}
