"""Phase 3a as a whole: predict (or read predictions), score, and write the tables into one run folder.

python scripts/eval_superni.py run_dir=runs/eval llm=tiny adapter=runs/train/adapter
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from eval.asking import Question, ask, follow
from eval.dry_run import what_would_be_asked
from eval.intervals import IntervalsConfig
from eval.predict import Prediction, read_predictions, write_predictions
from eval.summary import score_samples, summarise, write_scores
from eval.superni import Benchmark, BenchmarkConfig, Subset, load_benchmark
from eval.superni_tables import superni_tables
from eval.tables import write_tables
from selfinstruct import jsonl, processes
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLMConfig
from selfinstruct.llm.budget import BudgetConfig
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import file_digest


@dataclass
class EvalSuperNIConfig:
    """`configs/eval_superni.yaml` as a dataclass."""

    run_dir: Path
    model: str | None
    adapter: str | None
    llm: LLMConfig
    predictions: Path | None
    benchmark: BenchmarkConfig
    superni_dir: Path | None
    track: str
    max_instances_per_task: int
    prompt_style: str
    num_examples: int
    max_tokens: int | None
    system: str | None
    intervals: IntervalsConfig
    tasks: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)
    stop_at_paragraph: bool = False
    batch_tokens: int | None = None
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    dry_run: bool = False

    def __post_init__(self) -> None:
        question = self.question
        if self.predictions:
            question.refuse_with_predictions()
            if self.dry_run:
                raise UserError("dry_run and predictions are both given; scoring a file asks for nothing")
            if self.predictions.resolve() == (self.run_dir / "predictions.jsonl").resolve():
                raise UserError(f"predictions: {self.predictions} lies in run_dir; choose another run_dir")

    @property
    def question(self) -> Question:
        """The keys that say how a model is asked."""
        names = [each.name for each in fields(Question)]
        return Question(**{name: getattr(self, name) for name in names})


def evaluate_superni(config: EvalSuperNIConfig) -> dict[str, Any]:
    """Run phase 3a and return what metrics.json holds; prints the table.

    Of several processes, the main one; the others return nothing, as does a dry run.

    Raises:
        UserError: bad input, or settings that differ from those the run folder was made with.
        StoppedEarly: the budget is reached.
    """
    with processes.main_speaks_first():
        benchmark = load_benchmark(
            config.benchmark,
            config.superni_dir,
            config.track,
            config.max_instances_per_task,
            config.num_examples,
            Subset(config.tasks, config.categories),
        )
        if not processes.is_main():
            if not config.predictions:
                follow(config.question, benchmark.samples, config.run_dir)
            return {}
        print(benchmark.found)
        if config.dry_run:
            print(what_would_be_asked(config.question, benchmark.samples, config.run_dir))
            return {}
        return _evaluate(config, benchmark)


def _evaluate(config: EvalSuperNIConfig, benchmark: Benchmark) -> dict[str, Any]:
    with open_run(config.run_dir, "eval_superni", _as_json(config)) as run:
        if config.predictions:
            predictions, setting = _given(config, benchmark)
        else:
            predictions, setting = _asked(config, benchmark, run)
        metrics = _score(config, benchmark, predictions, setting, run)
    print(f"\n{(config.run_dir / 'table.md').read_text(encoding='utf-8')}")
    print(f"metrics, predictions and tables are in {config.run_dir}")
    return metrics


def _given(config: EvalSuperNIConfig, benchmark: Benchmark) -> tuple[dict[str, Prediction], dict[str, Any]]:
    path = cast(Path, config.predictions)
    predictions = read_predictions(path)
    ids = {sample.id for sample in benchmark.samples}
    if not ids & predictions.keys():
        example = next(iter(predictions))
        reason = f"none of its {len(predictions)} ids is in {benchmark.label} (the first is {example!r})"
        raise UserError(f"{path}: id: {reason}; is superni_dir the folder that was predicted on?")
    system = config.system or path.stem
    return predictions, {"mode": "score only", "system": system, "predictions": file_digest(path)}


def _asked(
    config: EvalSuperNIConfig, benchmark: Benchmark, run: RunFolder
) -> tuple[dict[str, Prediction], dict[str, Any]]:
    path = run.path / "predictions.jsonl"
    predictions, setting = ask(config.question, benchmark.samples, run, _benchmark_settings(benchmark))
    if predictions is not None:
        write_predictions(path, benchmark.samples, predictions)
        run.complete("predict", predictions=len(predictions))
    return read_predictions(path), setting


def _score(
    config: EvalSuperNIConfig,
    benchmark: Benchmark,
    predictions: Mapping[str, Prediction],
    setting: dict[str, Any],
    run: RunFolder,
) -> dict[str, Any]:
    # Seconds of work from what is on disk: always made anew, so that a half-written result cannot stay.
    resampling = asdict(config.intervals)
    run.begin("score", setting | _benchmark_settings(benchmark) | {"intervals": resampling})
    scores = score_samples(benchmark.samples, predictions)
    metrics = summarise(benchmark, predictions, scores, config.intervals.resamples, config.intervals.seed)
    metrics["setting"] = setting | {"intervals": resampling}
    if config.predictions:
        predicted = [sample for sample in benchmark.samples if sample.id in predictions]
        texts = [predictions[sample.id] for sample in predicted]
        write_predictions(run.path / "predictions.jsonl", predicted, texts)
    write_scores(run.path / "scores.jsonl", benchmark.samples, scores)
    jsonl.replace_json(run.path / "metrics.json", metrics)
    write_tables(run.path, superni_tables(metrics))
    run.complete("score", **metrics["counts"])
    return metrics


def _benchmark_settings(benchmark: Benchmark) -> dict[str, Any]:
    # The words come first in a message about other settings; the digest also sees a changed task file.
    return {
        "benchmark": benchmark.label,
        "max_instances_per_task": benchmark.max_instances_per_task,
        "benchmark_sha256": benchmark.fingerprint,
    }


def _as_json(config: EvalSuperNIConfig) -> dict[str, Any]:
    values = asdict(config)
    for key in ("run_dir", "predictions", "superni_dir"):
        values[key] = str(values[key]) if values[key] is not None else None
    values["benchmark"]["dir"] = str(config.benchmark.dir) if config.benchmark.dir else None
    return values
