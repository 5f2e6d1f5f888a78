"""The report's tables of how a run was made: times, tokens, tuning, versions, settings beside the paper's."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.report.chains import TRAIN, Run
from eval.report.files import read_lines
from eval.tables import Cell, Table
from selfinstruct.paper_numbers import published
from selfinstruct.seed_spread import counted


def time_table(run: Run) -> Table:
    """Seconds of each step, over restarts, of each seed."""
    names = list(dict.fromkeys(name for chain in run.chains for name in chain.steps))
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        found = [chain.steps.get(name) for chain in run.chains]
        command = next(step.command for step in found if step)
        rows.append((name, command, *(step.seconds if step else None for step in found)))
    totals = [sum(step.seconds for step in chain.steps.values()) for chain in run.chains]
    rows.append(("all steps", "", *totals))
    heads = tuple("seconds" if seed is None else f"seconds, seed {seed}" for seed in _seeds(run))
    note = "Of the command's own work, without its start; a time says little of other machines."
    return Table(f"{run.name}: time", ("step", "command", *heads), tuple(rows), (note,))


def _seeds(run: Run) -> list[int | None]:
    return [chain.seed for chain in run.chains]


def usage_table(runs: Sequence[Run]) -> Table | None:
    """Requests and tokens of every generation, of all seeds of a run together, and their sum."""
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        asked = [step for step in run.generations if step.usage]
        names = list(dict.fromkeys(step.name for step in asked))
        seeds = f", {len(run.chains)} seeds together" if len(run.chains) > 1 else ""
        for name in names:
            label = f"{run.name}{f', {name}' if len(names) > 1 else ''}{seeds}"
            rows += _usage_rows(label, [step.usage or {} for step in asked if step.name == name])
        if len(names) > 1:
            rows.append(_usage_rows(f"{run.name}{seeds}", [step.usage or {} for step in asked])[-1])
    if not rows:
        return None
    paper = published("cost")
    note = f"The paper: about ${paper.values['generation']} for its data, {paper.source}."
    columns = ("stage", "requests", "prompt tokens", "completion tokens", "cost")
    return Table("What generation asked for", columns, tuple(rows), (note,))


def _usage_rows(label: str, usages: Sequence[Mapping[str, Any]]) -> list[tuple[Cell, ...]]:
    """A row a stage and one of all, summed over some generations."""
    parts = [{**usage["by_stage"], "all": usage["total"]} for usage in usages]
    costs = [usage["cost"] for usage in usages if "cost" in usage]
    cost = f"{round(sum(costs), 4):,}" if len(costs) == len(usages) else None
    rows: list[tuple[Cell, ...]] = []
    for stage in dict.fromkeys(stage for part in parts for stage in part if stage != "all"):
        rows.append((f"{label}: {stage}", *_tokens(parts, stage), None))
    return [*rows, (f"{label}: all", *_tokens(parts, "all"), cost)]


def _tokens(parts: Sequence[Mapping[str, Any]], stage: str) -> list[int]:
    keys = ("requests", "prompt_tokens", "completion_tokens")
    return [sum(part[stage][key] for part in parts if stage in part) for key in keys]


def training_table(run: Run) -> Table | None:
    """Size and losses of each tuning of the first seed."""
    rows: list[tuple[Cell, ...]] = []
    for step in run.first.of(TRAIN):
        counts: Mapping[str, Any] = step.manifest.get("steps", {}).get("train", {}).get("counts", {})
        method = step.config.get("method", {}).get("name")
        shown = [counts.get(key) for key in ("examples", "steps")]
        lines = read_lines(step.path / "metrics.jsonl")
        tokens = [line["num_trained_tokens"] for line in lines if "num_trained_tokens" in line]
        losses = [f"{counts[key]:.2f}" if key in counts else None for key in ("first_loss", "final_loss")]
        passes = (counts.get("trained_tokens"), sum(tokens) if tokens else None)
        rows.append((step.name, method, *shown, *passes, *losses))
    if not rows:
        return None
    tokens_heads = ("answer tokens, one pass", "answer tokens, all steps")
    columns = ("step", "method", "examples", "steps", *tokens_heads, "first loss", "last loss")
    note = "Loss in nats an answer token; only answers are trained on, the prompts before them are not."
    return Table(f"{run.name}: finetuning{run.of_first_seed}", columns, tuple(rows), (note,))


def versions_table(runs: Sequence[Run]) -> Table | None:
    """The versions that each run was made with (its first folder's)."""
    found = {run.name: run.step_dirs[0].manifest.get("versions", {}) for run in runs if run.step_dirs}
    names = list(dict.fromkeys(name for versions in found.values() for name in versions))
    rows: list[tuple[Cell, ...]] = [
        ("commit", *(_commit(run) for run in runs if run.step_dirs)),
        *((name, *(versions.get(name) for versions in found.values())) for name in names),
    ]
    return Table("Versions", ("", *found), tuple(rows)) if found else None


def _commit(run: Run) -> str:
    commits = dict.fromkeys(str(step.manifest.get("git_commit") or "unknown") for step in run.step_dirs)
    short = [f"{c[:12]}{' with changes' if c.endswith('+changes') else ''}" for c in commits]
    return ", ".join(dict.fromkeys(short))


_CALLS = {
    "instructions": "instructions",
    "classification": "is it classification",
    "instances": "instances",
    "evaluation": "evaluation",
}


def settings_table(runs: Sequence[Run]) -> Table:
    """What the paper did and what was done here, setting by setting; of runs that made or scored a model."""
    runs = [run for run in runs if run.first.data or run.systems] or runs
    method, queries = published("method").values, published("query_settings").values
    configs = [_applied(run) for run in runs]
    rows: list[tuple[Cell, ...]] = [
        ("model", "GPT-3 (davinci), 175B", *(model_name(run) for run in runs)),
        (
            "seed tasks",
            method["seed_tasks"],
            *(_seed_file(run, c) for run, c in zip(runs, configs, strict=True)),
        ),
        ("instructions asked for", _PAPER_INSTRUCTIONS, *(c.get("num_instructions") for c in configs)),
        (
            "tasks shown in a request (of them machine-written)",
            f"{method['tasks_shown']} ({method['tasks_shown_machine']})",
            *(_shown_tasks(c) for c in configs),
        ),
        (
            "novelty: ROUGE-L with the pool at most",
            f"{method['novelty_rougeL_below']}",
            *(_text(c.get("novelty", {}).get("threshold")) for c in configs),
        ),
        ("parsing", "the released code", *(_PARSING.get(str(c.get("fidelity"))) for c in configs)),
    ]
    for call, label in _CALLS.items():
        paper = queries[call]
        found = [_query(run, config, call) for run, config in zip(runs, configs, strict=True)]
        if any(found):
            rows.append(
                (f"sampling, {label}", _sampling(paper), *(_sampling(q) if q else None for q in found))
            )
    rows += [
        ("finetuning", "all weights, 2 epochs (OpenAI's service)", *(_tuning(run) for run in runs)),
        ("benchmark", "SuperNI: 119 tasks, 100 instances each", *(_benchmark(run) for run in runs)),
        ("human evaluation", "by experts, 252 tasks", *(_rated_by(run) for run in runs)),
    ]
    return Table("Paper and run, setting by setting", ("", "paper", *(run.name for run in runs)), tuple(rows))


_PARSING = {"fixed": "its flaws mended (fidelity=fixed)", "released": "as the released code"}
_PAPER_INSTRUCTIONS = published("claims").values["instructions"]


def model_name(run: Run) -> str:
    """The model of a run in a few words."""
    if run.is_embedded:
        return "the embedded toy model"
    for step in run.step_dirs:
        llm = step.config.get("llm")
        name = step.config.get("model") or (llm.get("model") if isinstance(llm, Mapping) else None)
        if name:
            return str(name)
    return "not recorded"


def _applied(run: Run) -> Mapping[str, Any]:
    """The settings of a run's generation; without those of its instructions where none was asked for here."""
    data = run.first.data
    if data is None or "instructions" in data.manifest.get("steps", {}) or not data.num_found_before:
        return data.config if data else {}
    queries = {
        call: query for call, query in data.config.get("queries", {}).items() if call != "instructions"
    }
    unused = ("seed_tasks", "num_instructions", "instructions", "novelty")
    return {name: value for name, value in data.config.items() if name not in unused} | {"queries": queries}


def _seed_file(run: Run, config: Mapping[str, Any]) -> str | None:
    path = config.get("seed_tasks")
    if not path:
        return None
    name = "/".join(Path(str(path)).parts[-2:])
    return f"{run.first.num_seeds} ({name})" if run.first.num_seeds else name


def _shown_tasks(config: Mapping[str, Any]) -> str | None:
    found = config.get("instructions")
    return f"{found['shown']} ({found['shown_machine']})" if found else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _query(run: Run, config: Mapping[str, Any], call: str) -> Mapping[str, Any] | None:
    """How a call samples; an evaluation's own setting says it of its system."""
    if call != "evaluation":
        return config.get("queries", {}).get(call)
    system = next(iter(run.systems.values()), None)
    return system.metrics["setting"] if system else None


def _sampling(query: Mapping[str, Any]) -> str:
    names = {
        "temperature": "T",
        "top_p": "top_p",
        "presence_penalty": "presence penalty",
        "max_tokens": "max_tokens",
    }
    return ", ".join(f"{short} {query[name]:g}" for name, short in names.items() if name in query)


def _tuning(run: Run) -> str | None:
    step = next(iter(run.first.of(TRAIN)), None)
    if step is None:
        return None
    method, config = step.config.get("method", {}), step.config
    rank = f" of rank {method['r']}" if method.get("name") == "lora" else ""
    length = f"{config['max_steps']} steps" if config.get("max_steps") else f"{config.get('epochs')} epochs"
    name = {"lora": "LoRA", "qlora": "QLoRA", "full": "all weights"}.get(method.get("name"), "")
    return f"{name}{rank}, {length}"


def _benchmark(run: Run) -> str | None:
    system = next(iter(run.systems.values()), None)
    if system is None:
        return None
    found = system.benchmark
    counts = f"{counted(found['tasks_found'], 'task')}, {counted(found['instances'], 'instance')}"
    return f"{found['label']}: {counts}"


def _rated_by(run: Run) -> str:
    return "see the table of ratings" if (run.first.ratings or {}).get("systems") else "not run"
