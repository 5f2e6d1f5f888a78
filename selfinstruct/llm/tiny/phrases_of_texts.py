"""Phrases for the operations on two sentences, and on what somebody says."""

from __future__ import annotations

from selfinstruct.llm.tiny.phrases import ANY, JUDGE, LABELS, PICK, TWO_SENTENCES, WORD, Phrases

OF_TEXTS: dict[str, Phrases] = {
    "shared_sentence": Phrases(
        TWO_SENTENCES,
        (
            f"{PICK} the {{t}} [that is in both sentences|that both sentences share|the two sentences "
            f"share|in both sentences|both sentences name]",
            f"{PICK} the {{t}} [common to both sentences|the sentences have in common]",
            "say which {t} [is in both sentences|both sentences share|both sentences are about]",
        ),
        (
            "the {t} [in both sentences|that both sentences share|common to both sentences]",
            "the {t} the [two |]sentences [share|have in common]",
        ),
        WORD,
    ),
    "entail": Phrases(
        TWO_SENTENCES,
        (
            f"{JUDGE} the second sentence about {{ts}} [follows from|is true after|must be true after] "
            f"the first",
            f"{JUDGE} the first sentence about {{ts}} [means|says|tells us] that the second is true",
            f"{JUDGE} what the second sentence says about {{ts}} is [in|said by] the first",
            f"{JUDGE} one sentence about {{ts}} follows from the other",
            f"{JUDGE} the second sentence about {{ts}} [must|does] follow from the first",
            "answer yes if the second sentence about {ts} is true [by|after] the first, [and|or] no if "
            "[it is not|not]",
        ),
        (),
        LABELS,
    ),
    "contradict": Phrases(
        TWO_SENTENCES,
        (
            f"{JUDGE} the [two |]sentences about {{ts}} contradict each other",
            f"{JUDGE} the second sentence about {{ts}} [contradicts|denies|is against] the first",
            f"{JUDGE} the sentences about {{ts}} cannot both be true",
            "answer yes if the sentences about {ts} [contradict each other|cannot both be true], "
            "[and|or] no if [they can|not]",
        ),
        (),
        LABELS,
    ),
    "answer_who": Phrases(
        (
            "[a|one] sentence and a [who question|question with who] about {ts}",
            "a sentence about {a_t} and then a [who question|question with who]",
        ),
        (
            f"{JUDGE} the sentence [tells us|says|answers] who [it is|does it] with the {{t}}",
            f"{JUDGE} the who question about the {{t}} [can be answered|has an answer|is answered]",
            f"{JUDGE} we can answer who does it with the {{t}}",
            "answer yes if the sentence [tells us|says] who does it with the {t}, [and|or] no if [it "
            "does not|not]",
        ),
        (),
        LABELS,
    ),
    "answer_where": Phrases(
        (
            "[a|one] sentence and a [where question|question with where] about {ts}",
            "a sentence about {a_t} and then a [where question|question with where]",
        ),
        (
            f"{JUDGE} the sentence [tells us|says] where [it is|the place is] with the {{t}}",
            f"{JUDGE} the where question about the {{t}} [can be answered|has an answer|is answered]",
            f"{JUDGE} we can answer where it is with the {{t}}",
            "answer yes if the sentence [tells us|says] where it is with the {t}, [and|or] no if [it "
            "does not|not]",
        ),
        (),
        LABELS,
    ),
    "pronoun": Phrases(
        (
            "[two|a] [sentences|lines] [in which|where] two people meet and {a_t} [is named|comes up]",
            "[two sentences|a short text] with two people and {a_t}",
            "[a short text|two sentences] in which he or she does something with {a_t}",
            "[a short text|two sentences] about two people and [one|the] {t}",
        ),
        (
            "[say|write|tell me|find] who he or she is in the text about the {t}",
            f"{PICK} the [person|name of the person] that he or she [stands for|means] in the text about "
            f"the {{t}}",
            "[say|write|tell me|find] which [of the two people|person] does something with the {t}",
            "[say|find|tell me] who is meant [with|by] he or she [in the text about|next to] the {t}",
        ),
        (
            "the [person|name] that he or she stands for in the text about the {t}",
            "the [one of the two|person of the two] who does something with the {t}",
        ),
        WORD,
    ),
    "it": Phrases(
        (
            "[two sentences|a short text] with {a_t} and the word it",
            "[a short text|two sentences] about {a_t} in which the second says it",
        ),
        (
            "[say|write|tell me|find] [what|which {t}] the word it [means|stands for] in the text about "
            "the {t}",
            f"{PICK} the {{t}} that the word it [means|stands for|points to]",
            "[say|write|tell me|find] which {t} it [is|means]",
        ),
        (
            "the {t} that the word it [means|stands for|points to]",
            "what the word it stands for in the text about the {t}",
        ),
        ANY,
    ),
    "cause_effect": Phrases(
        (
            "[two|a pair of] sentences, a cause and an effect with {a_t}",
            "[one sentence and then another|a first and a second sentence] with {a_t}, a cause and its "
            "effect",
        ),
        (
            f"{JUDGE} the second sentence with the {{t}} is the cause or the effect [of the first|]",
            "[sort|label|mark|classify] the second sentence with the {t} as cause or effect",
            "[say|decide|tell me] what the second sentence with the {t} is, cause or effect",
            "answer cause if the second sentence with the {t} is the reason, [and|or] effect if it is "
            "the result",
        ),
        (),
        LABELS,
    ),
    "find_cause": Phrases(
        (
            "[two|a pair of] sentences, a cause and an effect with {a_t}",
            "two sentences about why somebody does something with {a_t}",
        ),
        (
            f"{PICK} the sentence that is the cause [in the text with|of what is done with] the {{t}}",
            "[say|write|find] why somebody does something with the {t}",
            f"{PICK} the reason for what is done with the {{t}}",
        ),
        (
            "the sentence that is the cause [in the text with|of what is done with] the {t}",
            "the reason for what is done with the {t}",
        ),
        ANY,
    ),
    "find_effect": Phrases(
        (
            "[two|a pair of] sentences, a cause and an effect with {a_t}",
            "two sentences about what somebody does with {a_t} and why",
        ),
        (
            f"{PICK} the sentence that is the effect [in the text with|and names] the {{t}}",
            "[say|write|find] what [comes of it|happens] with the {t} [in the end|]",
            f"{PICK} the result that [is about|names] the {{t}}",
        ),
        (
            "the sentence that is the effect [in the text with|and names] the {t}",
            "the result that [is about|names] the {t}",
        ),
        ANY,
    ),
    "act": Phrases(
        (
            "[a line|something somebody says|a few words] [in a talk |]about {a_t}",
            "[one line|a line] of a talk about {ts}",
        ),
        (
            "[say|decide|tell me] what the [speaker|person] does [with this line |]about the {t}",
            "[sort|label|mark|classify] the [line|words] about the {t} [by what it does in the talk|as a "
            "kind of speech]",
            "[say|decide|tell me|choose] which [kind of|of the four kinds of] speech [this line|it] "
            "about the {t} is",
        ),
        (),
        LABELS,
    ),
    "reply": Phrases(
        ("[a reply|an answer] somebody gives about {a_t}", "[one reply|a reply] in a talk about {ts}"),
        (
            f"{JUDGE} the [reply|speaker] about the {{t}} [agrees or refuses|says yes or says no]",
            "[sort|label|mark|classify] the reply about the {t} as [agree or refuse|one that agrees or "
            "refuses]",
            "answer agree if the speaker says yes to what is asked about the {t}, [and|or] refuse if [it "
            "is no|not]",
        ),
        (),
        LABELS,
    ),
    "feeling": Phrases(
        ("[a line|something somebody says|an opinion] about {a_t}", "[one|an] opinion of {a_t}"),
        (
            f"{JUDGE} the [opinion|line|feeling] about the {{t}} is positive or negative",
            "[sort|label|mark|classify] the [opinion|line|feeling] about the {t} as positive or negative",
            f"{JUDGE} the [speaker|person] has a positive or negative [opinion|feeling] about the {{t}}",
        ),
        (),
        LABELS,
    ),
}
