"""The definitions of the benchmark's tasks, one for each operation that has held-out word types.

They are written as Super-NaturalInstructions writes them, in frames that no training text has; each of their
words occurs there.
"""

DEFINITIONS: dict[str, str] = {
    "reverse": (
        "Here you get a series of {ts} in one order. Your task is to change the order, so that the last "
        "of the {ts} comes first and the first comes last. The answer is a list in the opposite order."
    ),
    "last": (
        "The input names {ts} in a row with commas between. Look for the one that stands at the very "
        "end, after the others. Say that {t} and nothing more."
    ),
    "drop_first": (
        "You will see some {ts}, and the first of them is one too many. Take it away, and return what is "
        "left in the same order. Keep commas between the words that stand there."
    ),
    "join": (
        "A short list of {ts} is the input. Write one line where the word and stands between each of the "
        "{ts}, so that no comma is left."
    ),
    "tag_sentence": (
        "The input is a line of text, and in it there is one keyword for {a_t}. Your answer should be "
        "that keyword. Leave out the person, the verb and the place."
    ),
    "tag_list": (
        "You see a mixed list, and one of its words is {a_t}. The others are words for different things. "
        "Your task is to say which of them is the {t}."
    ),
    "tag_pair": (
        "Each sentence names a person who does something with {a_t}. Pick out two keywords, first the "
        "person and then the {t}, and write a comma between them."
    ),
    "shared_list": (
        "The input has two lists of {ts} with a bar between them. One {t} comes up in the first list and "
        "in the second. Write that {t} as your answer."
    ),
    "shared_sentence": (
        "You read two sentences, and different people do something in them. One {t} is in both of them. "
        "Return this one {t}, and do not write the people."
    ),
    "entail": (
        "In the text there are two sentences about {ts}. Think of the first as true. If the second must "
        "then be true, answer yes, and if it does not follow, answer no."
    ),
    "contradict": (
        "You are given a pair of lines with {ts}. One of them may deny what the other says. Answer yes "
        "if the two cannot be true together, and no if both can be true."
    ),
    "title": (
        "The input is a line of text about {a_t}. Think of a short heading for it, one that has the "
        "person first and then the {t}. Answer with this title only."
    ),
    "title_place": (
        "Read what somebody does with {a_t} and where it is. Your task is to make a heading for the text "
        "which says it is a day in that place with the {t}."
    ),
    "pronoun": (
        "The text names two people who meet. After that, he or she does something with {a_t}. Your task "
        "is to say which of the names is meant by he or she."
    ),
    "it": (
        "In the second sentence somebody does something with it. Your task is to find out what it is: "
        "look in the first sentence for {a_t}, and write this {t} with its article."
    ),
    "answer_who": (
        "You see a text and a question about {ts}. Answer yes if the text has what we want to know, "
        "which is who does it with the {t}. If this {t} is not in the text, the answer is no."
    ),
    "answer_where": (
        "A sentence about {a_t} is the input, and a question which asks for the place comes after it. If "
        "the sentence names a place, answer yes. If there is no place in it, answer no."
    ),
    "to_question": (
        "The input says what a person does with {a_t}. Your task is to ask if that is true, in one "
        "question that begins with does. Keep the names and the other words."
    ),
    "resolve": (
        "Here is a name in the first sentence, and he or she in the question about {a_t}. Your task is "
        "to write the question again, with the name where he or she was."
    ),
    "who_question": (
        "You are given a line that says who does something with {a_t}. Leave out the name, begin with "
        "who, and ask for the person. The answer is this question."
    ),
    "record": (
        "The input has three fields: one is a name, one is {a_t} and one is a place. Your task is to "
        "make them into one full sentence that says the person sees the {t} in this place."
    ),
    "triple": (
        "You get three words with bars between them, and the last is {a_t}. Put them together, in the "
        "same order, to make one whole sentence about the person and the {t}."
    ),
    "analogy_plural": (
        "The first pair shows one {t} and the form for more than one. After it comes another {t}, and "
        "its form is missing. Complete the second pair with the plural."
    ),
    "analogy_kind": (
        "In the first pair there is {a_t} and then the kind of thing it is. Then another word follows. "
        "Say of what kind the thing in the second pair is."
    ),
    "cause_effect": (
        "The text has two sentences. In one of them somebody does something with {a_t}, and the other "
        "tells us why. Look at the second sentence: answer cause if it is the reason, and effect if it "
        "is what comes of it."
    ),
    "find_cause": (
        "Read the two sentences: somebody does something with {a_t}, and there is a reason why. Your "
        "answer should be the whole sentence which tells us the reason, and not the other."
    ),
    "act": (
        "You see what a speaker says about {a_t}. Your task is to say which of four kinds of speech it "
        "is: a greeting, a question, a request or thanks. Answer with the name of the kind."
    ),
    "reply": (
        "Somebody gives an answer in which there is {a_t}. If the speaker says yes to what was asked, "
        "the label is agree. If the speaker says no, the label is refuse."
    ),
    "agreement": (
        "A person does something with {a_t} in the sentence, but the form of the verb is a mistake. "
        "Write the whole sentence again with the verb as it should be."
    ),
    "doubled": (
        "There is a mistake in the line about {a_t}: one of its words is repeated. Your task is to write "
        "the sentence again so that no word stands two times."
    ),
    "article": (
        "Something is missing in the sentence about {a_t}, it is the small word the. Write the sentence "
        "again, with the article where it should be, and keep the rest."
    ),
}
