// The entries of the page of all tasks: an instruction with its instances and what it is nearest to, or a text that
// was rejected.
const nearestOf = (item) => (item.nearId ? entries.get(item.nearId)?.text ?? "" : item.near);
const drawPair = ([input, output, mark, why], words) => {
  const line = make("li", "");
  line.dir = "auto";
  if (input) line.append(make("span", "input", ...marked(input, words)));
  if (output) line.append(make("span", "arrow", " → "), make("span", "output", ...marked(output, words)));
  if (mark) line.append(" ", make("span", `mark ${mark}`, mark));
  if (why) line.append(" ", make("span", "why", ...marked(why, words)));
  return line;
};

const kind = {
  item: ([id, place, text, facets, flags, why, pairs, [nearId, near, score]]) => {
    const all = [text, why, ...pairs.flatMap(([input, output, , because]) => [input, output, because])].join("\n");
    return { id, place, text, facets, flags, why, pairs, nearId, near, score, all: all.toLowerCase() };
  },
  scopes: {
    "": (item) => item.all,
    text: (item) => item.text.toLowerCase(),
    pairs: (item) => item.pairs.map(([input, output]) => `${input}\n${output}`).join("\n").toLowerCase(),
    near: (item) => nearestOf(item).toLowerCase(),
  },
  orders: () => ({
    near: (a, b) => (b.score ?? -1) - (a.score ?? -1),
    far: (a, b) => (a.score ?? 2) - (b.score ?? 2),
  }),
  fits: () => () => true,
  draw: (item, words) => {
    const text = make("p", "instruction", ...marked(item.text, words));
    text.dir = "auto";
    for (const flag of item.flags) text.append(" ", make("span", "flag", flag));
    text.append(" ", link(`#${item.id}`, "entry", item.id));
    const element = make("li", "", text);
    if (item.why) element.append(make("p", "why", ...marked(item.why, words)));
    if (item.pairs.length) {
      element.append(make("ul", "instances", ...item.pairs.map((pair) => drawPair(pair, words))));
    }
    if (item.score !== null) {
      const near = marked(nearestOf(item), words);
      const nearest = make("p", "nearest", make("span", "score", item.score.toFixed(2)), " nearest: ");
      nearest.append(...(item.nearId ? [link(`#${item.nearId}`, "", ...near)] : near));
      nearest.dir = "auto";
      element.append(nearest);
    }
    return element;
  },
  // The texts that an entry is the nearest of: those that were rejected for it among them.
  around: (item) => lists.flatMap((list) => list.items).filter((each) => each.nearId === item.id),
  aroundIs: "what it is nearest to",
  ofEntry: [],
};
