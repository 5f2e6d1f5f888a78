"""The figure of an experiment whose systems lie on an axis: scores, say over the size of the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eval.intervals import Interval
from selfinstruct.drawing import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUE, _GREY = "#2c5f8a", "#777777"


@dataclass(frozen=True)
class Point:
    """A place on the axis, the mean there with its 95 % interval, and the value of each seed."""

    x: float
    mean: Interval
    by_seed: Sequence[float]


def curve_figure(points: Sequence[Point], levels: Sequence[tuple[str, float]], axis: str) -> "Figure":
    """ROUGE-L x100 of the points, joined, over a logarithmic axis; `levels` as lines with their names."""
    places = [point.x for point in points]
    means = [point.mean for point in points]
    num_seeds = len(points[0].by_seed)
    figure = new_figure(5.4, 3.8)  # narrow enough for a phone
    axes = figure.subplots()
    low, high = [m.low for m in means], [m.high for m in means]
    axes.fill_between(places, low, high, color=_BLUE, alpha=0.15, lw=0, label="95 % interval")
    several = f"mean of {num_seeds} seeds" if num_seeds > 1 else "mean"
    axes.plot(places, [m.value for m in means], color=_BLUE, marker="o", label=several)
    for seed in range(num_seeds if num_seeds > 1 else 0):
        values = [point.by_seed[seed] for point in points]
        label = "each seed" if seed == 0 else None
        axes.plot(places, values, "x", color=_BLUE, ms=5, alpha=0.7, label=label)
    for label, level in levels:
        axes.axhline(level, color=_GREY, ls=":", lw=1)
        axes.text(places[0], level, label, color=_GREY, va="bottom", fontsize=8)
    axes.set_xscale("log")
    axes.set_xticks(places, [f"{x:g}" for x in places])
    axes.minorticks_off()
    axes.set_xlabel(axis)
    axes.set_ylabel("ROUGE-L (x100)")
    axes.set_ylim(0, 100)
    axes.legend(frameon=False, loc="lower right")
    return figure
