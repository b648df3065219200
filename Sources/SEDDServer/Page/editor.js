// The editor of the text with holes: a plain text area holds the text. An invisible copy behind it tints the holes, gives the
// text area its height, and locates the edges of holes.

import { escaped, freeing, narrowest, parse, toTemplate, fromTemplate, tokensOf } from "./holes.js";
import { Handles } from "./handles.js";

/** Beyond this many characters the text area scrolls by itself and holes are not tinted. */
const longestTinted = 20_000;

export class Editor {
  #area;
  #mirror;
  #handles;
  /** Called after each change of the text or of the caret. */
  onChange = () => {};
  #holes = [];
  /** @type {import("./holes.js").Pieces} how the model cuts text. */
  pieces = { charactersPerToken: 1, takeBlank: false };

  constructor({ area, mirror, handles }) {
    this.#area = area;
    this.#mirror = mirror;
    this.#handles = new Handles(handles, mirror, (index, width) => this.resize(index, width));
    area.addEventListener("input", () => this.refresh());
    area.addEventListener("beforeinput", (event) => this.#takeWhole(event));
    document.addEventListener("selectionchange", () => {
      if (document.activeElement === area) this.#showCurrent();
    });
    new ResizeObserver(() => this.#handles.place()).observe(mirror);
  }

  get charactersPerToken() {
    return this.pieces.charactersPerToken;
  }

  /** The server's template. */
  get template() {
    return toTemplate(this.#area.value, this.pieces);
  }

  set template(template) {
    this.#area.value = fromTemplate(template, this.pieces);
    this.refresh();
  }

  /** Replaces the text by one without holes. */
  set text(text) {
    this.#area.value = escaped(text);
    this.refresh();
  }

  /** Whether something is selected that could become a hole. */
  get hasSelection() {
    return this.#area.selectionStart < this.#area.selectionEnd;
  }

  /** The hole that contains or directly precedes the caret, or null. */
  get current() {
    const { selectionStart, selectionEnd } = this.#area;
    const index = this.#holes.findIndex(({ start, end }) => start < selectionEnd && selectionStart <= end && selectionEnd <= end);
    return index < 0 ? null : { index, ...this.#holes[index] };
  }

  /** Turns the selection into a hole, or inserts one at the caret; returns a message that says which. */
  free() {
    const { value, selectionStart, selectionEnd } = this.#area;
    const edit = freeing(value, selectionStart, selectionEnd, this.charactersPerToken);
    if (edit) this.#replace(edit.start, edit.end, edit.insert);
    else this.#replace(selectionEnd, selectionEnd, "_".repeat(12));
    return edit ? "The selection is a hole now." : "A hole was inserted.";
  }

  /** Sets the number of underscores of a hole. */
  resize(index, width) {
    const { start, end, kind } = this.#holes[index] ?? {};
    if (start === undefined || kind === "wrong" || kind === "end") return;
    this.#replace(start, end, "_".repeat(Math.max(Math.round(width), narrowest)));
  }

  /** Makes a hole open-ended, or gives it a size again. */
  toggleEndless({ start, end, kind }) {
    this.#replace(start, end, kind === "fill" ? "_".repeat(12) : "___…");
  }

  remove({ start, end }) {
    this.#replace(start, end, "");
  }

  /** Width of a hole in underscores. */
  widthOf({ kind, count }) {
    return kind === "hole" ? Math.round(count * this.charactersPerToken) : count;
  }

  /** Number of tokens of a hole. */
  tokensOf({ kind, count }) {
    return kind === "hole" ? count : tokensOf(count, this.charactersPerToken);
  }

  /** The segments of the typed text. */
  get segments() {
    return parse(this.#area.value);
  }

  /** Updates the tint of the holes. */
  refresh() {
    const { value } = this.#area;
    const segments = parse(value);
    const isLong = value.length > longestTinted;
    this.#area.parentElement.classList.toggle("long", isLong);
    this.#mirror.replaceChildren();
    this.#holes = isLong ? [] : segments.filter(({ kind }) => kind !== "text");
    if (!isLong) {
      for (const { kind, start, end } of segments) {
        const part = document.createElement(kind === "text" ? "span" : "mark");
        if (kind === "wrong") part.className = kind;
        part.textContent = value.slice(start, end);
        this.#mirror.append(part);
      }
      // A text area shows an empty line after a final line break; this copy shows it only if something follows.
      this.#mirror.append("\u200b");
    }
    this.#handles.show(this.#holes.map((hole) => (hole.kind === "blank" || hole.kind === "hole" ? this.widthOf(hole) : null)));
    this.#showCurrent();
  }

  #showCurrent() {
    const current = this.current;
    const marks = this.#mirror.querySelectorAll("mark");
    marks.forEach((mark, index) => mark.classList.toggle("current", index === current?.index));
    this.onChange();
  }

  /** A hole is deleted as a whole: deleting either edge removes all of it. */
  #takeWhole(event) {
    const { selectionStart, selectionEnd } = this.#area;
    if (selectionStart !== selectionEnd) return;
    const isBack = event.inputType === "deleteContentBackward";
    if (!isBack && event.inputType !== "deleteContentForward") return;
    const hole = this.#holes.find(({ kind, start, end }) =>
      kind !== "wrong" && (isBack ? start < selectionStart && selectionStart <= end : start <= selectionStart && selectionStart < end));
    if (!hole) return;
    event.preventDefault();
    this.remove(hole);
  }

  /** Inserts text as if it were typed, so that undo reverts it. */
  #replace(start, end, text) {
    this.#area.focus({ preventScroll: true });
    this.#area.setSelectionRange(start, end);
    // The only edit of a text area that keeps its undo history; if the browser refuses it, the edit is made without history.
    const isDone = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
    if (!isDone) {
      this.#area.setRangeText(text, start, end, "end");
      this.#area.dispatchEvent(new Event("input"));
    }
  }
}
