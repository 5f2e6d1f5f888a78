"""What is rated: tasks with several systems' answers, or a sample of generated data.

python scripts/annotate.py predictions=[runs/user_vanilla,runs/user_tuned] run_dir=runs/annotate
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from eval.predict import read_predictions
from eval.ratings import QUALITY_QUESTIONS, RATING
from eval.user_oriented import read_responses, read_user_tasks
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.finetuning_data import ALL_INSTANCES

GENERATED = "generated"  # the "system" of the data-quality review
_Words = tuple[str, str]  # what an answer is matched by: instruction and input, or an id


@dataclass(frozen=True)
class Slot:
    """One thing to rate: a system's answer (A to D), or one question about a generated instance."""

    system: str
    question: str
    text: str | None  # the answer; None where the question is about the item's own texts


@dataclass(frozen=True)
class Item:
    """A task as the rater sees it, and what is to be rated on it; `reference` None: there is none to show."""

    id: str
    instruction: str
    input: str
    output: str | None
    reference: str | None
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class _Task:
    id: str
    instruction: str
    input: str
    reference: str | None


def items_of_predictions(
    files: Mapping[str, Path], tasks: Path | None, show_reference: bool = True
) -> tuple[list[Item], int]:
    """The tasks that every system answered, in the first file's order, and how many others were left out.

    Answers are matched by instruction and input (the released files have no ids), those to a benchmark by
    id; where a file holds the same task twice, its first answer is matched with the others' first.

    Raises:
        UserError: a bad line, as `file:line: field: reason`; no task in common.
    """
    answers = {system: _answers(path, tasks) for system, path in files.items()}
    (_, first), *others = answers.items()
    items: list[Item] = []
    taken: set[str] = set()
    for key, (task, _) in first.items():
        if all(key in other for _, other in others):
            # A name that came twice (a line of a file without ids, say) could not be told apart in the log.
            name = task.id if task.id not in taken else f"{task.id} ({len(taken) + 1})"
            taken.add(name)
            slots = tuple(Slot(system, RATING, found[key][1]) for system, found in answers.items())
            reference = task.reference if show_reference else None
            items.append(Item(name, task.instruction, task.input, None, reference, slots))
    if not items:
        names = ", ".join(str(path) for path in files.values())
        raise UserError(f"predictions: {names} have no task in common; rate answers to the same tasks")
    return items, len({key for found in answers.values() for key in found}) - len(items)


def _answers(path: Path, tasks: Path | None) -> dict[tuple[_Words, int], tuple[_Task, str]]:
    answers: dict[tuple[_Words, int], tuple[_Task, str]] = {}
    is_of_benchmark = _is_of_benchmark(path)
    for task, text in _benchmark_answers(path) if is_of_benchmark else _user_answers(path, tasks):
        # A benchmark's ids are its own; its prompts can differ from system to system.
        words = (task.id, "") if is_of_benchmark else (task.instruction.strip(), task.input.strip())
        occurrence = 0
        while (words, occurrence) in answers:
            occurrence += 1
        answers[words, occurrence] = (task, text)
    return answers


def _is_of_benchmark(path: Path) -> bool:
    _, record = next(jsonl.numbered_records(path), (0, {}))
    return isinstance(record.get("Instance"), dict)


def _user_answers(path: Path, tasks: Path | None) -> list[tuple[_Task, str]]:
    known = read_user_tasks(tasks) if tasks else []
    return [
        (
            _Task(response.task.id, response.task.instruction, response.task.input, response.task.reference),
            response.text,
        )
        for response in read_responses(path, known)
    ]


def _benchmark_answers(path: Path) -> list[tuple[_Task, str]]:
    """Predictions of eval_superni: the definition stands in the prompt, in front of the input."""
    predictions = read_predictions(path)
    found: list[tuple[_Task, str]] = []
    for number, record in jsonl.numbered_records(path):
        instance = record.get("Instance")
        given = instance.get("input") if isinstance(instance, dict) else None
        name = instance.get("id") if isinstance(instance, dict) else None
        key = record.get("id", name)
        prompt = predictions[key].prompt if isinstance(key, str) else None
        if not isinstance(given, str) or not isinstance(instance, dict) or not isinstance(key, str):
            raise UserError(f"{path}:{number}: Instance: must hold the input as text")
        if prompt is None:
            advice = "rate files that eval_superni.py or eval_user_oriented.py wrote"
            raise UserError(f"{path}:{number}: prompt: missing, so the task cannot be shown; {advice}")
        instruction = prompt.removesuffix("Output:").rstrip()
        instruction = instruction.removesuffix(f"Input: {given}".rstrip()).rstrip()
        outputs = instance.get("output")
        first = outputs[0] if isinstance(outputs, list) and outputs else outputs
        reference = first if isinstance(first, str) else None
        found.append((_Task(key, instruction, given, reference), predictions[key].text))
    return found


def items_of_generated(path: Path, number: int, seed: int) -> list[Item]:
    """The paper's review of its data: random instructions, one random instance of each (Table 2: 200).

    `path`: a run folder of generate.py, or a file of `{instruction, input, output}` lines.

    Raises:
        UserError: a bad line, as `file:line: field: reason`; no line.
    """
    file = path / ALL_INSTANCES if path.is_dir() else path
    instances: dict[str, list[tuple[int, jsonl.Record]]] = {}
    for line, record in jsonl.numbered_records(file):
        for field in ("instruction", "input", "output"):
            if not isinstance(record.get(field), str):
                found = "missing" if record.get(field) is None else "not text"
                raise UserError(f"{file}:{line}: {field}: {found}; each line must be an instance")
        instances.setdefault(record["instruction"], []).append((line, record))
    if not instances:
        raise UserError(f"{file}: holds no instance; each line must be {{instruction, input, output}}")
    generator = Random(f"{seed}:review")
    drawn = generator.sample(list(instances), min(number, len(instances)))
    slots = tuple(Slot(GENERATED, question, None) for question in QUALITY_QUESTIONS)
    items = []
    for instruction in drawn:
        line, record = generator.choice(instances[instruction])
        items.append(Item(f"line {line}", instruction, record["input"], record["output"], None, slots))
    return items


def drawn(items: Sequence[Item], number: int, seed: int) -> list[Item]:
    """The items in the one random order that all raters share, at most `number` of them."""
    return Random(f"{seed}:items").sample(list(items), min(number, len(items)))
