"""The tables of the user-oriented tasks.

python scripts/eval_user_oriented.py run_dir=runs/user   # writes table.md, table.tex and table.csv
"""

from collections.abc import Mapping
from typing import Any

from eval.intervals import Interval
from eval.scoring import METRICS
from eval.tables import Cell, Table, comparison_table

_NOTE = (
    "ROUGE-L, ROUGE-1 and exact match to one reference answer, x100, with 95 % intervals by bootstrap over "
    "tasks. A good answer can differ from the reference: the paper has people rate its user-oriented tasks."
)


def user_oriented_tables(metrics: Mapping[str, Any]) -> list[Table]:
    """The tables of metrics.json: overall, differences, by form, by application (ROUGE-L)."""
    systems: Mapping[str, Any] = metrics["systems"]
    overall: list[tuple[Cell, ...]] = []
    for name, found in systems.items():
        group = found["overall"]
        lengths = (group["mean_words"], group["mean_words_reference"], group["empty"])
        overall.append((name, group["n"], *(Interval.of(group[metric]) for metric in METRICS), *lengths))
    scored = ("ROUGE-L", "ROUGE-1", "exact match")
    columns: tuple[str, ...] = ("system", "tasks", *scored, "words", "words of references", "empty")
    tables = [Table("User-oriented tasks: automatic scores", columns, tuple(overall), (_NOTE,))]
    if metrics["comparisons"]:
        title = "User-oriented tasks: the same tasks compared"
        tables.append(comparison_table(metrics["comparisons"], title, "tasks"))
    for key, title in (("forms", "form"), ("applications", "application")):
        tables.append(_sliced(systems, key, title))
    return tables


def _sliced(systems: Mapping[str, Any], key: str, title: str) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in sorted({name for found in systems.values() for name in found[key]}):
        groups = [found[key].get(name) for found in systems.values()]
        counts = [group["n"] if group else 0 for group in groups]
        count = counts[0] if len(set(counts)) == 1 else " / ".join(map(str, counts))
        rows.append((name, count, *(Interval.of(group["rougeL"]) if group else None for group in groups)))
    return Table(f"User-oriented tasks: ROUGE-L by {title}", (title, "tasks", *systems), tuple(rows))
