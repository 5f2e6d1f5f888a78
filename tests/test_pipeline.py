"""Phase 1 as a user runs it, on the embedded model: stages, restarts after kill -9, refusals."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfinstruct import jsonl

ROOT = Path(__file__).parents[1]
SCRIPT = str(ROOT / "scripts" / "generate.py")
WORDS = ("llm=tiny", "num_instructions=20", "llm.batch_size=8", "instructions.lookahead=8")
COMPARED = (
    "machine_generated_instructions.jsonl",
    "requests.jsonl",
    "is_clf_or_not.jsonl",
    "machine_generated_instances.jsonl",
    "rejected.jsonl",
    "finetuning_data/all_generated_instances.jsonl",
    "finetuning_data/train.jsonl",
    "statistics.json",
    "leaks.jsonl",
    "figures/acceptance.png",
    "figures/verb_objects.svg",
    "exports/instances.parquet",
    "exports/messages.jsonl",
    "README.md",
)


def start(folder: Path, *words: str, hash_seed: str = "0") -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    command = [sys.executable, SCRIPT, *WORDS, f"run_dir={folder}", *words]
    return subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # A shell makes its background jobs ignore Ctrl-C, and what they start with them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def generate(folder: Path, *words: str, hash_seed: str = "0") -> tuple[int, str]:
    process = start(folder, *words, hash_seed=hash_seed)
    with killed_at_the_end(process):
        _, stderr = process.communicate(timeout=240)
    return process.returncode, stderr


@contextmanager
def killed_at_the_end(process: subprocess.Popen[str]) -> Iterator[None]:
    """A test that fails half-way leaves no process behind."""
    try:
        yield
    finally:
        process.kill()
        process.communicate()


def files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in COMPARED}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    code, stderr = generate(folder)
    assert code == 0, stderr
    return folder


def test_a_run_holds_every_stage(whole: Path) -> None:
    instructions = jsonl.read(whole / "machine_generated_instructions.jsonl")
    assert len(instructions) >= 20
    assert len(jsonl.read(whole / "is_clf_or_not.jsonl")) == len(instructions)
    assert len(jsonl.read(whole / "machine_generated_instances.jsonl")) == len(instructions)
    assert len(jsonl.read(whole / "finetuning_data" / "all_generated_instances.jsonl")) > 10


def test_killed_at_three_places_the_files_are_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    watched = ("requests.jsonl", "is_clf_or_not.jsonl", "machine_generated_instances.jsonl")
    for number, name in enumerate(watched):
        process = start(folder, hash_seed=str(number + 1))
        deadline = time.monotonic() + 120
        while (
            time.monotonic() < deadline
            and not ((folder / name).exists() and (folder / name).stat().st_size)
            and process.poll() is None
        ):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, f"was not killed in {name}"
    code, stderr = generate(folder, hash_seed="7")
    assert code == 0, stderr
    assert files(folder) == files(whole)


def test_answers_to_other_instructions_are_refused_before_more_are_asked_for(
    whole: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(whole, tmp_path / "mixed")
    path = folder / "machine_generated_instances.jsonl"
    records = jsonl.read(path)
    jsonl.replace(path, [records[1], records[0], *records[2:]])
    asked = (folder / "response_log.jsonl").read_bytes()
    code, stderr = generate(folder, "num_instructions=30")
    assert code == 2 and f"{path}:1: not the instruction of line 1" in stderr
    assert (folder / "response_log.jsonl").read_bytes() == asked


def test_the_same_words_again_change_nothing(whole: Path) -> None:
    before, asked = files(whole), (whole / "response_log.jsonl").read_bytes()
    code, stderr = generate(whole)
    assert code == 0, stderr
    assert files(whole) == before
    assert (whole / "response_log.jsonl").read_bytes() == asked


def test_other_settings_are_refused_and_nothing_is_touched(whole: Path) -> None:
    before = files(whole)
    code, stderr = generate(whole, "queries.instructions.temperature=0.9")
    assert code == 2
    assert "query.temperature: was 0.8, is now 0.9" in stderr
    assert "Traceback" not in stderr
    assert files(whole) == before


def test_a_run_is_replayed_without_a_model(whole: Path, tmp_path: Path) -> None:
    seeds = ROOT / "selfinstruct" / "llm" / "tiny" / "seed_tasks.jsonl"
    words = ["llm=replay", "prompts=tiny", "queries=tiny", f"llm.responses={whole}", f"seed_tasks={seeds}"]
    words = [w for w in WORDS if not w.startswith(("llm=", "llm."))] + words
    done = subprocess.run(
        [sys.executable, SCRIPT, *words, f"run_dir={tmp_path}/r"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    name = "finetuning_data/all_generated_instances.jsonl"
    assert (tmp_path / "r" / name).read_bytes() == (whole / name).read_bytes()


def test_released_fidelity_writes_the_names_its_later_stages_look_for(tmp_path: Path) -> None:
    code, stderr = generate(tmp_path / "r", "fidelity=released", "num_instructions=5")
    assert code == 0, stderr
    assert (tmp_path / "r" / "is_clf_or_not_davinci_template_1.jsonl").exists()
    train = jsonl.read(tmp_path / "r" / "finetuning_data" / "train.jsonl")
    assert all(line["completion"].endswith("<|endoftext|>") for line in train)


def test_a_lone_stage_without_its_input_says_what_to_run_first(tmp_path: Path) -> None:
    code, stderr = generate(tmp_path / "r", "stages=[instances]")
    assert code == 2
    assert "not there; run the" in stderr


def test_ctrl_c_ends_with_3_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = start(tmp_path / "r")
    while not (tmp_path / "r" / "response_log.jsonl").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "start again with the same words" in stderr
