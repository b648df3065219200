// The same prompt and seed with three numbers of steps, side by side. The runs take turns, so that none slows another down and
// their times are comparable; afterwards one slider moves all three through the same noise levels.

import { Player } from "./player.js";
import { record } from "./recording.js";
import { TextView } from "./textview.js";

const stepCounts = [8, 32, 128];
const replaySeconds = 4;

export class Comparison {
  #root;
  #columns = [];
  #slider;
  #charactersPerToken = 1;

  set charactersPerToken(value) {
    this.#charactersPerToken = value;
    for (const column of this.#columns) column.charactersPerToken = value;
  }

  constructor(root, slider, replay) {
    this.#root = root;
    this.offer(Infinity);
    this.#slider = slider;
    slider.addEventListener("input", () => {
      const share = slider.valueAsNumber / Number(slider.max);
      slider.setAttribute("aria-valuetext", `${Math.round(share * 100)} % of the way`);
      for (const column of this.#columns) column.seek(share);
    });
    replay.addEventListener("click", () => {
      for (const column of this.#columns) column.replay();
    });
  }

  /**
   * Makes the columns, one for each number of steps up to `limit`.
   * @returns {number[]} the numbers of steps.
   */
  offer(limit) {
    const counts = [...new Set(stepCounts.map((steps) => Math.min(steps, limit)))];
    this.#columns = counts.map((steps) => new Column(steps));
    this.#root.replaceChildren(...this.#columns.map((column) => column.root));
    this.charactersPerToken = this.#charactersPerToken;
    return counts;
  }

  /** @param {object} request with a seed, shared by the three runs. */
  async run(request, signal, onStart) {
    for (const column of this.#columns) column.reset("Waiting");
    this.#slider.value = this.#slider.max;
    for (const column of this.#columns) {
      try {
        await column.run({ ...request, steps: column.steps }, signal, onStart);
      } catch (error) {
        for (const other of this.#columns) other.giveUp(error.name === "AbortError" ? "Stopped" : "Failed");
        throw error;
      }
    }
  }
}

class Column {
  #text = document.createElement("div");
  #note = document.createElement("p");
  #view = new TextView(this.#text);
  #player;
  #isDone = false;

  set charactersPerToken(value) {
    this.#view.charactersPerToken = value;
  }

  constructor(steps) {
    this.steps = steps;
    this.root = document.createElement("article");
    const heading = document.createElement("h2");
    heading.textContent = `${steps} steps`;
    this.#text.className = "text";
    this.#text.dir = "auto";
    this.#note.className = "note";
    this.root.append(heading, this.#note, this.#text);
    this.#player = new Player(this.#view, () => this.#describe());
  }

  reset(note) {
    this.#isDone = false;
    this.#player.clear();
    this.#note.textContent = note;
  }

  giveUp(note) {
    if (!this.#isDone) this.#note.textContent = note;
    this.#isDone = true;
  }

  async run(request, signal, onStart) {
    const result = await record(request, signal, this.#player, onStart);
    this.#isDone = true;
    const evaluations = result.networkEvaluations;
    this.#note.textContent = `${seconds(result.seconds)} · ${evaluations} evaluation${evaluations === 1 ? "" : "s"}`;
  }

  /** Shows all three at the same fraction of the way from noise to text. */
  seek(share) {
    if (this.#player.trajectory) this.#player.seek(Math.round(share * this.#player.trajectory.total));
  }

  replay() {
    if (!this.#player.trajectory) return;
    this.#player.speed = this.#player.trajectory.total / replaySeconds;
    this.#player.replay();
  }

  #describe() {
    if (!this.#isDone) this.#note.textContent = `Step ${Math.min(this.#player.step, this.steps)} of ${this.steps}`;
  }
}

export const seconds = (value) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(value < 10 ? 2 : 1)} s`);
