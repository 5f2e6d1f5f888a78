"""The tables of one system on SuperNI or a benchmark like it: overall with variants, and by category.

python scripts/eval_superni.py run_dir=runs/eval   # writes table.md, table.tex and table.csv
"""

from collections.abc import Mapping, Sequence
from typing import Any

from eval.intervals import Interval
from eval.scoring import METRICS
from eval.tables import Cell, Table

# What metrics.json of one run holds.
Metrics = Mapping[str, Any]

_COLUMNS = ("group", "tasks", "instances", "ROUGE-L", "ROUGE-1", "exact match")


def superni_tables(metrics: Metrics) -> list[Table]:
    """The tables of one system: overall with variants and macro means, and per category."""
    label, overall = metrics["benchmark"]["label"], metrics["overall"]
    setting = setting_note(metrics)
    groups = [("overall (prediction unchanged)", overall)]
    groups += [(f"overall, {_words(name)}", group) for name, group in metrics["variants"].items()]
    for name, means in metrics["macro"].items():
        groups.append((f"mean over {name}", {**overall, **means, "n": overall["n"]}))
    categories = [(_words(key), group) for key, group in metrics["categories"].items()]
    return [
        Table(f"{label}: overall", _COLUMNS, _score_rows(groups), (setting, counts_note(metrics))),
        Table(f"{label}: by category", _COLUMNS, _score_rows(categories), (setting,)),
    ]


def _score_rows(groups: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[tuple[Cell, ...], ...]:
    rows: list[tuple[Cell, ...]] = []
    for name, group in groups:
        rows.append((name, group["num_tasks"], group["n"], *(_cell(group[metric]) for metric in METRICS)))
    return tuple(rows)


def setting_note(metrics: Metrics) -> str:
    """The setting in one line, for a table's head."""
    setting, benchmark = metrics["setting"], metrics["benchmark"]
    if setting["mode"] == "score only":
        asked = "predictions scored as given"
    else:
        limit = f"at most {setting['max_tokens']} tokens an answer"
        shown = f"{setting['num_examples']} examples" if setting["num_examples"] else "zero-shot"
        stops = [*setting["stop"], *(["the first blank line"] if setting.get("stop_at_paragraph") else [])]
        stopped = f", stopped at {' or '.join(map(repr, stops))}" if stops else ""
        asked = f"{shown}, prompt {setting['prompt_style']}, greedy, {limit}{stopped}"
    tasks = f"{benchmark['tasks_found']} of {benchmark['tasks_of']} tasks, {benchmark['track']} track"
    each = f"first {benchmark['max_instances_per_task']} instances of each"
    intervals = "95 % intervals by bootstrap over tasks (over instances where there is one task)"
    return f"System {setting['system']}; {asked}; {tasks}, {each}; {intervals}."


def counts_note(metrics: Metrics) -> str:
    """What a reader must know of the predictions, in one line."""
    counts = metrics["counts"]
    listed = ", ".join(f"{counts[name]} {name}" for name in ("missing", "empty", "truncated", "stripped"))
    reasons = ", ".join(f"{number} {reason}" for reason, number in counts["finish_reasons"].items())
    if counts["not_in_benchmark"]:
        listed += f", and {counts['not_in_benchmark']} ids that are not in the benchmark (left out)"
    return f"Of {counts['instances']} predictions: {listed}; ended by: {reasons}."


def _cell(values: Mapping[str, float]) -> Cell:
    return Interval(values["value"], values["low"], values["high"]) if "low" in values else values["value"]


def _words(key: str) -> str:
    return key.replace("_", " ")
