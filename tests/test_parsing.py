"""From answers to records: the released rules to the letter, and each mended one on both sides."""

import json
import random
from pathlib import Path

import pytest
import yaml

from selfinstruct.filters import FilterRules
from selfinstruct.markers import ENGLISH
from selfinstruct.parsing import (
    Candidate,
    Dropped,
    ParsingRules,
    parse_classification,
    parse_instances,
    parse_instructions,
    select_instances,
)
from selfinstruct.tasks import Instance

SHARED = Path(__file__).parents[2] / "shared/data"
PAPER = yaml.safe_load((Path(__file__).parents[1] / "configs/filters/paper.yaml").read_text(encoding="utf-8"))
RELEASED = ParsingRules.released()
FIXED = ParsingRules.fixed()
BOTH = pytest.mark.parametrize("rules", [RELEASED, FIXED], ids=["released", "fixed"])


def kept(text, rules, finish_reason="stop", **options):
    return [c.text for c in parse_instructions(text, finish_reason, rules, **options) if c.reason is None]


def generated(text, rules, finish_reason="stop"):
    return parse_instances(text, finish_reason, is_classification=False, rules=rules)[0]


def labelled(text, rules, finish_reason="stop"):
    return parse_instances(text, finish_reason, is_classification=True, rules=rules)[0]


def reasons(text, rules, finish_reason="stop", is_classification=False):
    return [d.reason for d in parse_instances(text, finish_reason, is_classification, rules)[1]]


@BOTH
def test_an_answer_is_split_at_the_list_numbers(rules):
    text = " Name a river.\n10. Add the\n  numbers.\n11 . Say 3. 4 twice.\n12.No blank\n13\t. Tab."
    assert kept(text, rules) == [
        "Name a river.",
        "Add the numbers.",
        "Say 3. 4 twice. 12.no blank" if rules is RELEASED else "Say 3. 4 twice. 12.No blank",
        "Tab.",
    ]


def test_released_lower_cases_all_but_the_first_letter():
    assert kept(" list the states of the USA.", RELEASED) == ["List the states of the usa."]


def test_fixed_keeps_the_case():
    assert kept(" list the states of the USA.", FIXED) == ["list the states of the USA."]


def test_released_takes_nothing_from_an_answer_that_stopped_for_length():
    assert parse_instructions(" Name a river.\n10. Add", "length", RELEASED) == [
        Candidate("Name a river.", "answer_stopped_for_length"),
        Candidate("Add", "answer_stopped_for_length"),
    ]


def test_fixed_drops_only_the_unfinished_last_instruction():
    assert parse_instructions(" Name a river.\n10. Add", "length", FIXED) == [
        Candidate("Name a river.", None),
        Candidate("Add", "unfinished_instruction"),
    ]


@BOTH
def test_an_unknown_finish_reason_counts_as_finished(rules):
    assert kept(" Name a river.", rules, finish_reason=None) == ["Name a river."]


@BOTH
def test_filters_give_each_dropped_piece_its_reason(rules):
    text = " Name a long river here.\n10. \n11. Too short.\n12. Describe the picture in words."
    assert [c.reason for c in parse_instructions(text, "stop", rules, FilterRules.from_dict(PAPER))] == [
        None,
        "empty",
        "fewer_than_4_words",
        "mentions_media_or_files: picture",
    ]


def test_released_filters_see_the_capitalized_text():
    # 'ß' becomes 'Ss', which is ASCII.
    filters = FilterRules.from_dict(PAPER)
    assert kept("ßa b c d", RELEASED, filters=filters) == ["Ssa b c d"]
    assert kept("ßa b c d", FIXED, filters=filters) == []


def test_released_takes_a_keyword_in_a_harmless_phrase_for_itself():
    filters = FilterRules.from_dict(PAPER)
    text = "Draw a conclusion from the two facts."
    assert kept(text, RELEASED, filters=filters) == []
    assert kept(text, FIXED, filters=filters) == [text]


def test_fixed_skips_a_repeated_list_number_and_what_stands_before_it():
    answer = "Sure, here are more:\n\n9. Name a river.\n10. Add."
    assert parse_instructions(answer, "stop", FIXED) == [
        Candidate("Sure, here are more:", "before_the_list"),
        Candidate("Name a river.", None),
        Candidate("Add.", None),
    ]
    assert kept("1. Name a river.\n2. Add.", FIXED) == ["Name a river.", "Add."]
    assert kept("Here:\n5. Name a river.", FIXED, first_number=5) == ["Name a river."]


def test_released_takes_a_repeated_list_number_as_text():
    assert kept("9. Name a river.\n10. Add.", RELEASED) == ["9. name a river.", "Add."]
    assert kept("Sure:\n9. Name a river.", RELEASED) == ["Sure:", "Name a river."]


