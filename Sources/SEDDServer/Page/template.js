// Templates as the page sees them: where holes stand in the source, and the two edits that make holes. The grammar is the
// server's: [[12]] twelve free tokens, [[*]] whatever fills the length, \[[ a literal [[. The server alone decides what is
// wrong; the page only marks it.

const greatestHole = 1 << 24;

/**
 * Segments in the order of the source, which they cover without gaps.
 * @param {string} source
 * @returns {{kind: "text" | "hole" | "fill" | "wrong", start: number, end: number, count: number, text: string}[]}
 *   `count` is that of a hole, `text` what a stretch of text says once `\[[` is read as `[[`; ends are exclusive.
 */
export function parse(source) {
  const segments = [];
  let textStart = 0;
  const add = (kind, start, end, count = 0, text = "") => segments.push({ kind, start, end, count, text });
  const endText = (end) => {
    if (end > textStart) add("text", textStart, end, 0, source.slice(textStart, end).replaceAll("\\[[", "[["));
  };
  let at = 0;
  for (;;) {
    const open = source.indexOf("[[", at);
    if (open < 0) break;
    if (open > at && source[open - 1] === "\\") {
      at = open + 2;
      continue;
    }
    endText(open);
    const close = source.indexOf("]]", open + 2);
    if (close < 0) {
      add("wrong", open, source.length);
      return segments;
    }
    const inside = source.slice(open + 2, close);
    at = textStart = close + 2;
    const count = /^[0-9]{1,8}$/.test(inside) ? Number(inside) : 0;
    if (inside === "*") add("fill", open, at);
    else if (count >= 1 && count <= greatestHole) add("hole", open, at, count);
    else add("wrong", open, at);
  }
  endText(source.length);
  return segments;
}

/** A text as a template without holes. */
export const escaped = (text) => text.replaceAll("[[", "\\[[");

/** What stands in the source: tokens given, tokens free, whether `[[*]]` is among the holes, whether any is malformed. */
export function summary(segments, tokensOf) {
  const total = { given: 0, free: 0, fills: 0, wrong: 0 };
  for (const segment of segments) {
    if (segment.kind === "text") total.given += tokensOf(segment.text);
    else if (segment.kind === "hole") total.free += segment.count;
    else if (segment.kind === "fill") total.fills += 1;
    else total.wrong += 1;
  }
  return total;
}

/**
 * The edit that frees a selection: its text becomes one hole of as many tokens.
 *
 * A selection that cuts into a hole takes all of it; blanks at its ends stay, since they belong to the words around.
 * @returns {{start: number, end: number, insert: string} | null} null where nothing is selected.
 */
export function freeing(source, start, end, tokensOf) {
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
  let count = 0;
  let fills = false;
  for (const segment of segments) {
    if (segment.kind === "hole") count += segment.count;
    else if (segment.kind === "fill") fills = true;
    else {
      const text = source.slice(Math.max(start, segment.start), Math.min(end, segment.end));
      count += tokensOf(text.replaceAll("\\[[", "[["));
    }
  }
  return { start, end, insert: fills ? "[[*]]" : `[[${Math.max(count, 1)}]]` };
}
