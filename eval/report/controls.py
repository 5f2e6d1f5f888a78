"""The controls that could prove the effect wrong, and what their differences mean; readings go by rule."""

from dataclasses import dataclass

from eval.intervals import Interval
from eval.report.chains import SELF_INSTRUCT, Run
from eval.report.measures import difference


@dataclass(frozen=True)
class Reading:
    """What it means that self-instruct is above a control, not told apart from it, or below it."""

    question: str
    above: str
    same: str
    below: str
    short: str = ""  # how the control is named where its question is not shown
    is_in_row: bool = False  # whether the main claim's row names it whatever its difference
    is_at_top: bool = False  # whether the summary names it also where it puts nothing in doubt
    doubts: bool = True  # whether the effect is in doubt where self-instruct is not above this control

    def of(self, found: Interval) -> str:
        return self.above if found.low > 0 else self.below if found.high < 0 else self.same


READINGS = {
    "vanilla_first_paragraph": Reading(
        "Does tuning only teach the model to stop?",
        "No: cut after its first paragraph the untuned model still scores less.",
        "It may: cut after its first paragraph the untuned model cannot be told apart from the tuned one.",
        "Yes: cut after its first paragraph the untuned model scores more than the tuned one.",
        "the untuned model, cut after its first paragraph",
    ),
    "vanilla_2_examples_first_paragraph": Reading(
        "Could the untuned model do the tasks if two examples showed it how?",
        "Not as well: with two examples, cut after the first paragraph, it scores less than the tuned model.",
        "About as well: with two examples, cut after the first paragraph, it cannot be told apart from the "
        "tuned model. What tuning taught may be to follow a bare instruction, not the tasks.",
        "Better: with two examples, cut after the first paragraph, it scores more than the tuned model.",
        "two examples shown to the untuned model (first paragraph)",
        is_in_row=True,
    ),
    "seeds_only": Reading(
        "Would tuning on the seed tasks alone have done as much?",
        "No: tuned on the seeds alone the model scores less than with what it wrote itself.",
        "It may: the data that the model wrote cannot be told apart from the seeds alone.",
        "Yes, and more: tuning on the seeds alone scores more.",
        "tuning on the seed tasks alone",
        is_in_row=True,
        is_at_top=True,
    ),
    "shuffled_outputs": Reading(
        "Is it the form of the data alone (answer, then stop)?",
        "No: with every output moved to another instruction the same form teaches far less or nothing.",
        "It may be: with every output moved to another instruction the result cannot be told apart.",
        "Yes: with outputs moved to other instructions the model scores more.",
        "tuning on shuffled outputs",
    ),
    "little_world": Reading(
        "How much do the errors in the data cost?",
        "Nothing that shows: here as much right data of the same world scores less than the model's own.",
        "Nothing that can be told from 0: as much right data of the same world does no better.",
        "Something: as much right data of the same world scores more.",
        doubts=False,
    ),
}


def control_readings(run: Run) -> list[tuple[Reading, Interval, str]]:
    """(reading, self-instruct minus control, what it means) of each control that the run has."""
    if SELF_INSTRUCT not in run.systems:
        return []
    found = []
    for name, reading in READINGS.items():
        if name in run.systems:
            gap = difference(run, name, SELF_INSTRUCT).difference
            found.append((reading, gap, reading.of(gap)))
    return found


def controls_ahead(run: Run) -> str:
    """The controls that put the effect in doubt and score more than self-instruct; empty where none does."""
    ahead = [r.short for r, gap, _ in control_readings(run) if r.doubts and gap.high < 0]
    return f"{' and '.join(ahead)} {'scores' if len(ahead) == 1 else 'score'} higher" if ahead else ""


def short_readings(run: Run) -> list[str]:
    """What self-instruct is against the controls of the main claim's row, and any that is ahead."""
    readings = [(reading, gap) for reading, gap, _ in control_readings(run) if reading.doubts]
    found = [(reading, gap) for reading, gap in readings if reading.is_in_row or gap.high < 0]
    found.sort(key=lambda each: not each[0].is_at_top)
    return [f"{_place(gap)} {reading.short}, {signed(gap)}" for reading, gap in found]


def _place(gap: Interval) -> str:
    return "above" if gap.low > 0 else "below" if gap.high < 0 else "not told apart from"


def signed(found: Interval) -> str:
    """A difference in points with its interval."""
    return f"{found.value:+.1f} points ({found.low:+.1f} to {found.high:+.1f})"
