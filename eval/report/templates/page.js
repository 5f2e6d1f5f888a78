// The lists: search, narrow, sort, choose whose answers stand side by side, show more. Only what is shown is in the
// document; the rest waits in a template. Without this script the first of each list stand there.
for (const browser of document.querySelectorAll(".browser")) {
  const form = browser.querySelector("form");
  const search = browser.querySelector("input");
  const facets = [...browser.querySelectorAll("[data-facet]")];
  const [left, right] = browser.querySelectorAll("[data-side]");
  const where = browser.querySelector("[data-where]");
  const sort = browser.querySelector("[data-sort]");
  const list = browser.querySelector(".samples");
  const more = browser.querySelector(":scope > button");
  const status = browser.querySelector(".status > span");
  const whole = browser.querySelector(".status > a");
  const total = Number(browser.dataset.total);
  const page = list.children.length;
  const items = [...list.children, ...browser.querySelector("template").content.children].map((element) => ({
    element,
    facets: JSON.parse(element.dataset.facets),
    near: Number(element.dataset.near || 0),
    place: Number(element.dataset.place || 0),
    answers: [...element.querySelectorAll(".answer")],
    get text() {  // made at the first search: most pages are never searched
      const copy = this.element.cloneNode(true);
      copy.querySelector(".entry")?.remove();
      const text = copy.textContent.toLowerCase().replace(/\s+/g, " ");
      Object.defineProperty(this, "text", { value: text });
      return text;
    },
  }));
  const searched = items.length < total
    ? `the sample of ${items.length.toLocaleString("en")} out of ${total.toLocaleString("en")}`
    : `all ${total.toLocaleString("en")}`;
  let limit = page;

  const scores = (item) => [left, right].map((side) => Number(item.answers[side.value].dataset.score));
  const orders = { near: (a, b) => b.near - a.near, run: (a, b) => a.place - b.place };
  const arrange = (item) => {
    const chosen = [left, right].map((side) => item.answers[side.value]);
    item.answers.forEach((answer) => { answer.hidden = !chosen.includes(answer); });
    chosen[0].parentElement.prepend(...new Set(chosen));
  };
  const linkWhole = () => {  // to the page of all of them, with what was searched for here
    const given = [["search", search.value], ...facets.map((facet) => [facet.name, facet.value])];
    const words = given.filter(([, value]) => value).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    whole.href = [whole.dataset.whole, ...words].join("&");
  };

  const show = () => {
    const words = wordsOf(search.value);
    const found = narrow(items, facets, (item) =>
      (!where?.value || relations[where.value](...scores(item))) && words.every((word) => item.text.includes(word)));
    if (sort?.value) found.sort(orders[sort.value]);
    const shown = found.slice(0, limit);
    if (left) shown.forEach(arrange);
    list.replaceChildren(...shown.map((item) => item.element));
    more.hidden = found.length <= limit;
    status.textContent = found.length === 0 ? `No text fits; searched ${searched}.` :
      `${shown.length} of ${found.length} texts that fit shown; searched ${searched}.`;
    if (whole) linkWhole();
  };
  const begin = () => { limit = page; show(); };
  form.addEventListener("input", begin);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { limit += 20; show(); });
  form.reset();  // a browser that comes back to the page keeps what was typed, but not what was shown
  narrow(items, facets, () => true);
  form.hidden = false;
  more.hidden = items.length <= limit;
  if (left) items.slice(0, page).forEach(arrange);
}
