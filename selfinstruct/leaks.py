"""Evaluation tasks that generated instructions come too near to: the novelty filter's measure, other pool.

The paper (v2) gives the seeds' mean ROUGE-L with their nearest evaluation task: 0.21 for SuperNI, 0.34
for the user-oriented set.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selfinstruct import jsonl, rouge
from selfinstruct.errors import UserError

LEAKS = "leaks.jsonl"
THRESHOLD = 0.7  # ROUGE-L from which on an instruction counts as leaked (the paper's novelty threshold)
_ROUNDING = 1e-9  # rouge_score's float for a true 0.7 lies just below it for some lengths


@dataclass(frozen=True)
class EvaluationTasks:
    """The instructions of an evaluation set, each once.

    Attributes:
        tasks: how many tasks were read; `tasks_of`: how many its split file lists (some may not be there).
    """

    name: str
    instructions: tuple[str, ...]
    tasks: int
    tasks_of: int


def read_evaluation_tasks(paths: Sequence[Path]) -> list[EvaluationTasks]:
    """Read evaluation sets: JSONL files with an `instruction` (or `definition`) a line, and folders in the
    format of natural-instructions, of which the test tasks of the default split are taken.

    Raises:
        UserError: a path is neither, or a file of it cannot be used (`file:line: reason`).
    """
    return [_read_folder(path) if path.is_dir() else _read_lines(path) for path in paths]


def find_leaks(
    instructions: Sequence[str], seeds: Sequence[str], evaluation: EvaluationTasks, tokenizer: str
) -> tuple[dict[str, Any], list[jsonl.Record]]:
    """Each instruction against its nearest evaluation task (ROUGE-L F-measure, 0 to 1).

    Args:
        tokenizer: the novelty filter's, "english" or "unicode".

    Returns:
        Counts and means of instructions and seeds, and the leaks with their nearest evaluation task.
    """
    nearest = nearest_texts(instructions, evaluation.instructions, tokenizer)
    leaks = [
        {"instruction": text, "score": score, "nearest": near, "evaluation": evaluation.name}
        for text, (near, score) in zip(instructions, nearest, strict=True)
        if score >= THRESHOLD - _ROUNDING
    ]
    scores = [score for _, score in nearest]
    seed_scores = [score for _, score in nearest_texts(seeds, evaluation.instructions, tokenizer)]
    counts = {
        "evaluation": evaluation.name,
        "tasks": evaluation.tasks,
        "tasks_of": evaluation.tasks_of,
        "leaks": len(leaks),
        "mean_nearest": _mean(scores),
        "highest": round(max(scores), 4) if scores else None,
        "seeds_leaks": sum(score >= THRESHOLD - _ROUNDING for score in seed_scores),
        "seeds_mean_nearest": _mean(seed_scores),
    }
    return counts, leaks


def nearest_texts(texts: Sequence[str], others: Sequence[str], tokenizer: str) -> list[tuple[str, float]]:
    """For each text the first of the others with the highest ROUGE-L (F-measure, 0 to 1), and that value.

    Args:
        others: at least one.
        tokenizer: "english" (`rouge_score`'s) or "unicode" (words of any script).
    """
    pool = rouge.EncodedPool(rouge.tokenize_english if tokenizer == "english" else rouge.tokenize_unicode)
    for other in others:
        pool.append(other)
    nearest = []
    for text in texts:
        scores = pool.rouge_l(text)
        place = int(np.argmax(scores))
        nearest.append((others[place], float(scores[place])))
    return nearest


def _mean(scores: Sequence[float]) -> float | None:
    return round(sum(scores) / len(scores), 4) if scores else None


def _read_lines(path: Path) -> EvaluationTasks:
    texts = []
    for number, record in jsonl.numbered_records(path):
        text = record.get("instruction", record.get("definition"))
        if not isinstance(text, str) or not text.strip():
            reason = 'an evaluation task needs "instruction" (or "definition"), as text'
            raise UserError(
                f"{path}:{number}: {reason}; mend it, or leave it out of statistics.evaluation_tasks"
            )
        texts.append(text)
    return EvaluationTasks(path.name, tuple(dict.fromkeys(texts)), len(texts), len(texts))


def _read_folder(path: Path) -> EvaluationTasks:
    split = path / "splits" / "default" / "test_tasks.txt"
    if split.exists():
        listed = [line.strip() for line in split.read_text(encoding="utf-8").splitlines() if line.strip()]
        files = [path / "tasks" / f"{name}.json" for name in listed]
        found = [file for file in files if file.exists()]
    else:
        files = found = sorted((path / "tasks").glob("*.json"))
    if not found:
        advice = "give a clone of natural-instructions, or a JSONL file with an instruction a line"
        raise UserError(f"statistics.evaluation_tasks: {path} holds no test task (tasks/*.json); {advice}")
    texts = dict.fromkeys(_definition(file) for file in found)
    return EvaluationTasks(path.name, tuple(texts), len(found), len(files))


def _definition(path: Path) -> str:
    try:
        definition = json.loads(path.read_bytes().decode("utf-8-sig"))["Definition"]
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the file") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"no SuperNI task file with a Definition ({error!r})"
        raise UserError(f"{path}: {reason}; get it again, or leave the folder out") from error
    text = definition[0] if isinstance(definition, list) and definition else definition
    if not isinstance(text, str):
        raise UserError(f"{path}: Definition must be text, or a list that begins with text")
    return text
