// The selected position: under the pointer, clicked, or reached with the arrow keys.

export class PositionPicker {
  #root;
  #view;
  #onPick;
  /** The position under the pointer. */
  #hovered = null;
  /** The position chosen by a click or a key; it stays selected. */
  #chosen = null;

  /**
   * @param onPick is called with a position or null, whether a key selected it, and whether it stays selected.
   */
  constructor(root, view, onPick) {
    this.#root = root;
    this.#view = view;
    this.#onPick = onPick;
    root.addEventListener("pointerover", (event) => this.#hover(event.target.position ?? null));
    root.addEventListener("pointerleave", () => this.#hover(null));
    root.addEventListener("click", (event) => {
      const { position } = event.target;
      if (position === undefined) return this.let();
      // A second click deselects, which on a phone closes the panel.
      this.#choose(position === this.#chosen ? null : position, false);
    });
    root.addEventListener("focus", () => {
      if (this.#chosen === null && root.matches(":focus-visible")) this.#choose(0, true);
    });
    root.addEventListener("keydown", (event) => this.#key(event));
  }

  get position() {
    return this.#hovered ?? this.#chosen;
  }

  /** Deselects the chosen position. */
  let() {
    if (this.position !== null) this.#choose(null, false);
  }

  /** Clears all selections, for a new run. */
  reset() {
    this.#hovered = this.#chosen = null;
    if (document.activeElement === this.#root) this.#choose(0, false);
    else this.#onPick(null, false, false);
  }

  #hover(position) {
    if (position === this.#hovered) return;
    this.#hovered = position;
    this.#view.mark(this.position);
    this.#onPick(this.position, false, false);
  }

  #choose(position, byKey) {
    this.#hovered = null;
    this.#chosen = position;
    this.#view.mark(position);
    this.#onPick(position, byKey, true);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#view.positions === 0) return;
    const last = this.#view.positions - 1;
    const from = Math.min(this.#chosen ?? 0, last);
    const { first, last: end } = this.#view.group(from);
    const moves = {
      ArrowLeft: () => first - 1, ArrowRight: () => end + 1, ArrowUp: () => this.#vertical(from, -1),
      ArrowDown: () => this.#vertical(from, 1), Home: () => 0, End: () => last,
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const target = this.#view.group(Math.min(Math.max(move(), 0), last)).first;
    this.#choose(target, true);
    this.#view.span(target).scrollIntoView({ block: "nearest" });
  }

  /** The horizontally nearest position of the next line, up or down. */
  #vertical(from, direction) {
    const rectangle = (position) => this.#view.span(position).getClientRects()[0] ?? new DOMRect();
    const origin = rectangle(from);
    const x = origin.left + origin.width / 2;
    let best = from;
    let least = Infinity;
    let line = null;
    for (let position = from; position >= 0 && position < this.#view.positions; position += direction) {
      const each = rectangle(position);
      if (Math.abs(each.top - origin.top) < origin.height / 2) continue;
      line ??= each.top;
      if (Math.abs(each.top - line) > origin.height / 2) break;
      const distance = Math.abs(each.left + each.width / 2 - x);
      if (distance < least) [least, best] = [distance, position];
    }
    return best;
  }
}
