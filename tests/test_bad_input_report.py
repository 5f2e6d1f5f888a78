"""Bad input to make_report and reproduce: one message (what, where, what to do), nothing written."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from report_runs import write_demo, write_evaluation, write_manifest

from eval.report.command import MakeReportConfig, make_report
from selfinstruct.errors import UserError
from selfinstruct.jsonl import replace_json
from selfinstruct.settings import REPOSITORY

Change = Callable[[Path], object]


def snapshot(folder: Path) -> dict[str, str]:
    """Every path below a folder with the digest of its bytes."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in which `demo` is a finished experiment."""
    write_demo(tmp_path / "demo")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(name: str, change: Callable[[Any], Any]) -> Change:
    def edited(folder: Path) -> None:
        replace_json(folder / name, change(json.loads((folder / name).read_text())))

    return edited


def cut(name: str) -> Change:
    def halved(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2 - 3])

    return halved


def without(*names: str) -> Callable[[Any], Any]:
    """Drops a field, named by the keys that lead to it."""

    def dropped(record: dict[str, Any]) -> dict[str, Any]:
        *path, last = names
        inner = record
        for name in path:
            inner = inner[name]
        del inner[last]
        return record

    return dropped


def interrupt(manifest: dict[str, Any]) -> dict[str, Any]:
    steps = {"generate": {"status": "complete"}, "train": {"status": "running"}}
    return manifest | {"status": "interrupted", "steps": steps}


def write(name: str, text: str) -> Change:
    return lambda folder: (folder / name).write_text(text)


def second_benchmark(folder: Path) -> None:
    for name, label in (("one", "LittleWorld"), ("two", "SuperNI")):
        write_manifest(folder / name, "eval_superni", {"model": "m", "adapter": name})
        write_evaluation(folder / name, (1, 2, 3, 4), name=label, label=label)


def move_away(path: Path) -> None:
    path.rename(path.parents[3] / f"was_{path.name}" if path.is_dir() else path.with_name(f"was_{path.name}"))


def other_instances(folder: Path) -> None:
    lines = (folder / "demo/seed1/vanilla/scores.jsonl").read_text().splitlines(keepends=True)
    (folder / "demo/seed1/vanilla/scores.jsonl").write_text("".join(lines[1:]))


