"""Behaviour of a whole experiment: its settings reach the steps whole, its figures are those of the steps."""

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from eval.experiment.command import reproduce
from eval.experiment.config import ReproduceConfig
from eval.experiment.plan import make_plan
from eval.experiment.results import experiment_tables, sample_lines, summarise_experiment
from eval.experiment.seeds import summarise_seeds, tables_over_seeds
from eval.experiment.steps import _launcher, enter_steps, override_value, portable, run_steps, step_settings
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.runs import RunFolder, open_run

ROOT = Path(__file__).parents[1]
SCRIPT = str(ROOT / "scripts" / "reproduce.py")


@pytest.mark.parametrize(
    "value",
    [
        *("plain", "true", "None", "-x", "1e3", "a b=c,d", "it's", "back\\slash", "[x]"),
        *(True, None, 3, 0.5, ["a", "b'c"], {"k": "v w"}),
    ],
)
def test_a_setting_reaches_a_step_as_it_is(value: Any) -> None:
    parsed = OverridesParser.create().parse_override(f"key={override_value(value)}").value()
    plain = {str(k): str(v) for k, v in parsed.items()} if isinstance(parsed, dict) else parsed
    plain = [str(item) for item in plain] if isinstance(plain, list) else plain
    assert (str(plain) if isinstance(value, str) else plain) == value


def experiment(tmp_path: Path, **changes: Any) -> ReproduceConfig:
    values: dict[str, Any] = {
        "run_dir": tmp_path,
        "seed": 1,
        "seed_dir": tmp_path,
        "experiment_name": "small",
        "title": "Small",
        "steps": {"generate": {"command": "x"}, "before": {"command": "x"}, "after": {"command": "x"}},
        "data_step": "generate",
        "review_step": None,
        "systems": {
            "vanilla": {"step": "before", "label": "vanilla"},
            "cut": {"step": "before", "label": "cut", "variant": "first_paragraph"},
            "tuned": {"step": "after", "label": "tuned"},
        },
        "differences": [["vanilla", "tuned"]],
        "by_category": ["vanilla", "tuned"],
        "accelerate_config": "cpu",
    }
    return ReproduceConfig(**(values | changes))


def write_scores(folder: Path, values: list[float]) -> None:
    tasks = ["a", "a", "b", "c"]
    lines = []
    for task, value in zip(tasks, values, strict=True):
        raw = {"rougeL": value, "rouge1": value, "exact_match": 0.0}
        lines.append({"id": "i", "task": task, "raw": raw, "first_paragraph": raw | {"rougeL": value + 10}})
    jsonl.replace(folder / "scores.jsonl", lines)
    group = {m: {"value": 1.0, "low": 0.0, "high": 2.0} for m in ("rougeL", "rouge1", "exact_match")}
    group |= {"n": 4, "num_tasks": 3}
    metrics = {
        "overall": group,
        "categories": {"word_analogy": group},
        "variants": {"first_paragraph": group},
        "benchmark": {"label": "Ours (partial, 3 of 4 tasks)"},
        "setting": {"prompt_style": "self-instruct", "max_tokens": 64},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))


@pytest.fixture
def finished(tmp_path: Path) -> ReproduceConfig:
    for name in ("generate", "before", "after"):
        (tmp_path / name).mkdir()
    write_scores(tmp_path / "before", [0, 0, 0, 20])
    write_scores(tmp_path / "after", [40, 40, 40, 20])
    counts = {"instructions": {"count": 7}, "instances": {"count": 9}}
    (tmp_path / "generate" / "statistics.json").write_text(json.dumps(counts))
    return experiment(tmp_path)


def test_the_summary_holds_each_system_and_the_paired_difference(finished: ReproduceConfig) -> None:
    summary = summarise_experiment(finished, seconds=12.34)
    assert summary["vanilla"]["rougeL"] == 5.0
    assert summary["cut"]["rougeL"] == 15.0
    assert summary["tuned"]["rougeL"] == 35.0
    assert summary["tuned"]["n"] == 4
    assert summary["tuned"]["low"] <= 35 <= summary["tuned"]["high"]
    difference = summary["differences"]["tuned - vanilla"]
    assert (difference["value"], difference["tasks_won"], difference["tasks_lost"]) == (30.0, 2, 0)
    assert (summary["num_instructions"], summary["num_instances"], summary["seconds"]) == (7, 9, 12.3)


