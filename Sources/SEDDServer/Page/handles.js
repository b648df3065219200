// Handles on the right edges of holes, for pointers only: narrow buttons over the tinted text. With the keyboard a hole is
// widened by typing underscores, or with the buttons below the text.

export class Handles {
  #root;
  #mirror;
  #onResize;
  /** Underscores of each hole; null for marks without a width, such as open-ended holes. */
  #widths = [];
  #buttons = [];
  /** The current drag. */
  #drag = null;

  /** @param onResize is called with the number of a hole and its new width. */
  constructor(root, mirror, onResize) {
    this.#root = root;
    this.#mirror = mirror;
    this.#onResize = onResize;
  }

  show(widths) {
    this.#widths = widths;
    if (this.#drag === null) {
      this.#buttons = widths.map((width, index) => (width === null ? null : this.#button(index)));
      this.#root.replaceChildren(...this.#buttons.filter((button) => button !== null));
    }
    this.place();
  }

  /** Moves each handle to the end of its hole in the current layout. */
  place() {
    const origin = this.#root.getBoundingClientRect();
    if (origin.width === 0) return;
    const marks = this.#mirror.querySelectorAll("mark");
    this.#buttons.forEach((button, index) => {
      const edge = button && [...(marks[index]?.getClientRects() ?? [])].at(-1);
      if (!edge) return;
      const isRightToLeft = getComputedStyle(marks[index]).direction === "rtl";
      button.style.left = `${(isRightToLeft ? edge.left : edge.right) - origin.left}px`;
      button.style.top = `${edge.top - origin.top}px`;
      button.style.height = `${edge.height}px`;
    });
  }

  #button(index) {
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.className = "handle";
    button.addEventListener("pointerdown", (event) => this.#begin(event, button, index));
    button.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) button.addEventListener(name, () => this.#end(button));
    return button;
  }

  #begin(event, button, index) {
    event.preventDefault();
    button.setPointerCapture(event.pointerId);
    button.classList.add("dragged");
    const mark = this.#mirror.querySelectorAll("mark")[index];
    const length = [...mark.getClientRects()].reduce((sum, rectangle) => sum + rectangle.width, 0);
    const unit = length / mark.textContent.length;
    const width = this.#widths[index];
    this.#drag = { index, x: event.clientX, y: event.clientY, width, last: width, unit, line: mark.getClientRects()[0].height };
  }

  #move(event) {
    if (this.#drag === null) return;
    const { x, y, width, unit, line, index, last } = this.#drag;
    // Moving the pointer down by a line counts as the width of the text.
    const lines = Math.round((event.clientY - y) / (line * 1.4));
    const wanted = Math.max(3, Math.round(width + (event.clientX - x + lines * this.#mirror.clientWidth) / unit));
    if (wanted === last) return;
    this.#drag.last = wanted;
    this.#onResize(index, wanted);
  }

  #end(button) {
    if (this.#drag === null) return;
    this.#drag = null;
    button.classList.remove("dragged");
    this.show(this.#widths);
  }
}
