"""The top of the report: what the paper claims, what was run, how far it agrees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.intervals import Interval
from eval.report.blocks import Headline
from eval.report.chains import SELF_INSTRUCT, VANILLA, Run
from eval.report.claims import Claim
from eval.report.controls import control_readings, signed
from eval.report.describe import what_was_run
from eval.report.measures import difference, mean_score, scale_of
from eval.report.origins import origin_of
from eval.report.outcomes import Outcome
from eval.report.run_tables import model_name
from eval.report.verdicts import KINDS
from selfinstruct.paper_numbers import published

Outcomes = Sequence[tuple[Claim, tuple[Outcome, ...]]]  # of each run


@dataclass(frozen=True)
class Material:
    """What every section is made of.

    Attributes:
        figures: the names of those drawn.
    """

    runs: Sequence[Run]
    figures: Sequence[str]
    outcomes: Outcomes


def headline(material: Material) -> Headline:
    main, human = published("claims").values, published("human_evaluation_size").values
    paper = (
        f"GPT-3 (175B) wrote {main['instructions']:,} instructions from "
        f"{published('method').values['seed_tasks']} seed tasks and was tuned on them.",
        f"On SuperNI's unseen tasks it rose from {main['superni_rougeL_vanilla']} to "
        f"{main['superni_rougeL_self_instruct']} ROUGE-L; InstructGPT-001, tuned on private human data, has "
        f"{main['superni_rougeL_instructgpt_001']}.",
        f"Experts rated it {main['gap_behind_instructgpt_001_percent']} % behind InstructGPT-001 on "
        f"{human['instructions']} everyday tasks.",
    )
    several = len(material.runs) > 1
    if several:
        ran = tuple(f"{run.name}: {' '.join(what_was_run(run))}" for run in material.runs)
    else:
        ran = what_was_run(material.runs[0])
    kinds = [outcome.verdict.kind for _, rows in claim_rows(material) for _, outcome in rows]
    counts = tuple((kind, kinds.count(kind)) for kind in KINDS if kind in kinds)
    boxes = (
        ("The paper claims", paper),
        ("Run here", ran),
        ("How far it agrees", _agreement(material)),
    )
    return Headline(_numbers(material), boxes, counts, len(material.outcomes))


def _numbers(material: Material) -> tuple[tuple[str, str, str], ...]:
    main = published("claims").values
    before, after = main["superni_rougeL_vanilla"], main["superni_rougeL_self_instruct"]
    found = [("The paper", f"{before} → {after}", "ROUGE-L of GPT-3 on SuperNI, before and after")]
    for run in material.runs:
        if {VANILLA, SELF_INSTRUCT} <= run.systems.keys():
            ours = [mean_score(run, name).value for name in (VANILLA, SELF_INSTRUCT)]
            label = run.systems[SELF_INSTRUCT].benchmark["label"]
            whose = "Here" if len(material.runs) == 1 else run.name
            other = ", another scale" if scale_of(run, SELF_INSTRUCT).is_miniature else ""
            doubt = "" if origin_of(run).is_own_alone else "; not shown to be tuned on its own data"
            what = f"ROUGE-L of {model_name(run)} on {label}{other}{doubt}"
            found.append((whose, f"{ours[0]:.1f} → {ours[1]:.1f}", what))
    return tuple(found)


def _agreement(material: Material) -> tuple[str, ...]:
    outcomes = [
        {claim.key: (claim, rows[number]) for claim, rows in material.outcomes}
        for number in range(len(material.runs))
    ]
    if len(material.runs) == 1:
        found = _agreement_of(material.runs[0], outcomes[0])
    else:
        found = _agreement_of_several(material.runs, outcomes)
    if limits := one_seed_limits(material.runs):
        found.append(limits)
    found = found or ["Nothing that was run here tests a claim by itself; see the table of claims."]
    if any(run.is_embedded for run in material.runs):
        tested = any(each[key][1].ours for each in outcomes for key in _EFFECTS)
        shown = " and which sign such an effect has in its little world" if tested else ""
        found.append(
            f"A toy model shows that the chain works{shown}; it says nothing about models of useful size, or "
            "about SuperNI."
        )
    return tuple(found)


def one_seed_limits(runs: Sequence[Run]) -> str:
    """What the intervals of the runs with one seed lack, in a sentence; empty where there are none."""
    single = [run.name for run in runs if len(run.chains) == 1 and run.systems]
    if not single:
        return ""
    whose = "this one run" if len(runs) == 1 else f"one seed ({' and '.join(single)})"
    measured = " ('seeds=[1,2,3]' measures that)" if any(run.experiment for run in runs) else ""
    return (
        f"The intervals are over tasks and instances of {whose}: they hold nothing of what another seed of "
        f"generation and training would change{measured}, so a difference of a few points may not come again."
    )


ByKey = Mapping[str, tuple[Claim, Outcome]]  # of one run


def _agreement_of(run: Run, outcomes: ByKey) -> list[str]:
    """The main claim and what weakens it; of a run that does not test it, the claims that it was made for."""
    _, gain = outcomes["gain"]
    if not gain.ours:
        return _other_claims(outcomes) or _switches(run)
    found = [
        # Without the controls that the claim's row names: they follow by themselves.
        f"The main claim, {str(gain.verdict).partition('; ')[0]}.",
        f"ROUGE-L {gain.ours} points, 95 % interval {gain.interval}.",
    ]
    for reading, gap, meaning in control_readings(run):
        if reading.is_at_top:
            # The answer without its yes or no: the question is not shown here.
            found.append(f"{signed(gap)} against {reading.short}: {meaning.partition(': ')[2]}")
        elif reading.doubts and gap.low <= 0:
            found.append(f"{reading.question} {meaning} The difference: {signed(gap)}.")
    return found


def _agreement_of_several(runs: Sequence[Run], outcomes: Sequence[ByKey]) -> list[str]:
    """The main claim's verdicts together, then a paragraph a run: its figures and what weakens them."""
    gains = [each["gain"][1] for each in outcomes]
    by_kind: dict[str, list[str]] = {}
    for run, gain in zip(runs, gains, strict=True):
        if gain.ours:
            by_kind.setdefault(gain.verdict.kind, []).append(run.name)
    listed = "; ".join(f"{kind} in {' and '.join(names)}" for kind, names in by_kind.items())
    found = [f"The main claim: {listed}."] if listed else []
    for run, gain, each in zip(runs, gains, outcomes, strict=True):
        if gain.ours:
            found.append(f"{run.name}: ROUGE-L {gain.ours} ({gain.interval}); {gain.verdict.because}.")
        elif others := _other_claims(each) or _switches(run):
            found.append(f"{run.name}: {' '.join(others)}")
    return found


