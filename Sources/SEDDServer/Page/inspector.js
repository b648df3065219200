// Details of one position: its token, when it settled, its probability, and its alternatives.

const percent = new Intl.NumberFormat("en", { style: "percent", maximumSignificantDigits: 2 });

/** A probability as text; never 0 % for a drawn token. */
export const share = (probability) =>
  probability < 0.001 ? "< 0.1\u00a0%" : percent.format(probability).replace("%", "\u00a0%");

/** A token's text with visible blanks. */
export function label(token, end = null) {
  if (end !== null && token.token === end) return "∎";
  if (token.text === null || token.text === undefined) {
    return token.bytes ? token.bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ") : "·";
  }
  return token.text.replace(/[ \n\t\r]/g, (blank) => ({ " ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍" })[blank]);
}

const names = { "∎": "end of the text", "␣": "space", "↵": "line break", "⇥": "tab", "␍": "carriage return" };

export class Inspector {
  #root;
  #onClose;
  #shown = null;

  /** @param onClose is called when the reader closes a panel that covers the page. */
  constructor(root, onClose) {
    this.#root = root;
    this.#onClose = onClose;
  }

  /** Empties the panel; the style sheet then shows a hint. */
  clear() {
    this.#shown = null;
    this.#root.replaceChildren();
  }

  /** Describes a group of positions after a step; `text` is their joint text. */
  show(trajectory, group, step, text) {
    const positions = Array.from({ length: group.last - group.first + 1 }, (_, index) => group.first + index);
    const states = positions.map((position) => trajectory.state(position, step));
    const kinds = positions.map((position) => trajectory.kind(position, step));
    const key = [trajectory, text, ...states, ...kinds];
    if (this.#shown?.length === key.length && this.#shown.every((each, index) => each === key[index])) return;
    this.#shown = key;
    const entries = positions.map((position, index) => this.#entry(trajectory, position, states[index], kinds[index]));
    const whole = element("p", "whole", `${text} in ${positions.length} pieces`);
    const close = element("button", "close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => this.#onClose());
    this.#root.replaceChildren(close, ...(positions.length > 1 ? [whole] : []), ...entries);
  }

  /** The same as a sentence, for screen readers. */
  sentence(trajectory, position, step) {
    const state = trajectory.state(position, step);
    const kind = trajectory.kind(position, step);
    const token = label(state, trajectory.start.end_of_text);
    const name = state.token === null ? "empty" : (names[token] ?? token);
    return `Position ${position + 1}: ${name}. ${this.#history(trajectory, position, state, kind)}`;
  }

  #entry(trajectory, position, state, kind) {
    const entry = element("div", "entry");
    const shown = label(state, trajectory.start.end_of_text);
    const token = element("p", "token", shown);
    const name = state.bytes ? "piece of a character" : names[shown];
    if (name) token.append(element("span", "name", name));
    entry.append(token, element("p", "history", this.#history(trajectory, position, state, kind)));
    if (state.step > 0) entry.append(this.#bars(state, trajectory.start.end_of_text));
    entry.append(element("p", "place", `Position ${position + 1} of ${trajectory.length}`));
    return entry;
  }

  #history(trajectory, position, state, kind) {
    if (kind === "given") return "You gave this.";
    if (state.token === null) return "Still open.";
    if (state.step === 0) return "Noise from the start, which may still change.";
    const name = state.step > trajectory.start.steps ? "at the very end" : `at step ${state.step}`;
    const verb = kind === "settled" ? "Written" : "Changed";
    const times = trajectory.isAbsorbing ? 0 : trajectory.changes(position, state.step);
    const again = times > 1 ? `, its ${ordinal(times)} change` : "";
    const sure = typeof state.probability === "number" ? `, with a probability of ${share(state.probability)}` : "";
    return `${verb} ${name}${again}${sure}.`;
  }

  /** Alternatives as bars, including the drawn token; the whole width is a probability of 1. */
  #bars(state, end) {
    const list = element("ul", "bars");
    const rows = [...(state.alternatives ?? [])];
    if (!rows.some((row) => row.token === state.token)) rows.push(state);
    for (const row of rows) {
      const isDrawn = row.token === state.token;
      const item = element("li", isDrawn ? "drawn" : "");
      const bar = element("span", "bar");
      const fill = element("span", "fill");
      fill.style.width = `${Math.max(row.probability * 100, 0.5)}%`;
      bar.append(fill);
      item.append(element("span", "glyph", label(row, end)), bar, element("span", "share", share(row.probability)));
      if (isDrawn) item.append(element("span", "unseen", ", drawn"));
      list.append(item);
    }
    list.setAttribute("aria-label", "Alternatives");
    return list;
  }
}

const ordinal = (count) =>
  count + (["th", "st", "nd", "rd"][count % 100 > 10 && count % 100 < 14 ? 0 : count % 10] ?? "th");

function element(tag, name, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}
