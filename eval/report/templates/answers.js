// The entries of the page of all answers: a prompt, the right answers, and what two of the systems answered.
const sides = (list) => ["left", "right"].map((name) => Number(list.form.elements[name].value));
const drawAnswer = (list, item, side, words) => {
  const [text, score, asked] = item.answers[side];
  const whose = make("p", "whose", list.systems[side]);
  if (score !== null) whose.append(" ", make("span", "score", score.toFixed(0)));
  const output = make("p", "output", ...(text ? marked(text, words) : [make("i", "none", "(nothing)")]));
  output.dir = "auto";
  const answer = make("div", "answer", whose, output);
  if (asked) {
    const prompt = make("p", "output", ...marked(item.prompts[asked - 1], words));
    prompt.dir = "auto";
    const details = make("details", "", make("summary", "", "asked with another prompt"), prompt);
    details.open = words.some((word) => item.prompts[asked - 1].toLowerCase().includes(word));
    answer.append(details);
  }
  return answer;
};

const kind = {
  item: ([id, place, text, facets, references, answers, prompts]) => {
    const all = [text, ...references, ...answers.map(([answer]) => answer), ...prompts].join("\n").toLowerCase();
    return { id, place, text, facets, references, answers, prompts, all };
  },
  scopes: {
    "": (item) => item.all,
    text: (item) => [item.text, ...item.prompts].join("\n").toLowerCase(),
    right: (item) => item.references.join("\n").toLowerCase(),
    shown: (item, list) => sides(list).map((side) => item.answers[side][0]).join("\n").toLowerCase(),
  },
  orders: (list) => {
    const [left, right] = sides(list);
    const gain = ({ answers }) => answers[right][1] - answers[left][1];
    return { gain: (a, b) => gain(b) - gain(a), loss: (a, b) => gain(a) - gain(b) };
  },
  fits: (list) => {
    const relation = relations[list.form.elements.where?.value];
    const [left, right] = sides(list);
    return ({ answers }) => !relation || relation(answers[left][1], answers[right][1]);
  },
  draw: (item, words, list) => {
    const text = make("p", "instruction", ...marked(item.text, words));
    text.dir = "auto";
    const right = make("p", "nearest");
    right.dir = "auto";
    if (item.references.length) {
      right.append("right: ", make("span", "output", ...marked(item.references.join(" / "), words)), " ");
    }
    right.append(link(kind.address(item, list), "entry", item.id));
    const element = make("li", "", text, right);
    const shown = [...new Set(sides(list))].map((side) => drawAnswer(list, item, side, words));
    element.append(make("div", "answers", ...shown));
    return element;
  },
  around: () => [],
  // What of the form belongs to an entry by itself, and the address of both.
  ofEntry: ["left", "right"],
  address: (item, list) => {
    const [left, right] = sides(list);
    return `#${encodeURIComponent(item.id)}&left=${left}&right=${right}`;
  },
};
