"""The stacked bars of human ratings, as in the paper's figure of its human evaluation.

python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.ratings import LEVELS
from selfinstruct.drawing import matplotlib_settings, new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Blue to red over pale middles: told apart in grey and with any colour vision.
_COLOURS = {"A": "#2c5f8a", "B": "#a3c4dc", "C": "#f2c48d", "D": "#b5472f"}
_MEANINGS = {
    "A": "A valid and satisfying",
    "B": "B minor errors",
    "C": "C significant errors",
    "D": "D irrelevant or invalid",
}


def draw_levels(systems: Mapping[str, Any], folder: Path) -> None:
    """The paper's stacked bars, a bar a system, best A+B rate on top: `ratings.png` and `ratings.svg`."""
    with matplotlib_settings():
        write_figure(_levels_figure(systems), folder / "ratings")


def _levels_figure(systems: Mapping[str, Any]) -> "Figure":
    names = sorted(systems, key=lambda name: (systems[name]["A+B"]["value"], systems[name]["A"]["value"]))
    figure = new_figure(8, 1.3 + 0.5 * len(names))
    axes = figure.subplots()
    labels = [f"{_short(name)} (n={systems[name]['n']})" for name in names]
    left = np.zeros(len(names))
    for level in LEVELS:
        shares = np.array([systems[name]["shares"][level] for name in names])
        axes.barh(
            range(len(names)), shares, left=left, color=_COLOURS[level], label=_MEANINGS[level], height=0.7
        )
        for row, (start, share) in enumerate(zip(left, shares, strict=True)):
            if share >= 4:  # else the number does not fit
                shade = "white" if level in "AD" else "black"
                name = (
                    f"inside_{level}_{row}"  # the report's page leaves these letters as they are in the dark
                )
                place = (start + share / 2, row)
                axes.text(*place, f"{share:.0f}", ha="center", va="center", color=shade, gid=name)
        left += shares
    for row, name in enumerate(names):
        good = systems[name]["A+B"]
        axes.text(101, row, f"A+B {good['value']:.0f} [{good['low']:.0f}, {good['high']:.0f}]", va="center")
    axes.set_yticks(range(len(names)), labels)
    axes.set_xlim(0, 100)
    axes.set_xlabel("answers, % (A+B with its 95 % interval)")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize="small")
    return figure


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"
