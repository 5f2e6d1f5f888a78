"""Small benchmark folders in the natural-instructions format, for the tests of evaluation."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.superni import BenchmarkConfig


def instance(
    task: str, number: int, output: Sequence[str] = ("yes",), text: str | None = None
) -> dict[str, Any]:
    words = f"Input number {number}." if text is None else text
    return {"id": f"{task}-{number:032d}", "input": words, "output": list(output)}


def task(
    name: str, instances: int = 2, category: str = "Word Analogy", definition: str = "Answer yes."
) -> dict[str, Any]:
    return {
        "Categories": [category],
        "Definition": [definition],
        "Positive Examples": [],
        "Instances": [instance(name, number) for number in range(instances)],
    }


def write_benchmark(folder: Path, tasks: dict[str, Any], split: str | None = None) -> Path:
    """Write task files and a split that names all of them (or holds the text given); returns the folder."""
    (folder / "tasks").mkdir(parents=True, exist_ok=True)
    (folder / "splits" / "default").mkdir(parents=True, exist_ok=True)
    for name, content in tasks.items():
        (folder / "tasks" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    text = "".join(f"{name}\n" for name in tasks) if split is None else split
    (folder / "splits" / "default" / "test_tasks.txt").write_text(text, encoding="utf-8")
    return folder


def named(folder: Path, name: str = "Mini") -> BenchmarkConfig:
    return BenchmarkConfig(name=name, dir=folder)
