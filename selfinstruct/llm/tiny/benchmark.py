"""The benchmark LittleWorld: held-out tasks of the little world as files in the natural-instructions format.

`python -m selfinstruct.llm.tiny.benchmark` writes `eval/data/littleworld` again; the bytes do not change.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from selfinstruct.llm.tiny.definitions import DEFINITIONS
from selfinstruct.llm.tiny.wording import name_types
from selfinstruct.llm.tiny.world import HELD_OUT, Task, find_task, write_instance

FOLDER = Path(__file__).parents[3] / "eval" / "data" / "littleworld"
INSTANCES_PER_TASK = 50
SEED = 20


def benchmark_tasks() -> list[Task]:
    """The held-out tasks, in the order of their numbers."""
    return [find_task(operation, word_type) for operation, types in HELD_OUT.items() for word_type in types]


def definition_of(task: Task) -> str:
    """The definition of a benchmark task."""
    return name_types(DEFINITIONS[task.operation], task.word_type)


def _draw_distinct(task: Task, how_many: int) -> list[tuple[str, str]]:
    """Instances with different inputs; the labels of a classification task take turns, in random order."""
    rng = Random(f"{SEED}:benchmark:{task.name}")
    labels = (
        [task.labels[i % len(task.labels)] for i in range(how_many)] if task.labels else [None] * how_many
    )
    rng.shuffle(labels)
    drawn: dict[str, str] = {}
    for label in labels:
        text, output = write_instance(task, rng, label)
        while text in drawn:
            text, output = write_instance(task, rng, label)
        drawn[text] = output
    return list(drawn.items())


@cache
def benchmark_pairs() -> frozenset[tuple[str, str]]:
    """Every (input, output) of the benchmark, its shown examples among them."""
    return frozenset(
        pair for task in benchmark_tasks() for pair in _draw_distinct(task, INSTANCES_PER_TASK + 2)
    )


def task_file(number: int, task: Task) -> dict[str, Any]:
    """The content of a task file; every value is a list."""
    name = f"lw{number:03d}"
    shown, *rest = [
        _draw_distinct(task, INSTANCES_PER_TASK + 2)[cut] for cut in (slice(0, 2), slice(2, None))
    ]
    explanation = (
        f"This is the right answer by the rules of the little world ({task.operation.replace('_', ' ')})."
    )
    return {
        "Contributors": ["The authors of this repository"],
        "Source": ["littleworld"],
        "URL": ["selfinstruct/llm/tiny/benchmark.py"],
        "Categories": [task.category],
        "Reasoning": [],
        "Definition": [definition_of(task)],
        "Input_language": ["English"],
        "Output_language": ["English"],
        "Instruction_language": ["English"],
        "Domains": ["Little world"],
        "Positive Examples": [
            {"input": text, "output": output, "explanation": explanation} for text, output in shown
        ],
        "Negative Examples": [],
        "Instances": [
            {
                "id": f"{name}-{hashlib.md5(f'{task.name}:{text}'.encode()).hexdigest()}",
                "input": text,
                "output": [output],
            }
            for text, output in rest[0]
        ],
        "Instance License": ["The license of this repository"],
    }


_README = """# LittleWorld

A benchmark of our own for the embedded model (`llm=tiny`), in the file format of
Super-NaturalInstructions. It is **not** Super-NaturalInstructions and no number on it says anything about
that benchmark or about models of useful size.

Its {tasks} tasks ({instances} instances) live in the little world of `selfinstruct/llm/tiny/`: sentences
such as `Tom feeds the fox in the park.`, lists of fruits, cities or tools. They cover the 12 categories
of the Super-NaturalInstructions test split, and simple list operations under that project's category
Program Execution.

No task of it is in the model's training text or in the demo's seeds: each is an operation on a word type
(make a title from a sentence about a *garment*) of which the training text holds only other combinations
(titles about animals, garments in questions). `tests/test_tiny_world.py` holds the rules: no definition
comes within ROUGE-L 0.6 of an instruction of the training text, seeds or prompts, or shares 8 words in a
row with them, and no (input, output) pair is in them.

| category | tasks | instances |
|---|---|---|
{rows}
| all | {tasks} | {instances} |

Written by `python -m selfinstruct.llm.tiny.benchmark`; the answers are computed, not collected.
"""


def write_benchmark(folder: Path) -> None:
    """Write task files, the list of test tasks and the README."""
    (folder / "tasks").mkdir(parents=True, exist_ok=True)
    (folder / "splits" / "default").mkdir(parents=True, exist_ok=True)
    for old in (folder / "tasks").glob("lw*.json"):
        old.unlink()
    names = []
    tasks, instances = Counter[str](), Counter[str]()
    for number, task in enumerate(benchmark_tasks(), start=1):
        content = task_file(number, task)
        names.append(f"lw{number:03d}_{task.name}")
        (folder / "tasks" / f"{names[-1]}.json").write_text(
            json.dumps(content, indent=1) + "\n", encoding="utf-8"
        )
        tasks[task.category] += 1
        instances[task.category] += len(content["Instances"])
    (folder / "splits" / "default" / "test_tasks.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    rows = "\n".join(f"| {category} | {count} | {instances[category]} |" for category, count in tasks.items())
    (folder / "README.md").write_text(
        _README.format(rows=rows, tasks=tasks.total(), instances=instances.total()), encoding="utf-8"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=FOLDER)
    write_benchmark(parser.parse_args().output)
