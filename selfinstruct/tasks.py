"""The records that flow through the project, from a person's seed task to a line of training data."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.errors import UserError


@dataclass(frozen=True)
class Instance:
    """An (input, output) pair of a task; the input may be empty (paper, section 2.1)."""

    input: str
    output: str


@dataclass(frozen=True)
class SeedTask:
    """A human-written task with at least one instance (paper, section 2.2)."""

    id: str
    name: str
    instruction: str
    instances: tuple[Instance, ...]
    is_classification: bool


@dataclass(frozen=True)
class TrainingExample:
    """A finetuning pair and what it was made of (paper, section 2.3)."""

    prompt: str
    completion: str
    instruction: str
    input: str
    output: str
    source: str


def read_seed_tasks(path: Path) -> list[SeedTask]:
    """Read a seed file (a JSON object a line, the released format).

    Raises:
        UserError: `file:line: field: reason` for the first line that is not a seed task or has the id of an
            earlier one, or an empty file.
    """
    tasks: list[SeedTask] = []
    line_by_id: dict[str, int] = {}
    for number, record in jsonl.numbered_records(path):
        task = _seed_task(record, f"{path}:{number}")
        if line_by_id.setdefault(task.id, number) != number:
            reason = f"{task.id!r} is also in line {line_by_id[task.id]}"
            raise UserError(f'{path}:{number}: "id": {reason}; give each seed task an id of its own')
        tasks.append(task)
    if not tasks:
        raise UserError(
            f"{path}: holds no seed task; give at least one line with an instruction and instances"
        )
    return tasks


def _seed_task(record: dict[str, Any], where: str) -> SeedTask:
    for field, kind in (("instruction", str), ("instances", list), ("is_classification", bool)):
        if field not in record:
            raise UserError(f'{where}: "{field}" is missing (a seed task needs {field}: {kind.__name__})')
        if not isinstance(record[field], kind):
            found = type(record[field]).__name__
            raise UserError(f'{where}: "{field}" is a {found}; it must be a {kind.__name__}')
    if not record["instruction"].strip():
        raise UserError(f'{where}: "instruction" is empty; write what the task asks for')
    instances = tuple(_instances(record["instances"], where))
    if not instances:
        raise UserError(
            f'{where}: "instances" is empty (each seed task needs at least one {{input, output}})'
        )
    return SeedTask(
        id=str(record.get("id", where)),
        name=str(record.get("name", "")),
        instruction=record["instruction"],
        instances=instances,
        is_classification=record["is_classification"],
    )


def _instances(records: list[Any], where: str) -> Iterator[Instance]:
    for position, record in enumerate(records):
        if not (
            isinstance(record, dict)
            and isinstance(record.get("input"), str)
            and isinstance(record.get("output"), str)
        ):
            place = f'{where}: "instances"[{position}]'
            raise UserError(
                f"{place} must be an object with input and output, both text (input may be empty)"
            )
        yield Instance(record["input"], record["output"])
