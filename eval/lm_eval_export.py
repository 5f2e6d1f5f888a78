"""A benchmark as tasks of lm-evaluation-harness: YAML files, the prompts and references, the official scores.

python scripts/export_lm_eval.py superni_dir=natural-instructions run_dir=runs/lm_eval
lm_eval --include_path runs/lm_eval --tasks superni --model hf --model_args pretrained=PATH_OR_HUB_ID
"""

import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from eval.scoring import METRICS
from eval.superni import Benchmark, BenchmarkConfig, load_benchmark
from eval.superni_tasks import Sample
from selfinstruct import jsonl
from selfinstruct.encoding import PromptStyle, check_prompting, evaluation_prompt
from selfinstruct.errors import UserError
from selfinstruct.runs import open_run

_FUNCTIONS = Path(__file__).parent / "metrics" / "lm_eval" / "superni_task.py"
_TEMPLATE = "_template_yaml"  # of another ending than .yaml: it is no task by itself
_TEMPLATE_FUNCTIONS = (
    "custom_dataset: !function superni_task.load\n"
    "doc_to_target: !function superni_task.first_reference\n"
    "process_results: !function superni_task.process_results\n"
)


@dataclass
class ExportLmEvalConfig:
    """`configs/export_lm_eval.yaml` as a dataclass."""

    run_dir: Path
    benchmark: BenchmarkConfig
    superni_dir: Path | None
    max_instances_per_task: int
    prompt_style: str
    num_examples: int
    max_tokens: int

    def __post_init__(self) -> None:
        check_prompting(self.prompt_style, self.num_examples)
        if self.max_tokens < 1:
            raise UserError(f"max_tokens: {self.max_tokens} must be at least 1")


def export_lm_eval(config: ExportLmEvalConfig) -> None:
    """Write the tasks of a benchmark into the run folder, which lm_eval takes as its `--include_path`.

    Raises:
        UserError: bad input, or a folder made with other settings.
    """
    benchmark = load_benchmark(
        config.benchmark, config.superni_dir, "default", config.max_instances_per_task, config.num_examples
    )
    settings = {
        "benchmark": benchmark.label,
        "benchmark_sha256": benchmark.fingerprint,
        "prompt_style": config.prompt_style,
        "num_examples": config.num_examples,
        "max_tokens": config.max_tokens,
    }
    with open_run(config.run_dir, "export_lm_eval", _as_json(config)) as run:
        run.begin("export", settings)
        group = _write(config, benchmark)
        run.complete("export", instances=len(benchmark.samples))
    print(
        f"{benchmark.label}: {len(benchmark.samples)} instances as tasks of lm-evaluation-harness. Run them:"
    )
    print(
        f"  lm_eval --include_path {config.run_dir} --tasks {group} --model hf --model_args pretrained=MODEL"
    )


def _write(config: ExportLmEvalConfig, benchmark: Benchmark) -> str:
    """All files; returns the name of the group of all tasks."""
    folder, prefix = config.run_dir, "_".join(benchmark.name.lower().split())
    by_task: dict[str, list[Sample]] = {}
    for sample in benchmark.samples:
        by_task.setdefault(sample.task, []).append(sample)
    by_category: dict[str, list[str]] = {}
    for task, samples in by_task.items():
        style = cast(PromptStyle, config.prompt_style)
        jsonl.replace(folder / "data" / f"{task}.jsonl", (_document(each, style) for each in samples))
        entry = {
            "include": _TEMPLATE,
            "task": f"{prefix}_{task}",
            "dataset_kwargs": {"task_file": f"data/{task}.jsonl"},
        }
        _write_yaml(folder / f"{task}.yaml", entry)
        by_category.setdefault(samples[0].category_key, []).append(f"{prefix}_{task}")
    every_task = [task for tasks in by_category.values() for task in tasks]
    _write_yaml(folder / "_all.yaml", _group(prefix, benchmark.label, every_task))
    for key, tasks in by_category.items():
        words = f"{benchmark.label}: {key.replace('_', ' ')}"
        _write_yaml(folder / f"_category_{key}.yaml", _group(f"{prefix}_category_{key}", words, tasks))
    jsonl.replace_text(folder / _TEMPLATE, _template(config.max_tokens))
    shutil.copyfile(_FUNCTIONS, folder / _FUNCTIONS.name)
    jsonl.replace_text(folder / "README.md", _readme(config, benchmark, prefix))
    return prefix


def _document(sample: Sample, style: PromptStyle) -> jsonl.Record:
    prompt = evaluation_prompt(style, sample.definition, sample.input, sample.examples)
    return {"id": sample.id, "prompt": prompt, "references": list(sample.references)}


def _template(max_tokens: int) -> str:
    settings = {
        "output_type": "generate_until",
        "test_split": "test",
        "doc_to_text": "prompt",
        "generation_kwargs": {
            "until": [],
            "do_sample": False,
            "temperature": 0.0,
            "max_gen_toks": max_tokens,
        },
        "metric_list": [
            {"metric": metric, "aggregation": "mean", "higher_is_better": True} for metric in METRICS
        ],
        "metadata": {"version": 1.0},
    }
    return yaml.safe_dump(settings, sort_keys=False) + _TEMPLATE_FUNCTIONS


def _group(name: str, words: str, tasks: Iterable[str]) -> dict[str, Any]:
    """A group that shows the mean over instances, as the official scores do."""
    return {
        "group": name,
        "group_alias": words,
        "task": list(tasks),
        "aggregate_metric_list": [
            {"metric": metric, "aggregation": "mean", "weight_by_size": True} for metric in METRICS
        ],
        "metadata": {"version": 1.0},
    }


def _write_yaml(path: Path, value: Any) -> None:
    jsonl.replace_text(path, yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def _readme(config: ExportLmEvalConfig, benchmark: Benchmark, prefix: str) -> str:
    return (
        f"# {benchmark.label} for lm-evaluation-harness\n\n"
        f"`lm_eval --include_path THIS_FOLDER --tasks {prefix} --model hf --model_args pretrained=MODEL`\n\n"
        f"Prompts in the style {config.prompt_style} with {config.num_examples} examples, greedy, at most "
        f"{config.max_tokens} tokens an answer, no stop rule. Scores x100, the answer unchanged; `{prefix}` "
        f"is the mean over instances, `{prefix}_category_*` that of a category. Unlike "
        "`scripts/eval_superni.py` the harness cuts an over-long prompt at its beginning.\n"
    )


def _as_json(config: ExportLmEvalConfig) -> dict[str, Any]:
    values = asdict(config) | {"run_dir": str(config.run_dir)}
    values["superni_dir"] = str(config.superni_dir) if config.superni_dir else None
    values["benchmark"]["dir"] = str(config.benchmark.dir) if config.benchmark.dir else None
    return values
