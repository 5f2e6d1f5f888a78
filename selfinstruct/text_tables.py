"""Files of records with a text in each, read in a stream and copied in part: JSON Lines, CSV and Parquet.

What is copied stays as it is: the bytes of a line, the columns of a row.
"""

import csv
import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from selfinstruct import jsonl
from selfinstruct.errors import UserError

RECORDS_AT_ONCE = 4096  # at most
_BYTES_AT_ONCE = 1 << 26  # about: large records come a few at a time
_LARGEST_CELL = 1 << 30  # bytes of a CSV cell; Python's own limit is 128 KiB


@dataclass(frozen=True)
class Chunk:
    """Some records in a row: their texts, their line (or row) numbers from 1, and the records themselves."""

    texts: list[str]
    numbers: list[int]
    records: Any  # raw lines, or an arrow record batch
    done: int  # of the table's `size`, up to the end of this chunk


class Writer(Protocol):
    """Takes the wanted records of chunks; `is_wanted` has an entry for each."""

    def write(self, chunk: Chunk, is_wanted: Sequence[bool]) -> None: ...


class Table(Protocol):
    """A file of records."""

    unit: str  # of `size`, for a progress bar

    @property
    def size(self) -> int: ...

    def chunks(self) -> Iterator[Chunk]:
        """The records, a few thousand at a time; UserError at a record that lacks a text."""
        ...

    def copy_to(self, path: Path, stack: ExitStack) -> Writer:
        """A file of the same kind at `path`, whole once `stack` closes."""
        ...