def test_the_real_run_parses_to_its_instructions_in_order():
    path = SHARED / "self-instruct-run/machine_generated_instructions.jsonl"
    if not path.exists():
        pytest.skip("the shared real run is not here")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    answers = {line["metadata"]["prompt"]: line["metadata"]["response"]["choices"][0] for line in lines}
    filters = FilterRules.from_dict(PAPER)
    parsed = [
        text
        for answer in answers.values()
        for text in kept(answer["text"], RELEASED, answer["finish_reason"], filters=filters)
    ]
    rest = iter(parsed)
    assert all(line["instruction"] in rest for line in lines)  # the others fell to the novelty filter
    assert (len(parsed), len(lines)) == (62, 54)


# --- stage 2 ---


@BOTH
@pytest.mark.parametrize("answer", ["Yes", " yes\n", "YES"])
def test_the_released_yes(rules, answer):
    assert parse_classification(answer, rules)


@BOTH
@pytest.mark.parametrize("answer", ["No", "", "Yesterday", "Not sure: yes", "No, yes"])
def test_anything_else_is_no(rules, answer):
    assert not parse_classification(answer, rules)


@pytest.mark.parametrize("answer", ["Yes.", "yes,", "Yes, it is", "**Yes**", "yEs"])
def test_only_fixed_reads_yes_with_punctuation(answer):
    assert parse_classification(answer, FIXED)
    assert not parse_classification(answer, RELEASED)


# --- stage 3, generation tasks ---


@BOTH
def test_numbered_examples_become_instances(rules):
    text = "Example 1\nCity: Oslo\nOutput: Norway\n\nExample 2\nCity: Lima\nOutput: Peru\n"
    assert generated(text, rules) == [Instance("City: Oslo", "Norway"), Instance("City: Lima", "Peru")]


@BOTH
def test_an_answer_with_only_an_output_is_one_instance_without_input(rules):
    assert generated("Output: one\ntwo", rules) == [Instance("", "one\ntwo")]


@BOTH
def test_an_answer_without_markers_gives_nothing(rules):
    answer = ("just text", "stop", False, rules)
    assert parse_instances(*answer) == ([], [Dropped("just text", "no_instance")])


@BOTH
def test_an_example_without_output_marker_is_all_output(rules):
    assert generated("Example 1\nA whole poem.", rules) == [Instance("", "A whole poem.")]


@BOTH
def test_what_stands_before_the_first_example_is_an_instance_too(rules):
    assert generated("City: Rome\nOutput: Italy\nExample 2\nCity: Lima\nOutput: Peru", rules) == [
        Instance("City: Rome", "Italy"),
        Instance("City: Lima", "Peru"),
    ]


@BOTH
def test_what_follows_a_second_output_is_lost(rules):
    assert generated("x\nOutput: a\nOutput 2: b", rules) == [Instance("x", "a")]


@BOTH
def test_an_output_is_cut_at_an_input_marker(rules):
    assert generated("x\nOutput 1 : a\nInput 2: y", rules) == [Instance("x", "a")]


@BOTH
def test_a_leading_input_marker_is_dropped(rules):
    assert generated("Input 1: x\nOutput: a", rules) == [Instance("x", "a")]
    assert generated("See Input: x\nOutput: a", rules) == [Instance("See Input: x", "a")]


@BOTH
def test_example_markers_with_a_dot_and_without_a_number(rules):
    text = "Example 1.\nx\nOutput: a\nExample\ny\nOutput: b\n  Example 3\nz\nOutput: c"
    assert generated(text, rules) == [Instance("x", "a"), Instance("y", "b"), Instance("z", "c")]


def test_released_splits_at_the_word_example_anywhere():
    text = "Word: dog\nOutput: Example sentence. Examples of it."
    assert generated(text, RELEASED) == [Instance("", "sentence."), Instance("", "s of it.")]


def test_fixed_splits_at_example_only_as_a_line_marker():
    text = "Word: dog\nOutput: Example sentence.\nExamples of it.\nExample 2 shows more."
    assert generated(text, FIXED) == [
        Instance("Word: dog", "Example sentence.\nExamples of it.\nExample 2 shows more.")
    ]
    assert generated("Example 1: x\nOutput: a\nExample 2) y\nOutput: b", FIXED) == [
        Instance("x", "a"),
        Instance("y", "b"),
    ]


CHATTY = "Sure, here they are.\nExample 1\nx\nOutput: a"


def test_released_takes_what_is_said_before_the_examples_for_an_output():
    assert generated(CHATTY, RELEASED) == [Instance("", "Sure, here they are."), Instance("x", "a")]


def test_fixed_drops_what_is_said_before_the_examples():
    assert generated(CHATTY, FIXED) == [Instance("x", "a")]
    assert reasons(CHATTY, FIXED) == ["before_the_examples"]
    assert reasons("Sure.\nExample 1", FIXED, "length") == ["before_the_examples"]


# --- stage 3, classification tasks ---


@BOTH
def test_class_labels_become_outputs(rules):
    text = "Class label: good\nReview: Fine.\nWarm.\n\nClass label: bad\nReview: Cold.\nClass label: neither"
    assert labelled(text, rules) == [
        Instance("Review: Fine.\nWarm.", "good"),
        Instance("Review: Cold.", "bad"),
        Instance("", "neither"),
    ]


