/** From this many bytes within the window on, bytes are counted and not shown. */
const MOST_BYTES = 1_500_000;
const WINDOW_MS = 250;

/** Whether more bytes go over a socket than a page can show. */
export class Flood {
  #on;
  #recent = 0;
  #timer = 0;
  #isHigh = false;

  /** @param {{rises: () => void, goesOn: (bytesPerSecond: number) => void, falls: () => void}} on */
  constructor(on) {
    this.#on = on;
  }

  get isHigh() {
    return this.#isHigh;
  }

  /** So many bytes have just gone over the socket. */
  add(byteCount) {
    this.#recent += byteCount;
    if (this.#timer === 0) {
      this.#timer = setTimeout(() => this.#windowEnds(), WINDOW_MS);
    }
    if (!this.#isHigh && this.#recent > MOST_BYTES) {
      this.#isHigh = true;
      this.#on.rises();
    }
  }

  #windowEnds() {
    const recent = this.#recent;
    this.#recent = 0;
    this.#timer = 0;
    if (!this.#isHigh) {
      return;
    }
    if (recent > MOST_BYTES / 2) {
      this.#timer = setTimeout(() => this.#windowEnds(), WINDOW_MS);
      this.#on.goesOn((recent * 1000) / WINDOW_MS);
    } else {
      this.#isHigh = false;
      this.#on.falls();
    }
  }
}
