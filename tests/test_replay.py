"""`ReplayLLM`: recorded answers of our runs and of the released code's, each for what it was asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.llm.base import LLM, Completion, LLMConfig, Request, make_llm
from selfinstruct.llm.replay import ReplayLLM
from selfinstruct.llm.response_log import LoggedLLM

REAL = Path(__file__).parents[2] / "shared/data/self-instruct-run"
needs_real = pytest.mark.skipif(not REAL.exists(), reason="the real run is not here")


def ask(llm: LLM, *prompts: str) -> list[Completion]:
    for prompt in prompts:
        llm.submit(Request(prompt, 9))
    return [llm.next_completion() for _ in prompts]


def ask_about(llm: LLM, *subjects: str, prompt: str = "Heading\n\nTask: {}") -> list[str]:
    for subject in subjects:
        llm.submit(Request(prompt.format(subject), 9, subject=subject))
    return [llm.next_completion().text for _ in subjects]


def metadata(text: str, reason: str | None = "stop", **more: Any) -> dict[str, Any]:
    return {"prompt": "p", "response": {"choices": [{"text": text, "finish_reason": reason}]}} | more


def released(folder: Path, *found: tuple[str, Any]) -> Path:
    path = folder / "machine_generated_instructions.jsonl"
    records = [{"instruction": i, "metadata": m, "request_idx": 0} for i, m in found]
    jsonl.replace(path, records)
    return path


def log_line(stage: str, index: int, text: str, key: str) -> dict[str, Any]:
    counts = {"finish_reason": "length", "prompt_tokens": 7, "completion_tokens": 3}
    return {"stage": stage, "index": index, "key": key, "prompt": "p", "text": text, **counts, "time": 1.0}


# ---- the released code's files


@needs_real
def test_a_real_released_run_has_ten_responses_in_order() -> None:
    llm = make_llm(LLMConfig("replay", responses=str(REAL))).for_stage("instructions")
    answers = ask(llm, *["any prompt"] * 10)
    assert answers[0].text.startswith(" Write a short summary of the following text.\n10. ")
    assert {answer.finish_reason for answer in answers} == {"stop"}
    with pytest.raises(StoppedEarly, match="all 10 recorded answers for instructions are used up"):
        ask(llm, "one more")


@needs_real
def test_a_real_released_run_answers_the_later_stages_without_metadata() -> None:
    for stage, file, field in [
        ("classification", "is_clf_or_not_qwen_template_1.jsonl", "is_classification"),
        ("instances", "machine_generated_instances.jsonl", "raw_instances"),
    ]:
        records = jsonl.read(REAL / file)
        llm = ReplayLLM(REAL).for_stage(stage)
        expected = [record[field] for record in records]
        assert ask_about(llm, *[record["instruction"] for record in records]) == expected
        backwards = ask_about(ReplayLLM(REAL, stage), *[record["instruction"] for record in records][::-1])
        assert backwards == expected[::-1]


def test_lines_of_one_response_are_one_answer(tmp_path: Path) -> None:
    first, second = metadata("A\n10. B", created_at=1), metadata("C", "length", created_at=2)
    path = released(tmp_path, ("A", first), ("B", first), ("C", second))
    expected = [Completion("A\n10. B", "stop", 0, 0), Completion("C", "length", 0, 0)]
    assert ask(ReplayLLM(path), "", "") == expected
    assert ask(ReplayLLM(tmp_path), "", "") == expected


def test_lines_without_metadata_or_response_hold_no_answer(tmp_path: Path) -> None:
    failed = {"prompt": "p", "response": None}
    released(tmp_path, ("A", None), ("B", failed), ("C", metadata("C", None)))
    llm = ReplayLLM(tmp_path)
    assert ask(llm, "") == [Completion("C", "stop", 0, 0)]
    with pytest.raises(StoppedEarly):
        ask(llm, "")


def test_an_instance_answer_that_stopped_for_length_says_so(tmp_path: Path) -> None:
    path = tmp_path / "machine_generated_instances.jsonl"
    record = {
        "instruction": "Sort.",
        "raw_instances": "Input: b a",
        "instance_metadata": metadata("", "length"),
    }
    jsonl.replace(path, [record, record | {"instance_metadata": {"response": None}}])
    llm = ReplayLLM(tmp_path, "instances")
    for subject in ("Sort.", "sort."):
        llm.submit(Request(f"Task: {subject}", 9, subject=subject))
    answers = [llm.next_completion() for _ in range(2)]
    assert [answer.finish_reason for answer in answers] == ["length", "stop"]


def classified(path: Path, *answers: tuple[str, str]) -> LLM:
    jsonl.replace(path, [{"instruction": text, "is_classification": answer} for text, answer in answers])
    return ReplayLLM(path, "classification")


def test_an_instruction_nobody_was_asked_about_is_refused(tmp_path: Path) -> None:
    llm = classified(tmp_path / "is_clf_or_not.jsonl", ("Name  a USA state.", " No"), ("Add.", " No"))
    assert ask_about(llm, "name a usa\nstate.") == [" No"]  # white space and case do not matter
    with pytest.raises(UserError, match=r"no answer is recorded for classification of 'Sort the list.'"):
        ask_about(llm, "Sort the list.")


def test_several_answers_to_one_instruction_come_in_their_order_and_no_more_often(tmp_path: Path) -> None:
    path = tmp_path / "is_clf_or_not.jsonl"
    llm = classified(path, ("Add.", "1"), ("Sort.", "2"), ("Add.", "3"), ("Add.", "4"))
    assert ask_about(llm, "Sort.", "Add.", "Add.") == ["2", "1", "3"]
    assert ask_about(llm, "Add.") == ["4"]
    with pytest.raises(UserError, match=r"3 answers are recorded for classification of 'Add.', but more"):
        ask_about(llm, "Add.")


def test_two_files_for_one_stage_must_be_told_apart(tmp_path: Path) -> None:
    for name in ("is_clf_or_not_davinci.jsonl", "is_clf_or_not_qwen.jsonl"):
        jsonl.replace(tmp_path / name, [{"instruction": "A", "is_classification": "Yes"}])
    with pytest.raises(UserError, match=r"found is_clf_or_not_davinci\.jsonl, is_clf_or_not_qwen\.jsonl"):
        ask(ReplayLLM(tmp_path, "classification"), "A")


# ---- our response log


def test_our_log_answers_by_stage_in_order_of_index(tmp_path: Path) -> None:
    lines = [
        ("instructions", 0, "a"),
        ("instances", 0, "x"),
        ("instructions", 1, "b"),
        ("instructions", 1, "c"),
    ]
    jsonl.replace(
        tmp_path / "response_log.jsonl", [log_line(*line, key=str(n)) for n, line in enumerate(lines)]
    )
    released(tmp_path, ("A", metadata("not this")))
    llm = ReplayLLM(tmp_path)
    assert [a.text for a in ask(llm.for_stage("instructions"), "", "")] == ["a", "c"]  # asked again: the last
    assert ask(llm.for_stage("instances"), "p") == [Completion("x", "length", 7, 3)]
    assert [a.text for a in ask(llm.for_stage("instructions", start_index=1), "")] == ["c"]
    with pytest.raises(UserError, match="no recorded answer for judge"):
        ask(llm.for_stage("judge"), "")


def test_our_log_is_searched_for_the_prompt_also_with_fewer_demonstrations(tmp_path: Path) -> None:
    lines = [log_line("instances", n, f"answer {n}", f"k{n}") for n in range(3)]
    for line, prompt in zip(lines, ("two demos: Add.", "one demo: Sort.", "two demos: Name."), strict=True):
        line["prompt"] = prompt
    jsonl.replace(tmp_path / "response_log.jsonl", lines)
    llm = ReplayLLM(tmp_path).for_stage("instances")
    assert [a.text for a in ask(llm, "two demos: Name.", "two demos: Add.")] == ["answer 2", "answer 0"]
    llm.submit(Request("two demos: Sort.", 9, shorter=lambda: Request("one demo: Sort.", 9)))
    assert llm.next_completion().text == "answer 1"
    with pytest.raises(UserError, match="no answer is recorded for instances of 'two demos: Nothing"):
        ask(llm, "two demos: Nothing.")


def test_a_subject_in_our_log_counts_whatever_the_rest_of_its_prompt_was(tmp_path: Path) -> None:
    lines = [log_line("instances", n, f"answer {n}", f"k{n}") for n in range(3)]
    for line, subject in zip(lines, ("Add.", "Sort.", "Sort."), strict=True):
        line |= {"subject": subject, "prompt": f"Heading\n\nTask: {subject}\n\nNow write, chat model."}
    lines[2]["prompt"] = "Another kind of question\n\nTask: Sort."
    jsonl.replace(tmp_path / "response_log.jsonl", lines)
    llm = ReplayLLM(tmp_path).for_stage("instances")
    assert ask_about(llm, "Sort.", "Add.") == ["answer 1", "answer 0"]
    other = "Another kind of question\n\nTask: {}"
    assert ask_about(llm, "Sort.", prompt=other) == ["answer 2"]
    with pytest.raises(UserError, match=r"no answer is recorded for instances of 'Add.'"):
        ask_about(llm, "Add.", prompt=other)


def test_a_replay_that_was_killed_goes_on_behind_what_its_own_log_holds(tmp_path: Path) -> None:
    lines = [log_line("instructions", n, f"answer {n}", f"k{n}") for n in range(6)]
    jsonl.replace(tmp_path / "response_log.jsonl", lines)
    log = tmp_path / "replayed/response_log.jsonl"
    log.parent.mkdir()
    first = LoggedLLM(ReplayLLM(tmp_path), log)
    ask(first.for_stage("instructions"), "a", "b", "c")
    first.close()
    # Only the first answer had come into the stage's files.
    again = LoggedLLM(ReplayLLM(tmp_path), log).for_stage("instructions", start_index=1)
    texts = [answer.text for answer in ask(again, "b", "c", "d", "e")]
    again.close()
    assert texts == ["answer 1", "answer 2", "answer 3", "answer 4"]


# ---- errors and description


def test_what_cannot_be_replayed_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file or folder"):
        ReplayLLM(tmp_path / "missing")
    with pytest.raises(UserError, match="one file with recorded answers for instances is needed, found none"):
        ask(ReplayLLM(tmp_path, "instances"), "")
    path = released(tmp_path, ("A", metadata("A")), ("B", {"prompt": "p"}))
    with pytest.raises(UserError, match=r"instructions\.jsonl:2: not a recorded answer"):
        ask(ReplayLLM(path), "")
    with pytest.raises(UserError, match="holds no recorded answer for instances"):
        ask(ReplayLLM(released(tmp_path, ("A", metadata("A"))), "instances"), "")


def test_the_description_follows_the_recording_not_its_place(tmp_path: Path) -> None:
    for name, text in [("one", "A"), ("two", "A"), ("three", "B")]:
        released(tmp_path / name, ("A", metadata(text)))
    one, two, three = (ReplayLLM(tmp_path / name).description for name in ("one", "two", "three"))
    assert one == two != three
    assert str(tmp_path) not in json.dumps(one)
