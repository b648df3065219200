// The server's HTTP interface. Every failure becomes a Problem with a message and the field concerned.

import { readEvents } from "./events.js";

const keyName = "sedd-key";

/** A failure, with a message for the reader. */
export class Problem extends Error {
  /** HTTP status; 0 if the connection failed, 200 if the stream had begun. */
  status = 0;
  /** The request field at fault, if the server names one. */
  field = null;
  /** Seconds to wait before another try, if the server specifies them. */
  retryAfter = null;

  constructor(message, details = {}) {
    super(message);
    Object.assign(this, details);
  }
}

/** The key for servers that require one: kept only in this tab, never part of an address. */
export const key = {
  get value() {
    return sessionStorage.getItem(keyName) ?? "";
  },
  set value(text) {
    if (text) sessionStorage.setItem(keyName, text);
    else sessionStorage.removeItem(keyName);
  },
};

/** The served model, as described by `/v1/models`. */
export async function fetchModel(signal) {
  const response = await send("v1/models", { signal });
  const models = (await response.json()).data;
  if (!models?.length) throw new Problem("The server names no model.", { status: response.status });
  return models[0];
}

/**
 * Fills a template, event by event.
 * @param {object} request the fields of `/v1/infill`; `seed` is a string of digits, or absent.
 * @param {AbortSignal} signal aborting it cancels the request.
 * @returns {AsyncGenerator<{name: "start" | "step" | "done", data: object}>} ends with `done`.
 * @throws {Problem} also if the stream ends without a result. An abort throws AbortError.
 */
export async function* infill(request, signal) {
  const { seed, ...fields } = request;
  // Seeds have 64 bits, JavaScript's integers 53: the digits are written into the JSON, and read from it, as text.
  const seedField = seed ? `,"seed":${seed}` : "";
  const body = `${JSON.stringify(fields).slice(0, -1)}${seedField}}`;
  const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
  yield* events(await send("v1/infill", { method: "POST", body, signal, headers }));
}

/** The recorded run that the server keeps; see {@link infill}. */
export async function* demonstration(signal) {
  yield* events(await send("v1/demonstration", { signal, headers: { Accept: "text/event-stream" } }));
}

async function* events(response) {
  try {
    for await (const { name, data } of readEvents(response.body)) {
      const value = JSON.parse(data);
      if (name === "error") throw new Problem(value.error.message, { status: 200, field: value.error.param });
      if (name === "start" || name === "done") value.seed = seedOf(data) ?? String(value.seed);
      yield { name, data: value };
      if (name === "done") return;
    }
  } catch (error) {
    if (error instanceof TypeError) throw lost(error);
    throw error;
  }
  throw new Problem("The connection ended before the text was complete.");
}

/** The digits of the seed. Quotes inside JSON strings are escaped, so the pattern matches only the field. */
function seedOf(data) {
  return /"seed":\s*(-?[0-9]+)/.exec(data)?.[1];
}

/** The address is relative, so that the page also works below a path of a proxy. */
async function send(path, { headers = {}, ...options }) {
  const authorization = key.value ? { Authorization: `Bearer ${key.value}` } : {};
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...headers, ...authorization } });
  } catch (error) {
    if (error instanceof TypeError) throw lost(error);
    throw error;
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

function lost(cause) {
  return new Problem("The connection to the server was lost. Is it still running?", { cause });
}

async function refusal(response) {
  const text = await response.text().catch(() => "");
  let error = {};
  try {
    error = JSON.parse(text).error ?? {};
  } catch {
    // For instance a proxy's response: only its status can be reported.
  }
  const wait = Number(response.headers.get("Retry-After"));
  return new Problem(error.message ?? `The server answered ${response.status} ${response.statusText}`.trim() + ".", {
    status: response.status, field: error.param ?? null, retryAfter: wait > 0 ? wait : null,
  });
}
