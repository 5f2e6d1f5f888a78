"""The rules that turn figures into a verdict in words. No verdict is written by hand.

What a run can show at most depends on what was run: only a real model on the paper's own benchmark can
reproduce a claim; the embedded model, or a benchmark of our own, shows at most its miniature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eval.intervals import Interval
from eval.superni import SUPERNI

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
IN_MINIATURE = "in miniature"
NOT_SEEN = "not seen in miniature"
NOT_COMPARABLE = "not comparable"
NOT_RUN = "not run"
CLOSE_SHARE = (
    0.25  # of the gain, at the worst end of the interval: "close" (the paper's gap is 3 % of its gain)
)
# In the order of the headline.
KINDS = (REPRODUCED, NOT_REPRODUCED, IN_MINIATURE, NOT_SEEN, NOT_COMPARABLE, NOT_RUN)


@dataclass(frozen=True)
class Verdict:
    """One of `KINDS`, and the reason in words."""

    kind: str
    because: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is none of {', '.join(KINDS)}")

    def __str__(self) -> str:
        return f"{self.kind}: {self.because}"


@dataclass(frozen=True)
class Scale:
    """What a figure was measured with.

    Attributes:
        is_embedded: with the toy model of this repository.
        benchmark: label of the benchmark; None where the claim needs none.
        is_official: SuperNI's default track.
        partial: what of it was scored, where that is not all ("12 of 119 tasks").
    """

    is_embedded: bool
    benchmark: str | None = None
    is_official: bool = True
    partial: str | None = None

    @classmethod
    def of(cls, is_embedded: bool, benchmark: Mapping[str, Any]) -> "Scale":
        """The scale of a system that was scored on the benchmark of its metrics.json."""
        official = benchmark["name"] == SUPERNI and benchmark["track"] == "default"
        partial = part_of(benchmark) if benchmark["partial"] else None
        return cls(is_embedded, benchmark["label"], official, partial)

    @property
    def is_miniature(self) -> bool:
        return self.is_embedded or not self.is_official


def part_of(benchmark: Mapping[str, Any]) -> str:
    """How much of a benchmark was scored, by its entry in metrics.json."""
    return str(benchmark.get("part") or f"{benchmark['tasks_found']} of {benchmark['tasks_of']} tasks")


def effect(difference: Interval, scale: Scale) -> Verdict:
    """The paper says that a difference lies above 0."""
    if scale.partial and not scale.is_miniature:
        seen = "lies above 0" if difference.low > 0 else "does not lie above 0"
        return Verdict(NOT_COMPARABLE, f"{scale.partial} were scored; on these the difference {seen}")
    return _graded(
        scale,
        difference.low > 0,
        "the effect has the same sign (interval above 0)",
        "the effect has the opposite sign (interval below 0)"
        if difference.high < 0
        else "the difference cannot be told from 0 (interval holds 0)",
    )


def nearly_as_good(gap: Interval, gain: float, scale: Scale) -> Verdict:
    """The paper says that self-instruct falls short of the stronger system by a small part of the gain.

    Args:
        gap: self-instruct minus the stronger system.
        gain: self-instruct minus vanilla.
    """
    if gap.low > 0:
        ahead = "it is ahead (interval above 0), where the paper's is just behind: close at the least"
        return _graded(scale, True, ahead, "")
    if gain <= 0:
        return _graded(scale, False, "", "tuning gained nothing that could be compared")
    worst = -gap.low / gain
    words = f"at the worst end of the interval it is behind by {100 * worst:.0f} % of what tuning gained"
    far = "behind (interval below 0)" if gap.high < 0 else "the interval is too wide to tell"
    return _graded(scale, worst <= CLOSE_SHARE, f"close: {words}", f"{far}: {words}")


def levels_off(steps: list[Interval], whole: Interval, scale: Scale) -> Verdict:
    """The paper says that more data helps at first, and from some size on hardly.

    Args:
        steps: each size minus the one before, the smallest first.
        whole: the largest minus the smallest.
    """
    if whole.low <= 0:
        words = "more data makes it worse" if whole.high < 0 else "it is not seen that more data helps"
        return _graded(scale, False, "", f"{words} ({_where(whole)}, largest minus smallest)")
    if steps[-1].low <= 0:
        words = "more data helps, and the last step adds nothing that can be told from 0"
        return _graded(scale, True, words, "")
    return _graded(scale, False, "", "more data helps up to the largest size: no levelling off in this range")


def _where(difference: Interval) -> str:
    return "interval below 0" if difference.high < 0 else "interval holds 0"


def mostly_valid(share: Interval, paper: float, scale: Scale, judges: str) -> Verdict:
    """The paper says that somewhat more than half of the instances are right in every field (per cent)."""
    if scale.is_embedded:
        words = f"more than half are right in every field (interval above 50), judged by {judges}"
        no = f"more than half right in every field is not seen (interval not above 50), judged by {judges}"
        return _graded(scale, share.low > 50, words, no)
    where = (
        "holds" if share.low <= paper <= share.high else "lies above" if share.low > paper else "lies below"
    )
    return _graded(scale, share.high >= paper, *2 * (f"the interval {where} the paper's {paper:g} %",))


def amount(count: int, paper: int, scale: Scale, asked: int | None = None) -> Verdict:
    """The paper says that a model writes so many instructions by itself.

    Args:
        asked: how many it was asked for.
    """
    if scale.is_embedded:
        return _graded(scale, count > 0, f"the same stages, {paper // max(count, 1):,} times fewer", "none")
    if count >= paper:
        return Verdict(REPRODUCED, "as many instructions, by the same stages")
    share = f"{100 * count / paper:.1f} % of the paper's number"
    part = f"the run stopped at {share}" if count < (asked or 0) else f"{share} were asked for"
    return Verdict(NOT_COMPARABLE, f"{part}; more: num_instructions={paper}")


def _graded(scale: Scale, is_seen: bool, seen: str, not_seen: str) -> Verdict:
    if scale.is_miniature:
        return Verdict(IN_MINIATURE, seen) if is_seen else Verdict(NOT_SEEN, not_seen)
    return Verdict(REPRODUCED, seen) if is_seen else Verdict(NOT_REPRODUCED, not_seen)
