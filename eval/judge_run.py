"""Asks a judge model for its ratings, counts them as people's are, and says how far it agrees with people.

python scripts/judge.py run_dir=runs/judge 'predictions=[...]' ratings=runs/annotate llm=openai ...
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from eval.agreement import PairAgreement, pair_agreement
from eval.annotate.items import Item, drawn, items_of_predictions
from eval.intervals import IntervalsConfig
from eval.judge import TOO_LONG, Judgement, Reply, judge_prompt, judgement, read_reply
from eval.rating_chart import draw_levels
from eval.rating_metrics import rating_metrics
from eval.rating_report import ratings_csv
from eval.rating_tables import rating_tables
from eval.ratings import (
    LEVELS,
    RATINGS,
    Event,
    Final,
    Unit,
    final_ratings,
    latest,
    rating_files,
    read_events,
)
from eval.tables import Cell, Table, write_tables
from eval.user_oriented import system_files
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, LLMConfig, Request, complete_in_order, make_llm
from selfinstruct.llm.budget import BudgetConfig
from selfinstruct.llm.response_log import LoggedLLM
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import file_digest

JUDGEMENTS = "judgements.jsonl"
ENOUGH = 100  # answers rated by people, from which on the judge's agreement with them is worth much


@dataclass
class JudgeConfig:
    """`configs/judge.yaml` as a dataclass."""

    run_dir: Path
    predictions: list[str] | str
    tasks: Path | None
    num_items: int
    show_reference: bool
    ratings: list[str] | str | None
    llm: LLMConfig
    samples: int
    temperature: float
    max_tokens: int
    budget: BudgetConfig
    intervals: IntervalsConfig
    seed: int

    def __post_init__(self) -> None:
        for name in ("num_items", "samples", "max_tokens"):
            if getattr(self, name) < 1:
                raise UserError(f"{name}: {getattr(self, name)} must be at least 1")
        if self.temperature < 0:
            raise UserError(f"temperature: {self.temperature} must be 0 or more")
        if self.samples > 1 and not self.temperature:
            raise UserError("samples: with temperature=0 all would be the same; raise it, or take samples=1")


def judge(config: JudgeConfig) -> dict[str, Any]:
    """Rate every answer by the judge and return what metrics.json holds; prints the tables.

    Raises:
        UserError: bad input, or settings that differ from those the run folder was made with.
        StoppedEarly: the budget is reached; the same words continue.
    """
    given = [config.predictions] if isinstance(config.predictions, str) else config.predictions
    files = system_files(given)
    found, _ = items_of_predictions(files, config.tasks, config.show_reference)
    items = drawn(found, config.num_items, config.seed)
    people = final_ratings(
        latest(event for path in rating_files(config.ratings) for event in read_events(path))
    )
    llm = make_llm(config.llm)
    try:
        with open_run(config.run_dir, "judge", _as_json(config)) as run:
            asked = _settings(config, files, llm)
            if not run.begin("judge", asked):
                price = config.budget.price_of(config.llm.model or config.llm.backend)
                logged = LoggedLLM(llm, run.path / "response_log.jsonl", config.budget, price)
                judged = ask_judge(items, logged.for_stage("judge"), config)
                jsonl.replace(run.path / JUDGEMENTS, (asdict(each) for each in judged))
                run.complete("judge", answers=len(judged), unscored=sum(j.rating is None for j in judged))
            metrics = _report(_read_judgements(run.path / JUDGEMENTS), people, config, run)
    finally:
        llm.close()
    print(f"\n{(config.run_dir / 'table.md').read_text(encoding='utf-8')}")
    print(f"tables, figure, metrics and the judgements are in {config.run_dir}")
    return metrics


def _settings(config: JudgeConfig, files: Mapping[str, Path], llm: LLM) -> dict[str, Any]:
    return {
        "predictions": {system: file_digest(path) for system, path in files.items()},
        "tasks": file_digest(config.tasks) if config.tasks else None,
        "llm": dict(llm.description),
        **{name: getattr(config, name) for name in ("num_items", "show_reference", "samples", "seed")},
        **{name: getattr(config, name) for name in ("temperature", "max_tokens")},
    }


def ask_judge(items: Sequence[Item], llm: LLM, config: JudgeConfig) -> list[Judgement]:
    """One answer at a time, `samples` times each; a prompt that does not fit is not asked, and unscored."""
    answers = [(item, slot.system, str(slot.text)) for item in items for slot in item.slots]
    prompts = [judge_prompt(item, text) for item, _, text in answers]
    room = llm.room_for(config.max_tokens)
    fits = [llm.count_tokens(prompt) <= room for prompt in prompts]

    def requests() -> Iterator[Request]:
        for place, sample in product(range(len(answers)), range(config.samples)):
            if fits[place]:
                item, system, _ = answers[place]
                yield Request(
                    prompts[place],
                    max_tokens=config.max_tokens,
                    temperature=config.temperature if config.samples > 1 else 0.0,
                    seed=f"{config.seed}:{item.id}:{system}:{sample}",
                )

    completions = complete_in_order(llm, requests())
    judged: list[Judgement] = []
    for (item, system, _), fit in zip(answers, fits, strict=True):
        replies = [Reply(None, TOO_LONG)]
        if fit:
            texts = [next(completions) for _ in range(config.samples)]
            replies = [read_reply(each.text, each.finish_reason) for each in texts]
        judged.append(judgement(item.id, system, replies))
    return judged


def _read_judgements(path: Path) -> list[Judgement]:
    return [
        Judgement(r["item"], r["system"], r["rating"], tuple(Reply(**reply) for reply in r["replies"]))
        for r in jsonl.read(path)
    ]


def _report(
    judged: Sequence[Judgement],
    people: Mapping[tuple[str, str], Final],
    config: JudgeConfig,
    run: RunFolder,
) -> dict[str, Any]:
    # Seconds of work: made anew at every start, as people go on rating.
    events = [Event("judge", j.item, j.system, j.rating, j.replies[0].reason, "") for j in judged]
    jsonl.replace(run.path / RATINGS, (event.line() for event in events if event.rating is not None))
    ratings: dict[Unit, Event] = latest(events)
    metrics = rating_metrics(ratings, config.intervals)
    del metrics["agreement"], metrics["questions"]
    metrics |= judge_metrics(judged, people, config.intervals)
    jsonl.replace_json(run.path / "metrics.json", metrics)
    jsonl.replace_text(run.path / "ratings.csv", ratings_csv(ratings))
    write_tables(run.path, judge_tables(metrics))
    if metrics["systems"]:
        draw_levels(metrics["systems"], run.path)
    return metrics


def judge_metrics(
    judged: Sequence[Judgement], people: Mapping[tuple[str, str], Final], intervals: IntervalsConfig
) -> dict[str, Any]:
    """How much was scored, why the rest was not, and the agreement with people, in all and by system."""
    judge_ratings = {(j.item, j.system): j.rating for j in judged if j.rating is not None}

    def with_people(system: str | None) -> dict[str, Any]:
        mine = {key: rating for key, rating in judge_ratings.items() if system in (None, key[1])}
        theirs = {key: final.rating for key, final in people.items()}
        names = ("judge", "people")
        found: PairAgreement = pair_agreement(
            names, mine, theirs, LEVELS, intervals.resamples, intervals.seed
        )
        return found.as_json()

    systems = list(dict.fromkeys(j.system for j in judged))
    return {
        "with_people": with_people(None),
        "judged": {
            system: {
                "answers": sum(j.system == system for j in judged),
                "unscored": sum(j.system == system and j.rating is None for j in judged),
                "why_unscored": dict(
                    Counter(why for j in judged if j.system == system and (why := j.why_unscored))
                ),
                "unreadable_replies": sum(
                    reply.level is None for j in judged if j.system == system for reply in j.replies
                ),
                "with_people": with_people(system),
            }
            for system in systems
        },
    }


def agreement_note(found: Mapping[str, Any]) -> str:
    """What stands with every table of a judge: how far it agrees with people, or that nobody knows."""
    if not found["n"]:
        return (
            "WARNING: no answer here was rated by people as well (ratings=...): how far this judge agrees "
            "with people is not known."
        )
    kappas = [("kappa", "kappa"), ("A/B against C/D", "kappa_halves")]
    shown = [f"{name} {_coefficient(found[key])}" for name, key in kappas]
    text = (
        f"Judge and people on the same {found['n']} answers: equal {found['equal']['value']:.1f} %, "
        f"{', '.join(shown)}."
    )
    if found["n"] < ENOUGH:
        return f"WARNING: people rated fewer than {ENOUGH} answers, too few to trust the judge by. {text}"
    return text


def judge_tables(metrics: Mapping[str, Any]) -> list[Table]:
    """The tables of a judge's metrics.json, each under the line that says how far it agrees with people."""
    tables = rating_tables({**metrics, "questions": {}, "agreement": {}}, "Ratings of the judge model")
    note = agreement_note(metrics["with_people"])
    return [replace(table, notes=(note, *table.notes)) for table in [*tables, judge_table(metrics)]]


