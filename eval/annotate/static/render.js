// Shows a model's text with its code, tables, lists and headings. Only createElement and text nodes: whatever
// the text holds, it stays text; there are no links, no images and no HTML.
"use strict";

function el(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

const BULLET = /^(\s*)[-*+•]\s+(.*)$/;
const NUMBER = /^(\s*)(\d{1,9})[.)]\s+(.*)$/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const FENCE = /^\s*(```+|~~~+)/;
const RULE = /^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$/;

function inline(parent, text) {
  // `code` and **bold**, nothing nested.
  for (const part of text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*)/)) {
    if (/^`[^`]+`$/.test(part)) parent.append(el("code", "", part.slice(1, -1)));
    else if (/^\*\*[^*]+\*\*$/.test(part)) parent.append(el("b", "", part.slice(2, -2)));
    else if (part) parent.append(part);
  }
  return parent;
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
}

function table(lines) {
  const node = el("table");
  lines.forEach((line, index) => {
    if (index === 1) return; // the rule below the head
    const row = el("tr");
    for (const cell of cells(line)) row.append(inline(el(index ? "td" : "th"), cell));
    node.append(row);
  });
  const box = el("div", "wide");
  box.append(node);
  return box;
}

function list(lines, pattern) {
  const node = el(pattern === NUMBER ? "ol" : "ul");
  for (const line of lines) {
    const found = line.match(pattern);
    const item = el("li");
    if (pattern === NUMBER) item.value = Number(found[2]);
    if (found[1].length > 1) item.className = "deeper";
    node.append(inline(item, found[found.length - 1]));
  }
  return node;
}

function rendered(text) {
  const box = el("div", "text formatted");
  box.dir = "auto";
  const lines = text.replace(/\r\n?/g, "\n").replace(/^\n+|\s+$/g, "").replace(/^ (?! )/, "").split("\n");
  let paragraph = [];
  const flush = () => {
    if (paragraph.length) box.append(inline(el("p"), paragraph.join("\n")));
    paragraph = [];
  };
  for (let i = 0; i < lines.length; ) {
    const line = lines[i];
    const fence = line.match(FENCE);
    const take = (test) => {
      const from = i;
      while (i < lines.length && test(lines[i])) i++;
      return lines.slice(from, i);
    };
    if (fence) {
      flush();
      i++;
      const code = take((next) => !next.trim().startsWith(fence[1]));
      i++;
      box.append(el("pre", "code", code.join("\n")));
    } else if (HEADING.test(line)) {
      flush();
      box.append(inline(el("h4"), line.match(HEADING)[2]));
      i++;
    } else if (line.includes("|") && i + 1 < lines.length && lines[i + 1].includes("|") && RULE.test(lines[i + 1])) {
      flush();
      box.append(table(take((next) => next.includes("|"))));
    } else if (BULLET.test(line) || NUMBER.test(line)) {
      flush();
      const pattern = BULLET.test(line) ? BULLET : NUMBER;
      box.append(list(take((next) => pattern.test(next)), pattern));
    } else {
      if (line.trim()) paragraph.push(line);
      else flush();
      i++;
    }
  }
  flush();
  return box;
}

function plain(text) {
  const box = el("pre", "text plain", text);
  box.dir = "auto";
  return box;
}
