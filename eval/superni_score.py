"""The scoring half of phase 3a: metrics, tables, chart and lists of one system or several in a run folder.

python scripts/eval_superni.py 'predictions=[runs/vanilla,runs/tuned]' run_dir=runs/compared
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.comparison import ScoredSystem, comparisons, differences, worst_tasks
from eval.contamination import OVERLAPS, Overlaps, find_overlaps
from eval.intervals import IntervalsConfig
from eval.predict import Prediction, read_predictions
from eval.score_chart import draw_score_chart
from eval.summary import RAW, group_scores, score_lines, score_samples, summarise
from eval.superni import Benchmark
from eval.superni_tables import compared_tables, superni_tables
from eval.superni_tasks import Sample
from eval.tables import write_tables
from eval.training_texts import TrainingData, read_training_data
from eval.user_oriented import PREDICTIONS
from eval.xlingual import load_byte_pairs
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.rouge import Tokenize, tokenize_english_stemmed

REFERENCES = "references.jsonl"
DIFFERENCES = "differences.jsonl"
Systems = Mapping[str, Mapping[str, Prediction]]  # by name, then by instance id


@dataclass(frozen=True)
class Yardsticks:
    """What predictions are measured with: read before a model is asked, so that it is refused in time."""

    tokenize: Tokenize
    training: TrainingData | None
    setting: Mapping[str, str]  # what of it decides the result beyond the benchmark

    @classmethod
    def read(cls, track: str, xlingual_tokenizer: str, training_data: Path | None) -> "Yardsticks":
        """Load the track's tokenizer, and the training data if any.

        Raises:
            UserError: one of them cannot be used.
        """
        tokenize: Tokenize = tokenize_english_stemmed
        setting: dict[str, str] = {}
        if track == "xlingual":
            byte_pairs = load_byte_pairs(xlingual_tokenizer)
            tokenize, setting = byte_pairs.tokenize, {"xlingual_tokenizer_sha256": byte_pairs.sha256}
        training = read_training_data(training_data) if training_data else None
        if training:
            setting |= {"training_data_sha256": training.sha256}
        return cls(tokenize, training, setting)


def read_system(path: Path, benchmark: Benchmark) -> dict[str, Prediction]:
    """A file of predictions that are, at least in part, of this benchmark.

    Raises:
        UserError: a broken line (`file:line: field: reason`), or no id of the benchmark.
    """
    predictions = read_predictions(path)
    if not {sample.id for sample in benchmark.samples} & predictions.keys():
        example = next(iter(predictions))
        reason = f"none of its {len(predictions)} ids is in {benchmark.label} (the first is {example!r})"
        raise UserError(f"{path}: id: {reason}; is superni_dir the folder that was predicted on?")
    return predictions


def recorded_setting(file: Path) -> dict[str, Any] | None:
    """How the model was asked, where the file lies in a run folder of ours; None where nobody recorded it."""
    try:
        setting = json.loads((file.parent / "metrics.json").read_text(encoding="utf-8"))["setting"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_ours = file.name == PREDICTIONS and isinstance(setting, dict) and "prompt_style" in setting
    return setting if is_ours else None


def score_systems(
    benchmark: Benchmark,
    systems: Systems,
    setting: Mapping[str, Any],
    yardsticks: Yardsticks,
    intervals: IntervalsConfig,
    folder: Path,
) -> dict[str, Any]:
    """Score systems and write all that a reader wants into the folder; returns what metrics.json holds.

    One system's metrics stand at the top; of several, each has its own under `systems`, beside `comparisons`
    of each with the first.
    """
    samples = benchmark.samples
    scored = {
        name: ScoredSystem(predictions, score_samples(samples, predictions, yardsticks.tokenize))
        for name, predictions in systems.items()
    }
    by_system = {
        name: summarise(benchmark, system.predictions, system.scores, intervals.resamples, intervals.seed)
        for name, system in scored.items()
    }
    metrics: dict[str, Any]
    if len(scored) == 1:
        (metrics,) = by_system.values()
    else:
        metrics = _compared(benchmark, scored, by_system, intervals)
        jsonl.replace(folder / DIFFERENCES, differences(samples, scored))
    if yardsticks.training:
        found = find_overlaps(samples, yardsticks.training)
        metrics["contamination"] = found.as_json(samples) | {
            "without_overlap": _without(found, samples, scored, intervals)
        }
        jsonl.replace(folder / OVERLAPS, found.records(samples))
    metrics["setting"] = dict(setting)
    jsonl.replace(folder / REFERENCES, map(reference_line, samples))
    jsonl.replace(folder / "scores.jsonl", _score_lines(samples, scored))
    jsonl.replace_json(folder / "metrics.json", metrics)
    is_one = len(scored) == 1
    write_tables(folder, superni_tables(metrics) if is_one else compared_tables(metrics))
    draw_score_chart(folder, {setting["system"]: metrics} if is_one else metrics["systems"])
    return metrics


def reference_line(sample: Sample) -> jsonl.Record:
    """A line of the leaderboard's reference file."""
    return {
        "id": sample.id,
        "references": list(sample.references),
        "task_id": sample.task,
        "task_category": sample.category,
        "track": sample.track,
    }


def _compared(
    benchmark: Benchmark,
    scored: Mapping[str, ScoredSystem],
    by_system: Mapping[str, dict[str, Any]],
    intervals: IntervalsConfig,
) -> dict[str, Any]:
    samples = benchmark.samples
    first, *others = scored
    return {
        "systems": dict(by_system),
        "comparisons": comparisons(samples, scored, intervals),
        "worst_tasks": {name: worst_tasks(samples, scored[first], scored[name]) for name in others},
        "benchmark": benchmark.as_json(),
    }


def _without(
    found: Overlaps,
    samples: Sequence[Sample],
    scored: Mapping[str, ScoredSystem],
    intervals: IntervalsConfig,
) -> dict[str, Any]:
    """Each system's scores on the instances that do not overlap; None where none is left."""
    clean = [index for index, sample in enumerate(samples) if not found.touches(sample)]
    return {
        name: group_scores(samples, system.scores, clean, RAW, intervals.resamples, intervals.seed)
        if clean
        else None
        for name, system in scored.items()
    }


def _score_lines(samples: Sequence[Sample], scored: Mapping[str, ScoredSystem]) -> list[jsonl.Record]:
    is_one = len(scored) == 1
    return [
        line if is_one else {"system": name} | line
        for name, system in scored.items()
        for line in score_lines(samples, system.scores)
    ]
