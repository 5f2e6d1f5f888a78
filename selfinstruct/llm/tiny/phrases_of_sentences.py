"""Phrases for the operations on one sentence, or on the fields of one."""

from __future__ import annotations

from selfinstruct.llm.tiny.phrases import A_SENTENCE, ANY, CHANGE, FIX, PICK, SENTENCE, WORD, Phrases

OF_SENTENCES: dict[str, Phrases] = {
    "tag_sentence": Phrases(
        A_SENTENCE,
        (
            f"{PICK} the {{t}} [in|of|from|named in] [the|this] sentence",
            f"{PICK} the [word|keyword] in the sentence that [is|names] {{a_t}}",
            "say which {t} the sentence [names|is about|talks about]",
            "[look for|search for|spot|tag] the {t} [in the sentence|]",
        ),
        (
            "the {t} [in|of|named in] the sentence",
            "the [word|keyword] that names {a_t}",
            "the {t} the sentence [names|is about]",
        ),
        WORD,
    ),
    "tag_pair": Phrases(
        A_SENTENCE,
        (
            f"{PICK} the [person|name] and the {{t}} [in|of|from|named in] the sentence",
            f"{PICK} [two|the two] keywords[:|,] the [person|name] and the {{t}}",
            "say which person and which {t} the sentence [names|is about]",
            "[tag|mark] the [person|name] and the {t} [in the sentence|]",
        ),
        (
            "the [person|name] and the {t} [in the sentence|of the sentence]",
            "two keywords[:|,] the [person|name] and the {t}",
        ),
        (*ANY, "Put a comma between [them|the two]."),
    ),
    "who": Phrases(
        A_SENTENCE,
        (
            "[say|write|tell me|find] who does something with the {t}",
            f"{PICK} the [person|name of the person] in the sentence about the {{t}}",
            f"{PICK} the person who [has to do|does something] with the {{t}}",
        ),
        (
            "the [person|name of the person] who does something with the {t}",
            "the [person|name] in the sentence about the {t}",
        ),
        WORD,
    ),
    "where": Phrases(
        A_SENTENCE,
        (
            "[say|write|tell me|find] where [the person meets|somebody has] the {t}",
            f"{PICK} the place in the sentence about the {{t}}",
            f"{PICK} the place where the {{t}} is",
            "[say|write|tell me] where the {t} is",
        ),
        ("the place in the sentence about the {t}", "the place where the {t} is"),
        WORD,
    ),
    "title": Phrases(
        A_SENTENCE,
        (
            "[write|give|find|make] [a|one] [short |][title|heading] [for|to] the [sentence|line|text] "
            "about the {t}",
            "[write|give|make] a title [that names|with|from] the person and the {t}",
            "[sum up|name] the sentence about the {t} [in|with] a [short |]title",
        ),
        (
            "a [short |][title|heading] for the [sentence|text] about the {t}",
            "a title [that names|with] the person and the {t}",
        ),
        ANY,
    ),
    "title_place": Phrases(
        A_SENTENCE,
        (
            "[write|give|find|make] [a|one] [title|heading] about a day with the {t}",
            "[write|give|make] a title [that names|with|from] the place and the {t}",
            "[call|name] the sentence a day in the place with the {t}",
        ),
        ("a [title|heading] about a day with the {t}", "a title [that names|with] the place and the {t}"),
        ANY,
    ),
    "to_question": Phrases(
        A_SENTENCE,
        (
            f"{CHANGE} the sentence about the {{t}} into a [yes or no |]question",
            "[ask|write|make] a [yes or no |]question [from|out of] the sentence about the {t}",
            "[ask|write a question that asks] whether the sentence about the {t} is true",
        ),
        (
            "the sentence about the {t} as a [yes or no |]question",
            "a question that asks whether the sentence about the {t} is true",
        ),
        ANY,
    ),
    "who_question": Phrases(
        A_SENTENCE,
        (
            "[ask|write a question that asks] who does [this|that|something] with the {t}",
            f"{CHANGE} the sentence about the {{t}} into a [who question|question with who]",
            "[write|make] a [question with who|who question] [from|out of|about] the sentence about the {t}",
            "put who in place of the [name|person] and ask about the {t}",
        ),
        (
            "a [question with who|who question] about the {t}",
            "a question that asks who does something with the {t}",
        ),
        ANY,
    ),
    "resolve": Phrases(
        (
            "[a|one] question about {a_t} after a name",
            "[a|one] sentence with a name and then a question about {a_t}",
            "a name and a question [with he or she|] about {a_t}",
        ),
        (
            "[rewrite|write] the question about the {t} with the name [in place of|and not with] he or she",
            "put the name into the question about the {t}",
            "[make|write] the question about the {t} so that it [names|has the name of] the person",
            "[replace|change] he or she in the question about the {t} [by|with|to] the name",
        ),
        ("the question about the {t} with the name [in it|in place of he or she]",),
        ANY,
    ),
    "negate": Phrases(
        A_SENTENCE,
        (
            f"{CHANGE} the sentence about the {{t}} [negative|into its opposite|so that it says not]",
            "[say|write] that the sentence about the {t} is not [true|so]",
            "[put|write|add] the word not into the sentence about the {t}",
            "deny what the sentence says about the {t}",
        ),
        ("the sentence about the {t} with the word not", "a sentence that denies what is said about the {t}"),
        SENTENCE,
    ),
    "past": Phrases(
        A_SENTENCE,
        (
            f"{CHANGE} the sentence about the {{t}} into the past [tense|]",
            "[put|write] the sentence about the {t} [in|into] the past [tense|]",
            "[say|write] that it was yesterday [in|with] the sentence about the {t}",
            "write the sentence about the {t} again[, but|] in the past [tense|]",
        ),
        ("the sentence about the {t} in the past [tense|]",),
        SENTENCE,
    ),
    "rename": Phrases(
        (
            "a sentence about {a_t} and a [new |]name",
            "a sentence with {a_t} and then a [new |]name in brackets",
        ),
        (
            "[replace|change|swap] the [person|name] in the sentence about the {t} [by|with|for] the new "
            "name",
            "[write|put] the new name [in|into] the sentence about the {t}",
            "let the new person do it with the {t}",
        ),
        ("the sentence about the {t} with the new name",),
        SENTENCE,
    ),
    "replace": Phrases(
        ("a sentence and a new {t}", "a sentence about {a_t} and then [another|a new] {t} in brackets"),
        (
            "[replace|change|swap] the {t} in the sentence [by|with|for] the [new|other] [one|{t}]",
            "[write|put] the new {t} [in|into] the sentence",
            "use the {t} in brackets in place of the old one",
        ),
        ("the sentence with the new {t}",),
        SENTENCE,
    ),
    "agreement": Phrases(
        (
            "a [sentence|line] about {a_t} with a [mistake in the verb|wrong verb form|wrong verb]",
            "a sentence with {a_t} [in which|where] the verb is wrong",
        ),
        (
            f"{FIX} the [verb|form of the verb|verb form] in the sentence about the {{t}}",
            "[write|give] the sentence about the {t} with the right [verb|verb form|form of the verb]",
            "make the verb [fit|agree with] the person in the sentence about the {t}",
            f"{FIX} the wrong verb in the sentence about the {{t}}",
        ),
        (
            "the sentence about the {t} with the right [verb|verb form]",
            "the right form of the sentence about the {t} and its verb",
        ),
        SENTENCE,
    ),
    "doubled": Phrases(
        (
            "a [sentence|line] about {a_t} with [a word written twice|one word too many|a doubled word]",
            "a sentence with {a_t} [in which|where] one word [comes|stands] twice",
        ),
        (
            "[remove|delete|take away|cross out] the [doubled|repeated] word in the sentence about the {t}",
            "[write|give] the sentence about the {t} without the [doubled|repeated] word",
            f"{FIX} the sentence about the {{t}} [in which|where] a word [comes twice|is written twice|is "
            f"there two times]",
        ),
        ("the sentence about the {t} without the [doubled|repeated] word",),
        SENTENCE,
    ),
    "article": Phrases(
        (
            "a [sentence|line] about {a_t} [in which|where] the word the is missing",
            "a sentence with {a_t} and no article before it",
        ),
        (
            "[add|put in|fill in|write] the missing article in the sentence about the {t}",
            "[add|put in|fill in] the word the [where it is missing |]in the sentence about the {t}",
            f"{FIX} the sentence about the {{t}} with the missing article",
            "[write|put] the [article|word the] before the {t}",
        ),
        ("the sentence about the {t} with the [missing |]article",),
        SENTENCE,
    ),
    "record": Phrases(
        (
            "[a|one] [record|card|form] with a name, {a_t} and a place",
            "[a|the] name, {a_t} and a place [of a record|on a card|in fields]",
            "fields [for|with] a name, {a_t} and a place",
        ),
        (
            "[turn|change|put] the [record|card|fields] with the {t} into a sentence",
            "[write|make|say in] a sentence [from|with] the name, the {t} and the place",
            "[write|say] [in a sentence |]who sees the {t} and where",
        ),
        (
            "a sentence [from|with] the name, the {t} and the place",
            "a sentence that says who sees the {t} and where",
        ),
        SENTENCE,
    ),
    "triple": Phrases(
        (
            "[a|one] [person, a verb|name, a verb] and {a_t}",
            "three [parts|fields|words] that end with {a_t}",
            "[a person|a name] and a verb and {a_t} with bars between them",
        ),
        (
            "[turn|change|put|join] the three [parts|fields|words] with the {t} into a sentence",
            "[write|make] a sentence [from|with|out of] the person, the verb and the {t}",
            "[write|say] in a sentence what the person does with the {t}",
        ),
        (
            "a sentence [from|with] the person, the verb and the {t}",
            "a sentence that says what the person does with the {t}",
        ),
        SENTENCE,
    ),
}
