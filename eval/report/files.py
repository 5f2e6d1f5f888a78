"""Reads the files of runs; what is torn, or written by another version, is refused with its name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.errors import UserError


def read_json(path: Path, *names: str) -> dict[str, Any] | None:
    """A JSON object that has these fields ("a.b": b inside a); None where the file is not there.

    Raises:
        UserError: it cannot be read as one, or lacks a field.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read ({error}); make it anew by its command") from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: not a JSON object; make it anew by its command")
    require(found, str(path), names)
    return found


def read_lines(path: Path, *names: str) -> list[jsonl.Record]:
    """The lines of a JSONL file, each with these fields; empty where the file is not there.

    Raises:
        UserError: a line is none, or lacks a field.
    """
    if not path.exists():
        return []
    records = []
    for number, record in jsonl.numbered_records(path):
        require(record, f"{path}:{number}", names)
        records.append(record)
    return records


def require(record: Mapping[str, Any], where: str, names: tuple[str, ...]) -> None:
    """Raises UserError where one of the fields is missing."""
    for name in names:
        found: Any = record
        for key in name.split("."):
            if not isinstance(found, Mapping) or key not in found:
                advice = "made by another version, or not its file: make it anew by its command"
                raise UserError(f"{where}: holds no {name!r}; {advice}")
            found = found[key]
