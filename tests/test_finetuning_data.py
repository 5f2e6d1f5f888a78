"""Behaviour of stage 4: from raw answers to training lines."""

from pathlib import Path

import pytest

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.finetuning_data import build_finetuning_data, vary_input
from selfinstruct.parsing import ParsingRules
from selfinstruct.tasks import Instance, SeedTask

SEED = SeedTask("s", "", "Name a tree.", (Instance("", "Oak"),), False)


def folder_with(tmp_path: Path, answers: dict[str, tuple[str, str]], **more: object) -> Path:
    """A run folder: instruction -> (is classification, raw instances)."""
    flags = [{"instruction": text, "is_classification": flag} for text, (flag, _) in answers.items()]
    raw = [{"instruction": text, "raw_instances": raw} | more for text, (_, raw) in answers.items()]
    jsonl.replace(tmp_path / "is_clf_or_not.jsonl", flags)
    jsonl.replace(tmp_path / "machine_generated_instances.jsonl", raw)
    return tmp_path


def build(folder: Path, seeds: list[SeedTask] = [], released: bool = False, **changes: int) -> dict:  # noqa: B006
    rules = ParsingRules.released() if released else ParsingRules.fixed()
    settings = {"max_per_task": 5, "seed": 1} | changes
    return build_finetuning_data(folder, seeds, rules, **settings)  # type: ignore[arg-type]


def lines(folder: Path, name: str) -> list[dict]:
    return jsonl.read(folder / "finetuning_data" / name)


def test_both_kinds_of_tasks_become_instances(tmp_path: Path) -> None:
    answers = {
        "Double the number.": (" No", "Example 1\nInput: 4\nOutput: 8\n\nExample 2\nInput: 5\nOutput: 10"),
        "Is it even?": (" Yes", "Class label: yes\n4\nClass label: no\n5"),
    }
    folder = folder_with(tmp_path, answers)
    assert build(folder)["instances"] == 4
    found = [(r["input"], r["output"]) for r in lines(folder, "all_generated_instances.jsonl")]
    assert found == [("4", "8"), ("5", "10"), ("4", "yes"), ("5", "no")]


def test_training_lines_hold_prompt_completion_and_where_they_came_from(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"Double it.": ("No", "Input: 4\nOutput: 8")})
    build(folder, [SEED])
    by_source = {line["source"]: line for line in lines(folder, "train.jsonl")}
    assert by_source.keys() == {"seed", "generated"}
    assert "Double it." in by_source["generated"]["prompt"]
    assert by_source["generated"]["completion"].strip() == "8"
    assert by_source["generated"]["input"] == "4"
    assert by_source["seed"]["completion"].strip() == "Oak"


def test_the_end_marker_is_written_only_in_released(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"Double it.": ("No", "Input: 4\nOutput: 8")})
    for released in (False, True):
        build(folder, released=released)
        completion = lines(folder, "train.jsonl")[0]["completion"]
        assert completion.endswith("<|endoftext|>") is released


def test_what_is_dropped_is_kept_with_its_reason_and_written_once(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"Double it.": ("No", "Input: 4\nOutput: 4"), "Add.": ("No", "nothing")})
    jsonl.replace(folder / "rejected.jsonl", [{"stage": "instructions", "reason": "x", "text": "y"}])
    for _ in range(2):
        counts = build(folder)
    assert counts["tasks_without_instance"] == 2
    reasons = [(line["stage"], line["reason"]) for line in jsonl.read(folder / "rejected.jsonl")]
    assert reasons == [
        ("instructions", "x"),
        ("finetuning_data", "input_equals_output"),
        ("finetuning_data", "no_instance"),
    ]


def test_at_most_so_many_instances_of_a_task(tmp_path: Path) -> None:
    raw = "\n".join(f"Example {i}\nInput: {i}\nOutput: {2 * i}" for i in range(1, 9))
    folder = folder_with(tmp_path, {"Double it.": ("No", raw)})
    assert build(folder, max_per_task=3)["instances"] == 3
    rejected = jsonl.read(folder / "rejected.jsonl")
    assert [line["reason"] for line in rejected] == ["more_than_max_per_task"] * 5


def test_an_answer_that_stopped_for_length_loses_its_last_instance(tmp_path: Path) -> None:
    raw = {"Double it.": ("No", "Example 1\nInput: 1\nOutput: 2\nExample 2\nInput: 2\nOutput: 4")}
    metadata = {"response": {"choices": [{"finish_reason": "length"}]}}
    assert build(folder_with(tmp_path, raw, instance_metadata=metadata))["instances"] == 1
    assert build(folder_with(tmp_path, raw, instance_metadata=None))["instances"] == 2


def test_of_several_classification_answers_the_last_counts(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"Is it even?": ("No", "Class label: yes\n4")})
    answers = [{"instruction": "Is it even?", "is_classification": flag} for flag in ("No", "Yes")]
    jsonl.replace(folder / "is_clf_or_not.jsonl", answers)
    assert build(folder)["instances"] == 1


def test_any_name_of_the_classification_file_is_read(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"Is it even?": ("Yes", "Class label: yes\n4")})
    (folder / "is_clf_or_not.jsonl").rename(folder / "is_clf_or_not_davinci_template_1.jsonl")
    assert build(folder)["instances"] == 1


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    raw = "\n".join(f"Example {i}\nInput: n: {i}\nOutput: {2 * i}" for i in range(1, 9))
    folder = folder_with(tmp_path, {"Double it.": ("No", raw), "Triple it.": ("No", raw)})
    made = []
    for seed in (1, 1, 2):
        build(folder, seed=seed)
        made.append((folder / "finetuning_data" / "train.jsonl").read_bytes())
    assert made[0] == made[1] != made[2]


def test_equal_pairs_are_dropped(tmp_path: Path) -> None:
    twin = SeedTask("t", "", "Name a tree.", (Instance("", "Oak"),) * 60, False)
    counts = build(folder_with(tmp_path, {}), [twin])
    assert counts["training_examples"] == 6  # the forms without input


@pytest.mark.parametrize(
    ("text", "released", "fixed"),
    [
        ("Sentence: It rains.", "It rains.", "It rains."),
        ("See https://a.b", "//a.b", "See https://a.b"),
        ("He said: go", "go", "He said: go"),
        ("A: x\nB: y", "A: x\nB: y", "A: x\nB: y"),
        ("one\n\ntwo", "one\ntwo", "one\ntwo"),
    ],
)
def test_the_second_form_of_an_input(text: str, released: str, fixed: str) -> None:
    assert vary_input(text, ParsingRules.released()) == released
    assert vary_input(text, ParsingRules.fixed()) == fixed


def test_a_missing_stage_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"machine_generated_instances\.jsonl: not there; run the instances"):
        build(tmp_path)
