"""What all figures share: matplotlib with settings of our own, and files that depend on the figure alone.

with matplotlib_settings():
    figure = new_figure(7, 4)
    figure.subplots().plot([1, 2, 3])
    write_figure(figure, folder / "curve")  # curve.png and curve.svg
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfinstruct import jsonl

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("png", "svg")
LONGEST_LABEL = 28  # characters
_DPI = 110
_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "text.parse_math": False,  # a label with two dollar signs is no formula
    "svg.hashsalt": "selfinstruct",  # else the identifiers in the file are random
    "svg.fonttype": "path",
}


@contextmanager
def matplotlib_settings() -> Iterator[None]:
    """matplotlib with its own settings, not the user's; its list of fonts goes to a folder that is deleted.

    A command writes into its run folder only, and matplotlib would write into the home folder.
    """
    with tempfile.TemporaryDirectory() as cache:
        is_ours = "matplotlib" not in sys.modules and "MPLCONFIGDIR" not in os.environ
        if is_ours:
            os.environ["MPLCONFIGDIR"] = cache
        try:
            import matplotlib
            import matplotlib.figure  # its import reads the folder's name, and makes the list of fonts
        finally:
            if is_ours:
                del os.environ["MPLCONFIGDIR"]
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            for name, value in _SETTINGS.items():
                matplotlib.rcParams[name] = value  # type: ignore[index]
            yield


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of that many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def write_figure(figure: "Figure", path: Path) -> None:
    """Write `<path>.png` and `<path>.svg`, each whole or not at all."""
    for kind in KINDS:
        buffer = BytesIO()
        metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
        figure.savefig(buffer, format=kind, dpi=_DPI, metadata=metadata)
        figure.set_layout_engine("none")  # laid out once: it takes as long as drawing
        jsonl.replace_bytes(path.with_name(f"{path.name}.{kind}"), buffer.getvalue())


def delete_figure(path: Path) -> None:
    """Delete what `write_figure` wrote to this path, where it is there."""
    for kind in KINDS:
        path.with_name(f"{path.name}.{kind}").unlink(missing_ok=True)


def shortened(text: str, longest: int = LONGEST_LABEL) -> str:
    """A text as a label: on one line, nothing in it that cannot be printed, at most `longest` characters."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split()) or "(empty)"
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"
