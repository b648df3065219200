// The controls of playback: pause and replay, single steps, the slider over the whole trajectory, the speed.

export class Transport {
  #player;
  #play = document.getElementById("play");
  #back = document.getElementById("back");
  #forward = document.getElementById("forward");
  #slider = document.getElementById("scrubber");
  #clock = document.getElementById("clock");
  #speed = document.getElementById("speed");

  constructor(player) {
    this.#player = player;
    this.#play.addEventListener("click", () => player.toggle());
    this.#back.addEventListener("click", () => player.seek(player.step - 1));
    this.#forward.addEventListener("click", () => player.seek(player.step + 1));
    // The slider spans the whole run; steps not yet recorded cannot be reached.
    this.#slider.addEventListener("input", () => player.seek(this.#slider.valueAsNumber));
    this.#speed.addEventListener("change", () => (player.speed = Number(this.#speed.value)));
    player.speed = Number(this.#speed.value);
    document.getElementById("text").addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      player.toggle();
    });
  }

  refresh() {
    const { trajectory, step, mode, isAtEnd } = this.#player;
    if (!trajectory) return;
    const name = mode !== "paused" ? "Pause" : isAtEnd && !this.#player.isGrowing ? "Replay" : "Play";
    if (this.#play.dataset.does !== name) {
      this.#play.dataset.does = name;
      this.#play.querySelector(".name").textContent = name;
    }
    this.#play.disabled = false;
    this.#back.disabled = step === 0;
    this.#forward.disabled = step >= trajectory.recorded;
    this.#slider.max = trajectory.total;
    this.#slider.value = step;
    this.#slider.style.setProperty("--share", `${(100 * step) / trajectory.total}%`);
    const where = this.#where(trajectory, step);
    this.#clock.textContent = where;
    this.#slider.setAttribute("aria-valuetext", where);
  }

  #where(trajectory, step) {
    const { steps } = trajectory.start;
    const ofGrid = step > steps ? "Last step" : `Step ${step} of ${steps}`;
    const place = trajectory.total === steps + 1 ? ofGrid : `Step ${step}${trajectory.isFinished ? ` of ${trajectory.total}` : ""}`;
    const { open } = trajectory.step(step);
    return open ? `${place} · ${open} open` : place;
  }
}
