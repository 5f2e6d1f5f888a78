"""One progress bar for everything long: live on a terminal, a plain line now and then elsewhere."""

import sys
from collections.abc import Callable
from typing import Any, TextIO

from tqdm import tqdm


class _Lines:
    """A stream in which each state of a bar is a line of its own: logs hold no carriage returns."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        if state := text.strip():
            self._stream.write(f"{state}\n")

    def flush(self) -> None:
        self._stream.flush()


class _Bar(tqdm):
    """A bar that asks what to say beside it when it is drawn, and only then."""

    describe: Callable[[int], str] | None = None

    @property
    def format_dict(self) -> dict[str, Any]:
        values = super().format_dict
        if self.describe is not None:
            values["postfix"] = self.describe(self.n)
        return values


def progress_bar(
    name: str,
    total: int | None,
    done: int = 0,
    unit: str = "it",
    disable: bool = False,
    form: str | None = None,
    describe: Callable[[int], str] | None = None,
) -> "tqdm[Any]":
    """A bar that starts at `done` of `total` units (None: nobody knows), on stderr; bytes (B) as kB, MB...

    Args:
        form: of the whole line, in tqdm's words; None for its own.
        describe: what stands at its end, given how many are done.
    """
    live = sys.stderr.isatty()
    bar = _Bar(
        total=total,
        initial=done,
        desc=name,
        unit=unit,
        unit_scale=unit == "B",
        disable=disable,
        dynamic_ncols=live,
        mininterval=0.2 if live else 10.0,
        miniters=0,  # also while nothing more gets done: what stands beside it may change
        bar_format=form,
        file=sys.stderr if live else _Lines(sys.stderr),
    )
    bar.describe = describe
    return bar


def note(text: str) -> None:
    """A line on stderr that leaves a live bar whole."""
    tqdm.write(text, file=sys.stderr)
