// The rating page. A rating counts as saved when the server has answered, which it does after the disk has it;
// until then the page stays where it is and tries again.
"use strict";

const KEY = decodeURIComponent(location.hash.slice(1));
const RETRY_MS = 1000;
const LEVELS = { A: "Valid, satisfying", B: "Minor flaws", C: "Significant errors", D: "Irrelevant, invalid", yes: "Yes", no: "No" };
const QUESTIONS = {
  valid_task: "Does the instruction describe a valid task?",
  appropriate_input: "Is the input appropriate for the instruction?",
  acceptable_output: "Is the output an acceptable response?",
};
const $ = (id) => document.getElementById(id);

// A browser that keeps nothing (private windows) is no reason to fail.
function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // then it is asked for again next time
  }
}

let state = null; // progress, as the server tells it
let item = null; // what is shown; null: the end
let focus = 0; // the marked slot
let shownAt = 0; // when the item came: keys pressed before that were not meant for it
let formatted = remembered("view") !== "plain";
let referenceOpen = false;
let whole = false; // whether a long input is shown to its end
let waiting = false; // for a server that does not answer
let work = Promise.resolve(); // what was asked for is done one after the other

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
}

function alertText(text) {
  $("alert").textContent = text || "";
  $("alert").hidden = !text;
}

