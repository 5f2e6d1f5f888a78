"""What the report takes from several seeds together: means, differences and shares with their intervals."""

from collections.abc import Sequence

from eval.intervals import (
    Interval,
    PairedDifference,
    mean_interval,
    mean_over_runs,
    paired_difference,
    paired_over_runs,
)
from eval.report.chains import Run
from eval.report.verdicts import Scale
from selfinstruct.errors import UserError


def mean_score(run: Run, name: str) -> Interval:
    """ROUGE-L x100 of a system, over tasks and, where there are several, seeds."""
    scores = [system.clusters for system in run.each_seed(name)]
    try:
        return mean_interval(scores[0]) if len(scores) == 1 else mean_over_runs(scores)
    except ValueError as error:
        raise _unlike(run, name, name, error) from error


def difference(run: Run, first: str, second: str) -> PairedDifference:
    """Second minus first on the same instances, ROUGE-L x100, over tasks and seeds."""
    before = [system.clusters for system in run.each_seed(first)]
    after = [system.clusters for system in run.each_seed(second)]
    try:
        if len(before) == 1:
            return paired_difference(before[0], after[0])
        return paired_over_runs(before, after)
    except ValueError as error:
        raise _unlike(run, first, second, error) from error


def between_runs(first: Run, second: Run, name: str) -> PairedDifference | None:
    """A system of one run minus the same of another; None where they are not of the same instances and seeds.

    Its interval says what other tasks would change (and other seeds, where both have several).
    """
    before, after = ([system.clusters for system in run.each_seed(name)] for run in (first, second))
    if len(before) != len(after):
        return None
    try:
        if len(before) == 1:
            return paired_difference(before[0], after[0])
        return paired_over_runs(before, after)
    except ValueError:
        return None


def _unlike(run: Run, first: str, second: str, error: ValueError) -> UserError:
    folders = dict.fromkeys(str(s.step.path) for name in (first, second) for s in run.each_seed(name))
    advice = "evaluate them with the same benchmark and settings, or give them to reports of their own"
    return UserError(f"runs: {', '.join(folders)} were not scored on the same instances ({error}); {advice}")


def count_scored(run: Run, name: str) -> int:
    """Instances scored, over all seeds."""
    return sum(int(system.scores["n"]) for system in run.each_seed(name))


def scale_of(run: Run, name: str) -> Scale:
    """With what a system was measured."""
    system = run.systems[name]
    return Scale.of(system.step.is_embedded, system.benchmark)


def on_axis(run: Run) -> list[str]:
    """The systems that lie on the experiment's axis, in its order."""
    placed = [(system.x, name) for name, system in run.systems.items() if system.x is not None]
    return [name for _, name in sorted(placed)]


def review_share(run: Run, key: str) -> tuple[Interval, int] | None:
    """A share of the computed review (per cent) and how many instances it is of, over all seeds."""
    reviews = [chain.review for chain in run.chains]
    if any(review is None for review in reviews):
        return None
    found = [review["reviewed"] for review in reviews if review is not None]
    if len(found) == 1:
        return Interval.of(found[0][key]), found[0]["n"]
    # The seeds' instances put together: yes and no of each.
    scores: list[float] = []
    for each in found:
        yes = round(each[key]["value"] * each["n"] / 100)
        scores += [100.0] * yes + [0.0] * (each["n"] - yes)
    return mean_interval({"": scores}), len(scores)


def mean_of(values: Sequence[float]) -> float:
    return sum(values) / len(values)
