// One run from its first event to its last, recorded into a trajectory that a player shows.

import { infill } from "./service.js";
import { Trajectory } from "./trajectory.js";

/** Number of alternatives to request. */
const alternatives = 8;

/** Milliseconds to wait for the result before a run is shown live; with the result it has its final layout from the start. */
const usualPatience = 700;

/**
 * Runs a request to its end.
 * @param {object} request see {@link infill}.
 * @param {(trajectory: Trajectory) => void} onStart see {@link follow}.
 */
export const record = (request, signal, player, onStart) =>
  follow(infill({ ...request, alternatives }, signal), player, onStart, usualPatience);

/**
 * Records the events of a run.
 * @param {import("./player.js").Player} player receives the trajectory when it is complete or patience is over.
 * @param {(trajectory: Trajectory) => boolean | void} onStart receives it before it is shown; returning false prevents that.
 * @param {number} patience milliseconds.
 * @returns {Promise<object>} the `done` event.
 */
export async function follow(events, player, onStart, patience) {
  let trajectory = null;
  let timer = 0;
  let isShown = false;
  const show = () => {
    clearTimeout(timer);
    if (!trajectory || isShown) return;
    isShown = onStart(trajectory) !== false;
    if (isShown) player.load(trajectory);
  };
  try {
    for await (const { name, data } of events) {
      if (name === "start") {
        trajectory = new Trajectory(data);
        timer = setTimeout(show, patience);
      } else if (name === "step") {
        trajectory.append(data);
        if (isShown) player.grown();
      } else if (name === "done") {
        trajectory.finish(data);
        return data;
      }
    }
  } finally {
    // The text written so far remains visible, even if the run was stopped or interrupted.
    show();
    if (isShown) player.ended();
  }
}
