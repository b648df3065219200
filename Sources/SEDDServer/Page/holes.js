// The syntax of typed text: `___` is a hole about as wide as its underscores, `___…` one that takes all remaining
// room, and ∎ the end of the text. The server's notation, [[12]] for twelve tokens, [[*]] and [[end]], is accepted
// as well. Only before such a mark, or a bracket, a backslash is an escape: \___, \[ and \∎ are literal, and \\ is a
// backslash, as in the server's templates. Only the server decides what is invalid; the page marks it.

/** Marks that are not plain text, each with the backslashes before it: in typed text, and in a template of the server. */
const typed = /(\\*)(_{3,}(?:…|\.\.\.)?|\[\[?|∎)/g;
const served = /(\\*)(\[\[?)/g;
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
  let [start, place, text] = [0, 0, ""];
  const endText = () => {
    if (place > start) segments.push({ kind: "text", start, end: place, count: 0, text });
    [start, text] = [place, ""];
  };
  // A separate expression, because its position is moved past each mark.
  const scanner = new RegExp(pattern);
  const hole = (kind, end, count = 0) => {
    endText();
    segments.push({ kind, start: place, end, count, text: "" });
    start = place = scanner.lastIndex = end;
  };
  for (let found = scanner.exec(source); found; found = scanner.exec(source)) {
    const [, escapes, mark] = found;
    text += source.slice(place, found.index) + "\\".repeat(escapes.length >> 1);
    place = found.index + escapes.length;
    if (escapes.length % 2 === 1 || mark === "[") {
      // Of two brackets an escape concerns the first.
      const plain = mark === "[[" ? "[" : mark;
      text += plain;
      place = scanner.lastIndex = place + plain.length;
    } else if (mark.startsWith("_")) {
      const count = mark.length - mark.replace(/_+/, "").length;
      hole(count < mark.length ? "fill" : "blank", place + mark.length, count);
    } else if (mark === "∎") hole("end", place + 1);
    else {
      const close = source.indexOf("]]", place + 2);
      if (close < 0) {
        hole("wrong", source.length);
        break;
      }
      const inside = source.slice(place + 2, close);
      const count = /^[0-9]{1,8}$/.test(inside) ? Number(inside) : 0;
      const kind = inside === "*" ? "fill" : inside === "end" ? "end" : count >= 1 && count <= greatestHole ? "hole" : "wrong";
      hole(kind, close + 2, count);
    }
  }
  text += source.slice(place);
  place = source.length;
  endText();
  return segments;
}

/**
 * Escapes brackets and backslashes, so that they do not make a hole or an escape.
 * @param {string} next the mark that follows; empty at the end.
 */
const literal = (text, next) => {
  const doubled = (run) => run.replaceAll("\\", "\\\\");
  const brackets = text.replace(/\\*\[/g, (run, start) => {
    const opens = (text[start + run.length] ?? next[0]) === "[";
    return doubled(run.slice(0, -1)) + (opens ? "\\[" : "[");
  });
  return next ? brackets.replace(/\\+$/, doubled) : brackets;
};

/** Escapes a text, so that as typed text, before the mark `next`, it is read without holes. */
export const escaped = (text, next = "") =>
  literal(text, next).replace(/(\\*)(_{3,}|∎)/g, (_, run, mark) => `${run}${run}\\${mark}`);

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

/** Converts typed text to the server's template. */
export function toTemplate(source, { charactersPerToken, takeBlank }) {
  const segments = parse(source);
  const written = segments.map(({ kind, start, end, count, text }, index) => {
    const isTyped = segments[index + 1] && source[segments[index + 1].start] === "_";
    if (kind === "text") return literal(takeBlank && isTyped ? text.replace(/ $/, "") : text, index + 1 < segments.length ? "[[" : "");
    if (kind === "blank") return `[[${tokensOf(count, charactersPerToken)}]]`;
    return kind === "fill" ? "[[*]]" : kind === "end" ? "[[end]]" : source.slice(start, end);
  });
  return written.join("");
}

/** The widest hole that is written with underscores; longer ones are easier to read as a number. */
const widest = 480;

/** Converts a template of the server to typed text: holes become underscores wherever that means the same. */
export function fromTemplate(template, { charactersPerToken, takeBlank }) {
  const segments = parse(template, served);
  const marks = [];
  for (const [index, { kind, start, end, count }] of segments.entries()) {
    const [before, after] = [marks[index - 1] ?? segments[index - 1]?.text ?? "", segments[index + 1]?.text ?? ""];
    const underscores = Math.max(narrowest, Math.round(count * charactersPerToken));
    const isSame = kind === "fill" || (kind === "hole" && underscores <= widest && tokensOf(underscores, charactersPerToken) === count);
    // Underscores run into others, and turn dots after them into their own.
    const runsOn = before.endsWith("_") || (kind === "hole" && /^(_|…|\.\.\.)/.test(after));
    // Underscores include the blank before them; if that blank is given text, the hole keeps the server's notation.
    if (kind === "text") marks.push(null);
    else if (kind === "end") marks.push("∎");
    else if (!isSame || runsOn || (takeBlank && before.endsWith(" "))) marks.push(template.slice(start, end));
    else marks.push((takeBlank && /[\p{L}\p{N}.,;:!?’”)]$/u.test(before) ? " " : "") + (kind === "fill" ? "___…" : "_".repeat(underscores)));
  }
  return segments.map(({ text }, index) => marks[index] ?? escaped(text, marks[index + 1] ?? "")).join("");
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
