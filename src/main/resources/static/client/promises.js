/** A promise and what settles it; a rejection that nobody asks about is reported to nobody. */
export function deferred() {
  const result = {};
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  result.promise.catch(() => {});
  return result;
}

/** What others wait for, one step after the other. */
export class Progress {
  #next = null;

  /** Whoever waits looks again. */
  made() {
    this.#next?.resolve();
    this.#next = null;
  }

  /** Resolves with the next step, or when the signal is aborted. */
  async step(signal) {
    let stop;
    const stopped = new Promise((resolve) => (stop = resolve));
    signal?.addEventListener('abort', stop, { once: true });
    this.#next ??= deferred();
    await Promise.race([this.#next.promise, stopped]);
    signal?.removeEventListener('abort', stop);
  }
}
