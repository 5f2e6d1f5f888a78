"""What is counted of human ratings: shares per level, systems compared, and how far raters agree.

python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from eval.agreement import doubly_rated, krippendorff_alpha, mcnemar, pair_agreement, share_interval
from eval.intervals import IntervalsConfig, paired_difference
from eval.ratings import (
    LEVELS,
    QUALITY_QUESTIONS,
    RATING,
    REPEAT,
    Event,
    Final,
    Unit,
    by_rater,
    choices,
    final_ratings,
)


def rating_metrics(ratings: Mapping[Unit, Event], intervals: IntervalsConfig) -> dict[str, Any]:
    """Everything counted: systems, comparisons, quality questions, agreement; shares and rates x100."""
    finals = {question: final_ratings(ratings, question) for question in (RATING, *QUALITY_QUESTIONS)}
    return {
        "systems": _systems(finals[RATING]),
        "comparisons": _comparisons(finals[RATING], intervals),
        "questions": _questions(finals),
        "agreement": {
            question: _agreement(ratings, question, intervals)
            for question in finals
            if any(unit.question == question for unit in ratings)
        },
    }


def _systems(finals: Mapping[tuple[str, str], Final]) -> dict[str, Any]:
    systems: dict[str, Any] = {}
    for name in dict.fromkeys(sorted(system for _, system in finals)):
        own = [final for (_, system), final in finals.items() if system == name]
        counts = {level: sum(final.rating == level for final in own) for level in LEVELS}
        systems[name] = {
            "n": len(own),
            "counts": counts,
            "shares": {level: round(100 * count / len(own), 4) for level, count in counts.items()},
            "A": share_interval(counts["A"], len(own)).rounded(),
            "A+B": share_interval(counts["A"] + counts["B"], len(own)).rounded(),
            "adjudicated": sum(final.source == "adjudicated" for final in own),
            "undecided": sum(final.source == "median" for final in own),
        }
    return systems


def _comparisons(finals: Mapping[tuple[str, str], Final], intervals: IntervalsConfig) -> list[dict[str, Any]]:
    """Every two systems on the items that have a rating of both: the second minus the first."""
    comparisons: list[dict[str, Any]] = []
    for first, second in combinations(sorted({system for _, system in finals}), 2):
        items = sorted(item for item, system in finals if system == first and (item, second) in finals)
        if not items:
            continue
        levels = {
            name: [LEVELS.index(finals[item, name].rating) for item in items] for name in (first, second)
        }
        pair: dict[str, Any] = {"first": first, "second": second, "n": len(items)}
        for key, worst in (("A", 0), ("A+B", 1)):
            good = {name: [level <= worst for level in found] for name, found in levels.items()}
            before, after = (
                {item: [100.0 * is_good] for item, is_good in zip(items, good[name], strict=True)}
                for name in (first, second)
            )
            paired = paired_difference(before, after, intervals.resamples, intervals.seed)
            test = mcnemar(good[first], good[second])
            pair[key] = {
                **paired.difference.rounded(),
                "only_first": test.only_first,
                "only_second": test.only_second,
                "p_mcnemar": round(test.p, 6),
            }
        signs = np.sign(np.subtract(levels[first], levels[second]))  # a lower index is a better level
        pair |= {"better": int((signs > 0).sum()), "worse": int((signs < 0).sum())}
        comparisons.append(pair | {"same": int((signs == 0).sum())})
    return comparisons


def _questions(finals: Mapping[str, Mapping[tuple[str, str], Final]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    answers = {question: finals[question] for question in QUALITY_QUESTIONS if finals[question]}
    for question, given in answers.items():
        yes = sum(final.rating == "yes" for final in given.values())
        found[question] = {"n": len(given), "yes": yes, **share_interval(yes, len(given)).rounded()}
    if len(answers) == len(QUALITY_QUESTIONS):
        complete = set.intersection(*(set(given) for given in answers.values()))
        yes = sum(all(given[key].rating == "yes" for given in answers.values()) for key in complete)
        if complete:
            interval = share_interval(yes, len(complete)).rounded()
            found["all_three"] = {"n": len(complete), "yes": yes, **interval}
    return found


def _agreement(ratings: Mapping[Unit, Event], question: str, intervals: IntervalsConfig) -> dict[str, Any]:
    levels = choices(question)
    first = by_rater(ratings, question)
    repeated = by_rater(ratings, question, REPEAT)
    plan = intervals.resamples, intervals.seed
    pairs = [pair_agreement((a, b), first[a], first[b], levels, *plan) for a, b in combinations(first, 2)]
    alone = [
        pair_agreement((rater, rater), first.get(rater, {}), again, levels, *plan)
        for rater, again in repeated.items()
    ]
    return {
        "raters": {rater: len(given) for rater, given in first.items()},
        "pairs": [pair.as_json() for pair in pairs],
        "self_consistency": [pair.as_json() for pair in alone],
        "krippendorff_alpha": _rounded(krippendorff_alpha(first, levels)),
        "n": doubly_rated(first),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
