"""The computed review says of an instance what an expert of the little world would."""

import json
from pathlib import Path

import pytest

from eval.little_world_review import ReviewConfig, judge, review, review_tables, summarise_review
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.llm.tiny.demo import SEEDS_PATH

REVERSE = "Reverse the list of fruits."


def instruction_of(operation: str) -> str:
    """The seed that asks for an operation."""
    seeds = {record["name"]: record["instruction"] for record in jsonl.read(SEEDS_PATH)}
    return next(text for name, text in seeds.items() if name.startswith(operation))


def instance_of(operation: str) -> tuple[str, str]:
    seeds = {record["name"]: record["instances"][0] for record in jsonl.read(SEEDS_PATH)}
    found = next(each for name, each in seeds.items() if name.startswith(operation))
    return found["input"], found["output"]


@pytest.mark.parametrize(
    ("change", "answers"),
    [
        ("", (True, True, True, True)),
        ("output", (True, True, False, False)),
        ("input", (True, False, False, False)),
        ("instruction", (False, False, False, False)),
    ],
)
def test_what_is_wrong_is_judged_wrong(change: str, answers: tuple[bool, ...]) -> None:
    instruction, (given, output) = instruction_of("reverse"), instance_of("reverse")
    match change:
        case "output":
            output = given
        case "input":
            given = "banana? no."
        case "instruction":
            instruction = "Write a poem about the sea."
    assert tuple(judge(instruction, given, output).answers().values()) == answers


def test_a_task_without_input_wants_none() -> None:
    instruction, (given, output) = instruction_of("name_three"), instance_of("name_three")
    assert not given
    assert judge(instruction, "", output).answers()["all_fields_valid"]
    assert not judge(instruction, "fox", output).answers()["appropriate_input"]


@pytest.mark.parametrize(
    ("instruction", "given", "output", "reason"),
    [
        ("Reverse the list of fruits.", "fig, pear, plum", "plum, pear, fig", None),
        ("Reverse the list of fruits.", "fig, pear, plum", "fig", "right would be: plum, pear, fig"),
        ("Reverse the list of fruits.", "fig, fig, plum", "plum, fig, fig", "names a thing twice"),
        ("Reverse the list of fruits.", "fox, fig", "fig, fox", "none that the rules can answer"),
        ("Write a poem about the sea.", "", "x", "no part of it is a wording"),
        (
            "Reverse the list of fruits, tools and cities.",
            "",
            "x",
            "names 3 kinds of things (fruit, tool, city)",
        ),
        (
            "You are given a list of fruits. Sing it aloud.",
            "",
            "x",
            "no task of the world is worded “sing it",
        ),
        (
            *("You get a sentence about a worker and a new name. Reverse the list of workers.", "", "x"),
            "its parts are of different tasks: “a sentence about a worker and a new name” and “reverse the",
        ),
    ],
)
def test_what_is_wrong_is_said_in_words(
    instruction: str, given: str, output: str, reason: str | None
) -> None:
    found = judge(instruction, given, output).reason
    assert found is None if reason is None else reason in str(found)


def test_one_instance_an_instruction_is_reviewed_and_all_outputs_are_counted() -> None:
    instruction, (given, output) = instruction_of("reverse"), instance_of("reverse")
    wrong = {"instruction": "Write a poem.", "input": "", "output": "x"}
    instances = [{"instruction": instruction, "input": given, "output": output}] * 3 + [wrong]
    judged = [judge(each["instruction"], each["input"], each["output"]) for each in instances]
    found = summarise_review(instances, judged, seed=1)
    assert found["reviewed"]["n"] == 2
    assert found["reviewed"]["valid_task"]["value"] == 50.0
    assert (found["outputs_right"]["value"], found["outputs_right"]["n"]) == (75.0, 4)


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    folder = tmp_path / "generated"
    reverse, label = instruction_of("reverse"), instruction_of("is_kind")
    names = [reverse, label, "Write a poem."]
    jsonl.replace(folder / "machine_generated_instructions.jsonl", [{"instruction": text} for text in names])
    jsonl.replace(
        folder / "is_clf_or_not.jsonl",
        [{"instruction": text, "is_classification": " Yes"} for text in (reverse, label)],
    )
    given, output = instance_of("reverse")
    jsonl.replace(
        folder / "finetuning_data" / "all_generated_instances.jsonl",
        [{"instruction": reverse, "input": given, "output": output}],
    )
    return folder


def test_the_command_writes_each_judgement_and_the_figures(tmp_path: Path, generated: Path) -> None:
    config = ReviewConfig(tmp_path / "run", generated, SEEDS_PATH, seed=1)
    review(config)
    (line,) = jsonl.read(tmp_path / "run" / "instances.jsonl")
    assert line["task"].startswith("reverse") and line["all_fields_valid"] is True
    assert line["reason"] is None
    found = json.loads((tmp_path / "run" / "review.json").read_bytes())
    assert (found["instructions"], found["valid_instructions"], found["task_families"]) == (3, 2, 2)
    assert (found["classification_right"], found["classification_judged"]) == (1, 2)
    assert found["families_without_a_seed"] == found["tasks_without_a_seed"] == 0
    assert "paper, by experts" in review_tables(found)[0].columns


def test_a_run_folder_without_instances_is_refused(tmp_path: Path, generated: Path) -> None:
    (generated / "finetuning_data" / "all_generated_instances.jsonl").unlink()
    with pytest.raises(
        UserError, match=r"all_generated_instances\.jsonl: not there; generated must be a run"
    ):
        review(ReviewConfig(tmp_path / "run", generated, SEEDS_PATH, seed=1))
    assert not (tmp_path / "run").exists()
