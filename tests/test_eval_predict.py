"""Prompts that fit the context, the requests that are sent, and prediction files of any origin."""

import json
import string
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.fitting import fit_prompt, max_prompt_tokens
from eval.predict import (
    Manner,
    Prediction,
    predict,
    read_predictions,
    write_predictions,
)
from eval.superni_tasks import Sample, read_task
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, Completion, Request
from selfinstruct.settings import REPOSITORY

REAL = REPOSITORY.parent / "shared" / "data" / "natural-instructions"


class WordLLM(LLM):
    """Counts words as tokens and answers with the prompt's last word."""

    def __init__(self, context_length: int | None = None) -> None:
        self.context_length = context_length
        self.requests: list[Request] = []
        self._waiting: deque[Request] = deque()

    @property
    def description(self) -> dict[str, object]:
        return {"backend": "words"}

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def submit(self, request: Request) -> None:
        self.requests.append(request)
        self._waiting.append(request)

    def next_completion(self) -> Completion:
        prompt = self._waiting.popleft().prompt
        return Completion(f" {prompt.split()[-1]}", "stop", self.count_tokens(prompt), 1)


def sample(text: str, definition: str = "Say yes.", number: int = 0) -> Sample:
    return Sample(f"t-{number}", "t", "Word Analogy", "default", definition, text, ("yes",))


def test_a_prompt_that_fits_is_left_alone() -> None:
    prompt = fit_prompt(sample("one two"), "self-instruct", WordLLM(), 6)
    assert (prompt.text, prompt.truncated) == ("Say yes.\n\nInput: one two\nOutput:", False)


@pytest.mark.parametrize(
    ("style", "before", "after"),
    [
        ("self-instruct", "Say yes.\n\nInput: one two", "\nOutput:"),
        (
            "tk-def",
            "Definition: Say yes.\n\nNow complete the following example -\nInput: one two",
            "\nOutput:",
        ),
        ("chat", "Say yes.\n\none two", ""),
    ],
)
def test_an_over_long_prompt_loses_the_end_of_its_input_never_its_tail(
    style: Any, before: str, after: str
) -> None:
    limit = len((before + after).split())
    prompt = fit_prompt(sample("one two. three four five six"), style, WordLLM(), limit)
    assert prompt.truncated
    assert prompt.text.startswith(before)
    assert prompt.text.endswith(after)
    assert WordLLM().count_tokens(prompt.text) == limit


def test_as_much_of_the_input_stays_as_fits() -> None:
    prompt = fit_prompt(sample("one two three four"), "self-instruct", WordLLM(), 6)
    assert prompt.text.rstrip() == "Say yes.\n\nInput: one two\nOutput:"


def test_where_the_definition_alone_is_too_long_its_end_goes_too() -> None:
    prompt = fit_prompt(sample("in", "a b c d e f"), "self-instruct", WordLLM(), 4)
    assert prompt == prompt.__class__("a b c\nOutput:", truncated=True)


def test_a_context_without_room_for_any_prompt_is_refused() -> None:
    with pytest.raises(UserError, match="t-0: no prompt of 1 tokens can be made of it"):
        fit_prompt(sample("in"), "self-instruct", WordLLM(), 1)


def test_examples_that_do_not_fit_are_left_out_from_the_last_before_anything_is_cut() -> None:
    few_shot = replace(sample("one"), examples=(("a", "b"), ("c", "d")))
    whole = fit_prompt(few_shot, "self-instruct", WordLLM(), 20)
    shorter = fit_prompt(few_shot, "self-instruct", WordLLM(), 19)
    assert whole.text.count("Output:") == 3 and not whole.truncated
    one_example = "Task: Say yes.\nExample 1\nInput: a\nOutput: b\n\nExample 2\nInput: one\nOutput:"
    assert shorter.text == one_example and shorter.truncated
    assert fit_prompt(few_shot, "self-instruct", WordLLM(), 5).text == "Say yes.\n\nInput: one\nOutput:"


