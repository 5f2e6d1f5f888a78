"""Training data for controls: what tuning does without the generated data, or on spoilt data.

python scripts/make_controls.py data=runs/mine/finetuning_data/train.jsonl run_dir=runs/controls
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.llm.tiny.correct_data import correct_examples
from selfinstruct.runs import open_run
from selfinstruct.settings import file_digest

Example = jsonl.Record  # {instruction, input, output}


@dataclass
class ControlsConfig:
    """`configs/make_controls.yaml` as a dataclass."""

    run_dir: Path
    data: Path
    controls: list[str]
    seed: int

    def __post_init__(self) -> None:
        unknown = [name for name in self.controls if name not in CONTROLS]
        if unknown or not self.controls:
            found = unknown[0] if unknown else "an empty list"
            raise UserError(f"controls: {found!r}: choose from {', '.join(CONTROLS)}")


def seeds_only(rows: Sequence[jsonl.Record], seed: int) -> list[Example]:
    """The seed tasks alone: what tuning teaches without any generated data (form, and where to stop)."""
    return [_example(row, row["output"]) for row in rows if row["source"] == "seed"]


def shuffled_outputs(rows: Sequence[jsonl.Record], seed: int) -> list[Example]:
    """Every instruction and input with the output of another instruction: the form without the task.

    Raises:
        UserError: an instruction has more than half of the rows, so not all outputs can come from others.
    """
    # Rows in order of instruction, moved on by the size of the largest group: no row keeps its instruction.
    rng = Random(f"{seed}:shuffled_outputs")
    groups: dict[str, list[jsonl.Record]] = {}
    for row in rows:
        groups.setdefault(row["instruction"], []).append(row)
    largest = max(map(len, groups.values()))
    if 2 * largest > len(rows):
        raise UserError(
            "shuffled_outputs: half of the examples are of one instruction; leave this control out"
        )
    order = list(groups)
    rng.shuffle(order)
    grouped = [row for instruction in order for row in groups[instruction]]
    shift = rng.randint(largest, len(grouped) - largest)
    moved = [*grouped[shift:], *grouped[:shift]]
    examples = [_example(row, other["output"]) for row, other in zip(grouped, moved, strict=True)]
    rng.shuffle(examples)
    return examples


def little_world(rows: Sequence[jsonl.Record], seed: int) -> list[Example]:
    """Right data of the embedded model's world, as much of it: what better data would give."""
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row["instruction"]] = sizes.get(row["instruction"], 0) + 1
    return correct_examples(list(sizes.values()), seed)


CONTROLS: dict[str, Callable[[Sequence[jsonl.Record], int], list[Example]]] = {
    "seeds_only": seeds_only,
    "shuffled_outputs": shuffled_outputs,
    "little_world": little_world,
}


def _example(row: jsonl.Record, output: str) -> Example:
    return {"instruction": row["instruction"], "input": row["input"], "output": output}


def make_controls(config: ControlsConfig) -> None:
    """Write `<control>.jsonl` for each control into the run folder.

    Raises:
        UserError: the data is no train.jsonl of phase 1, or a control cannot be made of it.
    """
    rows = _read(config.data)
    made = {name: CONTROLS[name](rows, config.seed) for name in config.controls}
    empty = [name for name, examples in made.items() if not examples]
    if empty:
        raise UserError(f"{config.data}: gives no example for {empty[0]}; leave it out of controls=")
    settings: dict[str, Any] = {"seed": config.seed, "data": file_digest(config.data)}
    with open_run(config.run_dir, "make_controls", settings) as run:
        for name, examples in made.items():
            path = config.run_dir / f"{name}.jsonl"
            if not run.begin(name, settings) or not path.exists() or not path.stat().st_size:
                jsonl.replace(path, examples)
                run.complete(name, examples=len(examples))
            print(f"{path}: {len(examples)} examples")


def _read(path: Path) -> list[jsonl.Record]:
    rows = []
    for number, row in jsonl.numbered_records(path):
        for field in ("instruction", "input", "output", "source"):
            if not isinstance(row.get(field), str):
                reason = "missing or not text; give a finetuning_data/train.jsonl that generate.py wrote"
                raise UserError(f"{path}:{number}: {field}: {reason}")
        rows.append(row)
    if not rows:
        raise UserError(
            f"{path}: holds no example; give a finetuning_data/train.jsonl that generate.py wrote"
        )
    return rows
