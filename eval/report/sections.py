"""The report's sections, in the order a stranger needs them."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from eval.experiment.steps import override_value
from eval.intervals import PairedDifference
from eval.rating_report import rating_tables
from eval.report import run_tables, tables
from eval.report.answers import sampled_answers
from eval.report.blocks import (
    Block,
    Browser,
    ClaimsBlock,
    Commands,
    Figure,
    Report,
    Section,
    TableBlock,
    Text,
)
from eval.report.chains import USER_ORIENTED, Run
from eval.report.claims import CLAIMS, RATE
from eval.report.contents import contents_table
from eval.report.controls import control_readings
from eval.report.figures import DATA_CAPTIONS
from eval.report.headline import Material, Outcomes, claim_rows, headline, one_seed_limits
from eval.report.samples import sampled
from eval.report.whole import ANSWERS, Lists, page_name
from eval.tables import Cell, Table
from eval.user_oriented_run import user_oriented_tables
from selfinstruct.paper_numbers import published


def measure_claims(runs: Sequence[Run]) -> Outcomes:
    """What each run shows of each claim; reads the figures of all runs."""
    return [(claim, tuple(claim.outcome(run) for run in runs)) for claim in CLAIMS]


def build_report(
    runs: Sequence[Run], outcomes: Outcomes, figures: Sequence[str], lists: Lists, most_samples: int
) -> Report:
    """All sections; of each list `most_samples` entries at most."""
    material = Material(runs, figures, outcomes)
    sections = [
        Section("summary", "In short", [headline(material)]),
        _claims(material),
        _scores(material),
        _controls(material),
        _data(material),
        _funnel(material),
        _samples(runs, lists, most_samples),
        _human(material),
        _size_and_quality(material),
        _costs(material),
        _differs(material),
        _repeat(material),
    ]
    sections[-2].blocks.append(TableBlock(contents_table(_names(sections)), "contents"))
    names = ", ".join(run.name for run in runs)
    return Report(
        "Self-Instruct: the paper and this run"
        if len(runs) == 1
        else "Self-Instruct: the paper and these runs",
        f"Every claim of Self-Instruct (arXiv 2212.10560) beside what was run here: {names}.",
        [section for section in sections if section.blocks],
    )


def _names(sections: Sequence[Section]) -> list[str]:
    """The names of all tables, figures and lists."""
    blocks = [block for section in sections for block in section.blocks]
    stems = [block.stem for block in blocks if isinstance(block, TableBlock | Figure)]
    return stems + [block.name for block in blocks if isinstance(block, Browser)]


def _claims(material: Material) -> Section:
    intro = Text(
        "A verdict is given by fixed rules from the figures beside it, and says why. Only a real model on "
        "the paper's own benchmark can reproduce a claim; the embedded toy model, or a benchmark of our "
        "own, shows it at most in miniature: an effect has the paper's sign and its 95 % interval lies "
        "above 0, never that it is as large. Differences are taken before rounding. HUB_ID in a command "
        "stands for a model."
    )
    several = any(len(run.chains) > 1 for run in material.runs)
    seeds = [Text("Of a run with several seeds the commands are those of the first.")] if several else []
    limits = [Text(sentence)] if (sentence := one_seed_limits(material.runs)) else []
    block = ClaimsBlock(claim_rows(material), len(material.runs) > 1)
    return Section("claims", "The paper's claims, one by one", [intro, *limits, *seeds, block])


def _figure(material: Material, stem: str, caption: str) -> list[Block]:
    return [Figure(stem, caption)] if stem in material.figures else []


def _table(table: Table | None, stem: str, is_folded: bool = False) -> list[Block]:
    return [TableBlock(table, stem, is_folded)] if table and table.rows else []


def _scores(material: Material) -> Section:
    blocks: list[Block] = [
        Text(
            "ROUGE-L says how much of the reference's words an answer has in the same order, 0 to 100. "
            "Vanilla is the untuned model, asked in the same way."
        )
    ]
    together = tables.side_by_side_table(material.runs)
    blocks += _table(together, "side_by_side")
    for run in material.runs:
        if not run.systems:
            continue
        seen = "A dot is a mean, the line its 95 % interval."
        blocks += _figure(material, f"systems_{run.slug}", f"{run.name}: ROUGE-L of every system. {seen}")
        blocks += _table(tables.systems_table(run), f"systems_{run.slug}", is_folded=together is not None)
        blocks += _table(tables.category_table(run), f"categories_{run.slug}", is_folded=True)
    blocks += _table(tables.superni_table(material.runs), "superni")
    return Section("scores", "Scores before and after tuning", blocks)


def _controls(material: Material) -> Section:
    blocks = _table(tables.differences_side_by_side_table(material.runs), "differences_side_by_side")
    for run in material.runs:
        caption = (
            f"{run.name}: differences on the same instances. Blue: the interval lies above 0 (the first "
            "named scores more); red: it lies below 0; grey and hollow: it holds 0."
        )
        blocks += _figure(material, f"differences_{run.slug}", caption)
        readings = control_readings(run)
        rows: list[tuple[Cell, ...]] = [
            (reading.question, meaning, PairedDifference(gap, 0, 0, 0)) for reading, gap, meaning in readings
        ]
        columns = ("question", "answer", "self-instruct minus control")
        blocks += _table(
            Table(f"{run.name}: what the controls say", columns, tuple(rows)), f"controls_{run.slug}"
        )
        blocks += _table(tables.differences_table(run), f"differences_{run.slug}", is_folded=True)
    if blocks:
        intro = (
            "A gain over the untuned model may have dull reasons: that the model learned to stop, that it "
            "learned the form of an answer, or that the seeds alone taught it. Each control takes one away."
        )
        blocks.insert(0, Text(intro))
    return Section("controls", "Controls: is it really the data?", blocks)


def _first(run: Run) -> str:
    """The run's name, with the seed of what is shown of the first alone."""
    return f"{run.name}{run.of_first_seed}"


