"""Runs of `llm=replay` over a folder that a server has answered: other filters, no model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_server import KEY, FakeServer, running, writes_like_a_model

from selfinstruct import jsonl

ROOT = Path(__file__).parents[1]


def generate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts/generate.py"), f"run_dir={folder}", *words]
    environment = os.environ | {"OPENAI_API_KEY": KEY}
    return subprocess.run(
        [*command, "statistics.figures=false"], capture_output=True, text=True, env=environment, check=False
    )


def from_server(server: FakeServer, folder: Path, *words: str) -> None:
    words += ("llm=openai", f"llm.base_url={server.url}", "llm.model=m", "llm.max_concurrency=4")
    run = generate(folder, *words, "num_instructions=20")
    assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of 20 or more instructions."""
    folder = tmp_path_factory.mktemp("recording") / "run"
    with running() as server:
        server.default = writes_like_a_model
        from_server(server, folder)
    return folder


def lines(folder: Path, name: str) -> list[jsonl.Record]:
    return jsonl.read(folder / f"{name}.jsonl")


def answers_of(folder: Path, name: str, field: str) -> dict[str, str]:
    return {line["instruction"]: line[field] for line in lines(folder, name)}


def rejecting(recording: Path, *places: int) -> str:
    """Filters that reject the instructions at these places by a word that no other has."""
    instructions = [line["instruction"] for line in lines(recording, "machine_generated_instructions")]
    words = [instructions[place].split()[1] for place in places]
    return f"filters.keywords=[{','.join(words)}]"


def test_under_other_filters_each_instruction_keeps_its_own_answers(recording: Path, tmp_path: Path) -> None:
    run = generate(
        tmp_path / "replay",
        "llm=replay",
        f"llm.responses={recording}",
        "num_instructions=16",
        rejecting(recording, 1, 4),
    )
    assert run.returncode == 0, run.stderr
    for name, field in [
        ("machine_generated_instances", "raw_instances"),
        ("is_clf_or_not", "is_classification"),
    ]:
        recorded = answers_of(recording, name, field)
        replayed = answers_of(tmp_path / "replay", name, field)
        assert len(replayed) >= 16
        assert list(replayed) != list(recorded)[: len(replayed)]
        assert replayed == {instruction: recorded[instruction] for instruction in replayed}


def test_a_recording_used_up_too_soon_says_how_to_finish_and_it_does(recording: Path, tmp_path: Path) -> None:
    words = ("llm=replay", f"llm.responses={recording}", rejecting(recording, 1))
    folder = tmp_path / "replay"
    stopped = generate(folder, *words, "num_instructions=1000")
    assert stopped.returncode == 3, stopped.stderr
    accepted = len(lines(folder, "machine_generated_instructions"))
    assert f"{accepted} of 1000 instructions are accepted" in stopped.stderr
    advice = f"num_instructions={accepted}"
    assert advice in stopped.stderr
    # Requests that were still on their way when the recorded run had enough may have no later stages.
    finished = generate(folder, *words, advice, "stages=[instructions]")
    assert finished.returncode == 0, finished.stderr
