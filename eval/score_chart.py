"""The bar chart of phase 3a: ROUGE-L overall, on the official tasks beside the paper's, and by category.

python scripts/eval_superni.py run_dir=runs/eval   # writes figures/rougeL.png and figures/rougeL.svg
"""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.superni import SUPERNI
from selfinstruct.drawing import matplotlib_settings, new_figure, write_figure
from selfinstruct.paper_numbers import published

CHART = Path("figures") / "rougeL"
_GREY = "#b8b8b8"
# Colours of Okabe and Ito, told apart with any colour vision.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_LONGEST_LABEL = 44  # characters
_LONGEST_SETTING = 600  # characters
_BAR_INCHES, _LINE_INCHES = 0.26, 0.13


def draw_score_chart(
    folder: Path, systems: Mapping[str, Mapping[str, Any]], benchmark: Mapping[str, Any], setting: str
) -> None:
    """Draw the ROUGE-L (x100) of systems, name -> metrics.json; equal metrics give equal bytes.

    Args:
        benchmark: what of it all of them stand for, as metrics.json holds it.
        setting: how the systems were asked, in one line.
    """
    categories = list(dict.fromkeys(key for metrics in systems.values() for key in metrics["categories"]))
    papers = _papers_bars(benchmark)
    num_overall = len(papers) + len(systems)
    num_bars = len(categories) * len(systems)
    heights = [num_overall * _BAR_INCHES + 0.6, (num_bars + 0.6 * len(categories)) * _BAR_INCHES + 0.6]
    with matplotlib_settings():
        lines = textwrap.wrap(_short(setting, _LONGEST_SETTING), 110)
        figure = new_figure(8, sum(heights) + 0.6 + _LINE_INCHES * len(lines))
        figure.suptitle(_short(f"ROUGE-L on {benchmark['label']}", 90))
        figure.supxlabel("\n".join(lines), fontsize=7, x=0.02, ha="left")
        top, below = figure.subplots(2, 1, height_ratios=heights)
        _draw_overall(top, papers, systems)
        _draw_categories(below, categories, systems)
        write_figure(figure, folder / CHART)


def _papers_bars(benchmark: Mapping[str, Any]) -> list[tuple[str, float]]:
    if benchmark["name"] != SUPERNI or benchmark["track"] != "default" or "predicted" in benchmark:
        return []
    return [(f"{row['system']} (paper)", row["rougeL"]) for row in published("superni").values]


def _draw_overall(
    axes: Any, papers: list[tuple[str, float]], systems: Mapping[str, Mapping[str, Any]]
) -> None:
    names = [name for name, _ in papers] + [_short(name) for name in systems]
    axes.barh(range(len(papers)), [value for _, value in papers], 0.75, color=_GREY)
    for row, (_, value) in enumerate(papers):
        axes.text(value + 1, row, f"{value:.1f}", va="center", fontsize=8)
    for number, metrics in enumerate(systems.values()):
        _bar(axes, len(papers) + number, metrics["overall"]["rougeL"], 0.75, number)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(0, 108), title="overall")
    axes.invert_yaxis()


def _draw_categories(axes: Any, categories: list[str], systems: Mapping[str, Mapping[str, Any]]) -> None:
    step = len(systems) + 0.6
    for number, metrics in enumerate(systems.values()):
        for row, key in enumerate(categories):
            if group := metrics["categories"].get(key):
                _bar(axes, row * step + number, group["rougeL"], 0.9, number)
    middle = (len(systems) - 1) / 2
    axes.set_yticks([row * step + middle for row in range(len(categories))], [_words(k) for k in categories])
    axes.set(xlim=(0, 108), xlabel="ROUGE-L x100 with 95 % intervals", title="by category")
    axes.invert_yaxis()


def _bar(axes: Any, row: float, found: Mapping[str, float], height: float, number: int) -> None:
    value = found["value"]
    errors = [[max(0.0, value - found["low"])], [max(0.0, found["high"] - value)]]
    colour = _COLOURS[number % len(_COLOURS)]
    axes.barh([row], [value], height, color=colour, xerr=errors, error_kw={"elinewidth": 1, "capsize": 2})
    axes.text(max(value, found["high"]) + 1, row, f"{value:.1f}", va="center", fontsize=8)


def _words(key: str) -> str:
    return _short(key.replace("_", " "))


def _short(text: str, longest: int = _LONGEST_LABEL) -> str:
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"
