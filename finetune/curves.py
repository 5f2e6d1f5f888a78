"""The figure of a run: loss and learning rate of each step, from metrics.jsonl."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfinstruct.drawing import matplotlib_settings, new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMOOTHED_STEPS = 20  # of the running mean beside the loss of each step
_LOSS, _MEAN, _RATE = "#9dbbd5", "#2c5f8a", "#b5472f"


def draw_curves(path: Path, metrics: Sequence[dict[str, Any]]) -> None:
    """Write `path`.png and `path`.svg; equal metrics give equal bytes."""
    steps = [line for line in metrics if "loss" in line]
    with matplotlib_settings():
        write_figure(_curves(steps), path)


def _curves(steps: Sequence[dict[str, Any]]) -> "Figure":
    figure = new_figure(7.2, 3.4)
    loss, rate = figure.subplots(1, 2)
    numbers, losses = [line["step"] for line in steps], [line["loss"] for line in steps]
    loss.plot(numbers, losses, color=_LOSS, linewidth=1, label="each step")
    loss.plot(numbers, _running_mean(losses), color=_MEAN, label=f"mean of the last {SMOOTHED_STEPS}")
    loss.set(xlabel="step", ylabel="nats a trained token", title="Loss")
    loss.legend(frameon=False)
    rate.plot(numbers, [line["learning_rate"] for line in steps], color=_RATE)
    rate.set(xlabel="step", title="Learning rate")
    rate.set_ylim(bottom=0)
    return figure


def _running_mean(values: Sequence[float]) -> list[float]:
    windows = (values[max(0, end - SMOOTHED_STEPS) : end] for end in range(1, len(values) + 1))
    return [sum(window) / len(window) for window in windows]
