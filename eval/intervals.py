"""95 % intervals by bootstrap over clusters (tasks), and the paired comparison of two systems.

python -c "from eval.intervals import mean_interval; print(mean_interval({'a': [0, 100], 'b': [50]}))"
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from selfinstruct.errors import UserError

# One list of per-instance scores a cluster, in any unit; the cluster is the task where there are several.
Clusters = Mapping[str, Sequence[float]]

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass
class IntervalsConfig:
    """How the 95 % intervals are drawn."""

    resamples: int
    seed: int

    def __post_init__(self) -> None:
        for name, least in (("resamples", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise UserError(f"intervals.{name}: {getattr(self, name)} must be at least {least}")


@dataclass(frozen=True)
class Interval:
    """A mean and the bounds of its interval, in the unit of the scores."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Mapping[str, float]) -> "Interval":
        """The interval of a `{value, low, high}` in metrics.json, whatever else stands there."""
        return cls(values["value"], values["low"], values["high"])

    def rounded(self) -> dict[str, float]:
        """`{value, low, high}` to 4 decimals, as metrics.json holds them."""
        return {name: round(float(getattr(self, name)), 4) + 0.0 for name in ("value", "low", "high")}

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class PairedDifference:
    """Second system minus first, on the same instances; a task is won where the second's mean is higher."""

    difference: Interval
    tasks_won: int
    tasks_lost: int
    tasks_tied: int

    def rounded(self) -> dict[str, float | int]:
        """`{value, low, high, tasks_won, tasks_lost, tasks_tied}`, as metrics.json holds them."""
        counts = {"tasks_won": self.tasks_won, "tasks_lost": self.tasks_lost, "tasks_tied": self.tasks_tied}
        return {**self.difference.rounded(), **counts}


def mean_interval(clusters: Clusters, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Mean over all instances and its 95 % percentile interval, whole clusters resampled with replacement.

    A single cluster has no second one to differ from: then its instances are resampled.

    Raises:
        ValueError: there is no instance.
    """
    if len(clusters) == 1:
        (scores,) = clusters.values()
        clusters = {str(position): [score] for position, score in enumerate(scores)}
    sums = np.array([np.sum(scores) for scores in clusters.values()], dtype=np.float64)
    counts = np.array([len(scores) for scores in clusters.values()], dtype=np.float64)
    if not counts.sum():
        raise ValueError("no instance to take a mean of")
    if not counts.all():
        raise ValueError("a cluster without instances")
    drawn = cluster_draws(len(sums), resamples, seed)
    means = (drawn @ sums) / (drawn @ counts)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(sums.sum() / counts.sum()), float(low), float(high))


@lru_cache(maxsize=8)
def cluster_draws(clusters: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """How often each cluster is drawn in each resample: (resamples, clusters), each row sums to `clusters`.

    The draws depend on nothing but the three numbers, so that systems and metrics share them.
    """
    generator = np.random.default_rng([seed, clusters])
    counts = generator.multinomial(clusters, np.full(clusters, 1.0 / clusters), size=resamples)
    drawn = counts.astype(np.float64)
    drawn.flags.writeable = False
    return drawn


def paired_difference(
    first: Clusters, second: Clusters, resamples: int = RESAMPLES, seed: int = 0
) -> PairedDifference:
    """How much better the second system is, with an interval over tasks, and the tasks it won and lost.

    Both hold the same instances in the same order; the difference of each instance is what is resampled, so
    that what both find hard cancels out.

    Raises:
        ValueError: the two do not hold the same tasks with as many instances.
    """
    if first.keys() != second.keys():
        differ = sorted(first.keys() ^ second.keys())
        raise ValueError(f"not the same tasks in both: {', '.join(differ)}")
    differences = {}
    for task, scores in first.items():
        if len(scores) != len(second[task]):
            raise ValueError(f"{task}: {len(scores)} instances against {len(second[task])}")
        differences[task] = np.subtract(second[task], scores).tolist()
    # Means of many equal differences can leave a rounding rest where nothing was won.
    means = [round(float(np.mean(scores)), 9) for scores in differences.values()]
    return PairedDifference(
        difference=mean_interval(differences, resamples, seed),
        tasks_won=sum(mean > 0 for mean in means),
        tasks_lost=sum(mean < 0 for mean in means),
        tasks_tied=sum(mean == 0 for mean in means),
    )
