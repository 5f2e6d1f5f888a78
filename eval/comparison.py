"""Two systems or more on the same instances: differences with intervals, and where the second does worse.

python scripts/eval_superni.py 'predictions=[runs/vanilla,runs/tuned]' run_dir=runs/compared
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.intervals import Clusters, IntervalsConfig, paired_difference
from eval.predict import Prediction
from eval.scoring import METRICS
from eval.summary import RAW, InstanceScores
from eval.superni_tasks import Sample
from selfinstruct import jsonl

COMPARED_VARIANTS = (RAW, "first_paragraph")
NUM_WORST_TASKS = 10
RANKED_BY = "rougeL"  # which metric says where a system does worse; of the prediction unchanged


@dataclass(frozen=True)
class ScoredSystem:
    """A system's predictions by instance id, and the scores of every sample in the samples' order."""

    predictions: Mapping[str, Prediction]
    scores: Sequence[InstanceScores]

    def clusters(self, samples: Sequence[Sample], variant: str, metric: str) -> Clusters:
        """The scores by task."""
        found: dict[str, list[float]] = {}
        for sample, scores in zip(samples, self.scores, strict=True):
            found.setdefault(sample.task, []).append(scores[variant][metric])
        return found

    def text(self, sample: Sample) -> str | None:
        """The prediction as it was given; None where there is none."""
        prediction = self.predictions.get(sample.id)
        return prediction.text if prediction else None


def comparisons(
    samples: Sequence[Sample], systems: Mapping[str, ScoredSystem], intervals: IntervalsConfig
) -> list[dict[str, Any]]:
    """Each system minus the first, on every instance of the benchmark (a missing prediction is empty text).

    Returns:
        For each pair, variant and metric `first, second, variant, metric, n`, the difference (x100) with its
        95 % interval, and the tasks won, lost and tied.
    """
    (first, base), *others = systems.items()
    return [
        {"first": first, "second": name, "variant": variant, "metric": metric, "n": len(samples)}
        | paired_difference(
            base.clusters(samples, variant, metric),
            system.clusters(samples, variant, metric),
            intervals.resamples,
            intervals.seed,
        ).rounded()
        for name, system in others
        for variant in COMPARED_VARIANTS
        for metric in METRICS
    ]


def worst_tasks(
    samples: Sequence[Sample], first: ScoredSystem, second: ScoredSystem, most: int = NUM_WORST_TASKS
) -> list[dict[str, Any]]:
    """The tasks that the second system lost by most, ROUGE-L x100, each with the instance it fell most on."""
    before = first.clusters(samples, RAW, RANKED_BY)
    after = second.clusters(samples, RAW, RANKED_BY)
    categories = {sample.task: sample.category_key for sample in samples}
    examples = {record["task"]: record for record in reversed(list(_differing(samples, first, second)))}
    found = []
    for task, scores in before.items():
        means = sum(scores) / len(scores), sum(after[task]) / len(scores)
        difference = round(means[1] - means[0], 4)
        if difference < 0:
            found.append(
                {
                    "task": task,
                    "category": categories[task],
                    "n": len(scores),
                    "first": round(means[0], 4),
                    "second": round(means[1], 4),
                    "difference": difference,
                    "example": examples[task],
                }
            )
    return sorted(found, key=lambda record: (record["difference"], record["task"]))[:most]


def differences(samples: Sequence[Sample], systems: Mapping[str, ScoredSystem]) -> Iterator[jsonl.Record]:
    """Every instance on which a system scores otherwise than the first, the worst losses first."""
    (first, base), *others = systems.items()
    for name, system in others:
        for record in _differing(samples, base, system):
            yield {"first_system": first, "second_system": name} | record


def _differing(samples: Sequence[Sample], first: ScoredSystem, second: ScoredSystem) -> list[jsonl.Record]:
    found = []
    for sample, before, after in zip(samples, first.scores, second.scores, strict=True):
        difference = after[RAW][RANKED_BY] - before[RAW][RANKED_BY]
        if difference:
            found.append(
                {
                    "id": sample.id,
                    "task": sample.task,
                    "difference": round(difference, 4),
                    "input": sample.input,
                    "references": list(sample.references),
                    "first": first.text(sample),
                    "second": second.text(sample),
                }
            )
    return sorted(found, key=lambda record: record["difference"])
