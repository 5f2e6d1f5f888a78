"""Files that a command may write again: those that it wrote itself and nobody has changed since.

A manifest beside them holds their check sums. While files are being exchanged it holds none, so that a run
killed between two of them can be started again.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.errors import UserError


def refuse_foreign_files(manifest: Path, paths: Sequence[Path]) -> None:
    """Raise UserError if one of the files exists and is not as the manifest says that it was written."""
    known = _check_sums(manifest)
    for path in paths:
        if path.is_file() and known.get(path.name, "unknown") not in (None, _sha256(path)):
            reason = "exists, and was not written by this command or was changed since"
            raise UserError(f"{path}: {reason}; move it away or choose another name")


def announce_files(manifest: Path, paths: Sequence[Path]) -> None:
    """Note that the files are about to appear."""
    known = _check_sums(manifest)
    jsonl.replace_json(manifest, {"sha256": known | {path.name: None for path in paths}})


def write_manifest(manifest: Path, paths: Sequence[Path], facts: dict[str, Any]) -> None:
    """Note the files as they now are, and facts about them."""
    known = _check_sums(manifest)
    jsonl.replace_json(manifest, facts | {"sha256": known | {path.name: _sha256(path) for path in paths}})


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
