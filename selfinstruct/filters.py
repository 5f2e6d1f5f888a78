"""The rules that drop a generated instruction by its text alone, one function a rule (paper, section 2.2)."""

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from selfinstruct.errors import UserError
from selfinstruct.rouge import is_unspaced


@dataclass(frozen=True)
class FilterRules:
    """The limits and word lists of the rules; the paper's are in configs/filters/paper.yaml."""

    min_words: int
    max_words: int
    keywords: tuple[str, ...]
    forbidden_starts: tuple[str, ...]
    forbid_leading_punctuation: bool
    forbid_leading_non_ascii: bool
    harmless_phrases: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any], where: str = "filters") -> "FilterRules":
        """Build the rules from a config's keys.

        Raises:
            UserError: a key is missing, unknown or of the wrong kind; the message names it after `where`.
        """
        for key in settings:
            if key not in _KINDS:
                raise UserError(f"{where}.{key}: no such filter setting; known are {', '.join(_KINDS)}")
        values: dict[str, Any] = {}
        for key, (described, is_valid) in _KINDS.items():
            if key not in settings and key == "harmless_phrases":
                continue  # a file for another language may do without
            if key not in settings:
                raise UserError(f"{where}.{key}: is missing; give {described}")
            value = settings[key]
            if not is_valid(value):
                raise UserError(f"{where}.{key}: is {value!r}; it must be {described}")
            values[key] = tuple(value) if isinstance(value, list | tuple) else value
        return cls(**values)


def first_reason(text: str, rules: FilterRules) -> str | None:
    """The reason of the first rule that drops the text, in the released code's order, or None to keep it.

    The text is an instruction with its white space folded; so it is for every rule.
    """
    return next((reason for rule in RULES if (reason := rule(text, rules)) is not None), None)


def empty(text: str, rules: FilterRules) -> str | None:
    """Nothing but white space."""
    return None if text.strip() else "empty"


def too_short(text: str, rules: FilterRules) -> str | None:
    """Fewer words than `min_words` (paper: 3 words or fewer)."""
    return f"fewer_than_{rules.min_words}_words" if len(text.split()) < rules.min_words else None


def too_long(text: str, rules: FilterRules) -> str | None:
    """More words than `max_words` (paper: 150)."""
    return f"more_than_{rules.max_words}_words" if len(text.split()) > rules.max_words else None


def mentions_media_or_files(text: str, rules: FilterRules) -> str | None:
    """Holds one of `keywords` as a whole word in any case: things a language model cannot see or make.

    A keyword inside one of `harmless_phrases` does not count: to draw a conclusion is no drawing.
    """
    if not rules.keywords:
        return None
    found = _any_of(rules.keywords).search(text)
    if found and rules.harmless_phrases:
        found = _any_of(rules.keywords).search(_any_of(rules.harmless_phrases).sub(" ", text))
    return f"mentions_media_or_files: {found.group().lower()}" if found else None


def forbidden_start(text: str, rules: FilterRules) -> str | None:
    """Starts with one of `forbidden_starts` in any case (paper: 'Write a program', code or its result?)."""
    # Any case: the released code compares after capitalize(), which makes every case the same.
    for start in rules.forbidden_starts:
        if text.lower().startswith(start.lower()):
            return "starts_with_" + "_".join(start.lower().split())
    return None


def leading_punctuation(text: str, rules: FilterRules) -> str | None:
    """Starts with ASCII punctuation."""
    forbidden = rules.forbid_leading_punctuation and text[:1] in set(string.punctuation)
    return "starts_with_punctuation" if forbidden else None


def leading_non_ascii(text: str, rules: FilterRules) -> str | None:
    """Starts with a character outside ASCII."""
    forbidden = rules.forbid_leading_non_ascii and not text[:1].isascii()
    return "starts_with_non_ascii" if forbidden else None


RULES: tuple[Callable[[str, FilterRules], str | None], ...] = (
    empty,
    too_short,
    too_long,
    mentions_media_or_files,
    forbidden_start,
    leading_punctuation,
    leading_non_ascii,
)


@lru_cache
def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    by_edges: dict[tuple[str, str], list[str]] = {}
    for phrase in phrases:
        # A script without spaces has no word edges to ask for: there the phrase counts wherever it stands.
        before = "" if is_unspaced(phrase[0]) else r"(?<!\w)"
        after = "" if is_unspaced(phrase[-1]) else r"(?!\w)"
        by_edges.setdefault((before, after), []).append(re.escape(phrase))
    # The edge once for all of them: most places in a text are none.
    patterns = (f"{before}(?:{'|'.join(some)}){after}" for (before, after), some in by_edges.items())
    return re.compile("|".join(patterns), re.IGNORECASE)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_word_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(word, str) and word for word in value)


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "min_words": ("a number of words", _is_count),
    "max_words": ("a number of words", _is_count),
    "keywords": ("a list of words (may be empty)", _is_word_list),
    "forbidden_starts": ("a list of phrases (may be empty)", _is_word_list),
    "harmless_phrases": ("a list of phrases (may be empty)", _is_word_list),
    "forbid_leading_punctuation": ("true or false", _is_switch),
    "forbid_leading_non_ascii": ("true or false", _is_switch),
}
