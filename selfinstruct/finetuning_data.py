"""Stage 4: from raw answers to training data (paper, section 2.2 "Filtering and Postprocessing", 2.3).

Writes `finetuning_data/all_generated_instances.jsonl` and `finetuning_data/train.jsonl`, whole and anew.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.classification import read_classification
from selfinstruct.encoding import fill, forms
from selfinstruct.errors import UserError
from selfinstruct.instances import INSTANCES
from selfinstruct.instructions import REJECTED
from selfinstruct.parsing import ParsingRules, parse_instances, select_instances
from selfinstruct.tasks import SeedTask, TrainingExample

ALL_INSTANCES = "finetuning_data/all_generated_instances.jsonl"
TRAIN = "finetuning_data/train.jsonl"
_STAGE = "finetuning_data"
_RELEASED_END = "<|endoftext|>"


def build_finetuning_data(
    folder: Path,
    seeds: list[SeedTask],
    rules: ParsingRules,
    max_per_task: int,
    seed: int,
    output_first: bool = True,
) -> dict[str, Any]:
    """Parse the folder's instances, put them (and the seeds') into prompt forms, shuffle, write.

    Args:
        output_first: whether classification tasks were asked for output-first (see `InstanceStage`).

    Returns:
        Counts: instances, tasks that gave none, training examples, rejected by reason.
    """
    instances, rejected, empty_tasks = _parse_all(folder, rules, max_per_task, seed, output_first)
    replace_rejected(folder, _STAGE, rejected)
    jsonl.replace(folder / ALL_INSTANCES, instances)
    num_examples = write_training_data(folder / TRAIN, seeds, instances, "generated", seed, rules)
    return {
        "instances": len(instances),
        "tasks_without_instance": empty_tasks,
        "training_examples": num_examples,
        "rejected": dict(Counter(line["reason"] for line in rejected)),
    }


def replace_rejected(folder: Path, stage: str, rejected: list[jsonl.Record]) -> None:
    """Put a stage's lines of rejected texts in the place of those of its earlier making."""
    kept = [line for line in jsonl.read_if_there(folder / REJECTED) if line.get("stage") != stage]
    jsonl.replace(folder / REJECTED, [*kept, *rejected])


def write_training_data(
    path: Path,
    seeds: list[SeedTask],
    instances: Sequence[jsonl.Record | None],
    source: str,
    seed: int,
    rules: ParsingRules,
) -> int:
    """Put the seeds' instances and these into prompt forms, shuffle, write; returns the number of lines.

    Args:
        instances: None in the place of one that is left out: the form of each goes by its place.
        source: what the lines of these instances say of where they are from.
    """
    examples = _encode(_with_source(seeds, instances, source), seed, rules)
    random.Random(f"{seed}:shuffle").shuffle(examples)
    jsonl.replace(path, (_line(example) for example in examples))
    return len(examples)


def _parse_all(
    folder: Path, rules: ParsingRules, max_per_task: int, seed: int, output_first: bool
) -> tuple[list[jsonl.Record], list[jsonl.Record], int]:
    path = folder / INSTANCES
    if not path.exists():
        raise UserError(f"{path}: not there; run the instances stage first ('stages=[instances,...]')")
    classification = read_classification(folder, rules) if output_first else {}
    instances: list[jsonl.Record] = []
    rejected: list[jsonl.Record] = []
    empty_tasks = 0
    for number, record in jsonl.numbered_records(path):
        instruction, text = record.get("instruction"), record.get("raw_instances")
        if not isinstance(instruction, str) or not isinstance(text, str):
            raise UserError(f'{path}:{number}: "instruction" and "raw_instances" must be text')
        parsed, dropped = parse_instances(
            text, _finish_reason(record), classification.get(instruction, False), rules
        )
        rejected.extend(_rejection(instruction, piece.text, piece.reason) for piece in dropped)
        chosen = select_instances(
            parsed, max_per_task, random.Random(f"{seed}:instances:{number - 1}"), rules
        )
        for instance in parsed:
            if instance not in chosen:
                text = f"{instance.input}\nOutput: {instance.output}"
                rejected.append(_rejection(instruction, text, "more_than_max_per_task"))
        empty_tasks += not chosen
        instances.extend(
            {"instruction": instruction.strip(), "input": each.input, "output": each.output}
            for each in chosen
        )
    return instances, rejected, empty_tasks


def _rejection(instruction: str, text: str, reason: str) -> jsonl.Record:
    return {"stage": _STAGE, "reason": reason, "text": text, "instruction": instruction}


def _finish_reason(record: jsonl.Record) -> str | None:
    """How the answer ended; a line without metadata counts as finished normally."""
    metadata = record.get("instance_metadata") or {}
    choices = (metadata.get("response") or {}).get("choices") or [{}]
    return choices[0].get("finish_reason")


def _with_source(
    seeds: list[SeedTask], instances: Sequence[jsonl.Record | None], source: str
) -> Iterable[tuple[int, str, str, str, str]]:
    """Place, instruction, input, output and source of each instance."""
    of_seeds = [(task.instruction, each.input, each.output) for task in seeds for each in task.instances]
    for index, texts in enumerate(of_seeds):
        yield index, *texts, "seed"
    for index, record in enumerate(instances, start=len(of_seeds)):
        if record is not None:
            yield index, record["instruction"], record["input"], record["output"], source


def _encode(
    instances: Iterable[tuple[int, str, str, str, str]], seed: int, rules: ParsingRules
) -> list[TrainingExample]:
    """One of the paper's prompt forms for each instance; equal (prompt, completion) pairs are dropped."""
    examples: dict[tuple[str, str], TrainingExample] = {}
    for index, instruction, input_text, output, source in instances:
        rng = random.Random(f"{seed}:encoding:{index}")
        varied = vary_input(input_text, rules) if rng.random() < 0.5 else input_text
        prompt, completion = fill(rng.choice(forms(varied)), instruction, varied, output)
        if not rules.leave_out_end_marker:
            completion += _RELEASED_END
        example = TrainingExample(prompt, completion, instruction, input_text, output, source)
        examples.setdefault((prompt, completion), example)
    return list(examples.values())


def vary_input(text: str, rules: ParsingRules) -> str:
    """The released data's second form of an input: without its field name, without blank lines.

    See `ParsingRules.keep_words_before_colons` for what counts as a field name.
    """
    if not rules.keep_words_before_colons:
        if len(set(re.findall(r"\w+:", text))) == 1:
            text = text[text.index(":") + 1 :].strip()
    elif len(set(re.findall(r"\w+:(?!//)", text))) == 1:
        text = re.sub(r"\A\s*\w+:(?!//)\s+", "", text)
    return text.replace("\n\n", "\n")


def _line(example: TrainingExample) -> jsonl.Record:
    return {
        "prompt": example.prompt,
        "completion": example.completion,
        "instruction": example.instruction,
        "input": example.input,
        "output": example.output,
        "source": example.source,
    }
