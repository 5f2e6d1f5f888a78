"""One progress bar for everything long: live on a terminal, a plain line now and then elsewhere."""

import sys
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


def progress_bar(
    name: str, total: int | None, done: int = 0, unit: str = "it", disable: bool = False
) -> "tqdm[Any]":
    """A bar that starts at `done` of `total` units (None: nobody knows), on stderr; bytes (B) as kB, MB..."""
    live = sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=done,
        desc=name,
        unit=unit,
        unit_scale=unit == "B",
        disable=disable,
        dynamic_ncols=live,
        mininterval=0.2 if live else 10.0,
        file=sys.stderr if live else _Lines(sys.stderr),
    )


def note(text: str) -> None:
    """A line on stderr that leaves a live bar whole."""
    tqdm.write(text, file=sys.stderr)
