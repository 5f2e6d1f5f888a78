"""`scripts/eval_superni.py` as a user calls it: score-only files, a model, kills, what it refuses."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from benchmark_folders import instance, task, write_benchmark

from eval.asking import model_config
from eval.superni_run import EvalSuperNIConfig, evaluate_superni
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLMConfig
from selfinstruct.settings import REPOSITORY, from_dict

SCRIPT = REPOSITORY / "scripts" / "eval_superni.py"
OFFICIAL = "task1393_superglue_copa_text_completion"  # an official name; the content is our own
COMPARED = ("predictions.jsonl", "scores.jsonl", "metrics.json", "table.md", "table.tex", "table.csv")


def settings(folder: Path, **changes: Any) -> EvalSuperNIConfig:
    values: dict[str, Any] = {
        "run_dir": str(folder / "run"),
        "model": None,
        "adapter": None,
        "llm": {"backend": "tiny"},
        "predictions": None,
        "benchmark": {"name": "Mini", "dir": str(folder / "benchmark")},
        "superni_dir": None,
        "track": "default",
        "max_instances_per_task": 100,
        "prompt_style": "self-instruct",
        "num_examples": 0,
        "max_tokens": None,
        "system": None,
        "intervals": {"resamples": 200, "seed": 0},
    }
    return from_dict(EvalSuperNIConfig, values | changes)


def words(*more: str) -> list[str]:
    return [sys.executable, str(SCRIPT), "intervals.resamples=200", *more]


def command(*more: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(words(*more), capture_output=True, text=True, cwd=cwd, env=environment)


def predictions_file(path: Path, texts: dict[str, str]) -> str:
    lines = (json.dumps({"id": key, "prediction": text}) for key, text in texts.items())
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two tasks of two instances with the reference `yes`, answered right, wrong, right and not at all."""
    write_benchmark(tmp_path / "benchmark", {"t1": task("t1"), "t2": task("t2")})
    ids = [instance("t1", 0)["id"], instance("t1", 1)["id"], instance("t2", 0)["id"]]
    predictions_file(tmp_path / "p.jsonl", dict(zip(ids, ["Yes.", "no", "yes\u2028"], strict=True)))
    return tmp_path


def test_score_only_from_another_folder_with_relative_paths(folder: Path) -> None:
    done = command("run_dir=run", "predictions=p.jsonl", "superni_dir=benchmark", cwd=folder)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["overall"]["exact_match"]["value"] == 50.0
    assert metrics["overall"]["n"] == 4
    assert metrics["counts"]["missing"] == 1
    assert metrics["setting"]["mode"] == "score only"
    assert (folder / "run" / "table.md").read_text(encoding="utf-8") in done.stdout
    assert "SuperNI" not in "".join((folder / "run" / name).read_text("utf-8") for name in COMPARED)
    lines = (folder / "run" / "predictions.jsonl").read_text(encoding="utf-8").split("\n")
    assert len(lines) == 4  # the missing one stays missing; U+2028 ends no line


def test_a_partial_superni_is_labelled_in_every_table_and_in_the_metrics(tmp_path: Path) -> None:
    write_benchmark(tmp_path / "benchmark", {OFFICIAL: task(OFFICIAL)}, split=f"{OFFICIAL}\ntask288_x\n")
    texts = {instance(OFFICIAL, number)["id"]: "yes" for number in range(2)}
    path = predictions_file(tmp_path / "p.jsonl", texts)
    config = settings(tmp_path, predictions=path, superni_dir=str(tmp_path / "benchmark"))
    metrics = evaluate_superni(config)
    label = "SuperNI (partial, 1 of 119 tasks)"
    assert metrics["benchmark"]["label"] == label
    for name in ("table.md", "table.tex", "table.csv"):
        lines = (tmp_path / "run" / name).read_text(encoding="utf-8").splitlines()
        text = "\n".join(line for line in lines if "(paper)" not in line)  # the paper's rows are of all tasks
        assert text.count("SuperNI") == text.count(label) >= 2