SEED = "demo/seed1"
CASES: dict[str, tuple[Change | None, dict[str, Any], str]] = {
    "missing folder": (None, {"runs": ["no"]}, r"runs: .*/no is no folder; check the path"),
    "a file": (write("file", ""), {"runs": ["file"]}, r"runs: .*/file is no folder; check the path"),
    "folder of no run": (
        lambda folder: (folder / "empty").mkdir(),
        {"runs": ["empty"]},
        r"runs: .*/empty holds no manifest.json and no folder seed1; give folders of scripts/reproduce.py",
    ),
    "folder of another kind": (
        lambda folder: write_manifest(folder / "rated", "annotate", {}),
        {"runs": ["rated"]},
        r"runs: .*/rated belongs to 'annotate', which the report does not show; choose from reproduce",
    ),
    "half-finished experiment": (
        edit(f"{SEED}/manifest.json", interrupt),
        {},
        r"demo/seed1 is not complete \(interrupted\); start its command .* by itself: .*seed1/generate$",
    ),
    "half-finished seed by itself": (
        edit(f"{SEED}/manifest.json", interrupt),
        {"runs": [SEED]},
        r"demo/seed1 is not complete \(interrupted\); start its command again",
    ),
    "half-finished step by itself": (
        edit(f"{SEED}/generate/manifest.json", lambda m: m | {"status": "stopped"}),
        {"runs": [f"{SEED}/generate"]},
        r"seed1/generate is not complete \(stopped\); start its command again with the same words",
    ),
    "torn manifest": (
        cut(f"{SEED}/manifest.json"),
        {},
        r"seed1/manifest.json: cannot be read \(.*\); make it anew by its command",
    ),
    "torn metrics.json": (
        cut(f"{SEED}/self_instruct/metrics.json"),
        {},
        r"self_instruct/metrics.json: cannot be read \(.*\); make it anew by its command",
    ),
    "metrics.json a list": (
        write(f"{SEED}/self_instruct/metrics.json", "[]"),
        {},
        r"self_instruct/metrics.json: not a JSON object; make it anew",
    ),
    "torn scores": (
        cut(f"{SEED}/vanilla/scores.jsonl"),
        {},
        r"vanilla/scores.jsonl:\d+: not valid JSON",
    ),
    "torn statistics.json": (
        cut(f"{SEED}/generate/statistics.json"),
        {},
        r"generate/statistics.json: cannot be read",
    ),
    "torn instructions": (
        cut(f"{SEED}/generate/machine_generated_instructions.jsonl"),
        {},
        r"machine_generated_instructions.jsonl:\d+: not valid JSON",
    ),
    "instruction without its text": (
        write(f"{SEED}/generate/machine_generated_instructions.jsonl", "{}\n"),
        {},
        r"machine_generated_instructions.jsonl:1: holds no 'instruction'; made by another version",
    ),
    "manifest of an older version": (
        edit(f"{SEED}/manifest.json", without("config", "by_category")),
        {},
        r"seed1/manifest.json: holds no 'config.by_category'; made by another version, or not its file",
    ),
    "metrics of an older version": (
        edit(f"{SEED}/little_world/metrics.json", without("benchmark", "track")),
        {},
        r"little_world/metrics.json: holds no 'benchmark.track'; made by another version",
    ),
    **{
        f"lost {name}": (
            lambda folder, name=name: move_away(folder / SEED / name),
            {},
            rf"runs: .*{SEED}/{name}{inside} is gone, though the run is called complete; {advice}",
        )
        for name, inside, advice in (
            ("self_instruct/scores.jsonl", "", "delete .*/seed1/self_instruct and start its command"),
            ("self_instruct/predictions.jsonl", "", "delete .*/seed1/self_instruct and start its command"),
            ("self_instruct", "/manifest.json", "delete .*/seed1/self_instruct and start its command"),
            (
                "review/review.json",
                "",
                "delete .*/seed1/review and start its command .or reproduce.py. again",
            ),
            ("train", "/manifest.json", "delete .*/seed1/train and"),
            ("train/metrics.jsonl", "", "delete .*/seed1/train and"),
            (
                "generate/statistics.json",
                "",
                "start generate.py again in its folder with the words in run.log",
            ),
            ("generate/finetuning_data/train.jsonl", "", "start generate.py again"),
        )
    },
    "emptied scores": (
        write(f"{SEED}/vanilla/scores.jsonl", ""),
        {},
        r"vanilla/scores.jsonl is empty, though the run is called complete; delete .*/seed1/vanilla and",
    ),
    "lost file of a single folder": (
        lambda folder: move_away(folder / SEED / "vanilla/metrics.json"),
        {"runs": [f"{SEED}/vanilla"]},
        r"vanilla/metrics.json is gone, though the run is called complete; delete .*/seed1/vanilla and",
    ),
    "scores of other instances": (
        other_instances,
        {},
        r"vanilla, .* were not scored on the same instances \(a: 4 instances against 5\); evaluate",
    ),
    "several benchmarks": (
        second_benchmark,
        {"runs": ["one", "two"]},
        r"single folders of several benchmarks \(.*/one: LittleWorld; .*/two: SuperNI\); make a report",
    ),
    "one run twice": (None, {"runs": ["demo", "demo"]}, r"runs: two are called 'demo', .* rename a folder"),
    "two runs of one name": (
        lambda folder: shutil.copytree(folder / "demo", folder / "other" / "demo"),
        {"runs": ["demo", "other/demo"]},
        r"runs: two are called 'demo', .* rename a folder",
    ),
    "no run": (None, {"runs": []}, r"runs: the list is empty; give run folders, as in 'runs=\[runs/demo\]'"),
    "no sample": (None, {"samples": 0}, r"samples: 0 must be at least 1"),
    "report inside a step": (
        None,
        {"run_dir": f"{SEED}/vanilla/report"},
        r"run_dir: demo/seed1/vanilla/report lies inside the run folder .*/demo/seed1/vanilla; choose",
    ),
    "report in a step's folder": (
        None,
        {"run_dir": f"{SEED}"},
        r"demo/seed1: belongs to 'reproduce', not 'make_report'; choose another run_dir",
    ),
    "report in the experiment's folder": (
        None,
        {"run_dir": "demo"},
        r"run_dir: demo holds 'seed1' but no manifest.json.*; choose a new or an empty one",
    ),
    "report below a file": (
        write("file", ""),
        {"run_dir": "file/report"},
        r"run_dir: file/report cannot be made or written to .*; choose another run_dir",
    ),
    "report where none can be": (None, {"run_dir": "/proc/r"}, r"run_dir: /proc/r cannot be made or written"),
    "markdown below a file": (
        write("file", ""),
        {"markdown": "file/r.md"},
        r"markdown: file/r.md cannot be written \(Not a directory\); choose another",
    ),
    "markdown of another kind": (None, {"markdown": "r.txt"}, r"markdown: r.txt must be the name of an .md"),
}


