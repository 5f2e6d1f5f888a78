"""What an experiment shows: its tables, its summary, and a sample of the data behind them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.experiment.config import ReproduceConfig
from eval.intervals import Clusters, Interval, mean_interval, paired_difference
from eval.summary import RAW, read_clusters
from eval.tables import Cell, Table, systems_by_category_table
from selfinstruct import jsonl
from selfinstruct.statistics import PAPER


def summarise_experiment(config: ReproduceConfig, seconds: float) -> dict[str, Any]:
    """What `summary.json` holds: ROUGE-L x100 of each system with its interval, differences, counts."""
    summary: dict[str, Any] = {"experiment": config.experiment_name, "seed": config.seed}
    for name in config.systems:
        scores = clusters(config, name)
        mean = mean_interval(scores).rounded()
        count = sum(map(len, scores.values()))
        summary[name] = {"rougeL": mean["value"], "low": mean["low"], "high": mean["high"], "n": count}
    summary["differences"] = {
        f"{second} - {first}": {
            **paired.difference.rounded(),
            "tasks_won": paired.tasks_won,
            "tasks_lost": paired.tasks_lost,
        }
        for first, second in config.differences
        for paired in [paired_difference(clusters(config, first), clusters(config, second))]
    }
    if config.data_step:
        statistics = _statistics(config.seed_dir / config.data_step)
        summary["num_instructions"] = statistics["instructions"]["count"]
        summary["num_instances"] = statistics["instances"]["count"]
    if config.review_step:
        summary["review"] = _read_json(config.seed_dir / config.review_step / "review.json")
    summary["seconds"] = round(seconds, 1)
    return summary


def experiment_tables(config: ReproduceConfig) -> list[Table]:
    """The table of systems, of their paired differences, and of the categories."""
    metrics = {name: _metrics(config, system.step) for name, system in config.systems.items()}
    label = next(iter(metrics.values()))["benchmark"]["label"]
    rows: list[tuple[Cell, ...]] = []
    for name, system in config.systems.items():
        found = metrics[name]
        scores = found["overall"] if system.variant == RAW else found["variants"][system.variant]
        values = [scores[metric] for metric in ("rougeL", "rouge1", "exact_match")]
        cells = [Interval(each["value"], each["low"], each["high"]) for each in values]
        rows.append((system.label, scores["n"], *cells))
    differences: list[tuple[Cell, ...]] = []
    for first, second in config.differences:
        paired = paired_difference(clusters(config, first), clusters(config, second))
        name = f"{config.systems[second].label} minus {config.systems[first].label}"
        differences.append((name, paired, paired.tasks_won, paired.tasks_lost, paired.tasks_tied))
    setting = next(iter(metrics.values()))["setting"]
    notes = (
        f"{label}; seed {config.seed}; zero-shot but where examples are named, prompt "
        f"{setting['prompt_style']}, greedy, max_tokens {setting['max_tokens']}; means x100 with 95 % "
        "intervals by bootstrap over tasks.",
    )
    return [
        Table(
            f"{config.title}: systems on {label}",
            ("system", "instances", "ROUGE-L", "ROUGE-1", "exact match"),
            tuple(rows),
            notes,
        ),
        Table(
            f"{config.title}: differences on the same instances of {label}",
            ("ROUGE-L", "difference", "tasks won", "tasks lost", "tied"),
            tuple(differences),
        ),
        systems_by_category_table(
            {config.systems[name].label: metrics[name] for name in config.by_category},
            f"{config.title}: ROUGE-L by category",
        ),
    ]


def show(config: ReproduceConfig, tables: list[Table], summary: Mapping[str, Any]) -> None:
    """Print a sample of the data, the tables, and where to look next."""
    look_next: list[str] = []
    if config.data_step:
        data = config.seed_dir / config.data_step
        _show_data(data)
        look_next += [
            f"{data / 'machine_generated_instructions.jsonl'}  each instruction with its nearest neighbours",
            f"{data / 'rejected.jsonl'}  every rejected text with its reason",
            f"{data / 'README.md'}  the data set's card, with figures",
        ]
    if config.review_step:
        print((config.seed_dir / config.review_step / "table.md").read_text(encoding="utf-8"))
    print("## Results\n")
    for table in tables:
        print(table.markdown())
    look_next += [
        f"{config.seed_dir / 'table.md'}  these tables (also .tex, .csv)",
        f"{config.run_dir / 'summary.json'}  the figures",
    ]
    print(f"{summary['seconds']:.0f} seconds after set-up. Where to look next:")
    print("\n".join(f"  {line}" for line in look_next))


def _show_data(folder: Path) -> None:
    statistics = _statistics(folder)
    print("\n## What the model wrote (a sample)\n")
    for line in sample_lines(folder):
        print(line)
    print("\n## What was rejected\n")
    for stage, reasons in statistics["rejected"].items():
        listed = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
        print(f"{stage}: {listed or 'nothing'}")
    print("\n## Statistics (beside the paper's, Table 1)\n")
    print(statistics_table(statistics).markdown())


def sample_lines(folder: Path, count: int = 6) -> list[str]:
    """A few generated tasks with an instance, evenly spread over the run, one line a text."""
    path = folder / "finetuning_data" / "all_generated_instances.jsonl"
    by_instruction = {record["instruction"]: record for record in reversed(jsonl.read(path))}
    records = list(reversed(by_instruction.values()))
    lines = []
    for record in records[:: max(1, len(records) // count)][:count]:
        lines.append(f"- {_one_line(record['instruction'])}")
        if record["input"]:
            lines.append(f"    input:  {_one_line(record['input'])}")
        lines.append(f"    output: {_one_line(record['output'])}")
    return lines


def _one_line(text: str, longest: int = 100) -> str:
    # Model text on a terminal: no control characters, no escape sequences.
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


# The lines of the paper's Table 1: where statistics.json holds them.
_TABLE_1 = {
    "instructions": ("instructions", "count"),
    "of them classification": ("instructions", "classification"),
    "instances": ("instances", "count"),
    "of them with empty input": ("instances", "empty_input"),
    "mean words of an instruction": ("instructions", "mean_words"),
    "mean words of a non-empty input": ("instances", "mean_words_input"),
    "mean words of an output": ("instances", "mean_words_output"),
}


def statistics_table(statistics: Mapping[str, Any]) -> Table:
    """The counts and mean lengths of a run beside the paper's Table 1."""
    rows: list[tuple[Cell, ...]] = []
    for name, (part, key) in _TABLE_1.items():
        paper = PAPER[part][key]
        rows.append((name, statistics[part][key], int(paper) if paper > 100 else paper))
    return Table("Generated data", ("", "this run", "paper"), tuple(rows))


def clusters(config: ReproduceConfig, name: str) -> Clusters:
    """A system's ROUGE-L (0 to 100) by task."""
    system = config.systems[name]
    return read_clusters(config.seed_dir / system.step / "scores.jsonl", variant=system.variant)


def _metrics(config: ReproduceConfig, step: str) -> dict[str, Any]:
    return _read_json(config.seed_dir / step / "metrics.json")


def _statistics(folder: Path) -> dict[str, Any]:
    return _read_json(folder / "statistics.json")


def read_summary(config: ReproduceConfig) -> dict[str, Any]:
    """The `summary.json` of one seed."""
    return _read_json(config.seed_dir / "summary.json")


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
