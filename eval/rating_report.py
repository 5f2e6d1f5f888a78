"""Tables and a figure of human ratings: shares per level, systems compared, and how far raters agree.

python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.agreement import (
    KAPPAS,
    doubly_rated,
    krippendorff_alpha,
    mcnemar,
    pair_agreement,
    share_interval,
)
from eval.intervals import Interval, IntervalsConfig, PairedDifference, paired_difference
from eval.ratings import (
    LEVELS,
    QUALITY_QUESTIONS,
    QUESTIONS,
    RATING,
    REPEAT,
    Event,
    Final,
    Unit,
    by_rater,
    choices,
    final_ratings,
    latest,
    rating_files,
    read_events,
)
from eval.tables import Cell, Table, write_tables
from eval.workbooks import Sheet, write_workbook
from selfinstruct.drawing import matplotlib_settings, new_figure, write_figure
from selfinstruct.errors import UserError
from selfinstruct.jsonl import replace_json, replace_text
from selfinstruct.paper_numbers import published
from selfinstruct.runs import open_run
from selfinstruct.settings import file_digest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW = 30  # answers rated twice; with fewer the agreement is hardly known
PAPER_AGREEMENT = (
    "The paper's two raters: kappa {kappa_four_levels} on four levels, {kappa_halves} on A/B against C/D, "
    "rho {spearman}."
).format(**published("agreement").values)
# Per cent of 200 generated instructions, one instance each (paper, Table 2).
PAPER_QUALITY: dict[str, int] = published("quality_review").values
_QUESTIONS = QUESTIONS | {"all_three": "All three"}
# Blue to red over pale middles: told apart in grey and with any colour vision.
_COLOURS = {"A": "#2c5f8a", "B": "#a3c4dc", "C": "#f2c48d", "D": "#b5472f"}
_MEANINGS = {
    "A": "A valid and satisfying",
    "B": "B minor errors",
    "C": "C significant errors",
    "D": "D irrelevant or invalid",
}


@dataclass
class ReportRatingsConfig:
    """`configs/report_ratings.yaml` as a dataclass."""

    run_dir: Path
    ratings: list[str] | str
    intervals: IntervalsConfig

    def __post_init__(self) -> None:
        if not self.files:
            raise UserError("ratings: the list is empty; give run folders of annotate.py, or ratings files")

    @property
    def files(self) -> list[Path]:
        """The event logs; a run folder stands for its `ratings.jsonl`."""
        return rating_files(self.ratings)


def report_ratings(config: ReportRatingsConfig) -> dict[str, Any]:
    """Write tables, figure, `metrics.json` and `ratings.csv`, and return what metrics.json holds.

    Raises:
        UserError: a bad line; no rating; a scale mixed with the other.
    """
    events = [event for path in config.files for event in read_events(path)]
    ratings = latest(events)
    if not ratings:
        names = ", ".join(str(path) for path in config.files)
        raise UserError(f"ratings: {names} hold no rating; rate something first (scripts/annotate.py)")
    questions = {unit.question for unit in ratings}
    if RATING in questions and len(questions) > 1:
        advice = "report the review of generated data and the ratings of answers by themselves"
        raise UserError(f"ratings: A-D ratings and yes/no answers are mixed; {advice}")
    plan = asdict(config.intervals)
    with open_run(config.run_dir, "report_ratings", {"ratings": list(map(str, config.files))}) as run:
        # Seconds of work from what is on disk, which grows while people rate: always made anew.
        run.begin("report", {"intervals": plan})
        metrics = rating_metrics(ratings, config.intervals)
        metrics["files"] = {str(path): file_digest(path) for path in config.files}
        replace_json(run.path / "metrics.json", metrics)
        replace_text(run.path / "ratings.csv", ratings_csv(ratings))
        write_workbook(run.path / "ratings.xlsx", [Sheet("ratings", rating_rows(ratings), {"note": 60})])
        write_tables(run.path, rating_tables(metrics))
        if metrics["systems"]:
            draw_levels(metrics["systems"], run.path)
        run.complete("report", ratings=len(ratings))
    print(f"\n{(config.run_dir / 'table.md').read_text(encoding='utf-8')}")
    print(f"tables, figure, metrics and the ratings (CSV, XLSX) are in {config.run_dir}")
    return metrics


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


_COLUMNS = ("rater", "item", "system", "question", "round", "rating", "note", "time")


def rating_rows(ratings: Mapping[Unit, Event]) -> list[dict[str, str]]:
    """A row a rating, by item and system."""
    in_order = sorted(ratings.values(), key=lambda e: (e.item, e.system or "", e.question, e.rater, e.round))
    return [{column: str(getattr(event, column)) for column in _COLUMNS} for event in in_order]


def ratings_csv(ratings: Mapping[Unit, Event]) -> str:
    """The rows of `rating_rows` as CSV."""
    text = io.StringIO()
    rows = rating_rows(ratings)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        # A spreadsheet would run a text that begins like a formula.
        writer.writerow([f"'{cell}" if cell[:1] in tuple("=+-@\t\r") else cell for cell in row.values()])
    return text.getvalue()


def draw_levels(systems: Mapping[str, Any], folder: Path) -> None:
    """The paper's stacked bars, a bar a system, best A+B rate on top: `ratings.png` and `ratings.svg`."""
    with matplotlib_settings():
        write_figure(_levels_figure(systems), folder / "ratings")


def _levels_figure(systems: Mapping[str, Any]) -> "Figure":
    names = sorted(systems, key=lambda name: (systems[name]["A+B"]["value"], systems[name]["A"]["value"]))
    figure = new_figure(8, 1.3 + 0.5 * len(names))
    axes = figure.subplots()
    labels = [f"{_short(name)} (n={systems[name]['n']})" for name in names]
    left = np.zeros(len(names))
    for level in LEVELS:
        shares = np.array([systems[name]["shares"][level] for name in names])
        axes.barh(
            range(len(names)), shares, left=left, color=_COLOURS[level], label=_MEANINGS[level], height=0.7
        )
        for row, (start, share) in enumerate(zip(left, shares, strict=True)):
            if share >= 4:  # else the number does not fit
                shade = "white" if level in "AD" else "black"
                axes.text(start + share / 2, row, f"{share:.0f}", ha="center", va="center", color=shade)
        left += shares
    for row, name in enumerate(names):
        good = systems[name]["A+B"]
        axes.text(101, row, f"A+B {good['value']:.0f} [{good['low']:.0f}, {good['high']:.0f}]", va="center")
    axes.set_yticks(range(len(names)), labels)
    axes.set_xlim(0, 100)
    axes.set_xlabel("answers, % (A+B with its 95 % interval)")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize="small")
    return figure


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"
