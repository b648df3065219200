// One run from request to result, recorded into a trajectory that a player shows.

import { infill } from "./service.js";
import { Trajectory } from "./trajectory.js";

/** Tokens beside the drawn one that are asked for. */
export const alternatives = 8;

/**
 * Runs a request to its end.
 * @param {import("./player.js").Player} player is given the trajectory as soon as it begins.
 * @param {(start: object) => void} onStart learns the seed, the length and the positions.
 * @returns {Promise<object>} the `done` event.
 */
export async function record(request, signal, player, onStart) {
  let trajectory = null;
  try {
    for await (const { name, data } of infill({ ...request, alternatives }, signal)) {
      if (name === "start") {
        trajectory = new Trajectory(data);
        player.load(trajectory);
        onStart(data);
      } else if (name === "step") {
        trajectory.append(data);
        player.grown();
      } else if (name === "done") {
        trajectory.finish(data);
        return data;
      }
    }
  } finally {
    if (trajectory) player.ended();
  }
}
