"""Files that a command may write again: those that it wrote itself and nobody has changed since.

A manifest beside them holds their check sums. While files are being exchanged it holds none, so that a run
killed between two of them can be started again.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from selfinstruct import jsonl
from selfinstruct.errors import UserError


@contextmanager
def only_writer(paths: Sequence[Path]) -> Iterator[None]:
    """Hold the files against other processes that would write them (UserError where one does already)."""
    with ExitStack() as stack:
        for path in paths:
            stack.enter_context(_locked(path))
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # The kernel drops the lock with the process, also after kill -9: a file left behind locks nobody out.
    lock = path.with_name(f".{path.name}.lock")
    missing = [folder for folder in path.absolute().parents if not folder.exists()]
    try:
        with _opened(lock, path) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(file.fileno()).st_nlink:
                raise BlockingIOError  # its holder removed it between our opening and our lock
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
    except BlockingIOError:
        advice = "wait for it, or choose another name"
        raise UserError(f"{path}: another process is writing it; {advice}") from None
    finally:
        for folder in missing:
            with suppress(OSError):  # it holds something, or was never made
                folder.rmdir()


def _opened(lock: Path, path: Path) -> IO[str]:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return open(lock, "a", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); choose another place") from error


def refuse_foreign_files(manifest: Path, paths: Sequence[Path]) -> None:
    """Raise UserError if one of the files exists and is not as the manifest says that it was written."""
    known = _check_sums(manifest)
    for path in paths:
        if path.is_file() and known.get(_name(manifest, path), "unknown") not in (None, _sha256(path)):
            reason = "exists, and was not written by this command or was changed since"
            raise UserError(f"{path}: {reason}; move it away or choose another name")


def announce_files(manifest: Path, paths: Sequence[Path]) -> None:
    """Note that the files are about to appear."""
    known = _check_sums(manifest)
    jsonl.replace_json(manifest, {"sha256": known | {_name(manifest, path): None for path in paths}})


def write_manifest(manifest: Path, paths: Sequence[Path], facts: dict[str, Any]) -> None:
    """Note the files as they now are, and facts about them."""
    known = _check_sums(manifest)
    jsonl.replace_json(
        manifest, facts | {"sha256": known | {_name(manifest, path): _sha256(path) for path in paths}}
    )


def _name(manifest: Path, path: Path) -> str:
    """The file as seen from the manifest: the same wherever the two are moved to together."""
    return os.path.relpath(path.absolute(), manifest.absolute().parent)


def _check_sums(manifest: Path) -> dict[str, str | None]:
    try:
        return dict(json.loads(manifest.read_text(encoding="utf-8"))["sha256"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"is no manifest of this command ({error!r})"
        raise UserError(f"{manifest}: {reason}; move it away or choose another name") from error


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
