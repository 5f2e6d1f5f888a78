"""What a run shows of the claims on generated data: how much, how good, how diverse, at what cost."""

from collections.abc import Sequence

from eval.intervals import Interval
from eval.report.chains import Run
from eval.report.measures import review_share
from eval.report.outcomes import Outcome, interval_text, rating_commands
from eval.report.verdicts import NOT_COMPARABLE, Scale, Verdict, amount, mostly_valid
from selfinstruct.paper_numbers import published
from selfinstruct.seed_spread import counted


def amount_written(run: Run) -> Outcome | None:
    counts = [c.statistics for c in run.chains if "instructions" in c.statistics]
    data = run.first.data
    if not counts or data is None:
        return None
    written = [each["instructions"]["count"] for each in counts]
    instances = [each["instances"]["count"] for each in counts if "instances" in each]
    paper = published("claims").values["instructions"]
    seeds = f", from {run.first.num_seeds} seed tasks" if run.first.num_seeds else ""
    asked = data.config.get("num_instructions")
    elsewhere = _from_elsewhere(run)
    return Outcome(
        elsewhere or amount(min(written), paper, Scale(data.is_embedded), asked),
        f"{_listed(written)} instructions, {_listed(instances)} instances{'' if elsewhere else seeds}",
        n=f"{len(counts)} seeds" if len(counts) > 1 else "1 run",
        commands=(data.command_line,),
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
        _from_elsewhere(run)
        or mostly_valid(everything, paper, Scale(True), "the rules of the embedded model's world"),
        f"valid {valid.value:.0f} %, input {fitting.value:.0f} %, output {right.value:.0f} %, "
        f"all {everything.value:.0f} %",
        f"all: {interval_text(everything)}",
        f"{count:,} instructions",
        tuple(step.command_line for step in run.first.of("review_little_world")),
    )


def _rated_quality(run: Run) -> Outcome | None:
    rated = (run.first.ratings or {}).get("questions", {}).get("all_three")
    if not rated:
        return None
    share = Interval.of(rated)
    paper = published("quality_review").values["all_three"]
    return Outcome(
        _from_elsewhere(run) or mostly_valid(share, paper, Scale(run.is_embedded), "people"),
        f"right in every field: {share.value:.0f} %",
        interval_text(share),
        counted(rated["n"], "instance"),
        rating_commands(run.first),
    )


def diversity(run: Run) -> Outcome | None:
    verbs = [each for c in run.chains if (each := c.statistics.get("verb_objects"))]
    data = run.first.data
    if not verbs or data is None:
        return None
    pairs = ", ".join(f"{each['with_pair']:,} of {each['instructions']:,}" for each in verbs)
    shares = ", ".join(f"{100 * each['shown_share']:.0f}" for each in verbs)
    ours = f"{pairs} with root verb and object; the most common ones cover {shares} %"
    nearest = [each["mean"] for c in run.chains if (each := c.statistics.get("nearest_seed"))]
    if nearest:
        ours += f"; nearest seed: mean ROUGE-L {', '.join(f'{mean:.2f}' for mean in nearest)}"
    why = (
        "the world of the embedded model fixes its verbs and objects"
        if data.is_embedded
        else f"verbs and objects were read by {verbs[0]['read_by']}, the paper's by another parser"
    )
    verdict = Verdict(NOT_COMPARABLE, f"{why}; the counts are shown beside the paper's")
    total = f"{sum(each['instructions'] for each in verbs):,} instructions"
    return Outcome(
        _from_elsewhere(run) or verdict,
        ours,
        n=f"{total}, {len(verbs)} seeds" if len(verbs) > 1 else total,
        commands=(data.command_line,),
    )


def cost(run: Run) -> Outcome | None:
    """Of all generations of all seeds together."""
    found = [(step, usage) for step in run.generations if (usage := step.usage)]
    if not found:
        return None
    usages = [usage for _, usage in found]
    prompt, completion, requests = (
        sum(usage["total"][key] for usage in usages)
        for key in ("prompt_tokens", "completion_tokens", "requests")
    )
    costs = [usage["cost"] for usage in usages if "cost" in usage]
    money = f"; {round(sum(costs), 4):,} at the prices given" if len(costs) == len(usages) else ""
    why = "another model at other prices" if money else "no price is known for this model"
    lacking = f"; the {before} that were there before are not in them" if (before := _before(run)) else ""
    several = f", {len(found)} generations" if len(found) > 1 else ""
    seeds = f" of {len(run.chains)} seeds" if len(run.chains) > 1 else ""
    return Outcome(
        Verdict(NOT_COMPARABLE, f"{why}; tokens and times are shown{lacking}"),
        f"{prompt:,} prompt and {completion:,} completion tokens{money}",
        n=f"{counted(requests, 'request')}{several}{seeds}",
        commands=tuple(step.command_line for step, _ in found if step in run.first.steps.values()),
    )


def _from_elsewhere(run: Run) -> Verdict | None:
    """Where the data is not what was generated here, no figure of it says what a model here can do."""
    if before := _before(run):
        return Verdict(
            NOT_COMPARABLE, f"the {before} were there before; which model wrote them is not recorded"
        )
    return None


def _before(run: Run) -> str:
    """What of the data was there before anything was asked here; empty where nothing was."""
    found = {stage for chain in run.chains if chain.data for stage in chain.data.found_before}
    return " and ".join(sorted(found, reverse=True))


def _listed(counts: Sequence[int]) -> str:
    return ", ".join(f"{count:,}" for count in counts) or "no"