def test_the_tables_say_on_what_and_how_partial(finished: ReproduceConfig) -> None:
    for table in experiment_tables(finished)[:2]:
        assert "Ours (partial, 3 of 4 tasks)" in table.title


def test_a_difference_is_shown_with_its_sign(finished: ReproduceConfig) -> None:
    assert "+30.0 [" in experiment_tables(finished)[1].markdown()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"systems": {"a": {"step": "nowhere", "label": "a"}}},
            r"systems\.a\.step: there is no step 'nowhere'",
        ),
        ({"differences": [["vanilla", "other"]]}, "differences: .* must be two of vanilla, cut, tuned"),
        ({"by_category": ["other"]}, "by_category: 'other' is none of vanilla, cut, tuned"),
        ({"review_step": "other"}, "review_step: there is no step 'other'; choose from generate, before"),
    ],
)
def test_a_wrong_experiment_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        experiment(tmp_path, **change)


def test_model_text_in_the_sample_cannot_steer_the_terminal(tmp_path: Path) -> None:
    record = {"instruction": "Do\x1b[31m it.", "input": "a\nb", "output": "c\x07"}
    jsonl.replace(tmp_path / "finetuning_data" / "all_generated_instances.jsonl", [record])
    assert sample_lines(tmp_path) == ["- Do [31m it.", "    input:  a b", "    output: c"]


TUNED = ("train", "train_seeds_only", "train_shuffled_outputs", "train_little_world")
EVALUATED = (
    "vanilla",
    "vanilla_2_examples",
    "seeds_only",
    "shuffled_outputs",
    "self_instruct",
    "little_world",
)
SMALL = (
    "+steps.generate.settings.num_instructions=24",
    *(f"steps.{name}.settings.max_steps=12" for name in TUNED),
    *(f"+steps.{name}.settings.checkpoint_every=4" for name in TUNED),
    *(f"+steps.{name}.settings.max_instances_per_task=1" for name in EVALUATED),
)
COMPARED = (
    "generate/machine_generated_instructions.jsonl",
    "generate/is_clf_or_not.jsonl",
    "generate/machine_generated_instances.jsonl",
    "generate/finetuning_data/train.jsonl",
    "generate/rejected.jsonl",
    "review/review.json",
    "controls/shuffled_outputs.jsonl",
    "table.md",
    *(f"{name}/{file}" for name in TUNED for file in ("metrics.jsonl", "adapter/adapter_model.safetensors")),
    *(f"{name}/{file}" for name in EVALUATED for file in ("predictions.jsonl", "metrics.json")),
)
KILLS = 20


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, SCRIPT, "experiment=demo", f"run_dir={folder}", *SMALL]
    # A session of its own, so that a kill takes the step's process with it, as a machine that goes down does.
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


