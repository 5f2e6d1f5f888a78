"""Forms for other tools hold no names, survive any text, and what is filled in comes back to its system."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from rating_server import write_systems

from eval.annotate.forms_command import RatingFormsConfig, rating_forms
from eval.intervals import IntervalsConfig
from eval.rating_report import ReportRatingsConfig, report_ratings
from eval.ratings import final_ratings, latest, read_events
from eval.workbooks import CELL_CHARACTERS
from selfinstruct import jsonl
from selfinstruct.errors import UserError


def forms(tmp_path: Path, **changes: Any) -> Path:
    values: dict[str, Any] = {
        "run_dir": tmp_path / "run",
        "predictions": None,
        "tasks": None,
        "generated": None,
        "num_items": None,
        "show_reference": True,
        "raters": ["ann", "ben"],
        "overlap": None,
        "repeats": 0.0,
        "seed": 1,
        "forms": ["xlsx", "label_studio", "argilla"],
        "filled": None,
    }
    if not {"predictions", "generated"} & changes.keys():
        changes["predictions"] = write_systems(tmp_path, 6)
    config = RatingFormsConfig(**(values | changes))
    rating_forms(config)
    return config.run_dir


def texts_of(path: Path) -> str:
    """All that a file holds, a workbook's parts included."""
    if path.suffix != ".xlsx":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


def fill(run: Path, rater: str, **ratings: str) -> str:
    """Fill in a rater's workbook: of one system all answers alike; returns the file."""
    path = run / "xlsx" / f"{rater}.xlsx"
    workbook = openpyxl.load_workbook(path)
    names, *rows = list(workbook["ratings"].iter_rows())
    column = {cell.value: cell.column - 1 for cell in names}
    for row in rows:
        words = str(row[column["answer"]].value).split()
        row[column["rating"]].value = ratings.get(words[3].rstrip("."))
        row[column["note"]].value = f"on {words[1]}"
    filled = run.parent / f"{rater}_filled.xlsx"
    workbook.save(filled)
    return str(filled)


def finals(run: Path) -> dict[tuple[str, str], str]:
    found = final_ratings(latest(read_events(run / "ratings.jsonl")))
    return {key: final.rating for key, final in found.items()}


def test_no_form_holds_the_name_of_a_system_or_task(tmp_path: Path) -> None:
    run = forms(tmp_path)
    files = [path for path in run.rglob("*") if path.parent.name in ("xlsx", "label_studio", "argilla")]
    assert len(files) == 6
    for path in files:
        for name in ("secretname", "hiddenname", "task-"):
            assert name not in texts_of(path), path


def test_equal_studies_give_equal_files(tmp_path: Path) -> None:
    one = forms(tmp_path)
    two = forms(tmp_path, run_dir=tmp_path / "two")
    for path in one.rglob("*.xlsx"):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()
    assert (one / "key.json").read_bytes() == (two / "key.json").read_bytes()


def test_filled_workbooks_become_ratings_of_the_right_systems(tmp_path: Path) -> None:
    run = forms(tmp_path, repeats=0.4)
    filled = [fill(run, "ann", one="A", two="c"), fill(run, "ben", one="B")]  # ben leaves one system out
    forms(tmp_path, repeats=0.4, filled=filled)
    events = read_events(run / "ratings.jsonl")
    assert {(e.rater, e.system, e.rating) for e in events} == {
        ("ann", "secretname", "A"),
        ("ann", "hiddenname", "C"),
        ("ben", "secretname", "B"),
        ("ben", "hiddenname", None),  # a note alone
    }
    assert {(e.item, e.note) for e in events} == {(f"task-{n}", f"on {n}") for n in range(6)}
    assert sum(e.round == "repeat" for e in events) == 8  # 2 of 6 items, two answers, two raters
    metrics = report_ratings(ReportRatingsConfig(tmp_path / "report", str(run), IntervalsConfig(100, 0)))
    assert metrics["systems"]["hiddenname"]["counts"]["C"] == 6
    assert metrics["agreement"]["rating"]["self_consistency"][0]["equal"]["value"] == 100


