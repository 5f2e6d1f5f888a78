"""The rendered prompts letter for letter, how they shrink, and the project's own demonstrations."""

import copy
from pathlib import Path

import pytest
import yaml

from selfinstruct.errors import UserError
from selfinstruct.parsing import ParsingRules, parse_instances
from selfinstruct.prompts import Prompts, PromptTooLong, fit_to_context

DEFAULT_FILE = Path(__file__).parents[1] / "configs/prompts/default.yaml"

SMALL = {
    "instructions": {
        "heading": "Tasks:",
        "classification_heading": "Labels:",
        "chat_suffix": "From {first} to 16.",
    },
    "classification": {
        "heading": "Classification or not.",
        "question": "Is it classification?",
        "chat_suffix": "Yes or No.",
        "demonstrations": [
            {"instruction": "Is it red?", "is_classification": True},
            {"instruction": "Is it odd?", "is_classification": True},
            {"instruction": "Name a river.", "is_classification": False},
        ],
    },
    "input_first": {
        "heading": "Write examples.",
        "chat_suffix": "Same form.",
        "demonstrations": [
            {
                "instruction": "Add.",
                "examples": [{"input": "", "output": "0"}, {"input": "Sum: 1+1", "output": "2"}],
            },
            {"instruction": "Negate.", "examples": [{"input": "5", "output": "-5"}]},
            {"instruction": "Greet.", "examples": [{"input": "", "output": "Hello\nyou"}]},
        ],
    },
    "output_first": {
        "heading": "Write labels.",
        "chat_suffix": "Same form.",
        "demonstrations": [
            {
                "instruction": "Odd?",
                "examples": [{"label": "Yes", "input": "3"}, {"label": "No", "input": "Number: 4\nbase 10"}],
            },
            {
                "instruction": "Heads?",
                "examples": [{"label": "heads", "input": ""}, {"label": "tails", "input": ""}],
            },
        ],
    },
}


def small():
    return Prompts.from_dict(SMALL)


def test_stage_1_is_a_numbered_list_to_continue():
    shown = ["Name a\n river. ", "Say why:", "Ends badly ::", "Keep: this"]
    assert small().render_instructions(shown) == (
        "Tasks:\n1. Name a river.\n2. Say why\n3. Ends badly \n4. Keep: this\n5."
    )


def test_stage_1_has_a_heading_for_classification_tasks():
    assert small().render_instructions(["a"], classification=True) == "Labels:\n1. a\n2."


def test_stage_1_shows_the_first_tasks_when_shrunk():
    assert small().render_instructions(["a", "b", "c"], num_demonstrations=1) == "Tasks:\n1. a\n2."
    assert small().render_instructions(["a"], num_demonstrations=0) == "Tasks:\n1."


def test_stage_1_tells_a_chat_model_where_to_go_on():
    assert small().render_instructions(["a", "b"], chat=True) == "Tasks:\n1. a\n2. b\n3.\n\nFrom 3 to 16."


def test_stage_2_interleaves_both_classes_and_asks_about_the_new_task():
    assert small().render_classification(" Find it.\n") == (
        "Classification or not.\n\n"
        "Task: Is it red?\nIs it classification? Yes\n\n"
        "Task: Name a river.\nIs it classification? No\n\n"
        "Task: Is it odd?\nIs it classification? Yes\n\n"
        "Task: Find it.\nIs it classification?"
    )


def test_stage_2_drops_the_last_demonstrations_first():
    assert small().render_classification("x", num_demonstrations=1) == (
        "Classification or not.\n\n"
        "Task: Is it red?\nIs it classification? Yes\n\n"
        "Task: x\nIs it classification?"
    )


def test_stage_2_without_demonstrations():
    assert small().render_classification("x", num_demonstrations=0, chat=True) == (
        "Classification or not.\n\nTask: x\nIs it classification?\n\nYes or No."
    )


def test_input_first_shows_numbered_examples_and_bare_outputs():
    assert small().render_instances(" Find it.\n", is_classification=False) == (
        "Write examples.\n\n"
        "Task: Add.\nExample 1\nOutput: 0\n\nExample 2\nSum: 1+1\nOutput: 2\n\n"
        "Task: Greet.\nOutput: Hello\nyou\n\n"
        "Task: Negate.\nExample 1\n5\nOutput: -5\n\n"
        "Task: Find it.\n"
    )


def test_output_first_shows_a_label_then_its_input():
    assert small().render_instances("Find it.", is_classification=True) == (
        "Write labels.\n\n"
        "Task: Odd?\nClass label: Yes\n3\nClass label: No\nNumber: 4\nbase 10\n\n"
        "Task: Heads?\nClass label: heads\nClass label: tails\n\n"
        "Task: Find it.\n"
    )


def test_stage_3_shrinks_and_takes_the_chat_suffix():
    assert small().render_instances("x", False, chat=True, num_demonstrations=0) == (
        "Write examples.\n\nTask: x\n\nSame form."
    )
    assert small().render_instances("x", True, num_demonstrations=0) == "Write labels.\n\nTask: x\n"


