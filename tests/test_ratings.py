"""From an event log to the numbers: what counts, how systems compare, what is refused."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from eval.intervals import IntervalsConfig
from eval.rating_report import ReportRatingsConfig, report_ratings
from eval.ratings import Final, disagreements, final_ratings, latest, read_events
from eval.workbooks import read_sheet
from selfinstruct import jsonl
from selfinstruct.errors import UserError


def line(rater: str, item: str, rating: str | None, system: str = "s", **more: str) -> dict[str, Any]:
    base = {
        "rater": rater,
        "item": item,
        "system": system,
        "rating": rating,
        "note": "",
        "time": "2026-01-01",
    }
    return base | more


def write(path: Path, *lines: dict[str, Any]) -> Path:
    jsonl.replace(path, lines)
    return path


def finals(path: Path, *lines: dict[str, Any]) -> dict[tuple[str, str], Final]:
    return final_ratings(latest(read_events(write(path / "ratings.jsonl", *lines))))


def report(path: Path, *lines: dict[str, Any]) -> dict[str, Any]:
    file = write(path / "ratings.jsonl", *lines)
    return report_ratings(ReportRatingsConfig(path / "report", str(file), IntervalsConfig(200, 0)))


def test_the_latest_event_counts_and_a_withdrawn_rating_does_not(tmp_path: Path) -> None:
    events = [line("ann", "1", "A"), line("ann", "1", "D"), line("ann", "2", "B"), line("ann", "2", None)]
    assert finals(tmp_path, *events) == {("1", "s"): Final("D", "agreed")}


def test_of_two_levels_the_worse_counts_of_three_the_middle_one(tmp_path: Path) -> None:
    two = [line("ann", "1", "B"), line("ben", "1", "D")]
    assert finals(tmp_path, *two) == {("1", "s"): Final("D", "median")}
    assert finals(tmp_path, *two, line("eve", "1", "A")) == {("1", "s"): Final("B", "median")}


def test_what_was_adjudicated_counts(tmp_path: Path) -> None:
    events = [line("ann", "1", "B"), line("ben", "1", "D"), line("eve", "1", "A", round="adjudication")]
    assert finals(tmp_path, *events) == {("1", "s"): Final("A", "adjudicated")}


def test_a_planted_repeat_counts_for_self_consistency_only(tmp_path: Path) -> None:
    found = report(tmp_path, line("ann", "1", "A"), line("ann", "1", "B", round="repeat"))
    assert found["systems"]["s"]["counts"] == {"A": 1, "B": 0, "C": 0, "D": 0}
    (again,) = found["agreement"]["rating"]["self_consistency"]
    assert (again["n"], again["equal"]["value"]) == (1, 0)


def test_a_disagreement_is_shown_without_names(tmp_path: Path) -> None:
    events = [line("ann", "1", "D"), line("ben", "1", "B"), line("ann", "2", "A"), line("ben", "2", "A")]
    ratings = latest(read_events(write(tmp_path / "ratings.jsonl", *events)))
    assert disagreements(ratings) == {("1", "s"): ["B", "D"]}


def test_systems_are_counted_and_compared_on_the_same_items(tmp_path: Path) -> None:
    first = [line("ann", str(n), level, "first") for n, level in enumerate("DDDDCCBA")]
    second = [line("ann", str(n), level, "second") for n, level in enumerate("AAABBCBAD")]  # one item more
    found = report(tmp_path, *first, *second)
    assert found["systems"]["second"]["n"] == 9
    assert found["systems"]["second"]["A+B"]["value"] == pytest.approx(100 * 7 / 9, abs=1e-4)
    (pair,) = found["comparisons"]
    assert (pair["n"], pair["better"], pair["worse"], pair["same"]) == (8, 5, 0, 3)
    assert pair["A+B"]["value"] == pytest.approx(100 * 5 / 8)
    assert (pair["A+B"]["only_second"], pair["A+B"]["only_first"]) == (5, 0)
    assert pair["A+B"]["p_mcnemar"] == pytest.approx(2 / 2**5)


def test_the_files_of_a_report(tmp_path: Path) -> None:
    events = [
        line("ann", "1", "A", note="=HYPERLINK(1)"),
        line("ben", "1", "C"),
        line("ann", "2", "B", "other"),
    ]
    report(tmp_path, *events)
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names >= {"ratings.csv", "ratings.png", "ratings.svg", "metrics.json", "table.md", "table.tex"}
    with open(tmp_path / "report/ratings.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["rater"], row["rating"]) for row in rows] == [("ann", "A"), ("ben", "C"), ("ann", "B")]
    assert rows[0]["note"] == "'=HYPERLINK(1)"
    sheet = [row for _, row in read_sheet(tmp_path / "report/ratings.xlsx", "ratings")]
    assert [(row["rater"], row["rating"]) for row in sheet] == [("ann", "A"), ("ben", "C"), ("ann", "B")]
    assert sheet[0]["note"] == "=HYPERLINK(1)"  # a text there, which is never run
    table = (tmp_path / "report/table.md").read_text(encoding="utf-8")
    assert "ann and ben" in table
    assert "A row with fewer than 30 answers says little" in table
    assert "NaN" not in (tmp_path / "report/metrics.json").read_text(encoding="utf-8")


def test_equal_ratings_give_equal_figures(tmp_path: Path) -> None:
    figures = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        report(tmp_path / name, line("ann", "1", "A"), line("ann", "1", "B", "other"))
        figures.append((tmp_path / name / "report/ratings.svg").read_bytes())
    assert figures[0] == figures[1]


def test_the_review_of_generated_data_is_counted_beside_the_paper(tmp_path: Path) -> None:
    answers = {"1": ("yes", "yes", "yes"), "2": ("yes", "no", "yes"), "3": ("yes", "yes", "no")}
    questions = ("valid_task", "appropriate_input", "acceptable_output")
    lines = [
        line("ann", item, answer, "generated", question=question)
        for item, given in answers.items()
        for question, answer in zip(questions, given, strict=True)
    ]
    found = report(tmp_path, *lines)["questions"]
    assert {key: (each["yes"], each["n"]) for key, each in found.items()} == {
        "valid_task": (3, 3),
        "appropriate_input": (2, 3),
        "acceptable_output": (2, 3),
        "all_three": (1, 3),
    }
    assert "| 92 |" in (tmp_path / "report/table.md").read_text(encoding="utf-8").replace("    ", " ")


def test_a_line_torn_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "ratings.jsonl", line("ann", "1", "A"))
    with open(path, "a", encoding="utf-8") as file:
        file.write('{"rater": "ann", "item": "2", "sys')
    assert [event.item for event in read_events(path)] == ["1"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "hold no rating"),
        ([line("ann", "1", None)], "hold no rating"),
        ([line("ann", "1", "E")], "ratings.jsonl:1: rating: 'E'; must be one of A, B, C, D"),
        ([line("ann", "1", "yes")], "must be one of A, B, C, D"),
        ([line("", "1", "A")], "ratings.jsonl:1: rater: missing"),
        ([line("ann", "1", "A", system="")], "ratings.jsonl:1: system: missing"),
        ([line("ann", "1", "A"), line("ann", "1", "yes", question="valid_task")], "are mixed"),
        ([line("ann", "1", "A", round="last")], "round: 'last'; must be one of first, repeat"),
    ],
)
def test_a_bad_log_is_refused_with_nothing_written(
    tmp_path: Path, lines: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(UserError) as refused:
        report(tmp_path, *lines)
    assert message in str(refused.value)
    assert not (tmp_path / "report").exists()


def test_a_report_is_made_anew_as_ratings_come_in(tmp_path: Path) -> None:
    report(tmp_path, line("ann", "1", "A"))
    report(tmp_path, line("ann", "1", "A"), line("ann", "2", "A"))
    assert json.loads((tmp_path / "report/metrics.json").read_text())["systems"]["s"]["n"] == 2
