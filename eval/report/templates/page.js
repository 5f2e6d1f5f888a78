"use strict";
// The lists of samples: search, narrow, show more. Without this script the first of each list stand there.
for (const browser of document.querySelectorAll(".browser")) {
  const form = browser.querySelector("form");
  const search = browser.querySelector("input");
  const only = browser.querySelector("select");
  const more = browser.querySelector(":scope > button");
  const status = browser.querySelector(".status");
  const items = [...browser.querySelectorAll(".samples > li")];
  const texts = items.map((item) => item.textContent.toLowerCase().replace(/\s+/g, " "));
  const page = items.filter((item) => !item.hidden).length;
  let limit = page;

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    items.forEach((item, index) => {
      const fits = words.every((word) => texts[index].includes(word)) &&
        (!only.value || item.dataset.flags.includes(`|${only.value}|`));
      found += fits;
      item.hidden = !fits || found > limit;
    });
    more.hidden = found <= limit;
    status.textContent = found === 0 ? "No text fits." :
      `${Math.min(found, limit)} of ${found} texts that fit shown; ${items.length} in all.`;
  };
  const begin = () => { limit = page; show(); };
  search.addEventListener("input", begin);
  only.addEventListener("change", begin);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { limit += 20; show(); });
  form.hidden = false;
  more.hidden = items.length <= limit;
}
