"""Asking a model for predictions: several processes, rounds, budgets, dry runs, stop rules, kills."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import fake_server
import pytest
from benchmark_folders import task, write_benchmark
from process_groups import run_group

from eval import predict as predict_module
from eval.superni_run import EvalSuperNIConfig, evaluate_superni
from eval.user_oriented_run import EvalUserOrientedConfig, evaluate_user_oriented
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.settings import REPOSITORY, from_dict

SCRIPT = str(REPOSITORY / "scripts" / "eval_superni.py")
COMPARED = ("predictions.jsonl", "scores.jsonl", "metrics.json", "table.md", "table.tex", "table.csv")
TORCHRUN = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc_per_node", "2"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random model and two tasks of twelve instances of many lengths."""
    from small_models import save_model

    folder = tmp_path_factory.mktemp("world")
    save_model(folder / "model")
    tasks = {
        name: task(name, instances=12, definition=f"Answer {name}, please, in one word.") for name in "ab"
    }
    for number, each in enumerate(tasks["a"]["Instances"]):
        each["input"] = "word " * (3 * number)
    write_benchmark(folder / "benchmark", tasks)
    return folder


def settings(world: Path, run_dir: Path, **changes: Any) -> EvalSuperNIConfig:
    values: dict[str, Any] = {
        "run_dir": str(run_dir),
        "model": str(world / "model"),
        "adapter": None,
        "llm": {"backend": "tiny"},
        "predictions": None,
        "benchmark": {"name": "Mini", "dir": str(world / "benchmark")},
        "superni_dir": None,
        "track": "default",
        "max_instances_per_task": 100,
        "prompt_style": "self-instruct",
        "num_examples": 0,
        "max_tokens": 20,
        "system": None,
        "intervals": {"resamples": 100, "seed": 0},
        "batch_tokens": 500,
    }
    return from_dict(EvalSuperNIConfig, values | changes)


def words(world: Path, run_dir: Path, *more: str) -> list[str]:
    """The command line of `settings`."""
    given = [f"run_dir={run_dir}", f"model={world / 'model'}", f"benchmark.dir={world / 'benchmark'}"]
    return [
        SCRIPT,
        *given,
        "benchmark.name=Mini",
        "max_tokens=20",
        "batch_tokens=500",
        "intervals.resamples=100",
        *more,
    ]


def start(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return run_group(*command, **{"OMP_NUM_THREADS": "1"} | more)


def contents(folder: Path, names: Sequence[str] = COMPARED) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names}


def prompts(log: Path) -> list[str]:
    return [json.loads(line)["prompt"] for line in log.read_bytes().splitlines()]


def test_two_processes_share_the_instances_and_leave_the_bytes_of_one(world: Path, tmp_path: Path) -> None:
    evaluate_superni(settings(world, tmp_path / "one"))
    done = start(*TORCHRUN, *words(world, tmp_path / "two"), ACCELERATE_USE_CPU="true")
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    shares = [prompts(tmp_path / "two" / name) for name in ("response_log.jsonl", "response_log_1.jsonl")]
    assert min(map(len, shares)) >= 6
    assert sorted(shares[0] + shares[1]) == sorted(prompts(tmp_path / "one" / "response_log.jsonl"))
    assert done.stdout.count("**Mini: overall**") == 1  # one voice
    assert not list((tmp_path / "two").glob(".*"))


def test_a_dry_run_of_two_processes_ends_and_speaks_once(world: Path, tmp_path: Path) -> None:
    command = [*TORCHRUN, *words(world, tmp_path / "two", "dry_run=true")]
    done = start(*command, ACCELERATE_USE_CPU="true")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("24 instances") == 1
    assert not (tmp_path / "two").exists()


