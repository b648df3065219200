// One run at a time: a new one cancels the previous one and waits for its end.

export class Runs {
  #onChange;
  /** The current run: its AbortController, and the promise of its end. */
  #current = null;

  /** @param {(isRunning: boolean) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /**
   * @param {(signal: AbortSignal) => Promise<void>} action
   * @param {(error: Error) => void} onError receives what the action throws, including AbortError.
   */
  start(action, onError) {
    const before = this.#current;
    before?.controller.abort();
    const own = { controller: new AbortController(), end: null };
    this.#current = own;
    own.end = (async () => {
      await before?.end;
      if (this.#current !== own) return;
      this.#onChange(true);
      try {
        await action(own.controller.signal);
      } catch (error) {
        onError(error);
      }
      if (this.#current !== own) return;
      this.#current = null;
      this.#onChange(false);
    })();
  }

  stop() {
    this.#current?.controller.abort();
  }
}
