"""The tables of human ratings, beside what the paper gives.

python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings
"""

from collections.abc import Mapping, Sequence
from typing import Any

from eval.agreement import KAPPAS
from eval.intervals import Interval, PairedDifference
from eval.ratings import LEVELS, QUESTIONS, RATING
from eval.tables import Cell, Table
from selfinstruct.paper_numbers import published

FEW = 30  # answers rated twice; with fewer the agreement is hardly known
PAPER_AGREEMENT = (
    "The paper's two raters: kappa {kappa_four_levels} on four levels, {kappa_halves} on A/B against C/D, "
    "rho {spearman}."
).format(**published("agreement").values)
# Per cent of 200 generated instructions, one instance each (paper, Table 2).
PAPER_QUALITY: dict[str, int] = published("quality_review").values
_QUESTIONS = QUESTIONS | {"all_three": "All three"}


def rating_tables(metrics: Mapping[str, Any], title: str = "Human ratings") -> list[Table]:
    """The tables of what `rating_metrics` returns; those without a row are left out."""
    tables = [
        _level_table(metrics["systems"], title),
        _comparison_table(metrics["comparisons"], title),
        _question_table(metrics["questions"]),
        *(_agreement_table(question, found) for question, found in metrics["agreement"].items()),
    ]
    return [table for table in tables if table.rows]


def _level_table(systems: Mapping[str, Any], title: str) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, found in systems.items():
        counts = [f"{found['counts'][level]} ({found['shares'][level]:.1f} %)" for level in LEVELS]
        rates = (_interval(found["A"]), _interval(found["A+B"]))
        rows.append((name, found["n"], *counts, *rates, found["adjudicated"], found["undecided"]))
    note = (
        "Rates x100 with 95 % Wilson intervals. Of several raters' levels the adjudicated one counts; of an "
        "undecided disagreement the median, between two levels the worse."
    )
    columns = ("system", "items", *LEVELS, "A rate", "A+B rate", "adjudicated", "undecided")
    return Table(title, columns, tuple(rows), (note,))


def _comparison_table(comparisons: Sequence[Mapping[str, Any]], title: str) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for pair in comparisons:
        for key in ("A+B", "A"):
            found = pair[key]
            gained, lost = found["only_second"], found["only_first"]
            change = PairedDifference(_interval(found), gained, lost, pair["n"] - gained - lost)
            name = f"{pair['second']} minus {pair['first']}, {key} rate"
            levels = (pair["better"], pair["worse"], pair["same"])
            rows.append((name, pair["n"], change, gained, lost, _p(found["p_mcnemar"]), *levels))
    note = (
        "Differences in points with 95 % intervals by paired bootstrap over items; p of McNemar's exact "
        "test, not corrected for the number of comparisons; last: items with a better, worse, same level."
    )
    columns = ("", "items", "difference", "gained", "lost", "p", "better", "worse", "same")
    return Table(f"{title}: systems compared on the same items", columns, tuple(rows), (note,))


def _question_table(questions: Mapping[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (_QUESTIONS[key], found["n"], found["yes"], _interval(found), f"{PAPER_QUALITY[key]}")
        for key, found in questions.items()
    ]
    note = "Rates x100 with 95 % Wilson intervals; the paper's are of 200 instructions of GPT-3 (Table 2)."
    columns = ("question", "instances", "yes", "yes rate", "paper")
    return Table("Quality of the generated data", columns, tuple(rows), (note,))


def _agreement_table(question: str, found: Mapping[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    few = False
    named = [(f"{pair['first']} and {pair['second']}", pair) for pair in found["pairs"]]
    named += [(f"{pair['first']}, again", pair) for pair in found["self_consistency"]]
    for name, pair in named:
        few = few or pair["n"] < FEW
        equal = _interval(pair["equal"]) if pair["equal"] else None
        kappas = [_coefficient(pair.get(kappa)) for kappa in KAPPAS if kappa in pair]
        rows.append((name, pair["n"], equal, *kappas, _number(pair["spearman"]), "-"))
    is_scale = question == RATING
    names = ("kappa", "linear", "quadratic", "A/B against C/D") if is_scale else ("kappa",)
    if len(found["raters"]) > 1:
        blank = (None,) * (len(names) + 2)
        alpha = _number(found["krippendorff_alpha"])
        rows.append((f"all {len(found['raters'])} raters", found["n"], *blank, alpha))
    notes = [
        "n: answers rated by both; equal: share of equal ratings x100; Cohen's kappa (plain, weighted, "
        "halves; 95 % intervals by bootstrap over items); Spearman's rho; Krippendorff's alpha (ordinal). "
        "'-' is not defined: all on one level, or too few."
    ]
    if is_scale:
        notes.append(PAPER_AGREEMENT)
    if few:
        notes.append(f"A row with fewer than {FEW} answers says little: mind its intervals.")
    title = "Agreement of the raters" if is_scale else f"Agreement: {_QUESTIONS[question]}"
    columns = ("raters", "n", "equal", *names, "rho", "alpha")
    return Table(title, columns, tuple(rows), tuple(notes))


def _coefficient(value: Mapping[str, float | None] | None) -> str:
    if value is None:
        return "-"
    if value["low"] is None:
        return _number(value["value"])
    return f"{value['value']:.2f} ({value['low']:.2f} to {value['high']:.2f})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _interval(values: Mapping[str, float]) -> Interval:
    return Interval(values["value"], values["low"], values["high"])
