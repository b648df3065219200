// Moves a view through a recorded run: live at its growing end, paused, or replayed at a chosen speed. The stream is
// recorded whatever the player does. At most one update a frame, however many events came since the last.

export class Player {
  #view;
  #onShow;
  #trajectory = null;
  #isGrowing = false;
  #frame = 0;
  #calming = 0;
  /** Where and when a replay began: its step and its time in milliseconds. */
  #origin = { step: 0, at: 0 };
  /** "live", "replay" or "paused". */
  mode = "paused";
  #speed = 30;

  /** @param onShow is called after each update, and where the mode changes. */
  constructor(view, onShow) {
    this.#view = view;
    this.#onShow = onShow;
  }

  get trajectory() {
    return this.#trajectory;
  }

  get step() {
    return this.#view.shown;
  }

  /** Whether more steps may come. */
  get isGrowing() {
    return this.#isGrowing;
  }

  get isAtEnd() {
    return this.#trajectory !== null && this.step === this.#trajectory.recorded;
  }

  /** Steps a second of a replay. */
  set speed(value) {
    this.#speed = value;
    this.#origin = { step: this.step, at: performance.now() };
  }

  /** Follows a run that has just begun. */
  load(trajectory) {
    this.#trajectory = trajectory;
    this.#isGrowing = true;
    this.#view.load(trajectory);
    this.#enter("live");
  }

  /** Forgets the run. */
  clear() {
    this.#trajectory = null;
    this.#isGrowing = false;
    this.mode = "paused";
    clearTimeout(this.#calming);
  }

  /** The trajectory has a step more. */
  grown() {
    if (this.mode !== "paused") this.#request();
  }

  /** No more steps will come: the run is complete, stopped or broken off. */
  ended() {
    if (!this.#trajectory) return;
    this.#isGrowing = false;
    if (!this.#trajectory.isAbsorbing) this.#view.refresh();
    this.grown();
    this.#onShow();
  }

  toggle() {
    if (!this.#trajectory) return;
    if (this.mode !== "paused") return this.#enter("paused");
    if (this.isAtEnd && !this.#isGrowing) this.#view.show(0);
    this.#enter(this.isAtEnd ? "live" : "replay");
  }

  replay() {
    if (!this.#trajectory) return;
    this.#view.show(0);
    this.#enter("replay");
  }

  /** Goes to a step and stays there. */
  seek(step) {
    if (!this.#trajectory) return;
    this.#view.show(Math.min(Math.max(step, 0), this.#trajectory.recorded));
    this.#enter("paused");
  }

  #enter(mode) {
    this.mode = mode;
    clearTimeout(this.#calming);
    this.#origin = { step: this.step, at: performance.now() };
    if (mode !== "paused") this.#request();
    this.#onShow();
  }

  #request() {
    if (!this.#frame) this.#frame = requestAnimationFrame((now) => this.#update(now));
  }

  #update(now) {
    this.#frame = 0;
    if (this.mode === "paused" || !this.#trajectory) return;
    const { recorded } = this.#trajectory;
    let target = recorded;
    if (this.mode === "replay") {
      const passed = Math.floor((Math.max(now - this.#origin.at, 0) * this.#speed) / 1000);
      target = Math.min(Math.max(this.#origin.step + passed, this.step), recorded);
    }
    if (target !== this.step) this.#view.show(target, true);
    if (target === recorded && !this.#isGrowing) return this.#end();
    if (target === recorded) this.mode = "live";
    if (this.mode === "replay") this.#request();
    this.#onShow();
  }

  #end() {
    this.#enter("paused");
    // The last changes show for a moment, then the text is left in peace.
    this.#calming = setTimeout(() => this.#view.calm(), 500);
  }
}
