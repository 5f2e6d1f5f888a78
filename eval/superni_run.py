"""Phase 3a as a whole: predict (or read predictions), score, and write the tables into one run folder.

python scripts/eval_superni.py run_dir=runs/eval llm=tiny adapter=runs/train/adapter
"""

from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from eval.asking import Question, ask, follow
from eval.dry_run import what_would_be_asked
from eval.intervals import IntervalsConfig
from eval.predict import read_predictions, write_predictions
from eval.subset import Subset
from eval.superni import Benchmark, BenchmarkConfig, check_track, load_benchmark
from eval.superni_given import (
    WHOLE_PART,
    missing_note,
    part_asked,
    read_system,
    recorded_setting,
    refuse_changed_content,
)
from eval.superni_score import Systems, Yardsticks, score_systems
from eval.user_oriented import system_files
from selfinstruct import processes
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
    predictions: list[str] | str | None
    benchmark: BenchmarkConfig
    superni_dir: Path | None
    track: str
    max_instances_per_task: int
    prompt_style: str
    num_examples: int
    max_tokens: int | None
    system: str | None
    intervals: IntervalsConfig
    xlingual_tokenizer: str = "openai-community/gpt2"
    training_data: Path | None = None
    tasks: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)
    stop_at_paragraph: bool = False
    batch_tokens: int | None = None
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    dry_run: bool = False

    def __post_init__(self) -> None:
        check_track(self.track)
        question = self.question
        if self.predictions is not None:
            question.refuse_with_predictions()
            if self.dry_run:
                raise UserError("dry_run and predictions are both given; scoring a file asks for nothing")
            own = (self.run_dir / "predictions.jsonl").resolve()
            for path in self.files.values():
                if path.resolve() == own:
                    raise UserError(f"predictions: {path} lies in run_dir; choose another run_dir")
            if self.system and len(self.files) > 1:
                raise UserError("system and several predictions are given; they are named by their files")

    @property
    def files(self) -> dict[str, Path]:
        """System name -> prediction file, where files are scored: a run folder stands for its predictions."""
        if self.predictions is None:
            return {}
        return system_files([self.predictions] if isinstance(self.predictions, str) else self.predictions)

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
        config = _on_the_part_asked(config)
        benchmark = load_benchmark(
            config.benchmark,
            config.superni_dir,
            config.track,
            config.max_instances_per_task,
            config.num_examples,
            Subset(config.tasks, config.categories),
        )
        if not processes.is_main():
            if not (config.predictions or config.dry_run):
                follow(config.question, benchmark.samples, config.run_dir)
            return {}
        print(benchmark.found)
        if config.dry_run:
            print(what_would_be_asked(config.question, benchmark.samples, config.run_dir))
            return {}
        return _evaluate(config, benchmark)


def _on_the_part_asked(config: EvalSuperNIConfig) -> EvalSuperNIConfig:
    """Score run folders on what they were asked, unless the user says on what."""
    part = part_asked(config.files, {key: getattr(config, key) for key in WHOLE_PART})
    if part and processes.is_main():
        shown = ", ".join(f"{key}={value}" for key, value in part.items())
        print(f"scored on the part that the runs were asked: {shown}")
    return replace(config, **part)


def _evaluate(config: EvalSuperNIConfig, benchmark: Benchmark) -> dict[str, Any]:
    with open_run(config.run_dir, "eval_superni", _as_json(config)) as run:
        refuse_changed_content(run, _as_json(config), benchmark, config.files)
        yardsticks = Yardsticks.read(config.track, config.xlingual_tokenizer, config.training_data)
        if config.predictions:
            predictions, setting = _given(config, benchmark)
        else:
            predictions, setting = _asked(config, benchmark, run)
        metrics = _score(config, benchmark, predictions, setting, run, yardsticks)
    print(f"\n{(config.run_dir / 'table.md').read_text(encoding='utf-8')}")
    print(f"metrics, predictions and tables are in {config.run_dir}")
    return metrics


def _given(config: EvalSuperNIConfig, benchmark: Benchmark) -> tuple[Systems, dict[str, Any]]:
    files = config.files
    systems = {name: read_system(path, benchmark) for name, path in files.items()}
    for name, predictions in systems.items():
        if note := missing_note(name, predictions, benchmark):
            print(note)
    digests = {name: file_digest(path) for name, path in files.items()}
    recorded = {name: recorded_setting(path) for name, path in files.items()}
    asked = {name: found for name, found in recorded.items() if found}
    setting: dict[str, Any] = {"mode": "score only"}
    if len(files) > 1:
        return systems, setting | {"system": ", ".join(files), "predictions": digests, "asked": asked}
    ((name, predictions),) = systems.items()
    system = config.system or name
    setting |= {"system": system, "predictions": digests[name]}
    return {system: predictions}, setting | ({"asked": {system: asked[name]}} if asked else {})


def _asked(config: EvalSuperNIConfig, benchmark: Benchmark, run: RunFolder) -> tuple[Systems, dict[str, Any]]:
    path = run.path / "predictions.jsonl"
    predictions, setting = ask(config.question, benchmark.samples, run, _benchmark_settings(benchmark))
    if predictions is not None:
        write_predictions(path, benchmark.samples, predictions)
        run.complete("predict", predictions=len(predictions))
    return {setting["system"]: read_predictions(path)}, setting


def _score(
    config: EvalSuperNIConfig,
    benchmark: Benchmark,
    systems: Systems,
    setting: dict[str, Any],
    run: RunFolder,
    yardsticks: Yardsticks,
) -> dict[str, Any]:
    # Seconds of work from what is on disk: always made anew, so that a half-written result cannot stay.
    setting = setting | dict(yardsticks.setting) | {"intervals": asdict(config.intervals)}
    run.begin("score", setting | _benchmark_settings(benchmark))
    if config.predictions and len(systems) == 1:
        (predictions,) = systems.values()
        predicted = [sample for sample in benchmark.samples if sample.id in predictions]
        texts = [predictions[sample.id] for sample in predicted]
        write_predictions(run.path / "predictions.jsonl", predicted, texts)
    metrics = score_systems(benchmark, systems, setting, yardsticks, config.intervals, run.path)
    run.complete("score", systems=len(systems), **metrics.get("counts", {}))
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
    for key in ("run_dir", "superni_dir", "training_data"):
        values[key] = str(values[key]) if values[key] is not None else None
    values["benchmark"]["dir"] = str(config.benchmark.dir) if config.benchmark.dir else None
    return values
