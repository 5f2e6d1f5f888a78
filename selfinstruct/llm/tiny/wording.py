"""How tasks are put into words: `write_wording` draws one of very many, `read_wording` reads them back."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import cache
from random import Random

from selfinstruct.llm.tiny.phrases import Phrases
from selfinstruct.llm.tiny.phrases_of_lists import OF_LISTS
from selfinstruct.llm.tiny.phrases_of_sentences import OF_SENTENCES
from selfinstruct.llm.tiny.phrases_of_texts import OF_TEXTS
from selfinstruct.llm.tiny.phrases_of_words import OF_WORDS
from selfinstruct.llm.tiny.words import TYPE_PLURALS, TYPES, a

ALL_PHRASES: dict[str, Phrases] = OF_LISTS | OF_WORDS | OF_SENTENCES | OF_TEXTS

# {g} names the input, {d} says what to do, {a} names the answer; upper case begins a sentence.
FRAMES: tuple[str, ...] = (
    "{D}.",
    "Please {d}.",
    "{D}, please.",
    "Your task is to {d}.",
    "Can you {d}?",
    "I want you to {d}.",
    "Try to {d}.",
    "What you have to do is {d}.",
    "Given {g}, {d}.",
    "You are given {g}. {D}.",
    "You get {g}. {D}.",
    "You will see {g}. {D}.",
    "You read {g}. {D}.",
    "You may get {g}. {D}.",
    "Each input shows {g}. {D}.",
    "You see {g}. Your task is to {d}.",
    "Read {g}. Then {d}.",
    "Read {g} and {d}.",
    "Look at {g} and {d}.",
    "Take {g} and {d}.",
    "Here is {g}. {D}.",
    "I have {g}. Please {d}.",
    "I give you {g}, and you {d}.",
    "The input is {g}. {D}.",
    "The input is {g}, and you should {d}.",
    "For {g}, {d}.",
    "With {g} as the input, {d}.",
    "{D}. You get {g}.",
    "{D}. The input is {g}.",
    "{D} when you are given {g}.",
    "Your task is to {d}. You are given {g}.",
    "Each input is {g}. Your task is to {d}.",
    "When you see {g}, {d}.",
    "If you see {g}, {d}.",
    "In {g}, find {a}.",
    "What is {a}?",
    "Find {a}.",
    "Tell me {a}.",
    "Answer with {a}.",
    "I want to know {a}.",
    "Can you tell me {a}?",
    "Read {g} and answer with {a}.",
    "Given {g}, find {a}.",
    "Given {g}, what is {a}?",
    "You are given {g}. Answer with {a}.",
    "You are given {g}. What is {a}?",
    "From {g}, get {a}.",
    "The answer is {a}. The input is {g}.",
    "The input is {g} and the answer is {a}.",
    "You get {g}. Your answer should be {a}.",
    "Here is {g}. Tell me {a}.",
    "Look at {g}. {D}, so that your answer is {a}.",
    "You are given {g}. {D}. The answer is {a}.",
)
SHORT_FRAMES: tuple[str, ...] = tuple(frame for frame in FRAMES if frame.count("{") == 1)
_SLOT = re.compile(r"\{([gdaDGA])\}")
_TYPE_WORDS = {word: t for t in TYPES for word in (t, TYPE_PLURALS[t])}
_ANY_TYPE = re.compile(r"\b(?:(an?) )?(" + "|".join(sorted(_TYPE_WORDS, key=len, reverse=True)) + r")\b")


def expand(phrase: str) -> Iterator[str]:
    """Every reading of a phrase with choices: `[a|b] c` gives `a c` and `b c`; choices may be nested."""
    found = re.search(r"\[([^\[\]]*)\]", phrase)
    if not found:
        yield re.sub(r" +([,:]|$)|(^| ) +", r"\1\2", phrase)
        return
    for choice in found[1].split("|"):
        yield from expand(phrase[: found.start()] + choice + phrase[found.end() :])


def _choose(phrase: str, rng: Random) -> str:
    """One random reading of a phrase."""
    while found := re.search(r"\[([^\[\]]*)\]", phrase):
        phrase = phrase[: found.start()] + rng.choice(found[1].split("|")) + phrase[found.end() :]
    return next(expand(phrase))


def name_types(text: str, word_type: str) -> str:
    """Put the names of the task's type (or two types) into a phrase."""
    t, _, u = word_type.partition("+")
    for slot, kind in (("t", t), ("u", u)):
        if kind:
            text = (
                text.replace(f"{{{slot}s}}", TYPE_PLURALS[kind])
                .replace(f"{{a_{slot}}}", a(kind))
                .replace(f"{{{slot}}}", kind)
            )
    return text


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _fill(frame: str, filled: dict[str, str]) -> str:
    def put(found: re.Match[str]) -> str:
        return _upper(filled[found[1]]) if found[1].isupper() else filled[found[1]]

    return _SLOT.sub(put, frame)