@pytest.mark.soak
def test_the_whole_chain_killed_at_random_moments_gives_the_same_bytes(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    process = start(whole)
    begun = time.monotonic()
    _, stderr = process.communicate()
    assert process.returncode == 0, stderr.decode()
    # On average a run is left alone for a sixth of the whole; much of that goes by until a step has started.
    longest = (time.monotonic() - begun) / 3
    rng = Random(1)
    killed_in: list[str] = []
    for chain in range(KILLS):
        folder = tmp_path / f"killed{chain}"
        while (returncode := run_for(folder, rng.uniform(1, longest))) is None:
            killed_in.append(running_step(folder / "seed1" / "manifest.json"))
        assert returncode == 0
        for name in COMPARED:
            assert (folder / "seed1" / name).read_bytes() == (whole / "seed1" / name).read_bytes(), name
        if len(killed_in) >= KILLS:
            break
    print(f"{len(killed_in)} kills over {chain + 1} chains, in {Counter(killed_in)}")
    assert len(killed_in) >= KILLS


def run_for(folder: Path, seconds: float) -> int | None:
    """Start the chain and kill it with its step after so many seconds: None, or the exit code if it ended."""
    process = start(folder)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None
    return process.returncode


def running_step(manifest: Path) -> str:
    steps = json.loads(manifest.read_text())["steps"] if manifest.exists() else {}
    running = [name for name, step in steps.items() if step["status"] == "running" and name != "experiment"]
    return running[-1] if running else "start"


def seeds_of(finished: ReproduceConfig, tmp_path: Path) -> list[ReproduceConfig]:
    """The finished experiment, and the same with a second seed whose tuned system is 20 points better."""
    second = tmp_path / "seed2"
    for name in ("before", "after"):
        (second / name).mkdir(parents=True)
    write_scores(second / "before", [0, 0, 0, 20])
    write_scores(second / "after", [60, 60, 60, 40])
    finished.run_dir = tmp_path
    runs = [finished, finished.of_seed(2)]
    for run in runs:
        jsonl.replace_json(run.seed_dir / "summary.json", {"seconds": 10.0})
    return runs


def test_over_seeds_the_mean_stands_with_each_seed_beside_it(
    finished: ReproduceConfig, tmp_path: Path
) -> None:
    summary = summarise_seeds(seeds_of(finished, tmp_path))
    assert summary["tuned"]["rougeL"] == 45.0
    assert summary["tuned"]["by_seed"] == [35.0, 55.0]
    assert (
        summary["tuned"]["low"] < 35 and summary["tuned"]["high"] > 55
    )  # the seed counts as much as the task
    assert summary["differences"]["tuned - vanilla"]["value"] == 40.0
    assert (summary["seeds"], summary["seconds"]) == ([1, 2], 20.0)
    tables = tables_over_seeds(seeds_of(finished, tmp_path / "again"))
    assert "seed 2" in tables[0].markdown()
    assert "+40.0 [" in tables[1].markdown()


def complete(config: ReproduceConfig, *names: str, seconds: float = 60.0) -> None:
    """The folder's manifest says that these steps are complete."""
    run = RunFolder(config.seed_dir, "reproduce", {"experiment_name": config.experiment_name})
    for name in names:
        jsonl.replace_json(config.seed_dir / name / "manifest.json", {})
        run.begin(name, step_settings(config, name))
        run.complete(name, seconds=seconds)


def test_a_plan_names_what_is_left_and_its_time(tmp_path: Path) -> None:
    config = experiment(tmp_path / "seed1", run_dir=tmp_path, seed_dir=tmp_path / "seed1")
    complete(config, "after")
    config.steps["before"].minutes = 2.5
    lines = make_plan(config, {}).lines
    assert "[2/3] before: to do, about 2.5 min on two CPU cores" in lines
    assert "[1/3] generate: to do, time not known" in lines
    assert "[3/3] after: complete" in lines
    assert "about 2 minutes, without the time of 1 step, which is not known" in lines[-1]


def test_the_time_of_a_step_is_that_which_it_took_with_other_seeds(tmp_path: Path) -> None:
    for seed, seconds in ((1, 60.0), (2, 180.0)):
        steps = {"before": {"command": "x", "settings": {"seed": seed}}}
        folder = tmp_path / f"seed{seed}"
        one = experiment(
            *(folder,),
            **{"run_dir": tmp_path, "seed_dir": folder, "seed": seed, "steps": steps, "data_step": None},
            **{"systems": {"a": {"step": "before", "label": "a"}}, "differences": [], "by_category": []},
        )
        complete(one, "before", seconds=seconds)
    three = one.of_seed(3)
    three.steps["before"].settings = {"seed": 3}
    assert "about 2 min (as it took before)" in make_plan(three, {}).text
    three.steps["before"].settings = {"seed": 3, "more": 1}
    assert "time not known" in make_plan(three, {}).text


def test_a_plan_refuses_other_settings_as_the_run_does(finished: ReproduceConfig) -> None:
    finished.steps["after"].settings = {"max_steps": 20}
    complete(finished, "after")
    finished.steps["after"].settings = {"max_steps": 300}
    for enter in (lambda: make_plan(finished, {}), lambda: reproduce(finished)):
        with pytest.raises(
            UserError,
            match=r"settings\.max_steps: was 20, is now 300(.|\n)*Or delete .*after, .* budget alone",
        ):
            enter()


def test_a_folder_of_another_experiment_is_refused_by_the_plan_too(finished: ReproduceConfig) -> None:
    complete(finished, "after")
    finished.experiment_name = "ablation"
    for is_dry in (True, False):
        finished.dry_run = is_dry
        with pytest.raises(UserError, match="holds experiment=small, not ablation; choose another run_dir"):
            reproduce(finished)


STUB = """
import json, pathlib, sys
words = dict(word.split("=", 1) for word in sys.argv[1:])
folder = pathlib.Path(words["run_dir"])
folder.mkdir(parents=True, exist_ok=True)
(folder / "ran").open("a").write("x")
(folder / "manifest.json").write_text("{}")
for name in words.get("writes", "").split("-"):
    (folder / name).write_text("x")
"""


@pytest.fixture
def stubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReproduceConfig:
    """Two steps, the second made from the first, whose commands write the files that they are told to."""
    script = tmp_path / "stub.py"
    script.write_text(STUB)
    monkeypatch.setattr("eval.experiment.steps._launcher", lambda *_: [sys.executable, str(script)])
    folder, command = tmp_path / "run", "scripts/review_little_world.py"
    writes = "review.json-instances.jsonl-table.md"
    steps = {
        "before": {"command": command, "settings": {"writes": writes}},
        "after": {"command": command, "settings": {"writes": writes, "from": f"{folder}/before"}},
    }
    more: dict[str, Any] = {"steps": steps, "data_step": None, "seed_dir": folder, "run_dir": folder}
    systems = {"a": {"step": "after", "label": "a"}}
    return experiment(tmp_path, **more, systems=systems, differences=[], by_category=[])


def run_stubs(config: ReproduceConfig) -> dict[str, int]:
    with open_run(config.seed_dir, "reproduce", {"experiment_name": "small"}) as run:
        enter_steps(config, run)
        run_steps(config, run)
    return {name: len((config.seed_dir / name / "ran").read_text()) for name in config.steps}


def test_a_complete_step_is_not_run_again(stubs: ReproduceConfig) -> None:
    assert run_stubs(stubs) == run_stubs(stubs) == {"before": 1, "after": 1}


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_step_whose_results_are_lost_is_run_again_and_what_is_made_from_it_looked_at(
    stubs: ReproduceConfig, how: str
) -> None:
    run_stubs(stubs)
    lost = stubs.seed_dir / "before" / "review.json"
    lost.unlink() if how == "gone" else lost.write_text("")
    assert f"to be made again, {lost} is gone or empty" in make_plan(stubs, {}).text
    assert run_stubs(stubs) == {"before": 2, "after": 2}
    (stubs.seed_dir / "after" / "table.md").unlink()
    assert run_stubs(stubs) == {"before": 2, "after": 3}


def test_a_step_whose_folder_was_deleted_is_made_anew_also_with_other_settings(
    stubs: ReproduceConfig,
) -> None:
    run_stubs(stubs)
    shutil.rmtree(stubs.seed_dir / "after")
    stubs.steps["after"].settings["more"] = "1"
    assert run_stubs(stubs) == {"before": 1, "after": 1}


def test_what_was_made_from_a_step_that_is_made_anew_is_looked_at(stubs: ReproduceConfig) -> None:
    run_stubs(stubs)
    shutil.rmtree(stubs.seed_dir / "before")
    stubs.steps["before"].settings["more"] = "1"
    assert "after: complete, looked at anew" in make_plan(stubs, {}).text
    assert run_stubs(stubs) == {"before": 1, "after": 2}


def test_a_plan_says_whose_minutes_it_counts(stubs: ReproduceConfig) -> None:
    for step in stubs.steps.values():
        step.minutes = 0.2
    assert "less than a minute." in make_plan(stubs, {}).lines[-1]
    stubs.steps["before"].minutes = 0.9
    lines = make_plan(stubs, {}, {"before"}).lines
    assert "about 0.9 min on two CPU cores; that is with the experiment's settings, which are" in lines[1]
    assert "about 1 minute; 1 step counted as with the experiment's settings, not with these." in lines[-1]
    with open_run(stubs.seed_dir, "reproduce", {"experiment_name": "small"}) as run:
        (stubs.seed_dir / "before").mkdir()
        run.begin("before", step_settings(stubs, "before"))
    lines = make_plan(stubs, {}).lines
    assert "before: to be continued, about 0.9 min on two CPU cores, of which a part is done" in lines[1]
    assert "about 1 minute; 1 step of which a part is done counted whole." in lines[-1]
    run_stubs(stubs)
    assert make_plan(stubs, {}).lines[-1].endswith("nothing left to do.")


def test_a_command_that_does_not_bring_a_result_back_is_named_with_the_folder_to_delete(
    stubs: ReproduceConfig,
) -> None:
    stubs.steps["before"].settings["writes"] = "review.json"
    with pytest.raises(
        UserError, match=r"step before: .*instances\.jsonl and 1 more .* delete .*before, and"
    ):
        run_stubs(stubs)


def test_a_step_that_was_left_out_can_be_added(stubs: ReproduceConfig) -> None:
    steps = dict(stubs.steps)
    del stubs.steps["after"]
    run_stubs(stubs)
    stubs.steps = steps
    assert run_stubs(stubs) == {"before": 1, "after": 1}


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux has it")
def test_a_step_ends_when_the_experiment_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    step = (
        "import os, pathlib, signal, time; from selfinstruct.processes import end_with_parent;"
        "signal.signal(signal.SIGTERM, signal.default_int_handler); end_with_parent();"
        f"pathlib.Path({str(ready)!r}).write_text(str(os.getpid())); time.sleep(600)"
    )
    # A launcher stands between the two, as accelerate does.
    launcher = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {step!r}])"
    parent = (
        "import sys; from eval.experiment.steps import run_child;"
        f"run_child([sys.executable, '-c', {launcher!r}])"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, stderr=subprocess.DEVNULL)
    while not ready.exists() or not ready.read_text():
        assert process.poll() is None
        time.sleep(0.05)
    handle = os.pidfd_open(int(ready.read_text()))
    process.kill()
    process.wait()
    assert select.select([handle], [], [], 60)[0], "the step goes on without its experiment"
    os.close(handle)


