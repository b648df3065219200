// A run in the fragment of an address: all settings and the seed, so that the link reproduces the text. A fragment is
// not sent to the server.

/** Longer addresses are cut or refused on their way through other programs. */
const greatestLength = 32_000;

const names = ["template", "steps", "sampler", "grid", "temperature", "top_p", "seed", "length"];

/**
 * @param {Record<string, string>} settings values of the fields, without empty ones.
 * @param {boolean} isComparison whether the run is a side-by-side comparison.
 * @returns {string | null} the fragment with its `#`, or null where it would be too long for an address.
 */
export function fragment(settings, isComparison = false) {
  const parameters = new URLSearchParams();
  // A sampler's own settings follow the common ones.
  for (const name of new Set([...names, ...Object.keys(settings)])) {
    if (settings[name]) parameters.set(name, settings[name]);
  }
  if (isComparison) parameters.set("compare", "1");
  const text = `#${parameters}`;
  return text.length <= greatestLength ? text : null;
}

/** The run that a fragment describes, or null if there is none. */
export function read(text) {
  const parameters = new URLSearchParams(text.replace(/^#/, ""));
  if (!parameters.has("template")) return null;
  const known = new Set([...names, ...parameters.keys()]);
  known.delete("compare");
  const settings = Object.fromEntries([...known].map((name) => [name, parameters.get(name) ?? ""]));
  return { settings, isComparison: parameters.get("compare") === "1" };
}

/** Shows a run in the address bar without adding a history entry. */
export function show(text) {
  history.replaceState(null, "", text ?? location.pathname + location.search);
}

export const link = (text) => new URL(text, location.href).href;