def _other_claims(outcomes: ByKey) -> list[str]:
    others = [outcomes[key] for key in _OTHER_PURPOSES]
    return [f"“{claim.says}” {_sentence(str(each.verdict))}" for claim, each in others if each.ours]


def _switches(run: Run) -> list[str]:
    """Of an experiment that tests no claim by itself: what each of its differences says, a sentence each."""
    found = []
    for first, second in run.differences:
        if {first, second} <= run.systems.keys():
            gap = difference(run, first, second).difference
            what = f"{run.systems[second].label}, against {run.systems[first].label}: {signed(gap)}"
            found.append(f"{what[0].upper()}{what[1:]}, {_reading(gap)}.")
    seeds = f" and {len(run.chains)} seeds" if len(run.chains) > 1 else ""
    over = f"95 % intervals over tasks{seeds}"
    opening = f"It tests no claim of the paper by itself. Its differences in ROUGE-L, {over}:"
    return [opening, *found] if found else []


def _reading(gap: Interval) -> str:
    if not gap.excludes_zero:
        return "not told apart from 0"
    return "more" if gap.low > 0 else "less"


_EFFECTS = ("gain", "public_data", "data_size", "data_quality")
_OTHER_PURPOSES = ("data_size", "data_quality", "public_data", "human", "agreement")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def claim_rows(material: Material) -> tuple[tuple[Claim, tuple[tuple[str, Outcome], ...]], ...]:
    """Each claim with the outcomes to show: of the runs that test it, or the first's that none does."""
    names = [run.name for run in material.runs] if len(material.runs) > 1 else ["Here"]
    untested = "no run" if len(material.runs) > 1 else "Here"
    found = []
    for claim, outcomes in material.outcomes:
        tested = [(name, each) for name, each in zip(names, outcomes, strict=True) if each.ours]
        found.append((claim, tuple(tested or [(untested, outcomes[0])])))
    return tuple(found)
