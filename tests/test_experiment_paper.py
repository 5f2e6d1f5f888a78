"""experiment=paper and released_data: the rows of the paper's table, what they need, what may be left out."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmark_folders import task, write_benchmark
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from report_runs import LEVELS, write_evaluation, write_manifest

from eval.experiment.config import ReproduceConfig
from eval.report.claims import CLAIMS
from eval.report.folders import read_runs
from selfinstruct import jsonl
from selfinstruct.entry import CONFIGS
from selfinstruct.errors import UserError
from selfinstruct.llm.base import TINY_MODEL
from selfinstruct.settings import REPOSITORY, from_dict

SCRIPT = str(REPOSITORY / "scripts" / "reproduce.py")
TUNED = ("train_t0_50k", "train_superni_50k", "train_self_instruct_superni")
ROWS = ("t0_50k", "self_instruct", "superni_50k", "self_instruct_superni")


def composed(*words: str) -> ReproduceConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        values = OmegaConf.to_container(compose("reproduce", overrides=list(words)), resolve=True)
    assert isinstance(values, dict)
    return from_dict(ReproduceConfig, {str(key): value for key, value in values.items()})


@pytest.mark.parametrize("name", ["paper", "released_data"])
def test_each_row_that_a_model_can_give_is_tuned_evaluated_and_answers_the_user_oriented_tasks(
    name: str,
) -> None:
    config = composed(f"experiment/reproduce={name}", "public_dir=/p")
    assert set(config.systems) - {"vanilla_first_paragraph"} == {"vanilla", *ROWS}
    for row in ROWS:
        adapter = config.steps[row].settings["adapter"]
        assert adapter == config.steps[f"user_{row}"].settings["adapter"]
        assert Path(adapter).parent.name in config.steps
    assert len(config.steps["user_compared"].settings["predictions"]) == 5
    data = {name: json.dumps(config.steps[name].settings["data"]) for name in TUNED}
    assert "/p/self-instruct/data/finetuning/t0_train_50k/t0_train_50k.jsonl" in data[TUNED[0]]
    assert "superni_training_set_50k.jsonl" in data[TUNED[1]]
    own = config.steps["train"].settings["data"]
    assert own in data[TUNED[2]] and "superni_training_set_50k.jsonl" in data[TUNED[2]]


def test_what_is_left_out_takes_along_what_is_made_from_it() -> None:
    config = composed("experiment/reproduce=paper", "skip=[train_t0_50k]")
    assert not {"train_t0_50k", "t0_50k", "user_t0_50k"} & config.steps.keys()
    assert "t0_50k" not in config.systems and ["t0_50k", "self_instruct"] not in config.differences
    assert not any("t0" in folder for folder in config.steps["user_compared"].settings["predictions"])
    assert {"superni_50k", "self_instruct_superni", "user_superni_50k"} <= config.steps.keys()


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("skip=[t0]", "skip: there is no step 't0'; choose from generate, train"),
        ("skip=[generate,vanilla,train_t0_50k,train_superni_50k]", "leave no system to evaluate"),
    ],
)
def test_a_wrong_skip_is_refused(word: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        composed("experiment/reproduce=paper", word)


def write_downloads(target: Path) -> None:
    """Files of our own in the form and at the place of the public ones that experiment=paper reads."""
    pairs = [{"prompt": f"Say {word}.", "completion": f" {word}<|endoftext|>"} for word in "abcdefgh"]
    data = target / "self-instruct/data/finetuning"
    jsonl.replace(data / "t0_train_50k/t0_train_50k.jsonl", pairs)
    jsonl.replace(data / "superni_50k/superni_training_set_50k.jsonl", pairs)
    folder = target / "natural-instructions"
    write_benchmark(folder, {f"task{n}_of_tests": task(f"task{n}") for n in range(2)})


def reproduce(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *words], capture_output=True, text=True, check=False)


def test_what_is_missing_is_refused_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    public, run = tmp_path / "public", tmp_path / "run"
    words = ["experiment=paper", f"public_dir={public}", f"run_dir={run}", f"model={TINY_MODEL}"]
    write_downloads(public)
    (public / "self-instruct/data/finetuning/t0_train_50k/t0_train_50k.jsonl").write_text("")
    (public / "self-instruct/data/finetuning/superni_50k/superni_training_set_50k.jsonl").unlink()
    done = reproduce(*words)
    assert done.returncode == 2
    assert "t0_train_50k.jsonl: empty (train_t0_50k)" in done.stderr
    assert "superni_training_set_50k.jsonl: not there (train_superni_50k, train_self" in done.stderr
    assert f"download_data.py target={public} 'what=[comparison]'" in done.stderr
    assert "'skip=[train_t0_50k,train_superni_50k,train_self_instruct_superni]'" in done.stderr
    assert not run.exists()
    planned = reproduce(*words, "model=./nowhere", "dry_run=true")
    assert planned.returncode == 0, planned.stderr
    assert "It cannot run yet" in planned.stdout
    assert f"{Path('nowhere').absolute()}: no such folder" in planned.stdout


def assert_refused(done: subprocess.CompletedProcess[str], beginning: str) -> None:
    """Two messages, of the step and of the experiment, and nothing of a launcher between them."""
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    first, last = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert first.startswith(beginning)
    assert re.fullmatch(r"error: step \w+ \(.*\): wrong settings or input, see its message above", last)


def test_a_bad_line_stops_the_experiment_with_its_place_and_nothing_of_the_launcher(tmp_path: Path) -> None:
    write_downloads(tmp_path / "public")
    data = tmp_path / "all.jsonl"
    data.write_text("no json\n")
    done = reproduce(
        *("experiment=released_data", f"public_dir={tmp_path / 'public'}", f"run_dir={tmp_path / 'run'}"),
        *(f"generated_data={data}", f"model={TINY_MODEL}", "accelerate_config=cpu"),
    )
    assert_refused(done, f"error: {data}:1: not valid JSON")
    assert "default" not in done.stderr  # what accelerate says of values that it was not given


def test_a_plan_counts_what_every_step_asks_and_says_where_a_budget_ends_it(tmp_path: Path) -> None:
    write_downloads(tmp_path / "public")
    done = reproduce(
        *("experiment=paper", f"public_dir={tmp_path / 'public'}", f"run_dir={tmp_path / 'run'}"),
        *("dry_run=true", "seeds=[1,2]", "skip=[train_superni_50k,train_self_instruct_superni]"),
        "++steps.generate.settings={llm: openai, llm.base_url: 'http://h/v1', llm.model: m,"
        " num_instructions: 9, budget: {max_requests: 5}}",
    )
    assert done.returncode == 0, done.stderr
    of_each = [int(count.replace(",", "")) for count in _requests_of("In all, seed", done.stdout)]
    # Three systems: two tasks of two instances and the 252 user-oriented tasks; two stages ask 9 times.
    assert of_each[0] == of_each[1] > 3 * (4 + 252) + 2 * 9
    assert _requests_of("All 2 seeds", done.stdout) == [f"{2 * of_each[0]:,}"]
    assert "budget.max_requests=5 is less than the" in done.stdout
    assert "'+steps.generate.settings.budget.prices={NAME: {input: 1, output: 2}}'" in done.stdout
    assert "time not known" in done.stdout
    assert not (tmp_path / "run").exists()


def _requests_of(title: str, text: str) -> list[str]:
    lines = text.splitlines()
    return [lines[n + 1].split()[0] for n, line in enumerate(lines) if line.startswith(title)]


def test_prices_are_taken_in_the_form_that_the_plan_shows(tmp_path: Path) -> None:
    write_downloads(tmp_path / "public")
    done = reproduce(
        *("experiment=paper", f"public_dir={tmp_path / 'public'}", f"run_dir={tmp_path / 'run'}"),
        *("dry_run=true", "skip=[train,train_t0_50k,train_superni_50k,train_self_instruct_superni]"),
        "+steps.generate.settings.budget.prices={Qwen/Qwen3-8B-Base: {input: 1, output: 2}}",
    )
    assert done.returncode == 0, done.stderr
    assert "Cost: about" in done.stdout


def test_the_report_of_the_paper_s_experiment_tests_the_claim_on_public_data(tmp_path: Path) -> None:
    folder = tmp_path / "paper" / "seed1"
    levels = LEVELS | {"t0_50k": (50, 50, 50, 50), "superni_50k": (60, 60, 60, 60)}
    levels |= {"self_instruct_superni": (90, 90, 90, 90)}
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        words = ["experiment/reproduce=paper", f"run_dir={folder.parent}"]
        config: Any = OmegaConf.to_container(compose("reproduce", overrides=words), resolve=True)
    evaluated = ("vanilla", *ROWS)
    config["steps"] = {name: config["steps"][name] for name in evaluated}
    write_manifest(folder, "reproduce", config | {"data_step": None})
    for name in evaluated:
        write_manifest(folder / name, "eval_superni", {"model": "m", "llm": {"backend": "local"}})
        write_evaluation(folder / name, levels[name])
    (run,) = read_runs([folder.parent])
    claim = next(each for each in CLAIMS if each.key == "public_data")
    found = claim.outcome(run)
    assert found is not None
    first, second = found.ours.split("; ")
    assert first.startswith("self-instruct minus T0 training: ")
    assert second.startswith("self-instruct + SuperNI training minus SuperNI training: ")


EVALUATED = ("vanilla", "user_vanilla", *ROWS, *(f"user_{name}" for name in ROWS))
SMALL = (
    "accelerate_config=cpu",
    "+steps.generate.settings.num_instructions=4",
    "+steps.generate.settings.queries=tiny",
    *(f"+steps.{name}.settings.max_steps=1" for name in ("train", *TUNED)),
    *(f"+steps.{name}.settings.max_length=256" for name in ("train", *TUNED)),
    *(f"+steps.{name}.settings.max_tokens=4" for name in EVALUATED),
)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_whole_of_it_runs_on_the_embedded_model(tmp_path: Path) -> None:
    public, run = tmp_path / "public", tmp_path / "run"
    write_downloads(public)
    tasks, seed_tasks = tmp_path / "tasks.jsonl", TINY_MODEL.parent / "seed_tasks.jsonl"
    jsonl.replace(tasks, jsonl.read(REPOSITORY / "eval" / "data" / "user_oriented.jsonl")[:2])
    asked = (f"+steps.{name}.settings.tasks={tasks}" for name in EVALUATED if name.startswith("user_"))
    done = reproduce(
        *("experiment=paper", f"model={TINY_MODEL}", f"public_dir={public}", f"run_dir={run}", *SMALL),
        *(
            f"+steps.user_compared.settings.tasks={tasks}",
            f"+steps.generate.settings.seed_tasks={seed_tasks}",
            *asked,
        ),
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    summary = json.loads((run / "summary.json").read_text())
    assert {"vanilla", *ROWS} <= summary.keys()
    assert "self-instruct minus T0 training" in (run / "report" / "report.md").read_text()
    compared = json.loads((run / "seed1" / "user_compared" / "metrics.json").read_text())
    assert len(compared["systems"]) == 5
