"""The paper's review of the generated data, computed for the embedded model's world.

python scripts/review_little_world.py generated=runs/demo/seed1/generate run_dir=runs/review
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from eval.intervals import Interval, mean_interval
from eval.rating_tables import PAPER_QUALITY
from eval.tables import Cell, Table, write_tables
from selfinstruct import jsonl
from selfinstruct.classification import read_classification
from selfinstruct.errors import UserError
from selfinstruct.finetuning_data import ALL_INSTANCES
from selfinstruct.instructions import INSTRUCTIONS
from selfinstruct.llm.tiny.wording import why_not_read
from selfinstruct.llm.tiny.world import OPERATIONS, TASKS, Task, is_correct, recognise, solve
from selfinstruct.parsing import ParsingRules
from selfinstruct.runs import open_run
from selfinstruct.settings import file_digest
from selfinstruct.tasks import read_seed_tasks

QUESTIONS = {
    "valid_task": ("does the instruction describe a valid task?", PAPER_QUALITY["valid_task"]),
    "appropriate_input": (
        "is the input appropriate for the instruction?",
        PAPER_QUALITY["appropriate_input"],
    ),
    "acceptable_output": (
        "is the output a correct and acceptable response?",
        PAPER_QUALITY["acceptable_output"],
    ),
    "all_fields_valid": ("all fields are valid", PAPER_QUALITY["all_three"]),
}


@dataclass
class ReviewConfig:
    """`configs/review_little_world.yaml` as a dataclass."""

    run_dir: Path
    generated: Path
    seeds: Path
    seed: int


@dataclass(frozen=True)
class Judged:
    """One instance, and what the world says of it."""

    task: Task | None
    input_is_appropriate: bool
    output_is_acceptable: bool
    reason: str | None = None  # what is wrong, for people

    def answers(self) -> dict[str, bool]:
        """The answers to `QUESTIONS`."""
        return {
            "valid_task": self.task is not None,
            "appropriate_input": self.input_is_appropriate,
            "acceptable_output": self.output_is_acceptable,
            "all_fields_valid": self.input_is_appropriate and self.output_is_acceptable,
        }


def judge(instruction: str, input_text: str, output: str) -> Judged:
    """What an expert of the world would say of an instance (paper, section 3.3)."""
    task = recognise(instruction)
    if task is None:
        return Judged(None, False, False, why_not_read(instruction))
    appropriate = solve(task, input_text) is not None if task.needs_input else not input_text.strip()
    acceptable = is_correct(task, input_text, output)
    reason = None if appropriate and acceptable else _reason(task, input_text, appropriate)
    return Judged(task, appropriate, acceptable, reason)


def _reason(task: Task, input_text: str, input_is_appropriate: bool) -> str:
    name = f"the task {task.name.replace('_', ' ')!r}"
    if not input_is_appropriate:
        lists = [part.split(", ") for part in input_text.split(" / ")]
        twice = any(len(set(items)) < len(items) for items in lists)
        what = "names a thing twice" if twice else "is none that the rules can answer"
        return f"for {name} the input {what if task.needs_input else 'should be empty'}"
    right = solve(task, input_text)
    return f"the output is no answer to {name}" if right is None else f"right would be: {right}"


def review(config: ReviewConfig) -> None:
    """Write `review.json`, `instances.jsonl` (each instance with its judgement) and the tables; print them.

    Raises:
        UserError: `generated` is no finished run folder of generate.py.
    """
    instructions = [record["instruction"] for record in _read(config.generated / INSTRUCTIONS)]
    instances = _read(config.generated / ALL_INSTANCES)
    labels = read_classification(config.generated, ParsingRules.fixed())
    seeds = [task.instruction for task in read_seed_tasks(config.seeds)]
    names = (INSTRUCTIONS, ALL_INSTANCES)
    settings: dict[str, Any] = {name: file_digest(config.generated / name) for name in names}
    settings |= {"seeds": file_digest(config.seeds), "seed": config.seed}
    with open_run(config.run_dir, "review_little_world", settings) as run:
        run.begin("review", settings)
        judged = [judge(r["instruction"], r["input"], r["output"]) for r in instances]
        found = summarise_review(instances, judged, config.seed)
        found |= summarise_tasks(instructions, seeds, labels)
        jsonl.replace(config.run_dir / "instances.jsonl", map(_line, instances, judged))
        jsonl.replace_json(config.run_dir / "review.json", found)
        tables = review_tables(found)
        write_tables(config.run_dir, tables)
        run.complete("review", instances=len(instances))
    for table in tables:
        print(table.markdown())


def _read(path: Path) -> list[jsonl.Record]:
    if not path.exists():
        raise UserError(
            f"{path}: not there; generated must be a run folder of generate.py with all stages done"
        )
    return jsonl.read(path)


def _line(instance: jsonl.Record, judged: Judged) -> jsonl.Record:
    told = {"task": judged.task.name if judged.task else None} | judged.answers()
    return instance | told | {"reason": judged.reason}


def summarise_review(
    instances: Sequence[jsonl.Record], judged: Sequence[Judged], seed: int
) -> dict[str, Any]:
    """Shares in per cent with 95 % intervals: one random instance an instruction, as the paper; and all."""
    by_instruction: dict[str, list[Judged]] = {}
    for instance, judgement in zip(instances, judged, strict=True):
        by_instruction.setdefault(instance["instruction"], []).append(judgement)
    rng = Random(f"{seed}:review")
    drawn = [rng.choice(group).answers() for group in by_instruction.values()]
    reviewed = {
        name: mean_interval({"": [100.0 * answers[name] for answers in drawn]}).rounded()
        for name in QUESTIONS
    }
    outputs = {
        text: [100.0 * each.output_is_acceptable for each in group] for text, group in by_instruction.items()
    }
    return {
        "reviewed": reviewed | {"n": len(drawn)},
        "outputs_right": mean_interval(outputs).rounded() | {"n": len(judged)},
    }


def summarise_tasks(
    instructions: Sequence[str], seeds: Sequence[str], labels: Mapping[str, bool]
) -> dict[str, Any]:
    """How many different tasks and families (operations) the instructions ask for, and which are new."""
    recognised = [(text, task) for text in instructions if (task := recognise(text))]
    tasks = {task for _, task in recognised}
    families = {task.operation for task in tasks}
    seed_tasks = {task for text in seeds if (task := recognise(text))}
    said = [(labels[text], task.is_classification) for text, task in recognised if text in labels]
    return {
        "instructions": len(instructions),
        "valid_instructions": len(recognised),
        "distinct_tasks": len(tasks),
        "tasks_of_the_world": len(TASKS),
        "task_families": len(families),
        "families_of_the_world": len(OPERATIONS),
        "families_without_a_seed": len(families - {task.operation for task in seed_tasks}),
        "tasks_without_a_seed": len(tasks - seed_tasks),
        "benchmark_tasks": len({task for task in tasks if task.held_out}),
        "instructions_of_benchmark_tasks": sum(task.held_out for _, task in recognised),
        "classification_right": sum(answer == truth for answer, truth in said),
        "classification_judged": len(said),
    }


def review_tables(found: dict[str, Any]) -> list[Table]:
    """The review beside the paper's Table 2, and what tasks there are."""
    reviewed = found["reviewed"]
    rows = tuple(
        (text, Interval(**reviewed[name]), float(paper)) for name, (text, paper) in QUESTIONS.items()
    )
    note = f"Per cent of {reviewed['n']} instructions, one random instance each; judged by the world's rules."
    right = found["outputs_right"]
    counts: tuple[tuple[Cell, ...], ...] = (
        ("accepted instructions", found["instructions"]),
        ("a valid task of the world", found["valid_instructions"]),
        ("distinct tasks", f"{found['distinct_tasks']} of {found['tasks_of_the_world']}"),
        ("of them without a seed", found["tasks_without_a_seed"]),
        ("task families (operations)", f"{found['task_families']} of {found['families_of_the_world']}"),
        ("of them without a seed", found["families_without_a_seed"]),
        ("instructions that ask for a benchmark task", found["instructions_of_benchmark_tasks"]),
        (
            "rightly judged as classification or not",
            f"{found['classification_right']} of {found['classification_judged']}",
        ),
        (
            f"right outputs, per cent of all {right['n']} instances",
            Interval(right["value"], right["low"], right["high"]),
        ),
    )
    return [
        Table("Quality of the generated data", ("", "this run", "paper, by experts"), rows, (note,)),
        Table("Tasks among the accepted instructions", ("", "this run"), counts),
    ]
