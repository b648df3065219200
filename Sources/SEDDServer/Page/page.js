// The page: connects the editor, the runs and the view.

import { describe } from "./about.js";
import * as address from "./address.js";
import { copy } from "./clipboard.js";
import { Comparison, seconds } from "./comparison.js";
import { Demonstration } from "./demonstration.js";
import { Editor } from "./editor.js";
import { examplesOf } from "./examples.js";
import { piecesOf } from "./holes.js";
import { HoleTools } from "./holetools.js";
import { Notices } from "./notices.js";
import { record } from "./recording.js";
import { Runs } from "./runs.js";
import { Problem, fetchModel, key } from "./service.js";
import { Settings } from "./settings.js";
import { Stage } from "./stage.js";

const $ = (id) => document.getElementById(id);

let model = null;
/** The trajectory of the current run, once it has begun. */
let began = null;
/** Number of switches to the editor; a run that was not shown before a switch is not shown afterwards. */
let edits = 0;
/** The fragment of the displayed run. */
let shownLink = null;

const notices = new Notices((text) => (key.value = text));
const runs = new Runs(showRunning);
const editor = new Editor({ area: $("template"), mirror: $("mirror"), handles: $("handles") });
const tools = new HoleTools(editor, (text) => notices.say(text));
const settings = new Settings(
  { sampler: $("sampler"), steps: $("steps"), grid: $("grid"), length: $("length"), seed: $("seed") }, editor);
editor.onChange = refreshTools;
const stage = new Stage();
const comparison = new Comparison($("columns"), $("noise"), $("compare-replay"));
const demonstration = new Demonstration(stage.player);
stage.player.onEnd = () => demonstration.rested();

function refreshTools() {
  const { value, isChosen } = settings.length;
  tools.refresh(value, isChosen);
}

/** Enables the editor. */
function edit() {
  edits += 1;
  demonstration.end();
  // The description of the model is needed in any case.
  if (model) runs.stop();
  $("caption").textContent = "Your text. The model fills the holes.";
  notices.say("");
  stage.leave();
  editor.refresh();
}

async function loadModel(signal) {
  model = await fetchModel(signal);
  describe($("model"), $("technical"), model);
  $("how-end").hidden = typeof model.tokenizer.end_of_text !== "number";
  if (model.card?.language) for (const id of ["template", "text", "columns"]) $(id).lang = model.card.language;
  for (const each of [stage.view, comparison]) each.charactersPerToken = model.tokenizer.characters_per_token;
  editor.pieces = piecesOf(model.tokenizer);
  settings.describe(model);
  $("compare").textContent = `Run your text in ${listed(comparison.offer(model.limits.steps))} steps`;
  offerExamples();
}

/** Performs an action that needs the server, and offers to repeat it if it fails. */
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
  } else {
    if (error.field === "template" || error.field === "segments") edit();
    if (error.field !== null && settings.fault(error.field, error.message)) notices.say("");
    else notices.show(error, again, error.field ?? "");
  }
}

/** Run and Stop replace each other; the focus moves with them. */
function showRunning(isRunning) {
  const hasFocus = document.activeElement === $(isRunning ? "run" : "stop");
  document.body.classList.toggle("running", isRunning);
  if (hasFocus) $(isRunning ? "stop" : "run").focus();
}

const stopped = () => (began ? `Stopped at step ${began.recorded} of ${began.start.steps}.` : "Stopped.");

/** Plays the recorded run of the model on arrival. */
function arrive() {
  const before = edits;
  attempt(async () => {
    if (edits !== before) return;
    take(examplesOf(model)[0]);
    // It does not count as a run: the button below it is Run, not Stop.
    demonstration.show((trajectory) => {
      stage.enter();
      stage.reset();
      $("caption").textContent = "A recorded run of this model. Type, or press Run, for one of your own.";
    }).then(() => {
      if (demonstration.isShown) $("result").textContent = stage.player.trajectory.result.text;
    }).catch((error) => {
      if (error.name === "AbortError") return;
      edit();
      explain(error, arrive);
    });
  }, arrive);
}

function run() {
  const isOfDemonstration = demonstration.isShown;
  demonstration.end();
  if (model && !settings.request()) return;
  const before = edits;
  attempt(async (signal) => {
    if (edits !== before) return;
    // Only now: what an empty field means depends on the model.
    const request = settings.request();
    if (!request) return;
    const values = settings.values;
    notices.say("Running…");
    const result = await record(request, signal, stage.player, (trajectory) => {
      if (edits !== before) return false;
      const { start } = trajectory;
      began = trajectory;
      stage.enter();
      stage.reset();
      $("caption").textContent = "Your text, as the model fills it.";
      $("facts").replaceChildren();
      publish({
        ...values, steps: String(start.steps), sampler: start.sampler, seed: start.seed, length: String(request.length ?? ""),
      });
      $("used-seed").textContent = start.seed;
      $("seed-line").hidden = false;
      stage.player.speed = Number($("speed").value);
      if (!isOfDemonstration || isNarrow()) bringIntoSight($("sheet"));
      return true;
    });
    const { networkEvaluations: evaluations } = result;
    $("facts").textContent = `${seconds(result.seconds)}, ${evaluations} evaluation${evaluations === 1 ? "" : "s"} of the network`;
    $("result").textContent = result.text;
    notices.say("Done.");
  }, run);
}

