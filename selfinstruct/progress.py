"""One progress bar for everything long: live on a terminal, a plain line now and then elsewhere."""

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(name: str, total: int, done: int = 0) -> "tqdm[Any]":
    """A bar that starts at `done` of `total` units, on stderr."""
    live = sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=done,
        desc=name,
        dynamic_ncols=live,
        mininterval=0.2 if live else 10.0,
        file=sys.stderr,
    )