def _data(material: Material) -> Section:
    blocks = _table(tables.statistics_table(material.runs), "statistics")
    blocks += _table(tables.quality_table(material.runs), "quality")
    blocks += _table(tables.overlap_table(material.runs), "overlap")
    for run in material.runs:
        for name, caption in DATA_CAPTIONS.items():
            if name != "acceptance":
                blocks += _figure(material, f"{name}_{run.slug}", f"{_first(run)}: {caption}")
    return Section("data", "The generated data", blocks)


def _funnel(material: Material) -> Section:
    blocks = _table(tables.funnel_table(material.runs), "funnel")
    for run in material.runs:
        caption = f"{_first(run)}: {DATA_CAPTIONS['acceptance']}"
        blocks += _figure(material, f"acceptance_{run.slug}", caption)
    return Section("funnel", "What was kept, and why the rest was not", blocks)


def _samples(runs: Sequence[Run], lists: Lists, most: int) -> Section:
    blocks: list[Block] = []
    for run in runs:
        blocks += [sampled(browser, most, page_name(run, runs)) for browser in lists.tasks[run.slug]]
    blocks += [sampled_answers(browser, most, ANSWERS) for browser in lists.answers]
    return Section("samples", "Look at the data", blocks)


def _beside(runs: Sequence[Run], *others: str) -> str:
    """The word that names these runs and others, quoted for a shell."""
    folders = [run.shown_path for run in runs if run.experiment]
    return shlex.quote(f"runs={override_value([*folders, *others])}")


def _user_oriented_table(run: Run) -> Table | None:
    """The systems of all evaluations on user-oriented tasks (first seed), a row each."""
    found = [step.json("metrics.json") or {} for step in run.first.of(USER_ORIENTED)]
    overall = [user_oriented_tables(metrics)[0] for metrics in found if metrics.get("systems")]
    if not overall:
        return None
    rows = tuple(row for table in overall for row in table.rows)
    return replace(overall[0], title=f"{_first(run)}: {overall[0].title}", rows=rows)


def _human(material: Material) -> Section:
    blocks: list[Block] = []
    for run in material.runs:
        blocks += _table(_user_oriented_table(run), f"user_oriented_{run.slug}")
        ratings = run.first.ratings
        if ratings:
            blocks += _figure(material, f"ratings_{run.slug}", f"{_first(run)}: ratings of people, A to D.")
            for number, table in enumerate(rating_tables(ratings), start=1):
                blocks += _table(table, f"ratings_{number}_{run.slug}")
    if not any(run.first.ratings for run in material.runs):
        size = published("human_evaluation_size").values["instructions"]
        blocks.append(
            Text(
                f"{'No answers were rated by people' if blocks else 'Not run'}. The paper has experts rate "
                f"answers to {size} everyday tasks, blind, from A to D; "
                "it shows bars without numbers, so there is none to set beside ours. The tasks, a page to "
                "rate on and the report of ratings are there:"
            )
        )
        lines = (
            *RATE,
            f"python scripts/make_report.py {_beside(material.runs, 'runs/ratings')} run_dir=runs/report",
        )
        blocks.append(Commands("To run it, HUB_ID being the model", lines))
    return Section("human", "User-oriented tasks and human evaluation", blocks)


