"""What becomes of the candidates of stage 1: accepted and rejected over time, and what is left in the end."""

from collections import Counter
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.instances import INSTANCES

_STEPS = (1000, 500, 200, 100, 50, 20)  # candidates in a step of the acceptance curve
_FEWEST_STEPS = 6


def acceptance_curve(marks: list[jsonl.Record], rejected: list[jsonl.Record]) -> list[dict[str, Any]]:
    """Candidates, accepted and rejected by reason, in steps of 1,000 candidates in the order they came.

    A short run has shorter steps (down to 20 candidates), so that there is a curve to see. Answers are not
    divided: a step ends with the answer that fills it. Requests of an adopted folder, whose number of
    candidates nobody kept, are left out.
    """
    known = [mark for mark in marks if mark["candidates"] is not None]
    total = sum(mark["candidates"] for mark in known)
    size = next((step for step in _STEPS if total >= step * _FEWEST_STEPS), _STEPS[-1])
    reasons_of: dict[int, Counter[str]] = {}
    for line in rejected:
        if line["stage"] == "instructions" and "request_idx" in line:
            reasons_of.setdefault(line["request_idx"], Counter())[line["reason"]] += 1
    curve: list[dict[str, Any]] = []
    candidates = accepted = done = 0
    reasons: Counter[str] = Counter()
    for position, mark in enumerate(known, start=1):
        candidates += mark["candidates"]
        accepted += mark["accepted"]
        reasons.update(reasons_of.get(mark["request_idx"], {}))
        if candidates and (candidates >= size or position == len(known)):
            done += candidates
            curve.append(
                {
                    "up_to_candidate": done,
                    "candidates": candidates,
                    "accepted": accepted,
                    "accepted_share": round(accepted / candidates, 4),
                    "rejected": dict(sorted(reasons.items())),
                }
            )
            candidates = accepted = 0
            reasons = Counter()
    return curve


def funnel(
    marks: list[jsonl.Record],
    rejected: list[jsonl.Record],
    folder: Path,
    instances: list[jsonl.Record] | None,
) -> dict[str, int]:
    """What is left after each filter: candidates, novel instructions, tasks with instances."""
    known = [mark for mark in marks if mark["candidates"] is not None]
    candidates = sum(mark["candidates"] for mark in known)
    too_similar = sum(
        line["stage"] == "instructions" and line["reason"] == "too_similar" for line in rejected
    )
    accepted = sum(mark["accepted"] for mark in known)
    left = {"candidates": candidates, "passed_filters": accepted + too_similar, "novel": accepted}
    if instances is not None:
        left["asked_for_instances"] = len(jsonl.read_if_there(folder / INSTANCES))
        left["with_instances"] = len({record["instruction"] for record in instances})
    return left
