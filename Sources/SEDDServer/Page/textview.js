// A text on the page, one span a position, made once for a run; afterwards only spans that change are touched.

import { join, runAround } from "./pieces.js";

/** Control characters have no glyph; their pictures do. Line breaks and tabs do their work. */
const visible = (text) =>
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (character) =>
    character === "\u007f" ? "\u2421" : String.fromCharCode(0x2400 + character.charCodeAt(0)));

export class TextView {
  #root;
  #trajectory = null;
  #spans = [];
  /** What each span shows, so that the document is written to only where something differs. */
  #texts = [];
  #classes = [];
  /** The first position of the group that shows each position; its own number for all but pieces of a character. */
  #groups = [];
  #fresh = new Set();
  #current = null;
  shown = 0;

  /** @param {HTMLElement} root is emptied and filled. */
  constructor(root) {
    this.#root = root;
  }

  load(trajectory) {
    this.#trajectory = trajectory;
    this.shown = 0;
    this.#fresh.clear();
    this.#current = null;
    const all = Array.from({ length: trajectory.length }, (_, position) => position);
    this.#spans = all.map((position) => {
      const span = document.createElement("span");
      span.position = position;
      return span;
    });
    this.#texts = all.map(() => "");
    this.#classes = all.map(() => "");
    this.#groups = [...all];
    this.#paint(all);
    this.#root.replaceChildren(...this.#spans);
  }

  /**
   * Shows the state after a step.
   * @param {boolean} wholeWay whether all changes since the step shown before count as the latest ones, as in playback,
   *   or only those of this step, as after a jump.
   */
  show(step, wholeWay = false) {
    const dirty = this.#trajectory.changedBetween(this.shown, step);
    const before = this.#fresh;
    this.#fresh =
      wholeWay && step > this.shown
        ? new Set(dirty) : new Set(this.#trajectory.step(step).changes.map((change) => change.position));
    this.shown = step;
    this.#paint(new Set([...dirty, ...before, ...this.#fresh]));
  }

  /** Lets the latest changes look like the others. */
  calm() {
    const before = this.#fresh;
    this.#fresh = new Set();
    this.#paint(before);
  }

  /** Looks at every position anew: the end of a uniform chain settles many at once. */
  refresh() {
    this.#paint(this.#spans.keys());
  }

  /** Marks the position that is looked at, or none. */
  mark(position) {
    const changed = [this.#current, position].filter((each) => each !== null && each < this.#spans.length);
    this.#current = position;
    this.#paint(changed);
  }

  /** The span that shows a position. */
  span(position) {
    return this.#spans[this.#groups[position]];
  }

  /** All positions that are shown as one with this one, as first and last. */
  group(position) {
    const first = this.#groups[position];
    let last = first;
    while (last + 1 < this.#groups.length && this.#groups[last + 1] === first) last += 1;
    return { first, last };
  }

  /** What is written so far, open positions left out. */
  get text() {
    return this.#texts.join("");
  }

  #paint(positions) {
    const { length } = this.#trajectory;
    const stateAt = (position) => this.#trajectory.state(position, this.shown);
    const runs = new Map();
    for (const position of positions) {
      // A position that becomes or ceases to be a piece changes what its neighbours can join to.
      for (const near of [position - 1, position, position + 1]) {
        if (near < 0 || near >= length) continue;
        const run = runAround(near, length, stateAt);
        if (run) runs.set(run.first, run);
        else if (near === position) this.#write(position, position, stateAt(position).text ?? "");
      }
    }
    for (const run of runs.values()) {
      for (const { first, last, text } of join(run, length, stateAt)) this.#write(first, last, text);
    }
  }

  /** Lets the first span of a group show its text and the others nothing. */
  #write(first, last, text) {
    let isFresh = false;
    let isCurrent = false;
    for (let position = first; position <= last; position += 1) {
      isFresh ||= this.#fresh.has(position);
      isCurrent ||= this.#current === position;
    }
    for (let position = first; position <= last; position += 1) {
      this.#groups[position] = first;
      const kind = this.#trajectory.kind(position, this.shown);
      let name = position > first ? "joined" : kind;
      if (position === first) {
        if (kind === "open" && text === "") name += " empty";
        if (text.includes("\n")) name += " newline";
        if (isFresh) name += " fresh";
        if (isCurrent) name += " current";
      }
      this.#set(position, name, position > first ? "" : visible(text));
    }
  }

  #set(position, name, text) {
    if (this.#texts[position] !== text) this.#spans[position].textContent = this.#texts[position] = text;
    if (this.#classes[position] !== name) this.#spans[position].className = this.#classes[position] = name;
  }
}
