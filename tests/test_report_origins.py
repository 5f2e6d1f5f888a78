"""A verdict on "tuned on what it wrote itself" only where digests lead from the scores to the data."""

import json
from pathlib import Path
from typing import Any

import pytest
from report_runs import (
    INSTRUCTIONS,
    write_asked,
    write_demo,
    write_evaluation,
    write_generated,
    write_manifest,
    write_predictions,
    write_training,
)

from eval.report.chains import Run
from eval.report.claims import CLAIMS
from eval.report.describe import what_was_run
from eval.report.folders import read_runs
from eval.report.outcomes import Outcome
from eval.report.verdicts import IN_MINIATURE, NOT_COMPARABLE
from selfinstruct.jsonl import replace_json
from selfinstruct.llm.model_folder import folder_weights_digest

ALL = ("mine", "tuned", "before", "after")


def gain(run: Run) -> Outcome:
    return CLAIMS[0].outcome(run)


def write_singles(folder: Path, data: str = "mine/finetuning_data/train.jsonl", **model: str) -> None:
    """A generation, a finetuning on `data`, and the evaluations before and after; `model` wrote the data."""
    write_generated(folder / "mine", INSTRUCTIONS, **model)
    write_training(folder / "tuned", folder / data)
    for name, adapter, levels in (
        ("before", None, (5, 5, 5, 5)),
        ("after", str(folder / "tuned" / "adapter"), (40, 50, 40, 50)),
    ):
        write_asked(folder / name, adapter)
        write_evaluation(folder / name, levels)
        write_predictions(folder / name, INSTRUCTIONS)


def read(folder: Path, *names: str) -> Run:
    (run,) = read_runs([folder / name for name in names])
    return run


def drop_paths(folder: Path) -> None:
    """The manifests as from another machine: nothing lies where they say."""
    for path in folder.glob("*/manifest.json"):
        path.write_text(path.read_text().replace(str(folder), "/elsewhere"))


@pytest.mark.parametrize("is_moved", [False, True])
def test_data_of_its_own_is_known_by_digests_wherever_the_folders_lie(tmp_path: Path, is_moved: bool) -> None:
    write_singles(tmp_path)
    if is_moved:
        drop_paths(tmp_path)
    run = read(tmp_path, *ALL)
    assert gain(run).verdict.kind == IN_MINIATURE
    assert (
        "It wrote 4 instructions itself, then was tuned on the 4 instances of 4 of them "
        "and the 72 seed tasks." in what_was_run(run)
    )


def test_the_seeds_are_named_only_where_they_were_among_the_data(tmp_path: Path) -> None:
    write_singles(tmp_path, "mine/finetuning_data/all_generated_instances.jsonl")
    assert "It wrote 4 instructions itself, then was tuned on the 4 instances of 4 of them." in what_was_run(
        read(tmp_path, *ALL)
    )


def test_folders_not_given_are_followed_where_they_still_are(tmp_path: Path) -> None:
    write_singles(tmp_path)
    assert gain(read(tmp_path, "before", "after")).verdict.kind == IN_MINIATURE


CASES: dict[str, tuple[tuple[str, ...], dict[str, Any], str]] = {
    "other data": (
        ALL,
        {"data": "seeds_only.jsonl"},
        r"after was tuned on .*/seeds_only.jsonl, .* than mine holds",
    ),
    "another writer": (
        ALL,
        {"llm.model": "gpt", "llm.weights": ""},
        r"after was tuned on finetuning_data/train.jsonl, which another model wrote (gpt, not model)",
    ),
    "no training": (
        ("mine", "before", "after"),
        {},
        "what after was tuned on is not known here; give its folder",
    ),
    "no generation": (
        ("tuned", "before", "after"),
        {},
        "tuned on finetuning_data/train.jsonl, and nothing here shows that the model wrote it; give the",
    ),
}


@pytest.mark.parametrize(("names", "change", "reason"), CASES.values(), ids=CASES.keys())
def test_without_a_trace_to_its_own_data_there_is_no_verdict(
    tmp_path: Path, names: tuple[str, ...], change: dict[str, Any], reason: str
) -> None:
    write_singles(tmp_path, **change)
    drop_paths(tmp_path)
    run = read(tmp_path, *names)
    found = gain(run)
    assert found.verdict.kind == NOT_COMPARABLE
    for part in reason.split(".*"):
        assert part in found.verdict.because
    assert found.ours  # the figures are shown all the same
    said = " ".join(what_was_run(run))
    assert "then was tuned" not in said
    assert f"Mind that {found.verdict.because}." in said


