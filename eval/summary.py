"""From samples and predictions to per-instance scores and metrics.json: every mean with its interval.

python scripts/eval_superni.py run_dir=runs/eval   # writes scores.jsonl and metrics.json
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.intervals import Clusters, mean_interval
from eval.predict import Prediction
from eval.scoring import METRICS, VARIANTS, score, what_was_stripped
from eval.superni import Benchmark
from eval.superni_tasks import Sample
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.rouge import Tokenize, tokenize_english_stemmed

RAW = "raw"
_EMPTY = Prediction(text="")

# An instance's scores (0 to 100): variant -> metric -> value; `raw` is the prediction text unchanged.
InstanceScores = dict[str, dict[str, float]]


def score_samples(
    samples: Sequence[Sample],
    predictions: Mapping[str, Prediction],
    tokenize: Tokenize = tokenize_english_stemmed,
) -> list[InstanceScores]:
    """Score every sample, unchanged and in each variant; without prediction it counts as the empty string.

    `tokenize` is the track's (see `eval.scoring.score`).
    """
    texts = [predictions.get(sample.id, _EMPTY).text for sample in samples]
    references = [sample.references for sample in samples]
    by_variant = {RAW: score(texts, references, tokenize)}
    for name, shorten in VARIANTS.items():
        by_variant[name] = score([shorten(text) for text in texts], references, tokenize)
    return [
        {
            variant: {metric: float(values[metric][index]) for metric in METRICS}
            for variant, values in by_variant.items()
        }
        for index in range(len(samples))
    ]


def summarise(
    benchmark: Benchmark,
    predictions: Mapping[str, Prediction],
    scores: Sequence[InstanceScores],
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """`metrics.json` without its setting: values x100 with 95 % intervals, 4 decimals.

    `overall`, `categories` and `tasks` score the prediction text unchanged (the paper's protocol). Intervals
    resample tasks; within a group of a single task they resample its instances (`resampled` says which).
    """
    samples = benchmark.samples

    def group(indices: Iterable[int], variant: str = RAW) -> dict[str, Any]:
        return group_scores(samples, scores, list(indices), variant, resamples, seed)

    tasks = _indices_by(samples, lambda sample: sample.task)
    categories = _indices_by(samples, lambda sample: sample.category_key)
    by_task = {task: group(indices) for task, indices in tasks.items()}
    by_category = {key: group(indices) for key, indices in categories.items()}
    everything = range(len(samples))
    return {
        "overall": group(everything),
        "categories": dict(sorted(by_category.items())),
        "tasks": by_task,
        "macro": {
            "tasks": _macro(scores, tasks),
            "categories": _macro(scores, categories),
        },
        "variants": {variant: group(everything, variant) for variant in VARIANTS},
        "counts": _counts(samples, predictions),
        "benchmark": benchmark.as_json(),
    }


def group_scores(
    samples: Sequence[Sample],
    scores: Sequence[InstanceScores],
    indices: Sequence[int],
    variant: str,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """The means over some instances, each metric with its interval, and how many instances and tasks."""
    tasks = {samples[index].task for index in indices}
    result: dict[str, Any] = {}
    for metric in METRICS:
        clusters: dict[str, list[float]] = {}
        for index in indices:
            clusters.setdefault(samples[index].task, []).append(scores[index][variant][metric])
        result[metric] = mean_interval(clusters, resamples, seed).rounded()
    return result | {
        "n": len(indices),
        "num_tasks": len(tasks),
        "resampled": "tasks" if len(tasks) > 1 else "instances",
    }


def _macro(scores: Sequence[InstanceScores], groups: Mapping[str, list[int]]) -> dict[str, Any]:
    # Each group (task or category) counts once, with its mean.
    result: dict[str, Any] = {}
    for metric in METRICS:
        means = [np.mean([scores[index][RAW][metric] for index in indices]) for indices in groups.values()]
        result[metric] = {"value": round(float(np.mean(means)), 4)}
    return result | {"n": len(groups)}


def _indices_by(samples: Sequence[Sample], key: Callable[[Sample], str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        groups.setdefault(key(sample), []).append(index)
    return groups


def _counts(samples: Sequence[Sample], predictions: Mapping[str, Prediction]) -> dict[str, Any]:
    given = [predictions[sample.id] for sample in samples if sample.id in predictions]
    kinds = [what_was_stripped(prediction.text) for prediction in given]
    by_kind = Counter(kind for found in kinds for kind in found)
    reasons = Counter(prediction.finish_reason or "unknown" for prediction in given)
    return {
        "instances": len(samples),
        "missing": len(samples) - len(given),
        "not_in_benchmark": len(predictions.keys() - {sample.id for sample in samples}),
        "empty": sum(not prediction.text.strip() for prediction in given),
        "truncated": sum(bool(prediction.truncated) for prediction in given),
        "stripped": sum(bool(found) for found in kinds),
        "stripped_by_kind": {kind: by_kind[kind] for kind in ("leading_space", "output_label", "end_marker")},
        "finish_reasons": dict(sorted(reasons.items())),
    }


def write_scores(path: Path, samples: Sequence[Sample], scores: Sequence[InstanceScores]) -> None:
    """Write one line an instance: `{id, task, category, <variant>: {<metric>: value}}`, values 0 to 100."""
    jsonl.replace(path, score_lines(samples, scores))


def score_lines(samples: Sequence[Sample], scores: Sequence[InstanceScores]) -> Iterator[jsonl.Record]:
    """The lines of `write_scores`."""
    for sample, values in zip(samples, scores, strict=True):
        yield {"id": sample.id, "task": sample.task, "category": sample.category_key} | values


def read_clusters(path: Path, metric: str = "rougeL", variant: str = RAW) -> Clusters:
    """The scores of a `scores.jsonl` as lists by task, in file order: what `eval.intervals` takes.

    Raises:
        UserError: a line without task, or without that variant and metric.
    """
    clusters: dict[str, list[float]] = {}
    for number, record in jsonl.numbered_records(path):
        try:
            clusters.setdefault(record["task"], []).append(float(record[variant][metric]))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}:{number}: {variant}.{metric}: not found; give a scores.jsonl") from error
    return clusters
