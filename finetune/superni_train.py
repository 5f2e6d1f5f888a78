"""The training split of a clone of natural-instructions: as many instances of each task, drawn by the seed.

The paper's comparison models are tuned on 50k instances of SuperNI's training tasks (section 5.1). Test tasks
are never among them: a split that mixes the two is refused.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selfinstruct.errors import UserError
from selfinstruct.natural_instructions import read_task_file
from selfinstruct.settings import digest, file_digest

SPLIT = Path("splits/default")
Instance = tuple[str, str, str]  # instruction (the task's definition), input, output


def is_superni_folder(folder: Path) -> bool:
    """Whether a folder has the layout of natural-instructions with a training split."""
    return (folder / SPLIT / "train_tasks.txt").is_file()


def describe(folder: Path) -> str:
    """How much of the split is there: tasks found, of those it names."""
    named = _names(folder / SPLIT / "train_tasks.txt")
    return f"{len(_training_files(folder))} of the {len(named)} tasks of its training split"


def training_digest(folder: Path) -> str:
    """sha256 (hex) over the names and bytes of the training tasks that are there."""
    return digest([[path.name, file_digest(path)] for path in _training_files(folder)])


def sample_instances(folder: Path, sample: int | None, seed: int) -> tuple[int, list[tuple[str, Instance]]]:
    """(number of instances in the split, those drawn with their places); `sample` null takes all.

    Each task gives the same number, or all it has where that is fewer; of an instance's acceptable outputs
    one is drawn. A task's order depends on the seed and its name alone: a larger sample holds a smaller one.

    Raises:
        UserError: a task file is broken (`file: field: reason`), or the split holds fewer instances.
    """
    files = _training_files(folder)
    sizes = [len(_instances(read_task_file(path), path)) for path in files]
    total = sum(sizes)
    if sample is not None and sample > total:
        raise UserError(f"{folder}: sample={sample} is more than the {total} instances of its training split")
    quotas = equal_quotas(sizes, total if sample is None else sample)
    drawn: list[tuple[str, Instance]] = []
    for path, quota in zip(files, quotas, strict=True):
        drawn.extend(_draw(path, quota, seed))
    return total, drawn


def equal_quotas(sizes: list[int], total: int) -> list[int]:
    """`total` (at most the sum of the sizes) shared out: equal parts, none larger than its size.

    What does not go round goes to the first tasks that still have some.
    """
    quotas = [0] * len(sizes)
    left = total
    while left:
        open_tasks = [number for number, size in enumerate(sizes) if quotas[number] < size]
        part = max(1, left // len(open_tasks))
        for number in open_tasks:
            more = min(part, sizes[number] - quotas[number], left)
            quotas[number] += more
            left -= more
    return quotas


def _draw(path: Path, quota: int, seed: int) -> Iterator[tuple[str, Instance]]:
    task = read_task_file(path)
    definition = _definition(task, path)
    instances = _instances(task, path)
    order = list(range(len(instances)))
    random.Random(f"{seed}:superni:{path.stem}").shuffle(order)
    for position in order[:quota]:
        where = f"{path}: Instances[{position}]"
        given, outputs = _checked(instances[position], where)
        output = random.Random(f"{seed}:superni:{path.stem}:{position}").choice(outputs)
        yield where, (definition, given, output)


def _training_files(folder: Path) -> list[Path]:
    names = _names(folder / SPLIT / "train_tasks.txt")
    tests = folder / SPLIT / "test_tasks.txt"
    if shared := sorted(set(names) & set(_names(tests) if tests.is_file() else ())):
        reason = f"names {shared[0]}, which is a test task too"
        raise UserError(f"{folder / SPLIT / 'train_tasks.txt'}: {reason}; get the official splits")
    files = [folder / "tasks" / f"{name}.json" for name in names]
    found = [path for path in files if path.is_file()]
    if not found:
        raise UserError(f"{folder}: none of the {len(names)} tasks of its training split is there")
    return found


def _names(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError(f"{path}: cannot be read ({reason}); get the official splits") from error
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))  # lines may end in blanks


def _definition(task: dict[str, Any], path: Path) -> str:
    texts = task.get("Definition")
    if not (isinstance(texts, list) and texts and isinstance(texts[0], str) and texts[0].strip()):
        advice = "an old draft of the format has a single text; get the current task files"
        raise UserError(f"{path}: Definition: must be a list that begins with a text; {advice}")
    return texts[0]


def _instances(task: dict[str, Any], path: Path) -> list[Any]:
    instances = task.get("Instances")
    if not isinstance(instances, list) or not instances:
        raise UserError(f"{path}: Instances: must be a list of at least one {{input, output}}")
    return instances


def _checked(instance: Any, where: str) -> tuple[str, list[str]]:
    if not isinstance(instance, dict) or not isinstance(instance.get("input"), str):
        raise UserError(f"{where}: must be an object with input (text) and output (a list of texts)")
    outputs = instance.get("output")
    if not isinstance(outputs, list) or not outputs or not all(isinstance(text, str) for text in outputs):
        raise UserError(f"{where}.output: must be a list of at least one text")
    return instance["input"], outputs
