// Messages of the page: a status line for screen readers, and problems with their remedies.

import { key } from "./service.js";

export class Notices {
  #status = document.getElementById("status");
  #box = document.getElementById("problem");
  #message = document.getElementById("problem-message");
  #wait = document.getElementById("problem-wait");
  #retry = document.getElementById("retry");
  #keyForm = document.getElementById("key-form");
  #keyField = document.getElementById("key");
  #timer = 0;
  #again = null;

  /** @param {(key: string) => void} onKey is called with a key before the action is tried again. */
  constructor(onKey) {
    this.#retry.addEventListener("click", () => this.#tryAgain());
    const use = () => {
      onKey(this.#keyField.value.trim());
      this.#keyField.value = "";
      this.#tryAgain();
    };
    document.getElementById("use-key").addEventListener("click", use);
    // The field is inside the form, which Enter would submit.
    this.#keyField.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      use();
    });
  }

  say(text) {
    this.#status.textContent = text;
  }

  clear() {
    clearInterval(this.#timer);
    this.#box.hidden = true;
    this.#message.textContent = this.#wait.textContent = "";
    this.#keyForm.hidden = this.#retry.hidden = true;
  }

  /**
   * @param {import("./service.js").Problem} problem
   * @param {() => void} again is called when the reader tries again.
   * @param {string} where the subject of the problem, if it is not a field.
   */
  show(problem, again, where = "") {
    this.clear();
    this.#again = again;
    this.#box.hidden = false;
    this.#message.textContent = (where ? `${where}: ` : "") + this.#words(problem);
    this.say("");
    if (problem.status === 401) {
      this.#keyForm.hidden = false;
      this.#keyField.focus();
    } else if ([0, 429, 503, 504].includes(problem.status)) {
      this.#retry.hidden = false;
      if (problem.retryAfter) this.#countDown(problem.retryAfter);
    }
  }

  #words({ status, message }) {
    const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
    if (status === 401) {
      const what = key.value ? "The server does not accept this key." : "This server requires a key.";
      return `${what} A key stays in this tab and is never part of a link.`;
    }
    if (status === 429) return `The server is busy: ${sentence}`;
    if (status === 503) return `The server is not accepting requests at the moment: ${sentence}`;
    return sentence.charAt(0).toUpperCase() + sentence.slice(1);
  }

  /** Seconds left, outside the message: a live region that changes every second would be read aloud every second. */
  #countDown(seconds) {
    const end = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      this.#wait.textContent = left > 0 ? `You can try again in ${left} s.` : "You can try again now.";
      if (left <= 0) clearInterval(this.#timer);
    };
    tick();
    this.#timer = setInterval(tick, 250);
  }

  #tryAgain() {
    const again = this.#again;
    const hadFocus = this.#box.contains(document.activeElement);
    this.clear();
    // What was focused is hidden now.
    if (hadFocus) document.getElementById("run").focus();
    again?.();
  }
}
