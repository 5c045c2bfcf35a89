import { h, icon, setText, uniqueId } from './dom.js';
import * as format from './format.js';
import { splitsAddress } from './address.js';
import { whyNot } from './allowed.js';
import { field, number, shown, text } from './forms.js';
import { offer } from './offer.js';
import { ProblemSlot } from './problem.js';
import { concat, encode, LINE_ENDINGS, parseHex, unescape } from './text.js';

const CHUNK = 64 << 10;

const ENDINGS = [
  ['crlf', 'CR LF'],
  ['lf', 'LF'],
  ['cr', 'CR'],
  ['nul', 'NUL'],
  ['none', 'nothing'],
];

/** Where bytes are written and sent: as text, as hexadecimal digits, or out of a file. */
export class Composer {
  #session;
  #problems = new ProblemSlot();
  #kind = 'text';
  #input;
  #ending;
  #escapes;
  #send;
  #status;
  #file = null;
  #fileName;
  #aborted = false;
  #sending = false;
  #recall = 0;
  #host;
  #port;

  constructor(session) {
    this.#session = session;
    this.node = this.#build();
    if (session.draft) {
      this.#fill(session.draft);
      session.draft = null;
    }
    this.update();
  }

  #build() {
    const datagrams = this.#session.journal.datagrams;
    const group = uniqueId('kind');
    this.#input = h('textarea', {
      rows: '1',
      'aria-label': 'Data to send',
      spellcheck: 'false',
      autocapitalize: 'off',
      autocomplete: 'off',
      placeholder: 'Data to send',
      oninput: () => this.#grow(),
      onkeydown: (event) => this.#key(event),
    });
    this.#ending = h(
      'select',
      { 'aria-label': 'Line ending', title: 'What is sent after the text' },
      ENDINGS.map(([value, label]) => h('option', { value }, `+ ${label}`)));
    this.#ending.value = datagrams ? 'none' : 'crlf';
    this.#escapes = h('input', { type: 'checkbox' });
    this.#send = h('button.button.primary', { type: 'submit' }, icon('send'), h('span', {}, 'Send'));
    this.#status = h('span.composer-status', { role: 'status' });
    this.#fileName = h('span.file-name', {}, 'or drop one here');
    const chooser = h('input', {
      type: 'file',
      'aria-label': 'File to send',
      onchange: () => this.#take(chooser.files[0] ?? null),
    });
    this.filePart = h('div.file-part', { hidden: true }, chooser, this.#fileName);
    this.textPart = h('div.text-part', {}, this.#input);
    this.#host = text('host', { placeholder: '127.0.0.1', required: true });
    this.#port = number('port', { min: '0', max: '65535', placeholder: '53', required: true });
    splitsAddress(this.#host, this.#port);
    this.to = h('div.to-part', { hidden: true }, field('To host', this.#host), field('Port', this.#port));
    const kinds = [['text', 'Text'], ['hex', 'Hex'], ['file', 'File']].map(([kind, label]) =>
      h(
        'label.segment',
        {},
        h('input.visually-hidden', { type: 'radio', name: group, value: kind, checked: kind === 'text', onchange: () => this.#setKind(kind) }),
        h('span', {}, label)));
    this.endingPart = h('span.ending-part', {},
      this.#ending,
      h('label.check', { title: 'Read \\n, \\x00, \\u{1f600} and the like' }, this.#escapes, h('span', {}, 'Escapes')));
    return h(
      'form.composer',
      {
        'aria-label': 'Send',
        onsubmit: (event) => {
          event.preventDefault();
          this.#submit();
        },
        ondragover: (event) => event.preventDefault(),
        ondrop: (event) => {
          event.preventDefault();
          const [file] = event.dataTransfer.files;
          if (file) {
            this.node.querySelector('input[value="file"]').click();
            this.#take(file);
          }
        },
      },
      this.to,
      h('div.composer-row', {}, this.textPart, this.filePart, this.#send),
      h('div.composer-options', {},
        h('div.segmented', { role: 'radiogroup', 'aria-label': 'Send as' }, kinds),
        this.endingPart,
        this.#status),
      this.#problems.node);
  }

  /** Fills in where a datagram goes to. */
  setAddress({ host, port }) {
    this.#host.value = host;
    this.#port.value = port;
    this.#input.focus();
  }

  /** Puts the focus where one begins to type; whether there is anything to type. */
  focus() {
    const first = this.to.hidden || this.#host.value !== '' ? this.#input : this.#host;
    if (this.#input.disabled) {
      return false;
    }
    first.focus();
    return true;
  }

  /** Follows the session's state. */
  update() {
    const session = this.#session;
    const socket = session.known;
    const unconnected = session.journal.datagrams && socket.state !== 'connected';
    this.to.hidden = !unconnected;
    this.#host.disabled = !unconnected;
    this.#port.disabled = !unconnected;
    const reason = whyNot('send', socket, { closed: session.closed, shut: session.shut || socket.shut !== null });
    offer(this.#send, this.#sending ? null : reason);
    this.#input.disabled = reason !== null;
    this.#input.placeholder = reason ?? (this.#kind === 'hex' ? '48 65 6c 6c 6f 0d 0a' : 'Data to send');
  }

  #fill({ kind = 'text', text: typed }) {
    this.node.querySelector(`input[value="${kind}"]`).checked = true;
    this.#setKind(kind);
    this.#input.value = typed;
    this.#grow();
  }

  #setKind(kind) {
    this.#kind = kind;
    this.textPart.hidden = kind === 'file';
    this.filePart.hidden = kind !== 'file';
    this.endingPart.hidden = kind !== 'text';
    this.#problems.clear();
    this.update();
  }

  #take(file) {
    this.#file = file;
    setText(this.#fileName, file ? `${file.name}, ${format.bytes(file.size)}` : 'or drop one here');
  }

  #grow() {
    const lines = this.#input.value.split('\n').length;
    this.#input.rows = Math.min(8, lines);
  }

  #key(event) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === 'ArrowUp' && this.#input.selectionStart === 0 && this.#input.selectionEnd === 0) {
      this.#recallBy(1, event);
    } else if (event.key === 'ArrowDown' && this.#input.selectionStart === this.#input.value.length) {
      this.#recallBy(-1, event);
    }
  }

  #recallBy(step, event) {
    const history = this.#session.history;
    const next = Math.min(history.length, Math.max(0, this.#recall + step));
    if (next === this.#recall) {
      return;
    }
    event.preventDefault();
    this.#recall = next;
    this.#input.value = next === 0 ? '' : history[history.length - next];
    const caret = step > 0 ? 0 : this.#input.value.length;
    this.#input.setSelectionRange(caret, caret);
    this.#grow();
  }

  #bytes() {
    const typed = this.#input.value;
    if (this.#kind === 'hex') {
      return parseHex(typed);
    }
    const ending = LINE_ENDINGS[this.#ending.value];
    // A textarea's lines end in LF, whatever goes over the wire.
    const lines = ending === '\r\n' || ending === '\r' ? typed.replaceAll('\n', ending) : typed;
    return concat([this.#escapes.checked ? unescape(lines) : encode(lines), encode(ending)]);
  }

  #address() {
    return this.to.hidden ? null : { host: this.#host.value.trim(), port: Number(this.#port.value) };
  }

  async #submit() {
    if (this.#sending) {
      this.#aborted = true;
      return;
    }
    this.#problems.clear();
    if (!this.node.reportValidity()) {
      return;
    }
    try {
      if (this.#kind === 'file') {
        await this.#sendFile();
        return;
      }
      const bytes = this.#bytes();
      if (bytes.length === 0 && !this.#session.journal.datagrams) {
        return;
      }
      const typed = this.#input.value;
      const address = this.#address();
      this.#input.value = '';
      this.#grow();
      try {
        await this.#session.send(bytes, address);
      } catch (problem) {
        // What was typed is not lost with it.
        this.#input.value ||= typed;
        throw problem;
      }
      if (typed !== '' && this.#session.history.at(-1) !== typed) {
        this.#session.history.push(typed);
      }
      this.#recall = 0;
    } catch (failure) {
      this.#problems.show(shown(failure), { target: this.to.hidden ? null : { ...this.#address(), type: 'SOCK_DGRAM', operation: 'sendto' } });
    }
  }

  async #sendFile() {
    const file = this.#file;
    if (!file) {
      this.filePart.querySelector('input').focus();
      return;
    }
    this.#sending = true;
    this.#aborted = false;
    this.#send.lastChild.textContent = 'Stop';
    const address = this.#address();
    const step = this.#session.journal.datagrams ? file.size : CHUNK;
    let done = 0;
    try {
      while (done < file.size && !this.#aborted) {
        const part = new Uint8Array(await file.slice(done, done + step).arrayBuffer());
        await this.#session.send(part, address);
        done += part.length;
        setText(this.#status, `${format.bytes(done)} of ${format.bytes(file.size)}`);
      }
      setText(this.#status, this.#aborted ? `Stopped after ${format.bytes(done)}` : `${file.name}: ${format.bytes(done)} sent`);
    } finally {
      this.#sending = false;
      this.#send.lastChild.textContent = 'Send';
      this.update();
    }
  }
}
