"""Root verbs and their objects, as the rules read them and through a spaCy model."""

from pathlib import Path

import pytest

from selfinstruct.english_requests import read_by_rules, singular
from selfinstruct.errors import UserError
from selfinstruct.verb_objects import count_pairs, open_reader


@pytest.mark.parametrize(
    ("instruction", "pair"),
    [
        ("Write a short poem about autumn leaves.", ("write", "poem")),
        ("Please list three birds that sing at night.", ("list", "bird")),
        ("Can you give me an example of irony?", ("give", "example")),
        ("Your task is to sort the numbers from small to large.", ("sort", "number")),
        ("I want you to rewrite this company's letter.", ("rewrite", "letter")),
        ("Given a sentence with two names, find the verb in it.", ("find", "verb")),
        ("You are given a recipe. Name its main spice.", ("give", "recipe")),
        ("You will be provided with a text. Summarize the text.", ("summarize", "text")),
        ("Find and fix the errors in the paragraph.", ("find", "error")),
        ("Create a C++ function which adds two numbers.", ("create", "function")),
        ("Briefly describe a funny meeting with a stranger.", ("describe", "meeting")),
        ("Write an email asking people to come earlier.", ("write", "email")),
        ("Make the sentence longer.", ("make", "sentence")),
        ("The input is a word. Put the word into the plural.", ("put", "word")),
        ("Suggest a quick, healthy breakfast.", ("suggest", "breakfast")),
    ],
)
def test_the_rules_read_requests(instruction: str, pair: tuple[str, str]) -> None:
    assert read_by_rules(instruction) == pair


@pytest.mark.parametrize(
    "instruction",
    [
        "What is the capital of Peru?",
        "How would you solve this: given two numbers, find their sum?",
        "Classify whether the tweet is about politics.",
        "Explain it.",
        "Come up with a name for a bakery.",
        "Translate Hamlet into French.",
        "The river flows to the sea.",
        "写一首关于秋天的诗。",
        "",
        "Answer:",
    ],
)
def test_the_rules_find_no_pair_where_there_is_none(instruction: str) -> None:
    assert read_by_rules(instruction) is None


def test_singulars() -> None:
    words = "stories boxes classes children series analyses recipes heroes glass bus tennis"
    expected = "story box class child series analysis recipe hero glass bus tennis"
    assert [singular(word) for word in words.split()] == expected.split()


def test_counts_rank_by_number_then_alphabet_and_stop_at_four_objects() -> None:
    pairs = [("write", noun) for noun in ("poem", "poem", "story", "list", "essay", "ode")]
    counts = count_pairs([*pairs, ("add", "comma"), None])
    assert (counts["instructions"], counts["with_pair"], counts["distinct_pairs"]) == (8, 7, 6)
    assert [verb["verb"] for verb in counts["top"]] == ["write", "add"]
    objects = [(entry["object"], entry["count"]) for entry in counts["top"][0]["objects"]]
    assert objects == [("poem", 2), ("essay", 1), ("list", 1), ("ode", 1)]
    assert (counts["shown"], counts["shown_share"]) == (6, 0.75)


def test_no_more_than_twenty_verbs_are_shown() -> None:
    counts = count_pairs((f"verb{number}", "noun") for number in range(30))
    assert len(counts["top"]) == 20
    assert count_pairs([])["top"] == []


def test_a_model_that_is_not_installed_says_what_to_do() -> None:
    with pytest.raises(UserError, match=r"statistics\.parser=no_such_model.*statistics\.parser=rules"):
        open_reader("no_such_model")


def test_auto_reads_by_the_rules_where_no_model_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfinstruct.verb_objects._SPACY_MODELS", ("no_such_model",))
    reader = open_reader("auto")
    assert "rules" in reader.name
    assert reader.read(["Write a poem.", "Why?"]) == [("write", "poem"), None]


# Words of a small parse: part of speech, relation, place of the head, lemma.
PARSE = {
    "See": ("VERB", "ROOT", 0, "see"),
    "it": ("PRON", "dobj", 0, "it"),
    "Here": ("ADV", "advmod", 1, "here"),
    "is": ("AUX", "ROOT", 1, "be"),
    "He": ("PRON", "nsubj", 1, "he"),
    "sold": ("VERB", "ROOT", 1, "Sell"),
    "old": ("ADJ", "amod", 3, "old"),
    "boats": ("NOUN", "dobj", 1, "Boat"),
    ".": ("PUNCT", "punct", 0, "."),
}


def test_a_spacy_model_is_read_sentence_by_sentence(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")

    @spacy.Language.component("parse_of_the_test")
    def parse(document):  # type: ignore[no-untyped-def]
        start = 0
        for token in document:
            part, relation, head, lemma = PARSE[token.text]
            token.pos_, token.dep_, token.lemma_ = part, relation, lemma
            token.head = document[start + head]
            if token.text == ".":
                start = token.i + 1
        return document

    language = spacy.blank("en")
    language.add_pipe("parse_of_the_test")
    language.to_disk(tmp_path / "model")
    reader = open_reader(str(tmp_path / "model"))
    assert "spaCy" in reader.name
    texts = [
        "He sold old boats .",
        "See it . He sold old boats .",
        "Here is it .",
        "Here is . He sold old boats .",
    ]
    assert reader.read(texts) == [("sell", "boat"), None, None, ("sell", "boat")]