def _label_phrase(labels: tuple[str, ...]) -> str:
    return f"{', '.join(labels[:-1])} or {labels[-1]}" if labels else ""


def write_wording(operation: str, word_type: str, labels: tuple[str, ...], rng: Random) -> str:
    """A random instruction for an operation on a word type."""
    phrases = ALL_PHRASES[operation]
    slots = {"g": phrases.given, "d": phrases.do, "a": phrases.answer}
    while True:
        frame = rng.choice(SHORT_FRAMES if rng.random() < 0.4 else FRAMES)
        used = _SLOT.findall(frame)
        if not all(slots[slot.lower()] for slot in used):
            continue
        filled = {slot: _choose(rng.choice(slots[slot.lower()]), rng) for slot in used}
        if word_type and not any("{" in text for text in filled.values()):
            continue  # the instruction would not say which word type it is about
        text = _fill(frame, filled)
        if phrases.close and rng.random() < (0.75 if labels else 0.25):
            closing = _choose(rng.choice(phrases.close), rng).replace("{labels}", _label_phrase(labels))
            text = f"{closing} {text}" if rng.random() < 0.1 else f"{text} {closing}"
        text = name_types(text, word_type)
        if len(text.split()) > 3:
            return text


# ---------------------------------------------------------------------------- reading back


@cache
def _lexicon() -> dict[str, dict[str, frozenset[str]]]:
    """slot -> phrase with the type left open -> operations that use it there"""
    lexicon: dict[str, dict[str, set[str]]] = {"g": {}, "d": {}, "a": {}, "close": {}}
    for operation, phrases in ALL_PHRASES.items():
        for slot, options in (
            ("g", phrases.given),
            ("d", phrases.do),
            ("a", phrases.answer),
            ("close", phrases.close),
        ):
            for text in itertools.chain.from_iterable(map(expand, options)):
                lexicon[slot].setdefault(text, set()).add(operation)
    return {
        slot: {text: frozenset(names) for text, names in table.items()} for slot, table in lexicon.items()
    }


_FRAME_PARTS = [
    (
        _SLOT.split(frame)[::2],
        [slot.lower() for slot in _SLOT.findall(frame)],
        [slot.isupper() for slot in _SLOT.findall(frame)],
    )
    for frame in FRAMES
]


def _fit(text: str, literals: list[str], slots: list[str], upper: list[bool]) -> Iterator[frozenset[str]]:
    """The operations for which `text` is this frame with its slots filled."""
    if not text.startswith(literals[0]):
        return
    text = text[len(literals[0]) :]
    if not slots:
        if not text:
            yield frozenset(ALL_PHRASES)
        return
    table = _lexicon()[slots[0]]
    start = 0
    while (end := text.find(literals[1], start)) >= 0:
        filler = text[:end]
        names = table.get(filler[:1].lower() + filler[1:] if upper[0] else filler)
        if names and (not upper[0] or filler[:1].isupper()):
            for rest in _fit(text[end:], literals[1:], slots[1:], upper[1:]):
                yield names & rest
        start = end + 1


