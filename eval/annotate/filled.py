"""Ratings from forms that were filled in elsewhere: workbooks, and what Label Studio and Argilla export.

python scripts/rating_forms.py run_dir=runs/forms ... 'filled=[ann.xlsx,label_studio_export.json]'
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.annotate.forms import EVERYONE
from eval.ratings import Event, choices
from eval.workbooks import read_sheet
from selfinstruct.errors import UserError

_NOT_OURS = "is of no form in this run folder; give files that were made from its forms"


@dataclass(frozen=True)
class _Given:
    """One rating of a file, before the key says what it is about."""

    where: str
    rater: str
    list: str  # whose list the place is in
    place: str  # digest-position
    slot: int
    rating: str | None
    note: str
    time: str


def filled_events(path: Path, key: Mapping[str, Any]) -> list[Event]:
    """The ratings of one filled file, in its order; what is left blank is left out.

    A workbook is known by its name's end; else a JSON list is Label Studio's export (tasks with
    `annotations`; cancelled ones are left out) or Argilla's (records with `responses`).

    Raises:
        UserError: `file:row or task: what is wrong`; a form of another study.
    """
    given = _of_workbook(path) if path.suffix.lower() == ".xlsx" else _of_export(path)
    return [_event(each, key) for each in given if each.rating or each.note]


def _event(given: _Given, key: Mapping[str, Any]) -> Event:
    digest, _, position = given.place.rpartition("-")
    known = key.get(given.list)
    if known is None or known["list"] != digest or not position.isdigit():
        raise UserError(f"{given.where}: {given.place!r} {_NOT_OURS}")
    try:
        item = known["items"][int(position)]
        system, question = item["slots"][given.slot]
    except IndexError:
        raise UserError(f"{given.where}: {given.place!r} {_NOT_OURS}") from None
    allowed = choices(question)
    by_small = {choice.lower(): choice for choice in allowed}
    rating = by_small.get(given.rating.strip().lower()) if given.rating else None
    if given.rating and rating is None:
        raise UserError(f"{given.where}: rating: {given.rating!r}; must be one of {', '.join(allowed)}")
    return Event(
        given.rater, item["item"], system, rating, given.note, given.time, question, round=item["round"]
    )


def _of_workbook(path: Path) -> Iterator[_Given]:
    for number, row in read_sheet(path, "ratings"):
        where = f"{path}: row {number}"
        place, _, slot = str(row.get("id") or "").rpartition(".")
        if not slot.isdigit() or not row.get("rater"):
            raise UserError(f"{where}: the hidden columns id and rater are damaged; fill in a fresh copy")
        rating = None if row.get("rating") is None else str(row["rating"])
        rater = str(row["rater"])
        yield _Given(where, rater, rater, place, int(slot), rating, str(row.get("note") or ""), "")


def _of_export(path: Path) -> Iterator[_Given]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); export it as JSON") from error
    for number, record in enumerate(found if isinstance(found, list) else [found], start=1):
        where = f"{path}: record {number}"
        match record:
            case {"data": {"id": str(place)}, "annotations": [*annotations]}:
                for annotation in sorted(annotations, key=_time):
                    yield from _of_annotation(annotation, place, where)
            case {"id": str(place), "responses": dict(responses)}:
                yield from _of_responses(responses, place, where)
            case _:
                advice = (
                    "give Label Studio's JSON export (not JSON-MIN), or what Argilla's records.to_json wrote"
                )
                raise UserError(f"{where}: neither a task with annotations nor a record; {advice}")


def _time(annotation: Mapping[str, Any]) -> str:
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")


def _of_annotation(annotation: Mapping[str, Any], place: str, where: str) -> Iterator[_Given]:
    if annotation.get("was_cancelled"):
        return  # skipped by the rater
    by = annotation.get("completed_by")
    rater = str(by.get("email") or by.get("id")) if isinstance(by, dict) else f"annotator {by}"
    values: dict[str, str] = {}
    for result in annotation.get("result") or []:
        value = result.get("value") or {}
        texts = value.get("choices") or value.get("text") or []
        values[str(result.get("from_name"))] = " ".join([texts] if isinstance(texts, str) else texts)
    # Where the tool does not know aliases, the words of a choice begin with it.
    yield from _slots(values, rater, place, _time(annotation), where)


def _of_responses(responses: Mapping[str, Any], place: str, where: str) -> Iterator[_Given]:
    by_rater: dict[str, dict[str, str]] = {}
    for question, given in responses.items():
        for response in given:
            rater = str(response.get("user_id"))
            by_rater.setdefault(rater, {})[question] = str(response.get("value") or "")
    for rater, values in by_rater.items():
        yield from _slots(values, rater, place, "", where)


def _slots(values: Mapping[str, str], rater: str, place: str, time: str, where: str) -> Iterator[_Given]:
    numbers = {name.rpartition("_")[2] for name in values if name.startswith(("rating_", "note_"))}
    for number in sorted(int(text) for text in numbers if text.isdigit()):
        rating = values.get(f"rating_{number}", "").partition(":")[0]
        note = values.get(f"note_{number}", "")
        yield _Given(where, rater, EVERYONE, place, number - 1, rating or None, note, time)