function compare() {
  if (model && !settings.request()) return;
  demonstration.end();
  const before = edits;
  attempt(async (signal) => {
    if (edits !== before) return;
    const request = settings.request();
    if (!request) return;
    const values = settings.values;
    // All three share one seed, which is drawn here if the field is empty.
    request.seed ??= String(crypto.getRandomValues(new Uint32Array(1))[0]);
    notices.say("Running side by side…");
    await comparison.run(request, signal, ({ start }) => {
      if ($("comparison").hidden) {
        $("comparison").hidden = false;
        bringIntoSight($("versus"));
      }
      publish({
        ...values, steps: "", sampler: start.sampler, seed: start.seed, length: String(request.length ?? ""),
      }, true);
      $("compare-seed").textContent = `Seed ${start.seed}`;
    });
    notices.say("Done: three runs side by side.");
  }, compare);
}

/** 8, 32 and 128. */
const listed = (numbers) => [numbers.slice(0, -1).join(", "), ...numbers.slice(-1)].filter(Boolean).join(" and ");

const isNarrow = () => matchMedia("(max-width: 48rem)").matches;

/** In a small window the buttons are at the bottom, so the text is scrolled to the top. */
function bringIntoSight(element) {
  const { top, bottom } = element.getBoundingClientRect();
  const isSeen = top >= 0 && (isNarrow() ? bottom < innerHeight * 0.8 : top < innerHeight / 2);
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  if (!isSeen) element.scrollIntoView({ block: "start", behavior });
}

function publish(values, isComparison = false) {
  shownLink = address.fragment(values, isComparison);
  address.show(shownLink);
  $("copy-link").hidden = false;
}

/** Fills the form from the address and runs it. */
function followAddress() {
  const wanted = address.read(location.hash);
  if (!wanted) return false;
  demonstration.end();
  attempt(async () => {
    settings.fill(wanted.settings);
    if (wanted.isComparison) edit();
    // Only after this attempt has ended: the run is a separate one.
    queueMicrotask(wanted.isComparison ? compare : run);
  }, followAddress);
  return true;
}

async function tellCopied(text, what) {
  if (text === null) notices.say("The text is too long for a link.");
  else if (await copy(text)) notices.say(`${what} copied.`);
  else notices.say(`The browser does not allow copying. ${what}: ${text}`);
}

function offerExamples() {
  const items = examplesOf(model).map((example) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: example.name });
    button.addEventListener("click", () => {
      take(example);
      run();
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  $("examples").replaceChildren(...items);
}

function take({ template, length }) {
  settings.openLength = length ?? model.length;
  settings.fill({ ...settings.values, template, length: "" });
}

/** Switches to the editor; the recorded run makes way for the reader's text. */
function startTyping() {
  const isOfDemonstration = demonstration.isShown;
  edit();
  $("template").focus();
  const end = $("template").value.length;
  $("template").setSelectionRange(isOfDemonstration ? 0 : end, end);
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
$("length").addEventListener("input", refreshTools);
$("stop").addEventListener("click", () => runs.stop());
$("compare").addEventListener("click", compare);
$("edit").addEventListener("click", startTyping);
$("reuse").addEventListener("click", () => {
  editor.text = stage.text;
  settings.fill({ ...settings.values, length: "" });
  edit();
  $("template").focus();
  notices.say("Select words and make them holes.");
});
$("copy").addEventListener("click", () => tellCopied(stage.text, "Text"));
for (const id of ["copy-link", "compare-link"]) {
  $(id).addEventListener("click", () => tellCopied(shownLink && address.link(shownLink), "Link"));
}
$("keep-seed").addEventListener("click", () => {
  settings.fill({ ...settings.values, seed: $("used-seed").textContent });
  notices.say("The seed is kept for the next runs.");
});
$("template").addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  if (event.key === "Enter") run();
  else if (event.key.toLowerCase() === "m" && event.ctrlKey) tools.free();
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") runs.stop();
  const isText = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  const isFree = [document.body, $("text")].includes(document.activeElement);
  if (isText && isFree && !document.body.classList.contains("editing")) startTyping();
});
addEventListener("hashchange", followAddress);

if (!followAddress()) arrive();
