"""The prompt forms, literally as the paper's section 2 and the released files have them."""

import pytest

from selfinstruct.encoding import WITH_INPUT, WITHOUT_INPUT, evaluation_prompt, fill, forms


def test_the_seven_forms_with_input() -> None:
    filled = [fill(form, " Do it. ", " x\n", " y ") for form in WITH_INPUT]
    assert filled == [
        ("Do it.\nInput: x\nOutput:", " y"),
        ("Do it.\n\nInput: x\n\nOutput:", " y"),
        ("Task: Do it.\nInput: x\nOutput:", " y"),
        ("Do it.\n\nx\n\nOutput:", " y"),
        ("Do it.\n\nx\n\n", "y"),
        ("Do it.\nx\n\n", "y"),
        ("Task: Do it.\n\nx\n\n", "y"),
    ]


def test_the_six_forms_without_input() -> None:
    assert [fill(form, "Do it.", "", "y") for form in WITHOUT_INPUT] == [
        ("Do it. Output:", " y"),
        ("Do it.\nOutput:", " y"),
        ("Do it.\n\nOutput:", " y"),
        ("Do it.\n", "y"),
        ("Do it.\n\n", "y"),
        ("Task: Do it.\n\n", "y"),
    ]


def test_braces_in_the_texts_stay_as_they_are() -> None:
    assert fill(WITH_INPUT[0], "Use {input}.", "{output}", "{}") == (
        "Use {input}.\nInput: {output}\nOutput:",
        " {}",
    )


def test_an_input_of_white_space_only_is_no_input() -> None:
    assert forms(" \n") is WITHOUT_INPUT
    assert forms("a") is WITH_INPUT


@pytest.mark.parametrize(
    ("style", "given", "prompt"),
    [
        ("self-instruct", "x ", "Do it.\n\nInput: x\nOutput:"),
        ("self-instruct", " ", "Do it.\nOutput:"),
        ("tk-def", "x", "Definition: Do it.\n\nNow complete the following example -\nInput: x.\nOutput:"),
        ("tk-def", "x?", "Definition: Do it.\n\nNow complete the following example -\nInput: x?\nOutput:"),
        ("tk-def", "", "Definition: Do it.\n\nNow complete the following example -\nInput: .\nOutput:"),
        ("chat", "x", "Do it.\n\nx"),
        ("chat", "", "Do it."),
    ],
)
def test_the_evaluation_prompts(style: str, given: str, prompt: str) -> None:
    assert evaluation_prompt(style, "Do it.", given) == prompt  # type: ignore[arg-type]


def test_tk_def_puts_a_full_stop_after_a_definition_without_one() -> None:
    assert evaluation_prompt("tk-def", "Do it", "x").startswith("Definition: Do it.\n\n")


@pytest.mark.parametrize(
    ("style", "given", "prompt"),
    [
        (
            "self-instruct",
            "x",
            "Task: Do it.\nExample 1\nInput: a\nOutput: b\n\nExample 2\nOutput: c\n\n"
            "Example 3\nInput: x\nOutput:",
        ),
        (
            "self-instruct",
            "",
            "Task: Do it.\nExample 1\nInput: a\nOutput: b\n\nExample 2\nOutput: c\n\nExample 3\nOutput:",
        ),
        ("chat", "x", "Do it.\n\nInput: a\nOutput: b\n\nOutput: c\n\nInput: x\nOutput:"),
        (
            "tk-def",
            "x",
            "Definition: Do it.\n\n Positive Example 1 -\nInput: a.\n Output: b.\n\n"
            " Positive Example 2 -\nInput: .\n Output: c.\n\n"
            "Now complete the following example -\nInput: x.\nOutput:",
        ),
    ],
)
def test_examples_stand_between_instruction_and_input(style: str, given: str, prompt: str) -> None:
    examples = [("a ", "b"), ("", " c")]
    assert evaluation_prompt(style, "Do it.", given, examples) == prompt  # type: ignore[arg-type]
