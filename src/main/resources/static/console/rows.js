/** Long lists of which only the visible part is in the document. */

const OVERSCAN = 6;

/**
 * Rows of one height in a scrolling viewport. A row keeps its element while it stays visible, so focus and selection survive updates.
 */
export class Rows {
  #viewport;
  #space;
  #height;
  #source;
  #nodes = new Map();
  #spare = [];
  #shown = '';

  /**
   * @param {HTMLElement} viewport what scrolls
   * @param {HTMLElement} space what is as high as all rows together, and holds them
   * @param {number} height of a row, in CSS pixels
   * @param {{count: () => number, key: (index) => any, create: () => HTMLElement, update: (node, index) => void}} source
   */
  constructor(viewport, space, height, source) {
    this.#viewport = viewport;
    this.#space = space;
    this.#height = height;
    this.#source = source;
    viewport.addEventListener('scroll', () => this.render(false), { passive: true });
    this.resized = new ResizeObserver(() => this.render(false));
    this.resized.observe(viewport);
  }

  get height() {
    return this.#height;
  }

  /** Rows whose height has changed, with the width of the page say. */
  set height(height) {
    if (height !== this.#height) {
      this.#height = height;
      this.render();
    }
  }

  /** Brings the visible rows up to date; with `all` false, only those that have just become visible. */
  render(all = true) {
    const total = this.#source.count();
    const height = `${total * this.#height}px`;
    if (this.#space.style.height !== height) {
      this.#space.style.height = height;
    }
    const top = this.#viewport.scrollTop;
    const first = Math.max(0, Math.floor(top / this.#height) - OVERSCAN);
    const last = Math.min(total, Math.ceil((top + this.#viewport.clientHeight) / this.#height) + OVERSCAN);
    const shown = `${first}-${last}-${total}-${this.#height}`;
    if (!all && shown === this.#shown) {
      return;
    }
    this.#shown = shown;
    const wanted = new Map();
    for (let index = first; index < last; index++) {
      wanted.set(this.#source.key(index), index);
    }
    const focused = document.activeElement;
    for (const [key, node] of this.#nodes) {
      if (!wanted.has(key)) {
        this.#nodes.delete(key);
        if (node.contains(focused)) {
          // Whoever is in the row stays on the page until the row is gone for good.
          this.#viewport.focus({ preventScroll: true });
        }
        this.#spare.push(node);
      }
    }
    let next = this.#space.firstChild;
    for (const [key, index] of wanted) {
      let node = this.#nodes.get(key);
      const fresh = !node;
      if (fresh) {
        node = this.#spare.pop() ?? this.#source.create();
        this.#nodes.set(key, node);
      }
      const transform = `translateY(${index * this.#height}px)`;
      if (node.style.transform !== transform) {
        node.style.transform = transform;
      }
      if (fresh || all) {
        this.#source.update(node, index);
      }
      if (node === next) {
        next = next.nextSibling;
      } else {
        this.#space.insertBefore(node, next);
      }
    }
    for (const node of this.#spare) {
      node.remove();
    }
    this.#spare.length = Math.min(this.#spare.length, 64);
    if (focused && focused !== document.activeElement && this.#space.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** Scrolls as little as it takes to show the row. */
  reveal(index) {
    const top = index * this.#height;
    if (top < this.#viewport.scrollTop) {
      this.#viewport.scrollTop = top;
    } else if (top + this.#height > this.#viewport.scrollTop + this.#viewport.clientHeight) {
      this.#viewport.scrollTop = top + this.#height - this.#viewport.clientHeight;
    }
    this.render(false);
  }

  /** The element of the row, if it is visible. */
  node(key) {
    return this.#nodes.get(key) ?? null;
  }
}
