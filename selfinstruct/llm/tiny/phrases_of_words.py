"""Phrases for the operations on words and numbers, and for tasks without input."""

from __future__ import annotations

from selfinstruct.llm.tiny.phrases import (
    A_WORD,
    JUDGE,
    LABELS,
    LIST,
    NUMBER,
    ONE_OF,
    PICK,
    TWO_OF,
    WORD,
    Phrases,
)

OF_WORDS: dict[str, Phrases] = {
    "is_kind": Phrases(
        ("[a|one|some|any] [single |]word", "the name of [a thing|something]", "[a|one] thing"),
        (
            "[decide|say|tell me|judge|check] [whether|if] [the word|it|this] is {a_t} [or not|]",
            "[decide|say|tell me|judge|check] [whether|if] the word [names|stands for|means] {a_t} [or not|]",
            "[decide|say|tell me|judge|check] [whether|if] the word [belongs to|is one of|is among] the "
            "{ts} [or not|]",
        ),
        (),
        LABELS,
    ),
    "either": Phrases(
        ("[a|one|some|any] [single |]word", "the name of [a thing|something]", "[a|one] thing"),
        (
            "[decide|say|tell me|judge] [whether|if] [the word|it|this] is {a_t} or {a_u}",
            "[sort|label|mark|classify] the word as {a_t} or {a_u}",
            "[decide|say|tell me|judge] [whether|if] the word [names|means] {a_t} or {a_u}",
            "[say|decide|tell me] what [the word|it] is, {a_t} or {a_u}",
        ),
        (),
        LABELS,
    ),
    "plural": Phrases(
        A_WORD,
        (
            "[write|give|find|return|say] the plural [form |][of the|of this] {t}",
            "[turn|change|put] the {t} [into|to] [the|its] plural [form|]",
            "[write|give|say] the [word for|form for|name of] [two|more than one|many] of this {t}",
            "[write|give|say] the form of the {t} that means more than one",
        ),
        (
            "the plural [form |][of the|of this] {t}",
            "the [word|form] for [more than one|many|two] of this {t}",
        ),
        WORD,
    ),
    "singular": Phrases(
        (
            "[a|one] [single |]word for [some|many|several] {ts}",
            "the plural [form |]of {a_t}",
            "a plural word from the {ts}",
        ),
        (
            "[write|give|find|return|say] the singular [form |]of [the|these] {ts}",
            "[turn|change|put] the {ts} [into|to] the singular [form|]",
            "[write|give|say] the [word for|form for|name of] [just |only |]one of these {ts}",
            "[write|give|say] the form of the {ts} that means [just |only |]one",
        ),
        ("the singular [form |]of [the|these] {ts}", "the [word|form] for [just |only |]one of these {ts}"),
        WORD,
    ),
    "opposite": Phrases(
        ("[a|one] [single |]word", "[a|one] word that says how something is", "any word"),
        (
            "[write|give|find|return|say|name] the opposite of [the word|this word|it]",
            "[write|give|find|return|say|name] [a|the] word [that means|with] the opposite [meaning|]",
            "[turn|change] the word into [its|the] opposite",
        ),
        (
            "the opposite of [the|this] word",
            "the word that means the opposite",
            "the word with the opposite meaning",
        ),
        WORD,
    ),
    "past_word": Phrases(
        ("[a|one] [single |]verb", "[a|one] word that says what somebody does", "any verb"),
        (
            "[write|give|find|return|say|name] the past [form |tense |][of the|of this] verb",
            "[turn|change|put] the verb [into|to] the past [form|tense|]",
            "[write|give|say] the form of the verb for [what was yesterday|yesterday|the past]",
        ),
        (
            "the past [form|tense] of [the|this] verb",
            "the verb in the past",
            "the form of the verb for [yesterday|the past]",
        ),
        WORD,
    ),
    "analogy_plural": Phrases(
        (
            "[a pair|two forms] of {a_t} and [then |]one more {t}",
            "{a_t} with its plural and [then |]another {t}",
            "[a|one] comparison of {ts} and their plurals",
        ),
        (
            "[write|give|find] the plural that belongs [to|with] the last {t}",
            "[complete|finish] the [comparison|analogy] with the plural of the last {t}",
            "do with the last {t} what was done with the first",
            "[write|give|find] the form that [completes|finishes] the [comparison|analogy] of {ts}",
        ),
        ("the [missing |]plural of the last {t}", "the form missing in the comparison of {ts}"),
        WORD,
    ),
    "analogy_kind": Phrases(
        (
            "{a_t} with its kind and [then |]another word",
            "[a pair|two words] for {a_t} and its kind and then one more word",
            "[a|one] comparison that begins with {a_t} and its kind",
        ),
        (
            "[write|give|find|say] the kind of the last word as [with|for|it is for] the {t}",
            "[complete|finish] the [comparison|analogy] [that begins with|after] {a_t} and its kind",
            "[write|give|find|say] what kind of thing the last word is as with the {t}",
        ),
        ("the kind of the last word as [with|for] the {t}", "the kind missing in the comparison with {a_t}"),
        WORD,
    ),
    "analogy_opposite": Phrases(
        (
            "a pair of opposites and [then |]one more word",
            "[a|one] comparison of opposites",
            "a word with its opposite and then another word",
        ),
        (
            "[complete|finish] the [comparison|analogy] of opposites",
            "[write|give|find] the opposite that belongs [to|with] the last word",
            "[write|give|find] the opposite missing [at the end|in the comparison]",
        ),
        (
            "the [missing |]opposite of the last word",
            "the word that [completes|finishes] the pair of opposites",
        ),
        WORD,
    ),
    "analogy_past": Phrases(
        (
            "a verb with its past and [then |]one more verb",
            "[a|one] comparison of verbs and their past [forms|]",
            "two forms of a verb and then another verb",
        ),
        (
            "[complete|finish] the [comparison|analogy] of verbs",
            "[write|give|find] the past that belongs [to|with] the last verb",
            "do with the last verb what was done with the first",
        ),
        ("the [missing |]past [form |]of the last verb", "the verb form missing in the comparison"),
        WORD,
    ),
    "sum": Phrases(
        TWO_OF,
        (
            "add [the|these|both] [two |]numbers [together|]",
            "[find|give|write|work out] the sum of [the|these|both] [two |]numbers",
            "[say|find|work out] how much the [two |]numbers [make|are] together",
        ),
        ("the sum of the [two |]numbers", "what the [two |]numbers make together"),
        NUMBER,
    ),
    "larger": Phrases(
        TWO_OF,
        (
            f"{PICK} the [larger|bigger|higher|greater] of the [two |]numbers",
            f"{PICK} the number that is [larger|bigger|higher|greater]",
            "say which [of the two numbers|number] is [larger|bigger|higher|greater]",
        ),
        ("the [larger|bigger|higher|greater] of the [two |]numbers",),
        NUMBER,
    ),
    "smaller": Phrases(
        TWO_OF,
        (
            f"{PICK} the [smaller|lower] of the [two |]numbers",
            f"{PICK} the number that is [smaller|lower]",
            "say which [of the two numbers|number] is [smaller|lower]",
        ),
        ("the [smaller|lower] of the [two |]numbers",),
        NUMBER,
    ),
    "next": Phrases(
        ONE_OF,
        (
            f"{PICK} the number [that comes after it|right after it|that follows it]",
            "add one to the number",
            "count one [step |]up from the number",
        ),
        ("the number [right after it|that follows it]", "one more than the number"),
        NUMBER,
    ),
    "previous": Phrases(
        ONE_OF,
        (
            f"{PICK} the number [that comes before it|right before it]",
            "take one [away |]from the number",
            "count one [step |]down from the number",
        ),
        ("the number [right before it|that comes before it]", "one less than the number"),
        NUMBER,
    ),
    "even_odd": Phrases(
        ONE_OF,
        (
            f"{JUDGE} the number is even or odd",
            "[sort|label|mark|classify] the number as even or odd",
            "[say|decide|tell me] what the number is, even or odd",
        ),
        (),
        LABELS,
    ),
    "name_one": Phrases(
        (),
        (
            "[name|write|give|think of|choose] [any |just |]one {t} [you know|you like|]",
            "[name|write|think of|choose] {a_t} [you know|you like|of your choice|]",
            "[give|write] [an example of {a_t}|the name of {a_t}|the name of any {t}]",
        ),
        ("an example of {a_t}", "the name of {a_t} [you know|you like]"),
        WORD,
    ),
    "name_two": Phrases(
        (),
        (
            "[name|write|give|think of|choose] [any |just |]two {ts} [you know|you like|]",
            "[name|write|think of] two [different |]{ts} of your choice",
            "[give|write] [two examples of {ts}|the names of two {ts}]",
        ),
        ("two [examples of |]{ts}", "the names of two {ts}"),
        LIST,
    ),
    "name_three": Phrases(
        (),
        (
            "[name|write|give|think of|choose] [any |just |]three {ts} [you know|you like|]",
            "[name|write|think of] three [different |]{ts} of your choice",
            "[give|write] [three examples of {ts}|the names of three {ts}|a list of three {ts}]",
        ),
        ("three [examples of |]{ts}", "the names of three {ts}"),
        LIST,
    ),
    "write_sentence": Phrases(
        (),
        (
            "[write|make up|think of|invent] [a|one|any] [short |simple |new |]sentence [about|with] {a_t}",
            "[write|make up|invent] a sentence in which somebody does something with {a_t}",
            "[say|write|tell me] something [short |]about {a_t} [in one sentence|in a sentence]",
        ),
        ("a [short |simple |new |]sentence about {a_t}",),
        ("Make it short.", "Do not explain it."),
    ),
}
