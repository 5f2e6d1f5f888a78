"""An experiment with several seeds: means over them, and a curve where its systems lie on an axis."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.experiment.config import ReproduceConfig
from eval.experiment.curve import Point, curve_figure
from eval.experiment.results import clusters, read_summary
from eval.intervals import Clusters, Interval, PairedDifference, mean_over_runs, paired_over_runs
from eval.tables import Cell, Table
from selfinstruct.drawing import matplotlib_settings, write_figure

NOTE = "ROUGE-L x100; 95 % intervals by bootstrap over tasks and seeds together; then the mean of each seed."


def summarise_seeds(runs: Sequence[ReproduceConfig]) -> dict[str, Any]:
    """`summary.json` over seeds: each system's mean with its interval and the value of each seed."""
    first = runs[0]
    summary: dict[str, Any] = {"experiment": first.experiment_name, "seeds": [run.seed for run in runs]}
    for name in first.systems:
        scores = _scores(runs, name)
        mean = _mean(scores).rounded()
        summary[name] = {
            "rougeL": mean["value"],
            "low": mean["low"],
            "high": mean["high"],
            "n": sum(len(task) for run in scores for task in run.values()),
            "by_seed": [round(value, 4) for value in _by_seed(scores)],
        }
    summary["differences"] = {
        f"{second} - {base}": {
            **paired.difference.rounded(),
            "tasks_won": paired.tasks_won,
            "tasks_lost": paired.tasks_lost,
        }
        for base, second in first.differences
        for paired in [_paired(runs, base, second)]
    }
    summary["seconds"] = round(sum(read_summary(run)["seconds"] for run in runs), 1)
    return summary


def tables_over_seeds(runs: Sequence[ReproduceConfig]) -> list[Table]:
    """The systems, and their differences, as means over the seeds with the value of each seed."""
    first = runs[0]
    seeds = tuple(f"seed {run.seed}" for run in runs)
    rows: list[tuple[Cell, ...]] = []
    for name, system in first.systems.items():
        scores = _scores(runs, name)
        rows.append((system.label, _mean(scores), *_by_seed(scores)))
    differences: list[tuple[Cell, ...]] = []
    for base, second in first.differences:
        label = f"{first.systems[second].label} minus {first.systems[base].label}"
        paired = _paired(runs, base, second)
        each = [
            a - b for a, b in zip(*(_by_seed(_scores(runs, name)) for name in (second, base)), strict=True)
        ]
        differences.append((label, paired, paired.tasks_won, paired.tasks_lost, *each))
    columns = ("ROUGE-L", "difference", "tasks won", "tasks lost", *seeds)
    return [
        Table(f"{first.title}: {len(runs)} seeds", ("system", "ROUGE-L", *seeds), tuple(rows), (NOTE,)),
        Table(f"{first.title}: differences, {len(runs)} seeds", columns, tuple(differences)),
    ]


def draw_curve(runs: Sequence[ReproduceConfig], path: Path) -> None:
    """The systems that have an `x`, as a curve with its interval; the others as level lines."""
    first = runs[0]
    placed = sorted((system.x, name) for name, system in first.systems.items() if system.x is not None)
    scores = {name: _scores(runs, name) for name in first.systems}
    points = [Point(x, _mean(scores[name]), _by_seed(scores[name])) for x, name in placed]
    levels = [(s.label, _mean(scores[name]).value) for name, s in first.systems.items() if s.x is None]
    with matplotlib_settings():
        write_figure(curve_figure(points, levels, first.curve or ""), path)


def _scores(runs: Sequence[ReproduceConfig], name: str) -> list[Clusters]:
    return [clusters(run, name) for run in runs]


def _mean(scores: Sequence[Clusters]) -> Interval:
    return mean_over_runs(scores)


def _paired(runs: Sequence[ReproduceConfig], base: str, second: str) -> PairedDifference:
    return paired_over_runs(_scores(runs, base), _scores(runs, second))


def _by_seed(scores: Sequence[Clusters]) -> list[float]:
    return [
        sum(sum(task) for task in run.values()) / sum(len(task) for task in run.values()) for run in scores
    ]
