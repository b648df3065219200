// The page: wires fields, stream, player and panels together.

import * as address from "./address.js";
import { copy } from "./clipboard.js";
import { Comparison, seconds } from "./comparison.js";
import { Editor } from "./editor.js";
import { examples } from "./examples.js";
import { Inspector } from "./inspector.js";
import { Notices } from "./notices.js";
import { PositionPicker } from "./picker.js";
import { Player } from "./player.js";
import { record } from "./recording.js";
import { Runs } from "./runs.js";
import { Problem, fetchModel, infill, key } from "./service.js";
import { Settings } from "./settings.js";
import { escaped } from "./template.js";
import { TextView } from "./textview.js";
import { TokenSize } from "./tokens.js";
import { Transport } from "./transport.js";

const $ = (id) => document.getElementById(id);

const size = new TokenSize();
let model = null;
/** The trajectory of the run that is going on, once it has begun. */
let began = null;
/** The fragment of the run that is shown. */
let shownLink = null;

const settings = new Settings({
  template: $("template"), steps: $("steps"), sampler: $("sampler"), grid: $("grid"), temperature: $("temperature"),
  top_p: $("top_p"), seed: $("seed"), length: $("length"),
});
const editor = new Editor({ area: $("template"), mirror: $("mirror"), meter: $("meter") }, size, () => {
  const chosen = Number($("length").value) || null;
  return { value: chosen ?? model?.length ?? null, isChosen: chosen !== null };
});
const runs = new Runs(showRunning);
const notices = new Notices((text) => (key.value = text));
const inspector = new Inspector($("inspector"));
const view = new TextView($("text"));
const player = new Player(view, () => showState());
const transport = new Transport(player);
const picker = new PositionPicker($("text"), view, (position, byKey) => inspect(position, byKey));
const comparison = new Comparison($("columns"), $("noise"), $("compare-replay"));

function showState() {
  transport.refresh();
  if (picker.position !== null) inspect(picker.position, false);
}

function inspect(position, byKey) {
  // The pointer may still rest where a longer text was.
  if (position === null || !player.trajectory || position >= player.trajectory.length) return inspector.clear();
  inspector.show(player.trajectory, view.group(position), player.step, view.span(position).textContent);
  if (byKey) $("spoken").textContent = inspector.sentence(player.trajectory, position, player.step);
}

async function loadModel(signal) {
  model = await fetchModel(signal);
  settings.describe(model);
  $("model").textContent = `Model ${model.id}, ${model.graph === "absorb" ? "absorbing" : model.graph} chain`;
  editor.refresh();
}

/** Does something that needs the server, and offers it again where it went wrong. */
function attempt(action, again) {
  runs.start(async (signal) => {
    notices.clear();
    began = null;
    if (!model) await loadModel(signal);
    await action(signal);
  }, (error) => explain(error, again));
}

function explain(error, again) {
  if (error.name === "AbortError") notices.say(stopped());
  else if (!(error instanceof Problem)) {
    notices.show(new Problem(`The page failed: ${error.message}`), again);
    console.error(error);
  } else if (error.field !== null && settings.fault(error.field, error.message)) {
    notices.say("Refused: see the marked field.");
  } else notices.show(error, again, error.field ?? "");
}

/** Run and Stop stand in the same place; the focus goes from one to the other with it. */
function showRunning(isRunning) {
  const hasFocus = document.activeElement === $(isRunning ? "run" : "stop");
  document.body.classList.toggle("running", isRunning);
  if (hasFocus) $(isRunning ? "stop" : "run").focus();
}

/** Asks the server for its model, again where it wants a key or is away. */
function connect() {
  attempt(() => {}, connect);
}

const stopped = () => (began ? `Stopped at step ${began.recorded} of ${began.start.steps}.` : "Stopped.");

function run() {
  const request = settings.request();
  if (!request) return;
  attempt(async (signal) => {
    notices.say("Running…");
    const values = settings.values;
    const result = await record(request, signal, player, (start) => {
      learn(start);
      began = player.trajectory;
      reveal("stage");
      $("facts").replaceChildren();
      publish({ ...values, steps: String(start.steps), sampler: start.sampler, seed: start.seed });
      picker.reset();
      $("used-seed").textContent = start.seed;
      $("seed-line").hidden = false;
      transport.refresh();
    });
    const { networkEvaluations: evaluations, usage } = result;
    $("facts").textContent =
      `${seconds(result.seconds)} · ${evaluations} evaluations · ${usage.prompt_tokens} given, ${usage.completion_tokens} written`;
    $("result").textContent = result.text;
    notices.say(`Done in ${seconds(result.seconds)}, ${result.steps} steps.`);
  }, run);
}

