// The layout of a run whose result is known: at every step each position has the width of its final text, invisible until it
// is there, so that nothing moves. Text that is replaced later is drawn over that space.

import { awaited, group } from "./pieces.js";
import { Spans, ruler, visible } from "./spans.js";

export class FlowLayout {
  #trajectory;
  #spans;
  #width;
  /** Groups of positions that form one text in the result, and the group of each position. */
  #groups;
  #groupOf = [];
  #said;

  constructor(root, trajectory) {
    this.#trajectory = trajectory;
    this.#width = ruler(root);
    this.#spans = new Spans(trajectory.length);
    const { length, recorded } = trajectory;
    const end = trajectory.endAt(recorded);
    this.#groups = group(length, (position) => trajectory.state(position, recorded));
    this.#groups.forEach((each, index) => {
      each.isBeyond = end !== null && each.first > end;
      if (trajectory.isEnd(each.first, recorded)) each.text = "";
      for (let position = each.first; position <= each.last; position += 1) this.#groupOf[position] = index;
      this.#spans.text(each.first, visible(each.text));
    });
    this.#said = Array.from({ length }, () => "");
    root.replaceChildren(...this.#spans.elements);
  }

  get spans() {
    return this.#spans.elements;
  }

  group(position) {
    return this.#groups[this.#groupOf[position]];
  }

  textOf(position) {
    return this.#said[position];
  }

  paint(positions, step, fresh, current) {
    for (const index of new Set([...positions].map((position) => this.#groupOf[position]))) {
      this.#paintGroup(this.#groups[index], step, fresh, current);
    }
  }

  #paintGroup({ first, last, text, isBeyond }, step, fresh, current) {
    const trajectory = this.#trajectory;
    let isFinal = true;
    let isOpen = true;
    let isFresh = false;
    let isCurrent = false;
    let now = "";
    for (let position = first; position <= last; position += 1) {
      const state = trajectory.state(position, step);
      isFinal &&= state.token === trajectory.state(position, trajectory.recorded).token;
      isOpen &&= state.token === null;
      isFresh ||= fresh.has(position);
      isCurrent ||= current === position;
      if (state.token !== null) now += trajectory.isEnd(position, step) ? "" : (state.text ?? awaited);
    }
    const kind = trajectory.kind(first, step);
    const names = [isFinal && kind !== "open" ? kind : "open"];
    const isPassing = !isOpen && (!isFinal || kind === "open");
    if (isPassing) names.push("passing");
    if (isPassing && now.includes(awaited)) names.push("partial");
    if (isFinal && text === awaited) names.push("partial");
    if (isFinal && trajectory.isEnd(first, step) && first > 0) names.push("end");
    if (isFresh) names.push("fresh");
    if (isCurrent) names.push("current");
    if (isBeyond) names.push("beyond");
    // The pieces of one character are drawn as one mark, however many are present.
    if (now.includes(awaited)) now = awaited;
    const shown = isPassing ? visible(now).replace(/\n/g, "↵") : null;
    this.#spans.passing(first, shown, isPassing ? this.#squeeze(shown, text) : 1);
    this.#spans.className(first, names.join(" "));
    for (let position = first + 1; position <= last; position += 1) this.#spans.className(position, "joined");
    this.#said[first] = isOpen || isBeyond ? "" : isPassing ? visible(now) : visible(text);
  }

  /** Scales the temporary text horizontally to fit its space. */
  #squeeze(now, text) {
    const room = this.#width(text) || this.#width("n");
    return Math.min(1, room / Math.max(this.#width(now), 1));
  }
}
