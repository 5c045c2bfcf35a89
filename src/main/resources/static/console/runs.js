import { h } from './dom.js';

/** Text on its way into an element, in as few spans as there are changes of class. */
export class Runs {
  #node;
  #text = '';
  #class = '';

  constructor(node) {
    this.#node = node;
  }

  put(text, className) {
    if (className !== this.#class) {
      this.flush();
      this.#class = className;
    }
    this.#text += text;
  }

  /** Puts a name in place of something that has no sign, as an element of its own. */
  name(name, className) {
    this.flush();
    this.#node.append(h('span.control', { class: `${className}${name.length > 3 ? ' long' : ''}` }, name));
  }

  /** Puts what is left into the element. */
  flush() {
    if (this.#text !== '') {
      this.#node.append(this.#class === '' ? this.#text : h('span', { class: this.#class }, this.#text));
      this.#text = '';
    }
  }
}