def open_table(path: Path, fields: Sequence[str]) -> Table:
    """A file by its name's end; the text of a record is that of its `fields`, joined by line ends.

    Raises:
        UserError: the file is not there, or of no known kind.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; check the path")
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            return _Jsonl(path, fields)
        case ".csv":
            return _Csv(path, fields, ",")
        case ".tsv":
            return _Csv(path, fields, "\t")
        case ".parquet":
            return _Parquet(path, fields)
    raise UserError(f"{path}: of no known kind; give a .jsonl, .csv, .tsv or .parquet file")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it at the end; gone if anything fails.

    Raises:
        UserError: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.partial")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); choose another place") from error


class _LineWriter:
    def __init__(self, path: Path, stack: ExitStack, header: bytes = b"") -> None:
        temporary = stack.enter_context(replacing(path))
        self._file = stack.enter_context(open(temporary, "wb"))  # noqa: SIM115 - closed by the stack
        self._file.write(header)

    def write(self, chunk: Chunk, is_wanted: Sequence[bool]) -> None:
        self._file.writelines(line for line, wanted in zip(chunk.records, is_wanted, strict=True) if wanted)


class _Lines(ABC):
    """What files of lines share."""

    unit = "B"

    def __init__(self, path: Path, fields: Sequence[str]) -> None:
        self.path, self.fields = path, fields

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def copy_to(self, path: Path, stack: ExitStack) -> Writer:
        return _LineWriter(path, stack)

    def chunks(self) -> Iterator[Chunk]:
        texts: list[str] = []
        numbers: list[int] = []
        lines: list[bytes] = []
        done = before = 0
        for number, text, raw in self._records():
            texts.append(text)
            numbers.append(number)
            lines.append(raw)
            done += len(raw)
            if len(texts) == RECORDS_AT_ONCE or done - before >= _BYTES_AT_ONCE:
                yield Chunk(texts, numbers, lines, done)
                texts, numbers, lines, before = [], [], [], done
        if texts:
            yield Chunk(texts, numbers, lines, self.size)

    @abstractmethod
    def _records(self) -> Iterator[tuple[int, str, bytes]]:
        """(line number, text, raw bytes) of each record."""


class _Jsonl(_Lines):
    def _records(self) -> Iterator[tuple[int, str, bytes]]:
        with open(self.path, "rb") as file:
            lines = enumerate(file, start=1)
            for number, record in jsonl.numbered_records(self.path):
                line = next(line for at, line in lines if at == number)
                values = [record.get(field) for field in self.fields]
                yield number, _text(values, self.fields, f"{self.path}:{number}", list(record)), line


class _Csv(_Lines):
    def __init__(self, path: Path, fields: Sequence[str], delimiter: str) -> None:
        super().__init__(path, fields)
        self._delimiter = delimiter

    def copy_to(self, path: Path, stack: ExitStack) -> Writer:
        return _LineWriter(path, stack, next(self._rows())[2])

    def _records(self) -> Iterator[tuple[int, str, bytes]]:
        rows = self._rows()
        number, names, _ = next(rows)
        missing = [field for field in self.fields if field not in names]
        if missing:
            raise UserError(_no_field(f"{self.path}:{number}", missing[0], names))
        for number, row, raw in rows:
            if len(row) != len(names):
                reason = f"{len(row)} cells under {len(names)} column names; mend the line or its quotes"
                raise UserError(f"{self.path}:{number}: {reason}")
            cells = dict(zip(names, row, strict=True))
            yield number, "\n".join(cells[field] for field in self.fields), raw

    def _rows(self) -> Iterator[tuple[int, list[str], bytes]]:
        """(number of the first line, cells, raw bytes) of the column names and of each row that has cells."""
        csv.field_size_limit(_LARGEST_CELL)
        taken: list[bytes] = []

        def decoded(file: Any) -> Iterator[str]:
            for number, line in enumerate(file, start=1):
                taken.append(line)
                try:
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise UserError(f"{self.path}:{number}: not UTF-8; save the file as UTF-8") from error

        with open(self.path, "rb") as file:
            reader = csv.reader(decoded(file), delimiter=self._delimiter, strict=True)
            first, is_empty = 1, True
            try:
                for row in reader:
                    raw = b"".join(taken)
                    taken.clear()
                    if row:
                        is_empty = False
                        yield first, row, raw
                    first = reader.line_num + 1
            except csv.Error as error:
                reason = f"not valid CSV ({error}); mend its quotes"
                raise UserError(f"{self.path}:{first}: {reason}") from error
            if is_empty:
                raise UserError(f"{self.path}: is empty; its first line must name the columns")


class _Parquet:
    unit = "rows"

    def __init__(self, path: Path, fields: Sequence[str]) -> None:
        import pyarrow
        from pyarrow import parquet

        self.path, self.fields = path, fields
        try:
            self._file = parquet.ParquetFile(path)
        except (pyarrow.ArrowInvalid, OSError) as error:
            raise UserError(f"{path}: cannot be read as Parquet ({error}); check the file") from error
        names = self._file.schema_arrow.names
        missing = [field for field in fields if field not in names]
        if missing:
            raise UserError(_no_field(str(path), missing[0], names))

    @property
    def size(self) -> int:
        return int(self._file.metadata.num_rows)

    def chunks(self) -> Iterator[Chunk]:
        done = 0
        metadata = self._file.metadata
        num_bytes = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        fitting = _BYTES_AT_ONCE * self.size // max(num_bytes, 1)
        for batch in self._file.iter_batches(max(1, min(RECORDS_AT_ONCE, fitting))):
            columns = [batch.column(field).to_pylist() for field in self.fields]
            numbers = list(range(done + 1, done + batch.num_rows + 1))
            texts = [
                _text(values, self.fields, f"{self.path}: row {number}", self.fields)
                for number, values in zip(numbers, zip(*columns, strict=True), strict=True)
            ]
            done += batch.num_rows
            yield Chunk(texts, numbers, batch, done)

    def copy_to(self, path: Path, stack: ExitStack) -> Writer:
        from pyarrow import parquet

        temporary = stack.enter_context(replacing(path))
        return _ParquetWriter(stack.enter_context(parquet.ParquetWriter(temporary, self._file.schema_arrow)))


class _ParquetWriter:
    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write(self, chunk: Chunk, is_wanted: Sequence[bool]) -> None:
        import pyarrow

        self._writer.write_batch(chunk.records.filter(pyarrow.array(is_wanted, pyarrow.bool_())))


def _text(values: Sequence[Any], fields: Sequence[str], where: str, names: Sequence[str]) -> str:
    for field, value in zip(fields, values, strict=True):
        if not isinstance(value, str):
            if field not in names:
                raise UserError(_no_field(where, field, names))
            found = "null" if value is None else type(value).__name__
            raise UserError(f"{where}: {field}: {found} instead of text; mend it or leave the record out")
    return "\n".join(values)


def _no_field(where: str, field: str, names: Sequence[str]) -> str:
    return f'{where}: "{field}" is missing; there are {", ".join(names) or "none"} (field=NAME chooses)'
