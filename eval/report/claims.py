"""The paper's claims in its order of weight; their numbers come from selfinstruct/paper_numbers.yaml."""

from collections.abc import Callable
from dataclasses import dataclass

from eval.report import outcomes
from eval.report.chains import Run
from eval.report.outcomes import Outcome
from eval.report.verdicts import NOT_RUN, Verdict
from selfinstruct.paper_numbers import Published, published


@dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Attributes:
        says: the claim in one sentence; `paper`: its numbers; `group`: their place in paper_numbers.yaml.
        how: the command that would test it.
        measure: what a run shows of it; None where the run holds nothing of it.
    """

    key: str
    says: str
    paper: str
    group: str
    how: str
    measure: Callable[[Run], Outcome | None]

    @property
    def source(self) -> Published:
        return published(self.group)

    def outcome(self, run: Run) -> Outcome:
        """What the run shows, or that it was not run."""
        return self.measure(run) or Outcome(Verdict(NOT_RUN, "nothing in this run tests it"))


def claims() -> list[Claim]:
    """All of them, in the paper's order of weight."""
    main, cost = published("claims").values, published("cost").values
    review, agreement = published("quality_review").values, published("agreement").values
    superni = {row["system"]: row["rougeL"] for row in published("superni").values}
    size, quality = published("data_size").values, published("data_quality").values
    verbs = published("verb_objects").values
    vanilla, tuned = main["superni_rougeL_vanilla"], main["superni_rougeL_self_instruct"]
    return [
        Claim(
            "gain",
            "Tuned on what it has written itself, a base model follows instructions far better "
            "(ROUGE-L on unseen tasks, zero-shot).",
            f"{vanilla} to {tuned}: +{main['superni_rougeL_gain']}",
            "claims",
            "python scripts/reproduce.py experiment=paper model=HUB_ID superni_dir=natural-instructions",
            outcomes.gain,
        ),
        Claim(
            "private_data",
            "It comes close to a model tuned on private human data.",
            f"{tuned} against {main['superni_rougeL_instructgpt_001']} of InstructGPT-001: "
            f"{tuned - main['superni_rougeL_instructgpt_001']:+.1f}",
            "claims",
            "python scripts/reproduce.py experiment=demo (in miniature: right data in place of human data)",
            outcomes.private_data,
        ),
        Claim(
            "public_data",
            "It is ahead of the same model tuned on public instruction data, and adds to SuperNI's own.",
            f"{tuned} against {superni['GPT-3 + T0 training']} (T0's data); "
            f"{superni['GPT-3 self-instruct + SuperNI training']} against "
            f"{superni['GPT-3 + SuperNI training']} (with SuperNI's)",
            "superni",
            "accelerate launch finetune/train.py experiment=t0_50k (superni_50k, self_instruct_superni), "
            "then scripts/eval_superni.py",
            outcomes.public_data,
        ),
        Claim(
            "amount",
            f"From {published('method').values['seed_tasks']} seed tasks a model writes its training data.",
            f"{main['instructions']:,} instructions, {main['instances']:,} instances",
            "claims",
            "python scripts/generate.py llm=local llm.model=HUB_ID run_dir=runs/mine",
            outcomes.amount_written,
        ),
        Claim(
            "quality",
            "The data is noisy, yet most instructions are valid, and more than half of the instances are "
            "right in every field.",
            f"valid {review['valid_task']} %, input {review['appropriate_input']} %, "
            f"output {review['acceptable_output']} %, all {review['all_three']} %",
            "quality_review",
            "python scripts/annotate.py (review of generated data), then scripts/report_ratings.py",
            outcomes.quality,
        ),
        Claim(
            "diversity",
            "The instructions are diverse: many verbs and objects, and few near copies of the seeds.",
            f"{verbs['with_pair']:,} of {verbs['instructions']:,} with root verb and object; the "
            f"most common ones cover {100 * verbs['shown_share']:.0f} %",
            "verb_objects",
            "python scripts/generate.py (statistics.json of its run folder)",
            outcomes.diversity,
        ),
        Claim(
            "human",
            "Experts rate it on 252 user-oriented tasks: little behind InstructGPT-001.",
            f"{main['gap_behind_instructgpt_001_percent']} % behind InstructGPT-001",
            "claims",
            "python scripts/eval_user_oriented.py, then scripts/annotate.py and scripts/report_ratings.py",
            outcomes.human,
        ),
        Claim(
            "agreement",
            "Two raters agree fairly well.",
            f"kappa {agreement['kappa_four_levels']}, A/B against C/D {agreement['kappa_halves']}, "
            f"rho {agreement['spearman']}",
            "agreement",
            "python scripts/annotate.py raters=[one,two] overlap=1, then scripts/report_ratings.py",
            outcomes.agreement,
        ),
        Claim(
            "data_size",
            "More data helps, and the gain levels off.",
            f"after about {size['gains_level_off_at_instructions']:,} instructions",
            "data_size",
            "python scripts/reproduce.py experiment=data_size",
            outcomes.data_size,
        ),
        Claim(
            "data_quality",
            "Outputs written again by a stronger model make the tuned model better.",
            f"about +{quality['gain_percent']} %",
            "data_quality",
            "python scripts/reproduce.py experiment=data_quality",
            outcomes.data_quality,
        ),
        Claim(
            "cost",
            "The data is cheap.",
            f"about ${cost['generation']} to generate, ${cost['finetuning']} to finetune",
            "cost",
            "python scripts/generate.py llm=openai budget.prices=... dry_run=true",
            outcomes.cost,
        ),
    ]
