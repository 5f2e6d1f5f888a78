"""Keeps the wordings of the training text away from the benchmark's definitions."""

from __future__ import annotations

import re
from functools import cache

from rapidfuzz.distance import LCSseq

from selfinstruct.llm.tiny.definitions import DEFINITIONS
from selfinstruct.llm.tiny.words import TYPE_PLURALS

TOO_SIMILAR = 0.55
"""ROUGE-L with a definition from which a wording is not used; the promise of the benchmark is 0.6."""
SHARED_WORDS = 8
"""Nor may it have as many words in a row in common with one."""
_TYPE_WORDS = {*TYPE_PLURALS, *TYPE_PLURALS.values(), "t", "ts"}


def _words(text: str) -> list[str]:
    """Lower-case words; all word types count as one, so a definition speaks for itself with any type."""
    words = re.findall(r"\w+", text.lower().replace("{a_t}", "a {t}"))
    return ["TYPE" if word in _TYPE_WORDS else "a" if word == "an" else word for word in words]


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + SHARED_WORDS]) for i in range(len(words) - SHARED_WORDS + 1)}


@cache
def _definitions() -> tuple[list[list[str]], set[tuple[str, ...]]]:
    definitions = [_words(text) for text in DEFINITIONS.values()]
    return definitions, set().union(*map(_runs, definitions))


def too_close_to_a_definition(instruction: str) -> bool:
    """Would this wording, in the training text, give a benchmark definition away?"""
    words = _words(instruction)
    definitions, runs = _definitions()
    if not runs.isdisjoint(_runs(words)):
        return True
    return any(
        2 * LCSseq.similarity(words, definition) > TOO_SIMILAR * (len(words) + len(definition))
        for definition in definitions
    )
