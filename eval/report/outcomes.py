"""What a run shows of each claim of the paper: a function a claim, verdicts by the rules of verdicts.py."""

from dataclasses import dataclass, replace
from itertools import pairwise

from eval.intervals import Interval
from eval.report.chains import GENERATE, SELF_INSTRUCT, VANILLA, Chain, Run, Step
from eval.report.controls import controls_ahead, short_readings
from eval.report.measures import count_scored, difference, mean_score, on_axis, scale_of
from eval.report.origins import OWN, origin_of, unlike_models
from eval.report.verdicts import (
    NOT_COMPARABLE,
    Verdict,
    effect,
    levels_off,
    nearly_as_good,
)
from selfinstruct.seed_spread import counted


@dataclass(frozen=True)
class Outcome:
    """What one run shows of a claim.

    Attributes:
        ours: the figure, in words and numbers.
        interval: its 95 % interval, as text; empty where there is none.
        n: what it is of.
        commands: what made it.
    """

    verdict: Verdict
    ours: str = ""
    interval: str = ""
    n: str = ""
    commands: tuple[str, ...] = ()


def gain(run: Run) -> Outcome | None:
    if not {VANILLA, SELF_INSTRUCT} <= run.systems.keys():
        return None
    found = difference(run, VANILLA, SELF_INSTRUCT).difference
    before, after = mean_score(run, VANILLA), mean_score(run, SELF_INSTRUCT)
    verdict = effect(found, scale_of(run, SELF_INSTRUCT))
    # What a control says is no part of the rule, but whoever reads the verdict must see it.
    doubt = f", but {ahead}" if (ahead := controls_ahead(run)) else ""
    because = "; ".join([f"{verdict.because}{doubt}", *short_readings(run)])
    return Outcome(
        _if_own(run, VANILLA, replace(verdict, because=because)),
        f"{before.value:.1f} to {after.value:.1f}: {found.value:+.1f}",
        *_spread(found, run, SELF_INSTRUCT),
        _behind(run, VANILLA, SELF_INSTRUCT),
    )


def private_data(run: Run) -> Outcome | None:
    stronger = "little_world"
    if not {VANILLA, SELF_INSTRUCT, stronger} <= run.systems.keys():
        return None
    gap = difference(run, stronger, SELF_INSTRUCT).difference
    gain = difference(run, VANILLA, SELF_INSTRUCT).difference.value
    ours, other = mean_score(run, SELF_INSTRUCT), mean_score(run, stronger)
    verdict = nearly_as_good(gap, gain, scale_of(run, SELF_INSTRUCT))
    stands_for = "right data of the same world stands in for human data, which no run here has"
    return Outcome(
        _if_own(run, stronger, replace(verdict, because=f"{verdict.because}; {stands_for}")),
        f"{ours.value:.1f} against {other.value:.1f} ({run.systems[stronger].label}, in place of human "
        f"data): {gap.value:+.1f}",
        *_spread(gap, run, SELF_INSTRUCT),
        _behind(run, stronger, SELF_INSTRUCT),
    )


def public_data(run: Run) -> Outcome | None:
    pairs = [("t0_50k", SELF_INSTRUCT), ("superni_50k", "self_instruct_superni")]
    found = [pair for pair in pairs if set(pair) <= run.systems.keys()]
    if not found:
        return None
    gaps = {pair: difference(run, *pair).difference for pair in found}
    said = (f"{run.systems[b].label} minus {run.systems[a].label}: {gaps[a, b].value:+.1f}" for a, b in found)
    # The claim holds for both or not at all: the smaller difference decides.
    first, second = min(found, key=lambda pair: gaps[pair].value)
    gap = gaps[first, second]
    return Outcome(
        _if_own(run, first, effect(gap, scale_of(run, second)), second),
        "; ".join(said),
        *_spread(gap, run, second),
        _behind(run, first, second),
    )


def _if_own(run: Run, other: str, verdict: Verdict, ours: str = SELF_INSTRUCT) -> Verdict:
    """The verdict where a system was tuned on what its model wrote itself, and its rival is of that model."""
    origin = origin_of(run, ours)
    if unlike := unlike_models(run, other, ours):
        return Verdict(NOT_COMPARABLE, unlike)
    if origin.kind != OWN:
        return Verdict(NOT_COMPARABLE, origin.because)
    if origin.beside and ours == SELF_INSTRUCT:
        beside = " and ".join(origin.beside)
        return Verdict(NOT_COMPARABLE, f"besides its own data it was tuned on {beside}")
    return verdict


