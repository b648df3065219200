// Describes the model in plain words. All facts come from the server; nothing here is specific to a model.

const compact = new Intl.NumberFormat("en", { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 2 });

/** Writes what the model is, its training data and abilities into `root`, and technical details into `details`. */
export function describe(root, details, model) {
  const card = model.card ?? {};
  const name = document.createElement("b");
  name.textContent = card.title ?? model.id;
  const read = card.training_data
    ? `It learnt from ${sentence(card.training_data)}` : "Its folder does not say what it learnt from.";
  const abilities = card.abilities ? ` ${sentence(card.abilities)}` : "";
  root.replaceChildren(name, ` is ${size(model.parameters)}. ${read}${abilities}`);
  details.textContent = technical(model);
}

function size(parameters) {
  const word = parameters < 2e7 ? "a tiny model" : parameters < 1e9 ? "a small model" : "a model";
  return `${word} of ${compact.format(parameters)} weights`;
}

function technical({ id, tokenizer, length, graph }) {
  const vocabulary = `a vocabulary of ${tokenizer.tokens.toLocaleString("en")} tokens (${tokenizer.kind})`;
  const chain = graph === "absorb" ? "an absorbing chain" : `a ${graph} chain`;
  return `${id} has ${vocabulary}, was trained on ${length} tokens at a time, and reverses ${chain}.`;
}

const sentence = (text) => (/[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);
