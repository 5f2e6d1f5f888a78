"""A whole experiment: each step by its own command, then the comparison of its systems.

Command: `python scripts/reproduce.py experiment=demo run_dir=runs/demo`.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eval.intervals import Clusters, Interval, mean_interval, paired_difference
from eval.summary import RAW, read_clusters
from eval.tables import Cell, Table, systems_by_category_table, write_tables
from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import REPOSITORY, from_dict
from selfinstruct.statistics import PAPER

_MESSAGE_BY_EXIT_CODE = {2: "wrong settings or input, see its message above", 3: "stopped before its end"}


@dataclass
class Step:
    """One command and its settings; it runs in the folder of the step's name."""

    command: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class System:
    """A row of the table: the scores of a step, of its predictions as they are or of a variant."""

    step: str
    label: str
    variant: str = RAW


@dataclass
class ReproduceConfig:
    """`configs/reproduce.yaml` with an experiment, as a dataclass."""

    run_dir: Path
    seed: int
    seed_dir: Path
    experiment_name: str
    title: str
    steps: dict[str, Any]
    data_step: str | None
    review_step: str | None
    systems: dict[str, Any]
    differences: list[list[str]]
    by_category: list[str]
    accelerate_config: str
    model: str | None = None  # this and the next two: what some experiments ask for
    superni_dir: str | None = None
    generated_data: str | None = None

    def __post_init__(self) -> None:
        self.steps = {name: from_dict(Step, step, f"steps.{name}.") for name, step in self.steps.items()}
        self.systems = {name: from_dict(System, s, f"systems.{name}.") for name, s in self.systems.items()}
        for name, system in self.systems.items():
            if system.step not in self.steps:
                raise UserError(f"systems.{name}.step: there is no step {system.step!r}")
        for pair in self.differences:
            unknown = [name for name in pair if name not in self.systems]
            if unknown or len(pair) != 2:
                raise UserError(f"differences: {pair} must be two of {', '.join(self.systems)}")
        for name in self.by_category:
            if name not in self.systems:
                raise UserError(f"by_category: {name!r} is none of {', '.join(self.systems)}")
        for key, step in (("data_step", self.data_step), ("review_step", self.review_step)):
            if step is not None and step not in self.steps:
                raise UserError(f"{key}: there is no step {step!r}; choose from {', '.join(self.steps)}")
        if not (path := _accelerate_file(self.accelerate_config)).exists():
            options = ", ".join(sorted(each.stem for each in path.parent.glob("*.yaml")))
            raise UserError(f"accelerate_config={self.accelerate_config}: choose from {options}")


def reproduce(config: ReproduceConfig) -> None:
    """Run the steps that are not complete, then write and print the tables and `summary.json`.

    Raises:
        UserError, StoppedEarly: a step ended with exit code 2 or 3.
        RuntimeError: a step failed.
    """
    with open_run(config.seed_dir, "reproduce", _as_json(config)) as run:
        run.begin("experiment", {"steps": _settings(config)})
        seconds = _run_steps(config, run)
        summary = summarise_experiment(config, seconds)
        jsonl.replace_json(config.seed_dir / "summary.json", summary)
        jsonl.replace_json(config.run_dir / "summary.json", summary)
        tables = experiment_tables(config)
        write_tables(config.seed_dir, tables)
        run.complete("experiment", seconds=summary["seconds"])
    _show(config, tables, summary)


def _run_steps(config: ReproduceConfig, run: RunFolder) -> float:
    """Run each step as a user would; returns the seconds all of them took, over restarts."""
    total = 0.0
    for position, (name, step) in enumerate(config.steps.items(), start=1):
        folder = config.seed_dir / name
        words = [f"{key}={override_value(value)}" for key, value in step.settings.items()]
        command = [
            *_launcher(step.command, config.accelerate_config),
            f"run_dir={override_value(str(folder))}",
            *words,
        ]
        spent = float(run.steps.get(name, {}).get("counts", {}).get("seconds", 0.0))
        if not run.begin(name, {"command": step.command, "settings": _portable(step.settings, config)}):
            print(f"\n[{position}/{len(config.steps)}] {name}: {step.command}", flush=True)
            start = time.perf_counter()
            code = subprocess.run(command, cwd=REPOSITORY, check=False).returncode
            spent += time.perf_counter() - start
            if code:
                raise _failure(name, step.command, folder, code)
            run.complete(name, seconds=round(spent, 1))
        total += spent
    return total


