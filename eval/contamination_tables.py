"""The tables of training data that overlaps with test tasks, and of the scores without those."""

from collections.abc import Mapping
from typing import Any

from eval.intervals import Interval
from eval.tables import Cell, Table

_RULE = (
    "Overlapping: 13 words in a row that stand in a training text (of a text of 8 to 12 words, all of them), "
    "or ROUGE-L above 0.7 with a training instruction (definitions) or input (inputs of 8 words or more); "
    "8 words in a row are shown beside them, and do not decide. Paraphrases and translations are not found."
)


def contamination_tables(
    found: Mapping[str, Any], overall: Mapping[str, Mapping[str, Any]], label: str
) -> list[Table]:
    """How much overlaps, and each system's ROUGE-L with and without it.

    Args:
        found: metrics.json's `contamination`.
        overall: of each system, the scores of all instances.
        label: the benchmark's.
    """
    data = found["training_data"]
    note = f"Training data: {data['name']}, {data['examples']} examples. {_RULE}"
    rows: list[tuple[Cell, ...]] = []
    for name, kind in (("definitions", "definitions"), ("inputs (not empty)", "inputs")):
        counts = found[kind]
        keys = ("n", "too_short", "shared_13", "whole", "shared_8", "rouge", "overlapping")
        rows.append((name, *(counts[key] for key in keys)))
    instances = found["instances"]
    rows.append(("instances by either", instances["n"], *[None] * 5, instances["overlapping"]))
    columns = (
        "",
        "texts",
        "under 8 words",
        "13 words",
        "all of 8 to 12",
        "8 words",
        "ROUGE-L above 0.7",
        "overlapping",
    )
    scores: list[tuple[Cell, ...]] = []
    for system, group in overall.items():
        without = found["without_overlap"][system]
        left = (without["n"], Interval.of(without["rougeL"])) if without else (0, None)
        scores.append((system, group["n"], Interval.of(group["rougeL"]), *left))
    return [
        Table(f"{label}: overlap of the training data with the test tasks", columns, tuple(rows), (note,)),
        Table(
            f"{label}: ROUGE-L without what overlaps with the training data",
            ("system", "instances", "ROUGE-L", "instances left", "ROUGE-L of these"),
            tuple(scores),
        ),
    ]
