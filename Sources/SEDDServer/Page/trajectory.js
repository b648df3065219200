// A recorded run: the state of every position at every step, for moving back and forth through it.

/**
 * The state of a position from a step until its next state.
 * @typedef {{token: number | null, text: string | null, bytes?: number[], fixed?: boolean, step: number,
 *   probability?: number, alternatives?: object[]}} State
 */

/** One run as received in events. Step 0 is the state before the first reverse step. */
export class Trajectory {
  /** @type {State[][]} The states of each position, oldest first. */
  #states;
  /** The event of each step; index 0 is the start. */
  #steps = [{ step: 0, time: 1, open: null, changes: [] }];
  /** End of the text after each step for which it was computed. */
  #ends = new Map();
  isFinished = false;
  result = null;

  /** @param {object} start the `start` event. */
  constructor(start) {
    this.start = start;
    this.#states = start.positions.map((position) => [{ ...position, step: 0 }]);
    if (this.isAbsorbing) this.#steps[0].open = start.positions.filter((position) => position.token === null).length;
  }

  get length() {
    return this.#states.length;
  }

  /** Expected steps: the reverse steps and the final denoising. Some methods take more or fewer, which is known only at the end. */
  get total() {
    return this.isFinished ? this.recorded : Math.max(this.start.steps + 1, this.recorded);
  }

  /** Steps recorded so far. */
  get recorded() {
    return this.#steps.length - 1;
  }

  /** Whether free positions are empty until they settle; in a uniform chain they always hold a token. */
  get isAbsorbing() {
    return typeof this.start.mask === "number";
  }

  append(step) {
    this.#steps.push(step);
    for (const { position, ...state } of step.changes) {
      this.#states[position].push({ ...state, fixed: false, step: this.recorded });
    }
  }

  finish(result) {
    this.isFinished = true;
    this.result = result;
  }

  /** The event of a step: `time`, `open`, `changes`. */
  step(index) {
    return this.#steps[index];
  }

  /** @returns {State} the state of a position after a step. */
  state(position, step) {
    const states = this.#states[position];
    let low = 0;
    let high = states.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (states[middle].step <= step) low = middle;
      else high = middle - 1;
    }
    return states[low];
  }

  /** How often a position has changed up to a step. */
  changes(position, step) {
    return this.#states[position].indexOf(this.state(position, step));
  }

  /**
   * "given", "settled" or "open" after a step. In an absorbing chain a token stays once it is revealed; in a uniform
   * chain it may change at any step, so the last change is known only at the end of the run.
   */
  kind(position, step) {
    const states = this.#states[position];
    if (states[0].fixed) return "given";
    const state = this.state(position, step);
    if (this.isAbsorbing) return state.token === null ? "open" : "settled";
    return this.isFinished && state === states.at(-1) ? "settled" : "open";
  }

  /** Whether a position holds the end-of-text token. */
  isEnd(position, step) {
    const end = this.start.end_of_text;
    return typeof end === "number" && this.state(position, step).token === end;
  }

  /**
   * The position where the text ends after a step, or null. An end at the very start ends the preceding text, which is not part
   * of the run.
   */
  endAt(step) {
    if (typeof this.start.end_of_text !== "number") return null;
    if (!this.#ends.has(step)) {
      let found = null;
      for (let position = 1; position < this.length && found === null; position += 1) {
        if (this.isEnd(position, step)) found = position;
      }
      this.#ends.set(step, found);
    }
    return this.#ends.get(step);
  }

  /** Positions that may differ between two steps: those that changed in between. */
  changedBetween(one, other) {
    const changed = new Set();
    for (let step = Math.min(one, other) + 1; step <= Math.max(one, other); step += 1) {
      for (const change of this.#steps[step].changes) changed.add(change.position);
    }
    return changed;
  }
}
