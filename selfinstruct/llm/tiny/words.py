"""The words of the little world, and its one kind of sentence: a person does something with a thing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random

WORDS: dict[str, tuple[str, ...]] = {
    "animal": tuple("fox cat dog owl cow horse rabbit goat bear duck lion tiger".split()),
    "fruit": tuple("pear apple plum lemon peach cherry melon grape banana orange mango fig".split()),
    "garment": tuple("hat coat shirt sock glove dress belt jacket skirt boot sweater cap".split()),
    "tool": tuple("hammer drill spade axe rake wrench shovel brush ladder bucket rope needle".split()),
    "city": tuple("Rome Paris London Berlin Madrid Oslo Cairo Tokyo Lima Athens Delhi Boston".split()),
    "drink": tuple("tea coffee milk juice water cocoa soda cider lemonade beer wine broth".split()),
    "instrument": tuple("drum flute guitar piano violin harp trumpet cello organ banjo horn tuba".split()),
    "vehicle": tuple("car bus van truck train bike boat tram taxi ship tractor plane".split()),
    "flower": tuple("rose tulip lily daisy violet poppy orchid iris jasmine lilac lotus pansy".split()),
    "worker": tuple(
        "baker nurse teacher doctor farmer pilot driver singer painter judge waiter tailor".split()
    ),
}
TYPES: tuple[str, ...] = tuple(WORDS)
TYPE_PLURALS: dict[str, str] = {t: (t[:-1] + "ies" if t.endswith("y") else t + "s") for t in TYPES}
TYPE_OF: dict[str, str] = {word: t for t, words in WORDS.items() for word in words}

MEN: tuple[str, ...] = tuple("Tom Ben Max Sam Paul Leo Jack Peter Adam David".split())
WOMEN: tuple[str, ...] = tuple("Anna Mary Lucy Emma Rosa Kate Julia Sara Nina Ella".split())
NAMES: tuple[str, ...] = MEN + WOMEN
PLACES: tuple[str, ...] = tuple(
    "park garden kitchen street school market library station hotel museum".split()
)

# base form, third person, past
ANY_VERBS: tuple[tuple[str, str, str], ...] = (
    ("see", "sees", "saw"),
    ("like", "likes", "liked"),
    ("want", "wants", "wanted"),
    ("find", "finds", "found"),
)
OWN_VERBS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "animal": (("feed", "feeds", "fed"), ("wash", "washes", "washed")),
    "fruit": (("eat", "eats", "ate"), ("buy", "buys", "bought")),
    "garment": (("wear", "wears", "wore"), ("buy", "buys", "bought")),
    "tool": (("use", "uses", "used"), ("clean", "cleans", "cleaned")),
    "city": (("visit", "visits", "visited"), ("love", "loves", "loved")),
    "drink": (("pour", "pours", "poured"), ("make", "makes", "made")),
    "instrument": (("play", "plays", "played"), ("hear", "hears", "heard")),
    "vehicle": (("drive", "drives", "drove"), ("clean", "cleans", "cleaned")),
    "flower": (("pick", "picks", "picked"), ("grow", "grows", "grew")),
    "worker": (("call", "calls", "called"), ("help", "helps", "helped")),
}
VERBS: tuple[tuple[str, str, str], ...] = tuple(
    dict.fromkeys(ANY_VERBS + tuple(v for verbs in OWN_VERBS.values() for v in verbs))
)
BASE_OF: dict[str, str] = {third: base for base, third, _ in VERBS}
THIRD_OF: dict[str, str] = {base: third for base, third, _ in VERBS}
PAST_OF: dict[str, str] = {base: past for base, _, past in VERBS} | {
    "run": "ran",
    "sing": "sang",
    "write": "wrote",
    "swim": "swam",
    "sleep": "slept",
    "speak": "spoke",
}
STATE_OF: dict[str, str] = {  # why somebody does something with a thing of this type
    "animal": "lonely",
    "fruit": "hungry",
    "garment": "cold",
    "tool": "busy",
    "city": "free",
    "drink": "thirsty",
    "instrument": "bored",
    "vehicle": "late",
    "flower": "happy",
    "worker": "ill",
}

_PAIRS = (
    "hot cold, big small, old new, fast slow, high low, good bad, light dark, dry wet, full empty, "
    "rich poor, strong weak, long short, hard soft, open closed, clean dirty, loud quiet, thick thin, "
    "near far"
)
OPPOSITE_OF: dict[str, str] = {}
for _pair in _PAIRS.split(", "):
    _a, _b = _pair.split()
    OPPOSITE_OF |= {_a: _b, _b: _a}

COUNTABLE: tuple[str, ...] = tuple(t for t in TYPES if t not in ("city", "drink"))


def plural(word: str) -> str:
    """The plural of a word of a countable type."""
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


PLURAL_OF: dict[str, str] = {word: plural(word) for t in COUNTABLE for word in WORDS[t]}
SINGULAR_OF: dict[str, str] = {p: w for w, p in PLURAL_OF.items()}


def the(word: str) -> str:
    """The word as a sentence names it: cities stand bare, everything else takes `the`."""
    return word if TYPE_OF.get(word) == "city" else f"the {word}"


def a(word: str) -> str:
    """The word behind its indefinite article."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


@dataclass(frozen=True)
class Fact:
    """What one sentence says: `Tom feeds the fox in the park.`"""

    name: str
    verb: str  # base form
    word: str
    place: str = ""

    @property
    def _tail(self) -> str:
        return the(self.word) + (f" in the {self.place}" if self.place else "")

    def says(self) -> str:
        return f"{self.name} {THIRD_OF[self.verb]} {self._tail}."

    def said(self) -> str:
        return f"{self.name} {PAST_OF[self.verb]} {self._tail}."

    def denies(self) -> str:
        return f"{self.name} does not {self.verb} {self._tail}."

    def asks(self) -> str:
        return f"Does {self.name} {self.verb} {self._tail}?"

    def asks_who(self) -> str:
        return f"Who {THIRD_OF[self.verb]} {self._tail}?"

    def but(self, **changes: str) -> Fact:
        return replace(self, **changes)


_SENTENCE = re.compile(r"([A-Z][a-z]+) ([a-z]+) (?:the )?([A-Za-z]+)(?: in the ([a-z]+))?\.")


def fact_from(sentence: str) -> Fact | None:
    """The fact a present-tense sentence states, or None when it is not a sentence of the world."""
    found = _SENTENCE.fullmatch(sentence)
    if not found or found[2] not in BASE_OF:
        return None
    fact = Fact(found[1], BASE_OF[found[2]], found[3], found[4] or "")
    known = fact.name in NAMES and fact.word in TYPE_OF and fact.place in ("", *PLACES)
    return fact if known and fact.says() == sentence else None


def draw_fact(word_type: str, rng: Random, place: bool | None = None) -> Fact:
    """A random fact about a thing of this type; `place` says whether it names one (None: perhaps)."""
    if place is None:
        place = rng.random() < 0.5
    verb = rng.choice(OWN_VERBS[word_type] if rng.random() < 0.6 else ANY_VERBS)[0]
    return Fact(rng.choice(NAMES), verb, rng.choice(WORDS[word_type]), rng.choice(PLACES) if place else "")


def split_sentences(text: str) -> list[str]:
    """`A b. C d?` -> [`A b.`, `C d?`]"""
    return re.split(r"(?<=[.?!]) ", text)


def other(rng: Random, options: tuple[str, ...], *taken: str) -> str:
    """A random option which is none of those taken."""
    return rng.choice([option for option in options if option not in taken])
