// The collapsed settings of a run: they are read into a request, filled from a link, and marked if the server or the page rejects
// them. An empty field has the value that the model's card recommends, or the server's default.

import { makeField } from "./fields.js";

const wholes = ["steps", "length", "seed"];

export class Settings {
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} by the names of the request's fields. */
  #fields;
  #editor;
  /** The declarations of samplers and grids, by name. */
  #methods = {};
  #grids = {};
  /** Names of the fields made from the server's declarations: filters, and settings of the chosen sampler. */
  #filters = [];
  #own = [];
  /** Values from a link for fields that are made once the model is known. */
  #linked = {};
  /** Values of empty fields, by the names of the request's fields. */
  #recommended = {};
  #isFromCard = false;
  /** Tokens of an open-ended text if no length was chosen. */
  #openLength = null;
  /** Maximum length of a text on this server. */
  #longest = Infinity;

  /** @param fields by the names of the request's fields, without `template`, which belongs to the editor. */
  constructor(fields, editor) {
    this.#fields = fields;
    this.#editor = editor;
    for (const [name, field] of Object.entries(fields)) this.#watch(name, field);
    document.getElementById("template").addEventListener("input", () => this.#mark("template", null));
  }

  /** Offers the choices that the model and the server support. */
  describe(model) {
    const { method, ...rest } = { ...model.defaults, ...model.card?.sampling };
    this.#recommended = { ...rest, sampler: method };
    this.#isFromCard = Boolean(model.card?.sampling);
    this.#methods = Object.fromEntries(model.methods.map((each) => [each.name, each]));
    this.#grids = Object.fromEntries(model.grids.map((each) => [each.name, each]));
    this.#offer("sampler", Object.keys(this.#methods));
    this.#offer("grid", Object.keys(this.#grids));
    this.#filters = this.#make(model.filters, this.#fields.grid.closest(".field"));
    this.#fields.sampler.addEventListener("input", () => this.#offerOwn());
    this.#fields.grid.addEventListener("input", () => this.#tellGrid());
    this.#offerOwn();
    this.#tellGrid();
    const { steps, length } = this.#fields;
    steps.placeholder = String(this.#recommended.steps);
    this.#longest = model.limits.length;
    this.openLength = model.length;
    document.getElementById("steps-hint").textContent = `More are slower and better; up to ${model.limits.steps}.`;
    document.getElementById("length-hint").textContent = `Tokens of the whole text; up to ${model.limits.length}.`;
    this.#summarize();
  }

  /** Selects the value of a link, or the recommended one. */
  #offer(name, words) {
    const field = this.#fields[name];
    const chosen = this.#linked[name] || this.#recommended[name];
    field.replaceChildren(...words.map((word) => new Option(word, word, false, word === chosen)));
    if (chosen && field.value !== chosen) field.add(new Option(chosen, chosen, false, true));
  }

  #tellGrid() {
    document.getElementById("grid-hint").textContent = line(this.#grids[this.#fields.grid.value]?.summary);
  }

  /** Makes the fields of the chosen sampler; values of settings that the previous one shares are kept. */
  #offerOwn() {
    const method = this.#methods[this.#fields.sampler.value];
    const usesGrid = method?.uses_grid ?? true;
    const hint = usesGrid ? "" : " It decides by itself how many steps it takes.";
    document.getElementById("sampler-hint").textContent = `${line(method?.summary)}${hint}`;
    for (const field of [this.#fields.steps, this.#fields.grid, document.getElementById("compare")]) field.disabled = !usesGrid;
    this.#linked = { ...this.#linked, ...Object.fromEntries(this.#own.map((name) => [name, this.#fields[name].value])) };
    for (const name of this.#own) {
      this.#fields[name].closest(".field").remove();
      delete this.#fields[name];
    }
    this.#own = this.#make(method?.settings ?? [], this.#fields.sampler.closest(".field"));
    this.#summarize();
  }

  /** Inserts fields after another; returns their names. */
  #make(declared, place) {
    for (const setting of declared) {
      const recommended = this.#recommended[setting.name];
      const { root, input } = makeField({ ...setting, standard: recommended ?? setting.standard });
      if (this.#linked[setting.name]) input.value = this.#linked[setting.name];
      place.after(root);
      place = root;
      this.#fields[setting.name] = input;
      this.#watch(setting.name, input);
    }
    return declared.map(({ name }) => name);
  }

  #watch(name, field) {
    field.addEventListener("input", () => {
      this.#mark(name, null);
      this.#summarize();
    });
  }

  /** Sets the default length of an open-ended text, as far as the server allows; an example may be shorter than the model's length. */
  set openLength(value) {
    this.#openLength = Math.min(value, this.#longest);
    this.#fields.length.placeholder = String(this.#openLength);
  }

  /**
   * Length of the whole text in tokens, and whether it was chosen rather than the default.
   * @returns {{value: number | null, isChosen: boolean}}
   */
  get length() {
    const chosen = Number(this.#fields.length.value) || null;
    return { value: chosen ?? this.#openLength, isChosen: chosen !== null };
  }

  /** Summarizes the collapsed settings in a line. */
  #summarize() {
    const { sampler, steps, temperature } = this.#fields;
    const parts = [sampler.value];
    if (!steps.disabled) parts.push(`${steps.value.trim() || this.#recommended.steps} steps`);
    const heat = temperature?.value.trim() || this.#recommended.temperature;
    if (heat && Number(heat) !== 1) parts.push(`temperature ${heat}`);
    const names = [...this.#filters, ...this.#own, "steps", "length", "seed"];
    const isOther = (name) => this.#fields[name].value !== (this.#recommended[name] ?? this.#fields[name].options[0]?.value);
    const isTouched = ["sampler", "grid"].some(isOther)
      || names.some((name) => this.#fields[name] instanceof HTMLInputElement && this.#fields[name].value.trim());
    const who = isTouched ? "" : this.#isFromCard ? " · as the model’s makers recommend" : " · the defaults";
    document.getElementById("settings-say").textContent = `${parts.join(", ")}${who}`;
  }

  /** The values of the fields as text, including `template`. */
  get values() {
    const said = Object.entries(this.#fields).map(([name, field]) => [name, field.value.trim()]);
    return { template: this.#editor.template, ...Object.fromEntries(said) };
  }

  fill({ template, ...values }) {
    this.#linked = values;
    if (template !== undefined) this.#editor.template = template;
    // The sampler first: it determines which fields exist.
    for (const name of ["sampler", ...Object.keys(values), ...Object.keys(this.#fields)]) {
      const field = this.#fields[name];
      if (!field) continue;
      const value = String(values[name] ?? "");
      // A link may name a sampler before the model's samplers are known; the server then checks it.
      const isChoice = field instanceof HTMLSelectElement;
      if (isChoice && value && ![...field.options].some((option) => option.value === value)) {
        field.add(new Option(value, value));
      }
      if (!isChoice || value) field.value = value;
      field.dispatchEvent(new Event("input"));
    }
  }

  /**
   * The request of the fields, or null if a field that requires a number holds something else, which is then marked.
   * The seed stays a string, because it may exceed JavaScript's integers.
   */
  request() {
    this.clear();
    const { template, ...values } = this.values;
    const isNumber = (name) => this.#fields[name] instanceof HTMLInputElement;
    const decimals = [...this.#filters, ...this.#own].filter(isNumber);
    const isUnused = (name) => this.#fields[name].disabled;
    const isWhole = (name) => (name === "seed" ? /^-?[0-9]{1,20}$/ : /^[0-9]{1,20}$/).test(values[name]);
    const faulty = [
      ...wholes.filter((name) => !isUnused(name) && values[name] !== "" && !isWhole(name)),
      ...decimals.filter((name) => values[name] !== "" && !(Number(values[name]) >= 0)),
    ];
    for (const name of faulty) {
      const kind = wholes.includes(name) ? "a whole number" : "a number";
      this.#mark(name, `Expected ${kind}, or nothing; found “${values[name].slice(0, 24)}”.`);
    }
    if (faulty.length > 0) {
      this.#fields[faulty[0]].focus();
      return null;
    }
    const request = { template };
    for (const name of ["sampler", "grid", "steps", ...this.#filters, ...this.#own]) {
      const said = values[name] || this.#recommended[name];
      if (isUnused(name)) continue;
      if (said === undefined || said === null || said === "") continue;
      request[name] = name === "steps" || decimals.includes(name) ? Number(said) : said;
    }
    if (values.length) request.length = Number(values.length);
    else if (this.#openLength && template.includes("[[*]]")) request.length = this.#openLength;
    if (values.seed) request.seed = values.seed.replace(/^(-?)0+(?=[0-9])/, "$1");
    return request;
  }

  /**
   * Marks the field that the server names.
   * @returns {boolean} whether the page has that field.
   */
  fault(name, message) {
    const own = name === "segments" ? "template" : name;
    if (own !== "template" && !Object.hasOwn(this.#fields, own)) return false;
    // The message is shown below its field and need not repeat the name.
    const words = message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
    this.#mark(own, words.charAt(0).toUpperCase() + words.slice(1));
    document.getElementById(own).focus();
    return true;
  }

  clear() {
    for (const name of ["template", ...Object.keys(this.#fields)]) this.#mark(name, null);
  }

  /** Shows a message below its field, as the field's description, and opens the settings if they are collapsed. */
  #mark(name, message) {
    const note = document.getElementById(`${name}-fault`);
    const field = document.getElementById(name);
    note.textContent = message ?? "";
    note.hidden = message === null;
    if (message === null) field.removeAttribute("aria-invalid");
    else field.setAttribute("aria-invalid", "true");
    if (message !== null && name !== "template") document.getElementById("settings").open = true;
  }
}

const line = (text) => (text ? (/[.!?]$/.test(text) ? text : `${text}.`) : "");