def test_a_workbook_offers_the_levels_and_runs_no_formula(tmp_path: Path) -> None:
    hostile = '=HYPERLINK("http://x", "y")\x00'
    paths = write_systems(tmp_path, 2, first=hostile, second="x" * (CELL_CHARACTERS + 9))
    run = forms(tmp_path, predictions=paths)
    workbook = openpyxl.load_workbook(run / "xlsx/ann.xlsx")
    sheet = workbook["ratings"]
    assert sheet.data_validations.dataValidation[0].formula1 == '"A,B,C,D"'
    cells = [cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert hostile.replace("\x00", "\ufffd") in {cell.value for cell in cells}
    cut = next(cell.value for cell in cells if cell.value.startswith("xxx"))
    assert len(cut) == CELL_CHARACTERS
    assert cut.endswith("[…cut: a cell holds no more]")
    assert "significant errors" in texts_of(run / "xlsx/ann.xlsx")


def test_a_label_studio_project_and_its_export(tmp_path: Path) -> None:
    run = forms(tmp_path)
    config = ElementTree.parse(run / "label_studio/labeling_config.xml").getroot()
    texts = {tag.get("name"): str(tag.get("value")) for tag in config.iter("Text")}
    tasks = json.loads((run / "label_studio/tasks.json").read_text(encoding="utf-8"))
    for control in [*config.iter("Choices"), *config.iter("TextArea")]:
        assert control.get("toName") in texts
    for task in tasks:
        assert {value.removeprefix("$") for value in texts.values()} <= task["data"].keys()
        assert all(task["data"].values())  # an empty text is shown as such
    exported = [task | {"id": n, "annotations": annotations(task["data"])} for n, task in enumerate(tasks)]
    (tmp_path / "export.json").write_text(json.dumps(exported), encoding="utf-8")
    forms(tmp_path, filled=str(tmp_path / "export.json"))
    events = read_events(run / "ratings.jsonl")
    assert {(e.rater, e.system, e.rating) for e in latest(events).values()} == {
        ("x@example.org", "secretname", "A"),
        ("x@example.org", "hiddenname", "D"),
    }
    assert {e.note for e in events if e.rating == "D"} == {"off topic"}
    assert len(latest(events)) == 12


def annotations(data: dict[str, str]) -> list[dict[str, Any]]:
    """As Label Studio exports them: one rater's second thoughts, and one who skipped the task."""

    def result(number: int, kind: str, field: str, text: str) -> dict[str, Any]:
        name = "rating" if field == "choices" else "note"
        by = {"from_name": f"{name}_{number}", "to_name": f"answer_{number}"}
        return by | {"id": "a1", "type": kind, "value": {field: [text]}}

    def annotation(when: str, levels: tuple[str, str], cancelled: bool = False) -> dict[str, Any]:
        results = []
        for number in (1, 2):
            level = levels["of two" in data[f"answer_{number}"]]
            results.append(result(number, "choices", "choices", level))
            if level.startswith("D"):
                results.append(result(number, "textarea", "text", "off topic"))
        by = {"id": 7, "email": "x@example.org"}
        return {"completed_by": by, "updated_at": when, "was_cancelled": cancelled, "result": results}

    return [
        annotation("2026-01-02T00:00:00Z", ("A", "D: irrelevant or invalid")),  # a server without aliases
        annotation("2026-01-01T00:00:00Z", ("B", "B")),
        annotation("2026-01-03T00:00:00Z", ("C", "C"), cancelled=True),
    ]


def test_an_argilla_dataset_and_its_records(tmp_path: Path) -> None:
    run = forms(tmp_path)
    settings = json.loads((run / "argilla/settings.json").read_text(encoding="utf-8"))
    records = json.loads((run / "argilla/records.json").read_text(encoding="utf-8"))
    assert [field["name"] for field in settings["fields"]] == list(records[0]["fields"])
    questions = {question["name"]: question["settings"] for question in settings["questions"]}
    assert [option["value"] for option in questions["rating_2"]["options"]] == ["A", "B", "C", "D"]
    for record in records:
        numbers = {name for name, text in record["fields"].items() if text.endswith("of two.")}
        other = {"answer_1": "answer_2", "answer_2": "answer_1"}[numbers.copy().pop()]
        (two,) = numbers
        record["responses"] = {
            two.replace("answer", "rating"): [{"value": "C", "user_id": "u-1"}],
            other.replace("answer", "rating"): [
                {"value": "A", "user_id": "u-1"},
                {"value": "B", "user_id": "u-2"},
            ],
        }
    (tmp_path / "records.json").write_text(json.dumps(records), encoding="utf-8")
    forms(tmp_path, filled=[str(tmp_path / "records.json")])
    found = {(unit.rater, unit.system, event.rating) for unit, event in latest_of(run).items()}
    assert found == {
        ("u-1", "hiddenname", "C"),
        ("u-1", "secretname", "A"),
        ("u-2", "secretname", "B"),
    }


def latest_of(run: Path) -> dict[Any, Any]:
    return latest(read_events(run / "ratings.jsonl"))


def test_the_review_of_generated_data_by_workbook(tmp_path: Path) -> None:
    lines = [{"instruction": f"Do {n}.", "input": "", "output": f"Done {n}."} for n in range(3)]
    jsonl.replace(tmp_path / "generated.jsonl", lines)
    run = forms(tmp_path, generated=tmp_path / "generated.jsonl", raters="ann")
    path = run / "xlsx/ann.xlsx"
    workbook = openpyxl.load_workbook(path)
    names, *rows = list(workbook["ratings"].iter_rows())
    column = {cell.value: cell.column - 1 for cell in names}
    for row in rows:
        row[column["rating"]].value = "no" if "output" in row[column["question"]].value else "yes"
    workbook.save(tmp_path / "ann.xlsx")
    forms(tmp_path, generated=tmp_path / "generated.jsonl", raters="ann", filled=str(tmp_path / "ann.xlsx"))
    answers = {event.question: event.rating for event in read_events(run / "ratings.jsonl")}
    assert answers == {"valid_task": "yes", "appropriate_input": "yes", "acceptable_output": "no"}


def test_what_is_not_ours_is_refused_and_the_ratings_stay(tmp_path: Path) -> None:
    run = forms(tmp_path)
    forms(tmp_path, filled=fill(run, "ann", one="A", two="B"))
    before = (run / "ratings.jsonl").read_bytes()

    def saved(name: str, text: str | bytes) -> str:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(tmp_path / name)

    other = tmp_path / "other"
    other.mkdir()
    foreign = fill(forms(other, predictions=write_systems(other, 7)), "ann", one="A")
    wrong = io.BytesIO()
    openpyxl.Workbook().save(wrong)
    for file, message in (
        (fill(run, "ann", one="E"), ": rating: 'E'; must be one of A, B, C, D"),
        (foreign, "is of no form in this run folder"),
        (saved("x.xlsx", "no workbook"), "is no Excel workbook"),
        (saved("y.xlsx", wrong.getvalue()), "has no sheet 'ratings'"),
        (saved("z.json", "{"), "not valid JSON"),
        (saved("w.json", '[{"x": 1}]'), "record 1: neither a task with annotations nor a record"),
        (str(tmp_path / "none.xlsx"), "none.xlsx: cannot be read"),
    ):
        with pytest.raises(UserError) as refused:
            forms(tmp_path, filled=file)
        assert message in str(refused.value)
        assert (run / "ratings.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forms": "word"}, "forms: 'word' must be one of xlsx, label_studio, argilla"),
        ({"raters": ["everyone"]}, "raters: 'everyone' is not free"),
        ({"raters": []}, "raters: the list is empty"),
    ],
)
def test_wrong_use_is_refused_with_nothing_written(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as refused:
        forms(tmp_path, **changes)
    assert message in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_forms_that_are_out_with_people_do_not_change(tmp_path: Path) -> None:
    forms(tmp_path)
    with pytest.raises(UserError, match="raters"):
        forms(tmp_path, raters=["ann", "ben", "eve"])


def test_a_workbook_filled_in_where_it_lay_is_never_written_over(tmp_path: Path) -> None:
    run = forms(tmp_path)
    workbook = run / "xlsx" / "ann.xlsx"
    Path(fill(run, "ann", one="A", two="B")).replace(workbook)
    content = workbook.read_bytes()
    for _ in range(2):
        forms(tmp_path, filled=str(workbook))
        assert workbook.read_bytes() == content
        assert (run / "ratings.jsonl").read_text().count('"rating"') > 0
    forms(tmp_path)
    assert workbook.read_bytes() == content


def test_ratings_that_came_back_are_not_lost_by_naming_fewer_forms(tmp_path: Path) -> None:
    run = forms(tmp_path)
    ann, ben = fill(run, "ann", one="A", two="B"), fill(run, "ben", one="B", two="C")
    forms(tmp_path, filled=[ann, ben])
    before = (run / "ratings.jsonl").read_bytes()
    with pytest.raises(UserError, match=r"ratings\.jsonl: holds \d+ ratings that the forms given do not"):
        forms(tmp_path, filled=[ann])
    with pytest.raises(UserError, match="filled: no rating in"):
        forms(tmp_path, filled=str(run / "xlsx" / "ann.xlsx"))
    assert (run / "ratings.jsonl").read_bytes() == before
