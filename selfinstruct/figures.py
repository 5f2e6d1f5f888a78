"""The figures of a run folder, drawn from its statistics: `figures/*.png` and `figures/*.svg`.

Equal statistics give equal bytes (with one version of matplotlib): no clock times, its own font and settings.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfinstruct.drawing import delete_figure, matplotlib_settings, new_figure, shortened, write_figure
from selfinstruct.ring_chart import draw_ring, hues, paler

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = "figures"
_BLUE, _PAPER_RED = "#2c5f8a", "#b5472f"
# Colours of Okabe and Ito, told apart with any colour vision; grey for what is beyond them.
_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999")


def draw_figures(folder: Path, statistics: Mapping[str, Any]) -> list[str]:
    """Draw every figure whose counts are there, anew, and delete those whose counts are not.

    Returns:
        The names of the figures drawn, without their endings.
    """
    drawn = []
    with matplotlib_settings():
        for name, draw in _FIGURES.items():
            figure = draw(statistics)
            if figure is None:
                delete_figure(folder / FOLDER / name)
            else:
                write_figure(figure, folder / FOLDER / name)
                drawn.append(name)
    return drawn


def delete_figures(folder: Path) -> None:
    """Delete what `draw_figures` draws."""
    for name in _FIGURES:
        delete_figure(folder / FOLDER / name)


# ---- one function a figure; None where the statistics lack its counts


def _acceptance(statistics: Mapping[str, Any]) -> "Figure | None":
    steps = statistics.get("requests", {}).get("acceptance", [])
    if not steps:
        return None
    figure = new_figure(11, 4.8)
    over_time, whole = figure.subplots(1, 2, width_ratios=(3, 2))
    ends = [step["up_to_candidate"] for step in steps]
    widths = [step["candidates"] for step in steps]
    lefts = [end - width for end, width in zip(ends, widths, strict=True)]
    bottoms = [0.0] * len(steps)
    for label, counts, colour in _acceptance_layers(steps):
        heights = [1000 * count / width for count, width in zip(counts, widths, strict=True)]
        over_time.bar(
            *(lefts, heights, widths, bottoms),
            align="edge",
            color=colour,
            edgecolor="white",
            linewidth=0.4,
            label=_words(label),
        )
        bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
    over_time.set(
        xlim=(0, ends[-1]), ylim=(0, 1000), xlabel="candidates so far", ylabel="of 1,000 candidates"
    )
    over_time.xaxis.set_major_formatter("{x:,.0f}")
    over_time.set_title(f"Candidates accepted and rejected over time (n = {ends[-1]:,})")
    figure.legend(*over_time.get_legend_handles_labels(), loc="outside lower left", ncols=4, frameon=False)
    _draw_funnel(whole, statistics["funnel"])
    return figure


def _acceptance_layers(steps: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[int], str]]:
    """Label, counts a step and colour: the accepted, then reasons for rejection, the most frequent first."""
    totals: dict[str, int] = {}
    for step in steps:
        for reason, count in step["rejected"].items():
            totals[reason] = totals.get(reason, 0) + count
    reasons = sorted(totals, key=lambda reason: (-totals[reason], reason))
    named, others = reasons[: len(_COLOURS) - 1], reasons[len(_COLOURS) - 1 :]
    layers = [("accepted", [step["accepted"] for step in steps], _BLUE)]
    layers += [
        (reason, [step["rejected"].get(reason, 0) for step in steps], colour)
        for reason, colour in zip(named, _COLOURS, strict=False)
    ]
    if others:
        rest = [sum(step["rejected"].get(reason, 0) for reason in others) for step in steps]
        layers.append((f"{len(others)} other reasons", rest, _COLOURS[-1]))
    return layers


def _draw_funnel(axes: "Axes", funnel: Mapping[str, int]) -> None:
    names = {
        "candidates": "candidates",
        "passed_filters": "passed the filters",
        "novel": "novel: accepted",
        "asked_for_instances": "asked for instances",
        "with_instances": "with an instance",
    }
    rows = [(names[key], count) for key, count in funnel.items()]
    labels, counts = [name for name, _ in rows], [count for _, count in rows]
    axes.barh(labels, counts, color=_BLUE)
    axes.invert_yaxis()
    for row, count in enumerate(counts):
        axes.text(count, row, f" {count:,}", va="center")
    axes.set_xlim(0, max(counts) * 1.2 or 1)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_title("What is left (instructions)")


def _nearest_seed(statistics: Mapping[str, Any]) -> "Figure | None":
    nearest = statistics.get("nearest_seed")
    if nearest is None:
        return None
    figure = new_figure(7, 4.2)
    axes = figure.subplots()
    width, counts = nearest["bin_width"], nearest["counts"]
    axes.bar(
        [i * width for i in range(len(counts))], counts, width, align="edge", color=_BLUE, edgecolor="white"
    )
    axes.axvline(nearest["mean"], color="black", linestyle="--", label=f"mean {nearest['mean']:.2f}")
    axes.set(xlim=(0, 1), xlabel="highest ROUGE-L with a seed task", ylabel="instructions")
    axes.set_title(f"How near generated instructions are to the seeds (n = {nearest['n']:,})")
    axes.legend(frameon=False)
    return figure


def _lengths(statistics: Mapping[str, Any]) -> "Figure | None":
    instructions, instances = statistics.get("instructions"), statistics.get("instances")
    if instructions is None:
        return None
    paper = statistics["paper"]
    panels = [
        (
            "instructions",
            instructions["words"],
            instructions["mean_words"],
            paper["instructions"]["mean_words"],
        )
    ]
    if instances is not None:
        panels += [
            (
                f"{what}s",
                instances[f"words_{key}"],
                instances[f"mean_words_{key}"],
                paper["instances"][f"mean_words_{key}"],
            )
            for what, key in (("non-empty input", "input"), ("output", "output"))
        ]
    panels = [panel for panel in panels if panel[1]["n"]]
    figure = new_figure(4.2 * len(panels), 3.8)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_lengths(axes, *panel)
    return figure


def _draw_lengths(
    axes: "Axes", what: str, lengths: Mapping[str, Any], mean: float, paper_mean: float
) -> None:
    width, counts = lengths["bin_width"], lengths["counts"]
    edges = [i * width for i in range(len(counts))]
    axes.bar(edges, counts, width, align="edge", color=_BLUE, edgecolor="white", linewidth=0.5)
    if lengths["longer"]:
        last = len(counts) * width
        axes.bar(
            [last], [lengths["longer"]], width, align="edge", color=_COLOURS[-1], label=f"{last} or more"
        )
    axes.axvline(mean, color="black", linestyle="--", label=f"mean {mean}")
    axes.axvline(paper_mean, color=_PAPER_RED, linestyle=":", label=f"the paper's mean {paper_mean}")
    axes.set(xlabel="words", ylabel=what)
    axes.set_xlim(left=0)
    axes.set_ylim(top=1.35 * max(counts))  # room for the legend
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    axes.set_title(f"Length of {what} (n = {lengths['n']:,})")
    axes.legend(edgecolor="none", fontsize="small")


def _verb_objects(statistics: Mapping[str, Any]) -> "Figure | None":
    found = statistics.get("verb_objects")
    if found is None or not found["top"]:
        return None
    figure = new_figure(10, 10.6)
    axes = figure.subplots()
    colours = hues(len(found["top"]))
    inner = [
        (verb["verb"], sum(o["count"] for o in verb["objects"]), c)
        for verb, c in zip(found["top"], colours, strict=True)
    ]
    outer = [
        (o["object"], o["count"], paler(colour, 0.35 + 0.12 * place))
        for verb, colour in zip(found["top"], colours, strict=True)
        for place, o in enumerate(verb["objects"])
    ]
    draw_ring(axes, inner, 0.38, 0.92, 11)
    draw_ring(axes, outer, 0.92, 1.4, 8.5)
    axes.set(xlim=(-1.42, 1.42), ylim=(-1.42, 1.42), aspect="equal")
    axes.axis("off")
    axes.text(0, 0, f"{found['shown']:,}\ninstructions", ha="center", va="center")
    axes.set_title(
        f"The {len(found['top'])} most common root verbs (inner ring), "
        "each with its up to 4 most common direct noun objects (outer ring)\n"
        f"n = {found['instructions']:,} instructions, {found['with_pair']:,} with such a pair; shown: "
        f"{found['shown']:,} ({100 * found['shown_share']:.0f} %; the paper's chart: 14 %)\n"
        f"read by {found['read_by']}"
    )
    return figure


def _label_balance(statistics: Mapping[str, Any]) -> "Figure | None":
    balance = statistics.get("label_balance")
    if balance is None or not balance["instances"]:
        return None
    figure = new_figure(11, 4.8)
    labels, tasks = figure.subplots(1, 2, width_ratios=(3, 2))
    most = balance["most_common"]
    rows = range(len(most))
    labels.barh(rows, [entry["count"] for entry in most], color=_BLUE)
    labels.set_yticks(rows, [shortened(entry["label"]) for entry in most], fontsize=8)
    labels.invert_yaxis()
    labels.set_xlabel("instances")
    labels.xaxis.set_major_formatter("{x:,.0f}")
    labels.set_title(
        f"The {len(most)} most common of {balance['distinct_labels']:,} labels\n"
        f"(n = {balance['instances']:,} instances of {balance['tasks']:,} classification tasks)"
    )
    by_labels = {int(number): count for number, count in balance["tasks_by_labels"].items()}
    numbers = range(1, max(by_labels, default=1) + 1)
    tasks.bar(numbers, [by_labels.get(number, 0) for number in numbers], color=_BLUE, width=0.7)
    tasks.set_xticks(numbers)
    tasks.set(xlabel="different labels among a task's instances", ylabel="classification tasks")
    tasks.set_title(
        "Labels of a task (n = "
        f"{balance['tasks_with_several_instances']:,} tasks\nwith two instances or more)"
    )
    return figure


def _leaks(statistics: Mapping[str, Any]) -> "Figure | None":
    leaks = statistics.get("leaks")
    if not leaks:
        return None
    figure = new_figure(8, 1.6 + 0.75 * len(leaks))
    axes = figure.subplots()
    rows = range(len(leaks))
    for key, label, shift, colour in (
        ("mean_nearest", "generated, mean", -0.22, _BLUE),
        ("highest", "generated, highest", 0, _COLOURS[1]),
        ("seeds_mean_nearest", "seeds, mean", 0.22, _COLOURS[-1]),
    ):
        values = [entry[key] or 0 for entry in leaks]
        axes.barh([row + shift for row in rows], values, 0.2, color=colour, label=label)
        for row, value in zip(rows, values, strict=True):
            axes.text(value + 0.005, row + shift, f"{value:.2f}", va="center", fontsize=8)
    axes.axvline(0.7, color=_PAPER_RED, linestyle=":", label="leak from 0.7 on")
    names = [
        f"{shortened(entry['evaluation'])}\n{entry['tasks']:,} tasks, {entry['leaks']:,} leaks"
        for entry in leaks
    ]
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="ROUGE-L with the nearest evaluation task")
    axes.set_title(
        f"Generated instructions and evaluation tasks (n = {statistics['instructions']['count']:,})"
    )
    axes.legend(frameon=False, fontsize="small", loc="lower right")
    return figure


def _words(reason: str) -> str:
    return reason.replace("_", " ")


_FIGURES: dict[str, Callable[[Mapping[str, Any]], "Figure | None"]] = {
    "acceptance": _acceptance,
    "nearest_seed": _nearest_seed,
    "lengths": _lengths,
    "verb_objects": _verb_objects,
    "label_balance": _label_balance,
    "leaks": _leaks,
}
