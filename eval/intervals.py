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


def mean_over_runs(runs: Sequence[Clusters], resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """As `mean_interval` for a system that was made several times: tasks and runs are both resampled.

    The two are drawn apart from each other and crossed (Owen 2007, "The pigeonhole bootstrap"), so that the
    interval holds what another set of tasks and what another seed would have changed. Few runs say little of
    the latter.

    Raises:
        ValueError: the runs do not hold the same tasks with as many instances.
    """
    for other in runs[1:]:
        paired_scores(runs[0], other)  # looks whether they match
    sums = np.array([[np.sum(scores) for scores in run.values()] for run in runs], dtype=np.float64)
    counts = np.array([len(scores) for scores in runs[0].values()], dtype=np.float64)
    drawn, drawn_runs = (
        cluster_draws(len(counts), resamples, seed),
        cluster_draws(len(runs), resamples, seed + 1),
    )
    means = np.einsum("br,rt,bt->b", drawn_runs, sums, drawn) / (drawn @ counts * len(runs))
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(sums.sum() / counts.sum() / len(runs)), float(low), float(high))


def paired_over_runs(
    first: Sequence[Clusters], second: Sequence[Clusters], resamples: int = RESAMPLES, seed: int = 0
) -> PairedDifference:
    """As `paired_difference` for systems made several times, run by run (a task is won by its mean)."""
    differences = [paired_scores(before, after) for before, after in zip(first, second, strict=True)]
    together = {task: [score for run in differences for score in run[task]] for task in differences[0]}
    return PairedDifference(mean_over_runs(differences, resamples, seed), *_won_lost_tied(together))


def paired_difference(
    first: Clusters, second: Clusters, resamples: int = RESAMPLES, seed: int = 0
) -> PairedDifference:
    """How much better the second system is, with an interval over tasks, and the tasks it won and lost.

    Both hold the same instances in the same order; the difference of each instance is what is resampled, so
    that what both find hard cancels out.

    Raises:
        ValueError: the two do not hold the same tasks with as many instances.
    """
    differences = paired_scores(first, second)
    return PairedDifference(mean_interval(differences, resamples, seed), *_won_lost_tied(differences))


def paired_scores(first: Clusters, second: Clusters) -> dict[str, list[float]]:
    """Second minus first, instance by instance (ValueError where they do not match)."""
    if first.keys() != second.keys():
        differ = sorted(first.keys() ^ second.keys())
        raise ValueError(f"not the same tasks in both: {', '.join(differ)}")
    differences = {}
    for task, scores in first.items():
        if len(scores) != len(second[task]):
            raise ValueError(f"{task}: {len(scores)} instances against {len(second[task])}")
        differences[task] = np.subtract(second[task], scores).tolist()
    return differences


def _won_lost_tied(differences: Clusters) -> tuple[int, int, int]:
    # Means of many equal differences can leave a rounding rest where nothing was won.
    means = [round(float(np.mean(scores)), 9) for scores in differences.values()]
    return sum(m > 0 for m in means), sum(m < 0 for m in means), sum(m == 0 for m in means)
