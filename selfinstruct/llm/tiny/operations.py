"""What can be asked in the little world: `Operation`, and the operations on lists, words and numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from selfinstruct.llm.tiny.words import (
    COUNTABLE,
    OPPOSITE_OF,
    PAST_OF,
    PLURAL_OF,
    SINGULAR_OF,
    TYPE_OF,
    TYPES,
    WORDS,
    draw_fact,
    fact_from,
    other,
)

PAIRS: tuple[str, ...] = tuple(f"{TYPES[i]}+{TYPES[(i + step) % 10]}" for step in (3, 4) for i in range(10))


@dataclass(frozen=True)
class Operation:
    """One thing to do with a word type: how an input is drawn, and what the right answer to an input is.

    `solve(word_type, input)` gives None for an input which is not of this operation and type. Where many
    answers are right (`accepts`), `solve` is not used and `draw` makes an answer instead of an input,
    which is empty.
    """

    name: str
    category: str
    draw: Callable[[str, Random], str]
    solve: Callable[[str, str], str | None] = lambda word_type, text: None
    types: tuple[str, ...] = TYPES
    labels: tuple[str, ...] = ()
    accepts: Callable[[str, str], bool] | None = None

    def labels_of(self, word_type: str) -> tuple[str, ...]:
        """The labels of the task this operation makes of a word type (none: not classification)."""
        return tuple(word_type.split("+")) if "+" in word_type else self.labels


# ---------------------------------------------------------------------------- lists: `fox, cat, owl`


def _draw_list(word_type: str, rng: Random) -> str:
    return ", ".join(rng.sample(WORDS[word_type], rng.choice((3, 3, 4, 4, 5))))


def _draw_long_list(word_type: str, rng: Random) -> str:
    return ", ".join(rng.sample(WORDS[word_type], rng.choice((4, 5))))


def _on_list(change: Callable[[list[str]], str], shortest: int = 2) -> Callable[[str, str], str | None]:
    def solve(word_type: str, text: str) -> str | None:
        items = text.split(", ")
        distinct = len(set(items)) == len(items) and len(items) >= shortest
        return change(items) if distinct and all(item in WORDS[word_type] for item in items) else None

    return solve


def _draw_mixed(word_type: str, rng: Random, mine: int, others: int) -> str:
    other_type = other(rng, TYPES, word_type)
    items = rng.sample(WORDS[word_type], mine) + rng.sample(WORDS[other_type], others)
    rng.shuffle(items)
    return ", ".join(items)


def _the_one(word_type: str, text: str, mine: bool) -> str | None:
    """The only item of the type (or the only one that is not)."""
    items = text.split(", ")
    if len(items) < 3 or any(item not in TYPE_OF for item in items):
        return None
    found = [item for item in items if (TYPE_OF[item] == word_type) == mine]
    return found[0] if len(found) == 1 else None


def _draw_two_lists(word_type: str, rng: Random) -> str:
    words = rng.sample(WORDS[word_type], 5)
    left, right = words[:3], [words[0], *words[3:]]
    rng.shuffle(left)
    rng.shuffle(right)
    return f"{', '.join(left)} / {', '.join(right)}"


def _shared_in_lists(word_type: str, text: str) -> str | None:
    lists = [part.split(", ") for part in text.split(" / ")]
    if len(lists) != 2 or any(item not in WORDS[word_type] for part in lists for item in part):
        return None
    shared = [item for item in lists[0] if item in lists[1]]
    return shared[0] if len(shared) == 1 else None


LIST_OPERATIONS: tuple[Operation, ...] = (
    Operation("semicolons", "Program Execution", _draw_list, _on_list("; ".join)),
    Operation("reverse", "Program Execution", _draw_list, _on_list(lambda items: ", ".join(items[::-1]))),
    Operation("first", "Program Execution", _draw_list, _on_list(lambda items: items[0])),
    Operation("second", "Program Execution", _draw_list, _on_list(lambda items: items[1])),
    Operation("last", "Program Execution", _draw_list, _on_list(lambda items: items[-1])),
    Operation("count", "Program Execution", _draw_list, _on_list(lambda items: str(len(items)))),
    Operation(
        "swap_ends",
        "Program Execution",
        _draw_long_list,  # of three items it would be the list reversed
        _on_list(lambda items: ", ".join([items[-1], *items[1:-1], items[0]]), shortest=4),
    ),
    Operation("drop_first", "Program Execution", _draw_list, _on_list(lambda items: ", ".join(items[1:]))),
    Operation("drop_last", "Program Execution", _draw_list, _on_list(lambda items: ", ".join(items[:-1]))),
    Operation("join", "Program Execution", _draw_list, _on_list(" and ".join)),
    Operation(
        "tag_list",
        "Keyword Tagging",
        lambda t, rng: _draw_mixed(t, rng, 1, 3),
        lambda t, text: _the_one(t, text, mine=True),
    ),
    Operation(
        "odd_one_out",
        "Keyword Tagging",
        lambda t, rng: _draw_mixed(t, rng, 3, 1),
        lambda t, text: _the_one(t, text, mine=False),
    ),
    Operation("shared_list", "Overlap Extraction", _draw_two_lists, _shared_in_lists),
)


# ---------------------------------------------------------------------------- single words and analogies


def _look_up(table: dict[str, str], of_type: bool) -> Callable[[str, str], str | None]:
    def solve(word_type: str, text: str) -> str | None:
        answer = table.get(text)
        return (
            answer
            if answer and (not of_type or word_type in (TYPE_OF.get(text), TYPE_OF.get(answer)))
            else None
        )

    return solve


def _draw_kind(word_type: str, rng: Random) -> str:
    mine = rng.random() < 0.5
    return rng.choice(WORDS[word_type if mine else other(rng, TYPES, word_type)])


def _draw_either(pair: str, rng: Random) -> str:
    return rng.choice(WORDS[rng.choice(pair.split("+"))])


_ANALOGY = re.compile(r"(\w+) : (\w+), (\w+) : \?")


def _analogy(
    table: dict[str, str],
    first: Callable[[str], tuple[str, ...]],
    second: Callable[[str], tuple[str, ...]],
) -> tuple[Callable[[str, Random], str], Callable[[str, str], str | None]]:
    """`cat : cats, fox : ?`: the first pair is from `first(type)`, the word asked for from `second(type)`."""

    def draw(word_type: str, rng: Random) -> str:
        shown = rng.choice(first(word_type))
        return f"{shown} : {table[shown]}, {other(rng, second(word_type), shown)} : ?"

    def solve(word_type: str, text: str) -> str | None:
        found = _ANALOGY.fullmatch(text)
        if not found or found[1] not in first(word_type) or found[3] not in second(word_type):
            return None
        return table[found[3]] if table[found[1]] == found[2] and found[1] != found[3] else None

    return draw, solve


_ALL_WORDS = tuple(TYPE_OF)
_PASTS, _OPPOSITES = tuple(PAST_OF), tuple(OPPOSITE_OF)
NO_TYPE = ("",)

WORD_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "is_kind",
        "Text Categorization",
        _draw_kind,
        lambda t, text: ("yes" if TYPE_OF[text] == t else "no") if text in TYPE_OF else None,
        labels=("yes", "no"),
    ),
    Operation(
        "either",
        "Text Categorization",
        _draw_either,
        lambda pair, text: TYPE_OF[text] if TYPE_OF.get(text) in pair.split("+") else None,
        types=PAIRS,
    ),
    Operation(
        "plural", "Word Semantics", lambda t, rng: rng.choice(WORDS[t]), _look_up(PLURAL_OF, True), COUNTABLE
    ),
    Operation(
        "singular",
        "Word Semantics",
        lambda t, rng: PLURAL_OF[rng.choice(WORDS[t])],
        _look_up(SINGULAR_OF, True),
        COUNTABLE,
    ),
    Operation(
        "opposite",
        "Word Semantics",
        lambda t, rng: rng.choice(_OPPOSITES),
        _look_up(OPPOSITE_OF, False),
        NO_TYPE,
    ),
    Operation(
        "past_word", "Word Semantics", lambda t, rng: rng.choice(_PASTS), _look_up(PAST_OF, False), NO_TYPE
    ),
    Operation(
        "analogy_plural",
        "Word Analogy",
        *_analogy(PLURAL_OF, WORDS.__getitem__, WORDS.__getitem__),
        types=COUNTABLE,
    ),
    Operation("analogy_kind", "Word Analogy", *_analogy(TYPE_OF, WORDS.__getitem__, lambda t: _ALL_WORDS)),
    Operation(
        "analogy_opposite",
        "Word Analogy",
        *_analogy(OPPOSITE_OF, lambda t: _OPPOSITES, lambda t: _OPPOSITES),
        types=NO_TYPE,
    ),
    Operation(
        "analogy_past", "Word Analogy", *_analogy(PAST_OF, lambda t: _PASTS, lambda t: _PASTS), types=NO_TYPE
    ),
)


# ---------------------------------------------------------------------------- numbers up to 30


def _numbers(text: str, pattern: str, highest: int = 30) -> list[int]:
    found = re.fullmatch(pattern, text)
    values = [int(value) for value in found.groups()] if found else []
    return values if all(0 < value <= highest for value in values) else []


def _on_numbers(pattern: str, change: Callable[..., int | str]) -> Callable[[str, str], str | None]:
    def solve(word_type: str, text: str) -> str | None:
        values = _numbers(text, pattern)
        return str(change(*values)) if values else None

    return solve


_ONE, _TWO, _SUM = r"(\d+)", r"(\d+) and (\d+)", r"(\d+) \+ (\d+)"


def _draw_one(word_type: str, rng: Random) -> str:
    return str(rng.randint(2, 29))


def _draw_two(word_type: str, rng: Random) -> str:
    low, high = rng.sample(range(1, 31), 2)
    return f"{low} and {high}"


NUMBER_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "sum",
        "Mathematics",
        lambda t, rng: f"{rng.randint(1, 12)} + {rng.randint(1, 12)}",
        _on_numbers(_SUM, lambda x, y: x + y),
        NO_TYPE,
    ),
    Operation("larger", "Mathematics", _draw_two, _on_numbers(_TWO, max), NO_TYPE),
    Operation("smaller", "Mathematics", _draw_two, _on_numbers(_TWO, min), NO_TYPE),
    Operation("next", "Mathematics", _draw_one, _on_numbers(_ONE, lambda x: x + 1), NO_TYPE),
    Operation("previous", "Mathematics", _draw_one, _on_numbers(_ONE, lambda x: x - 1), NO_TYPE),
    Operation(
        "even_odd",
        "Mathematics",
        _draw_one,
        _on_numbers(_ONE, lambda x: ("even", "odd")[x % 2]),
        NO_TYPE,
        labels=("even", "odd"),
    ),
)


# ---------------------------------------------------------------------------- no input, many right answers


def _names(word_type: str, output: str, how_many: int) -> bool:
    items = output.split(", ")
    return len(set(items)) == len(items) == how_many and all(item in WORDS[word_type] for item in items)


def _says(word_type: str, output: str) -> bool:
    fact = fact_from(output)
    return fact is not None and TYPE_OF[fact.word] == word_type


OPEN_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "name_one",
        "Text Completion",
        lambda t, rng: rng.choice(WORDS[t]),
        accepts=lambda t, output: _names(t, output, 1),
    ),
    Operation(
        "name_two",
        "Text Completion",
        lambda t, rng: ", ".join(rng.sample(WORDS[t], 2)),
        accepts=lambda t, output: _names(t, output, 2),
    ),
    Operation(
        "name_three",
        "Text Completion",
        lambda t, rng: ", ".join(rng.sample(WORDS[t], 3)),
        accepts=lambda t, output: _names(t, output, 3),
    ),
    Operation("write_sentence", "Text Completion", lambda t, rng: draw_fact(t, rng).says(), accepts=_says),
)
