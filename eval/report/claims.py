"""The paper's claims in its order of weight; their numbers come from selfinstruct/paper_numbers.yaml."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from eval.report import data_outcomes, outcomes
from eval.report.chains import Run
from eval.report.outcomes import Outcome
from eval.report.verdicts import NOT_RUN, Verdict
from selfinstruct.paper_numbers import Published, published


@dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Attributes:
        template: the claim in one sentence; `paper_template`: its numbers; both name figures of `_figures`.
        group: where the numbers stand in paper_numbers.yaml.
        how: the commands that would test it, to be pasted into a shell; HUB_ID stands for the model.
        measure: what a run shows of it; None where the run holds nothing of it.
    """

    key: str
    template: str
    paper_template: str
    group: str
    how: tuple[str, ...]
    measure: Callable[[Run], Outcome | None]

    @property
    def says(self) -> str:
        return self.template.format_map(_figures())

    @property
    def paper(self) -> str:
        return self.paper_template.format_map(_figures())

    @property
    def source(self) -> Published:
        return published(self.group)

    def outcome(self, run: Run) -> Outcome:
        """What the run shows, or that it was not run."""
        return self.measure(run) or Outcome(Verdict(NOT_RUN, "nothing that was run tests it"))


@cache
def _figures() -> Mapping[str, float]:
    """The paper's numbers by the names that the claims use; SuperNI's rows by the first letters of theirs."""
    groups = ("claims", "method", "quality_review", "agreement", "data_size", "data_quality", "cost")
    found = {name: value for group in groups for name, value in published(group).values.items()}
    superni = {row["system"]: row["rougeL"] for row in published("superni").values}
    verbs = published("verb_objects").values
    return found | {
        "behind_instructgpt": found["superni_rougeL_self_instruct"] - found["superni_rougeL_instructgpt_001"],
        "with_t0": superni["GPT-3 + T0 training"],
        "with_superni": superni["GPT-3 + SuperNI training"],
        "with_both": superni["GPT-3 self-instruct + SuperNI training"],
        "with_pair": verbs["with_pair"],
        "shown_percent": 100 * verbs["shown_share"],
    }


_GENERATE = "python scripts/generate.py llm=local llm.model=HUB_ID run_dir=runs/mine"
RATE = (
    "python scripts/eval_user_oriented.py model=HUB_ID run_dir=runs/user_vanilla",
    "python scripts/eval_user_oriented.py model=HUB_ID adapter=runs/tuned/adapter run_dir=runs/user_tuned",
    "python scripts/annotate.py run_dir=runs/annotate 'predictions=[runs/user_vanilla,runs/user_tuned]' "
    "'raters=[ann,ben]'",
    "python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings",
)
_WHOLE_TABLE = (
    "python scripts/download_data.py target=public 'what=[comparison,natural_instructions]'",
    "python scripts/reproduce.py experiment=paper model=HUB_ID",
)

CLAIMS = (
    Claim(
        "gain",
        "Tuned on what it has written itself, a base model follows instructions far better "
        "(ROUGE-L on unseen tasks, zero-shot).",
        "{superni_rougeL_vanilla} to {superni_rougeL_self_instruct}: +{superni_rougeL_gain}",
        "claims",
        _WHOLE_TABLE,
        outcomes.gain,
    ),
    Claim(
        "private_data",
        "It comes close to a model tuned on private human data.",
        "{superni_rougeL_self_instruct} against {superni_rougeL_instructgpt_001} of InstructGPT-001: "
        "{behind_instructgpt:+.1f}",
        "claims",
        ("python scripts/reproduce.py experiment=demo",),
        outcomes.private_data,
    ),
    Claim(
        "public_data",
        "It is ahead of the same model tuned on public instruction data, and adds to SuperNI's own.",
        "{superni_rougeL_self_instruct} against {with_t0} (T0's data); {with_both} against {with_superni} "
        "(with SuperNI's)",
        "superni",
        _WHOLE_TABLE,
        outcomes.public_data,
    ),
    Claim(
        "amount",
        "From {seed_tasks} seed tasks a model writes its training data.",
        "{instructions:,} instructions, {instances:,} instances",
        "claims",
        (_GENERATE,),
        data_outcomes.amount_written,
    ),
    Claim(
        "quality",
        "The data is noisy, yet most instructions are valid, and more than half of the instances are "
        "right in every field.",
        "valid {valid_task} %, input {appropriate_input} %, output {acceptable_output} %, all {all_three} %",
        "quality_review",
        (
            "python scripts/annotate.py run_dir=runs/review generated=runs/mine",
            "python scripts/report_ratings.py ratings=runs/review run_dir=runs/ratings",
        ),
        data_outcomes.quality,
    ),
    Claim(
        "diversity",
        "The instructions are diverse: many verbs and objects, and few near copies of the seeds.",
        "{with_pair:,} of {instructions:,} with root verb and object; the most common ones cover "
        "{shown_percent:.0f} %",
        "verb_objects",
        (_GENERATE,),
        data_outcomes.diversity,
    ),
    Claim(
        "human",
        "Experts rate it on 252 user-oriented tasks: little behind InstructGPT-001.",
        "{gap_behind_instructgpt_001_percent} % behind InstructGPT-001",
        "claims",
        RATE,
        outcomes.human,
    ),
    Claim(
        "agreement",
        "Two raters agree fairly well.",
        "kappa {kappa_four_levels}, A/B against C/D {kappa_halves}, rho {spearman}",
        "agreement",
        RATE,
        outcomes.agreement,
    ),
    Claim(
        "data_size",
        "More data helps, and the gain levels off.",
        "after about {gains_level_off_at_instructions:,} instructions",
        "data_size",
        ("python scripts/reproduce.py experiment=data_size run_dir=runs/data_size",),
        outcomes.data_size,
    ),
    Claim(
        "data_quality",
        "Outputs written again by a stronger model make the tuned model better.",
        "about +{gain_percent} %",
        "data_quality",
        ("python scripts/reproduce.py experiment=data_quality run_dir=runs/data_quality",),
        outcomes.data_quality,
    ),
    Claim(
        "cost",
        "The data is cheap.",
        "about ${generation} to generate, ${finetuning} to finetune",
        "cost",
        (
            "python scripts/generate.py llm=openai llm.base_url=https://HOST/v1 llm.model=NAME "
            "'budget.prices={NAME: {input: 0.5, output: 1.5}}' dry_run=true",
        ),
        data_outcomes.cost,
    ),
)
