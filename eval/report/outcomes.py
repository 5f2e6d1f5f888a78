"""What a run shows of each claim of the paper: a function a claim, verdicts by the rules of verdicts.py."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from eval.intervals import Interval
from eval.report.chains import GENERATE, SELF_INSTRUCT, VANILLA, Chain, Run, Step
from eval.report.controls import short_readings
from eval.report.measures import count_scored, difference, mean_score, on_axis, review_share, scale_of
from eval.report.origins import OWN, origin_of, unlike_models
from eval.report.verdicts import (
    NOT_COMPARABLE,
    Scale,
    Verdict,
    amount,
    effect,
    levels_off,
    mostly_valid,
    nearly_as_good,
)
from selfinstruct.paper_numbers import published


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
    because = "; ".join([verdict.because, *short_readings(run)])
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


def amount_written(run: Run) -> Outcome | None:
    counts = [c.statistics for c in run.chains if "instructions" in c.statistics]
    if not counts:
        return None
    written = [each["instructions"]["count"] for each in counts]
    instances = [each["instances"]["count"] for each in counts if "instances" in each]
    data = run.first.data
    paper = published("claims").values["instructions"]
    seeds = f", from {run.first.num_seeds} seed tasks" if run.first.num_seeds else ""
    return Outcome(
        amount(min(written), paper, Scale(bool(data and data.is_embedded))),
        f"{_listed(written)} instructions, {_listed(instances)} instances{seeds}",
        n=f"{len(counts)} seeds" if len(counts) > 1 else "1 run",
        commands=(data.command_line,) if data else (),
    )


def quality(run: Run) -> Outcome | None:
    rated = _rated_quality(run)
    if rated:
        return rated
    names = ("valid_task", "appropriate_input", "acceptable_output", "all_fields_valid")
    shares = [review_share(run, name) for name in names]
    found = [share for share in shares if share is not None]
    if len(found) < len(names):
        return None
    (valid, count), (fitting, _), (right, _), (everything, _) = found
    paper = published("quality_review").values["all_three"]
    return Outcome(
        mostly_valid(everything, paper, Scale(True), "the rules of the embedded model's world"),
        f"valid {valid.value:.0f} %, input {fitting.value:.0f} %, output {right.value:.0f} %, "
        f"all {everything.value:.0f} %",
        f"all: {_interval(everything)}",
        f"{count:,} instructions",
        tuple(step.command_line for step in run.first.of("review_little_world")),
    )


def _rated_quality(run: Run) -> Outcome | None:
    rated = (run.first.ratings or {}).get("questions", {}).get("all_three")
    if not rated:
        return None
    share = Interval.of(rated)
    scale = Scale(run.is_embedded)
    return Outcome(
        mostly_valid(share, published("quality_review").values["all_three"], scale, "people"),
        f"right in every field: {share.value:.0f} %",
        _interval(share),
        f"{rated['n']:,} instances",
        _rating_commands(run.first),
    )


def diversity(run: Run) -> Outcome | None:
    found = run.first.statistics.get("verb_objects")
    data = run.first.data
    if not found or data is None:
        return None
    ours = (
        f"{found['with_pair']:,} of {found['instructions']:,} with root verb and object; the most common "
        f"ones cover {100 * found['shown_share']:.0f} %"
    )
    nearest = run.first.statistics.get("nearest_seed")
    if nearest:
        ours += f"; nearest seed: mean ROUGE-L {nearest['mean']:.2f}"
    why = (
        "the world of the embedded model fixes its verbs and objects"
        if data.is_embedded
        else f"verbs and objects were read by {found['read_by']}, the paper's by another parser"
    )
    verdict = Verdict(NOT_COMPARABLE, f"{why}; the counts are shown beside the paper's")
    return Outcome(verdict, ours, n=f"{found['instructions']:,} instructions", commands=(data.command_line,))


def human(run: Run) -> Outcome | None:
    ratings = run.first.ratings or {}
    pairs = ratings.get("comparisons", [])
    if not ratings.get("systems"):
        return None
    commands = _rating_commands(run.first)
    verdict = Verdict(NOT_COMPARABLE, "InstructGPT-001 is not among the rated systems; the others are shown")
    if not pairs:
        return Outcome(verdict, f"{len(ratings['systems'])} systems rated", commands=commands)
    pair = pairs[0]
    gap = Interval.of(pair["A+B"])
    ours = f"{pair['second']} minus {pair['first']}, rated A or B: {gap.value:+.1f} points"
    return Outcome(verdict, ours, _interval(gap, signed=True), f"{pair['n']} tasks", commands)


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
        _rating_commands(run.first),
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
        f"{_interval(whole, signed=True)}; last step {_interval(steps[-1], signed=True)}",
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


def cost(run: Run) -> Outcome | None:
    usage, data = run.first.statistics.get("usage"), run.first.data
    if not usage or data is None:
        return None
    total = usage["total"]
    tokens = f"{total['prompt_tokens']:,} prompt and {total['completion_tokens']:,} completion tokens"
    money = f"; {usage['cost']:,} at the prices given" if "cost" in usage else ""
    why = "no price is known for this model" if "cost" not in usage else "another model at other prices"
    return Outcome(
        Verdict(NOT_COMPARABLE, f"{why}; tokens and times are shown"),
        f"{tokens}{money}",
        n=f"{total['requests']:,} requests",
        commands=(data.command_line,),
    )


def _spread(found: Interval, run: Run, name: str) -> tuple[str, str]:
    return _interval(found, signed=True), _instances_and_seeds(run, name)


def _instances_and_seeds(run: Run, name: str) -> str:
    benchmark = run.systems[name].benchmark
    seeds = f", {len(run.chains)} seeds" if len(run.chains) > 1 else ""
    tasks = f"{benchmark['tasks_found']} tasks of {benchmark['name']}"
    return f"{count_scored(run, name):,} instances, {tasks}{seeds}"


def _interval(found: Interval, signed: bool = False) -> str:
    form = "+.1f" if signed else ".1f"
    return f"{found.low:{form}} to {found.high:{form}}"


def _listed(counts: Sequence[int]) -> str:
    return ", ".join(f"{count:,}" for count in counts) or "no"


def _rating_commands(chain: Chain) -> tuple[str, ...]:
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
