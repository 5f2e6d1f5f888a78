"""A run folder: its lock, its manifest, and the check that a restart means the same run.

Every command writes into one run folder through `open_run`; each of its steps is entered with the settings
that decide its result. A step entered again with the same settings continues (or is skipped when complete);
with other settings it is refused and the message names what differs. What is refused before the first step
has begun leaves the disk as it was: no new folder, and not a byte more in an old one.
"""

import errno
import fcntl
import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any

from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.settings import REPOSITORY, digest, flatten

_PACKAGES = (
    *("torch", "transformers", "tokenizers", "peft", "accelerate", "datasets", "evaluate"),
    *("rouge-score", "rapidfuzz", "numpy", "hydra-core", "safetensors", "pyarrow", "matplotlib"),
)
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


class RunFolder:
    """An open run folder. Clock times stand only in its manifest, response log and run log.

    Attributes:
        is_written: whether anything has been written into it since it was opened.
    """

    def __init__(self, path: Path, command: str, config: dict[str, Any]) -> None:
        self.path = path
        self.is_written = False
        self._manifest_path = path / "manifest.json"
        self._manifest = self._read_manifest(command)
        self._manifest["command"] = command
        self._manifest["config"] = config
        self._manifest.setdefault("steps", {})
        self._manifest.setdefault("started", _now())
        self._manifest.setdefault("seconds", 0.0)
        self._seconds_before = float(self._manifest["seconds"])
        self._clock = time.perf_counter()
        self._manifest |= {"status": "running", "versions": _versions(), "git_commit": _git_commit()}

    def _read_manifest(self, command: str) -> dict[str, Any]:
        if not self._manifest_path.exists():
            return {}
        advice = "move the folder away or choose another run_dir"
        try:
            manifest = json.loads(self._manifest_path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{self._manifest_path}: not readable ({error}); {advice}") from error
        if not isinstance(manifest, dict):
            raise UserError(f"{self._manifest_path}: not a manifest of ours (no JSON object); {advice}")
        if manifest.get("command") != command:
            owner = manifest.get("command")
            raise UserError(f"{self.path}: belongs to {owner!r}, not {command!r}; choose another run_dir")
        return manifest

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        """Each step's status, settings, fingerprint and counts, as the manifest holds them."""
        return self._manifest["steps"]

    def begin(self, step: str, settings: dict[str, Any]) -> bool:
        """`prepare`, and write down that the step is under way: from here on its output may be written."""
        is_complete = self.prepare(step, settings)
        if not is_complete:
            self.save()
        return is_complete

    def prepare(self, step: str, settings: dict[str, Any]) -> bool:
        """Enter a step with the settings that decide its result; True where it is already complete.

        Writes nothing: what the step reads can still be refused.

        Raises:
            UserError: the folder holds this step made with other settings; names each that differs.
        """
        settings = json.loads(json.dumps(flatten(settings), default=str))
        before = self.steps.get(step)
        if before is not None and before["fingerprint"] != digest(settings):
            raise UserError(self._difference(step, before["settings"], settings))
        if before is None:
            self.steps[step] = {"status": "running", "fingerprint": digest(settings), "settings": settings}
        self._manifest["fingerprint"] = digest({name: s["fingerprint"] for name, s in self.steps.items()})
        return self.steps[step]["status"] == "complete"

    def check(self, step: str, settings: dict[str, Any]) -> None:
        """Refuse at once what `prepare` would refuse later, by the settings known so far.

        Raises:
            UserError: the folder holds this step made with another value of one of them.
        """
        before = self.steps.get(step, {}).get("settings")
        now = json.loads(json.dumps(flatten(settings), default=str))
        if before is not None and any(before.get(key) != value for key, value in now.items()):
            raise UserError(self._difference(step, {key: before.get(key) for key in now}, now))

    def _difference(self, step: str, before: dict[str, Any], now: dict[str, Any]) -> str:
        lines = [
            f"  {key}: was {before.get(key, '(not set)')!r}, is now {now.get(key, '(not set)')!r}"
            for key in sorted(before.keys() | now.keys())
            if before.get(key) != now.get(key)
        ]
        head = f"{self.path}: its {step!r} was made with other settings:"
        return "\n".join([head, *lines, "Use those again, or choose another run_dir."])

    def complete(self, step: str, **counts: Any) -> None:
        """Mark a step complete (after its output is safe on disk) and keep its counts."""
        self.steps[step] |= {"status": "complete", "counts": counts}
        self.save()

    def reopen(self, step: str) -> None:
        """Mark a step as running again (its target was raised, say)."""
        if step in self.steps:
            self.steps[step]["status"] = "running"
            self.save()

    def note(self, **values: Any) -> None:
        """Keep further values in the manifest."""
        self._manifest |= values
        self.save()

    def finish(self, status: str) -> None:
        """Write the last state: complete, stopped, interrupted or failed."""
        self._manifest |= {"status": status, "finished": _now()}
        self.save()

    def save(self) -> None:
        """Write the manifest; the first time, the run log gets the line that a start has in it."""
        elapsed = time.perf_counter() - self._clock
        self._manifest["seconds"] = round(self._seconds_before + elapsed, 3)
        jsonl.replace_json(self._manifest_path, self._manifest)
        if not self.is_written:
            self.is_written = True
            self.log(f"{self._manifest['command']} started: {shlex.join(sys.argv)}")

    def log(self, text: str) -> None:
        """Append a line, with the time, to the run log."""
        with open(self.path / "run.log", "a", encoding="utf-8") as file:
            file.write(f"{_now()} {text}\n")


@contextmanager
def open_run(
    path: Path, command: str, config: dict[str, Any], adopts: tuple[str, ...] = ()
) -> Iterator[RunFolder]:
    """Open (or make) a run folder for one command, alone, and keep its manifest true whatever happens.

    Args:
        adopts: file names (patterns) that may lie in a folder without manifest, of which nobody knows how
            they were made; other files there are somebody's own, and the folder is refused.

    Raises:
        UserError: another process works in the folder, it belongs to another command or holds files of no
            run, or it cannot be written to.
    """
    with _locked(path):
        _refuse_other_files(path, adopts)
        run = RunFolder(path, command, config)
        try:
            yield run
            run.finish("complete")
            run.log(f"{command} complete")
        except (UserError, StoppedEarly, KeyboardInterrupt) as stop:
            if run.is_written or not isinstance(stop, UserError):
                run.finish("interrupted" if isinstance(stop, KeyboardInterrupt) else "stopped")
                run.log(f"{command} stopped: {str(stop) or 'interrupted'}")
            raise
        except Exception as error:
            refusal = _disk_refusal(error, path)
            with suppress(OSError):  # a full disk may not take these lines either
                run.finish("stopped" if refusal else "failed")
                run.log(f"{command} stopped: {refusal}" if refusal else traceback.format_exc())
            if refusal:
                raise UserError(refusal) from error
            raise


def _refuse_other_files(folder: Path, adopts: tuple[str, ...]) -> None:
    if (folder / "manifest.json").exists():
        return
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    others = [name for name in names if not any(fnmatch(name, pattern) for pattern in adopts)]
    if others:
        reason = f"holds {others[0]!r} but no manifest.json, so it is not (or no longer) a run folder"
        raise UserError(f"run_dir: {folder} {reason}; choose a new or an empty one")


def _disk_refusal(error: Exception, folder: Path) -> str | None:
    """What to tell the user where the disk, not the program, is at fault; None where it is not."""
    number = error.errno if isinstance(error, OSError) else None
    # Libraries in Rust (safetensors) give the number only in their text.
    is_full = number in _DISK_FULL or any(f"(os error {full})" in str(error) for full in _DISK_FULL)
    if is_full:
        advice = "what was complete is safe: free some space, then start again with the same words"
        return f"{folder}: the disk is full, or a file may not grow further ({error}); {advice}"
    if number in _NOT_ALLOWED:
        return f"{folder}: no right to use it ({error}); check its owner and rights"
    return None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; gives it up with all that was made for it, unless something has been written."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _take_lock(folder / ".lock")
    except OSError as error:
        _remove_empty(missing)
        otherwise = f"{folder} cannot be made or written to ({error.strerror}); choose another run_dir"
        raise UserError(f"run_dir: {_disk_refusal(error, folder) or otherwise}") from error
    with file:
        try:
            yield
        finally:
            (folder / ".lock").unlink(missing_ok=True)
            _remove_empty(missing)


def _take_lock(path: Path) -> IO[str]:
    # The kernel drops the lock with the process, also after kill -9: a file left behind locks nobody out.
    while True:
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - open as long as the lock is held
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            message = f"{path.parent}: another process (pid {holder}) works in this run folder"
            raise UserError(f"{message}; wait for it, or choose another run_dir") from None
        if os.fstat(file.fileno()).st_nlink:
            break
        file.close()  # its holder removed it between our opening and our lock
    try:
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
    except OSError:
        path.unlink()
        raise
    return file


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # it holds something, or was never made
            folder.rmdir()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "machine": platform.machine()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def _git_commit() -> str | None:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True, timeout=10)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "HEAD")
        return f"{commit}+changes" if commit and git("status", "--porcelain", "-uno") else commit or None
    except (OSError, subprocess.TimeoutExpired):
        return None  # not a clone, or no git here


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
