"""The report's figures: drawn from what the runs hold, as PNG and SVG; equal input gives equal bytes."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.experiment.curve import Point, curve_figure
from eval.intervals import Interval
from eval.rating_report import draw_levels
from eval.report.chains import SELF_INSTRUCT, TRAIN, Run, Step
from eval.report.measures import difference, mean_score, on_axis
from selfinstruct import jsonl
from selfinstruct.drawing import KINDS, matplotlib_settings, new_figure, write_figure
from selfinstruct.figures import FOLDER, draw_figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUE, _RED, _GREY = "#2c5f8a", "#b5472f", "#777777"
# Colours of Okabe and Ito, told apart with any colour vision.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_SMOOTHED_STEPS = 20  # of the running mean of the loss
_NARROW_INCHES = 5.4

# What is seen in the figures of generated data (selfinstruct/figures.py), in the order of the report.
# Figures with letters on colours of their own: in the dark only their ground and the letters on it change.
COLOURED = ("verb_objects", "ratings")
DATA_CAPTIONS = {
    "acceptance": "Candidates accepted and rejected as the run went on, and what each stage left.",
    "verb_objects": "The most common root verbs (inner ring), each with its most common objects (outer).",
    "nearest_seed": "How near each generated instruction is to its nearest seed (highest ROUGE-L).",
    "lengths": "Lengths in words of instructions, non-empty inputs and outputs, beside the paper's means.",
    "label_balance": "Labels of the classification tasks: what output-first generation is for.",
    "leaks": "How near generated instructions are to evaluation tasks.",
}


def draw_report_figures(runs: Sequence[Run], folder: Path) -> list[str]:
    """Draw everything the runs have data for into `folder`; returns the names, without their endings."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[str] = []
    for run in runs:
        drawn += [f"{name}_{run.slug}" for name in _draw_data(run, folder)]
        for name, draw in _OF_A_RUN.items():
            with matplotlib_settings():
                figure = draw(run)
                if figure is not None:
                    write_figure(figure, folder / f"{name}_{run.slug}")
                    drawn.append(f"{name}_{run.slug}")
        drawn += _draw_ratings(run, folder)
    return drawn


def _draw_data(run: Run, folder: Path) -> list[str]:
    if "funnel" not in run.first.statistics:
        return []
    with tempfile.TemporaryDirectory() as scratch:
        names = draw_figures(Path(scratch), run.first.statistics)
        _move(Path(scratch) / FOLDER, names, folder, run.slug)
    return names


def _draw_ratings(run: Run, folder: Path) -> list[str]:
    systems = (run.first.ratings or {}).get("systems")
    if not systems:
        return []
    with tempfile.TemporaryDirectory() as scratch:
        draw_levels(systems, Path(scratch))
        _move(Path(scratch), ["ratings"], folder, run.slug)
    return [f"ratings_{run.slug}"]


def _curve(run: Run) -> "Figure | None":
    names = on_axis(run)
    if len(names) < 2:
        return None
    points = [
        Point(
            float(run.systems[name].x or 0),
            mean_score(run, name),
            [float(each.scores["rougeL"]["value"]) for each in run.each_seed(name)],
        )
        for name in names
    ]
    levels = [(s.label, mean_score(run, name).value) for name, s in run.systems.items() if s.x is None]
    return curve_figure(points, levels, run.axis)


def _move(source: Path, names: Sequence[str], folder: Path, slug: str) -> None:
    for name in names:
        for kind in KINDS:
            content = (source / f"{name}.{kind}").read_bytes()
            jsonl.replace_bytes(folder / f"{name}_{slug}.{kind}", content)


def _systems(run: Run) -> "Figure | None":
    if not run.systems:
        return None
    rows = [(system.label, mean_score(run, name)) for name, system in run.systems.items()]
    benchmark = next(iter(run.systems.values())).benchmark["label"]
    bold = run.systems[SELF_INSTRUCT].label if SELF_INSTRUCT in run.systems else ""
    return _dots(rows, f"ROUGE-L on {benchmark} (x100, 95 % intervals)", "{:.1f}", zero=False, bold=bold)


def _differences(run: Run) -> "Figure | None":
    pairs = [pair for pair in run.differences if set(pair) <= run.systems.keys()]
    rows = [
        (
            f"{run.systems[second].label} minus {run.systems[first].label}",
            difference(run, first, second).difference,
        )
        for first, second in pairs
    ]
    if not rows:
        return None
    return _dots(rows, "difference in ROUGE-L points (95 % intervals)", "{:+.1f}", zero=True)


def _dots(
    rows: Sequence[tuple[str, Interval]], xlabel: str, form: str, zero: bool, bold: str = ""
) -> "Figure":
    """A dot with its interval a row, the first on top, its label above it; narrow enough for a phone.

    Args:
        bold: the label to stand out.
        zero: the values are differences: grey and hollow where the interval holds 0, red below it.
    """
    figure = new_figure(_NARROW_INCHES, 0.7 + 0.46 * len(rows))
    axes = figure.subplots()
    for row, (label, found) in enumerate(rows):
        is_open = zero and not found.excludes_zero
        colour = _GREY if is_open else _RED if zero and found.high < 0 else _BLUE
        axes.plot([found.low, found.high], [row, row], color=colour, linewidth=2.5, solid_capstyle="butt")
        axes.plot(
            *([found.value], [row], "o"),
            color=colour,
            markerfacecolor="white" if is_open else colour,
            markersize=7,
        )
        axes.annotate(
            *(label, (0, row), (0, 8)),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            size=9,
            weight="bold" if label == bold else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},  # the line of 0 behind it
        )
        axes.annotate(
            *(form.format(found.value), (1, row), (12, -3)),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            weight="bold" if label == bold else "normal",
        )
    axes.set_yticks([])
    axes.set_ylim(len(rows) - 0.6, -0.8)
    low, high = min(0.0, *(f.low for _, f in rows)), max(f.high for _, f in rows)
    axes.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=_GREY, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    if zero:
        axes.axvline(0, color=_GREY, linewidth=1, zorder=0)
    axes.set_xlabel(xlabel)
    return figure


def _training(run: Run) -> "Figure | None":
    curves = [(step, _losses(step)) for step in run.first.of(TRAIN)]
    curves = [(step, losses) for step, losses in curves if losses]
    if not curves:
        return None
    figure = new_figure(_NARROW_INCHES, 3.2)
    axes = figure.subplots()
    for (step, losses), colour in zip(curves, _cycled(len(curves)), strict=True):
        numbers, values = zip(*losses, strict=True)
        axes.plot(numbers, _running_mean(values), color=colour, label=step.name.replace("_", " "))
    axes.set(xlabel="step", ylabel="nats a trained token")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure


def _losses(step: Step) -> list[tuple[int, float]]:
    lines = jsonl.read_if_there(step.path / "metrics.jsonl")
    return [(line["step"], line["loss"]) for line in lines if "loss" in line]


def _cycled(count: int) -> Iterator[str]:
    return (_COLOURS[position % len(_COLOURS)] for position in range(count))


def _running_mean(values: Sequence[float]) -> list[float]:
    windows = (values[max(0, end - _SMOOTHED_STEPS) : end] for end in range(1, len(values) + 1))
    return [sum(window) / len(window) for window in windows]


_OF_A_RUN: dict[str, Callable[[Run], "Figure | None"]] = {
    "systems": _systems,
    "differences": _differences,
    "training": _training,
    "curve": _curve,
}
