// Texts to start from. Those of the model's card are made for it; a model without a card gets undemanding ones.

const plain = [
  { name: "Write freely", template: "[[*]]", length: 128 },
  { name: "Go on from a beginning", template: "It was [[*]]", length: 128 },
  { name: "Lead up to an end", template: "[[*]] the end.", length: 128 },
  { name: "Fill gaps", template: "The [[12]] and the [[12]] of the [[24]]." },
];

/** @returns {{name: string, template: string, length?: number, seed?: number}[]} the first one is the run that newcomers see. */
export const examplesOf = (model) => (model.card?.examples?.length ? model.card.examples : plain);
