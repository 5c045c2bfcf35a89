/** A terminal for line protocols: a screen without addressing, whose lines may be coloured and overwritten by carriage returns. */

const MAX_LINES = 5000;
const MAX_LINE = 4096;

/** Lines of runs `{text, style}` out of bytes as they come. */
export class Terminal {
  #decoders = { in: new TextDecoder(), out: new TextDecoder() };
  #style = '';
  #sgr = { colour: null, bright: false, bold: false, dim: false, underline: false, inverse: false };
  #column = 0;
  #escape = null;

  /** Each an array of `{character, style}`. */
  lines = [[]];

  /** Lines that were let go from the top. */
  dropped = 0;

  /** Takes bytes that were received, or sent: those are shown as if echoed, in their own colour. */
  write(direction, bytes) {
    const text = this.#decoders[direction].decode(bytes, { stream: true });
    for (const character of text) {
      this.#put(character, direction === 'out' ? 'sent' : this.#style, direction);
    }
  }

  #put(character, style, direction) {
    if (this.#escape !== null && direction === 'in') {
      this.#inEscape(character);
      return;
    }
    switch (character) {
      case '\n':
        this.#newLine();
        break;
      case '\r':
        this.#column = 0;
        break;
      case '\b':
        this.#column = Math.max(0, this.#column - 1);
        break;
      case '\t': {
        const stop = this.#column + 8 - (this.#column % 8);
        while (this.#column < stop) {
          this.#set(' ', style);
        }
        break;
      }
      case '\x1b':
        if (direction === 'in') {
          this.#escape = '';
        } else {
          this.#caret(character, style);
        }
        break;
      case '\x07':
      case '\0':
        break;
      default:
        if (character < ' ' || character === '\x7f') {
          this.#caret(character, style);
        } else {
          this.#set(character, style);
        }
    }
  }

  // As terminals echo what has no sign: ^[ for ESC.
  #caret(character, style) {
    this.#set('^', style);
    this.#set(String.fromCharCode(character.charCodeAt(0) ^ 0x40), style);
  }

  #set(character, style) {
    const line = this.lines[this.lines.length - 1];
    while (line.length < this.#column) {
      line.push({ character: ' ', style: '' });
    }
    line[this.#column] = { character, style };
    this.#column += 1;
    if (this.#column >= MAX_LINE) {
      this.#newLine();
    }
  }

  #newLine() {
    this.lines.push([]);
    this.#column = 0;
    if (this.lines.length > MAX_LINES) {
      this.lines.splice(0, 500);
      this.dropped += 500;
    }
  }

  #inEscape(character) {
    const sequence = this.#escape + character;
    this.#escape = sequence;
    if (sequence.startsWith('[')) {
      if (sequence.length > 1 && character >= '@' && character <= '~') {
        this.#escape = null;
        this.#control(sequence.slice(1, -1), character);
      }
    } else if (sequence.startsWith(']')) {
      if (character === '\x07' || sequence.endsWith('\x1b\\')) {
        this.#escape = null;
      }
    } else if (!/^[()#%]$/.test(sequence)) {
      this.#escape = null;
    }
    if (this.#escape !== null && this.#escape.length > 256) {
      this.#escape = null;
    }
  }

  #control(parameters, final) {
    const line = this.lines[this.lines.length - 1];
    switch (final) {
      case 'm':
        this.#select(parameters);
        break;
      case 'K':
        line.length = Math.min(line.length, parameters === '2' || parameters === '1' ? 0 : this.#column);
        break;
      case 'J':
        if (parameters === '2' || parameters === '3') {
          this.dropped += this.lines.length;
          this.lines = [[]];
          this.#column = 0;
        }
        break;
      case 'G':
        this.#column = Math.min(MAX_LINE - 1, Math.max(0, (Number.parseInt(parameters, 10) || 1) - 1));
        break;
      case 'C':
        this.#column = Math.min(MAX_LINE - 1, this.#column + (Number.parseInt(parameters, 10) || 1));
        break;
      case 'D':
        this.#column = Math.max(0, this.#column - (Number.parseInt(parameters, 10) || 1));
        break;
      default:
        // Addressing a screen that this is not.
        break;
    }
  }

  #select(parameters) {
    const sgr = this.#sgr;
    const codes = parameters.split(';').map(Number);
    for (let at = 0; at < codes.length; at++) {
      const code = codes[at];
      if (code === 38 || code === 48) {
        // Colours of the large palettes are left out, with their arguments.
        at += codes[at + 1] === 2 ? 4 : 2;
      } else if (code === 0) {
        Object.assign(sgr, { colour: null, bright: false, bold: false, dim: false, underline: false, inverse: false });
      } else if (code === 1) {
        sgr.bold = true;
      } else if (code === 2) {
        sgr.dim = true;
      } else if (code === 4) {
        sgr.underline = true;
      } else if (code === 7) {
        sgr.inverse = true;
      } else if (code === 22) {
        sgr.bold = false;
        sgr.dim = false;
      } else if (code === 24) {
        sgr.underline = false;
      } else if (code === 27) {
        sgr.inverse = false;
      } else if (code >= 30 && code <= 37) {
        sgr.colour = code - 30;
      } else if (code >= 90 && code <= 97) {
        sgr.colour = code - 90;
      } else if (code === 39) {
        sgr.colour = null;
      }
    }
    this.#style = [
      sgr.colour === null ? '' : `ansi-${sgr.colour}`,
      sgr.bold && 'ansi-bold',
      sgr.dim && 'ansi-dim',
      sgr.underline && 'ansi-underline',
      sgr.inverse && 'ansi-inverse',
    ].filter(Boolean).join(' ');
  }
}
