// How many tokens a text takes, learnt from what the server tells of positions: no tokenizer runs in the page.

const utf8 = new TextEncoder();

/** The size of texts in tokens: exact for models over bytes or characters, an average for models over longer pieces. */
export class TokenSize {
  /** "byte", "character", "piece", or null until something has been learnt. */
  kind = null;
  /** Characters a token, where tokens are longer pieces. */
  charactersPerToken = 4;

  /** Learns from the `start` event of a stream, whose fixed positions show how a known text was cut. */
  learn(start) {
    const fixed = start.positions.filter((position) => position.fixed);
    const characters = fixed.map((position) => (position.text === null ? 0 : [...position.text].length));
    // Nothing is longer than a character, and there are 256 tokens or pieces of a single byte: the tokens are bytes.
    const short = characters.every((count) => count <= 1);
    const bytes = start.mask === 256 || fixed.some((position) => position.bytes?.length === 1);
    if (short && bytes) this.kind = "byte";
    else if (fixed.length > 7 && short) this.kind = "character";
    else if (fixed.length > 7) {
      this.kind = "piece";
      this.charactersPerToken = Math.max(characters.reduce((sum, count) => sum + count, 0) / fixed.length, 1);
    }
  }

  /** Tokens that a text takes, as far as is known. */
  of = (text) => {
    if (this.kind === "byte") return text.length < 1 << 16 ? utf8.encode(text).length : byteLength(text);
    let characters = 0;
    for (const _ of text) characters += 1;
    return this.kind === "piece" ? Math.ceil(characters / this.charactersPerToken) : characters;
  };
}

/** Length in UTF-8 without a copy of a long text. */
function byteLength(text) {
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair stands for two of the four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return bytes;
}
