"""The ratings on disk: every event is appended and synced before anyone is told that it is saved."""

import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from eval.ratings import ADJUDICATION, RATE, SKIP, UNDO, Event, Unit, read_events
from selfinstruct import jsonl

_Desk = tuple[str, bool]  # a rater, and whether they adjudicate: each has an undo history of its own
_Undoable = tuple[Event, Event | None]  # what was done, and the unit's state before


class RatingStore:
    """The event log of one run folder and the state it amounts to; safe to call from several threads.

    The history to undo is in the log, too: it survives a restart of the server.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        jsonl.cut_torn_last_line(path)  # never confirmed to anyone
        self._lock = threading.Lock()
        self._states: dict[Unit, Event] = {}
        self._skipped: set[tuple[_Desk, str, str]] = set()
        self._history: dict[_Desk, list[_Undoable]] = {}
        self._ids: set[str] = set()
        self._times: dict[_Desk, list[datetime]] = {}
        for event in read_events(path) if path.exists() else []:
            self._apply(event)
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - lives as long as the store
        _sync_folder(path.parent)

    def close(self) -> None:
        self._file.close()

    def state(self, unit: Unit) -> Event | None:
        """The unit's latest event, None where it has none."""
        return self._states.get(unit)

    def states(self) -> dict[Unit, Event]:
        """Every unit with a rating."""
        with self._lock:
            return {unit: event for unit, event in self._states.items() if event.rating is not None}

    def is_skipped(self, rater: str, item: str, round: str) -> bool:
        """Whether the rater's last word on an item was to skip it."""
        return (_desk(rater, round), item, round) in self._skipped

    def rating_times(self, rater: str, adjudicates: bool) -> list[datetime]:
        """When this rater gave ratings, in order (times of the log that can be read)."""
        return self._times.get((rater, adjudicates), [])

    def can_undo(self, rater: str, adjudicates: bool) -> bool:
        return bool(self._history.get((rater, adjudicates)))

    def append(self, event: Event) -> None:
        """Write an event and sync it to disk, then let it count; one whose id is known is written already.

        Raises:
            OSError: it could not be written (a full disk); the log is as it was.
        """
        with self._lock:
            if event.id and event.id in self._ids:
                return
            self._write(event)
            self._apply(event)

    def undo(self, rater: str, adjudicates: bool, id: str) -> Event | None:
        """Take back the rater's last rating, note or skip not yet taken back; returns what was taken back.

        The log only grows: the earlier state is written again as an event of its own.

        Raises:
            OSError: it could not be written.
        """
        with self._lock:
            history = self._history.get((rater, adjudicates), [])
            if not history or (id and id in self._ids):
                return None
            undone, before = history[-1]
            rating, note = (before.rating, before.note) if before else (None, "")
            event = replace(undone, rating=rating, note=note, action=UNDO, time=now(), id=id)
            self._write(event)
            self._apply(event)
            return undone

    def _write(self, event: Event) -> None:
        line = f"{jsonl.dumps(event.line())}\n".encode()
        size = os.fstat(self._file.fileno()).st_size
        try:
            rest = line
            while (written := self._file.write(rest)) < len(rest):
                rest = rest[written:]
            os.fsync(self._file.fileno())
        except OSError:
            os.ftruncate(self._file.fileno(), size)
            raise

    def _apply(self, event: Event) -> None:
        desk = _desk(event.rater, event.round)
        skip = desk, event.item, event.round
        history = self._history.setdefault(desk, [])
        unit = event.unit
        if event.id:
            self._ids.add(event.id)
        if event.action == UNDO:
            if history:
                history.pop()
            if unit is None:
                self._skipped.discard(skip)
        elif event.action == SKIP:
            history.append((event, None))
            self._skipped.add(skip)
        elif unit is not None:
            history.append((event, self._states.get(unit)))
            self._skipped.discard(skip)
        if unit is not None:
            self._states[unit] = event
        if event.action == RATE and event.rating is not None:
            _note_time(self._times.setdefault(desk, []), event.time)


def _desk(rater: str, round: str) -> _Desk:
    return rater, round == ADJUDICATION


def _note_time(times: list[datetime], text: str) -> None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return
    times.append(time if time.tzinfo else time.replace(tzinfo=UTC))


def now() -> str:
    """The time of an event, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _sync_folder(folder: Path) -> None:
    # The log's own name must survive a power cut as well.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
