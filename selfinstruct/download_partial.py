"""A file on its way: it grows under another name, and is renamed when it is whole and what it should be."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.public_files import PublicFile
from selfinstruct.settings import file_digest

CHUNK_BYTES = 2**14  # what a broken connection can cost at most


class PartialFile:
    """A file on its way: what has arrived, and beside it of which version that is."""

    def __init__(self, path: Path) -> None:
        self._final = path
        self.path = path.with_name(f".{path.name}.partial")
        self._state_path = path.with_name(f".{path.name}.partial.json")

    def read_state(self) -> dict[str, Any]:
        """Where the bytes are from: location, validator, size; empty if nobody knows."""
        with suppress(OSError, ValueError):
            state = json.loads(self._state_path.read_text(encoding="utf-8"))
            if isinstance(state, dict):
                return state
        return {}

    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, location: str) -> tuple[int, dict[str, Any]]:
        """How many bytes can be built on, and their state; (0, {}) where none can."""
        state = self.read_state()
        # Without the server's mark nobody can say that the rest would belong to the same version.
        if state.get("location") == location and state.get("validator") and self.size():
            return self.size(), state
        return 0, {}

    def begin(self, location: str, validator: str | None, size: int | None) -> None:
        """Forget what was there, and note of which version the next bytes are."""
        self.discard()
        jsonl.replace_json(self._state_path, {"location": location, "validator": validator, "size": size})

    def discard(self) -> None:
        """Remove all of it."""
        self.path.unlink(missing_ok=True)
        self._state_path.unlink(missing_ok=True)
        with suppress(OSError):  # up to the first folder that holds something
            for folder in self.path.parents:
                folder.rmdir()

    def finish(self) -> None:
        """Make it the file."""
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())
        os.replace(self.path, self._final)
        self._state_path.unlink(missing_ok=True)


def copy_file(source: Path, partial: PartialFile, file: PublicFile) -> None:
    """Copy from a folder.

    Raises:
        UserError: it is not there, not the file wanted, or changes while it is read.
    """
    if not source.is_file():
        raise UserError(f"{source}: not there; check source, or leave {file.group} out of what")
    partial.begin(str(source), None, None)
    with open(source, "rb") as original, open(partial.path, "wb") as copy:
        shutil.copyfileobj(original, copy, CHUNK_BYTES)
    if file_digest(partial.path) != file_digest(source):
        partial.discard()
        raise UserError(f"{source}: changed while it was copied; start again with the same words")
    if (reason := not_as_known(partial, file)) is not None:
        partial.discard()
        raise UserError(f"{source}: {reason}")


def not_as_known(partial: PartialFile, file: PublicFile) -> str | None:
    """Why what has arrived cannot be the file, by the size and digest known of it; None if it can."""
    if file.size is not None and partial.size() != file.size:
        return f"holds {partial.size():,} bytes, not {file.size:,}"
    if file.sha256 is not None and (digest := file_digest(partial.path)) != file.sha256:
        return f"is another file than expected (sha256 {digest}, not {file.sha256})"
    return None