def human(run: Run) -> Outcome | None:
    ratings = run.first.ratings or {}
    pairs = ratings.get("comparisons", [])
    if not ratings.get("systems"):
        return None
    commands = rating_commands(run.first)
    verdict = Verdict(NOT_COMPARABLE, "InstructGPT-001 is not among the rated systems; the others are shown")
    if not pairs:
        return Outcome(verdict, f"{len(ratings['systems'])} systems rated", commands=commands)
    pair = pairs[0]
    gap = Interval.of(pair["A+B"])
    ours = f"{pair['second']} minus {pair['first']}, rated A or B: {gap.value:+.1f} points"
    return Outcome(verdict, ours, interval_text(gap, signed=True), f"{pair['n']} tasks", commands)


def agreement(run: Run) -> Outcome | None:
    pairs = (run.first.ratings or {}).get("agreement", {}).get("rating", {}).get("pairs", [])
    if not pairs or pairs[0].get("kappa") is None:
        return None
    kappa = pairs[0]["kappa"]
    has_interval = kappa["low"] is not None
    interval = f"{kappa['low']:.2f} to {kappa['high']:.2f}" if has_interval else ""
    verdict = Verdict(NOT_COMPARABLE, "other raters, other answers; shown beside the paper's")
    return Outcome(
        verdict,
        f"kappa {kappa['value']:.2f}",
        interval,
        f"{pairs[0]['n']} answers",
        rating_commands(run.first),
    )


def data_size(run: Run) -> Outcome | None:
    names = on_axis(run)
    if len(names) < 3:
        return None
    steps = [difference(run, before, after).difference for before, after in pairwise(names)]
    whole = difference(run, names[0], names[-1]).difference
    smallest, largest = (run.systems[name].label for name in (names[0], names[-1]))
    return Outcome(
        levels_off(steps, whole, scale_of(run, names[-1])),
        f"{smallest} to {largest}: {whole.value:+.1f}; the last step {steps[-1].value:+.1f}",
        f"{interval_text(whole, signed=True)}; last step {interval_text(steps[-1], signed=True)}",
        _instances_and_seeds(run, names[-1]),
        _behind(run, names[0], names[-1]),
    )


def data_quality(run: Run) -> Outcome | None:
    if not {"original", "regenerated"} <= run.systems.keys():
        return None
    gain = difference(run, "original", "regenerated").difference
    return Outcome(
        effect(gain, scale_of(run, "regenerated")),
        f"regenerated minus original outputs: {gain.value:+.1f} ROUGE-L",
        *_spread(gain, run, "regenerated"),
        _behind(run, "original", "regenerated"),
    )


def _spread(found: Interval, run: Run, name: str) -> tuple[str, str]:
    return interval_text(found, signed=True), _instances_and_seeds(run, name)


def _instances_and_seeds(run: Run, name: str) -> str:
    benchmark = run.systems[name].benchmark
    seeds = f", {len(run.chains)} seeds" if len(run.chains) > 1 else ""
    tasks = f"{counted(benchmark['tasks_found'], 'task')} of {benchmark['name']}"
    return f"{counted(count_scored(run, name), 'instance')}, {tasks}{seeds}"


def interval_text(found: Interval, signed: bool = False) -> str:
    form = "+.1f" if signed else ".1f"
    return f"{found.low:{form}} to {found.high:{form}}"


def rating_commands(chain: Chain) -> tuple[str, ...]:
    return tuple(step.command_line for step in (*chain.of("eval_user_oriented"), *chain.of("report_ratings")))


def _behind(run: Run, *names: str) -> tuple[str, ...]:
    """The commands that lead to some systems' scores, in the order they ran."""
    wanted: set[str] = set()
    for name in names:
        wanted |= _lineage(run.first, run.systems[name].step)
    return tuple(step.command_line for step in run.first.steps.values() if step.name in wanted)


def _lineage(chain: Chain, step: Step) -> set[str]:
    """A step and every earlier one whose folder its settings name."""
    earlier = [other for other in chain.steps.values() if other.name != step.name]
    text = step.command_line.partition("run_dir=")[2].partition(" ")[2]
    found = {step.name}
    for other in earlier:
        if f"/{other.name}/" in f"{text}/" and other.command in (GENERATE, "train", "make_controls"):
            found |= _lineage(chain, other)
    return found
