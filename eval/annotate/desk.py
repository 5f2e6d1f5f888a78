"""One rater's desk: their list, what is done, and what they do; no names of systems or raters leave it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean
from typing import Any

from eval.annotate.assignment import Placed, list_digest, slot_choices
from eval.annotate.store import RatingStore, now
from eval.ratings import ADJUDICATION, RATING, SKIP, Event, Unit

BREAK = timedelta(minutes=10)  # a longer gap between two ratings is a break, not work
PACE_OF = 40  # the pace is that of the last so many ratings
OPEN, DONE, SKIPPED = "o", "d", "s"


class WrongRequest(Exception):
    """The page asked for something that does not exist; the message is shown to the rater."""


class Desk:
    """What a rater sees and does; positions and slots count from 0."""

    def __init__(self, rater: str, placed: Sequence[Placed], store: RatingStore, adjudicates: bool) -> None:
        self.rater = rater
        self.placed = placed
        self.list_id = list_digest(placed)
        self._store = store
        self._adjudicates = adjudicates

    def state(self) -> dict[str, Any]:
        """Progress, pace (seconds an item, None before it is known) and each position's status."""
        questions = [slot.question for placed in self.placed[:1] for slot in placed.item.slots]
        mode = "rate" if RATING in questions or not questions else "review"
        return {
            "list": self.list_id,
            "mode": "adjudicate" if self._adjudicates else mode,
            "scale": mode,
            "status": "".join(map(self._status, range(len(self.placed)))),
            "pace_seconds": self._pace(),
            "can_undo": self._store.can_undo(self.rater, self._adjudicates),
        }

    @property
    def done(self) -> int:
        """How many positions are rated in full."""
        return sum(self._status(position) == DONE for position in range(len(self.placed)))

    def view(self, position: int) -> dict[str, Any]:
        """An item as the page shows it.

        Raises:
            WrongRequest: no such position.
        """
        placed = self._at(position)
        item = placed.item
        slots = []
        for index, slot in enumerate(item.slots):
            event = self._store.state(self._unit(position, index))
            slots.append(
                {
                    "text": slot.text,
                    "question": slot.question,
                    "choices": slot_choices(placed, index),
                    "rating": event.rating if event else None,
                    "note": event.note if event else "",
                    "given": placed.given[index] if placed.given else [],
                    "notes": self._notes(position, index) if placed.round == ADJUDICATION else [],
                }
            )
        return {
            "position": position,
            "instruction": item.instruction,
            "input": item.input,
            "output": item.output,
            "reference": item.reference,
            "slots": slots,
        }

    def rate(self, position: int, slot: int, rating: str | None, note: str, id: str) -> None:
        """Write a rating (None: withdrawn) and a note; on disk when this returns.

        Raises:
            WrongRequest: no such place, or no such rating there.
            OSError: not written.
        """
        unit = self._unit(position, slot)
        if rating is not None and rating not in slot_choices(self.placed[position], slot):
            raise WrongRequest(f"{rating!r} is not a rating here")
        self._store.append(
            Event(
                rater=self.rater,
                item=unit.item,
                system=unit.system,
                rating=rating,
                note=note,
                time=now(),
                question=unit.question,
                round=unit.round,
                id=id,
            )
        )

    def skip(self, position: int, id: str) -> None:
        """Put an item off: it comes again after the others.

        Raises:
            WrongRequest: no such position.
            OSError: not written.
        """
        placed = self._at(position)
        self._store.append(
            Event(
                rater=self.rater,
                item=placed.item.id,
                system=None,
                rating=None,
                note="",
                time=now(),
                round=placed.round,
                action=SKIP,
                id=id,
            )
        )

    def undo(self, id: str) -> tuple[int, int] | None:
        """Take back the last thing done; where it was (position, slot), None where there is nothing."""
        undone = self._store.undo(self.rater, self._adjudicates, id)
        if undone is None:
            return None
        for position, placed in enumerate(self.placed):
            if (placed.item.id, placed.round) == (undone.item, undone.round):
                places = [(slot.system, slot.question) for slot in placed.item.slots]
                here = (undone.system or "", undone.question)
                return position, places.index(here) if here in places else 0
        return None

    def _at(self, position: int) -> Placed:
        if not 0 <= position < len(self.placed):
            raise WrongRequest(f"there is no item {position + 1}")
        return self.placed[position]

    def _unit(self, position: int, slot: int) -> Unit:
        placed = self._at(position)
        if not 0 <= slot < len(placed.item.slots):
            raise WrongRequest(f"item {position + 1} has no answer {slot + 1}")
        of = placed.item.slots[slot]
        return Unit(self.rater, placed.item.id, of.system, of.question, placed.round)

    def _status(self, position: int) -> str:
        placed = self.placed[position]
        states = [self._store.state(self._unit(position, slot)) for slot in range(len(placed.item.slots))]
        if all(event is not None and event.rating is not None for event in states):
            return DONE
        return SKIPPED if self._store.is_skipped(self.rater, placed.item.id, placed.round) else OPEN

    def _notes(self, position: int, slot: int) -> list[str]:
        of = self._unit(position, slot)
        return sorted(
            event.note
            for unit, event in self._store.states().items()
            if (unit.item, unit.system, unit.question) == (of.item, of.system, of.question)
            and unit.round != ADJUDICATION
            and event.note
        )

    def _pace(self) -> float | None:
        times: Sequence[datetime] = self._store.rating_times(self.rater, self._adjudicates)[-PACE_OF - 1 :]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        seconds = [gap.total_seconds() for gap in gaps if timedelta(0) <= gap <= BREAK]
        if len(seconds) < 3:
            return None
        answers = fmean(len(placed.item.slots) for placed in self.placed)
        return round(fmean(seconds) * answers, 1)
