"use strict";
// What the report and the page of all tasks share: the words of a search, and choices that can be combined.

// The words of a search, each of which must be there; those in quotes, also while the second is not typed yet, stay
// together.
const wordsOf = (text) => [...text.toLowerCase().matchAll(/"([^"]+)(?:"|$)|[^\s"]+/g)].map((found) => found[1] ?? found[0]);

// How the scores of the left and the right system can stand to each other.
const relations = {
  left: (a, b) => a > b,
  right: (a, b) => a < b,
  none: (a, b) => a === 0 && b === 0,
  full: (a, b) => a === 100 && b === 100,
};

// The items that fit all choices. Each select then offers only what the other choices have left, with how many.
const narrow = (items, selects, fits) => {
  const chosen = selects.map((select) => [Number(select.dataset.facet), select.value]);
  const counts = selects.map(() => new Map());
  const count = (place, item) => {
    const value = item.facets[chosen[place][0]];
    if (value) counts[place].set(value, (counts[place].get(value) || 0) + 1);
  };
  const found = [];
  for (const item of items) {
    let missed = 0, place = -1;
    chosen.forEach(([facet, value], i) => {
      if (value && item.facets[facet] !== value) { missed += 1; place = i; }
    });
    if (missed > 1 || !fits(item)) continue;
    if (missed) count(place, item);
    else {
      found.push(item);
      chosen.forEach((_, i) => count(i, item));
    }
  }
  selects.forEach((select, i) => offer(select, counts[i]));
  return found;
};

const offer = (select, counts) => {
  select.values ??= [...select.options].map((option) => option.value).filter(Boolean);
  const value = select.value;
  const values = select.values.filter((each) => counts.has(each) || each === value);
  select.replaceChildren(new Option("all", ""),
    ...values.map((each) => new Option(`${each} (${(counts.get(each) || 0).toLocaleString("en")})`, each)));
  select.value = value;
};

// Tables and drawings wider than the screen fade out at the side where there is more of them.
for (const box of document.querySelectorAll(".wide, .drawing, pre")) {
  const mark = () => {
    const rest = box.scrollWidth - box.clientWidth - box.scrollLeft;
    box.classList.toggle("more-left", box.scrollLeft > 1);
    box.classList.toggle("more-right", rest > 1);
  };
  box.addEventListener("scroll", mark, { passive: true });
  new ResizeObserver(mark).observe(box);
}
