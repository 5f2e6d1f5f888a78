"""The top of the report: what the paper claims, what was run, how far it agrees."""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.intervals import Interval
from eval.report.blocks import Headline
from eval.report.chains import SELF_INSTRUCT, VANILLA, Run
from eval.report.claims import Claim
from eval.report.controls import control_readings
from eval.report.describe import what_was_run
from eval.report.measures import mean_score, scale_of
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
        most_samples: how many texts of a run can be browsed.
    """

    runs: Sequence[Run]
    figures: Sequence[str]
    most_samples: int
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
    return Headline(_numbers(material), boxes, counts)


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
            what = f"ROUGE-L of {model_name(run)} on {label}{other}"
            found.append((whose, f"{ours[0]:.1f} → {ours[1]:.1f}", what))
    return tuple(found)


def _agreement(material: Material) -> tuple[str, ...]:
    found: list[str] = []
    by_key = {claim.key: outcomes for claim, outcomes in material.outcomes}
    for position, run in enumerate(material.runs):
        gain = by_key["gain"][position]
        name = f"{run.name}: " if len(material.runs) > 1 else ""
        if gain.ours:
            found.append(f"{name}The main claim, {gain.verdict}.")
            found.append(f"{name}ROUGE-L {gain.ours} points, 95 % interval {gain.interval}.")
        for reading, gap, meaning in control_readings(run):
            if reading.short:
                # The answer without its yes or no: the question is not shown here.
                found.append(f"{name}{_signed(gap)} against {reading.short}: {meaning.partition(': ')[2]}")
    if any(run.is_embedded for run in material.runs):
        found.append(
            "A toy model shows that the chain works and which sign the effect has in its little world; it "
            "says nothing about models of useful size, or about SuperNI."
        )
    return tuple(found) or ("Nothing that was run here tests a claim by itself; see the table of claims.",)


def _signed(found: Interval) -> str:
    return f"{found.value:+.1f} points ({found.low:+.1f} to {found.high:+.1f})"


def claim_rows(material: Material) -> tuple[tuple[Claim, tuple[tuple[str, Outcome], ...]], ...]:
    """Each claim with the outcomes to show: of the runs that test it, or the first's that none does."""
    names = [run.name for run in material.runs] if len(material.runs) > 1 else ["Here"]
    found = []
    for claim, outcomes in material.outcomes:
        tested = [(name, each) for name, each in zip(names, outcomes, strict=True) if each.ours]
        found.append((claim, tuple(tested or [("Here", outcomes[0])])))
    return tuple(found)
