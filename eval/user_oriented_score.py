"""Scores of responses to the user-oriented tasks: of each, of groups of them, and systems compared.

python scripts/eval_user_oriented.py 'predictions=[vanilla.jsonl,tuned.jsonl]' run_dir=runs/user
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eval.intervals import IntervalsConfig, mean_interval, paired_difference
from eval.scoring import METRICS, score
from eval.user_oriented import Response
from selfinstruct.errors import UserError

# What is known of each task, by its id: metric -> value 0 to 100.
Scores = dict[str, dict[str, float]]


def score_responses(responses: Sequence[Response]) -> Scores:
    """The scores of each response against its task's reference (an empty response scores 0)."""
    values = score([r.text for r in responses], [[r.task.reference] for r in responses])
    return {
        response.task.id: {metric: float(values[metric][index]) for metric in METRICS}
        for index, response in enumerate(responses)
    }


def summarise(responses: Sequence[Response], scores: Scores, intervals: IntervalsConfig) -> dict[str, Any]:
    """One system's part of metrics.json: overall, by application and by form, lengths in words, counts."""

    def group(chosen: Sequence[Response]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for metric in METRICS:
            clusters = {response.task.id: [scores[response.task.id][metric]] for response in chosen}
            found[metric] = mean_interval(clusters, intervals.resamples, intervals.seed).rounded()
        lengths = [len(response.text.split()) for response in chosen]
        targets = [len(response.task.reference.split()) for response in chosen]
        return found | {
            "n": len(chosen),
            "mean_words": round(float(np.mean(lengths)), 4),
            "mean_words_reference": round(float(np.mean(targets)), 4),
            "empty": sum(not response.text.strip() for response in chosen),
        }

    applications: dict[str, list[Response]] = {}
    forms: dict[str, list[Response]] = {}
    for response in responses:
        applications.setdefault(response.task.application, []).append(response)
        for form in response.task.forms:
            forms.setdefault(form, []).append(response)
    return {
        "overall": group(responses),
        "applications": {name: group(chosen) for name, chosen in sorted(applications.items())},
        "forms": {name: group(chosen) for name, chosen in sorted(forms.items())},
    }


def compare_systems(systems: Mapping[str, Scores], intervals: IntervalsConfig) -> list[dict[str, Any]]:
    """Each system minus the first, on the tasks that both answered."""
    comparisons = []
    (first, base), *others = systems.items()
    for name, scores in others:
        shared = [task for task in base if task in scores]
        if not shared:
            raise UserError(f"predictions: {name} and {first} share no task; they cannot be compared")
        for metric in METRICS:
            before = {task: [base[task][metric]] for task in shared}
            after = {task: [scores[task][metric]] for task in shared}
            paired = paired_difference(before, after, intervals.resamples, intervals.seed)
            comparisons.append(
                {
                    "first": first,
                    "second": name,
                    "metric": metric,
                    "n": len(shared),
                    **paired.rounded(),
                }
            )
    return comparisons
