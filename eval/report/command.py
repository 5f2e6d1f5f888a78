"""The command that makes the report: python scripts/make_report.py runs=[runs/demo] run_dir=runs/report"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from eval.report.blocks import Report
from eval.report.figures import draw_report_figures
from eval.report.folders import read_runs
from eval.report.page import html_page, markdown_page
from eval.report.sections import build_report
from eval.tables import write_tables
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.runs import open_run

_IMAGES, _PREFIX = "images", "reproduction_"


@dataclass
class MakeReportConfig:
    """`configs/make_report.yaml` as a dataclass."""

    run_dir: Path
    runs: list[Path]
    samples: int
    markdown: Path | None

    def __post_init__(self) -> None:
        if not self.runs:
            raise UserError("runs: the list is empty; give run folders, as in runs=[runs/demo]")
        if self.samples < 1:
            raise UserError(f"samples: {self.samples} must be at least 1")
        if self.markdown is not None and self.markdown.suffix != ".md":
            raise UserError(f"markdown: {self.markdown} must be the name of an .md file")


def make_report(config: MakeReportConfig) -> None:
    """Write `report.html`, `report.md`, `tables/` and `figures/`, anew from what the runs hold.

    Raises:
        UserError: a folder is no run folder, or a file in it is broken.
    """
    runs = read_runs([path.absolute() for path in config.runs])
    shown = {"runs": [str(path) for path in config.runs], "samples": config.samples}
    with open_run(config.run_dir, "make_report", shown) as run:
        # Seconds of work from what is on disk: always made anew, and about other runs if it is told so.
        run.begin("report", {})
        figures = draw_report_figures(runs, run.path / "figures")
        report = build_report(runs, figures, config.samples)
        drawings = {name: (run.path / "figures" / f"{name}.svg").read_text("utf-8") for name in figures}
        jsonl.replace_text(run.path / "report.html", html_page(report, drawings))
        jsonl.replace_text(run.path / "report.md", markdown_page(report, "figures"))
        for block in report.tables:
            write_tables(run.path / "tables", [block.table], block.stem)
        if config.markdown is not None:
            _write_elsewhere(config.markdown, report, run.path / "figures", figures)
        run.complete("report", figures=len(figures), tables=len(report.tables))
    print(f"{config.run_dir / 'report.html'}: open it in a browser (report.md, tables/, figures/ beside it)")


def _write_elsewhere(path: Path, report: Report, source: Path, names: Sequence[str]) -> None:
    """The Markdown by itself, its figures in a folder `images` beside it."""
    for name in names:
        content = _fewer_colours((source / f"{name}.png").read_bytes())
        jsonl.replace_bytes(path.parent / _IMAGES / f"{_PREFIX}{name}.png", content)
    jsonl.replace_text(path, markdown_page(report, _IMAGES, _PREFIX))
    print(f"{path}: written")


def _fewer_colours(png: bytes) -> bytes:
    """The picture in 128 colours: a third of the size, for figures that are kept with the code."""
    from PIL import Image  # comes with matplotlib

    small = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(128).save(small, "png", optimize=True)
    return small.getvalue()
