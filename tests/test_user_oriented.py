"""`scripts/eval_user_oriented.py`: any file of responses is scored by reference, sliced and compared."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eval.intervals import IntervalsConfig
from eval.user_oriented import Response, UserTask, read_responses, read_user_tasks
from eval.user_oriented_run import EvalUserOrientedConfig, evaluate_user_oriented
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLMConfig
from selfinstruct.settings import REPOSITORY

RELEASED = REPOSITORY.parent / "shared" / "data" / "user_oriented_predictions_sample.jsonl"


def line(name: str, application: str = "Gmail", given: str = "", output: str = "yes") -> dict[str, Any]:
    instances = [{"input": given, "output": output}]
    return {"id": name, "motivation_app": application, "instruction": f"Do {name}.", "instances": instances}


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    jsonl.replace(path, [line("a"), line("b", "Excel", "1\t2\n3\t4"), line("c", "Excel", "x", "a b c d")])
    return path


def config(tmp_path: Path, **changes: Any) -> EvalUserOrientedConfig:
    values: dict[str, Any] = {
        "run_dir": tmp_path / "run",
        "tasks": tmp_path / "tasks.jsonl",
        "model": None,
        "adapter": None,
        "llm": LLMConfig(backend="tiny"),
        "predictions": None,
        "ratings": None,
        "judge": None,
        "prompt_style": "self-instruct",
        "max_tokens": None,
        "system": None,
        "intervals": IntervalsConfig(resamples=200, seed=0),
    }
    return EvalUserOrientedConfig(**(values | changes))


def write(path: Path, *lines: dict[str, Any]) -> str:
    jsonl.replace(path, lines)
    return str(path)


def test_the_first_instance_is_the_task(tasks: Path) -> None:
    assert read_user_tasks(tasks)[1] == UserTask("b", "Excel", "Do b.", "1\t2\n3\t4", "yes")


@pytest.mark.parametrize(
    ("given", "reference", "forms"),
    [
        ("", "yes", ("without input", "short answer")),
        ("word " * 81, "word " * 61, ("long input", "long answer")),
        ("x", "Use this:\n```\nprint(1)\n```\nand so on", ("with code",)),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a b c d e f", ("with table",)),
        ("a\tb\n1\t2", "a b c d e f", ("with table",)),
        ("either this | or that", "a b c d e f", ()),
    ],
)
def test_the_forms_of_a_task(given: str, reference: str, forms: tuple[str, ...]) -> None:
    assert UserTask("a", "App", "Do it.", given, reference).forms == forms


def test_a_file_is_scored_against_the_references(tmp_path: Path, tasks: Path) -> None:
    lines = [{"id": "a", "response": "Yes!"}, {"id": "b", "response": ""}, {"id": "c", "prediction": "a b"}]
    metrics = evaluate_user_oriented(config(tmp_path, predictions=write(tmp_path / "mine.jsonl", *lines)))
    overall = metrics["overall"]
    assert overall["exact_match"]["value"] == pytest.approx(100 / 3, abs=1e-3)
    assert overall["rougeL"]["value"] == pytest.approx((100 + 0 + 200 / 3) / 3, abs=1e-3)
    assert (overall["n"], overall["empty"], overall["mean_words_reference"]) == (3, 1, 2.0)
    assert metrics["applications"]["Gmail"]["rougeL"]["value"] == 100.0
    assert metrics["forms"]["with table"]["n"] == 1
    assert metrics["systems"]["mine"]["overall"] == overall


def test_systems_are_compared_on_the_tasks_both_answered(tmp_path: Path, tasks: Path) -> None:
    first = write(tmp_path / "first.jsonl", {"id": "a", "response": "no"}, {"id": "b", "response": "yes"})
    second = write(tmp_path / "second.jsonl", {"id": "a", "response": "yes"}, {"id": "c", "response": "a"})
    metrics = evaluate_user_oriented(config(tmp_path, predictions=[first, second]))
    compared = next(each for each in metrics["comparisons"] if each["metric"] == "rougeL")
    assert (compared["second"], compared["n"], compared["value"]) == ("second", 1, 100.0)
    assert (compared["tasks_won"], compared["tasks_lost"]) == (1, 0)
    assert "second minus first" in (tmp_path / "run" / "table.md").read_text(encoding="utf-8")


def test_each_slice_says_how_many_tasks_each_system_answered(tmp_path: Path, tasks: Path) -> None:
    both = write(tmp_path / "both.jsonl", {"id": "a", "response": "no"}, {"id": "b", "response": "yes"})
    one = write(tmp_path / "one.jsonl", {"id": "a", "response": "no"})
    evaluate_user_oriented(config(tmp_path, predictions=[both, one]))
    table = (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
    assert "1 / 0" in table  # b is of another application than a


def test_a_refused_comparison_leaves_the_folder_free(tmp_path: Path, tasks: Path) -> None:
    first = write(tmp_path / "first.jsonl", {"id": "a", "response": "no"})
    second = write(tmp_path / "second.jsonl", {"id": "b", "response": "yes"})
    with pytest.raises(UserError, match="share no task"):
        evaluate_user_oriented(config(tmp_path, predictions=[first, second]))
    evaluate_user_oriented(config(tmp_path, predictions=[first]))


def test_lines_of_the_released_form_bring_their_own_reference(tmp_path: Path, tasks: Path) -> None:
    lines = [
        {"prompt": "p", "instruction": "Do b.\n", "input": "1\t2\n3\t4", "response": "new", "target": "new"},
        {"prompt": "p", "instruction": "Unknown.", "input": "", "response": "", "target": "x"},
    ]
    path = tmp_path / "released.jsonl"
    write(path, *lines)
    known, unknown = read_responses(path, read_user_tasks(tasks))
    assert (known.task.id, known.task.application, known.task.reference) == ("b", "Excel", "new")
    assert (unknown.task.id, unknown.task.application) == ("line 2", "unknown")


@pytest.mark.skipif(not RELEASED.exists(), reason="needs real prediction files beside the repository")
def test_real_prediction_files_are_read_whole(tasks: Path) -> None:
    responses = read_responses(RELEASED, read_user_tasks(tasks))
    assert len(responses) == 20
    assert all(isinstance(response, Response) and response.task.reference for response in responses)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "holds no task"),
        ([line("a"), line("a")], r"tasks\.jsonl:2: id: 'a' is also in line 1; each task needs its own"),
        ([line("a") | {"instances": []}], r"tasks\.jsonl:1: instances: must be a list"),
        ([line("a") | {"motivation_app": 3}], r"tasks\.jsonl:1: motivation_app: a int instead of text"),
        ([line("a", output=" ")], r"tasks\.jsonl:1: output: empty"),
    ],
)
def test_a_broken_task_file_is_named_with_its_line(
    tmp_path: Path, lines: list[dict[str, Any]], message: str
) -> None:
    write(tmp_path / "tasks.jsonl", *lines)
    with pytest.raises(UserError, match=message):
        read_user_tasks(tmp_path / "tasks.jsonl")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "holds no response"),
        ([{"id": "z", "response": "x"}], r"p\.jsonl:1: id: 'z' is not in the task file"),
        ([{"id": "a", "response": "x"}] * 2, r"p\.jsonl:2: 'a' is also in line 1"),
        ([{"id": "a"}], r"p\.jsonl:1: response: missing"),
        ([{"id": "a", "response": None}], r"p\.jsonl:1: response: missing"),
    ],
)
def test_a_broken_response_file_is_named_and_no_folder_is_made(
    tmp_path: Path, tasks: Path, lines: list[dict[str, Any]], message: str
) -> None:
    path = write(tmp_path / "p.jsonl", *lines)
    with pytest.raises(UserError, match=message):
        evaluate_user_oriented(config(tmp_path, predictions=path))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predictions": []}, "predictions: the list is empty"),
        ({"predictions": "x.jsonl", "model": "m"}, "predictions and model are both given"),
        ({"predictions": "x.jsonl", "system": "s"}, "system and predictions are both given"),
        ({"prompt_style": "plain"}, "prompt_style: 'plain' is unknown"),
    ],
)
def test_keys_that_contradict_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        config(tmp_path, **changes)


def test_the_embedded_model_is_asked_once_and_its_folder_can_be_scored_again(
    tmp_path: Path, tasks: Path
) -> None:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        script = REPOSITORY / "scripts" / "eval_user_oriented.py"
        return subprocess.run(
            [sys.executable, str(script), f"tasks={tasks}", "intervals.resamples=200", *words],
            capture_output=True,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            check=True,
        )

    run = tmp_path / "run"
    call(f"run_dir={run}", "max_tokens=8")
    names = ("predictions.jsonl", "metrics.json", "table.md", "scores.jsonl")
    first = {name: (run / name).read_bytes() for name in names}
    record = json.loads(first["predictions.jsonl"].splitlines()[1])
    assert record["prompt"] == "Do b.\n\nInput: 1\t2\n3\t4\nOutput:" and record["target"] == "yes"
    log = (run / "response_log.jsonl").read_bytes()
    (run / "predictions.jsonl").unlink()
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["steps"]["predict"]["status"] = "running"  # as a kill between log and predictions leaves it
    (run / "manifest.json").write_text(json.dumps(manifest))
    call(f"run_dir={run}", "max_tokens=8")
    assert {name: (run / name).read_bytes() for name in names} == first
    assert (run / "response_log.jsonl").read_bytes() == log
    call(f"run_dir={tmp_path / 'again'}", f"predictions={run}")
    again = json.loads((tmp_path / "again" / "metrics.json").read_text())
    assert again["overall"] == json.loads(first["metrics.json"])["overall"]


def test_ratings_of_people_stand_beside_the_scores(tmp_path: Path, tasks: Path) -> None:
    answers = write(tmp_path / "mine.jsonl", {"id": "a", "response": "x"}, {"id": "b", "response": "y"})
    events = [
        {"rater": "ann", "item": item, "system": "mine", "rating": rating, "note": "", "time": "t"}
        for item, rating in (("a", "A"), ("b", "D"))
    ]
    ratings = write(tmp_path / "ratings.jsonl", *events)
    metrics = evaluate_user_oriented(config(tmp_path, predictions=answers, ratings=ratings))
    assert metrics["ratings"]["systems"]["mine"]["counts"] == {"A": 1, "B": 0, "C": 0, "D": 1}
    assert "Human ratings" in (tmp_path / "run" / "table.md").read_text(encoding="utf-8")


def test_a_folder_that_is_no_judges_is_refused(tmp_path: Path, tasks: Path) -> None:
    with pytest.raises(UserError, match=r"judge: .* cannot be read .*; give a run folder of judge.py"):
        evaluate_user_oriented(config(tmp_path, judge=str(tmp_path)))
    assert not (tmp_path / "run").exists()
