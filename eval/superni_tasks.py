"""Reads the task files and splits of the natural-instructions format as flat `Sample` records.

python scripts/eval_superni.py superni_dir=natural-instructions predictions=predictions.jsonl
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct.errors import UserError
from selfinstruct.natural_instructions import kind_of, read_task_file

OFFICIAL_INSTANCES = 100  # the test set is the first 100 instances of each task


@dataclass(frozen=True)
class Sample:
    """One test instance: the task's definition, the input (may be empty), and all acceptable outputs."""

    id: str
    task: str
    category: str
    track: str
    definition: str
    input: str
    references: tuple[str, ...]
    examples: tuple[tuple[str, str], ...] = ()  # (input, output) that a few-shot prompt shows

    @property
    def category_key(self) -> str:
        """The category in lower case, words joined by `_` (the official scripts' key)."""
        return "_".join(self.category.lower().split())


def read_split(folder: Path, track: str) -> list[str]:
    """The names of a split's test tasks, in file order; lines may carry trailing blanks.

    Raises:
        UserError: the file is missing, empty, or names a task twice (`file:line: reason`).
    """
    path = folder / "splits" / track / "test_tasks.txt"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        layout = "a benchmark folder holds tasks/ and splits/default/test_tasks.txt"
        if others := sorted(each.parent.name for each in folder.glob("splits/*/test_tasks.txt")):
            layout = f"there is a split of another track: give track={others[0]}"
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError(f"{path}: cannot be read ({reason}); {layout}") from error
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        name = line.strip()
        if not name:
            continue
        if "/" in name or "\\" in name:
            raise UserError(f"{path}:{number}: {name!r} is not the name of a task; one name a line")
        if name in lines:
            raise UserError(f"{path}:{number}: names {name} again (first in line {lines[name]}); remove one")
        lines[name] = number
    if not lines:
        raise UserError(f"{path}: names no task; it must hold one task name a line")
    return list(lines)


@dataclass(frozen=True)
class TaskFile:
    """One task file's samples, the ids of the instances behind them, and how many of those are of its test
    set (the first 100)."""

    samples: tuple[Sample, ...]
    left_out: tuple[str, ...]
    num_left_out_of_test: int


def read_task(path: Path, name: str, track: str, max_instances: int, num_examples: int = 0) -> TaskFile:
    """The first instances of one task file; of what lies behind them, only ids are looked at.

    Raises:
        UserError: `file: field: reason`; fewer positive examples than `num_examples`.
    """
    task = read_task_file(path)
    definition = _first_text(task, "Definition", path)
    category = _first_text(task, "Categories", path)
    instances = task.get("Instances")
    if not isinstance(instances, list):
        raise UserError(f"{path}: Instances: {kind_of(instances)} instead of a list of {{id, input, output}}")
    if not instances:
        raise UserError(f"{path}: Instances: the list is empty; a task needs at least one instance")
    examples = _examples(task, num_examples, path)
    samples = []
    for position, instance in enumerate(instances[:max_instances]):
        where = f"{path}: Instances[{position}]"
        if not isinstance(instance, dict):
            raise UserError(f"{where}: {kind_of(instance)} instead of an object {{id, input, output}}")
        samples.append(
            Sample(
                id=_instance_id(instance, where),
                task=name,
                category=category,
                track=track,
                definition=definition,
                input=_text(instance.get("input"), f"{where}.input"),
                references=_references(instance.get("output"), f"{where}.output"),
                examples=examples,
            )
        )
    behind = instances[max_instances:]
    left_out = (str(each.get("id")) if isinstance(each, dict) else "" for each in behind)
    return TaskFile(tuple(samples), tuple(left_out), len(instances[max_instances:OFFICIAL_INSTANCES]))


def _instance_id(instance: dict[str, Any], where: str) -> str:
    if "id" not in instance:
        advice = "old drafts of the format have none; get the current task files"
        raise UserError(f"{where}.id: nothing instead of text; {advice}")
    return _text(instance["id"], f"{where}.id", may_be_empty=False)


def _examples(task: dict[str, Any], how_many: int, path: Path) -> tuple[tuple[str, str], ...]:
    if not how_many:
        return ()
    given = task.get("Positive Examples")
    if not isinstance(given, list) or len(given) < how_many:
        count = len(given) if isinstance(given, list) else 0
        raise UserError(f"{path}: Positive Examples: {count} there, num_examples={how_many}; lower it")
    examples = []
    for position, example in enumerate(given[:how_many]):
        where = f"{path}: Positive Examples[{position}]"
        if not isinstance(example, dict):
            raise UserError(f"{where}: {kind_of(example)} instead of an object {{input, output}}")
        pair = (_text(example.get(field), f"{where}.{field}") for field in ("input", "output"))
        examples.append((next(pair), next(pair)))
    return tuple(examples)


def _first_text(task: dict[str, Any], field: str, path: Path) -> str:
    values = task.get(field)
    if isinstance(values, str):
        advice = "this is an old draft of the format; get the current task files"
        raise UserError(f"{path}: {field}: text instead of a list of texts; {advice}")
    if not isinstance(values, list):
        raise UserError(f"{path}: {field}: {kind_of(values)} instead of a list of texts")
    if not values:
        raise UserError(f"{path}: {field}: the list is empty; its first text is used")
    return _text(values[0], f"{path}: {field}[0]", may_be_empty=False)


def _references(values: Any, where: str) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise UserError(f"{where}: {kind_of(values)} instead of a list of acceptable outputs")
    if not values:
        raise UserError(f"{where}: the list is empty; an instance needs at least one reference")
    return tuple(_text(value, f"{where}[{position}]") for position, value in enumerate(values))


def _text(value: Any, where: str, may_be_empty: bool = True) -> str:
    if not isinstance(value, str):
        raise UserError(f"{where}: {kind_of(value)} instead of text")
    if not may_be_empty and not value.strip():
        raise UserError(f"{where}: empty; it must hold text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{where}: holds half of a character (a lone surrogate at {error.start})") from error
    return value
