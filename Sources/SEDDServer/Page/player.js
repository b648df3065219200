// Moves a view through a run: live at a readable pace, paused, or replayed. The stream is recorded whatever the player does. The
// view is updated at most once per frame, however many events have arrived.

/** Duration of a whole run at the default speed. */
const usualSeconds = 5;

export class Player {
  #view;
  #onShow;
  #trajectory = null;
  #isGrowing = false;
  #frame = 0;
  #calming = 0;
  /** Whether to notify the view when playback reaches the end of the run. */
  #mustSettle = false;
  /** Step and time in milliseconds at which playback began. */
  #origin = { step: 0, at: 0 };
  /** Steps per second; 0 for the default duration of the whole run. */
  #speed = 0;
  /** Called when playback has reached the end of a run. */
  onEnd = () => {};
  /** "playing" or "paused". */
  mode = "paused";

  /** @param onShow is called after each update, and when the mode changes. */
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

  set speed(value) {
    this.#speed = value;
    this.#origin = { step: this.step, at: performance.now() };
  }

  /** Shows a run from its start, whether complete or just begun. */
  load(trajectory) {
    this.#trajectory = trajectory;
    this.#isGrowing = !trajectory.isFinished;
    this.#mustSettle = false;
    this.#view.load(trajectory);
    this.#enter("playing");
  }

  /** Forgets the run. */
  clear() {
    this.#trajectory = null;
    this.#isGrowing = this.#mustSettle = false;
    this.mode = "paused";
    this.#view.clear();
    clearTimeout(this.#calming);
  }

  /** The trajectory has grown by a step. */
  grown() {
    this.#request();
  }

  /** No more steps will come: the run is complete, stopped or interrupted. */
  ended() {
    if (!this.#isGrowing) return;
    this.#isGrowing = false;
    // Not during playback: the final layout is made at the end.
    if (this.mode === "paused" || this.isAtEnd) this.#view.ended();
    else this.#mustSettle = true;
    this.grown();
    this.#onShow();
  }

  toggle() {
    if (!this.#trajectory) return;
    if (this.mode !== "paused") return this.#enter("paused");
    if (this.isAtEnd && !this.#isGrowing) this.#view.show(0);
    this.#enter("playing");
  }

  replay() {
    if (!this.#trajectory) return;
    this.#view.show(0);
    this.#enter("playing");
  }

  /** Pauses at a step. */
  seek(step) {
    if (!this.#trajectory) return;
    this.#view.show(Math.min(Math.max(step, 0), this.#trajectory.recorded));
    this.#enter("paused");
  }

  #enter(mode) {
    if (this.#mustSettle) {
      this.#mustSettle = false;
      this.#view.ended();
    }
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
    if (!this.#trajectory) return;
    // The shown step stays; the range of steps changes.
    if (this.mode === "paused") return this.#onShow();
    const { recorded, total } = this.#trajectory;
    const speed = this.#speed || total / usualSeconds;
    const passed = Math.floor((Math.max(now - this.#origin.at, 0) * speed) / 1000);
    const target = Math.min(Math.max(this.#origin.step + passed, this.step), recorded);
    if (target !== this.step) this.#view.show(target, true);
    if (target < recorded) this.#request();
    else if (!this.#isGrowing) return this.#end();
    // Steps that arrived late are not caught up on.
    else this.#origin = { step: target, at: now };
    this.#onShow();
  }

  #end() {
    this.#enter("paused");
    // The last changes are highlighted for a moment.
    this.#calming = setTimeout(() => this.#view.calm(), 500);
    this.onEnd();
  }
}