def test_what_two_processes_began_one_goes_on_with(world: Path, tmp_path: Path) -> None:
    evaluate_superni(settings(world, tmp_path / "one"))
    run = tmp_path / "run"
    evaluate_superni(settings(world, run))
    lines = (run / "response_log.jsonl").read_bytes().splitlines(keepends=True)
    (run / "response_log.jsonl").write_bytes(b"".join(lines[:5]))
    (run / "response_log_1.jsonl").write_bytes(b"".join(lines[9:15]) + lines[16][:30])  # killed in a line
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["steps"] = {"predict": manifest["steps"]["predict"] | {"status": "running"}}
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    evaluate_superni(settings(world, run))
    assert contents(run) == contents(tmp_path / "one")
    asked = prompts(run / "response_log.jsonl")
    assert len(asked) == 24 - 6  # the other log's six are not asked again


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("budget.max_requests=5",), "budget: is kept by one process"),
        (
            ("llm=openai", "llm.base_url=http://localhost:1/v1", "llm.model=m", "model=null"),
            "one process sends",
        ),
    ],
)
def test_what_several_processes_cannot_do_is_refused_before_a_model_is_loaded(
    more: tuple[str, ...], message: str, world: Path, tmp_path: Path
) -> None:
    done = start(sys.executable, *words(world, tmp_path / "run", *more), WORLD_SIZE="2", RANK="0")
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "run").exists()