def test_the_csv_is_one_table_with_the_setting_in_every_row(folder: Path) -> None:
    evaluate_superni(settings(folder, predictions=str(folder / "p.jsonl"), system="a_b"))
    with open(folder / "run" / "table.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["table"] == "Mini (partial, 3 of 4 instances predicted): overall"
    assert rows[0]["exact match"] == "50.0000"
    assert rows[-1]["group"] == "word analogy"
    assert all(row["notes"].startswith("System a_b; predictions scored as given") for row in rows)


def test_missing_predictions_are_said_wherever_the_score_stands(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = evaluate_superni(settings(folder, predictions=str(folder / "p.jsonl")))
    label = "Mini (partial, 3 of 4 instances predicted)"
    assert metrics["overall"]["exact_match"]["value"] == 50.0  # the official rule stays: empty text
    found = {key: metrics["benchmark"][key] for key in ("label", "partial", "part", "predicted")}
    part = "3 of 4 instances predicted"
    assert found == {"label": label, "partial": True, "part": part, "predicted": 3}
    assert "p: partial: 3 of 4 instances predicted" in capsys.readouterr().out
    for name in ("table.md", "table.tex", "table.csv"):
        text = (folder / "run" / name).read_text(encoding="utf-8")
        assert text.count("Mini") == text.count(label) >= 2
        assert "partial: 3 of 4 instances predicted (a missing prediction is scored" in text


def test_a_folder_scored_with_other_predictions_is_refused(folder: Path) -> None:
    evaluate_superni(settings(folder, predictions=str(folder / "p.jsonl")))
    other = predictions_file(folder / "q.jsonl", {instance("t1", 0)["id"]: "yes"})
    with pytest.raises(UserError, match="its 'score' was made with other settings"):
        evaluate_superni(settings(folder, predictions=other))


def test_a_changed_benchmark_is_refused(folder: Path) -> None:
    evaluate_superni(settings(folder, predictions=str(folder / "p.jsonl")))
    write_benchmark(folder / "benchmark", {"t1": task("t1", definition="Other."), "t2": task("t2")})
    with pytest.raises(UserError, match="run: the content of the task files has changed since it was made"):
        evaluate_superni(settings(folder, predictions=str(folder / "p.jsonl")))


def test_a_changed_file_of_predictions_is_named(folder: Path) -> None:
    given = [str(folder / "p.jsonl"), str(folder / "q.jsonl")]
    predictions_file(folder / "q.jsonl", {instance("t1", 0)["id"]: "yes"})
    for run, predictions in (("one", given[1]), ("two", given)):
        evaluate_superni(settings(folder, run_dir=str(folder / run), predictions=predictions))
    predictions_file(folder / "q.jsonl", {instance("t1", 0)["id"]: "no"})
    for run, predictions in (("one", given[1]), ("two", given)):
        with pytest.raises(UserError, match=r"the content of .*q\.jsonl has changed since it was made"):
            evaluate_superni(settings(folder, run_dir=str(folder / run), predictions=predictions))


def test_a_run_folder_that_is_not_finished_is_called_so(folder: Path) -> None:
    (folder / "half").mkdir()
    (folder / "half" / "manifest.json").write_text('{"command": "eval_superni", "status": "running"}')
    with pytest.raises(UserError, match=r"half holds no predictions\.jsonl yet: its run is not finished"):
        settings(folder, predictions=str(folder / "half"))


def official_lines(path: Path, **changes: Any) -> str:
    """Two lines of Tk-Instruct's form for the first task; the second with changes."""
    lines = [
        {"id": instance("t1", n)["id"], "Task": "t1", "Instance": instance("t1", n), "prediction": "yes"}
        for n in range(2)
    ]
    lines[1] |= changes
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return str(path)


def test_a_line_that_names_another_task_than_its_instances_is_refused(folder: Path) -> None:
    path = official_lines(folder / "q.jsonl", Task="t2")
    with pytest.raises(UserError, match=r"q\.jsonl:2: Task: 't2', but 't1-0+1' is of t1 in Mini; is superni"):
        evaluate_superni(settings(folder, predictions=path))


def test_lines_with_other_references_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = official_lines(folder / "q.jsonl", Instance=instance("t1", 1, ["no"]))
    assert evaluate_superni(settings(folder, predictions=path))["tasks"]["t1"]["rougeL"]["value"] == 100.0
    assert "q.jsonl: 1 line with other references than the task files" in capsys.readouterr().out
    evaluate_superni(settings(folder, run_dir=str(folder / "again"), predictions=official_lines(Path(path))))
    assert "other references" not in capsys.readouterr().out


def test_predictions_of_another_benchmark_are_refused(folder: Path) -> None:
    path = predictions_file(folder / "q.jsonl", {"x-1": "yes", "x-2": "no"})
    with pytest.raises(UserError, match="none of its 2 ids is in Mini"):
        evaluate_superni(settings(folder, predictions=path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predictions": "p.jsonl", "model": "m"}, "predictions and model are both given"),
        ({"predictions": "p.jsonl", "adapter": "a"}, "predictions and adapter are both given"),
        ({"prompt_style": "few-shot"}, "prompt_style: 'few-shot' is unknown; choose from self-instruct"),
        ({"max_tokens": 0}, "max_tokens: 0 must be at least 1"),
        ({"intervals": {"resamples": 0, "seed": 0}}, "intervals.resamples: 0 must be at least 1"),
    ],
)
def test_settings_that_contradict_are_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        settings(tmp_path, **changes)


def test_predictions_inside_the_run_folder_are_never_overwritten(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lies in run_dir"):
        settings(tmp_path, predictions=str(tmp_path / "run" / "predictions.jsonl"))


def test_the_model_key_means_a_local_model_with_its_own_settings(tmp_path: Path) -> None:
    tiny = {"backend": "tiny", "device": "cpu", "batch_size": 8}
    found = model_config(settings(tmp_path, model="m", adapter="a", llm=tiny).question)
    assert found == LLMConfig(backend="local", model="m", adapter="a", batch_size=None)


def test_the_llm_group_decides_without_model_and_takes_the_adapter(tmp_path: Path) -> None:
    assert model_config(settings(tmp_path, adapter="a").question) == LLMConfig(backend="tiny", adapter="a")
    local = {"backend": "local", "model": "m", "batch_size": 4}
    assert model_config(settings(tmp_path, llm=local).question) == LLMConfig(
        backend="local", model="m", batch_size=4
    )


def test_a_server_without_its_models_name_is_told_from_a_model_here(tmp_path: Path) -> None:
    llm = {"backend": "openai", "base_url": "http://localhost:8000/v1"}
    with pytest.raises(
        UserError, match=r"llm\.model is missing; .* model= of an evaluation one on this machine"
    ):
        settings(tmp_path, model="llama", llm=llm)


def test_the_chat_style_asks_through_the_chat_template(tmp_path: Path) -> None:
    assert model_config(settings(tmp_path, prompt_style="chat").question).endpoint == "chat"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model": "m", "llm": {"backend": "replay", "responses": "r"}},
            "model and llm=replay are both given",
        ),
        ({"model": "m", "llm": {"backend": "local", "model": "n"}}, "model=m and llm.model=n differ"),
        ({"adapter": "a", "llm": {"backend": "tiny", "adapter": "b"}}, "adapter=a and llm.adapter=b differ"),
        (
            {"adapter": "a", "llm": {"backend": "replay", "responses": "r"}},
            "adapter is given with llm=replay",
        ),
    ],
)
def test_two_models_at_once_are_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        model_config(settings(tmp_path, **changes).question)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("superni_dirs=x", "superni_dirs"),
        ("superni_dir=nowhere", "test_tasks.txt: cannot be read"),
        ("track=french", "track: 'french' cannot be scored"),
        ("max_instances_per_task=all", "max_instances_per_task: 'all' must be a whole number"),
    ],
)
def test_wrong_use_ends_with_2_and_one_message(override: str, message: str, tmp_path: Path) -> None:
    done = command("run_dir=run", override, cwd=tmp_path)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama over byte pairs: its answers are noise, and always the same."""
    from small_models import save_model

    return save_model(tmp_path_factory.mktemp("model"))


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in COMPARED}


def kill_after(lines: int, run: list[str], log: Path, cwd: Path, number: signal.Signals, seed: str) -> int:
    """Start the command, send the signal when the response log holds so many lines; the exit code."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONHASHSEED": seed}
    process = subprocess.Popen(
        run, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while process.poll() is None:
        if log.exists() and log.read_bytes().count(b"\n") >= lines:
            process.send_signal(number)
            break
        time.sleep(0.001)
    process.communicate()
    return process.returncode


def test_killed_and_told_to_end_it_ends_with_the_same_bytes(model: Path, tmp_path: Path) -> None:
    tasks = {name: task(name, instances=25) for name in ("t1", "t2")}
    tasks["t2"]["Instances"][3]["input"] = "long " * 120
    write_benchmark(tmp_path / "benchmark", tasks)
    llm = {"backend": "local", "model": str(model), "batch_size": 4}
    elsewhere = {"name": "Mini", "dir": str(tmp_path)}
    asked = {"superni_dir": str(tmp_path / "benchmark"), "benchmark": elsewhere, "max_tokens": 60, "llm": llm}
    evaluate_superni(settings(tmp_path, run_dir=str(tmp_path / "whole"), **asked))
    log = tmp_path / "run" / "response_log.jsonl"
    more = ["superni_dir=benchmark", "max_tokens=60", "llm=local", f"llm.model={model}", "llm.batch_size=4"]
    kills = ((3, signal.SIGTERM, 3), (27, signal.SIGKILL, -9))
    for seed, (lines, number, code) in enumerate(kills):
        assert kill_after(lines, words("run_dir=run", *more), log, tmp_path, number, str(seed)) == code
        assert not (tmp_path / "run" / "metrics.json").exists()
    evaluate_superni(settings(tmp_path, **asked))
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")
    assert log.read_bytes().count(b"\n") == 50  # nothing was asked twice
    check_predictions(tmp_path / "run")


def check_predictions(run: Path) -> None:
    lines = [json.loads(line) for line in (run / "predictions.jsonl").read_bytes().splitlines()]
    assert [line["truncated"] for line in lines] == [index == 28 for index in range(50)]
    assert lines[28]["prompt"].startswith("Answer yes.\n\nInput: long long")
    assert all(line["prompt"].endswith("\nOutput:") for line in lines)
    assert all(line["num_prompt_tokens"] <= 256 - 60 for line in lines)
    counts = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["counts"]
    assert (counts["truncated"], counts["missing"]) == (1, 0)
    assert "1 truncated" in (run / "table.md").read_text(encoding="utf-8")


def test_the_chat_style_without_a_template_is_refused_by_its_own_key(model: Path, folder: Path) -> None:
    with pytest.raises(
        UserError, match=r"no chat template, which prompt_style=chat needs; use prompt_style="
    ):
        evaluate_superni(settings(folder, model=str(model), prompt_style="chat"))
    assert not (folder / "run").exists()


def test_a_complete_run_started_again_changes_nothing(model: Path, folder: Path) -> None:
    config = settings(folder, model=str(model), max_tokens=5)
    evaluate_superni(config)
    before = contents(folder / "run")
    evaluate_superni(config)
    assert contents(folder / "run") == before
    with pytest.raises(UserError, match="max_tokens: was 5, is now 6"):
        evaluate_superni(settings(folder, model=str(model), max_tokens=6))


def test_our_own_prediction_file_scores_as_the_run_that_wrote_it(model: Path, folder: Path) -> None:
    asked = evaluate_superni(settings(folder, model=str(model), max_tokens=5))
    path = str(folder / "run" / "predictions.jsonl")
    given = evaluate_superni(settings(folder, run_dir=str(folder / "again"), predictions=path))
    for key in ("overall", "categories", "tasks", "macro", "variants", "counts"):
        assert given[key] == asked[key]
