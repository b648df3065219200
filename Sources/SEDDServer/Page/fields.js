// Fields for settings that the server declares: those of the sampler, and the filters. A setting added to the server appears here
// without any change to the page.

/**
 * A labelled field.
 * @param {{name: string, help: string, standard: number | string, choices?: string[]}} setting as the server declares it.
 * @returns {{root: HTMLElement, input: HTMLInputElement | HTMLSelectElement}}
 */
export function makeField(setting) {
  const { name, help, choices, standard } = setting;
  const root = element("div", { className: "field" });
  const label = element("label", { htmlFor: name, textContent: title(name) });
  const input = document.createElement(choices ? "select" : "input");
  input.id = name;
  input.setAttribute("aria-describedby", `${name}-hint ${name}-fault`);
  if (choices) input.append(...choices.map((word) => new Option(word, word, false, word === standard)));
  else Object.assign(input, { inputMode: "decimal", autocomplete: "off", placeholder: String(standard) });
  root.append(
    label, input, element("p", { className: "hint", id: `${name}-hint`, textContent: help }),
    element("p", { className: "fault", id: `${name}-fault`, hidden: true }));
  return { root, input };
}

/** The label of a setting: `top_k` becomes "Top k". */
const title = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

const element = (tag, properties) => Object.assign(document.createElement(tag), properties);
