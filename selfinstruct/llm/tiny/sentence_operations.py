"""The operations of the little world on sentences: `Tom feeds the fox in the park.`"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from selfinstruct.llm.tiny.operations import Operation
from selfinstruct.llm.tiny.speech import ACTS, FEELINGS, REPLIES, draw_and_label
from selfinstruct.llm.tiny.words import (
    ANY_VERBS,
    BASE_OF,
    MEN,
    NAMES,
    OWN_VERBS,
    STATE_OF,
    THIRD_OF,
    TYPE_OF,
    TYPES,
    WOMEN,
    WORDS,
    Fact,
    draw_fact,
    fact_from,
    other,
    split_sentences,
    the,
)

Draw = Callable[[str, Random], str]
Solve = Callable[[str, str], "str | None"]


def _typed(sentence: str, word_type: str) -> Fact | None:
    fact = fact_from(sentence)
    return fact if fact and TYPE_OF[fact.word] == word_type else None


def _on_fact(change: Callable[[Fact], str | None]) -> Solve:
    """One sentence in, an answer made from its fact."""

    def solve(word_type: str, text: str) -> str | None:
        fact = _typed(text, word_type)
        return change(fact) if fact else None

    return solve


def _draw_sentence(word_type: str, rng: Random) -> str:
    return draw_fact(word_type, rng).says()


def _draw_placed(word_type: str, rng: Random) -> str:
    return draw_fact(word_type, rng, place=True).says()


def _changed(fact: Fact, rng: Random) -> Fact:
    """The same fact about somebody or something else."""
    if rng.random() < 0.6:
        return fact.but(word=other(rng, WORDS[TYPE_OF[fact.word]], fact.word))
    return fact.but(name=other(rng, NAMES, fact.name))


# ---------------------------------------------------------------------------- two sentences, yes or no


def _draw_entail(word_type: str, rng: Random) -> str:
    fact = draw_fact(word_type, rng, place=rng.random() < 0.7)
    second = fact if rng.random() < 0.5 else _changed(fact, rng)
    return f"{fact.says()} {second.but(place='').says()}"


def _entail(word_type: str, text: str) -> str | None:
    facts = [_typed(sentence, word_type) for sentence in split_sentences(text)]
    if len(facts) != 2 or not facts[0] or not facts[1]:
        return None
    return "yes" if facts[1] in (facts[0], facts[0].but(place="")) else "no"


def _draw_contradict(word_type: str, rng: Random) -> str:
    fact = draw_fact(word_type, rng, place=False)
    second = fact if rng.random() < 0.5 else _changed(fact, rng)
    return f"{fact.says()} {second.denies()}"


def _contradict(word_type: str, text: str) -> str | None:
    found = re.fullmatch(r"(.+\.) (\w+) does not (\w+) (.+)\.", text)
    fact = _typed(found[1], word_type) if found else None
    denied = _typed(f"{found[2]} {THIRD_OF.get(found[3], '')} {found[4]}.", word_type) if found else None
    return ("yes" if denied == fact else "no") if fact and denied else None


def _draw_answer_who(word_type: str, rng: Random) -> str:
    fact = draw_fact(word_type, rng)
    asked = fact if rng.random() < 0.5 else fact.but(word=other(rng, WORDS[word_type], fact.word))
    return f"{fact.says()} {asked.but(place='').asks_who()}"


def _answer_who(word_type: str, text: str) -> str | None:
    sentence, _, question = text.partition(" Who ")
    fact, asked = _typed(sentence, word_type), _typed(f"Tom {question[:-1]}.", word_type)
    if not fact or not asked or not text.endswith("?"):
        return None
    return "yes" if (fact.verb, fact.word) == (asked.verb, asked.word) else "no"


def _draw_answer_where(word_type: str, rng: Random) -> str:
    fact = draw_fact(word_type, rng, place=rng.random() < 0.5)
    return f"{fact.says()} Where does {fact.but(place='').asks()[5:]}"


def _answer_where(word_type: str, text: str) -> str | None:
    sentence, _, _ = text.partition(" Where does ")
    fact = _typed(sentence, word_type)
    if not fact or text != f"{sentence} Where does {fact.but(place='').asks()[5:]}":
        return None
    return "yes" if fact.place else "no"


# ---------------------------------------------------------------------------- who is meant


def _pronoun(name: str) -> str:
    return "He" if name in MEN else "She"


def _draw_pronoun(word_type: str, rng: Random) -> str:
    pair = [rng.choice(MEN), rng.choice(WOMEN)]
    rng.shuffle(pair)
    fact = draw_fact(word_type, rng).but(name=_pronoun(rng.choice(pair)))
    return f"{pair[0]} meets {pair[1]}. {fact.says()}"


def _who_is_meant(word_type: str, text: str) -> str | None:
    found = re.fullmatch(r"(\w+) meets (\w+)\. (He|She) (.+)", text)
    if not found or not _typed(f"Tom {found[4]}", word_type) or len({found[1] in MEN, found[2] in MEN}) != 2:
        return None
    if found[1] not in NAMES or found[2] not in NAMES:
        return None
    return found[1] if _pronoun(found[1]) == found[3] else found[2]


def _draw_it(word_type: str, rng: Random) -> str:
    fact = draw_fact(word_type, rng, place=True)
    verb = rng.choice(OWN_VERBS[word_type] + ANY_VERBS)[1]
    return f"{fact.says()} {other(rng, NAMES, fact.name)} {verb} it."


def _what_is_it(word_type: str, text: str) -> str | None:
    found = re.fullmatch(r"(.+\.) (\w+) (\w+) it\.", text)
    fact = _typed(found[1], word_type) if found else None
    return the(fact.word) if fact and found and found[2] in NAMES and found[3] in BASE_OF else None


def _draw_resolve(word_type: str, rng: Random) -> str:
    fact = draw_fact(word_type, rng)
    return f"{fact.name} is here. {fact.asks().replace(fact.name, _pronoun(fact.name).lower(), 1)}"


def _resolve(word_type: str, text: str) -> str | None:
    found = re.fullmatch(r"(\w+) is here\. Does (he|she) (\w+) (.+)\?", text)
    fact = _typed(f"{found[1]} {THIRD_OF.get(found[3], '')} {found[4]}.", word_type) if found else None
    return fact.asks() if fact and found and _pronoun(fact.name).lower() == found[2] else None


# ---------------------------------------------------------------------------- from fields to a sentence


def _draw_record(word_type: str, rng: Random) -> str:
    fact = draw_fact(word_type, rng, place=True)
    return f"name: {fact.name} | {word_type}: {fact.word} | place: {fact.place}"


def _record(word_type: str, text: str) -> str | None:
    found = re.fullmatch(rf"name: (\w+) \| {word_type}: (\w+) \| place: (\w+)", text)
    fact = Fact(found[1], "see", found[2], found[3]) if found else None
    return fact.says() if fact and _typed(fact.says(), word_type) else None


def _draw_triple(word_type: str, rng: Random) -> str:
    fact = draw_fact(word_type, rng)
    return f"{fact.name} | {THIRD_OF[fact.verb]} | {fact.word}"


def _triple(word_type: str, text: str) -> str | None:
    found = re.fullmatch(r"(\w+) \| (\w+) \| (\w+)", text)
    fact = _typed(f"{found[1]} {found[2]} {the(found[3])}.", word_type) if found else None
    return fact.says() if fact else None


# ---------------------------------------------------------------------------- cause and effect


def _cause_and_effect(word_type: str, text: str) -> tuple[str, str, bool] | None:
    """(cause, effect, the cause stands first)"""
    parts = split_sentences(text)
    if len(parts) != 2:
        return None
    for cause, effect in (parts, parts[::-1]):
        fact = _typed(effect, word_type)
        if fact and cause == f"{fact.name} is {STATE_OF[word_type]}.":
            return cause, effect, cause == parts[0]
    return None


def _draw_cause(word_type: str, rng: Random) -> str:
    fact = draw_fact(word_type, rng)
    parts = [f"{fact.name} is {STATE_OF[word_type]}.", fact.says()]
    rng.shuffle(parts)
    return " ".join(parts)


def _on_cause(change: Callable[[str, str, bool], str]) -> Solve:
    def solve(word_type: str, text: str) -> str | None:
        found = _cause_and_effect(word_type, text)
        return change(*found) if found else None

    return solve


# ---------------------------------------------------------------------------- mistakes to mend


def _draw_agreement(word_type: str, rng: Random) -> str:
    fact = draw_fact(word_type, rng)
    return fact.says().replace(f" {THIRD_OF[fact.verb]} ", f" {fact.verb} ", 1)


def _agreement(word_type: str, text: str) -> str | None:
    words = text.split(" ")
    if len(words) < 3 or words[1] not in THIRD_OF:
        return None
    fact = _typed(" ".join([words[0], THIRD_OF[words[1]], *words[2:]]), word_type)
    return fact.says() if fact else None


def _draw_doubled(word_type: str, rng: Random) -> str:
    words = draw_fact(word_type, rng).says().split(" ")
    twice = rng.randrange(1, len(words) - 1)
    return " ".join([*words[: twice + 1], *words[twice:]])


def _doubled(word_type: str, text: str) -> str | None:
    words = text.split(" ")
    once = [word for i, word in enumerate(words) if i == 0 or word != words[i - 1]]
    fact = _typed(" ".join(once), word_type)
    return fact.says() if fact and len(once) == len(words) - 1 else None


def _draw_article(word_type: str, rng: Random) -> str:
    return draw_fact(word_type, rng).says().replace(" the ", " ", 1)


def _article(word_type: str, text: str) -> str | None:
    found = re.fullmatch(r"(\w+ \w+) (\w+\b.*)", text)
    fact = _typed(f"{found[1]} the {found[2]}", word_type) if found else None
    return fact.says() if fact else None


# ---------------------------------------------------------------------------- other changes to a sentence


def _draw_with(options: Callable[[str], tuple[str, ...]], part: str) -> Draw:
    def draw(word_type: str, rng: Random) -> str:
        fact = draw_fact(word_type, rng)
        return f"{fact.says()} ({other(rng, options(word_type), getattr(fact, part))})"

    return draw


def _with(options: Callable[[str], tuple[str, ...]], part: str) -> Solve:
    def solve(word_type: str, text: str) -> str | None:
        found = re.fullmatch(r"(.+\.) \((\w+)\)", text)
        fact = _typed(found[1], word_type) if found else None
        return (
            fact.but(**{part: found[2]}).says() if fact and found and found[2] in options(word_type) else None
        )

    return solve


def _draw_shared(word_type: str, rng: Random) -> str:
    fact, second = draw_fact(word_type, rng), draw_fact(word_type, rng)
    return f"{fact.says()} {second.but(name=other(rng, NAMES, fact.name), word=fact.word).says()}"


def _shared(word_type: str, text: str) -> str | None:
    facts = [_typed(sentence, word_type) for sentence in split_sentences(text)]
    if len(facts) != 2 or not facts[0] or not facts[1] or facts[0].word != facts[1].word:
        return None
    return facts[0].word


_YES_NO = ("yes", "no")
_WITH_ARTICLE = tuple(t for t in TYPES if t != "city")
_NAMES, _THINGS = (lambda t: NAMES), WORDS.__getitem__

SENTENCE_OPERATIONS: tuple[Operation, ...] = (
    Operation("tag_sentence", "Keyword Tagging", _draw_sentence, _on_fact(lambda fact: fact.word)),
    Operation(
        "tag_pair", "Keyword Tagging", _draw_sentence, _on_fact(lambda fact: f"{fact.name}, {fact.word}")
    ),
    Operation("who", "Question Answering", _draw_sentence, _on_fact(lambda fact: fact.name)),
    Operation("where", "Question Answering", _draw_placed, _on_fact(lambda fact: fact.place or None)),
    Operation("shared_sentence", "Overlap Extraction", _draw_shared, _shared),
    Operation("entail", "Textual Entailment", _draw_entail, _entail, labels=_YES_NO),
    Operation("contradict", "Textual Entailment", _draw_contradict, _contradict, labels=_YES_NO),
    Operation(
        "title",
        "Title Generation",
        _draw_sentence,
        _on_fact(lambda fact: f"{fact.name} and {the(fact.word)}"),
    ),
    Operation(
        "title_place",
        "Title Generation",
        _draw_placed,
        _on_fact(lambda fact: f"A day in the {fact.place} with {the(fact.word)}" if fact.place else None),
    ),
    Operation("pronoun", "Coreference Resolution", _draw_pronoun, _who_is_meant),
    Operation("it", "Coreference Resolution", _draw_it, _what_is_it),
    Operation("answer_who", "Answerability Classification", _draw_answer_who, _answer_who, labels=_YES_NO),
    Operation(
        "answer_where", "Answerability Classification", _draw_answer_where, _answer_where, labels=_YES_NO
    ),
    Operation("to_question", "Question Rewriting", _draw_sentence, _on_fact(Fact.asks)),
    Operation("who_question", "Question Rewriting", _draw_sentence, _on_fact(Fact.asks_who)),
    Operation("resolve", "Question Rewriting", _draw_resolve, _resolve),
    Operation("record", "Data to Text", _draw_record, _record),
    Operation("triple", "Data to Text", _draw_triple, _triple),
    Operation(
        "cause_effect",
        "Cause Effect Classification",
        _draw_cause,
        _on_cause(lambda cause, effect, first: "effect" if first else "cause"),
        labels=("cause", "effect"),
    ),
    Operation(
        "find_cause",
        "Cause Effect Classification",
        _draw_cause,
        _on_cause(lambda cause, effect, first: cause),
    ),
    Operation(
        "find_effect",
        "Cause Effect Classification",
        _draw_cause,
        _on_cause(lambda cause, effect, first: effect),
    ),
    Operation("act", "Dialogue Act Recognition", *draw_and_label(ACTS), labels=tuple(ACTS)),
    Operation("reply", "Dialogue Act Recognition", *draw_and_label(REPLIES), labels=tuple(REPLIES)),
    Operation("feeling", "Sentiment Analysis", *draw_and_label(FEELINGS), labels=tuple(FEELINGS)),
    Operation("agreement", "Grammar Error Correction", _draw_agreement, _agreement),
    Operation("doubled", "Grammar Error Correction", _draw_doubled, _doubled),
    Operation("article", "Grammar Error Correction", _draw_article, _article, _WITH_ARTICLE),
    Operation("negate", "Text Modification", _draw_sentence, _on_fact(Fact.denies)),
    Operation("past", "Text Modification", _draw_sentence, _on_fact(Fact.said)),
    Operation("rename", "Text Modification", _draw_with(_NAMES, "name"), _with(_NAMES, "name")),
    Operation("replace", "Text Modification", _draw_with(_THINGS, "word"), _with(_THINGS, "word")),
)
