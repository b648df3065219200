// The buttons below the text, which make a hole or change the one at the caret, and the meter of the room that the holes take.

const $ = (id) => document.getElementById(id);

export class HoleTools {
  #editor;
  #say;
  #step = 4;

  /** @param {(text: string) => void} say reports what a button has done. */
  constructor(editor, say) {
    this.#editor = editor;
    this.#say = say;
    $("free").addEventListener("click", () => this.free());
    $("narrower").addEventListener("click", () => this.#resize(-this.#step));
    $("wider").addEventListener("click", () => this.#resize(this.#step));
    $("endless").addEventListener("click", () => this.#with((hole) => editor.toggleEndless(hole)));
    $("fill-up").addEventListener("click", () => this.#with((hole) => {
      editor.remove(hole);
      say("The hole is gone.");
    }));
    // The buttons act on the selection of the text, which a press would clear on some phones.
    for (const id of ["free", "hole-size"]) $(id).addEventListener("pointerdown", (event) => event.preventDefault());
  }

  free() {
    this.#say(this.#editor.free());
  }

  /**
   * @param {number | null} room positions of the whole text, if known.
   * @param {boolean} isChosen whether the length was chosen by the user or an example.
   */
  refresh(room, isChosen) {
    const hole = this.#editor.current;
    const hasSize = hole?.kind === "blank" || hole?.kind === "hole";
    $("free").textContent = this.#editor.hasSelection ? "Make this a hole" : "Make a hole";
    $("hole-size").hidden = !(hasSize || hole?.kind === "fill");
    for (const id of ["narrower", "wider"]) $(id).hidden = !hasSize;
    $("endless").setAttribute("aria-pressed", String(hole?.kind === "fill"));
    if (hasSize) $("hole-says").textContent = letters(this.#editor.widthOf(hole));
    else $("hole-says").textContent = hole?.kind === "fill" ? "This hole takes the room that is left." : "";
    $("meter").textContent = this.#sum(room, isChosen);
  }

  #sum(room, isChosen) {
    const { segments, charactersPerToken } = this.#editor;
    if (segments.some(({ kind }) => kind === "wrong")) return "A hole is ___, ___…, [[12]] or [[*]]; \\[[ is a literal [[.";
    const holes = segments.filter(({ kind }) => kind !== "text" && kind !== "end");
    const text = segments.reduce((sum, { kind, text }) => sum + (kind === "text" ? text.length / charactersPerToken : 0), 0);
    const sized = holes.reduce((sum, hole) => sum + (hole.kind === "fill" ? 0 : this.#editor.tokensOf(hole)), 0);
    const own = Math.ceil(text) + sized;
    if (room !== null && own > room) {
      return isChosen ? `This is longer than the length of ${room} tokens.` : `This is longer than the model’s ${room} tokens.`;
    }
    const isOpen = room !== null && (isChosen || holes.length === 0 || holes.some(({ kind }) => kind === "fill"));
    const free = isOpen ? room - Math.ceil(text) : sized;
    if (holes.length === 0) return isOpen ? "No hole yet: the model goes on behind the text." : "No hole yet.";
    return `${holes.length === 1 ? "One hole" : `${holes.length} holes`}, room for ${letters(Math.round(free * charactersPerToken))}.`;
  }

  #with(action) {
    const hole = this.#editor.current;
    if (hole) action(hole);
  }

  #resize(by) {
    this.#with((hole) => this.#editor.resize(hole.index, this.#editor.widthOf(hole) + by));
  }
}

const letters = (count) => (count < 40 ? `about ${count} letters` : `about ${Math.round(count / 5.5)} words`);