function compare() {
  const request = settings.request();
  if (!request) return;
  attempt(async (signal) => {
    // All three need one seed, so that one is drawn here where the field has none.
    request.seed ??= String(crypto.getRandomValues(new Uint32Array(1))[0]);
    const values = settings.values;
    notices.say("Running side by side…");
    await comparison.run(request, signal, (start) => {
      learn(start);
      reveal("comparison");
      publish({ ...values, steps: "", sampler: start.sampler, seed: start.seed }, true);
      $("compare-seed").textContent = `Seed ${start.seed}`;
    });
    notices.say("Done: three runs side by side.");
  }, compare);
}

/** Takes from the start of a run how texts are cut into tokens. */
function learn(start) {
  size.learn(start);
  document.documentElement.style.setProperty("--token", size.kind === "piece" ? size.charactersPerToken : 1);
  editor.refresh();
}

/** Shows one of the two kinds of result. */
function reveal(id) {
  $("welcome").hidden = true;
  for (const each of ["stage", "comparison"]) $(each).hidden = each !== id;
  if (id === "comparison") player.clear();
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  // On a small screen the result would form out of sight.
  if ($(id).getBoundingClientRect().top > innerHeight / 2) $(id).scrollIntoView({ block: "start", behavior });
}

function publish(values, isComparison = false) {
  shownLink = address.fragment(values, isComparison);
  address.show(shownLink);
}

/** Fills the form from the address and runs what it asks for. */
function followAddress() {
  const wanted = address.read(location.hash);
  if (!wanted) return false;
  settings.fill(wanted.settings);
  if (wanted.isComparison) compare();
  else run();
  return true;
}

/** What is written at the step that is shown. */
const currentText = () => (player.isAtEnd ? player.trajectory.result?.text : null) ?? view.text;

async function tellCopied(text, what) {
  if (text === null) notices.say("The text is too long for a link.");
  else if (await copy(text)) notices.say(`${what} copied.`);
  else notices.say(`The browser does not allow copying. ${what}: ${text}`);
}

/** Before the first run nothing is known of the tokenizer: a request of one step tells how the given text is cut. */
async function learnSize() {
  if (size.kind !== null) return;
  const sample = "The old prince came into the drawing room, and she wept.";
  const own = new AbortController();
  try {
    const events = infill({ segments: [{ text: sample }, { hole: 1 }], steps: 1 }, own.signal);
    const { value } = await events.next();
    learn(value.data);
  } catch (error) {
    notices.say(`The size of tokens is not known (${error.message}); counted a token a character.`);
  } finally {
    own.abort();
  }
}

async function free() {
  if (editor.hasSelection) await learnSize();
  notices.say(editor.free());
}

for (const { name, template, length } of examples) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.addEventListener("click", () => {
    settings.fill({ ...settings.values, template, length });
    notices.say(`Example: ${name}.`);
  });
  const item = document.createElement("li");
  item.append(button);
  $("examples").append(item);
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
$("length").addEventListener("input", () => editor.refresh());
for (const id of ["stop", "stop-here"]) $(id).addEventListener("click", () => runs.stop());
$("compare").addEventListener("click", compare);
$("free").addEventListener("click", free);
$("hole").addEventListener("click", () => notices.say(editor.insertHole()));
$("fill").addEventListener("click", () => notices.say(editor.insertFill()));
$("copy").addEventListener("click", () => tellCopied(currentText(), "Text"));
for (const id of ["copy-link", "compare-link"]) {
  $(id).addEventListener("click", () => tellCopied(shownLink && address.link(shownLink), "Link"));
}
$("reuse").addEventListener("click", () => {
  settings.fill({ ...settings.values, template: escaped(currentText()), length: "" });
  $("template").focus();
  notices.say("The text is a template now: select the words to free.");
});
$("keep-seed").addEventListener("click", () => {
  settings.fill({ ...settings.values, seed: $("used-seed").textContent });
  notices.say("The seed is kept for the next runs.");
});
$("template").addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  if (event.key === "Enter") run();
  else if (event.key.toLowerCase() === "m" && event.ctrlKey && editor.hasSelection) free();
  else if (event.key.toLowerCase() === "m" && event.ctrlKey) notices.say(editor.insertHole());
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") runs.stop();
});
addEventListener("hashchange", followAddress);

if (!followAddress()) {
  settings.fill({ ...examples[0], steps: "64" });
  connect();
}
