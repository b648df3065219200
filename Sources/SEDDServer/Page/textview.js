// A text on the page, one span per position. During a run its lines are fixed and open positions share the remaining room
// (lines.js); once the result is known, every position has the width of its final text from the first step on (flow.js). In
// either layout nothing rewraps as the text forms.

import { FlowLayout } from "./flow.js";
import { LineLayout } from "./lines.js";

export class TextView {
  #root;
  #trajectory = null;
  #layout = null;
  #fresh = new Set();
  #current = null;
  /** Average characters per token, for the width of unknown text. */
  charactersPerToken = 1;
  shown = 0;

  /** @param {HTMLElement} root is emptied and filled. */
  constructor(root) {
    this.#root = root;
    let width = 0;
    new ResizeObserver(() => {
      if (root.clientWidth === width || root.clientWidth === 0) return;
      width = root.clientWidth;
      if (this.#layout instanceof LineLayout) this.#layOut();
    }).observe(root);
  }

  load(trajectory) {
    this.#trajectory = trajectory;
    this.shown = 0;
    this.#fresh.clear();
    this.#current = null;
    this.#layOut();
  }

  /** The run has ended: if it has a result, its text gets the final layout. */
  ended() {
    if (this.#trajectory.isFinished) this.#layOut();
    else this.#paint(this.#all);
  }

  clear() {
    this.#root.replaceChildren();
    this.#layout = null;
  }

  /**
   * Shows the state after a step.
   * @param {boolean} wholeWay whether all changes since the previously displayed step count as the latest ones, as in playback,
   *   or only those of this step, as after a jump.
   */
  show(step, wholeWay = false) {
    const dirty = this.#trajectory.changedBetween(this.shown, step);
    const before = this.#fresh;
    this.#fresh =
      wholeWay && step > this.shown
        ? new Set(dirty) : new Set(this.#trajectory.step(step).changes.map((change) => change.position));
    const end = this.#trajectory.endAt(this.shown);
    this.shown = step;
    this.#paint(end === this.#trajectory.endAt(step) ? new Set([...dirty, ...before, ...this.#fresh]) : this.#all);
  }

  /** Ends the highlighting of the latest changes. */
  calm() {
    const before = this.#fresh;
    this.#fresh = new Set();
    this.#paint(before);
  }

  /** Marks the selected position, or none. */
  mark(position) {
    if (!this.#trajectory) return;
    const changed = [this.#current, position].filter((each) => each !== null && each < this.#trajectory.length);
    this.#current = position;
    this.#paint(changed);
  }

  /** The span that shows a position. */
  span(position) {
    return this.#layout.spans[this.group(position).first];
  }

  /** First and last of the positions that are displayed as one with this one. */
  group(position) {
    return this.#layout.group(position);
  }

  /** The text of a position at the displayed step; empty if it is open. */
  textOf(position) {
    return this.#layout.textOf(this.group(position).first);
  }

  /** Positions that belong to the text: those up to its end; none before the first run. */
  get positions() {
    if (!this.#trajectory) return 0;
    const end = this.#trajectory.endAt(this.#layout instanceof FlowLayout ? this.#trajectory.recorded : this.shown);
    return end === null ? this.#trajectory.length : end + 1;
  }

  /** What is written so far, open positions left out. */
  get text() {
    return Array.from({ length: this.#trajectory?.length ?? 0 }, (_, position) => this.#layout.textOf(position)).join("");
  }

  get #all() {
    return Array.from({ length: this.#trajectory.length }, (_, position) => position);
  }

  #layOut() {
    const Layout = this.#trajectory.isFinished ? FlowLayout : LineLayout;
    this.#layout = new Layout(this.#root, this.#trajectory, this.charactersPerToken);
    this.#paint(this.#all);
  }

  #paint(positions) {
    this.#layout?.paint(positions, this.shown, this.#fresh, this.#current);
  }
}
