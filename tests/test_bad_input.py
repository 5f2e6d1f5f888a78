"""Bad input to every command: exit code 2, one message (what, where, what to do), nothing changed on disk."""

import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from bad_input_cases import INPUT_CASES, Case, write
from bad_run_folder_cases import RUN_FOLDER_CASES
from good_calls import COMMANDS, GOOD, TRAINING, command, lines, snapshot, write_world

from selfinstruct import jsonl
from selfinstruct.runs import open_run
from selfinstruct.settings import REPOSITORY

CASES = [*INPUT_CASES, *RUN_FOLDER_CASES]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of good input, and a finished run of each phase (`generated`, `trained`, `scored`)."""
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.mark.parametrize("case", CASES, ids=[case.kind for case in CASES])
def test_bad_input_is_refused_with_one_message_and_changes_nothing(
    case: Case, world: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(world, tmp_path / "world")
    if case.change:
        case.change(folder)
    with ExitStack() as stack:
        if case.busy:
            stack.enter_context(open_run(folder / case.busy, case.command, {}))
        before = snapshot(folder)
        code, stderr = command(case.command, *case.words.split(), limit=case.limit, cwd=folder)
        after = snapshot(folder)
    assert code == 2, stderr
    assert [line[:7] for line in stderr.splitlines() if "error: " in line] == ["error: "]
    assert "Traceback" not in stderr
    for part in case.parts:
        assert part in stderr
    assert after == before


def test_every_kind_stands_in_the_table_once() -> None:
    assert len({case.kind for case in CASES}) == len(CASES) >= 35
    assert {case.command for case in CASES} == set(COMMANDS)


def test_a_disk_that_fills_up_loses_nothing_and_the_run_goes_on(world: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(world, tmp_path / "world")
    limit = (folder / "generated" / "response_log.jsonl").stat().st_size - 1000  # tears its last line
    code, stderr = command("generate", limit=limit, cwd=folder)
    assert code == 2, stderr
    assert stderr.count("error: ") == 1
    assert "the disk is full" in stderr
    assert "what was complete is safe: free some space, then start again" in stderr
    code, stderr = command("generate", cwd=folder)
    assert code == 0, stderr
    for name in ("response_log.jsonl", "machine_generated_instances.jsonl", "finetuning_data/train.jsonl"):
        assert len(jsonl.read(folder / "new" / name)) == len(jsonl.read(folder / "generated" / name))
    name = "finetuning_data/train.jsonl"
    assert (folder / "new" / name).read_bytes() == (folder / "generated" / name).read_bytes()


def test_the_launcher_shows_one_message_and_nothing_is_changed(world: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(world, tmp_path / "world")
    write("train.jsonl", lines(TRAINING)[:-9])(folder)
    before = snapshot(folder)
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file"]
    settings = REPOSITORY / "configs" / "accelerate" / "cpu.yaml"
    words = [*launch, str(settings), str(REPOSITORY / COMMANDS["train"]), *GOOD["train"].split()]
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == 1  # the launcher makes 1 of every failure
    messages = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(messages) == 1
    assert messages[0].startswith("error: train.jsonl:4: not valid JSON")
    assert snapshot(folder) == before
