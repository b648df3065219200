// A run in the fragment of an address: all settings and the seed, so that the link makes the same text again. A fragment is
// not sent to the server.

/** Longer addresses are cut or refused on their way through other programs. */
const greatestLength = 32_000;

const names = ["template", "steps", "sampler", "seed", "length"];

/**
 * @param {Record<string, string>} settings what the fields say, empty ones left out.
 * @param {boolean} isComparison whether the run is the one side by side.
 * @returns {string | null} the fragment with its `#`, or null where it would be too long for an address.
 */
export function fragment(settings, isComparison = false) {
  const parameters = new URLSearchParams();
  for (const name of names) {
    if (settings[name]) parameters.set(name, settings[name]);
  }
  if (isComparison) parameters.set("compare", "1");
  const text = `#${parameters}`;
  return text.length <= greatestLength ? text : null;
}

/** What a fragment asks for, or null where it names no run. */
export function read(text) {
  const parameters = new URLSearchParams(text.replace(/^#/, ""));
  if (!parameters.has("template")) return null;
  const settings = Object.fromEntries(names.map((name) => [name, parameters.get(name) ?? ""]));
  return { settings, isComparison: parameters.get("compare") === "1" };
}

/** Puts a run into the address bar without an entry in the history for every run. */
export function show(text) {
  history.replaceState(null, "", text ?? location.pathname + location.search);
}

export const link = (text) => new URL(text, location.href).href;
