// The layout of a run in progress. Line breaks are chosen once, from the average width of tokens; then each line keeps its
// positions, and the open ones share the remaining room. A line that becomes too long is drawn narrower.

import { group } from "./pieces.js";
import { Spans, ruler, visible } from "./spans.js";

/** Sample for the average width of a letter. */
const sample = "It was a small house and the children played in the garden all day long.";

export class LineLayout {
  #trajectory;
  #spans;
  #groups = [];
  #said;
  #lines = [];
  #lineOf = [];

  constructor(root, trajectory, charactersPerToken) {
    this.#trajectory = trajectory;
    this.#spans = new Spans(trajectory.length);
    this.#said = Array.from({ length: trajectory.length }, () => "");
    this.#groups = Array.from({ length: trajectory.length }, (_, position) => position);
    const width = ruler(root);
    const slot = (width(sample) / sample.length) * charactersPerToken;
    const style = getComputedStyle(root);
    const room = root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    root.style.setProperty("--slot", `${1.25 * slot}px`);
    for (const positions of this.#divided(Math.max(room, 1), slot, width)) this.#add(positions);
    root.replaceChildren(...this.#lines);
  }

  get spans() {
    return this.#spans.elements;
  }

  group(position) {
    const first = this.#groups[position];
    let last = first;
    while (last + 1 < this.#groups.length && this.#groups[last + 1] === first) last += 1;
    return { first, last };
  }

  textOf(position) {
    return this.#said[position];
  }

  /** Positions of each line: as many as fit, broken at a nearby blank of given text if there is one. */
  #divided(room, slot, width) {
    const lines = [];
    let line = [];
    let used = 0;
    let lastBlank = -1;
    for (let position = 0; position < this.#trajectory.length; position += 1) {
      const { fixed, text } = this.#trajectory.state(position, 0);
      const wide = fixed ? width(text ?? "n") : slot;
      if (used + wide > room && line.length > 0 && text !== " ") {
        const rest = lastBlank >= 0 ? line.splice(lastBlank + 1) : [];
        lines.push(line);
        line = rest;
        used = rest.reduce((sum, each) => sum + (this.#given(each) === null ? slot : width(this.#given(each))), 0);
        lastBlank = -1;
      }
      // A token such as " house" may begin a line.
      if (fixed && /^\s\S/.test(text ?? "") && line.length > 0) lastBlank = line.length - 1;
      line.push(position);
      used += wide;
      if (fixed && /\s$/.test(text ?? "")) lastBlank = line.length - 1;
      if (!fixed) lastBlank = -1;
      if (fixed && text?.includes("\n")) {
        lines.push(line);
        line = [];
        used = 0;
        lastBlank = -1;
      }
    }
    if (line.length > 0) lines.push(line);
    return lines;
  }

  #given(position) {
    const { fixed, text } = this.#trajectory.state(position, 0);
    return fixed ? (text ?? "n") : null;
  }

  /** Keeps given text in one span, so that letters join as in its script. */
  #add(positions) {
    const line = document.createElement("div");
    line.className = "line";
    let run = null;
    for (const position of positions) {
      this.#lineOf[position] = this.#lines.length;
      const isGiven = this.#trajectory.state(position, 0).fixed;
      if (isGiven && run === null) line.append((run = document.createElement("div")));
      if (!isGiven) run = null;
      (run ?? line).append(this.#spans.elements[position]);
    }
    this.#lines.push(line);
  }

  paint(positions, step, fresh, current) {
    const { length } = this.#trajectory;
    const stateAt = (position) => this.#trajectory.state(position, step);
    const end = this.#trajectory.endAt(step);
    const changed = new Set();
    const near = new Set();
    for (const position of positions) {
      // A position that becomes or ceases to be a piece of a character changes which neighbours join.
      for (const each of [position - 1, position, position + 1]) if (each >= 0 && each < length) near.add(each);
    }
    for (const { first, last, text } of group(length, stateAt, near)) {
      this.#write({ first, last, text, step, end }, fresh, current);
      changed.add(this.#lineOf[first]);
    }
    for (const line of changed) this.#fit(this.#lines[line]);
  }

  /** Shows the text of a group in its first span; the others are empty. */
  #write({ first, last, text, step, end }, fresh, current) {
    const trajectory = this.#trajectory;
    const isEnd = trajectory.isEnd(first, step);
    for (let position = first; position <= last; position += 1) {
      this.#groups[position] = first;
      const names = [position > first ? "joined" : trajectory.kind(position, step)];
      if (position === first) {
        // In a uniform chain an open position holds a token, which may still change.
        if (names[0] === "open" && text !== "") names.push("passing");
        if (text.includes("\n") && names[0] !== "given") names.push("newline");
        if (/[◌\uFFFD]/.test(text)) names.push("partial");
        if (isEnd && first > 0) names.push("end");
        if (within(first, last, (each) => fresh.has(each))) names.push("fresh");
        if (within(first, last, (each) => current === each)) names.push("current");
      }
      if (end !== null && position > end) names.push("beyond");
      const shown = position > first || isEnd ? "" : visible(text);
      const isPassing = names[1] === "passing";
      const isBreak = names.includes("newline");
      this.#said[position] = names.includes("beyond") ? "" : shown;
      this.#spans.passing(position, isPassing ? shown.replace(/\n/g, "↵") : null);
      this.#spans.text(position, isPassing ? "" : isBreak ? shown.replace(/\n/g, "") : shown);
      this.#spans.className(position, names.join(" "));
    }
  }

  #fit(line) {
    line.style.transform = "";
    if (line.scrollWidth > line.clientWidth + 1) line.style.transform = `scaleX(${line.clientWidth / line.scrollWidth})`;
  }
}

function within(first, last, condition) {
  for (let position = first; position <= last; position += 1) if (condition(position)) return true;
  return false;
}
