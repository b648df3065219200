// The run that newcomers see: written by the model that is served, once, and kept by the server (GET v1/demonstration). It plays
// again and again until somebody types, runs something or takes the controls. Where the system asks for little motion its result
// stands there, and plays when told to.

import { follow } from "./recording.js";
import { demonstration } from "./service.js";

/** From the first hole to the whole text. */
const seconds = 7;
/** How long the whole text stands before it begins anew. */
const rest = 4000;
/** What is kept arrives at once; a run that is still being written may take so long before it is shown as it comes. */
const patience = 1500;

const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Demonstration {
  #player;
  #controller = null;
  #timer = 0;
  /** Whether it is what the page shows. */
  isShown = false;

  constructor(player) {
    this.#player = player;
  }

  /**
   * Plays the run once it is there. Whoever comes first sees it as the model writes it.
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

  /** The end of playback: after a while it begins anew. */
  rested() {
    if (!this.isShown || isStill()) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.isShown && this.#player.replay(), rest);
  }

  /** Somebody takes over. */
  end() {
    this.isShown = false;
    clearTimeout(this.#timer);
    this.#controller?.abort();
  }
}
