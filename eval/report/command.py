"""The command that makes the report: python scripts/make_report.py 'runs=[runs/demo]' run_dir=runs/report"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from eval.report.blocks import Report
from eval.report.figures import draw_report_figures
from eval.report.folders import read_runs
from eval.report.page import html_page, markdown_page
from eval.report.sections import build_report, measure_claims
from eval.report.whole import ANSWERS, answer_page, page_name, read_lists, task_page
from eval.tables import write_tables
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.runs import open_run

FIGURES, TABLES = "figures", "tables"
_TITLE = re.compile(r"# Self-Instruct: the paper and (this run|these runs)\n\nEvery claim of Self-Instruct ")
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
            raise UserError("runs: the list is empty; give run folders, as in 'runs=[runs/demo]'")
        if self.samples < 1:
            raise UserError(f"samples: {self.samples} must be at least 1")
        if self.markdown is not None and self.markdown.suffix != ".md":
            raise UserError(f"markdown: {self.markdown} must be the name of an .md file")


def make_report(config: MakeReportConfig) -> None:
    """Write the report, the pages of all tasks and answers, `tables/` and `figures/`, anew from the runs.

    Raises:
        UserError: a folder is no complete run folder, a file in it is broken, or the report would lie in a
            run's own folder; nothing is written then.
    """
    _refuse_own_folders(config.run_dir)
    _refuse_foreign_page(config.markdown)
    runs = read_runs([path.absolute() for path in config.runs])
    shown = {"runs": [str(path) for path in config.runs], "samples": config.samples}
    with open_run(config.run_dir, "make_report", shown) as run, TemporaryDirectory() as scratch:
        # All of it is made before the first byte is written: a broken file of a run is met while it is.
        outcomes, lists = measure_claims(runs), read_lists(runs)
        figures = draw_report_figures(runs, Path(scratch))
        report = build_report(runs, outcomes, figures, lists, config.samples)
        drawings = {name: (Path(scratch) / f"{name}.svg").read_text("utf-8") for name in figures}
        pages = {"report.html": html_page(report, drawings), "report.md": markdown_page(report, FIGURES)}
        pages |= {
            page_name(run, runs): page for run in runs if (page := task_page(run, lists.tasks[run.slug]))
        }
        pages |= {ANSWERS: page} if (page := answer_page(runs, lists.answers)) else {}
        if config.markdown is not None:
            _write_elsewhere(config.markdown, report, Path(scratch), figures)
        # Seconds of work from what is on disk: always made anew, and about other runs if it is told so.
        run.begin("report", {})
        for name, text in pages.items():
            jsonl.replace_text(run.path / name, text)
        for path in (*run.path.glob("tasks*.html"), run.path / ANSWERS):
            if path.exists() and path.name not in pages:
                path.unlink()
        _write_parts(run.path, Path(scratch), report)
        run.complete("report", figures=len(figures), tables=len(report.tables))
    beside = _names(list(pages)[1:], figures, report)
    print(f"{config.run_dir / 'report.html'}: open it in a browser ({beside} beside it)")


def _names(pages: Sequence[str], figures: Sequence[str], report: Report) -> str:
    """What lies beside the page, the folders only where something is in them."""
    glosses = {ANSWERS: f"all answers ({ANSWERS})"}
    named = [glosses.get(name, f"all tasks ({name})" if name.startswith("tasks") else name) for name in pages]
    folders = {TABLES: report.tables, FIGURES: figures}
    named += [f"{name}/" for name, content in folders.items() if content]
    return f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]


def _refuse_foreign_page(path: Path | None) -> None:
    """UserError where `markdown` names a file that this command has not written."""
    if path is None or not path.exists():
        return
    try:
        is_ours = bool(_TITLE.match(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError):
        is_ours = False
    if not is_ours:
        advice = "choose a name that is free, or move that file away"
        raise UserError(f"markdown: {path} is there and is no report of this command; {advice}")


def _refuse_own_folders(run_dir: Path) -> None:
    """UserError where the report would lie among the files of a run; beside the seeds' folders it may."""
    for folder in run_dir.absolute().parents:
        if (folder / "manifest.json").exists():
            raise UserError(f"run_dir: {run_dir} lies inside the run folder {folder}; choose another")


def _write_parts(folder: Path, drawn: Path, report: Report) -> None:
    """Every figure and table by itself; those of an earlier report that this one does not have go."""
    for path in drawn.iterdir():
        jsonl.replace_bytes(folder / FIGURES / path.name, path.read_bytes())
    for block in report.tables:
        write_tables(folder / TABLES, [block.table], block.stem)
    stems = {
        FIGURES: {path.stem for path in drawn.iterdir()},
        TABLES: {block.stem for block in report.tables},
    }
    for name, ours in stems.items():
        for path in (folder / name).glob("*"):
            if path.stem not in ours:
                path.unlink()


def _write_elsewhere(path: Path, report: Report, source: Path, names: Sequence[str]) -> None:
    """The Markdown by itself, its figures in a folder `images` beside it.

    Raises:
        UserError: it cannot be written there.
    """
    try:
        for name in names:
            content = _fewer_colours((source / f"{name}.png").read_bytes())
            jsonl.replace_bytes(path.parent / _IMAGES / f"{_PREFIX}{name}.png", content)
        jsonl.replace_text(path, markdown_page(report, _IMAGES, _PREFIX))
    except OSError as error:
        raise UserError(f"markdown: {path} cannot be written ({error.strerror}); choose another") from error
    print(f"{path}: written")


def _fewer_colours(png: bytes) -> bytes:
    """The picture in 128 colours: a third of the size, for figures that are kept with the code."""
    from PIL import Image  # comes with matplotlib

    small = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(128).save(small, "png", optimize=True)
    return small.getvalue()
