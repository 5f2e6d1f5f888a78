"""Human ratings as an event log: a line per event, only ever appended to; a rating's latest event counts.

python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.errors import UserError

RATINGS = "ratings.jsonl"
LEVELS = ("A", "B", "C", "D")  # best first (paper, section 4.4)
MEANINGS = {
    "A": "valid and satisfying; nothing that matters would be changed.",
    "B": "acceptable, with minor errors or imperfections; of use as it is.",
    "C": "relevant and responding to the task, but with significant errors in the content.",
    "D": "irrelevant or invalid: empty, another topic, the task repeated, or unreadable.",
}
YES_NO = ("yes", "no")
QUESTIONS = {  # the paper's review of its data (Table 2)
    "valid_task": "Does the instruction describe a valid task?",
    "appropriate_input": "Is the input appropriate for the instruction?",
    "acceptable_output": "Is the output an acceptable response?",
}
QUALITY_QUESTIONS = tuple(QUESTIONS)
RATING = "rating"  # the one question of the A to D scale
FIRST, REPEAT, ADJUDICATION = "first", "repeat", "adjudication"
RATE, SKIP, UNDO = "rate", "skip", "undo"

_CHOICES = {RATING: LEVELS} | dict.fromkeys(QUALITY_QUESTIONS, YES_NO)
_ROUNDS, _ACTIONS = (FIRST, REPEAT, ADJUDICATION), (RATE, SKIP, UNDO)


@dataclass(frozen=True)
class Unit:
    """What one rating is about: a system's answer to an item, one question of it, in one round."""

    rater: str
    item: str
    system: str
    question: str = RATING
    round: str = FIRST


@dataclass(frozen=True)
class Event:
    """A line of `ratings.jsonl`: the whole state of a unit from then on (`rating` None: open again).

    Attributes:
        system: None for an item that is skipped as a whole.
        round: `first`; `repeat` of an item planted a second time; `adjudication` of a disagreement.
        id: given by the page, so that an event sent twice is written once.
    """

    rater: str
    item: str
    system: str | None
    rating: str | None
    note: str
    time: str
    question: str = RATING
    round: str = FIRST
    action: str = RATE
    id: str = ""

    @property
    def unit(self) -> Unit | None:
        """The unit whose state this is; None for an event about a whole item."""
        if self.system is None:
            return None
        return Unit(self.rater, self.item, self.system, self.question, self.round)

    def line(self) -> jsonl.Record:
        """The event as the file holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Final:
    """What counts for a system's answer in the end.

    Attributes:
        source: `agreed` (all raters gave this, or there is one), `adjudicated`, or `median` (the raters
            differ and nobody decided: the median, and between two levels the worse).
    """

    rating: str
    source: str


def choices(question: str) -> tuple[str, ...]:
    """The answers to a question, best first."""
    return _CHOICES[question]


def rating_files(given: Sequence[str] | str | None) -> list[Path]:
    """The event logs a `ratings` key names; a run folder of annotate.py stands for its `ratings.jsonl`."""
    names = [given] if isinstance(given, str) else given or []
    return [Path(name) / RATINGS if Path(name).is_dir() else Path(name) for name in names]


def read_events(path: Path) -> list[Event]:
    """Every event of a log, in order; a last line torn by a kill is left out, as it was never confirmed.

    Lines need `rater, item, system, rating`; what else they lack takes its default.

    Raises:
        UserError: `file:line: field: reason`.
    """
    try:
        complete_lines = path.read_bytes().count(b"\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    events: list[Event] = []
    if complete_lines:
        for number, record in jsonl.numbered_records(path):
            events.append(_event(record, f"{path}:{number}"))
            if number >= complete_lines:
                break
    return events


def _event(record: dict[str, Any], where: str) -> Event:
    action = _one_of(record, "action", _ACTIONS, RATE, where)
    question = _one_of(record, "question", tuple(_CHOICES), RATING, where)
    system = record.get("system")
    if system is not None or action == RATE:
        system = _text(record, "system", where)
    rating = record.get("rating")
    if rating is not None and rating not in choices(question):
        allowed = ", ".join(choices(question))
        raise UserError(f"{where}: rating: {rating!r}; must be one of {allowed}, or null where withdrawn")
    return Event(
        rater=_text(record, "rater", where),
        item=_text(record, "item", where),
        system=system,
        rating=rating,
        note=str(record.get("note") or ""),
        time=str(record.get("time") or ""),
        question=question,
        round=_one_of(record, "round", _ROUNDS, FIRST, where),
        action=action,
        id=str(record.get("id") or ""),
    )


def _text(record: dict[str, Any], field: str, where: str) -> str:
    value = record.get(field)
    if not isinstance(value, str) or not value:
        found = "missing" if value in (None, "") else f"a {type(value).__name__} instead of text"
        raise UserError(f"{where}: {field}: {found}")
    return value


def _one_of(record: dict[str, Any], field: str, allowed: Sequence[str], default: str, where: str) -> str:
    value = record.get(field, default)
    if value not in allowed:
        raise UserError(f"{where}: {field}: {value!r}; must be one of {', '.join(allowed)}")
    return str(value)


def latest(events: Iterable[Event]) -> dict[Unit, Event]:
    """Each unit's last event, where it holds a rating; withdrawn and open ones are left out."""
    last: dict[Unit, Event] = {}
    for event in events:
        if event.unit is not None:
            last[event.unit] = event
    return {unit: event for unit, event in last.items() if event.rating is not None}


def by_rater(
    ratings: Mapping[Unit, Event], question: str = RATING, round: str = FIRST
) -> dict[str, dict[tuple[str, str], str]]:
    """rater -> (item, system) -> rating, of one question and round; raters by name."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for unit, event in ratings.items():
        if (unit.question, unit.round) == (question, round):
            assert event.rating is not None
            found.setdefault(unit.rater, {})[unit.item, unit.system] = event.rating
    return dict(sorted(found.items()))


def final_ratings(ratings: Mapping[Unit, Event], question: str = RATING) -> dict[tuple[str, str], Final]:
    """(item, system) -> what counts; planted repeats never do. Of several adjudications the last counts."""
    given: dict[tuple[str, str], list[str]] = {}
    for rater_ratings in by_rater(ratings, question).values():
        for key, rating in rater_ratings.items():
            given.setdefault(key, []).append(rating)
    decided: dict[tuple[str, str], Event] = {}
    for unit, event in ratings.items():
        if (unit.question, unit.round) == (question, ADJUDICATION):
            key = unit.item, unit.system
            if key not in decided or event.time >= decided[key].time:
                decided[key] = event
    order = choices(question)
    finals: dict[tuple[str, str], Final] = {}
    for key, found in given.items():
        if key in decided:
            finals[key] = Final(str(decided[key].rating), "adjudicated")
        elif len(set(found)) == 1:
            finals[key] = Final(found[0], "agreed")
        else:
            finals[key] = Final(sorted(found, key=order.index)[len(found) // 2], "median")
    return finals


def disagreements(ratings: Mapping[Unit, Event], question: str = RATING) -> dict[tuple[str, str], list[str]]:
    """(item, system) -> the differing first ratings, best first, without names."""
    given: dict[tuple[str, str], list[str]] = {}
    for rater_ratings in by_rater(ratings, question).values():
        for key, rating in rater_ratings.items():
            given.setdefault(key, []).append(rating)
    order = choices(question)
    return {key: sorted(found, key=order.index) for key, found in given.items() if len(set(found)) > 1}