# --- fitting ---


def count_words(text):
    return len(text.split())


def ten_words_each(number):
    return "word " * (5 + 10 * number)


@pytest.mark.parametrize(
    ("available", "number"), [(5, 0), (14, 0), (15, 1), (104, 9), (105, 10), (314, 30), (315, 31), (9999, 31)]
)
def test_the_most_demonstrations_that_fit_are_kept(available, number):
    assert fit_to_context(ten_words_each, available, count_words, 31) == (ten_words_each(number), number)


def test_a_prompt_that_fits_is_counted_once_and_others_few_times():
    counted = []

    def count(text):
        counted.append(text)
        return count_words(text)

    fit_to_context(ten_words_each, 9999, count, 31)
    assert len(counted) == 1
    fit_to_context(ten_words_each, 120, count, 31)
    assert len(counted) <= 1 + 6


def test_a_prompt_that_fits_not_even_bare_is_an_error():
    with pytest.raises(PromptTooLong, match=r"5 tokens without demonstrations.*4"):
        fit_to_context(ten_words_each, 4, count_words, 31)


def test_a_bare_prompt_may_take_room_from_the_answer():
    assert fit_to_context(ten_words_each, 4, count_words, 31, utmost_tokens=5) == (ten_words_each(0), 0)
    assert fit_to_context(ten_words_each, 15, count_words, 31, utmost_tokens=99)[1] == 1  # else it does not
    with pytest.raises(PromptTooLong):
        fit_to_context(ten_words_each, 3, count_words, 31, utmost_tokens=4)


def test_no_demonstrations_at_all_can_be_fitted():
    assert fit_to_context(ten_words_each, 5, count_words, 0) == (ten_words_each(0), 0)


# --- errors ---


def broken(path, value):
    settings = copy.deepcopy(SMALL)
    node = settings
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return settings


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["output_first"], None, r"prompts\.output_first: is None; it must be a mapping"),
        (["instructions", "heading"], "", r"prompts\.instructions\.heading: is empty"),
        (["instructions", "headline"], "x", r"prompts\.instructions\.headline: no such key"),
        (["classification", "question"], 3, r"prompts\.classification\.question: is 3; it must be text"),
        (["classification", "demonstrations"], "x", r"\.demonstrations: is 'x'; it must be a list"),
        (["classification", "demonstrations", 1], {"instruction": "x"}, r"\[1\]\.is_classification: is miss"),
        (
            ["classification", "demonstrations", 0, "is_classification"],
            "Yes",
            r"demonstrations\[0\]\.is_classification: is 'Yes'; it must be true or false",
        ),
        (["input_first", "demonstrations", 0, "examples"], [], r"demonstrations\[0\]\.examples: is empty"),
        (
            ["output_first", "demonstrations", 0, "examples", 1, "label"],
            False,
            r"output_first\.demonstrations\[0\]\.examples\[1\]\.label: is False; it must be text \(put",
        ),
        (["typo"], {}, r"prompts\.typo: no such key"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(path, value, message):
    with pytest.raises(UserError, match=message):
        Prompts.from_dict(broken(path, value))


# --- the project's own file ---


def default():
    return Prompts.from_dict(yaml.safe_load(DEFAULT_FILE.read_text(encoding="utf-8")))


def test_the_default_has_the_papers_numbers_of_demonstrations():
    shown = default().classification.demonstrations
    assert [task.is_classification for task in shown].count(True) == 12
    assert [task.is_classification for task in shown].count(False) == 19
    assert len(default().input_first.demonstrations) == 16
    assert len(default().output_first.demonstrations) == 8


@pytest.mark.parametrize("number", range(2, 32))
def test_any_number_of_stage_2_demonstrations_is_balanced_as_the_whole(number):
    num_yes = sum(task.is_classification for task in default().classification.demonstrations[:number])
    assert abs(num_yes - number * 12 / 31) < 1
    assert 0 < num_yes < number


@pytest.mark.parametrize("rules", [ParsingRules.released(), ParsingRules.fixed()], ids=["released", "fixed"])
@pytest.mark.parametrize("is_classification", [False, True])
def test_the_default_demonstrations_parse_back_to_themselves(rules, is_classification):
    prompts = default()
    text = prompts.render_instances("new", is_classification)
    for task in prompts.instances(is_classification).demonstrations:
        answer = text.split(f"Task: {task.instruction}\n")[1].split("\n\nTask: ")[0]
        assert parse_instances(answer, "stop", is_classification, rules) == (list(task.examples), [])


def test_no_default_demonstration_is_used_twice():
    prompts = default()
    instructions = [
        *(task.instruction for task in prompts.classification.demonstrations),
        *(task.instruction for task in prompts.input_first.demonstrations),
        *(task.instruction for task in prompts.output_first.demonstrations),
    ]
    assert len(set(instructions)) == len(instructions) == 31 + 16 + 8