def test_a_whole_model_that_was_tuned_is_not_taken_for_the_untuned_one(tmp_path: Path) -> None:
    write_singles(tmp_path)
    model = tmp_path / "tuned" / "model"
    (tmp_path / "tuned" / "adapter").rename(model)
    write_asked(tmp_path / "after", None, **{"llm.weights": folder_weights_digest(model)})
    path = tmp_path / "after" / "manifest.json"
    manifest = json.loads(path.read_text())
    replace_json(path, manifest | {"config": manifest["config"] | {"model": str(model)}})
    run = read(tmp_path, *ALL)
    assert gain(run).ours == "5.0 to 45.0: +40.0"
    assert gain(run).verdict.kind == IN_MINIATURE


def test_an_adapter_of_another_experiment_is_not_taken_for_tuned_on_this_data(tmp_path: Path) -> None:
    one, other = (write_demo(tmp_path / name) / "seed1" for name in ("one", "other"))
    words = ["A task of the other run.", *INSTRUCTIONS]
    write_generated(one / "generate", words)
    (run,) = read_runs([one / "generate", other / "vanilla", other / "seeds_only"])
    assert gain(run).verdict.kind == NOT_COMPARABLE
    assert "controls/seeds_only.jsonl, which is other data than generate holds" in gain(run).verdict.because


def test_systems_of_two_models_are_not_compared(tmp_path: Path) -> None:
    write_singles(tmp_path)
    write_asked(tmp_path / "before", None, **{"llm.model": "larger", "llm.weights": "1" * 64})
    assert "before and after are of two models (larger, model)" in gain(read(tmp_path, *ALL)).verdict.because


def test_an_experiment_without_its_weights_is_still_known_by_its_settings(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "demo")
    (demo / "seed1/train/adapter/adapter_model.safetensors").unlink()
    assert gain(read(tmp_path, "demo")).verdict.kind == IN_MINIATURE


def test_an_experiment_whose_adapter_was_exchanged_gets_no_verdict(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "demo")
    (demo / "seed1/train/adapter/adapter_model.safetensors").write_text("others")
    assert "is not known here" in gain(read(tmp_path, "demo")).verdict.because


def test_an_experiment_on_the_released_data_is_no_model_tuned_on_its_own(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "demo")
    path = demo / "seed1/manifest.json"
    manifest = json.loads(path.read_text())
    for name in ("generate", "review", "controls"):
        del manifest["config"]["steps"][name]
    replace_json(path, manifest | {"config": manifest["config"] | {"data_step": None}})
    write_training(demo / "seed1/train", tmp_path / "all_instances_82K.jsonl")
    write_asked(demo / "seed1/self_instruct", str(demo / "seed1/train/adapter"))
    found = gain(read(tmp_path, "demo")).verdict
    assert found.kind == NOT_COMPARABLE
    assert "all_instances_82K.jsonl, and nothing here shows that the model wrote it" in found.because


def test_commands_of_single_folders_name_no_path_of_another_machine(tmp_path: Path) -> None:
    folder = tmp_path / "demo" / "seed1" / "after"
    before = "/home/x/runs/demo/seed1"
    write_manifest(folder, "eval_superni", {"run_dir": f"{before}/after"})
    write_evaluation(folder, (1, 2, 3, 4))
    words = f"adapter={before}/train/adapter 'superni_dir=/mnt/y/my natural' benchmark=littleworld"
    tiny = "/home/x/selfinstruct/llm/tiny/model"
    line = (
        f"eval_superni started: /home/x/scripts/eval_superni.py run_dir={before}/after {words} model={tiny}"
    )
    (folder / "run.log").write_text(f"2026 {line}\n")
    (run,) = read_runs([folder])
    (step,) = run.step_dirs
    here = tmp_path / "demo" / "seed1"
    assert step.command_line == (
        f"python scripts/eval_superni.py run_dir={here}/after adapter={here}/train/adapter "
        "'superni_dir=path/to/my natural' benchmark=littleworld model=selfinstruct/llm/tiny/model"
    )


def test_below_the_current_folder_paths_are_shown_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_singles(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = f"run_dir={tmp_path}/after adapter={tmp_path}/tuned/adapter"
    start = f"eval_superni started: scripts/eval_superni.py {words}"
    (tmp_path / "after" / "run.log").write_text(f"2026 {start}\n")
    run = read(tmp_path, "after")
    assert (
        run.step_dirs[0].command_line == "python scripts/eval_superni.py run_dir=after adapter=tuned/adapter"
    )
    assert run.name == "after"


def test_a_step_of_an_experiment_gives_its_column_the_experiments_name(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "demo")
    assert read(demo, "seed1/generate").name == "demo/seed1/generate"