def test_long_answers_are_asked_for_in_two_rounds_and_come_out_the_same(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate_superni(settings(world, tmp_path / "one", max_tokens=60))
    monkeypatch.setattr(predict_module, "SHORT_ROUND", 15)
    evaluate_superni(settings(world, tmp_path / "two", max_tokens=60))
    name = "predictions.jsonl"
    assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    asked = [json.loads(line) for line in (tmp_path / "two" / "response_log.jsonl").read_bytes().splitlines()]
    long = [line for line in asked if line["completion_tokens"] > 15]
    assert 0 < len(long) <= len(asked) - 24 < 24  # only what did not end in the first is asked again


def test_a_budget_stops_the_run_and_a_higher_one_goes_on_to_the_same_bytes(
    world: Path, tmp_path: Path
) -> None:
    evaluate_superni(settings(world, tmp_path / "one"))
    run = tmp_path / "run"
    with pytest.raises(StoppedEarly, match=r"budget\.max_requests=9 would be passed"):
        evaluate_superni(settings(world, run, budget={"max_requests": 9}))
    assert len(prompts(run / "response_log.jsonl")) == 9
    assert not (run / "metrics.json").exists()
    evaluate_superni(settings(world, run, budget={"max_requests": 100}))
    assert contents(run) == contents(tmp_path / "one")


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_predictions_that_are_lost_come_from_the_response_log(world: Path, tmp_path: Path, how: str) -> None:
    run = tmp_path / "run"
    evaluate_superni(settings(world, run))
    before, asked = contents(run), prompts(run / "response_log.jsonl")
    path = run / "predictions.jsonl"
    path.unlink() if how == "gone" else path.write_text("")
    evaluate_superni(settings(world, run))
    assert contents(run) == before
    assert prompts(run / "response_log.jsonl") == asked


def test_a_limit_of_cost_needs_a_price_before_the_model_is_loaded(world: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"budget\.max_cost needs the price of "):
        evaluate_superni(settings(world, tmp_path / "run", budget={"max_cost": 1}))
    assert not (tmp_path / "run").exists()


def test_a_dry_run_counts_what_is_left_and_writes_nothing(world: Path, tmp_path: Path, capsys: Any) -> None:
    run = tmp_path / "run"
    price = {"max_requests": 9, "prices": {str(world / "model"): {"input": 1000000, "output": 0}}}
    config = settings(world, run, budget=price, dry_run=True, model=str(world / "model"))
    assert evaluate_superni(config) == {}
    before = capsys.readouterr().out
    assert "dry run: nothing is sent." in before
    assert [line.split()[1] for line in before.splitlines() if line.startswith("predict")] == ["24"]
    assert "budget.max_requests=9 is less than the 24 requests of the whole run" in before
    assert not run.exists()
    with pytest.raises(StoppedEarly):
        evaluate_superni(settings(world, run, budget=price))
    names = sorted(path.name for path in run.iterdir())
    evaluate_superni(config)
    after = capsys.readouterr().out
    assert [line.split()[1] for line in after.splitlines() if line.startswith("predict")] == ["15"]
    assert sorted(path.name for path in run.iterdir()) == names


def test_a_stop_rule_is_kept_named_in_the_table_and_part_of_the_settings(world: Path, tmp_path: Path) -> None:
    evaluate_superni(settings(world, tmp_path / "raw"))
    raw = [
        json.loads(line)["prediction"]
        for line in (tmp_path / "raw" / "predictions.jsonl").open(encoding="utf-8")
    ]
    letter = max("aeiou", key=lambda each: sum(each in text for text in raw))
    run = tmp_path / "run"
    evaluate_superni(settings(world, run, stop=[letter], stop_at_paragraph=True))
    stopped = [json.loads(line)["prediction"] for line in (run / "predictions.jsonl").open(encoding="utf-8")]
    for text, short in zip(raw, stopped, strict=True):
        if text.strip() and "\n\n" not in text:
            blank = len(text) - len(text.lstrip())
            assert short == text[:blank] + text[blank:].split(letter)[0]
    table = (run / "table.md").read_text(encoding="utf-8")
    assert f"stopped at '{letter}' or 'the first blank line'" in table.replace("\\", "")
    assert "stopped at" not in (tmp_path / "raw" / "table.md").read_text(encoding="utf-8")
    with pytest.raises(UserError, match="stop_at_paragraph: was True, is now False"):
        evaluate_superni(settings(world, run, stop=[letter]))


def test_another_setting_is_refused_before_the_model_is_loaded(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate_superni(settings(world, tmp_path / "run"))
    monkeypatch.setattr("eval.asking.make_llm", lambda config: pytest.fail("the model was loaded"))
    with pytest.raises(UserError, match="max_tokens: was 20, is now 21"):
        evaluate_superni(settings(world, tmp_path / "run", max_tokens=21))


def kill_at(command: list[str], log: Path, size: int, seconds: float = 1e9) -> int:
    """Start the command, kill -9 it when its log holds so many bytes, or after so long; its exit code."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
    end = time.monotonic() + seconds
    try:
        while process.poll() is None:
            if time.monotonic() > end or (log.exists() and log.stat().st_size >= size):
                process.kill()
                break
            time.sleep(0.001)
        return process.wait()
    finally:
        process.kill()


def killed_at_random(world: Path, run: Path, log_bytes: int, kills: int) -> Path:
    """A run that was killed so often, each time at another byte of its response log, and then left to end."""
    rng = random.Random(7)
    for size in sorted(rng.randrange(1, log_bytes - 400) for _ in range(kills)):
        code = kill_at([sys.executable, *words(world, run)], run / "response_log.jsonl", size)
        assert code == -signal.SIGKILL
        with (run / "response_log.jsonl").open("ab") as file:
            file.truncate(max(size, 1))  # wherever in a line the kill would have fallen
    evaluate_superni(settings(world, run))
    return run


def test_killed_at_random_moments_it_ends_with_the_same_bytes(world: Path, tmp_path: Path) -> None:
    evaluate_superni(settings(world, tmp_path / "whole"))
    log_bytes = (tmp_path / "whole" / "response_log.jsonl").stat().st_size
    killed = killed_at_random(world, tmp_path / "killed", log_bytes, kills=2)
    assert contents(killed) == contents(tmp_path / "whole")


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_killed_at_twenty_random_moments_it_ends_with_the_same_bytes(world: Path, tmp_path: Path) -> None:
    evaluate_superni(settings(world, tmp_path / "whole"))
    log_bytes = (tmp_path / "whole" / "response_log.jsonl").stat().st_size
    killed = killed_at_random(world, tmp_path / "killed", log_bytes, kills=10)
    assert contents(killed) == contents(tmp_path / "whole")
    run, rng = tmp_path / "run", random.Random(8)
    begin = time.monotonic()
    assert start(sys.executable, *words(world, tmp_path / "timed")).returncode == 0
    took = time.monotonic() - begin
    # While the model loads, between two answers, while scores are counted, or just after the end.
    for seconds in (took * rng.random() for _ in range(10)):
        kill_at([sys.executable, *words(world, run)], run / "none", sys.maxsize, seconds)
    evaluate_superni(settings(world, run))
    assert contents(run) == contents(tmp_path / "timed")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_server.FakeServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-a-test")
    with fake_server.running() as fake:
        yield fake


def test_a_served_model_is_asked_once_for_each_instance_over_all_starts(
    world: Path, tmp_path: Path, server: fake_server.FakeServer
) -> None:
    llm = {"backend": "openai", "base_url": server.url, "model": "m", "max_failures": 0, "max_concurrency": 4}
    asked = {"model": None, "llm": llm, "stop": ["Input:"], "batch_tokens": None}
    server.script.extend([fake_server.answer()] * 10)
    server.default = fake_server.error(400, "no")  # also for those in flight with the first one refused
    with pytest.raises(UserError, match="400"):
        evaluate_superni(settings(world, tmp_path / "run", **asked))
    kept = set(prompts(tmp_path / "run" / "response_log.jsonl"))
    assert 6 <= len(kept) <= 10
    before = len(server.asked)
    server.default = fake_server.answer()
    evaluate_superni(settings(world, tmp_path / "run", **asked))
    assert not kept & set(server.prompts[before:])
    assert len(server.prompts[before:]) == 24 - len(kept)
    assert all(
        (body["temperature"], body["stop"], body["max_tokens"]) == (0.0, ["Input:"], 20)
        for body in server.asked
    )
    lines = [json.loads(line) for line in (tmp_path / "run" / "predictions.jsonl").open(encoding="utf-8")]
    assert [line["prediction"] for line in lines] == [fake_server.text_of(line["prompt"]) for line in lines]
    assert [line["Task"] for line in lines] == ["a"] * 12 + ["b"] * 12


def test_the_user_oriented_set_has_the_same_keys(
    world: Path, tmp_path: Path, server: fake_server.FakeServer, capsys: Any
) -> None:
    line = {"motivation_app": "Mail", "instruction": "Answer.", "instances": [{"input": "", "output": "yes"}]}
    lines = [json.dumps({"id": f"u{n}", **line, "instruction": f"Answer {n}."}) for n in range(5)]
    (tmp_path / "tasks.jsonl").write_text("\n".join(lines), encoding="utf-8")
    values: dict[str, Any] = {
        "run_dir": str(tmp_path / "run"),
        "tasks": str(tmp_path / "tasks.jsonl"),
        "llm": {"backend": "openai", "base_url": server.url, "model": "m"},
        "intervals": {"resamples": 10, "seed": 0},
        "budget": {"max_requests": 3},
        "prompt_style": "self-instruct",
    }
    values |= dict.fromkeys(("model", "adapter", "predictions", "ratings", "judge", "max_tokens", "system"))
    assert evaluate_user_oriented(from_dict(EvalUserOrientedConfig, values | {"dry_run": True})) == {}
    assert server.asked == []
    assert "predict" in capsys.readouterr().out
    with pytest.raises(StoppedEarly, match=r"budget\.max_requests=3"):
        evaluate_user_oriented(from_dict(EvalUserOrientedConfig, values))
    evaluate_user_oriented(from_dict(EvalUserOrientedConfig, values | {"budget": {"max_requests": 5}}))
    assert len(server.asked) == 5
