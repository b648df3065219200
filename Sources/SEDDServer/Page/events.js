// Server-sent events from a fetched body. EventSource cannot POST, so the format is parsed here: lines, fields, and an
// empty line that ends an event; comments start with a colon. Network chunks may end anywhere, even within a character.

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<{name: string, data: string}>}
 */
export async function* readEvents(body) {
  const reader = body.getReader();
  const parser = new EventParser();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      yield* parser.push(done ? decoder.decode() : decoder.decode(value, { stream: true }));
      if (done) return;
    }
  } finally {
    // Also reached if the caller stops early: the connection is then closed, which cancels the request.
    reader.cancel().catch(() => {});
  }
}

/** Parses text that arrives in chunks. As in browsers, an event that no empty line ends is dropped. */
export class EventParser {
  #line = [];
  #name = "";
  #data = [];
  #afterReturn = false;

  *push(text) {
    let start = 0;
    for (let i = 0; i < text.length; i += 1) {
      const character = text.charCodeAt(i);
      if (character !== 10 && character !== 13) continue;
      // CR LF ends one line, even if a chunk ends between the two.
      const isSecondHalf = character === 10 && this.#afterReturn && i === start && this.#line.length === 0;
      this.#afterReturn = character === 13;
      if (!isSecondHalf) {
        this.#line.push(text.slice(start, i));
        const event = this.#endLine(this.#line.join(""));
        this.#line = [];
        if (event) yield event;
      }
      start = i + 1;
    }
    if (start < text.length) {
      this.#line.push(text.slice(start));
      this.#afterReturn = false;
    }
  }

  #endLine(line) {
    if (line === "") {
      const event = this.#data.length > 0 ? { name: this.#name || "message", data: this.#data.join("\n") } : null;
      this.#name = "";
      this.#data = [];
      return event;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
    return null;
  }
}