_EXTRA = {"data_size": "size of the data", "data_quality": "quality of the outputs"}


_SIZE = published("data_size")
_PAPER_CURVE = (
    "The paper's curve is of human ratings and has no printed values to set beside it; it levels off after "
    f"about {_SIZE.values['gains_level_off_at_instructions']:,} of its instructions ({_SIZE.where}, "
    f"{_SIZE.version})."
)


def _size_and_quality(material: Material) -> Section:
    blocks: list[Block] = []
    for run in material.runs:
        blocks += _figure(
            material, f"curve_{run.slug}", f"{run.name}: ROUGE-L over {run.axis}. {_PAPER_CURVE}"
        )
        blocks += _table(tables.axis_table(run), f"curve_{run.slug}")
    missing = [
        claim
        for claim, outcomes in material.outcomes
        if claim.key in _EXTRA and not any(outcome.ours for outcome in outcomes)
    ]
    if missing:
        names = " and ".join(_EXTRA[claim.key] for claim in missing)
        blocks.append(Text(f"Not run here: the experiment{'s' * (len(missing) > 1)} on {names}."))
        beside = _beside(material.runs, *(f"runs/{claim.key}" for claim in missing))
        lines = (
            *(line for claim in missing for line in claim.how),
            f"python scripts/make_report.py {beside} run_dir=runs/report",
        )
        blocks.append(Commands("To run it, and to see it beside this run", lines))
    return Section("size", "Data size and data quality", blocks)


def _costs(material: Material) -> Section:
    blocks = _table(run_tables.usage_table(material.runs), "usage")
    for run in material.runs:
        caption = f"{_first(run)}: loss of each finetuning, mean of the last 20 steps."
        blocks += _figure(material, f"training_{run.slug}", caption)
        blocks += _table(run_tables.training_table(run), f"training_{run.slug}", is_folded=True)
        blocks += _table(run_tables.time_table(run), f"time_{run.slug}", is_folded=True)
    return Section("costs", "Cost, time and training", blocks)


def _differs(material: Material) -> Section:
    blocks: list[Block] = [TableBlock(run_tables.settings_table(material.runs), "settings")]
    if any(run.is_embedded for run in material.runs):
        blocks.append(
            Text(
                "The embedded model is made for this: its training text teaches it to read few-shot lists "
                "and to write blanks after a bare instruction, so that it starts as low as GPT-3 does and "
                "can rise. Its scores after tuning are high because its world is small, not because the "
                "method is better."
            )
        )
    return Section("differs", "What differs from the paper", blocks)


def _repeat(material: Material) -> Section:
    blocks: list[Block] = []
    for run in material.runs:
        if run.experiment:
            blocks.append(Commands(f"{run.name}: all of it", (_whole_command(run),)))
        steps = tuple(step.command_line for step in run.first.steps.values())
        blocks.append(Commands(f"{_first(run)}: step by step", steps, is_folded=bool(run.experiment)))
    blocks += _table(run_tables.versions_table(material.runs), "versions", is_folded=True)
    return Section("repeat", "How to repeat it", blocks)


def _whole_command(run: Run) -> str:
    """The words that make the whole experiment again."""
    config = run.first.manifest["config"]
    given: dict[str, Any] = {"experiment": run.experiment, "run_dir": run.shown_path}
    given |= {"seed": run.seeds[0]} if len(run.seeds) == 1 else {"seeds": run.seeds}
    given |= {name: config[name] for name in _INPUTS if config.get(name) is not None}
    words = [shlex.quote(f"{key}={override_value(value)}") for key, value in given.items()]
    return f"python scripts/reproduce.py {' '.join(words)}"


_INPUTS = ("model", "superni_dir", "generated_data")  # what experiments with real models ask for
