// The spans of a text, created once per layout; afterwards the document is changed only where something differs.

/** Replaces control characters by their visible symbols, except line breaks and tabs. */
export const visible = (text) =>
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (character) =>
    character === "\u007f" ? "\u2421" : String.fromCharCode(0x2400 + character.charCodeAt(0)));

export class Spans {
  /** @type {HTMLElement[]} each knows its `position`. */
  elements;
  #texts;
  #classes;
  #passing;

  constructor(length) {
    this.elements = Array.from({ length }, (_, position) => Object.assign(document.createElement("span"), { position }));
    this.#texts = this.elements.map(() => "");
    this.#classes = this.elements.map(() => "");
    this.#passing = this.elements.map(() => null);
  }

  text(position, text) {
    if (this.#texts[position] === text) return;
    this.elements[position].textContent = this.#texts[position] = text;
  }

  className(position, name) {
    if (this.#classes[position] === name) return;
    this.elements[position].className = this.#classes[position] = name;
  }

  /** Temporary text drawn over the space of the final text; null for none. */
  passing(position, text, squeeze = 1) {
    if (this.#passing[position] === text) return;
    this.#passing[position] = text;
    const { dataset, style } = this.elements[position];
    if (text === null) delete dataset.now;
    else dataset.now = text;
    style.setProperty("--squeeze", squeeze);
  }
}

/** The width of a text in an element's font, in pixels. */
export function ruler(element) {
  const context = document.createElement("canvas").getContext("2d");
  const { fontStyle, fontWeight, fontSize, fontFamily } = getComputedStyle(element);
  context.font = `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;
  const widths = new Map();
  return (text) => {
    if (!widths.has(text)) widths.set(text, context.measureText(text).width);
    return widths.get(text);
  };
}
