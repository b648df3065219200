// Texts to start from: those of the model's card, or simple ones if the model has no card.

const plain = [
  { name: "Write freely", template: "[[*]]", length: 128 },
  { name: "Go on from a beginning", template: "It was [[*]]", length: 128 },
  { name: "Lead up to an end", template: "[[*]] the end.", length: 128 },
  { name: "Fill gaps", template: "The [[12]] and the [[12]] of the [[24]]." },
];

/** @returns {{name: string, template: string, length?: number, seed?: number}[]} the first one is the run shown on arrival. */
export const examplesOf = (model) => (model.card?.examples?.length ? model.card.examples : plain);
