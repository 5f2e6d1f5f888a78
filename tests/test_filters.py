"""Each rule on an instruction's text, with the paper's settings."""

from pathlib import Path

import pytest
import yaml

from selfinstruct.errors import UserError
from selfinstruct.filters import FilterRules, first_reason

PAPER = yaml.safe_load((Path(__file__).parents[1] / "configs/filters/paper.yaml").read_text(encoding="utf-8"))


def rules(**changes):
    return FilterRules.from_dict({**PAPER, **changes})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("Name three rivers", "fewer_than_4_words"),
        ("Name three long rivers", None),
        ("word " * 150, None),
        ("word " * 151, "more_than_150_words"),
        ("Describe the Image in words.", "mentions_media_or_files: image"),
        ("Describe these images in words.", "mentions_media_or_files: images"),
        ("Find the road on MAPS like these.", "mentions_media_or_files: maps"),
        ("Explain how to go to the site.", "mentions_media_or_files: go to"),
        ("Explain how to go to sleep.", None),
        ("Draw a conclusion from the facts.", None),
        ("Draw a conclusion, then draw it.", "mentions_media_or_files: draw"),
        ("Draw conclusionswise a cat here.", "mentions_media_or_files: draw"),
        ("Imagine a photograph of profiles and plots.", None),
        ("Say who goes to work early.", None),
        ("Write a program that adds numbers.", "starts_with_write_a_program"),
        ("write a PROGRAM that adds numbers.", "starts_with_write_a_program"),
        ("Please write a program that adds.", None),
        ("(Optional) name three long rivers.", "starts_with_punctuation"),
        ("_Name_ three long rivers please.", "starts_with_punctuation"),
        ("Être ou ne pas être?", "starts_with_non_ascii"),
        ("¿Cuál es la capital?", "starts_with_non_ascii"),
        ("7 is a lucky number, why?", None),
    ],
)
def test_the_papers_rules(text, reason):
    assert first_reason(text, rules()) == reason


@pytest.mark.parametrize("keyword", PAPER["keywords"])
def test_every_keyword_of_the_paper_drops(keyword):
    assert first_reason(f"Please say this: {keyword}!", rules()) == f"mentions_media_or_files: {keyword}"


def test_the_paper_has_13_keywords():
    assert len(PAPER["keywords"]) == 13


def test_the_first_rule_in_the_released_order_gives_the_reason():
    assert first_reason("- draw files", rules()) == "fewer_than_4_words"
    assert first_reason("- please draw files", rules()) == "mentions_media_or_files: draw"


def test_limits_come_from_the_config_and_name_the_reason():
    assert first_reason("One two three four", rules(min_words=5)) == "fewer_than_5_words"
    assert first_reason("One two three four", rules(max_words=3)) == "more_than_3_words"


def test_another_language_can_replace_the_lists():
    german = rules(
        keywords=["Bild"], forbidden_starts=["Schreibe ein Programm"], forbid_leading_non_ascii=False
    )
    assert first_reason("Beschreibe das Bild genau.", german) == "mentions_media_or_files: bild"
    assert first_reason("Schreibe ein Programm für Zinsen.", german) == "starts_with_schreibe_ein_programm"
    assert first_reason("Übersetze die Bildung ins Englische.", german) is None


def test_a_keyword_of_a_script_without_spaces_counts_anywhere():
    chinese = rules(keywords=["图片"], min_words=1, forbid_leading_non_ascii=False)
    assert first_reason("请描述这张图片的内容。", chinese) == "mentions_media_or_files: 图片"


def test_a_keyword_is_text_not_a_pattern():
    assert first_reason("What does abc mean here?", rules(keywords=["a.c"])) is None
    assert first_reason("What does a.c mean here?", rules(keywords=["a.c"])) == "mentions_media_or_files: a.c"


def test_empty_lists_and_switches_turn_rules_off():
    off = rules(keywords=[], forbidden_starts=[], forbid_leading_punctuation=False)
    assert first_reason("Write a program for images.", off) is None
    assert first_reason("- say what images are", off) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_words": "four"}, r"filters\.min_words: is 'four'; it must be a number of words"),
        ({"max_words": True}, r"filters\.max_words: is True"),
        ({"keywords": "image"}, r"filters\.keywords: is 'image'; it must be a list of words"),
        ({"forbidden_starts": [""]}, r"filters\.forbidden_starts"),
        ({"forbid_leading_punctuation": "yes"}, r"filters\.forbid_leading_punctuation.*true or false"),
        ({"min_word": 4}, r"filters\.min_word: no such filter setting"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_key(change, message):
    with pytest.raises(UserError, match=message):
        rules(**change)


def test_a_missing_setting_is_refused_by_its_key():
    with pytest.raises(UserError, match=r"mine\.max_words: is missing"):
        FilterRules.from_dict({key: value for key, value in PAPER.items() if key != "max_words"}, "mine")
