// Tokens that are pieces of a character: neighbours that form one are joined.

const decoder = new TextDecoder("utf-8", { fatal: true });
/** Represents an incomplete character, a faint mark on the page. */
export const awaited = "\u25CC";

const isPiece = (state) => state.text === null && Array.isArray(state.bytes);

/**
 * The text of positions, pieces of one character joined.
 * @param {(position: number) => object} stateAt
 * @param {Set<number>} wanted only groups that touch these positions; all of them unless given.
 * @returns {{first: number, last: number, text: string}[]} in order.
 */
export function group(length, stateAt, wanted = null) {
  const groups = [];
  const done = new Set();
  for (const position of wanted ?? Array(length).keys()) {
    if (done.has(position)) continue;
    const run = runAround(position, length, stateAt);
    const found = run ? join(run, stateAt) : [{ first: position, last: position, text: stateAt(position).text ?? "" }];
    for (const each of found) {
      for (let at = each.first; at <= each.last; at += 1) done.add(at);
      groups.push(each);
    }
  }
  return groups;
}

/** The first and last position of the series of pieces around a position, or null if it does not hold a piece. */
function runAround(position, length, stateAt) {
  if (!isPiece(stateAt(position))) return null;
  let first = position;
  let last = position;
  while (first > 0 && isPiece(stateAt(first - 1))) first -= 1;
  while (last < length - 1 && isPiece(stateAt(last + 1))) last += 1;
  return { first, last };
}

/**
 * Groups of neighbouring positions that form one text.
 * @returns {{first: number, last: number, text: string}[]} in order, covering the run.
 */
function join({ first, last }, stateAt) {
  const bytes = [];
  const owner = [];
  for (let position = first; position <= last; position += 1) {
    for (const byte of stateAt(position).bytes) {
      bytes.push(byte);
      owner.push(position);
    }
  }
  const groups = [];
  const add = (from, to, text) => {
    const group = groups.at(-1);
    // A token may end one character and begin the next; both then belong to one group.
    if (group && group.last >= owner[from]) {
      group.last = owner[to];
      group.text += text;
    } else groups.push({ first: owner[from], last: owner[to], text });
  };
  for (let at = 0; at < bytes.length;) {
    const size = sizeOf(bytes[at]);
    const text = size && at + size <= bytes.length ? decode(bytes.slice(at, at + size)) : null;
    if (text !== null) {
      add(at, at + size - 1, text);
      at += size;
      continue;
    }
    // A valid start that is cut short counts as one error, as in every UTF-8 decoder.
    const end = at + begunSize(bytes.slice(at, at + Math.max(size, 1)));
    add(at, end - 1, awaited);
    at = end;
  }
  return groups;
}

/** Length of the character that a byte begins; 0 if it cannot begin one. */
function sizeOf(byte) {
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
}

/** How many of the bytes are a valid start of a character; at least 1. */
function begunSize(bytes) {
  for (let size = bytes.length; size > 1; size -= 1) {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes.slice(0, size)), { stream: true });
      return size;
    } catch {
      // That many are not a valid start.
    }
  }
  return 1;
}

function decode(bytes) {
  try {
    return decoder.decode(new Uint8Array(bytes));
  } catch {
    return null;
  }
}