def judge_table(metrics: Mapping[str, Any]) -> Table:
    """What the judge scored, and its agreement with people, by system."""
    rows: list[tuple[Cell, ...]] = []
    for system, found in metrics["judged"].items():
        why = ", ".join(f"{reason} {count}" for reason, count in found["why_unscored"].items())
        both = found["with_people"]
        equal = f"{both['equal']['value']:.1f}" if both["equal"] else "-"
        counts = (found["answers"], found["unscored"], why or "-", found["unreadable_replies"])
        rows.append((system, *counts, both["n"], equal, _coefficient(both["kappa"])))
    columns = (
        "system",
        "answers",
        "unscored",
        "why",
        "unreadable replies",
        "n with people",
        "equal",
        "kappa",
    )
    note = "An answer without a readable reply is unscored and left out of the rates; it is never a D."
    return Table("What the judge scored", columns, tuple(rows), (note,))


def _coefficient(value: Mapping[str, float | None] | None) -> str:
    if value is None or value["value"] is None:
        return "-"
    if value["low"] is None or value["high"] is None:
        return f"{value['value']:.2f}"
    return f"{value['value']:.2f} ({value['low']:.2f} to {value['high']:.2f})"


def _as_json(config: JudgeConfig) -> dict[str, Any]:
    paths = {name: str(value) for name, value in asdict(config).items() if isinstance(value, Path)}
    return asdict(config) | paths