STEP = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
try:
    (folder / "begun").write_text("")
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(1)  # as long as it takes to save
    (folder / "saved").write_text("")
    sys.exit(3)
"""


def test_at_ctrl_c_the_launcher_waits_for_its_step_and_says_nothing(tmp_path: Path) -> None:
    step = tmp_path / "step.py"
    step.write_text(STEP)
    process = subprocess.Popen(
        [*_launcher("finetune/train.py", "cpu")[:-1], str(step), str(tmp_path)],
        **{"cwd": ROOT, "stderr": subprocess.PIPE, "start_new_session": True, "text": True},
        env={"OMP_NUM_THREADS": "2"} | os.environ,  # as for a step: else accelerate warns of their number
    )
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate()
    assert (tmp_path / "saved").exists()
    assert stderr == ""


def test_a_budget_may_be_raised_or_dropped_to_go_on(finished: ReproduceConfig) -> None:
    settings = {"llm": "tiny", "budget": {"max_requests": 5}, "budget.max_cost": 3, "seed": 1}
    assert portable(settings, finished) == {"llm": "tiny", "seed": 1}


def test_a_step_in_whose_folder_a_process_still_works_is_not_started(
    finished: ReproduceConfig, tmp_path: Path
) -> None:
    lock = tmp_path / "generate" / ".lock"
    lock.write_text("4711\n")
    with open(lock) as held, open_run(tmp_path / "x", "reproduce", {}) as run:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(
            UserError, match=r"step generate: another process \(pid 4711\) works in .*wait for it"
        ):
            run_steps(finished, run)
    assert lock.exists()


def test_several_seeds_are_run_one_after_the_other_and_a_wrong_setting_stops_them(tmp_path: Path) -> None:
    command = [sys.executable, SCRIPT, "experiment=data_size", f"run_dir={tmp_path / 'run'}", "seeds=[4,5]"]
    done = subprocess.run([*command, "dry_run=true"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Data size in miniature, seed 4" in done.stdout
    assert "All 2 seeds: about 12 minutes." in done.stdout
    assert "data_size=320" in done.stdout and "Data size in miniature, seed 5" in done.stdout
    assert not (tmp_path / "run").exists()
    done = subprocess.run([*command, "nonsense=1"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
