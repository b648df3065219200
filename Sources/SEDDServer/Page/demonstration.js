// The run shown on arrival: generated once by the served model and kept by the server (GET v1/demonstration). It loops
// until the reader types, runs something or uses the controls. With reduced motion its result is shown, and plays on
// request.

import { follow } from "./recording.js";
import { demonstration } from "./service.js";

/** From the first hole to the whole text. */
const seconds = 7;
/** How long the complete text is shown before the loop restarts. */
const rest = 4000;
/** A stored run arrives at once; a run still being generated is shown live after this time. */
const patience = 1500;

const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Demonstration {
  #player;
  #controller = null;
  #timer = 0;
  /** Whether the page shows it. */
  isShown = false;

  constructor(player) {
    this.#player = player;
  }

  /**
   * Plays the run once it has arrived. The first visitor sees it as the model generates it.
   * @param {(trajectory: import("./trajectory.js").Trajectory) => void} onStart
   */
  async show(onStart) {
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    const player = this.#player;
    await follow(demonstration(signal), player, (trajectory) => {
      if (signal.aborted) return false;
      this.isShown = true;
      onStart(trajectory);
      player.speed = trajectory.total / seconds;
      return true;
    }, patience);
    if (this.isShown && isStill()) player.seek(player.trajectory.recorded);
  }

  /** Playback has ended: restarts it after a pause. */
  rested() {
    if (!this.isShown || isStill()) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.isShown && this.#player.replay(), rest);
  }

  /** Stops the playback: the reader takes over. */
  end() {
    this.isShown = false;
    clearTimeout(this.#timer);
    this.#controller?.abort();
  }
}
