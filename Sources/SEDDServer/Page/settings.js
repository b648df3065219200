// The fields beside the text: read into a request, filled from a link, marked where the server or the page finds fault.

const wholes = ["steps", "length", "seed"];
const decimals = ["temperature", "top_p"];

export class Settings {
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>} by the request's field names. */
  #fields;

  constructor(fields) {
    this.#fields = fields;
    for (const [name, field] of Object.entries(fields)) {
      field.addEventListener("input", () => this.#mark(name, null));
    }
  }

  /** What the samplers of the model declare, by name. */
  #methods = {};

  /** The names of the chosen sampler's own settings, whose fields stand behind the sampler's. */
  #own = [];

  /** What a link says, for fields that are made once the model is known. */
  #linked = {};

  /** Offers what the model and the server take. */
  describe(model) {
    const { sampler, grid, steps, length } = this.#fields;
    const options = (field, names) => {
      const chosen = field.value;
      field.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
    };
    this.#methods = Object.fromEntries(model.methods.map((method) => [method.name, method]));
    options(sampler, model.samplers);
    options(grid, model.grids);
    sampler.addEventListener("input", () => this.#offerOwn());
    this.#offerOwn();
    length.placeholder = String(model.length);
    document.getElementById("steps-hint").textContent = `1 to ${model.limits.steps}`;
    document.getElementById("length-hint").textContent = `up to ${model.limits.length}`;
    steps.placeholder = "64";
  }

  /** Makes fields for what the chosen sampler declares; what they said stays where the new one has the same. */
  #offerOwn() {
    const method = this.#methods[this.#fields.sampler.value];
    document.getElementById("sampler-hint").textContent = method ? method.summary : "";
    const before = { ...this.#linked, ...Object.fromEntries(this.#own.map((name) => [name, this.#fields[name].value])) };
    for (const name of this.#own) {
      this.#fields[name].closest(".field").remove();
      delete this.#fields[name];
    }
    let place = this.#fields.sampler.closest(".field");
    this.#own = (method?.settings ?? []).map((setting) => {
      const field = document.createElement("div");
      field.className = "field";
      const label = document.createElement("label");
      label.htmlFor = setting.name;
      label.textContent = setting.name.charAt(0).toUpperCase() + setting.name.slice(1);
      const input = document.createElement(setting.choices ? "select" : "input");
      input.id = setting.name;
      input.setAttribute("aria-describedby", `${setting.name}-fault ${setting.name}-hint`);
      if (setting.choices) input.append(...setting.choices.map((word) => new Option(word, word, false, word === setting.standard)));
      else Object.assign(input, { inputMode: "decimal", autocomplete: "off", placeholder: String(setting.standard) });
      if (before[setting.name]) input.value = before[setting.name];
      const hint = Object.assign(document.createElement("p"), { className: "hint", id: `${setting.name}-hint` });
      hint.textContent = setting.help;
      const fault = Object.assign(document.createElement("p"), { className: "fault", id: `${setting.name}-fault`, hidden: true });
      field.append(label, input, hint, fault);
      place.after(field);
      place = field;
      this.#fields[setting.name] = input;
      input.addEventListener("input", () => this.#mark(setting.name, null));
      return setting.name;
    });
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
    this.#linked = values;
    // The sampler first: it decides which fields there are.
    for (const name of ["sampler", ...Object.keys(values), ...Object.keys(this.#fields)]) {
      const field = this.#fields[name];
      if (!field) continue;
      const value = values[name] ?? "";
      // A link may name a sampler before the model's own are known; the server judges it.
      const isChoice = field instanceof HTMLSelectElement;
      if (isChoice && value && ![...field.options].some((option) => option.value === value)) {
        field.add(new Option(value, value));
      }
      if (!isChoice || value) field.value = value;
      field.dispatchEvent(new Event("input"));
    }
  }

  /**
   * The request that the fields make, or null where one holds no number: then it is marked.
   * The seed stays a string, since it may have more digits than a number here.
   */
  request() {
    this.clear();
    const { template, sampler, grid, ...values } = this.values;
    const ownNumbers = this.#own.filter((name) => this.#fields[name] instanceof HTMLInputElement);
    const wrongDecimals = [...decimals, ...ownNumbers].filter((name) => values[name] !== "" && !(Number(values[name]) >= 0));
    for (const name of wrongDecimals) this.#mark(name, `Expected a number; found “${values[name].slice(0, 24)}”.`);
    const wrong = wholes.filter((name) => values[name] !== "" && !/^[0-9]{1,20}$/.test(values[name]));
    for (const name of wrong) {
      this.#mark(name, `Expected a whole number${name === "length" || name === "seed" ? ", or nothing" : ""}; found “${values[name].slice(0, 24)}”.`);
    }
    const faulty = [...wrong, ...wrongDecimals];
    if (faulty.length > 0) {
      this.#fields[faulty[0]].focus();
      return null;
    }
    const request = { template, sampler, grid };
    for (const name of decimals) if (values[name]) request[name] = Number(values[name]);
    for (const name of this.#own) {
      if (values[name]) request[name] = ownNumbers.includes(name) ? Number(values[name]) : values[name];
    }
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
