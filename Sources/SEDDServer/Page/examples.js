// Templates to start from.

export const examples = [
  { name: "A middle", template: "She opened the letter. [[*]] Then she wept.", length: "192" },
  { name: "A beginning", template: "The old prince came into the drawing room and [[*]]", length: "192" },
  { name: "An ending", template: "[[*]] and they lived in Moscow ever after.", length: "192" },
  {
    name: "Several holes",
    template: "“[[24]]?” said Pierre. “[[40]],” replied the [[8]], and left the room.",
    length: "",
  },
  { name: "A letter", template: "My dear friend,\n[[96]]\n[[96]]\nYours ever,\nNatásha", length: "" },
  { name: "From nothing", template: "[[*]]", length: "" },
];
