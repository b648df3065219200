// The reading view: the text with its playback, and the details of the selected position.

import { Inspector } from "./inspector.js";
import { PositionPicker } from "./picker.js";
import { Player } from "./player.js";
import { TextView } from "./textview.js";
import { Transport } from "./transport.js";

const $ = (id) => document.getElementById(id);

export class Stage {
  view = new TextView($("text"));
  player = new Player(this.view, () => this.#showState());
  #transport = new Transport(this.player);
  #inspector = new Inspector($("inspector"), () => this.#picker.let());
  #picker = new PositionPicker($("text"), this.view, (position, byKey, stays) => this.#look(position, byKey, stays));

  /** Makes room for a run that is about to be shown. */
  enter() {
    const hadFocus = document.activeElement === $("template");
    document.body.classList.remove("editing");
    $("text").hidden = false;
    // The field is hidden now, and the focus would be lost with it.
    if (hadFocus) $(document.body.classList.contains("running") ? "stop" : "run").focus();
  }

  /** Switches to the editor. */
  leave() {
    if (this.player.mode !== "paused") this.player.toggle();
    this.release();
    document.body.classList.add("editing");
    $("text").hidden = true;
  }

  /** A new run: nothing is selected. */
  reset() {
    this.#picker.reset();
    this.#transport.refresh();
  }

  /** Clears the selected position. */
  release() {
    if (this.player.trajectory) this.#picker.let();
  }

  /** The text at the displayed step. */
  get text() {
    const { trajectory, isAtEnd } = this.player;
    return (isAtEnd ? trajectory.result?.text : null) ?? this.view.text;
  }

  #showState() {
    this.#transport.refresh();
    if (this.#picker.position !== null) this.#inspect(this.#picker.position);
  }

  #look(position, byKey, stays) {
    this.#inspect(position);
    if (position === null || !this.player.trajectory) return;
    if (byKey) $("spoken").textContent = this.#inspector.sentence(this.player.trajectory, position, this.player.step);
    // Not for a passing pointer: the text would move away from under it.
    if (stays) this.#uncover(position);
  }

  #inspect(position) {
    const { trajectory, step } = this.player;
    // The pointer may still rest where a longer text was.
    if (position === null || !trajectory || position >= trajectory.length) this.#inspector.clear();
    else this.#inspector.show(trajectory, this.view.group(position), step, this.view.textOf(position));
    document.body.classList.toggle("inspecting", $("inspector").childElementCount > 0);
  }

  /** In a small window the panel is at the bottom: the touched letter is scrolled above it. */
  #uncover(position) {
    if (getComputedStyle($("inspector")).position !== "fixed") return;
    const hidden = this.view.span(position).getBoundingClientRect().bottom + 12 - $("inspector").getBoundingClientRect().top;
    if (hidden > 0) scrollBy({ top: hidden, behavior: "instant" });
  }
}
