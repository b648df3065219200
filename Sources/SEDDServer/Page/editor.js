// The text with holes: a plain text area is what counts. Behind it lies its own text, unseen, where holes are tinted; it also
// gives the text area its height.

import { freeing, parse, summary } from "./template.js";

/** Beyond so many characters the text area scrolls by itself and nothing is tinted. */
const longestTinted = 20_000;
const holeSize = 12;

export class Editor {
  #area;
  #mirror;
  #meter;
  #size;
  /** The model's usual length and what the length field says. */
  #length = () => null;

  /**
   * @param {import("./tokens.js").TokenSize} size
   * @param {() => number | null} length the length that `[[*]]` fills, where it is known.
   */
  constructor({ area, mirror, meter }, size, length) {
    this.#area = area;
    this.#mirror = mirror;
    this.#meter = meter;
    this.#size = size;
    this.#length = length;
    area.addEventListener("input", () => this.refresh());
  }

  /** Whether something is selected that could be freed. */
  get hasSelection() {
    return this.#area.selectionStart < this.#area.selectionEnd;
  }

  /** Makes the selection a hole of as many tokens; says what it did. */
  free() {
    const { value, selectionStart, selectionEnd } = this.#area;
    const edit = freeing(value, selectionStart, selectionEnd, this.#size.of);
    if (!edit) {
      this.#area.focus();
      return "Select the words to free first.";
    }
    this.#replace(edit.start, edit.end, edit.insert);
    return edit.insert === "[[*]]"
      ? "Freed: the hole fills the length." : `Freed: a hole of ${edit.insert.slice(2, -2)} tokens.`;
  }

  /** Puts a hole at the caret and selects its size, to be typed over. */
  insertHole() {
    const { selectionEnd } = this.#area;
    this.#replace(selectionEnd, selectionEnd, `[[${holeSize}]]`);
    this.#area.setSelectionRange(selectionEnd + 2, selectionEnd + 2 + String(holeSize).length);
    return `A hole of ${holeSize} tokens.`;
  }

  insertFill() {
    const { selectionEnd } = this.#area;
    this.#replace(selectionEnd, selectionEnd, "[[*]]");
    return "A hole that fills the length.";
  }

  /** Tints the holes and counts positions anew. */
  refresh() {
    const { value } = this.#area;
    const segments = parse(value);
    const isLong = value.length > longestTinted;
    this.#area.parentElement.classList.toggle("long", isLong);
    this.#mirror.replaceChildren();
    if (!isLong) {
      for (const { kind, start, end } of segments) {
        const part = document.createElement(kind === "text" ? "span" : "mark");
        if (kind === "wrong") part.className = kind;
        part.textContent = value.slice(start, end);
        this.#mirror.append(part);
      }
      // A line break at the end opens a line in the text area, and here only if something stands in it.
      this.#mirror.append("\u200b");
    }
    this.#meter.textContent = this.#count(summary(segments, this.#size.of));
  }

  #count({ given, free, fills, wrong }) {
    if (wrong > 0) return "A hole makes no sense: write [[12]] or [[*]], or \\[[ for a literal [[.";
    const about = this.#size.kind === "byte" || this.#size.kind === "character" ? "" : "about ";
    const asked = this.#length.call(null);
    const own = given + free;
    const isFilled = fills > 0 || free === 0 || asked.isChosen;
    if (!isFilled) return `${about}${given} given, ${free} free: ${about}${own} positions`;
    if (asked.value === null) return `${about}${given} given`;
    if (own > asked.value) return `${about}${own} positions, more than the length of ${asked.value}`;
    return `${about}${given} given, ${about}${asked.value - given} free: ${asked.value} positions`;
  }

  /** As if typed, so that undo takes it back. */
  #replace(start, end, text) {
    this.#area.focus();
    this.#area.setSelectionRange(start, end);
    // The only way to edit a text area that keeps its undo history; where it is refused, the edit is made without.
    if (!document.execCommand("insertText", false, text)) {
      this.#area.setRangeText(text, start, end, "end");
      this.#area.dispatchEvent(new Event("input"));
    }
  }
}
