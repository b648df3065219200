// The syntax of typed text: `___` is a hole about as wide as its underscores, `___…` one that takes all remaining
// room, and ∎ the end of the text. The server's notation, [[12]] for twelve tokens, [[*]] and [[end]], is accepted
// as well; \___, \[[ and \∎ are literal. Only the server decides what is invalid; the page marks it.

/** Marks that are not plain text: in typed text, and in a template of the server. */
const typed = /\\(?:_{3,}|\[\[|∎)|_{3,}(?:…|\.\.\.)?|\[\[|∎/g;
const served = /\\?\[\[/g;
const greatestHole = 1 << 24;

/** Underscores of the narrowest hole. */
export const narrowest = 3;

/**
 * Segments in the order of the source, which they cover without gaps.
 * @param {string} source
 * @param {RegExp} pattern `typed`, or `served` for a template of the server.
 * @returns {{kind: "text" | "blank" | "hole" | "fill" | "end" | "wrong", start: number, end: number, count: number, text: string}[]}
 *   a `blank` counts underscores, a `hole` tokens; `text` is the text that a segment stands for; ends are exclusive.
 */
export function parse(source, pattern = typed) {
  const segments = [];
  let textStart = 0;
  const add = (kind, start, end, count = 0, text = "") => segments.push({ kind, start, end, count, text });
  const textTo = (end) => {
    if (end > textStart) add("text", textStart, end, 0, source.slice(textStart, end).replace(pattern, (mark) => mark.replace("\\", "")));
  };
  const hole = (kind, start, end, count) => {
    textTo(start);
    add(kind, start, end, count);
    textStart = end;
  };
  // A separate expression, because its position is moved past each hole.
  const scanner = new RegExp(pattern);
  for (let found = scanner.exec(source); found; found = scanner.exec(source)) {
    const [mark] = found;
    const start = found.index;
    if (mark.startsWith("\\")) continue;
    if (mark.startsWith("_")) {
      const count = mark.length - mark.replace(/_+/, "").length;
      hole(count < mark.length ? "fill" : "blank", start, start + mark.length, count);
      continue;
    }
    if (mark === "∎") {
      hole("end", start, start + 1, 0);
      continue;
    }
    const close = source.indexOf("]]", start + 2);
    if (close < 0) {
      hole("wrong", start, source.length, 0);
      break;
    }
    const inside = source.slice(start + 2, close);
    const count = /^[0-9]{1,8}$/.test(inside) ? Number(inside) : 0;
    const kind = inside === "*" ? "fill" : inside === "end" ? "end" : count >= 1 && count <= greatestHole ? "hole" : "wrong";
    hole(kind, start, close + 2, count);
    scanner.lastIndex = close + 2;
  }
  textTo(source.length);
  return segments;
}

/** Escapes a text, so that it is read without holes. */
export const escaped = (text) => text.replace(/_{3,}|\[\[|∎/g, "\\$&");

/** Number of tokens of a hole of this many underscores. */
export const tokensOf = (underscores, charactersPerToken) => Math.max(1, Math.round(underscores / charactersPerToken));

/**
 * How a model cuts text into tokens, as far as holes are concerned.
 * @typedef {{charactersPerToken: number, takeBlank: boolean}} Pieces `takeBlank`: a word's token begins with the blank before it,
 *   so that the blank before a hole belongs to the hole.
 */

/** @returns {Pieces} from the server's description of its tokenizer. */
export const piecesOf = ({ kind, characters_per_token: charactersPerToken }) =>
  ({ charactersPerToken, takeBlank: !["byte", "characters"].includes(kind) });

/** Escapes a text for the server's template, where `\[` is a bracket, and `\\` before a bracket a backslash. */
const literal = (text, isBeforeHole) => {
  const doubled = (run) => run.replaceAll("\\", "\\\\");
  const brackets = text.replace(/\\*\[/g, (run, start) => {
    const end = start + run.length;
    const opens = end < text.length ? text[end] === "[" : isBeforeHole;
    return doubled(run.slice(0, -1)) + (opens ? "\\[" : "[");
  });
  return isBeforeHole ? brackets.replace(/\\+$/, doubled) : brackets;
};

/** Converts typed text to the server's template. */
export function toTemplate(source, { charactersPerToken, takeBlank }) {
  const segments = parse(source);
  const written = segments.map(({ kind, start, end, count, text }, index) => {
    const isTyped = segments[index + 1] && source[segments[index + 1].start] === "_";
    if (kind === "text") return literal(takeBlank && isTyped ? text.replace(/ $/, "") : text, index + 1 < segments.length);
    if (kind === "blank") return `[[${tokensOf(count, charactersPerToken)}]]`;
    return kind === "fill" ? "[[*]]" : kind === "end" ? "[[end]]" : source.slice(start, end);
  });
  return written.join("");
}

/** The widest hole that is written with underscores; longer ones are easier to read as a number. */
const widest = 480;

/** Converts a template of the server to typed text: holes become underscores wherever that means the same. */
export function fromTemplate(template, { charactersPerToken, takeBlank }) {
  let before = "";
  for (const { kind, start, end, count, text } of parse(template, served)) {
    if (kind === "text") {
      before += escaped(text);
      continue;
    }
    if (kind === "end") {
      before += "∎";
      continue;
    }
    const underscores = Math.max(narrowest, Math.round(count * charactersPerToken));
    const isSame = kind === "fill" || (kind === "hole" && underscores <= widest && tokensOf(underscores, charactersPerToken) === count);
    // Underscores include the blank before them; if that blank is given text, the hole keeps the server's notation.
    if (!isSame || (takeBlank && before.endsWith(" "))) before += template.slice(start, end);
    else before += (takeBlank && /[\p{L}\p{N}.,;:!?’”)]$/u.test(before) ? " " : "") + (kind === "fill" ? "___…" : "_".repeat(underscores));
  }
  return before;
}

/**
 * The edit that turns a selection into a hole as wide as its text.
 *
 * A selection that overlaps a hole includes all of it; blanks at its ends stay, because they belong to the surrounding words.
 * @returns {{start: number, end: number, insert: string} | null} null if nothing is selected.
 */
export function freeing(source, start, end, charactersPerToken) {
  const segments = parse(source).filter((segment) => segment.end > start && segment.start < end);
  for (const segment of segments) {
    if (segment.kind === "text") continue;
    start = Math.min(start, segment.start);
    end = Math.max(end, segment.end);
  }
  const selected = source.slice(start, end);
  if (selected.trim()) {
    start += selected.length - selected.trimStart().length;
    end -= selected.length - selected.trimEnd().length;
  }
  if (start >= end) return null;
  if (segments.some(({ kind }) => kind === "fill")) return { start, end, insert: "___…" };
  const widths = segments.map((segment) => {
    if (segment.kind === "blank") return segment.count;
    if (segment.kind === "hole") return Math.round(segment.count * charactersPerToken);
    return Math.min(end, segment.end) - Math.max(start, segment.start);
  });
  const width = widths.reduce((sum, each) => sum + each, 0);
  return { start, end, insert: "_".repeat(Math.max(width, narrowest)) };
}