@pytest.mark.parametrize(
    ("context_length", "max_tokens", "room"),
    [(None, 1024, None), (512, 64, 448), (2048, 1024, 1024), (512, 1024, 256)],
)
def test_an_answer_gets_its_tokens_but_at_most_half_of_the_context(
    context_length: int | None, max_tokens: int, room: int | None
) -> None:
    assert max_prompt_tokens(context_length, max_tokens) == room


def test_requests_are_greedy_without_stop_and_in_the_samples_order() -> None:
    llm = WordLLM()
    predictions = predict([sample("a", number=0), sample("", number=1)], llm, Manner("self-instruct", 30))
    assert llm.requests == [
        Request("Say yes.\n\nInput: a\nOutput:", max_tokens=30, temperature=0.0),
        Request("Say yes.\nOutput:", max_tokens=30, temperature=0.0),
    ]
    assert predictions[1] == Prediction(" Output:", "Say yes.\nOutput:", "stop", 3, truncated=False)


def test_a_shortened_prompt_is_marked_with_its_prediction() -> None:
    samples = [sample("one two three four five", number=0), sample("one", number=1)]
    predictions = predict(samples, WordLLM(context_length=10), Manner("self-instruct", 4))
    assert [prediction.truncated for prediction in predictions] == [True, False]
    assert predictions[0].num_prompt_tokens == 6


def test_a_prediction_line_holds_what_both_official_scripts_read(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    write_predictions(path, [sample("a")], [Prediction(" yes", "the prompt", "stop", 12, truncated=True)])
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "id": "t-0",
        "prediction": " yes",
        "Task": "t",
        "Instance": {"id": "t-0", "input": "a", "output": ["yes"]},
        "task_id": "t",
        "task_category": "Word Analogy",
        "track": "default",
        "prompt": "the prompt",
        "finish_reason": "stop",
        "num_prompt_tokens": 12,
        "truncated": True,
    }


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    predictions = [
        Prediction(" a\u2028b\u0085c\n\n", "p", "length", 3, truncated=False),
        Prediction(""),
    ]
    path = tmp_path / "predictions.jsonl"
    write_predictions(path, [sample("a", number=0), sample("b", number=1)], predictions)
    assert list(read_predictions(path).values()) == predictions


def read(tmp_path: Path, *lines: str) -> dict[str, Prediction]:
    path = tmp_path / "p.jsonl"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    return read_predictions(path)


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "i", "prediction": "a"}',
        '{"id": "i", "Task": "t", "Instance": {"id": "i", "input": "", "output": ["b"]}, "prediction": "a"}',
        '{"Task": "t", "Instance": {"id": "i", "input": "", "output": ["b"]}, "Prediction": "a"}',
        '\ufeff{"id": "i", "prediction": "a", "gpt3_response": {"choices": []}}',
    ],
)
def test_files_of_the_official_scripts_are_read(line: str, tmp_path: Path) -> None:
    assert read(tmp_path, line, "") == {"i": Prediction("a")}


