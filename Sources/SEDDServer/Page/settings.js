// The fields beside the text: read into a request, filled from a link, marked where the server or the page finds fault.

const numbers = ["steps", "length", "seed"];

export class Settings {
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>} by the request's field names. */
  #fields;

  constructor(fields) {
    this.#fields = fields;
    for (const [name, field] of Object.entries(fields)) {
      field.addEventListener("input", () => this.#mark(name, null));
    }
  }

  /** Offers what the model and the server take. */
  describe(model) {
    const { sampler, steps, length } = this.#fields;
    const chosen = sampler.value;
    sampler.replaceChildren(...model.samplers.map((name) => new Option(name, name, false, name === chosen)));
    length.placeholder = String(model.length);
    document.getElementById("steps-hint").textContent = `1 to ${model.limits.steps}`;
    document.getElementById("length-hint").textContent = `up to ${model.limits.length}`;
    steps.placeholder = "64";
  }

  /** What the fields say, as text. */
  get values() {
    const values = {};
    for (const [name, field] of Object.entries(this.#fields)) {
      values[name] = name === "template" ? field.value : field.value.trim();
    }
    return values;
  }

  fill(values) {
    for (const [name, field] of Object.entries(this.#fields)) {
      const value = values[name] ?? "";
      // A link may name a sampler before the model's own are known; the server judges it.
      if (name === "sampler" && value && ![...field.options].some((option) => option.value === value)) {
        field.add(new Option(value, value));
      }
      if (name !== "sampler" || value) field.value = value;
      field.dispatchEvent(new Event("input"));
    }
  }

  /**
   * The request that the fields make, or null where one holds no number: then it is marked.
   * The seed stays a string, since it may have more digits than a number here.
   */
  request() {
    this.clear();
    const { template, sampler, ...values } = this.values;
    const wrong = numbers.filter((name) => values[name] !== "" && !/^[0-9]{1,20}$/.test(values[name]));
    for (const name of wrong) {
      this.#mark(name, `Expected a whole number${name === "length" || name === "seed" ? ", or nothing" : ""}; found “${values[name].slice(0, 24)}”.`);
    }
    if (wrong.length > 0) {
      this.#fields[wrong[0]].focus();
      return null;
    }
    const request = { template, sampler };
    if (values.steps) request.steps = Number(values.steps);
    if (values.length) request.length = Number(values.length);
    if (values.seed) request.seed = values.seed.replace(/^0+(?=[0-9])/, "");
    return request;
  }

  /**
   * Marks the field that the server names.
   * @returns {boolean} whether it is one that the page has.
   */
  fault(name, message) {
    const own = name === "segments" ? "template" : name;
    if (!Object.hasOwn(this.#fields, own)) return false;
    // The message stands under its field: it need not name it again.
    const words = message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
    this.#mark(own, words.charAt(0).toUpperCase() + words.slice(1));
    this.#fields[own].focus();
    return true;
  }

  clear() {
    for (const name of Object.keys(this.#fields)) this.#mark(name, null);
  }

  /** The message stands under its field, which names it as its description. */
  #mark(name, message) {
    const note = document.getElementById(`${name}-fault`);
    note.textContent = message ?? "";
    note.hidden = message === null;
    if (message === null) this.#fields[name].removeAttribute("aria-invalid");
    else this.#fields[name].setAttribute("aria-invalid", "true");
  }
}
