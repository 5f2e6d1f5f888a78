"""Training data as it comes: files, SuperNI folders and hub datasets, read, checked, sampled and repeated.

A file (JSONL, JSON list or Parquet) or hub dataset holds rows of `{prompt, completion}`, `{instruction,
input, output}` or `{messages}`; a row may hold several of them, and the template says which is used
(`finetune.examples.render`).
"""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finetune.config import DataSource
from finetune.hub import hub_digest, hub_records, is_hub_id
from finetune.superni_train import describe, is_superni_folder, sample_instances, training_digest
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.settings import file_digest

NEEDED = "a row needs {prompt, completion}, {instruction, input, output} or {messages}"


@dataclass(frozen=True)
class Row:
    """A line of training data, checked; `where` is file:line."""

    where: str
    pair: tuple[str, str] | None  # prompt, completion
    instance: tuple[str, str, str] | None  # instruction, input, output
    messages: list[dict[str, str]] | None
    input: str = ""  # where it is no instance: the part of its prompt that may be shortened


@dataclass(frozen=True)
class LoadedSource:
    """A source's rows, sampled and repeated as asked for."""

    path: str
    sha256: str
    num_read: int
    rows: list[Row]
    note: str = ""  # how much of a SuperNI folder was there
    weight: float = 1.0  # how often each row comes, on average


def load_sources(sources: Sequence[DataSource], seed: int, data_size: int | None) -> list[LoadedSource]:
    """Every source as `load_source` reads it; with `data_size` only the rows of so many instructions."""
    loaded = [load_source(source, seed) for source in sources]
    return loaded if data_size is None else _of_instructions(loaded, data_size, seed)


def load_source(source: DataSource, seed: int) -> LoadedSource:
    """Read a source, draw `sample` of its rows, and repeat them so that each comes `weight` times on average.

    Of a SuperNI folder every task gives as many instances as the others, as far as it has them.

    Raises:
        UserError: `file:line: field: reason` for the first bad row; no row; a sample larger than the source.
    """
    note = ""
    if is_superni_folder(Path(source.path)):
        note = describe(Path(source.path))
        num_read, instances = sample_instances(Path(source.path), source.sample, seed)
        rows = [Row(where, None, instance, None) for where, instance in instances]
    else:
        read = [_row(_renamed(record, source, where), where) for where, record in _records(source)]
        if not read:
            raise UserError(f"{source.path}: holds no example; {NEEDED}")
        num_read, rows = len(read), _sample(read, source, seed)
    repeats, rest = divmod(round(source.weight * len(rows)), len(rows))
    rows = rows * repeats + random.Random(f"{seed}:weight").sample(rows, rest)
    return LoadedSource(source.path, source_digest(source), num_read, rows, note, source.weight)


def source_digest(source: DataSource) -> str:
    """sha256 of a file's bytes, of a SuperNI folder's training tasks, or of a hub dataset's rows.

    Raises:
        UserError: it cannot be read.
    """
    if not is_hub_id(source.path):
        of_hub = {"subset": source.subset, "revision": source.revision}
        of_hub |= {"split": source.split} if source.split != "train" else {}
        for key, value in of_hub.items():
            if value is not None:
                raise UserError(f"data: {source.path}: {key}={value} is for hub datasets; drop it")
    if is_superni_folder(Path(source.path)):
        return training_digest(Path(source.path))
    return hub_digest(source) if is_hub_id(source.path) else file_digest(_file(source))


def _file(source: DataSource) -> Path:
    path = Path(source.path)
    if path.is_dir():
        advice = "give one JSONL, JSON or Parquet file, or a clone of natural-instructions"
        raise UserError(f"data: {path} is a folder without splits/default/train_tasks.txt; {advice}")
    if path.suffix in (".csv", ".tsv"):
        convert = "pandas.read_csv(FILE).to_json('train.jsonl', orient='records', lines=True)"
        raise UserError(f"data: {path}: JSONL, JSON lists and Parquet are read, not {path.suffix}; {convert}")
    return path


def _sample(read: list[Row], source: DataSource, seed: int) -> list[Row]:
    if source.sample is None:
        return read
    if source.sample > len(read):
        reason = f"sample={source.sample} is more than its {len(read)} examples"
        raise UserError(f"{source.path}: {reason}; lower it, or give sample=null for all of them")
    return random.Random(f"{seed}:sample").sample(read, source.sample)


