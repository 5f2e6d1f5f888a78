"""An experiment with several seeds: means over them, and a curve where its systems lie on an axis."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.experiment.config import ReproduceConfig
from eval.experiment.results import clusters, read_summary
from eval.intervals import Clusters, Interval, PairedDifference, mean_over_runs, paired_over_runs
from eval.tables import Cell, Table
from selfinstruct.drawing import matplotlib_settings, new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUE, _GREY = "#2c5f8a", "#777777"
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
    with matplotlib_settings():
        write_figure(_curve(runs), path)


def _curve(runs: Sequence[ReproduceConfig]) -> "Figure":
    first = runs[0]
    on_axis = sorted((system.x, name) for name, system in first.systems.items() if system.x is not None)
    places = [x for x, _ in on_axis]
    scores = [_scores(runs, name) for _, name in on_axis]
    means = [_mean(each) for each in scores]
    figure = new_figure(7, 4.5)
    axes = figure.subplots()
    axes.fill_between(places, [m.low for m in means], [m.high for m in means], color=_BLUE, alpha=0.15, lw=0)
    axes.plot(places, [m.value for m in means], color=_BLUE, marker="o", label=f"mean of {len(runs)} seeds")
    for position in range(len(runs)):
        values = [_by_seed(each)[position] for each in scores]
        axes.plot(
            places, values, "x", color=_BLUE, ms=5, alpha=0.7, label="each seed" if not position else None
        )
    for name, system in first.systems.items():
        if system.x is None:
            level = _mean(_scores(runs, name)).value
            axes.axhline(level, color=_GREY, ls=":", lw=1)
            axes.text(places[-1], level, f"{system.label} ", color=_GREY, ha="right", va="bottom", fontsize=8)
    axes.set_xscale("log")
    axes.set_xticks(places, [f"{x:g}" for x in places])
    axes.minorticks_off()
    axes.set_xlabel(first.curve or "")
    axes.set_ylabel("ROUGE-L")
    axes.set_ylim(0, 100)
    axes.set_title(first.title)
    axes.legend(frameon=False, loc="lower right")
    return figure


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
