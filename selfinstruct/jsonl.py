"""JSON Lines as this project writes and reads it: append, read with line numbers, replace atomically.

Lines end at `\\n` only: U+2028 and U+0085 are legal inside a JSON string, and real files contain them.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from selfinstruct.errors import UserError

Record = dict[str, Any]

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def dumps(record: Any) -> str:
    """One line of JSON: keys in the order given, text unescaped, no NaN."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def numbered_records(path: Path) -> Iterator[tuple[int, Record]]:
    """Yield (line number from 1, object) of each non-blank line.

    Raises:
        UserError: the file is missing, not UTF-8, or a line is not a JSON object (`file:line: reason`).
    """
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _parse(line, path, number)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def finished_records(path: Path) -> Iterator[tuple[int, Record]]:
    """As `numbered_records`, of a file that is being written: without a last line that has no end yet."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, _parse(line, path, number)


def read(path: Path) -> list[Record]:
    """Every object of a JSONL file, in order; see `numbered_records` for the errors."""
    return [record for _, record in numbered_records(path)]


def read_if_there(path: Path) -> list[Record]:
    """As `read`, and an empty list where the file does not exist yet."""
    return read(path) if path.exists() else []


def _parse(line: bytes, path: Path, number: int) -> Record:
    try:
        record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except (ValueError, RecursionError) as error:  # ValueError also for a number of 5,000 digits
        reason = f"not valid JSON ({error}); each line must be one JSON object in UTF-8"
        raise UserError(f"{path}:{number}: {reason}") from error
    if not isinstance(record, dict):
        found = type(record).__name__
        raise UserError(f"{path}:{number}: a {found} instead of a JSON object; each line must be one object")
    if b"\\ud" in line.lower():  # legal in JSON, but nothing can write it as UTF-8 again
        for field, value in record.items():
            if broken := _LONE_SURROGATE.search(dumps(value)):
                reason = f"holds half of a character (\\u{ord(broken.group()):x}); delete it"
                raise UserError(f"{path}:{number}: {field}: {reason}")
    return record


class Appender:
    """Appends records to a JSONL file, each flushed to the operating system as it is complete.

    A last line torn by a kill (without its newline) is cut off on opening: it was never complete.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        cut_torn_last_line(path)
        self._file: IO[bytes] = open(path, "ab", buffering=0)  # noqa: SIM115 - lives as long as the appender

    def write(self, record: Record) -> None:
        line = f"{dumps(record)}\n".encode()
        # A disk that is nearly full takes a part of a line and says so only by the count.
        while (written := self._file.write(line)) < len(line):
            line = line[written:]

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "Appender":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def cut_torn_last_line(path: Path) -> None:
    """Cut off what stands after the last newline: a record that a kill left unfinished."""
    if not path.exists():
        return
    with open(path, "rb+") as file:
        end = file.seek(0, os.SEEK_END)
        position = end
        while position > 0:
            start = max(0, position - 65536)
            file.seek(start)
            newline = file.read(position - start).rfind(b"\n")
            if newline >= 0:
                position = start + newline + 1
                break
            position = start
        if position < end:
            file.truncate(position)


def replace_text(path: Path, text: str) -> None:
    """Write a whole file under a temporary name, then rename: a reader sees the old file or the new one."""
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, content: bytes) -> None:
    """As `replace_text`, for a file that is not text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def replace(path: Path, records: Iterable[Record]) -> None:
    """Write a whole JSONL file atomically."""
    replace_text(path, "".join(f"{dumps(record)}\n" for record in records))


def replace_json(path: Path, value: Any) -> None:
    """Write one indented JSON document atomically."""
    replace_text(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
