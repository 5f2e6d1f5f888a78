"""What people of the little world say: acts of a talk, replies and opinions, each with its label."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from selfinstruct.llm.tiny.words import TYPE_OF, draw_fact, the

Draw = Callable[[str, Random], str]
Solve = Callable[[str, str], "str | None"]

ACTS: dict[str, tuple[str, ...]] = {
    "greeting": (
        "Hello {name}, {thing} is here.",
        "Good morning {name}, {thing} is here.",
        "Hello {name}, I like {thing}.",
    ),
    "question": ("Do you see {thing}?", "Where is {thing}?", "Do you like {thing}, {name}?"),
    "request": ("Please show me {thing}.", "Please show {thing} to {name}.", "Help me find {thing}, please."),
    "thanks": ("Thank you for {thing}.", "Thank you for {thing}, {name}.", "Many thanks for {thing}."),
}
REPLIES: dict[str, tuple[str, ...]] = {
    "agree": (
        "Yes, I will {verb} {thing}.",
        "Yes, {name}, I will {verb} {thing}.",
        "Of course I will {verb} {thing}.",
    ),
    "refuse": (
        "No, I will not {verb} {thing}.",
        "Sorry, {name}, I will not {verb} {thing}.",
        "I will never {verb} {thing}.",
    ),
}
FEELINGS: dict[str, tuple[str, ...]] = {
    "positive": (
        "I love {thing}.",
        "{name} says {thing} is great.",
        "How nice {thing} is!",
        "What I see of {thing} is lovely.",
    ),
    "negative": (
        "I hate {thing}.",
        "{name} says {thing} is awful.",
        "How ugly {thing} is!",
        "What I see of {thing} is terrible.",
    ),
}


def draw_and_label(forms: dict[str, tuple[str, ...]]) -> tuple[Draw, Solve]:
    """Draw one of the forms of a random label, and name the label of a text."""
    patterns = {
        label: re.compile(
            "|".join(
                re.escape(form)
                .replace(r"\{name\}", r"[A-Z]\w+")
                .replace(r"\{verb\}", r"[a-z]+")
                .replace(r"\{thing\}", r"(?:the )?(\w+)")
                for form in options
            )
        )
        for label, options in forms.items()
    }

    def draw(word_type: str, rng: Random) -> str:
        fact = draw_fact(word_type, rng)
        form = rng.choice(forms[rng.choice(list(forms))])
        return form.format(name=fact.name, verb=fact.verb, thing=the(fact.word))

    def solve(word_type: str, text: str) -> str | None:
        for label, pattern in patterns.items():
            found = pattern.fullmatch(text)
            if found and any(word and TYPE_OF.get(word) == word_type for word in found.groups()):
                return label
        return None

    return draw, solve
