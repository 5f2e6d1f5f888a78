"""Phrases for the operations on lists."""

from __future__ import annotations

from selfinstruct.llm.tiny.phrases import A_LIST, ANY, LIST, MIXED, OUT, PICK, THINGS, WORD, Phrases

OF_LISTS: dict[str, Phrases] = {
    "semicolons": Phrases(
        A_LIST,
        (
            f"{OUT} {THINGS} with semicolons [between them|and not commas|in place of commas]",
            f"[put|use|set] [semicolons|a semicolon] between {THINGS}",
            f"[change|turn] the commas [between|in|of] {THINGS} [into|to] semicolons",
            f"[separate|split] {THINGS} with semicolons",
        ),
        ("the [same |]{ts} with semicolons between them", "the {ts} [separated|split] by semicolons"),
    ),
    "reverse": Phrases(
        A_LIST,
        (
            f"[reverse|turn around|flip|turn round] [the order of |]{THINGS}",
            f"{OUT} {THINGS} in [reverse|the reverse|the opposite|backward] order",
            f"{OUT} {THINGS} [backwards|from last to first|from the last to the first|from the end to the "
            f"start]",
            f"put {THINGS} [in reverse order|in the opposite order|the other way round|from last to first]",
            "begin with the last of the {ts} and end with the first",
        ),
        (
            "the [same |]{ts} in [reverse|the opposite|backward] order",
            "the [list of |]{ts} from last to first",
            "the [reversed|backward] [list|row|line] of {ts}",
        ),
        LIST,
    ),
    "first": Phrases(
        A_LIST,
        (
            f"{PICK} the first [word |one |item |][of|from|in] {THINGS}",
            f"{PICK} the first {{t}} [in the list|of the list|in the row|you see|]",
            f"{PICK} the {{t}} [at the start|at the beginning|that comes first|that stands first|before "
            f"all the others]",
            "say [which|what] {t} [is|comes|stands] first [in the list|]",
        ),
        (
            "the first {t} [in the list|of the list|in the row]",
            "the {t} [at the start|that comes first|before all the others]",
            "the first [of the|of these|of all the] {ts}",
        ),
        WORD,
    ),
    "second": Phrases(
        A_LIST,
        (
            f"{PICK} the second [word |one |item |][of|from|in] {THINGS}",
            f"{PICK} the second {{t}} [in the list|of the list|in the row|you see|]",
            f"{PICK} the {{t}} [right after the first|that comes second|that stands second|in second "
            f"place|next to the first]",
            "say [which|what] {t} [is|comes|stands] second [in the list|]",
        ),
        (
            "the second {t} [in the list|of the list|in the row]",
            "the {t} [in second place|that comes second|right after the first]",
            "the second [of the|of these|of all the] {ts}",
        ),
        WORD,
    ),
    "last": Phrases(
        A_LIST,
        (
            f"{PICK} the last [word |one |item |][of|from|in] {THINGS}",
            f"{PICK} the [last|final] {{t}} [in the list|of the list|in the row|you see|]",
            f"{PICK} the {{t}} [at the end|at the very end|that comes last|that stands last|after all the "
            f"others]",
            "say [which|what] {t} [is|comes|stands] last [in the list|]",
        ),
        (
            "the [last|final] {t} [in the list|of the list|in the row]",
            "the {t} [at the end|that comes last|after all the others]",
            "the last [of the|of these|of all the] {ts}",
        ),
        WORD,
    ),
    "count": Phrases(
        A_LIST,
        (
            f"count {THINGS} [in the list|and write the number|and say how many there are|]",
            "[say|write|tell me|find|work out] how many {ts} [there are|are in the list|are in the "
            "row|are named|you see]",
            "[give|write|find|return] the number of {ts} [in the list|in the row|that are named|]",
            "[find|give|write] how long the [list|row|line] of {ts} is",
        ),
        (
            "the number of {ts} [in the list|in the row|that are named]",
            "how many {ts} [there are|are in the list]",
            "the count of [the|all the] {ts}",
        ),
        (
            *ANY,
            "Answer with [a|one] number.",
            "[Write|Give] [only|just] the number.",
            "Use a number[, not a word|].",
        ),
    ),
    "swap_ends": Phrases(
        A_LIST,
        (
            "[swap|exchange|switch] the first and the last {t} [of the list|in the list|in the row|]",
            "[swap|exchange|switch] the [two ends|two outer words|outer two] of [the list of|the row "
            "of|these|the] {ts}",
            "let the first and the last {t} [change|swap|trade] places",
            "put the last {t} first and the first {t} last",
        ),
        (
            "the {ts} with the first and the last [one |]swapped",
            "the list of {ts} after the [two ends|outer two] change places",
        ),
        LIST,
    ),
    "drop_first": Phrases(
        A_LIST,
        (
            "[drop|remove|delete|cut|cross out|leave out|take away] the first {t} [of the list|from the "
            "list|in the list|and keep the others|]",
            f"[drop|remove|delete|cut|cross out|leave out|take away] the first [one |word |item "
            f"|][of|from|in] {THINGS}",
            f"{OUT} all [of |]the {{ts}} [but|except] the first [one|]",
            f"{OUT} {THINGS} without the first [one|]",
        ),
        (
            "the {ts} without the first [one|]",
            "all [of |]the {ts} [but|except] the first [one|]",
            "what is left of the {ts} without the first",
        ),
        LIST,
    ),
    "drop_last": Phrases(
        A_LIST,
        (
            "[drop|remove|delete|cut|cross out|leave out|take away] the [last|final] {t} [of the "
            "list|from the list|in the list|and keep the others|]",
            f"[drop|remove|delete|cut|cross out|leave out|take away] the last [one |word |item "
            f"|][of|from|in] {THINGS}",
            f"{OUT} all [of |]the {{ts}} [but|except] the last [one|]",
            f"{OUT} {THINGS} without the last [one|]",
        ),
        (
            "the {ts} without the last [one|]",
            "all [of |]the {ts} [but|except] the last [one|]",
            "what is left of the {ts} without the last",
        ),
        LIST,
    ),
    "join": Phrases(
        A_LIST,
        (
            f"[join|connect|link|combine|tie together] {THINGS} with the word and",
            f"{OUT} {THINGS} with [and|the word and] [between them|and not commas|in place of commas]",
            f"[put|use|set] the word and between {THINGS}",
            f"[change|turn] the commas between {THINGS} [into|to] the word and",
        ),
        ("the [same |]{ts} joined with the word and", "the {ts} with the word and between them"),
    ),
    "tag_list": Phrases(
        MIXED,
        (
            f"{PICK} the [only |one |]{{t}} [in the list|among the words|among the other words|in the row|]",
            f"{PICK} the [only |one |][word|item|thing] [in the list |]that is {{a_t}}",
            "say which [word|item|thing] [in the list |]is {a_t}",
            "[look for|search for|spot] the [only |one |]{t} [in the list|among the words]",
        ),
        (
            "the [only |one |]{t} [in the list|among the words|among the other words]",
            "the [word|item|thing] [in the list |]that is {a_t}",
            "the one word for {a_t}",
        ),
        WORD,
    ),
    "odd_one_out": Phrases(
        MIXED,
        (
            f"{PICK} the [only |one |][word|item|thing] [in the list |]that is not {{a_t}}",
            f"{PICK} the [word|item|thing|one] that does not [belong|fit] [with|to|among] the {{ts}}",
            "say which [word|item|thing] [in the list |]is not {a_t}",
            "[look for|search for|spot] the [word|item|thing] that is not {a_t}",
            f"{PICK} the odd one [out |]among the {{ts}}",
        ),
        (
            "the [only |one |][word|item|thing] [in the list |]that is not {a_t}",
            "the [word|item] that does not [belong|fit] [with|to] the {ts}",
            "the odd one [out |]among the {ts}",
        ),
        WORD,
    ),
    "shared_list": Phrases(
        (
            "two [short |][lists|rows|lines] of {ts}",
            "[a|one] list of {ts} and [another|a second|then another] [list|one]",
            "a pair of [lists|rows] [that name|with|of] {ts}",
            "two rows of {ts}, [split|separated] by a bar",
            "two lists in which {ts} stand",
        ),
        (
            f"{PICK} the {{t}} [that is in both lists|that both lists share|the two lists share|in both "
            f"lists|both lists have]",
            f"{PICK} the {{t}} [common to both lists|the two lists have in common|that comes up in both "
            f"lists]",
            "say which {t} [is in both lists|both lists share|comes up twice]",
            "[look for|search for|spot] the {t} [in both lists|both lists share]",
        ),
        (
            "the {t} [in both lists|that both lists share|common to both lists|both lists have]",
            "the {t} the [two |]lists [share|have in common]",
        ),
        WORD,
    ),
}
