// A run in the fragment of an address: all settings and the seed, so that the link makes the same text again. A fragment is
// not sent to the server.

/** Longer addresses are cut or refused on their way through other programs. */
const greatestLength = 32_000;

const names = ["template", "steps", "sampler", "grid", "temperature", "top_p", "seed", "length"];

/**
 * @param {Record<string, string>} settings what the fields say, empty ones left out.
 * @param {boolean} isComparison whether the run is the one side by side.
 * @returns {string | null} the fragment with its `#`, or null where it would be too long for an address.
 */
export function fragment(settings, isComparison = false) {
  const parameters = new URLSearchParams();
  // What a sampler declares for itself comes after the names that are always there.
  for (const name of new Set([...names, ...Object.keys(settings)])) {
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
  const known = new Set([...names, ...parameters.keys()]);
  known.delete("compare");
  const settings = Object.fromEntries([...known].map((name) => [name, parameters.get(name) ?? ""]));
  return { settings, isComparison: parameters.get("compare") === "1" };
}

/** Puts a run into the address bar without an entry in the history for every run. */
export function show(text) {
  history.replaceState(null, "", text ?? location.pathname + location.search);
}

export const link = (text) => new URL(text, location.href).href;
