"""Tables and a figure of human ratings: shares per level, systems compared, and how far raters agree.

python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.intervals import IntervalsConfig
from eval.rating_chart import draw_levels
from eval.rating_metrics import rating_metrics
from eval.rating_tables import rating_tables
from eval.ratings import RATING, Event, Unit, latest, rating_files, read_events
from eval.tables import write_tables
from eval.workbooks import Sheet, write_workbook
from selfinstruct.errors import UserError
from selfinstruct.jsonl import replace_json, replace_text
from selfinstruct.runs import open_run
from selfinstruct.settings import file_digest

_COLUMNS = ("rater", "item", "system", "question", "round", "rating", "note", "time")


@dataclass
class ReportRatingsConfig:
    """`configs/report_ratings.yaml` as a dataclass."""

    run_dir: Path
    ratings: list[str] | str
    intervals: IntervalsConfig

    def __post_init__(self) -> None:
        if not self.files:
            raise UserError("ratings: the list is empty; give run folders of annotate.py, or ratings files")

    @property
    def files(self) -> list[Path]:
        """The event logs; a run folder stands for its `ratings.jsonl`."""
        return rating_files(self.ratings)


def report_ratings(config: ReportRatingsConfig) -> dict[str, Any]:
    """Write tables, figure, `metrics.json` and `ratings.csv`, and return what metrics.json holds.

    Raises:
        UserError: a bad line; no rating; a scale mixed with the other.
    """
    events = [event for path in config.files for event in read_events(path)]
    ratings = latest(events)
    if not ratings:
        names = ", ".join(str(path) for path in config.files)
        raise UserError(f"ratings: {names} hold no rating; rate something first (scripts/annotate.py)")
    questions = {unit.question for unit in ratings}
    if RATING in questions and len(questions) > 1:
        advice = "report the review of generated data and the ratings of answers by themselves"
        raise UserError(f"ratings: A-D ratings and yes/no answers are mixed; {advice}")
    plan = asdict(config.intervals)
    with open_run(config.run_dir, "report_ratings", {"ratings": list(map(str, config.files))}) as run:
        # Seconds of work from what is on disk, which grows while people rate: always made anew.
        run.begin("report", {"intervals": plan})
        metrics = rating_metrics(ratings, config.intervals)
        metrics["files"] = {str(path): file_digest(path) for path in config.files}
        replace_json(run.path / "metrics.json", metrics)
        replace_text(run.path / "ratings.csv", ratings_csv(ratings))
        write_workbook(run.path / "ratings.xlsx", [Sheet("ratings", rating_rows(ratings), {"note": 60})])
        write_tables(run.path, rating_tables(metrics))
        if metrics["systems"]:
            draw_levels(metrics["systems"], run.path)
        run.complete("report", ratings=len(ratings))
    print(f"\n{(config.run_dir / 'table.md').read_text(encoding='utf-8')}")
    print(f"tables, figure, metrics and the ratings (CSV, XLSX) are in {config.run_dir}")
    return metrics


def rating_rows(ratings: Mapping[Unit, Event]) -> list[dict[str, str]]:
    """A row a rating, by item and system."""
    in_order = sorted(ratings.values(), key=lambda e: (e.item, e.system or "", e.question, e.rater, e.round))
    return [{column: str(getattr(event, column)) for column in _COLUMNS} for event in in_order]


def ratings_csv(ratings: Mapping[Unit, Event]) -> str:
    """The rows of `rating_rows` as CSV."""
    text = io.StringIO()
    rows = rating_rows(ratings)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        # A spreadsheet would run a text that begins like a formula.
        writer.writerow([f"'{cell}" if cell[:1] in tuple("=+-@\t\r") else cell for cell in row.values()])
    return text.getvalue()
