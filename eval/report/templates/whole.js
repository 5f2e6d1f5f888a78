// A page of all that a report shows a sample of. Its texts wait as JSON, in parts that are read one after the other, so
// that the first are there at once; only what is shown is in the document. What is searched for stands in the address.
// What an entry is, how it is searched, sorted and drawn, stands in `kind` (tasks.js, answers.js).
const STEP = 30;
const entries = new Map();  // name of an entry -> the entry
const lists = [...document.querySelectorAll(".browser")].map((section) => {
  const form = section.querySelector("form");
  return {
    section, form,
    name: section.dataset.list,
    total: Number(section.dataset.total),
    facets: [...form.querySelectorAll("[data-facet]")],
    status: section.querySelector("[role=status]"),
    all: section.querySelector(".all"),
    samples: section.querySelector(".samples"),
    more: section.querySelector("button"),
    systems: JSON.parse(section.dataset.systems),
    parts: [...document.querySelectorAll(`script[data-of="${section.dataset.list}"]`)],
    items: [], sorted: {}, found: [], words: [], shown: 0,
  };
});
let current = lists[0];
let alone;  // the entry that is shown by itself
let isWhole = false;  // whether all parts are read

const read = (list) => {
  const part = list.parts.shift();
  for (const row of JSON.parse(part.textContent)) {
    const item = kind.item(row);
    list.items.push(item);
    entries.set(item.id, item);
  }
  part.remove();
  list.sorted = {};
};

const orders = {
  run: (a, b) => a.place - b.place,
  long: (a, b) => b.text.length - a.text.length,
  short: (a, b) => a.text.length - b.text.length,
  name: (a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0),
};
const inOrder = (list, order) => {
  if (!order) return list.items;
  const of = (name) => orders[name] ?? kind.orders(list)[name];
  const key = list.systems.length ? `${order} ${list.form.elements.left.value} ${list.form.elements.right.value}` : order;
  return (list.sorted[key] ??= list.items.slice().sort(of(order)));
};

// Texts come into the document as text alone, never as markup.
const make = (name, className, ...children) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
};
const marked = (text, words) => {
  if (!words.length) return [text];
  const any = new RegExp(`(${words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|")})`, "giu");
  return text.split(any).map((piece, i) => (i % 2 ? make("mark", "", piece) : piece));
};
const link = (address, className, ...children) => {
  const element = make("a", className, ...children);
  element.href = address;
  return element;
};
const grow = (list) => {
  const next = list.found.slice(list.shown, list.shown + STEP);
  list.samples.append(...next.map((item) => kind.draw(item, list.words, list)));
  list.shown += next.length;
  list.more.hidden = list.shown >= list.found.length;
};
const number = (count) => count.toLocaleString("en");
const display = (list, found, words, said) => {
  Object.assign(list, { found, words, shown: 0 });
  list.samples.replaceChildren();
  grow(list);
  list.status.textContent = said;
};
const show = (list) => {
  const fields = list.form.elements;
  const words = wordsOf(fields.search.value);
  const scope = kind.scopes[fields.in.value];
  const textOf = (item) => scope(item, list);
  const isChosen = kind.fits(list);
  const fits = (item) => {
    if (!isChosen(item)) return false;
    if (!words.length) return true;
    const text = textOf(item);
    return words.every((word) => text.includes(word) || item.id === word);
  };
  let found = narrow(inOrder(list, fields.sort.value), list.facets, fits);
  if (words.length > 1 && !fields.sort.value) {  // who has the words as they were typed comes first
    const typed = fields.search.value.trim().toLowerCase();
    const exact = new Set(found.filter((item) => textOf(item).includes(typed)));
    found = [...exact, ...found.filter((item) => !exact.has(item))];
  }
  const searched = isWhole ? `all ${number(list.total)}` : `${number(list.items.length)} of ${number(list.total)}, reading on`;
  const told = found.length === list.total ? `${number(list.total)} texts.` :
    `${found.length ? number(found.length) : "No"} text${found.length > 1 ? "s fit" : " fits"}; searched ${searched}.`;
  list.all.hidden = true;
  display(list, found, words, told);
};
// An entry by itself, with those around it.
const showEntry = (list, item) => {
  const around = kind.around(item);
  const beside = around.length ? `, and below it ${kind.aroundIs}: ${number(around.length)}` : " alone";
  list.all.hidden = false;
  display(list, [item, ...around], [], `${item.id}${beside}.`);
};

const choose = (list) => {
  current = list;
  lists.forEach((each) => { each.section.hidden = each !== list; });
  for (const tab of document.querySelectorAll("nav a")) {
    if (tab.getAttribute("href") === `#list=${list.name}`) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
};
// What the address asks for: an entry (#task-17), or a list with what to search it for (#list=rejected&search=x).
// The entry named at the beginning of the address; what else it says (#ID&left=1&right=2) is the form's.
const askedEntry = () => {
  const first = location.hash.slice(1).split("&")[0];
  if (first.includes("=")) return "";
  try {
    return decodeURIComponent(first);
  } catch {
    return first;  // a lone per cent sign
  }
};
const fill = (list, words) => {
  narrow([], list.facets, () => true);
  for (const field of list.form.elements) {
    const value = words.get(field.name) ?? "";
    if (field.values && value && field.values.includes(value)) field.append(new Option(value, value));
    field.value = value;
    if (field.selectedIndex === -1) field.value = field.dataset.first ?? "";
  }
};
const follow = () => {
  const asked = askedEntry();
  const words = new URLSearchParams(location.hash.slice(1));
  alone = entries.get(asked);
  if (alone) {
    choose(lists.find((list) => list.items.includes(alone)));
    fill(current, words);
    showEntry(current, alone);
    return;
  }
  choose(lists.find((list) => list.name === words.get("list")) ?? lists[0]);
  fill(current, words);
  show(current);
  if (isWhole && asked) current.status.textContent = `There is no ${asked} here. ${current.status.textContent}`;
};
const remember = (list) => {
  const words = new URLSearchParams({ list: list.name });
  for (const field of list.form.elements) if (field.value) words.set(field.name, field.value);
  history.replaceState(null, "", `#${words}`);
};
const change = (list, field) => {
  if (alone && kind.ofEntry.includes(field)) {  // the same entry, seen otherwise
    history.replaceState(null, "", kind.address(alone, list));
    showEntry(list, alone);
    return;
  }
  alone = undefined;
  remember(list);
  show(list);
};

const pause = () => new Promise((resume) => { setTimeout(resume); });
const readAll = async () => {
  const others = lists.filter((list) => list !== current);
  for (const list of [current, ...others]) {
    while (list.parts.length) {
      read(list);
      await pause();
    }
  }
  isWhole = true;
  if (askedEntry()) {
    follow();
    return;
  }
  const { shown } = current;
  show(current);
  while (current.shown < shown && !current.more.hidden) grow(current);  // who scrolled meanwhile stays there
};

for (const list of lists) {
  let waiting;
  list.form.addEventListener("input", ({ target }) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change(list, target.name), 60);
  });
  list.form.addEventListener("submit", (event) => event.preventDefault());
  list.more.addEventListener("click", () => grow(list));
  new IntersectionObserver(([button]) => { if (button.isIntersecting) grow(list); }).observe(list.more);
  list.form.hidden = false;
}
addEventListener("hashchange", () => { follow(); scrollTo(0, 0); });
const first = new URLSearchParams(location.hash.slice(1)).get("list");
const named = lists.find((list) => list.name === first || location.hash.includes(`${list.name}-`));
choose(named ?? lists[0]);
read(current);
follow();
readAll();
