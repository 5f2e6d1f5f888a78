"""What the phrases share in which operations are asked for: `[a|b|]` is a choice, `{t}` the word type.

`given` names the input, `do` says what to do with it, `answer` names the answer, `close` may end an
instruction. `phrases_of_*.py` hold them, `wording.py` puts them into frames such as `You are given
{given}. {do}.`
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """The ways to speak of one operation."""

    given: tuple[str, ...]
    do: tuple[str, ...]
    answer: tuple[str, ...] = ()
    close: tuple[str, ...] = ()


ANY = (
    "Do not [explain|add|write] anything [else|more].",
    "Do not explain [it|why|your answer].",
    "[Write|Give] nothing [else|more].",
    "[Keep|Make] it short.",
)
WORD = (
    *ANY,
    "Answer with [one|a single] word.",
    "[Write|Give] [only|just] [one|a single|that] word.",
    "One word is enough.",
    "Do not write a [whole |full |]sentence.",
    "The answer is [one|a single] word.",
)
LIST = (
    *ANY,
    "[Keep|Put|Use|Write] commas between [them|the words].",
    "[Write|Give] [only|just] the [list|words].",
    "Do not add [any |]other words.",
    "Keep the words as they are.",
)
SENTENCE = (
    *ANY,
    "[Write|Give|Answer with] one [full |whole |]sentence.",
    "Keep [all |]the other words [as they are|the same].",
    "Do not add [any |]other words.",
    "[Change|Touch] nothing else.",
    "[Keep|Leave] the rest [as it is|the same].",
)
LABELS = (
    "Answer [with |]{labels}.",
    "[Your|The] answer [is|must be|can be|should be] {labels}.",
    "[Write|Say|Reply with|Return] {labels}.",
    "[Choose|Pick] [one|a] [label|answer]: {labels}.",
    "[Choose|Pick|Answer with] one of these [labels|words]: {labels}.",
    "[Possible|The] [labels|answers] are {labels}.",
    "The [label|right answer] is [either |]{labels}.",
    "Use [one of |]the labels {labels}.",
)

A_LIST = (
    "[a|one] [short |long |][list|row|line|series] of {ts}",
    "[some|several|a few] {ts} [with commas between them|in a row|in a list]",
    "[the names of |][some|several|a few] {ts}",
    "[a list|a row|a line|words] [that names|with|about] [only |]{ts}",
)
MIXED = (
    "[a|one] [short |][list|row|line] of words with {ts} in it",
    "[some|several|a few] words[, and some are|, some of them] {ts}",
    "a [mixed |][list|row|line] with [one|two|some] {ts} and other [words|things]",
)
A_WORD = (
    "[a|one] [single |]word for {a_t}",
    "[the|a] name of {a_t}",
    "[a|one] word[ of the kind {t}| from the {ts}]",
)
A_SENTENCE = (
    "[a|one] [short |][sentence|line] [about|with|that names] {a_t}",
    "a [sentence|line] in which [a person|somebody] does something with {a_t}",
    "[a|one] sentence [where|in which] {a_t} [is named|comes up|is the thing]",
)
TWO_SENTENCES = (
    "[two|a pair of] [short |][sentences|lines] [about|with|that name] {ts}",
    "[one sentence and then another|a first and a second sentence] about {ts}",
    "a short text of two sentences about {a_t}",
)
THINGS = "[the {ts}|the list of {ts}|this list of {ts}|these {ts}|all [the|these] {ts}]"
OUT = "[write|give|print|show|return|list|name]"
PICK = "[find|give|name|pick|pick out|write|return|choose|say|take]"

NUMBER = (
    *ANY,
    "Answer with [a|one] number.",
    "[Write|Give] [only|just] the number.",
    "Use a number[, not a word|].",
)
JUDGE = "[decide|say|tell me|judge|check] [whether|if]"
CHANGE = "[turn|change|make|rewrite]"
FIX = "[fix|mend|correct|repair]"
ONE_OF = ("[a|one] [whole |]number", "[a|one] number [from 1 to 30|up to 30]", "any number")
TWO_OF = ("two numbers", "a pair of numbers", "one number and then another")
