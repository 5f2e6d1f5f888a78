"""The phrases in which operations are asked for; `[a|b|]` is a choice, `{t}` the word type and `{ts}` its plural.

`given` names the input, `do` says what to do with it, `answer` names the answer, `close` may end an instruction.
`wording.py` puts them into frames such as `You are given {given}. {do}.`
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


_ANY = ("Do not [explain|add|write] anything [else|more].", "Do not explain [it|why|your answer].",
        "[Write|Give] nothing [else|more].", "[Keep|Make] it short.")
_WORD = (*_ANY, "Answer with [one|a single] word.", "[Write|Give] [only|just] [one|a single|that] word.",
         "One word is enough.", "Do not write a [whole |full |]sentence.", "The answer is [one|a single] word.")
_LIST = (*_ANY, "[Keep|Put|Use|Write] commas between [them|the words].", "[Write|Give] [only|just] the [list|words].",
         "Do not add [any |]other words.", "Keep the words as they are.")
_SENTENCE = (*_ANY, "[Write|Give|Answer with] one [full |whole |]sentence.", "Keep [all |]the other words [as they are|the same].",
             "Do not add [any |]other words.", "[Change|Touch] nothing else.", "[Keep|Leave] the rest [as it is|the same].")
_LABELS = ("Answer [with |]{labels}.", "[Your|The] answer [is|must be|can be|should be] {labels}.",
           "[Write|Say|Reply with|Return] {labels}.", "[Choose|Pick] [one|a] [label|answer]: {labels}.",
           "[Choose|Pick|Answer with] one of these [labels|words]: {labels}.", "[Possible|The] [labels|answers] are {labels}.",
           "The [label|right answer] is [either |]{labels}.", "Use [one of |]the labels {labels}.")

_A_LIST = ("[a|one] [short |long |][list|row|line|series] of {ts}", "[some|several|a few] {ts} [with commas between them|in a row|in a list]",
           "[the names of |][some|several|a few] {ts}", "[a list|a row|a line|words] [that names|with|about] [only |]{ts}")
_MIXED = ("[a|one] [short |][list|row|line] of words with {ts} in it", "[some|several|a few] words[, and some are|, some of them] {ts}",
          "a [mixed |][list|row|line] with [one|two|some] {ts} and other [words|things]")
_A_WORD = ("[a|one] [single |]word for {a_t}", "[the|a] name of {a_t}", "[a|one] word[ of the kind {t}| from the {ts}]")
_A_SENTENCE = ("[a|one] [short |][sentence|line] [about|with|that names] {a_t}",
               "a [sentence|line] in which [a person|somebody] does something with {a_t}",
               "[a|one] sentence [where|in which] {a_t} [is named|comes up|is the thing]")
_TWO_SENTENCES = ("[two|a pair of] [short |][sentences|lines] [about|with|that name] {ts}",
                  "[one sentence and then another|a first and a second sentence] about {ts}",
                  "a short text of two sentences about {a_t}")
_THINGS = "[the {ts}|the list of {ts}|this list of {ts}|these {ts}|all [the|these] {ts}]"
_OUT = "[write|give|print|show|return|list|name]"
_PICK = "[find|give|name|pick|pick out|write|return|choose|say|take]"

PHRASES: dict[str, Phrases] = {
    # ------------------------------------------------------------------ lists
    "semicolons": Phrases(_A_LIST, (
        f"{_OUT} {_THINGS} with semicolons [between them|and not commas|in place of commas]",
        f"[put|use|set] [semicolons|a semicolon] between {_THINGS}",
        f"[change|turn] the commas [between|in|of] {_THINGS} [into|to] semicolons",
        f"[separate|split] {_THINGS} with semicolons"),
        ("the [same |]{ts} with semicolons between them", "the {ts} [separated|split] by semicolons")),
    "reverse": Phrases(_A_LIST, (
        f"[reverse|turn around|flip|turn round] [the order of |]{_THINGS}",
        f"{_OUT} {_THINGS} in [reverse|the reverse|the opposite|backward] order",
        f"{_OUT} {_THINGS} [backwards|from last to first|from the last to the first|from the end to the start]",
        f"put {_THINGS} [in reverse order|in the opposite order|the other way round|from last to first]",
        "begin with the last of the {ts} and end with the first"),
        ("the [same |]{ts} in [reverse|the opposite|backward] order", "the [list of |]{ts} from last to first",
         "the [reversed|backward] [list|row|line] of {ts}"), _LIST),
    "first": Phrases(_A_LIST, (
        f"{_PICK} the first [word |one |item |][of|from|in] {_THINGS}",
        f"{_PICK} the first {{t}} [in the list|of the list|in the row|you see|]",
        f"{_PICK} the {{t}} [at the start|at the beginning|that comes first|that stands first|before all the others]",
        "say [which|what] {t} [is|comes|stands] first [in the list|]"),
        ("the first {t} [in the list|of the list|in the row]", "the {t} [at the start|that comes first|before all the others]",
         "the first [of the|of these|of all the] {ts}"), _WORD),
    "second": Phrases(_A_LIST, (
        f"{_PICK} the second [word |one |item |][of|from|in] {_THINGS}",
        f"{_PICK} the second {{t}} [in the list|of the list|in the row|you see|]",
        f"{_PICK} the {{t}} [right after the first|that comes second|that stands second|in second place|next to the first]",
        "say [which|what] {t} [is|comes|stands] second [in the list|]"),
        ("the second {t} [in the list|of the list|in the row]", "the {t} [in second place|that comes second|right after the first]",
         "the second [of the|of these|of all the] {ts}"), _WORD),
    "last": Phrases(_A_LIST, (
        f"{_PICK} the last [word |one |item |][of|from|in] {_THINGS}",
        f"{_PICK} the [last|final] {{t}} [in the list|of the list|in the row|you see|]",
        f"{_PICK} the {{t}} [at the end|at the very end|that comes last|that stands last|after all the others]",
        "say [which|what] {t} [is|comes|stands] last [in the list|]"),
        ("the [last|final] {t} [in the list|of the list|in the row]", "the {t} [at the end|that comes last|after all the others]",
         "the last [of the|of these|of all the] {ts}"), _WORD),
    "count": Phrases(_A_LIST, (
        f"count {_THINGS} [in the list|and write the number|and say how many there are|]",
        "[say|write|tell me|find|work out] how many {ts} [there are|are in the list|are in the row|are named|you see]",
        f"[give|write|find|return] the number of {{ts}} [in the list|in the row|that are named|]",
        "[find|give|write] how long the [list|row|line] of {ts} is"),
        ("the number of {ts} [in the list|in the row|that are named]", "how many {ts} [there are|are in the list]",
         "the count of [the|all the] {ts}"), (*_ANY, "Answer with [a|one] number.", "[Write|Give] [only|just] the number.", "Use a number[, not a word|].")),
    "swap_ends": Phrases(_A_LIST, (
        "[swap|exchange|switch] the first and the last {t} [of the list|in the list|in the row|]",
        "[swap|exchange|switch] the [two ends|two outer words|outer two] of [the list of|the row of|these|the] {ts}",
        "let the first and the last {t} [change|swap|trade] places",
        "put the last {t} first and the first {t} last"),
        ("the {ts} with the first and the last [one |]swapped", "the list of {ts} after the [two ends|outer two] change places"), _LIST),
    "drop_first": Phrases(_A_LIST, (
        "[drop|remove|delete|cut|cross out|leave out|take away] the first {t} [of the list|from the list|in the list|and keep the others|]",
        f"[drop|remove|delete|cut|cross out|leave out|take away] the first [one |word |item |][of|from|in] {_THINGS}",
        f"{_OUT} all [of |]the {{ts}} [but|except] the first [one|]", f"{_OUT} {_THINGS} without the first [one|]"),
        ("the {ts} without the first [one|]", "all [of |]the {ts} [but|except] the first [one|]",
         "what is left of the {ts} without the first"), _LIST),
    "drop_last": Phrases(_A_LIST, (
        "[drop|remove|delete|cut|cross out|leave out|take away] the [last|final] {t} [of the list|from the list|in the list|and keep the others|]",
        f"[drop|remove|delete|cut|cross out|leave out|take away] the last [one |word |item |][of|from|in] {_THINGS}",
        f"{_OUT} all [of |]the {{ts}} [but|except] the last [one|]", f"{_OUT} {_THINGS} without the last [one|]"),
        ("the {ts} without the last [one|]", "all [of |]the {ts} [but|except] the last [one|]",
         "what is left of the {ts} without the last"), _LIST),
    "join": Phrases(_A_LIST, (
        f"[join|connect|link|combine|tie together] {_THINGS} with the word and",
        f"{_OUT} {_THINGS} with [and|the word and] [between them|and not commas|in place of commas]",
        f"[put|use|set] the word and between {_THINGS}", f"[change|turn] the commas between {_THINGS} [into|to] the word and"),
        ("the [same |]{ts} joined with the word and", "the {ts} with the word and between them")),
    "tag_list": Phrases(_MIXED, (
        f"{_PICK} the [only |one |]{{t}} [in the list|among the words|among the other words|in the row|]",
        f"{_PICK} the [only |one |][word|item|thing] [in the list |]that is {{a_t}}",
        "say which [word|item|thing] [in the list |]is {a_t}", "[look for|search for|spot] the [only |one |]{t} [in the list|among the words]"),
        ("the [only |one |]{t} [in the list|among the words|among the other words]", "the [word|item|thing] [in the list |]that is {a_t}",
         "the one word for {a_t}"), _WORD),
    "odd_one_out": Phrases(_MIXED, (
        f"{_PICK} the [only |one |][word|item|thing] [in the list |]that is not {{a_t}}",
        f"{_PICK} the [word|item|thing|one] that does not [belong|fit] [with|to|among] the {{ts}}",
        "say which [word|item|thing] [in the list |]is not {a_t}", "[look for|search for|spot] the [word|item|thing] that is not {a_t}",
        f"{_PICK} the odd one [out |]among the {{ts}}"),
        ("the [only |one |][word|item|thing] [in the list |]that is not {a_t}", "the [word|item] that does not [belong|fit] [with|to] the {ts}",
         "the odd one [out |]among the {ts}"), _WORD),
    "shared_list": Phrases((
        "two [short |][lists|rows|lines] of {ts}", "[a|one] list of {ts} and [another|a second|then another] [list|one]",
        "a pair of [lists|rows] [that name|with|of] {ts}", "two rows of {ts}, [split|separated] by a bar",
        "two lists in which {ts} stand"), (
        f"{_PICK} the {{t}} [that is in both lists|that both lists share|the two lists share|in both lists|both lists have]",
        f"{_PICK} the {{t}} [common to both lists|the two lists have in common|that comes up in both lists]",
        "say which {t} [is in both lists|both lists share|comes up twice]", "[look for|search for|spot] the {t} [in both lists|both lists share]"),
        ("the {t} [in both lists|that both lists share|common to both lists|both lists have]",
         "the {t} the [two |]lists [share|have in common]"), _WORD),
    # ------------------------------------------------------------------ words
    "is_kind": Phrases(("[a|one|some|any] [single |]word", "the name of [a thing|something]", "[a|one] thing"), (
        "[decide|say|tell me|judge|check] [whether|if] [the word|it|this] is {a_t} [or not|]",
        "[decide|say|tell me|judge|check] [whether|if] the word [names|stands for|means] {a_t} [or not|]",
        "[decide|say|tell me|judge|check] [whether|if] the word [belongs to|is one of|is among] the {ts} [or not|]"), (), _LABELS),
    "either": Phrases(("[a|one|some|any] [single |]word", "the name of [a thing|something]", "[a|one] thing"), (
        "[decide|say|tell me|judge] [whether|if] [the word|it|this] is {a_t} or {a_u}",
        "[sort|label|mark|classify] the word as {a_t} or {a_u}", "[decide|say|tell me|judge] [whether|if] the word [names|means] {a_t} or {a_u}",
        "[say|decide|tell me] what [the word|it] is, {a_t} or {a_u}"), (), _LABELS),
    "plural": Phrases(_A_WORD, (
        "[write|give|find|return|say] the plural [form |][of the|of this] {t}", "[turn|change|put] the {t} [into|to] [the|its] plural [form|]",
        "[write|give|say] the [word for|form for|name of] [two|more than one|many] of this {t}",
        "[write|give|say] the form of the {t} that means more than one"),
        ("the plural [form |][of the|of this] {t}", "the [word|form] for [more than one|many|two] of this {t}"), _WORD),
    "singular": Phrases(("[a|one] [single |]word for [some|many|several] {ts}", "the plural [form |]of {a_t}", "a plural word from the {ts}"), (
        "[write|give|find|return|say] the singular [form |]of [the|these] {ts}", "[turn|change|put] the {ts} [into|to] the singular [form|]",
        "[write|give|say] the [word for|form for|name of] [just |only |]one of these {ts}",
        "[write|give|say] the form of the {ts} that means [just |only |]one"),
        ("the singular [form |]of [the|these] {ts}", "the [word|form] for [just |only |]one of these {ts}"), _WORD),
    "opposite": Phrases(("[a|one] [single |]word", "[a|one] word that says how something is", "any word"), (
        "[write|give|find|return|say|name] the opposite of [the word|this word|it]",
        "[write|give|find|return|say|name] [a|the] word [that means|with] the opposite [meaning|]",
        "[turn|change] the word into [its|the] opposite"),
        ("the opposite of [the|this] word", "the word that means the opposite", "the word with the opposite meaning"), _WORD),
    "past_word": Phrases(("[a|one] [single |]verb", "[a|one] word that says what somebody does", "any verb"), (
        "[write|give|find|return|say|name] the past [form |tense |][of the|of this] verb",
        "[turn|change|put] the verb [into|to] the past [form|tense|]",
        "[write|give|say] the form of the verb for [what was yesterday|yesterday|the past]"),
        ("the past [form|tense] of [the|this] verb", "the verb in the past", "the form of the verb for [yesterday|the past]"), _WORD),
}
