"""The texts of training data in any form that phase 2 reads, for the comparison with evaluation tasks.

python scripts/eval_superni.py predictions=predictions.jsonl training_data=runs/mine
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.finetuning_data import TRAIN
from selfinstruct.settings import digest, file_digest

_NEEDED = "a row needs {prompt, completion}, {instruction, input, output} or {messages}"


@dataclass(frozen=True)
class TrainingText:
    """What a row of training data shows a model.

    Attributes:
        where: file and line (or record).
        instructions: the task's words; of a prompt, each way in which it may begin with them.
        inputs: the input; of a prompt, what follows each of those.
        parts: each text of the row, the answer included.
    """

    where: str
    instructions: tuple[str, ...]
    inputs: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True)
class TrainingData:
    """All rows, and what they were read from."""

    name: str
    sha256: str
    texts: tuple[TrainingText, ...]


def read_training_data(path: Path) -> TrainingData:
    """Read a JSONL, JSON or Parquet file, or what a run folder of generate.py or finetune/train.py used.

    Raises:
        UserError: no such file, a folder of another kind, or a row without text (`file:line: reason`).
    """
    files = _files_of_run(path) if path.is_dir() else [path]
    texts = tuple(
        _text(record, f"{file}:{number}") for file in files for number, record in _numbered_records(file)
    )
    if not texts:
        raise UserError(f"training_data: {path} holds no example; {_NEEDED}")
    sha256 = file_digest(files[0]) if len(files) == 1 else digest([file_digest(file) for file in files])
    return TrainingData(path.name, sha256, texts)


def _files_of_run(folder: Path) -> list[Path]:
    if (folder / TRAIN).is_file():
        return [folder / TRAIN]
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        given = manifest["config"]["data"] if manifest["command"] == "train" else None
    except (OSError, ValueError, KeyError, TypeError):
        given = None
    if given is None:
        advice = "give a file, or a run folder of scripts/generate.py or finetune/train.py"
        raise UserError(f"training_data: {folder} holds no {TRAIN} and is no run of train.py; {advice}")
    sources = [given] if isinstance(given, str | dict) else given
    return [Path(source["path"] if isinstance(source, dict) else source) for source in sources]


def _numbered_records(path: Path) -> Iterator[tuple[int, Any]]:
    match path.suffix:
        case ".parquet":
            yield from enumerate(_parquet_records(path), start=1)
        case ".json":
            yield from enumerate(_json_list(path), start=1)
        case _:
            yield from jsonl.numbered_records(path)


def _parquet_records(path: Path) -> Iterator[Any]:
    import pyarrow
    from pyarrow import parquet

    try:
        for batch in parquet.ParquetFile(path).iter_batches():
            yield from batch.to_pylist()
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: cannot be read as Parquet ({error}); check the file") from error


def _json_list(path: Path) -> list[Any]:
    try:
        records = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error}); give a list of objects") from error
    if not isinstance(records, list):
        raise UserError(f"{path}: a {type(records).__name__} instead of a list of objects; {_NEEDED}")
    return records


def _text(record: Any, where: str) -> TrainingText:
    if isinstance(record, dict):
        if isinstance(instruction := record.get("instruction"), str):
            given, output = record.get("input"), record.get("output")
            parts = tuple(text for text in (instruction, given, output) if isinstance(text, str))
            return TrainingText(where, (instruction,), (given,) if isinstance(given, str) else (), parts)
        if isinstance(prompt := record.get("prompt"), str):
            completion = record.get("completion")
            parts = (prompt, completion) if isinstance(completion, str) else (prompt,)
            return TrainingText(where, *_taken_apart(prompt), parts)
        if isinstance(messages := record.get("messages"), list):
            said = [(each.get("role"), each.get("content")) for each in messages if isinstance(each, dict)]
            texts = [(role, text) for role, text in said if isinstance(text, str)]
            if asked := [text for role, text in texts if role == "user"]:
                return TrainingText(where, *_taken_apart(asked[0]), tuple(text for _, text in texts))
    raise UserError(f"{where}: no text to compare; {_NEEDED}")


# The words around instruction and input in the prompts of stage 4, of evaluation, and in the usual templates.
_HEAD = re.compile(r"\A\s*(?:#+ *)?(?:task|definition|instruction)\s*:\s*", re.IGNORECASE)
_TAIL = re.compile(r"\s*(?:#+ *)?(?:output|response|answer)\s*:\s*\Z", re.IGNORECASE)
_INPUT = re.compile(r"\s*^(?:#+ *)?input\s*:\s*", re.IGNORECASE | re.MULTILINE)
_BLANK_LINES, _LINE_END = re.compile(r"\n\s*\n"), re.compile(r"\n")


def _taken_apart(prompt: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The instructions and inputs that a prompt may be made of: a row means the same in every form.

    Split where an input is announced, else at each blank line, else at each line end. The whole is among
    both: of a prompt without a mark nobody knows what it is.
    """
    words = _TAIL.sub("", _HEAD.sub("", prompt)).strip()
    for mark in (_INPUT, _BLANK_LINES, _LINE_END):
        if found := list(mark.finditer(words)):
            before = (words[: each.start()].strip() for each in found)
            after = (words[each.end() :].strip() for each in found)
            return (words, *before), (words, *after)
    return (words,), (words,)