def _launcher(command: str, accelerate_config: str) -> list[str]:
    if command.startswith("finetune/"):
        settings = str(_accelerate_file(accelerate_config))
        return [sys.executable, "-m", "accelerate.commands.launch", "--config_file", settings, command]
    return [sys.executable, command]


def _accelerate_file(name: str) -> Path:
    return REPOSITORY / "configs" / "accelerate" / f"{name}.yaml"


def _failure(name: str, command: str, folder: Path, code: int) -> Exception:
    if code == 1:  # `accelerate launch` turns every failure into 1: the step's manifest tells which it was
        # Input is refused before anything is written: then there is none, or that of an earlier, good end.
        refused = {"none": 2, "stopped": 2, "complete": 2}
        code = (refused | {"interrupted": 3}).get(_status(folder), 1)
    message = f"step {name} ({command}): {_MESSAGE_BY_EXIT_CODE.get(code, f'failed with exit code {code}')}"
    match code:
        case 2:
            return UserError(message)
        case 3 | -2 | -15:
            return StoppedEarly(f"{message}; start again with the same words to continue")
        case _:
            return RuntimeError(f"{message}; see {folder / 'run.log'}")


def _status(folder: Path) -> str:
    path = folder / "manifest.json"
    return _read_json(path)["status"] if path.exists() else "none"


def override_value(value: Any) -> str:
    """A setting's value in Hydra's override grammar, whatever characters a text holds."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            # In quotes a backslash is special only before a quote.
            escaped = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + found[2].replace("'", r"\'"), value)
            return "'{}'".format(escaped.replace("${", r"\${"))
        case list():
            return f"[{','.join(map(override_value, value))}]"
        case dict():
            return "{" + ",".join(f"{key}:{override_value(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)


def summarise_experiment(config: ReproduceConfig, seconds: float) -> dict[str, Any]:
    """What `summary.json` holds: ROUGE-L x100 of each system with its interval, differences, counts."""
    summary: dict[str, Any] = {"experiment": config.experiment_name, "seed": config.seed}
    for name in config.systems:
        clusters = _clusters(config, name)
        mean = mean_interval(clusters).rounded()
        count = sum(map(len, clusters.values()))
        summary[name] = {"rougeL": mean["value"], "low": mean["low"], "high": mean["high"], "n": count}
    summary["differences"] = {
        f"{second} - {first}": {
            **paired.difference.rounded(),
            "tasks_won": paired.tasks_won,
            "tasks_lost": paired.tasks_lost,
        }
        for first, second in config.differences
        for paired in [paired_difference(_clusters(config, first), _clusters(config, second))]
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
        paired = paired_difference(_clusters(config, first), _clusters(config, second))
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


def _show(config: ReproduceConfig, tables: list[Table], summary: Mapping[str, Any]) -> None:
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


def _clusters(config: ReproduceConfig, name: str) -> Clusters:
    system = config.systems[name]
    return read_clusters(config.seed_dir / system.step / "scores.jsonl", variant=system.variant)


def _metrics(config: ReproduceConfig, step: str) -> dict[str, Any]:
    return _read_json(config.seed_dir / step / "metrics.json")


def _statistics(folder: Path) -> dict[str, Any]:
    return _read_json(folder / "statistics.json")


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _settings(config: ReproduceConfig) -> dict[str, Any]:
    return {name: _portable(step.settings, config) for name, step in config.steps.items()}


def _portable(settings: dict[str, Any], config: ReproduceConfig) -> dict[str, Any]:
    """Settings without the place of the folder, so that a moved or copied run is still the same run."""
    text = json.dumps(settings).replace(json.dumps(str(config.seed_dir))[1:-1], "{folder}")
    return json.loads(text)


def _as_json(config: ReproduceConfig) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(config), default=str))
