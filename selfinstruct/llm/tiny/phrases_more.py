"""More phrases: analogies, numbers, tasks without input, and everything that is asked about sentences."""

from __future__ import annotations

from selfinstruct.llm.tiny.phrases import (
    _A_SENTENCE,
    _ANY,
    _LABELS,
    _LIST,
    _OUT,
    _PICK,
    _SENTENCE,
    _TWO_SENTENCES,
    _WORD,
    Phrases,
)

_NUMBER = (*_ANY, "Answer with [a|one] number.", "[Write|Give] [only|just] the number.", "Use a number[, not a word|].")
_JUDGE = "[decide|say|tell me|judge|check] [whether|if]"
_CHANGE = "[turn|change|make|rewrite]"
_FIX = "[fix|mend|correct|repair]"
_ONE_OF = ("[a|one] [whole |]number", "[a|one] number [from 1 to 30|up to 30]", "any number")
_TWO_OF = ("two numbers", "a pair of numbers", "one number and then another")

PHRASES_MORE: dict[str, Phrases] = {
    # ------------------------------------------------------------------ analogies
    "analogy_plural": Phrases(("[a pair|two forms] of {a_t} and [then |]one more {t}", "{a_t} with its plural and [then |]another {t}",
                               "[a|one] comparison of {ts} and their plurals"), (
        "[write|give|find] the plural that belongs [to|with] the last {t}", "[complete|finish] the [comparison|analogy] with the plural of the last {t}",
        "do with the last {t} what was done with the first", "[write|give|find] the form that [completes|finishes] the [comparison|analogy] of {ts}"),
        ("the [missing |]plural of the last {t}", "the form missing in the comparison of {ts}"), _WORD),
    "analogy_kind": Phrases(("{a_t} with its kind and [then |]another word", "[a pair|two words] for {a_t} and its kind and then one more word",
                             "[a|one] comparison that begins with {a_t} and its kind"), (
        "[write|give|find|say] the kind of the last word as [with|for|it is for] the {t}", "[complete|finish] the [comparison|analogy] [that begins with|after] {a_t} and its kind",
        "[write|give|find|say] what kind of thing the last word is as with the {t}"),
        ("the kind of the last word as [with|for] the {t}", "the kind missing in the comparison with {a_t}"), _WORD),
    "analogy_opposite": Phrases(("a pair of opposites and [then |]one more word", "[a|one] comparison of opposites", "a word with its opposite and then another word"), (
        "[complete|finish] the [comparison|analogy] of opposites", "[write|give|find] the opposite that belongs [to|with] the last word",
        "[write|give|find] the opposite missing [at the end|in the comparison]"),
        ("the [missing |]opposite of the last word", "the word that [completes|finishes] the pair of opposites"), _WORD),
    "analogy_past": Phrases(("a verb with its past and [then |]one more verb", "[a|one] comparison of verbs and their past [forms|]", "two forms of a verb and then another verb"), (
        "[complete|finish] the [comparison|analogy] of verbs", "[write|give|find] the past that belongs [to|with] the last verb",
        "do with the last verb what was done with the first"),
        ("the [missing |]past [form |]of the last verb", "the verb form missing in the comparison"), _WORD),
    # ------------------------------------------------------------------ numbers
    "sum": Phrases(_TWO_OF, ("add [the|these|both] [two |]numbers [together|]", "[find|give|write|work out] the sum of [the|these|both] [two |]numbers",
                             "[say|find|work out] how much the [two |]numbers [make|are] together"),
                   ("the sum of the [two |]numbers", "what the [two |]numbers make together"), _NUMBER),
    "larger": Phrases(_TWO_OF, (f"{_PICK} the [larger|bigger|higher|greater] of the [two |]numbers", f"{_PICK} the number that is [larger|bigger|higher|greater]",
                                "say which [of the two numbers|number] is [larger|bigger|higher|greater]"),
                      ("the [larger|bigger|higher|greater] of the [two |]numbers",), _NUMBER),
    "smaller": Phrases(_TWO_OF, (f"{_PICK} the [smaller|lower] of the [two |]numbers", f"{_PICK} the number that is [smaller|lower]",
                                 "say which [of the two numbers|number] is [smaller|lower]"), ("the [smaller|lower] of the [two |]numbers",), _NUMBER),
    "next": Phrases(_ONE_OF, (f"{_PICK} the number [that comes after it|right after it|that follows it]", "add one to the number",
                              "count one [step |]up from the number"), ("the number [right after it|that follows it]", "one more than the number"), _NUMBER),
    "previous": Phrases(_ONE_OF, (f"{_PICK} the number [that comes before it|right before it]", "take one [away |]from the number",
                                  "count one [step |]down from the number"), ("the number [right before it|that comes before it]", "one less than the number"), _NUMBER),
    "even_odd": Phrases(_ONE_OF, (f"{_JUDGE} the number is even or odd", "[sort|label|mark|classify] the number as even or odd",
                                  "[say|decide|tell me] what the number is, even or odd"), (), _LABELS),
    # ------------------------------------------------------------------ no input
    "name_one": Phrases((), ("[name|write|give|think of|choose] [any |just |]one {t} [you know|you like|]", "[name|write|think of|choose] {a_t} [you know|you like|of your choice|]",
                             "[give|write] [an example of {a_t}|the name of {a_t}|the name of any {t}]"), ("an example of {a_t}", "the name of {a_t} [you know|you like]"), _WORD),
    "name_two": Phrases((), ("[name|write|give|think of|choose] [any |just |]two {ts} [you know|you like|]", "[name|write|think of] two [different |]{ts} of your choice",
                             "[give|write] [two examples of {ts}|the names of two {ts}]"), ("two [examples of |]{ts}", "the names of two {ts}"), _LIST),
    "name_three": Phrases((), ("[name|write|give|think of|choose] [any |just |]three {ts} [you know|you like|]", "[name|write|think of] three [different |]{ts} of your choice",
                               "[give|write] [three examples of {ts}|the names of three {ts}|a list of three {ts}]"), ("three [examples of |]{ts}", "the names of three {ts}"), _LIST),
    "write_sentence": Phrases((), ("[write|make up|think of|invent] [a|one|any] [short |simple |new |]sentence [about|with] {a_t}", "[write|make up|invent] a sentence in which somebody does something with {a_t}",
                                   "[say|write|tell me] something [short |]about {a_t} [in one sentence|in a sentence]"), ("a [short |simple |new |]sentence about {a_t}",), ("Make it short.", "Do not explain it.")),
    # ------------------------------------------------------------------ one sentence
    "tag_sentence": Phrases(_A_SENTENCE, (
        f"{_PICK} the {{t}} [in|of|from|named in] [the|this] sentence", f"{_PICK} the [word|keyword] in the sentence that [is|names] {{a_t}}",
        "say which {t} the sentence [names|is about|talks about]", "[look for|search for|spot|tag] the {t} [in the sentence|]"),
        ("the {t} [in|of|named in] the sentence", "the [word|keyword] that names {a_t}", "the {t} the sentence [names|is about]"), _WORD),
    "tag_pair": Phrases(_A_SENTENCE, (
        f"{_PICK} the [person|name] and the {{t}} [in|of|from|named in] the sentence", f"{_PICK} [two|the two] keywords[:|,] the [person|name] and the {{t}}",
        "say which person and which {t} the sentence [names|is about]", "[tag|mark] the [person|name] and the {t} [in the sentence|]"),
        ("the [person|name] and the {t} [in the sentence|of the sentence]", "two keywords[:|,] the [person|name] and the {t}"), (*_ANY, "Put a comma between [them|the two].")),
    "who": Phrases(_A_SENTENCE, (
        "[say|write|tell me|find] who does something with the {t}", f"{_PICK} the [person|name of the person] in the sentence about the {{t}}",
        f"{_PICK} the person who [has to do|does something] with the {{t}}"),
        ("the [person|name of the person] who does something with the {t}", "the [person|name] in the sentence about the {t}"), _WORD),
    "where": Phrases(_A_SENTENCE, (
        "[say|write|tell me|find] where [the person meets|somebody has] the {t}", f"{_PICK} the place in the sentence about the {{t}}", f"{_PICK} the place where the {{t}} is",
        "[say|write|tell me] where the {t} is"), ("the place in the sentence about the {t}", "the place where the {t} is"), _WORD),
    "title": Phrases(_A_SENTENCE, (
        "[write|give|find|make] [a|one] [short |][title|heading] [for|to] the [sentence|line|text] about the {t}", "[write|give|make] a title [that names|with|from] the person and the {t}",
        "[sum up|name] the sentence about the {t} [in|with] a [short |]title"), ("a [short |][title|heading] for the [sentence|text] about the {t}", "a title [that names|with] the person and the {t}"), _ANY),
    "title_place": Phrases(_A_SENTENCE, (
        "[write|give|find|make] [a|one] [title|heading] about a day with the {t}", "[write|give|make] a title [that names|with|from] the place and the {t}",
        "[call|name] the sentence a day in the place with the {t}"), ("a [title|heading] about a day with the {t}", "a title [that names|with] the place and the {t}"), _ANY),
    "to_question": Phrases(_A_SENTENCE, (
        f"{_CHANGE} the sentence about the {{t}} into a [yes or no |]question", f"[ask|write|make] a [yes or no |]question [from|out of] the sentence about the {{t}}",
        "[ask|write a question that asks] whether the sentence about the {t} is true"), ("the sentence about the {t} as a [yes or no |]question", "a question that asks whether the sentence about the {t} is true"), _ANY),
    "who_question": Phrases(_A_SENTENCE, (
        "[ask|write a question that asks] who does [this|that|something] with the {t}", f"{_CHANGE} the sentence about the {{t}} into a [who question|question with who]",
        "[write|make] a [question with who|who question] [from|out of|about] the sentence about the {t}", "put who in place of the [name|person] and ask about the {t}"),
        ("a [question with who|who question] about the {t}", "a question that asks who does something with the {t}"), _ANY),
    "resolve": Phrases(("[a|one] question about {a_t} after a name", "[a|one] sentence with a name and then a question about {a_t}", "a name and a question [with he or she|] about {a_t}"), (
        "[rewrite|write] the question about the {t} with the name [in place of|and not with] he or she", "put the name into the question about the {t}",
        "[make|write] the question about the {t} so that it [names|has the name of] the person", "[replace|change] he or she in the question about the {t} [by|with|to] the name"),
        ("the question about the {t} with the name [in it|in place of he or she]",), _ANY),
    "negate": Phrases(_A_SENTENCE, (
        f"{_CHANGE} the sentence about the {{t}} [negative|into its opposite|so that it says not]", "[say|write] that the sentence about the {t} is not [true|so]",
        "[put|write|add] the word not into the sentence about the {t}", "deny what the sentence says about the {t}"), ("the sentence about the {t} with the word not", "a sentence that denies what is said about the {t}"), _SENTENCE),
    "past": Phrases(_A_SENTENCE, (
        f"{_CHANGE} the sentence about the {{t}} into the past [tense|]", "[put|write] the sentence about the {t} [in|into] the past [tense|]",
        "[say|write] that it was yesterday [in|with] the sentence about the {t}",
        "write the sentence about the {t} again[, but|] in the past [tense|]"), ("the sentence about the {t} in the past [tense|]",), _SENTENCE),
    "rename": Phrases(("a sentence about {a_t} and a [new |]name", "a sentence with {a_t} and then a [new |]name in brackets"), (
        "[replace|change|swap] the [person|name] in the sentence about the {t} [by|with|for] the new name", "[write|put] the new name [in|into] the sentence about the {t}",
        "let the new person do it with the {t}"), ("the sentence about the {t} with the new name",), _SENTENCE),
    "replace": Phrases(("a sentence and a new {t}", "a sentence about {a_t} and then [another|a new] {t} in brackets"), (
        "[replace|change|swap] the {t} in the sentence [by|with|for] the [new|other] [one|{t}]", "[write|put] the new {t} [in|into] the sentence", "use the {t} in brackets in place of the old one"),
        ("the sentence with the new {t}",), _SENTENCE),
    "agreement": Phrases(("a [sentence|line] about {a_t} with a [mistake in the verb|wrong verb form|wrong verb]", "a sentence with {a_t} [in which|where] the verb is wrong"), (
        f"{_FIX} the [verb|form of the verb|verb form] in the sentence about the {{t}}", "[write|give] the sentence about the {t} with the right [verb|verb form|form of the verb]",
        "make the verb [fit|agree with] the person in the sentence about the {t}", f"{_FIX} the wrong verb in the sentence about the {{t}}"),
        ("the sentence about the {t} with the right [verb|verb form]", "the right form of the sentence about the {t} and its verb"), _SENTENCE),
    "doubled": Phrases(("a [sentence|line] about {a_t} with [a word written twice|one word too many|a doubled word]", "a sentence with {a_t} [in which|where] one word [comes|stands] twice"), (
        "[remove|delete|take away|cross out] the [doubled|repeated] word in the sentence about the {t}", "[write|give] the sentence about the {t} without the [doubled|repeated] word",
        f"{_FIX} the sentence about the {{t}} [in which|where] a word [comes twice|is written twice|is there two times]"),
        ("the sentence about the {t} without the [doubled|repeated] word",), _SENTENCE),
    "article": Phrases(("a [sentence|line] about {a_t} [in which|where] the word the is missing", "a sentence with {a_t} and no article before it"), (
        "[add|put in|fill in|write] the missing article in the sentence about the {t}", "[add|put in|fill in] the word the [where it is missing |]in the sentence about the {t}",
        f"{_FIX} the sentence about the {{t}} with the missing article", "[write|put] the [article|word the] before the {t}"),
        ("the sentence about the {t} with the [missing |]article",), _SENTENCE),
    # ------------------------------------------------------------------ fields
    "record": Phrases(("[a|one] [record|card|form] with a name, {a_t} and a place", "[a|the] name, {a_t} and a place [of a record|on a card|in fields]", "fields [for|with] a name, {a_t} and a place"), (
        "[turn|change|put] the [record|card|fields] with the {t} into a sentence", "[write|make|say in] a sentence [from|with] the name, the {t} and the place", "[write|say] [in a sentence |]who sees the {t} and where"),
        ("a sentence [from|with] the name, the {t} and the place", "a sentence that says who sees the {t} and where"), _SENTENCE),
    "triple": Phrases(("[a|one] [person, a verb|name, a verb] and {a_t}", "three [parts|fields|words] that end with {a_t}", "[a person|a name] and a verb and {a_t} with bars between them"), (
        "[turn|change|put|join] the three [parts|fields|words] with the {t} into a sentence", "[write|make] a sentence [from|with|out of] the person, the verb and the {t}", "[write|say] in a sentence what the person does with the {t}"),
        ("a sentence [from|with] the person, the verb and the {t}", "a sentence that says what the person does with the {t}"), _SENTENCE),
    # ------------------------------------------------------------------ two sentences
    "shared_sentence": Phrases(_TWO_SENTENCES, (
        f"{_PICK} the {{t}} [that is in both sentences|that both sentences share|the two sentences share|in both sentences|both sentences name]", f"{_PICK} the {{t}} [common to both sentences|the sentences have in common]",
        "say which {t} [is in both sentences|both sentences share|both sentences are about]"), ("the {t} [in both sentences|that both sentences share|common to both sentences]", "the {t} the [two |]sentences [share|have in common]"), _WORD),
    "entail": Phrases(_TWO_SENTENCES, (
        f"{_JUDGE} the second sentence about {{ts}} [follows from|is true after|must be true after] the first", f"{_JUDGE} the first sentence about {{ts}} [means|says|tells us] that the second is true",
        f"{_JUDGE} what the second sentence says about {{ts}} is [in|said by] the first", f"{_JUDGE} one sentence about {{ts}} follows from the other",
        f"{_JUDGE} the second sentence about {{ts}} [must|does] follow from the first",
        "answer yes if the second sentence about {ts} is true [by|after] the first, [and|or] no if [it is not|not]"), (), _LABELS),
    "contradict": Phrases(_TWO_SENTENCES, (
        f"{_JUDGE} the [two |]sentences about {{ts}} contradict each other", f"{_JUDGE} the second sentence about {{ts}} [contradicts|denies|is against] the first", f"{_JUDGE} the sentences about {{ts}} cannot both be true",
        "answer yes if the sentences about {ts} [contradict each other|cannot both be true], [and|or] no if [they can|not]"), (), _LABELS),
    "answer_who": Phrases(("[a|one] sentence and a [who question|question with who] about {ts}", "a sentence about {a_t} and then a [who question|question with who]"), (
        f"{_JUDGE} the sentence [tells us|says|answers] who [it is|does it] with the {{t}}", f"{_JUDGE} the who question about the {{t}} [can be answered|has an answer|is answered]", f"{_JUDGE} we can answer who does it with the {{t}}",
        "answer yes if the sentence [tells us|says] who does it with the {t}, [and|or] no if [it does not|not]"), (), _LABELS),
    "answer_where": Phrases(("[a|one] sentence and a [where question|question with where] about {ts}", "a sentence about {a_t} and then a [where question|question with where]"), (
        f"{_JUDGE} the sentence [tells us|says] where [it is|the place is] with the {{t}}", f"{_JUDGE} the where question about the {{t}} [can be answered|has an answer|is answered]", f"{_JUDGE} we can answer where it is with the {{t}}",
        "answer yes if the sentence [tells us|says] where it is with the {t}, [and|or] no if [it does not|not]"), (), _LABELS),
    "pronoun": Phrases(("[two|a] [sentences|lines] [in which|where] two people meet and {a_t} [is named|comes up]", "[two sentences|a short text] with two people and {a_t}", "[a short text|two sentences] in which he or she does something with {a_t}", "[a short text|two sentences] about two people and [one|the] {t}"), (
        "[say|write|tell me|find] who he or she is in the text about the {t}", f"{_PICK} the [person|name of the person] that he or she [stands for|means] in the text about the {{t}}",
        "[say|write|tell me|find] which [of the two people|person] does something with the {t}",
        "[say|find|tell me] who is meant [with|by] he or she [in the text about|next to] the {t}"), ("the [person|name] that he or she stands for in the text about the {t}", "the [one of the two|person of the two] who does something with the {t}"), _WORD),
    "it": Phrases(("[two sentences|a short text] with {a_t} and the word it", "[a short text|two sentences] about {a_t} in which the second says it"), (
        "[say|write|tell me|find] [what|which {t}] the word it [means|stands for] in the text about the {t}", f"{_PICK} the {{t}} that the word it [means|stands for|points to]",
        "[say|write|tell me|find] which {t} it [is|means]"), ("the {t} that the word it [means|stands for|points to]", "what the word it stands for in the text about the {t}"), _ANY),
    "cause_effect": Phrases(("[two|a pair of] sentences, a cause and an effect with {a_t}", "[one sentence and then another|a first and a second sentence] with {a_t}, a cause and its effect"), (
        f"{_JUDGE} the second sentence with the {{t}} is the cause or the effect [of the first|]", "[sort|label|mark|classify] the second sentence with the {t} as cause or effect", "[say|decide|tell me] what the second sentence with the {t} is, cause or effect",
        "answer cause if the second sentence with the {t} is the reason, [and|or] effect if it is the result"), (), _LABELS),
    "find_cause": Phrases(("[two|a pair of] sentences, a cause and an effect with {a_t}", "two sentences about why somebody does something with {a_t}"), (
        f"{_PICK} the sentence that is the cause [in the text with|of what is done with] the {{t}}", "[say|write|find] why somebody does something with the {t}", f"{_PICK} the reason for what is done with the {{t}}"),
        ("the sentence that is the cause [in the text with|of what is done with] the {t}", "the reason for what is done with the {t}"), _ANY),
    "find_effect": Phrases(("[two|a pair of] sentences, a cause and an effect with {a_t}", "two sentences about what somebody does with {a_t} and why"), (
        f"{_PICK} the sentence that is the effect [in the text with|and names] the {{t}}", "[say|write|find] what [comes of it|happens] with the {t} [in the end|]", f"{_PICK} the result that [is about|names] the {{t}}"),
        ("the sentence that is the effect [in the text with|and names] the {t}", "the result that [is about|names] the {t}"), _ANY),
    "act": Phrases(("[a line|something somebody says|a few words] [in a talk |]about {a_t}", "[one line|a line] of a talk about {ts}"), (
        "[say|decide|tell me] what the [speaker|person] does [with this line |]about the {t}", "[sort|label|mark|classify] the [line|words] about the {t} [by what it does in the talk|as a kind of speech]",
        "[say|decide|tell me|choose] which [kind of|of the four kinds of] speech [this line|it] about the {t} is"), (), _LABELS),
    "reply": Phrases(("[a reply|an answer] somebody gives about {a_t}", "[one reply|a reply] in a talk about {ts}"), (
        f"{_JUDGE} the [reply|speaker] about the {{t}} [agrees or refuses|says yes or says no]", "[sort|label|mark|classify] the reply about the {t} as [agree or refuse|one that agrees or refuses]",
        "answer agree if the speaker says yes to what is asked about the {t}, [and|or] refuse if [it is no|not]"), (), _LABELS),
    "feeling": Phrases(("[a line|something somebody says|an opinion] about {a_t}", "[one|an] opinion of {a_t}"), (
        f"{_JUDGE} the [opinion|line|feeling] about the {{t}} is positive or negative", "[sort|label|mark|classify] the [opinion|line|feeling] about the {t} as positive or negative",
        f"{_JUDGE} the [speaker|person] has a positive or negative [opinion|feeling] about the {{t}}"), (), _LABELS),
}
