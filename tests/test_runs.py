"""Behaviour of run folders: alone in a folder, the same settings continue, others are refused."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.runs import open_run


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def test_a_finished_run_says_complete_and_holds_counts_and_versions(tmp_path: Path) -> None:
    with open_run(tmp_path / "r", "generate", {"seed": 1}) as run:
        assert run.begin("instructions", {"seed": 1}) is False
        run.complete("instructions", accepted=3)
    written = manifest(tmp_path / "r")
    assert written["status"] == "complete"
    assert written["steps"]["instructions"]["counts"] == {"accepted": 3}
    assert written["versions"]["transformers"]
    assert written["config"] == {"seed": 1}


def test_the_same_settings_find_the_step_complete(tmp_path: Path) -> None:
    for expected in (False, True):
        with open_run(tmp_path, "generate", {}) as run:
            assert run.begin("predict", {"a": {"b": 1}}) is expected
            run.complete("predict")


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    with open_run(tmp_path, "generate", {}) as run:
        run.begin("predict", {"seed": 1, "query": {"temperature": 0.7}})
    with (
        pytest.raises(UserError, match=r"query\.temperature: was 0\.7, is now 0\.8") as raised,
        open_run(tmp_path, "generate", {}) as run,
    ):
        run.begin("predict", {"seed": 1, "query": {"temperature": 0.8}})
    assert "seed" not in str(raised.value)


def test_a_folder_of_another_command_is_refused(tmp_path: Path) -> None:
    with open_run(tmp_path, "train", {}):
        pass
    with pytest.raises(UserError, match="belongs to 'train'"), open_run(tmp_path, "generate", {}):
        pass


def test_a_stop_and_a_failure_are_written_down(tmp_path: Path) -> None:
    with pytest.raises(StoppedEarly), open_run(tmp_path / "a", "generate", {}):
        raise StoppedEarly("stalled")
    with pytest.raises(ZeroDivisionError), open_run(tmp_path / "b", "generate", {}):
        _ = 1 / 0
    assert manifest(tmp_path / "a")["status"] == "stopped"
    assert manifest(tmp_path / "b")["status"] == "failed"
    assert "ZeroDivisionError" in (tmp_path / "b" / "run.log").read_text()


def test_an_interrupt_is_named_in_the_run_log(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_run(tmp_path, "generate", {}) as run:
        run.begin("instructions", {})
        raise KeyboardInterrupt
    assert "generate stopped: interrupted\n" in (tmp_path / "run.log").read_text()


def test_a_refusal_before_the_first_step_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UserError), open_run(tmp_path / "new" / "inner", "generate", {}) as run:
        run.prepare("predict", {"seed": 1})
        raise UserError("bad line")
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_leaves_a_finished_run_as_it_is(tmp_path: Path) -> None:
    with open_run(tmp_path, "generate", {"seed": 1}) as run:
        run.begin("predict", {"seed": 1})
        run.complete("predict")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(before) == ["manifest.json", "run.log"]
    for settings in ({"seed": 1}, {"seed": 2}):
        with pytest.raises(UserError), open_run(tmp_path, "generate", {"seed": 2}) as run:
            run.begin("predict", settings)
            raise UserError("bad line")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_full_disk_is_told_as_such_and_what_was_complete_stays(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"disk is full.*start again with the same words"),
        open_run(tmp_path / "r", "generate", {}) as run,
    ):
        run.begin("instructions", {})
        raise OSError(errno.ENOSPC, "No space left on device")
    assert manifest(tmp_path / "r")["status"] == "stopped"


def test_a_second_process_is_refused_while_the_first_works(tmp_path: Path) -> None:
    second = (
        "import sys; from pathlib import Path\n"
        "from selfinstruct.runs import open_run\n"
        "with open_run(Path(sys.argv[1]), 'generate', {}): pass"
    )
    with open_run(tmp_path, "generate", {}):
        done = subprocess.run([sys.executable, "-c", second, str(tmp_path)], capture_output=True, text=True)
    assert "another process (pid" in done.stderr
    assert subprocess.run([sys.executable, "-c", second, str(tmp_path)]).returncode == 0


def test_a_broken_manifest_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UserError, match=r"manifest\.json: not readable"), open_run(tmp_path, "x", {}):
        pass
    assert (tmp_path / "manifest.json").read_text() == "{"