GOOD = '{"id": "i", "prediction": "a"}'
BROKEN_PREDICTIONS = {
    "no JSON": (GOOD, "id: a"),
    "cut off": (GOOD, '{"id": "j", "predic'),
    "a list": (GOOD, '["j", "a"]'),
    "half a character in bytes": (GOOD, '{"id": "j", "prediction": "\udc80"}'),
    "half a character escaped": (GOOD, '{"id": "j", "prediction": "\\ud800"}'),
    "no id": (GOOD, '{"prediction": "a"}'),
    "a number as id": (GOOD, '{"id": 3, "prediction": "a"}'),
    "an id twice": (GOOD, GOOD),
    "no prediction": (GOOD, '{"id": "j"}'),
    "null": (GOOD, '{"id": "j", "prediction": null}'),
    "a number": (GOOD, '{"id": "j", "prediction": 4}'),
    "a list of texts": (GOOD, '{"id": "j", "prediction": ["a"]}'),
    "user-oriented": (GOOD, '{"prompt": "p", "response": "r"}'),
    "a wrong field": (GOOD, '{"id": "j", "prediction": "a", "truncated": "no"}'),
}
MESSAGES = {
    "no JSON": "not valid JSON",
    "cut off": "not valid JSON",
    "a list": "a list instead of a JSON object",
    "half a character in bytes": "not valid JSON",
    "half a character escaped": "prediction: holds half of a character",
    "no id": "id: missing",
    "a number as id": "id: 3 is not text",
    "an id twice": "id: 'i' is also in line 1",
    "no prediction": "prediction: missing",
    "null": "prediction: null instead of text",
    "a number": "prediction: a int instead of text",
    "a list of texts": "prediction: a list instead of text",
    "user-oriented": "id: missing (this is a line of the user-oriented set",
    "a wrong field": "truncated: 'no' is not of type bool",
}


@pytest.mark.parametrize("kind", BROKEN_PREDICTIONS)
def test_a_broken_prediction_line_is_named_with_its_place(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, *BROKEN_PREDICTIONS[kind])
    assert str(error.value).startswith(f"{tmp_path / 'p.jsonl'}:2: {MESSAGES[kind]}")


def test_an_empty_or_missing_prediction_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"p\.jsonl: holds no prediction"):
        read(tmp_path, "", "")
    with pytest.raises(UserError, match=r"none\.jsonl: cannot be read"):
        read_predictions(tmp_path / "none.jsonl")


def few_shot(first: int, second: int) -> Sample:
    """A sample with two examples, of so many words each."""
    examples = tuple((" ".join(["w"] * words), "yes") for words in (first, second))
    return replace(sample("one"), examples=examples)


@pytest.mark.parametrize(
    ("first", "second", "shown"), [(10, 10, 2), (10, 1100, 1), (1100, 10, 0), (500, 500, 1)]
)
def test_tk_def_leaves_an_example_out_that_would_not_fit_1024_tokens(
    first: int, second: int, shown: int
) -> None:
    prompt = fit_prompt(few_shot(first, second), "tk-def", WordLLM(), None)
    assert prompt.text.count("Positive Example") == shown
    assert prompt.truncated is (shown < 2)
    assert fit_prompt(few_shot(first, second), "self-instruct", WordLLM(), None).text.count("Example") == 3


@pytest.mark.skipif(not REAL.exists(), reason="the shared data is not here")
def test_the_prompts_of_the_real_task_are_literally_the_protocols() -> None:
    """The forms of superni.md around the task's own texts, read from its file."""
    path = REAL / "tasks" / "task1393_superglue_copa_text_completion.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    definition, given = content["Definition"][0], content["Instances"][0]["input"]
    first, second = content["Positive Examples"][:2]
    found = read_task(path, "task1393", "default", 1, num_examples=2)[0]
    zero = replace(found, examples=())

    def stopped(text: str) -> str:
        return text if text[-1] in string.punctuation else f"{text}."

    head, last = f"Definition: {stopped(definition)}\n\n", f"Input: {stopped(given)}\nOutput:"
    assert fit_prompt(zero, "tk-def", WordLLM(), None).text == (
        f"{head}Now complete the following example -\n{last}"
    )
    shown = "".join(
        f" Positive Example {number} -\nInput: {stopped(each['input'])}\n"
        f" Output: {stopped(each['output'])}\n\n"
        for number, each in enumerate((first, second), start=1)
    )
    assert fit_prompt(found, "tk-def", WordLLM(), None).text == (
        f"{head}{shown}Now complete the following example -\n{last}"
    )
    assert (
        fit_prompt(zero, "self-instruct", WordLLM(), None).text == f"{definition}\n\nInput: {given}\nOutput:"
    )
    assert fit_prompt(zero, "chat", WordLLM(), None).text == f"{definition}\n\n{given}"