def _open_types(text: str) -> tuple[str, list[str]]:
    """The text with its type names left open, and the types named, in order."""
    types: list[str] = []

    def leave_open(found: re.Match[str]) -> str:
        kind = _TYPE_WORDS[found[2]]
        if kind not in types:
            types.append(kind)
        slot = "tu"[min(types.index(kind), 1)]
        article = found[1]
        if article and found[2] == kind and article == a(kind).split()[0]:
            return f"{{a_{slot}}}"
        return (f"{article} " if article else "") + (f"{{{slot}}}" if found[2] == kind else f"{{{slot}s}}")

    return _ANY_TYPE.sub(leave_open, text), types


def _split_closing(text: str) -> Iterator[tuple[str, str]]:
    """(instruction, closing sentence), for each way to part them"""
    yield text, ""
    for found in re.finditer(r"(?<=[.?]) (?=[A-Z])", text):
        yield text[: found.start()], text[found.end() :]
        yield text[found.end() :], text[: found.start()]


def read_wording(instruction: str, labels: dict[tuple[str, str], tuple[str, ...]]) -> tuple[str, str] | None:
    """The (operation, word type) an instruction asks for, or None when it is no wording of the world.

    `labels` holds every task that exists, with its labels: a closing sentence must name the labels of its
    task.
    """
    text, types = _open_types(" ".join(instruction.split()))
    found: set[tuple[str, str]] = set()
    for body, closing in _split_closing(text):
        for parts in _FRAME_PARTS:
            for names in _fit(body, *parts):
                for name in names:
                    task = (name, "+".join(types))
                    if task in labels and _closes(closing, name, types, labels[task]):
                        found.add(task)
    return found.pop() if len(found) == 1 else None


def _closes(closing: str, operation: str, types: list[str], labels: tuple[str, ...]) -> bool:
    if not closing:
        return True
    phrase = _label_phrase(("{t}", "{u}") if len(types) == 2 else labels)
    if phrase:
        closing = closing.replace(phrase, "{labels}")
    return operation in _lexicon()["close"].get(closing, ())


# ---------------------------------------------------------------------------- why an instruction was not read


def why_not_read(instruction: str) -> str:
    """For people: what of an instruction that `read_wording` could not read is none of the world's."""
    text, types = _open_types(" ".join(instruction.split()))
    if len(types) > 2:
        return f"it names {len(types)} kinds of things ({', '.join(types)}), and a task is about one or two"
    parts = max((_known_parts(body) for body, _ in _split_closing(text)), key=_known_words)
    known = {part: names for part, names in parts.items() if names}
    shown = {part: f"“{name_types(part, '+'.join(types))}”" for part in parts}
    if not known:
        return "no part of it is a wording of the world's tasks"
    if len(known) < len(parts):
        unknown = next(part for part in parts if part not in known)
        return f"no task of the world is worded {shown[unknown]}"
    if not frozenset.intersection(*known.values()):
        return f"its parts are of different tasks: {' and '.join(shown[part] for part in known)}"
    return "its parts are known, but no task of the world has all of them"


def _known_parts(text: str) -> dict[str, frozenset[str]]:
    """What fills the slots of the frame that fits best, with the operations that are worded so."""
    best: dict[str, frozenset[str]] = {}
    for literals, slots, upper in _FRAME_PARTS:
        found = re.fullmatch("(.+?)".join(map(re.escape, literals)), text)
        if found:
            fillers = (
                filler[:1].lower() + filler[1:] if is_upper else filler
                for filler, is_upper in zip(found.groups(), upper, strict=True)
            )
            parts = {
                filler: _lexicon()[slot].get(filler, frozenset())
                for filler, slot in zip(fillers, slots, strict=True)
            }
            best = max(best, parts, key=_known_words)
    return best


def _known_words(parts: dict[str, frozenset[str]]) -> int:
    return sum(len(part.split()) for part, names in parts.items() if names)