@pytest.mark.parametrize(("change", "words", "message"), CASES.values(), ids=CASES.keys())
def test_a_bad_report_is_refused_and_nothing_written(
    world: Path, change: Change | None, words: dict[str, Any], message: str
) -> None:
    if change:
        change(world)
    before = snapshot(world)
    given = {"run_dir": "report", "runs": ["demo"], "samples": 300, "markdown": None} | words
    paths = {name: Path(given[name]) for name in ("run_dir", "markdown") if given[name]}
    with pytest.raises(UserError, match=message):
        make_report(MakeReportConfig(**given | paths | {"runs": [Path(path) for path in given["runs"]]}))
    assert snapshot(world) == before


def command(name: str, *words: str, cwd: Path) -> tuple[int, str]:
    """Exit code and stderr of a command."""
    script = [sys.executable, str(REPOSITORY / "scripts" / f"{name}.py")]
    done = subprocess.run(
        [*script, *words], capture_output=True, text=True, cwd=cwd, env=os.environ, timeout=120, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("make_report", "runs=[no]", r"error: runs: .*/no is no folder; check the path"),
        ("make_report", "run_dir=r", r"error: runs is missing; give it as runs=VALUE"),
        ("make_report", "runs=[demo] sample=3", r"error: sample: no such setting; .*did you mean samples\?"),
        ("reproduce", "experiment=demos", r"error: experiment=demos: no such option; choose from .*demo\?"),
        ("reproduce", "seeds=[1,1]", r"error: seeds: \[1, 1\] holds a seed twice; give each once"),
        ("reproduce", "seeds=[]", r"error: seeds: the list is empty; give some, or seeds=null seed=1"),
        ("reproduce", "seeds=[-1]", r"error: seeds: -1 must be 0 or more"),
        ("reproduce", "accelerate_config=x", r"error: accelerate_config=x: choose from .*cpu"),
        ("reproduce", "run_dir=file/new", r"error: run_dir: .*file/new.* cannot be made or written"),
        (
            "reproduce",
            "run_dir=demo/seed1/vanilla",
            r"error: run_dir: .* lies inside the run folder .*choose",
        ),
        ("reproduce", "run_dir=demo", r"error: .*demo/seed1: .* choose another run_dir"),
        ("reproduce", "run_dir=demo dry_run=true", r"error: .*demo/seed1.*choose another run_dir"),
    ],
)
def test_a_bad_call_ends_with_code_2_one_message_and_nothing_written(
    world: Path, name: str, words: str, message: str
) -> None:
    write("file", "")(world)
    if "run_dir=demo" in words:
        write(f"{SEED}/manifest.json", '{"command": "generate"}')(world)
    before = snapshot(world)
    code, stderr = command(name, *words.split(), cwd=world)
    assert code == 2, stderr
    assert re.search(message, stderr, re.DOTALL), stderr
    assert "Traceback" not in stderr
    assert snapshot(world) == before