@BOTH
def test_text_before_the_first_class_label_is_ignored(rules):
    assert labelled("Labels:\nClass label: good\nx", rules) == [Instance("x", "good")]


@BOTH
def test_an_answer_without_class_label_gives_nothing(rules):
    assert labelled("Output: good", rules) == []
    assert reasons("Output: good", rules, is_classification=True) == ["no_instance"]


def test_class_label_inside_a_line_splits_only_as_released():
    text = "Class label: good\nSay Class label: bad\nhere"
    assert labelled(text, RELEASED) == [Instance("Say", "good"), Instance("here", "bad")]
    assert labelled(text, FIXED) == [Instance("Say Class label: bad\nhere", "good")]


# --- stage 3, what is dropped ---


@BOTH
def test_an_answer_that_stopped_for_length_loses_its_last_instance(rules):
    text = "Example 1\nx\nOutput: a\nExample 2\ny\nOutput: b"
    assert generated(text, rules, "length") == [Instance("x", "a")]
    assert reasons(text, rules, "length") == ["unfinished_instance"]
    assert generated(text, rules, None) == [Instance("x", "a"), Instance("y", "b")]


@BOTH
def test_the_last_instance_goes_before_conflicts_are_looked_for(rules):
    assert labelled("Class label: a\nx\nClass label: b\nx", rules, "length") == [Instance("x", "a")]


@BOTH
@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        ("same\nOutput: same", "input_equals_output"),
        ("x\nOutput:", "empty_output"),
        ("Output:", "empty_output"),
        ("x:\nOutput: a", "ends_with_a_colon"),
        ("x\nOutput: as follows:", "ends_with_a_colon"),
    ],
)
def test_invalid_instances_are_dropped(rules, piece, reason):
    text = f"Example 1\n{piece}\nExample 2\ny\nOutput: b"
    assert generated(text, rules) == [Instance("y", "b")]
    assert reasons(text, rules) == [reason]


@BOTH
def test_an_invalid_instance_conflicts_with_nothing(rules):
    assert labelled("Class label: a\nx\nClass label: b:\nx", rules) == [Instance("x", "a")]


@BOTH
def test_exact_duplicates_are_dropped(rules):
    text = "Class label: a\nx\nClass label: a\nx\nClass label: a\ny"
    assert labelled(text, rules) == [Instance("x", "a"), Instance("y", "a")]
    assert reasons(text, rules, is_classification=True) == ["duplicate_instance"]


@BOTH
def test_different_outputs_of_an_empty_input_are_no_conflict(rules):
    assert labelled("Class label: a\nClass label: b", rules) == [Instance("", "a"), Instance("", "b")]


CONFLICT = "Class label: a\nx\nClass label: b\nx\nClass label: a\ny"


def test_released_deletes_all_instances_of_a_task_with_a_conflict():
    assert labelled(CONFLICT, RELEASED) == []
    assert reasons(CONFLICT, RELEASED, is_classification=True) == ["same_input_different_output"] * 3


def test_fixed_deletes_only_the_instances_of_the_conflicting_input():
    assert labelled(CONFLICT, FIXED) == [Instance("y", "a")]
    assert reasons(CONFLICT, FIXED, is_classification=True) == ["same_input_different_output"] * 2


@BOTH
def test_every_piece_is_kept_or_dropped(rules):
    pieces = ["x\nOutput: a", "x\nOutput: a", "Output:", "z\nOutput: z", "q"]
    text = "\n".join(f"Example {number}\n{piece}" for number, piece in enumerate(pieces, start=1))
    instances, dropped = parse_instances(text, "length", False, rules)
    assert len(instances) + len(dropped) == 5


EIGHT = [Instance("", str(number)) for number in range(8)]


@BOTH
def test_at_most_so_many_instances_are_drawn_and_reproducibly(rules):
    drawn = select_instances(EIGHT, 5, random.Random("1:2"), rules)
    assert len(set(drawn)) == 5
    assert drawn == select_instances(EIGHT, 5, random.Random("1:2"), rules)
    assert set(select_instances(EIGHT[:3], 5, random.Random(0), rules)) == set(EIGHT[:3])


def test_fixed_keeps_the_answers_order_and_released_that_of_the_draw():
    seeds = range(20)
    fixed = [select_instances(EIGHT, 5, random.Random(seed), FIXED) for seed in seeds]
    released = [select_instances(EIGHT, 5, random.Random(seed), RELEASED) for seed in seeds]
    assert all(drawn == sorted(drawn, key=EIGHT.index) for drawn in fixed)
    assert any(drawn != sorted(drawn, key=EIGHT.index) for drawn in released)
    assert len({drawn[0] for drawn in fixed}) > 1


def test_every_switch_is_off_as_released_and_on_as_fixed():
    assert RELEASED.markers == FIXED.markers == ENGLISH
    assert {value for value in vars(RELEASED).values() if value != ENGLISH} == {False}
    assert {value for value in vars(FIXED).values() if value != ENGLISH} == {True}