async function ask(path, body) {
  const options = { headers: { "X-Rater-Key": encodeURIComponent(KEY) } };
  if (body) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify({ list: state.list, ...body });
  }
  for (;;) {
    let problem = "The server does not answer.";
    try {
      const answer = await fetch(path, options);
      const found = await answer.json();
      if (answer.ok) {
        if (waiting) alertText("");
        waiting = false;
        return found;
      }
      problem = typeof found.detail === "string" ? found.detail : "The server did not understand the page.";
      if (answer.status < 500) throw new Refused(problem);
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    waiting = true;
    const unsaved = body ? "Your last step is NOT saved yet. " : "";
    alertText(`${problem} ${unsaved}Leave this page open: it tries again every second.`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

class Refused extends Error {}

// Steps run in order. One asked for before its item was on the screen, or while the server is away, is dropped.
function step(action) {
  const asked = performance.now();
  if (waiting) return;
  work = work.then(() => (asked < shownAt ? undefined : action())).catch((error) => {
    alertText(error instanceof Refused ? error.message : `The page failed: ${error.message}. Reload it.`);
  });
}

function saved(text) {
  $("saved").textContent = text;
}

// --- moving -----------------------------------------------------------------------------------------------

function nextOpen(after) {
  const status = state.status;
  for (const kind of ["o", "s"]) {
    const ahead = status.indexOf(kind, after + 1);
    const found = ahead >= 0 ? ahead : status.indexOf(kind);
    if (found >= 0 && found !== after) return found;
  }
  return "os".includes(status[after]) && after >= 0 ? after : -1;
}

async function show(position, slot) {
  if (position < 0 || position >= state.status.length) item = null;
  else item = await ask(`api/items/${position}`);
  referenceOpen = false;
  whole = false;
  const open = item ? item.slots.findIndex((each) => each.rating === null) : 0;
  focus = slot ?? Math.max(open, 0);
  draw();
  window.scrollTo(0, 0);
  shownAt = performance.now();
}

function move(by) {
  step(async () => {
    const from = item ? item.position : state.status.length;
    const to = from + by;
    if (to >= 0 && to < state.status.length) await show(to);
    else if (by > 0) await show(-1);
  });
}

function mark(slot) {
  if (!item || slot < 0 || slot >= item.slots.length) return;
  focus = slot;
  drawFocus(true);
}

// --- doing ------------------------------------------------------------------------------------------------

async function send(slot, rating, note) {
  const before = item.slots[slot];
  $("saved").textContent = "Saving…";
  state = await ask("api/rating", { id: newId(), position: item.position, slot, rating, note });
  before.rating = rating;
  before.note = note;
}

function rate(slot, rating) {
  step(async () => {
    if (!item) return;
    slot ??= focus;
    const wasOpen = item.slots.some((each) => each.rating === null);
    await send(slot, rating, item.slots[slot].note);
    const name = `Item ${item.position + 1}: ${item.slots.map((each) => each.rating ?? "–").join(" ")}`;
    saved(`Saved. ${name}`);
    const later = item.slots.findIndex((each, index) => index > slot && each.rating === null);
    const open = later >= 0 ? later : item.slots.findIndex((each) => each.rating === null);
    if (open < 0 && wasOpen) return show(nextOpen(item.position));
    focus = open >= 0 ? open : slot;
    draw();
    drawFocus(true);
  });
}

function saveNote(shown, slot, note) {
  step(async () => {
    if (item !== shown || note === item.slots[slot].note) return;
    await send(slot, item.slots[slot].rating, note);
    saved("Note saved.");
    drawProgress();
  });
}

function skip() {
  step(async () => {
    if (!item) return;
    saved("Saving…");
    const { position } = item;
    state = await ask("api/skip", { id: newId(), position });
    saved(`Item ${position + 1} comes again after the others.`);
    const to = nextOpen(position);
    await show(to >= 0 ? to : -1);
  });
}

function undo() {
  step(async () => {
    saved("Saving…");
    state = await ask("api/undo", { id: newId() });
    saved(state.position === null ? "Nothing to undo." : `Undone: item ${state.position + 1}.`);
    if (state.position !== null) await show(state.position, state.slot);
  });
}

// --- drawing ----------------------------------------------------------------------------------------------

function body(text, empty) {
  if (!text.trim()) return el("p", "empty", empty);
  return formatted ? rendered(text) : plain(text);
}

function part(title, text, empty, className) {
  const box = el("section", `part ${className || ""}`);
  box.append(el("h2", "", title), body(text, empty));
  if (className) {
    // A long text is cut short, so that the answers are near; the button shows where it is cut.
    const button = el("button", "whole");
    button.type = "button";
    button.hidden = true;
    button.addEventListener("click", toggleWhole);
    box.append(button);
  }
  return box;
}

function drawWhole() {
  for (const box of document.querySelectorAll(".part.input, .part.output")) {
    const text = box.querySelector(".text");
    if (!text) continue;
    box.classList.remove("cut");
    const button = box.querySelector(".whole");
    button.hidden = text.scrollHeight <= 0.45 * window.innerHeight;
    box.classList.toggle("cut", !button.hidden && !whole);
    button.replaceChildren(el("kbd", "", "L"), whole ? " Show less" : " Show all of it");
  }
}

function toggleWhole() {
  whole = !whole;
  drawWhole();
}

function reference() {
  const box = el("details", "part reference");
  box.open = referenceOpen;
  const title = el("summary");
  title.append(el("kbd", "", "T"), " Reference answer (one of many that could be right)");
  box.append(title, body(item.reference, "(empty)"));
  box.addEventListener("toggle", () => (referenceOpen = box.open));
  return box;
}

function ratingButtons(slot, index) {
  const row = el("div", "ratings");
  slot.choices.forEach((choice, place) => {
    const button = el("button", `rating ${choice}`);
    button.type = "button";
    button.setAttribute("aria-pressed", String(slot.rating === choice));
    const letter = slot.choices.length > 2 ? choice : "YN"[place];
    button.append(el("kbd", "", letter), el("span", "", LEVELS[choice]));
    button.addEventListener("click", () => rate(index, choice));
    row.append(button);
  });
  return row;
}

function noteOf(slot, index) {
  const shown = item; // a note typed here must never end up on another item
  const box = el("div", "note");
  const area = el("textarea");
  area.value = slot.note;
  area.rows = 2;
  area.maxLength = 20000;
  area.placeholder = "A note (Esc saves it)";
  area.setAttribute("aria-label", `note on answer ${index + 1}`);
  area.hidden = !slot.note;
  const button = el("button", "quiet");
  button.type = "button";
  button.append(el("kbd", "", "M"), " Note");
  button.hidden = !area.hidden;
  button.addEventListener("click", () => openNote(index));
  area.addEventListener("blur", () => {
    saveNote(shown, index, area.value.trim());
    area.hidden = !area.value.trim();
    button.hidden = !area.hidden;
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      area.blur();
    }
  });
  box.append(button, area);
  return box;
}

function openNote(index) {
  mark(index);
  const box = document.querySelectorAll(".slot")[index].querySelector(".note");
  box.querySelector("button").hidden = true;
  box.querySelector("textarea").hidden = false;
  box.querySelector("textarea").focus();
}

function slotCard(slot, index) {
  const card = el("section", "slot");
  const isAnswer = slot.text !== null;
  const several = item.slots.length > 1;
  const title = isAnswer ? (several ? `Answer ${index + 1} of ${item.slots.length}` : "Answer") : QUESTIONS[slot.question];
  card.append(el("h2", "", title));
  if (isAnswer) card.append(body(slot.text, "(the answer is empty)"));
  if (slot.given.length) {
    const given = el("p", "given", "Given: ");
    for (const rating of slot.given) given.append(el("b", `level ${rating}`, rating), " ");
    card.append(given);
    for (const note of slot.notes) card.append(el("p", "given", `Note: ${note}`));
  }
  card.append(ratingButtons(slot, index), noteOf(slot, index));
  card.addEventListener("click", (event) => {
    if (!event.target.closest("button, textarea, summary")) mark(index);
  });
  return card;
}

function draw() {
  const main = $("main");
  main.replaceChildren();
  drawProgress();
  if (!item) {
    const open = [...state.status].filter((each) => each !== "d").length;
    main.append(el("h1", "", open ? `The end of the list; ${open} items are still open` : "All items are rated. Thank you!"));
    const hint = open ? "Press O (or tap below) to go to the first of them." : "You can close this page, or go back with P and change a rating.";
    main.append(el("p", "end", hint));
    if (open) {
      const button = el("button", "", "First open item");
      button.type = "button";
      button.addEventListener("click", firstOpen);
      main.append(button);
    }
    return;
  }
  const task = el("div", "task");
  task.append(part("Instruction", item.instruction, "(empty)"));
  if (item.input.trim() || item.output !== null) task.append(part("Input", item.input, "(no input)", "input"));
  if (item.output !== null) task.append(part("Output", item.output, "(empty)", "output"));
  if (item.reference !== null) task.append(reference());
  const slots = el("div", `slots of-${Math.min(item.slots.length, 3)}${item.output === null ? "" : " questions"}`);
  item.slots.forEach((slot, index) => slots.append(slotCard(slot, index)));
  main.append(task, slots);
  drawWhole();
  drawFocus(false);
}

function drawFocus(scroll) {
  document.querySelectorAll(".slot").forEach((card, index) => {
    card.classList.toggle("marked", index === focus);
    if (index === focus && scroll) card.scrollIntoView({ block: "nearest" });
  });
}

function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function drawProgress() {
  const total = state.status.length;
  const done = [...state.status].filter((each) => each === "d").length;
  $("bar").max = Math.max(total, 1);
  $("bar").value = done;
  const where = item ? `Item ${item.position + 1} of ${total}` : `${total} items`;
  const pace = state.pace_seconds;
  const left = pace && done < total ? `, about ${duration(pace * (total - done))} left` : "";
  $("progress").textContent = `${where} · ${done} ${state.mode === "adjudicate" ? "decided" : "rated"}${pace ? ` · ${duration(pace)} an item${left}` : ""}`;
  $("view-name").textContent = formatted ? "formatted" : "plain";
  $("undo").disabled = !state.can_undo;
}

function firstOpen() {
  step(() => show(nextOpen(-1)));
}

// --- keys -------------------------------------------------------------------------------------------------

function letterOf(event) {
  // Of another script's keyboard, the key that stands where a Latin one would.
  if (/^[\x20-\x7e]$/.test(event.key)) return event.key.toLowerCase();
  return /^Key[A-Z]$/.test(event.code) && event.key.length === 1 ? event.code[3].toLowerCase() : event.key;
}

function choiceOf(letter) {
  const choices = item.slots[focus].choices;
  if (/^[1-9]$/.test(letter)) return choices[Number(letter) - 1];
  return choices.find((choice) => choice[0].toLowerCase() === letter);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLTextAreaElement) return;
  const letter = letterOf(event);
  const rubric = $("rubric");
  if (letter === "r" || letter === "?") {
    if (rubric.open) rubric.close();
    else rubric.showModal();
    return event.preventDefault();
  }
  if (rubric.open || event.repeat || !state) return; // a key held down rates one answer, not many
  const choice = item ? choiceOf(letter) : undefined;
  if (choice) rate(null, choice);
  else {
    const moves = {
      ArrowRight: () => move(1), n: () => move(1), ArrowLeft: () => move(-1), p: () => move(-1),
      ArrowDown: () => mark(focus + 1), ArrowUp: () => mark(focus - 1), s: skip, u: undo, o: firstOpen,
      m: () => step(() => item && openNote(focus)), v: toggleView, t: toggleReference, l: toggleWhole,
    };
    const action = moves[letter];
    if (!action) return;
    action();
  }
  event.preventDefault();
}

function toggleView() {
  formatted = !formatted;
  remember("view", formatted ? "formatted" : "plain");
  draw();
}

function toggleReference() {
  const box = document.querySelector(".reference");
  if (box) box.open = !box.open;
}

async function start() {
  state = await ask("api/state");
  const isReview = state.scale === "review";
  document.body.classList.add(isReview ? "review" : "rate");
  $("keys").textContent = isReview ? "Y N answer · ↑ ↓ question · M note" : "A B C D or 1–4 rate · ↑ ↓ answer · M note";
  if (state.mode === "adjudicate") document.title = "Deciding";
  document.addEventListener("keydown", onKey);
  $("back").addEventListener("click", () => move(-1));
  $("next").addEventListener("click", () => move(1));
  $("skip").addEventListener("click", skip);
  $("undo").addEventListener("click", undo);
  $("show-view").addEventListener("click", toggleView);
  $("show-rubric").addEventListener("click", () => $("rubric").showModal());
  await show(nextOpen(-1));
  const hint = narrow() ? "New here? See Rubric." : "New here? R shows the rubric.";
  if (!/[ds]/.test(state.status)) saved(state.mode === "adjudicate" ? "The raters differ: what you decide counts." : hint);
}

function narrow() {
  return window.matchMedia("(max-width: 40rem)").matches;
}

window.addEventListener("resize", () => item && drawWhole());
window.addEventListener("hashchange", () => location.reload());
start().catch((error) => alertText(error instanceof Refused ? error.message : `The page failed: ${error.message}`));