def _of_instructions(loaded: list[LoadedSource], data_size: int, seed: int) -> list[LoadedSource]:
    """The rows of the first `data_size` instructions in a seeded order: a larger subset holds a smaller one.

    Instructions are counted, not instances (paper, data size). The order is that of all sources together.
    """
    instructions: dict[str, None] = {}
    for row in (row for source in loaded for row in source.rows):
        if row.instance is None:
            reason = f"data_size={data_size} counts instructions, and this row names none"
            raise UserError(f"{row.where}: {reason}; give data of {{instruction, input, output}}")
        instructions[row.instance[0].strip()] = None
    order = list(instructions)
    if data_size > len(order):
        raise UserError(f"data_size={data_size}: the data holds {len(order)} instructions; lower it")
    random.Random(f"{seed}:data_size").shuffle(order)
    chosen = set(order[:data_size])
    return [
        replace(
            source, rows=[row for row in source.rows if row.instance and row.instance[0].strip() in chosen]
        )
        for source in loaded
    ]


def _records(source: DataSource) -> Iterable[tuple[str, dict[str, Any]]]:
    if is_hub_id(source.path):
        return hub_records(source)
    path = _file(source)
    if path.suffix == ".parquet":
        return _parquet_records(path)
    if path.suffix == ".json" and _starts_a_list(path):
        return _json_list_records(path)
    return ((f"{path}:{number}", record) for number, record in jsonl.numbered_records(path))


def _starts_a_list(path: Path) -> bool:
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return file.read(4096).lstrip().startswith("[")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def _json_list_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        records = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        place = f"{path}:{error.lineno}" if isinstance(error, json.JSONDecodeError) else str(path)
        raise UserError(f"{place}: not valid JSON ({error}); give a list of objects in UTF-8") from error
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise UserError(f"{path}: record {number}: a {type(record).__name__}; {NEEDED}")
        yield f"{path}: record {number}", record


def _parquet_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        advice = "copy it again, whole, or write it anew"
        raise UserError(f"{path}: cannot be read as Parquet ({error}); {advice}") from error
    for number, record in enumerate(table.to_pylist(), start=1):
        yield f"{path}: record {number}", record


def _renamed(record: dict[str, Any], source: DataSource, where: str) -> dict[str, Any]:
    for theirs in source.fields.values():
        if theirs not in record:
            found = ", ".join(record)
            raise UserError(f"{where}: has no {theirs!r}, which `fields` of its source names; it has {found}")
    return record | {ours: record[theirs] for ours, theirs in source.fields.items()}


def _row(record: dict[str, Any], where: str) -> Row:
    pair = instance = messages = None
    if "prompt" in record and "completion" in record:
        pair = (_text(record, "prompt", where), _text(record, "completion", where, may_be_empty=True))
    if "instruction" in record and "output" in record:
        given = _text(record | {"input": record.get("input") or ""}, "input", where, may_be_empty=True)
        output = _text(record, "output", where, may_be_empty=True)
        instance = (_text(record, "instruction", where), given, output)
    if "messages" in record:
        messages = _messages(record["messages"], where)
    if pair is None and instance is None and messages is None:
        partners = [("prompt", "completion"), ("completion", "prompt")]
        partners += [("instruction", "output"), ("output", "instruction")]
        missing = next((missing for there, missing in partners if there in record), "prompt")
        raise UserError(f'{where}: "{missing}" is missing ({NEEDED})')
    shortened = record.get("input")
    return Row(where, pair, instance, messages, shortened.strip() if isinstance(shortened, str) else "")


def _text(record: dict[str, Any], field: str, where: str, may_be_empty: bool = False) -> str:
    value = record[field]
    if not isinstance(value, str):
        raise UserError(f'{where}: "{field}" is a {type(value).__name__}; it must be text')
    if not may_be_empty and not value.strip():
        raise UserError(f'{where}: "{field}" is empty; the model needs something to answer')
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UserError(f'{where}: "{field}" holds half of a character; delete it') from error
    return value


def _messages(value: Any, where: str) -> list[dict[str, str]]:
    if not isinstance(value, list) or len(value) < 2:
        raise UserError(f'{where}: "messages" must be a list of at least two turns of {{role, content}}')
    for position, turn in enumerate(value):
        if not (
            isinstance(turn, dict)
            and isinstance(turn.get("role"), str)
            and isinstance(turn.get("content"), str)
        ):
            raise UserError(f'{where}: "messages"[{position}] must be {{role, content}}, both text')
    if value[-1]["role"] != "assistant":
        raise UserError(f'{where}: "messages" must end with the assistant\'s turn, which is what is learnt')
    return [{"role": turn["role"], "content": turn["content"]} for turn in value]
