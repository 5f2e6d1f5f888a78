"""Phase 3a as a whole: predict (or read predictions), score, and write the tables into one run folder.

python scripts/eval_superni.py run_dir=runs/eval llm=tiny adapter=runs/train/adapter
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from eval.predict import Prediction, max_prompt_tokens, predict, read_predictions, write_predictions
from eval.summary import score_samples, summarise, write_scores
from eval.superni import Benchmark, BenchmarkConfig, load_benchmark
from eval.superni_tables import superni_tables
from eval.tables import write_tables
from selfinstruct import jsonl
from selfinstruct.encoding import PROMPT_STYLES, PromptStyle
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, LLMConfig, make_llm
from selfinstruct.llm.response_log import LoggedLLM
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import file_digest

MAX_TOKENS = 1024
MAX_TOKENS_TINY = 64  # the embedded model's prompt and answer share 512 tokens, and its answers are short


@dataclass
class IntervalsConfig:
    """How the 95 % intervals are drawn."""

    resamples: int
    seed: int


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
    max_tokens: int | None
    system: str | None
    intervals: IntervalsConfig

    def __post_init__(self) -> None:
        if self.prompt_style not in PROMPT_STYLES:
            choices = ", ".join(PROMPT_STYLES)
            raise UserError(f"prompt_style: {self.prompt_style!r} is unknown; choose from {choices}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise UserError(f"max_tokens: {self.max_tokens} must be at least 1")
        if self.intervals.resamples < 1:
            raise UserError(f"intervals.resamples: {self.intervals.resamples} must be at least 1")
        if self.predictions and (self.model or self.adapter):
            key = "model" if self.model else "adapter"
            raise UserError(f"predictions and {key} are both given; predictions=FILE scores that file alone")
        if self.predictions and self.predictions.resolve() == (self.run_dir / "predictions.jsonl").resolve():
            raise UserError(f"predictions: {self.predictions} lies in run_dir; choose another run_dir")


def model_config(config: EvalSuperNIConfig) -> LLMConfig:
    """The model to ask: the one `model` names, else what the `llm` group says; `adapter` goes on it.

    Raises:
        UserError: two keys name different models or adapters.
    """
    llm = config.llm
    if config.model:
        if llm.backend == "tiny":  # the default group: nothing of the embedded model's settings applies
            llm = LLMConfig(backend="local", model=config.model, context_length=llm.context_length)
        elif llm.backend != "local":
            raise UserError(f"model and llm={llm.backend} are both given; keep one of them")
        elif llm.model not in (None, config.model):
            raise UserError(f"model={config.model} and llm.model={llm.model} differ; keep one of them")
        llm = replace(llm, model=config.model)
    if config.adapter:
        if llm.adapter not in (None, config.adapter):
            raise UserError(
                f"adapter={config.adapter} and llm.adapter={llm.adapter} differ; keep one of them"
            )
        if llm.backend == "replay":
            raise UserError("adapter is given with llm=replay, which asks no model; drop it")
        llm = replace(llm, adapter=config.adapter)
    return replace(llm, endpoint="chat") if config.prompt_style == "chat" else llm


def evaluate_superni(config: EvalSuperNIConfig) -> dict[str, Any]:
    """Run phase 3a and return what metrics.json holds; prints the table.

    Raises:
        UserError: bad input, or settings that differ from those the run folder was made with.
    """
    benchmark = load_benchmark(
        config.benchmark, config.superni_dir, config.track, config.max_instances_per_task
    )
    print(f"{benchmark.label}: {benchmark.tasks_found} tasks, {len(benchmark.samples)} instances")
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
    llm_config = model_config(config)
    max_tokens = config.max_tokens or (MAX_TOKENS_TINY if llm_config.backend == "tiny" else MAX_TOKENS)
    llm = make_llm(llm_config)
    try:
        setting = {
            "mode": "zero-shot",
            "system": config.system or _system_name(llm_config),
            "prompt_style": config.prompt_style,
            "temperature": 0.0,
            "stop": [],
            "max_tokens": max_tokens,
            "max_prompt_tokens": max_prompt_tokens(llm.context_length, max_tokens),
            "llm": dict(llm.description),
        }
        deciding = {key: value for key, value in setting.items() if key != "system"}
        path = run.path / "predictions.jsonl"
        if not run.begin("predict", deciding | _benchmark_settings(benchmark)):
            _predict(config, benchmark, run, llm, max_tokens, path)
    finally:
        llm.close()
    return read_predictions(path), setting


def _predict(
    config: EvalSuperNIConfig, benchmark: Benchmark, run: RunFolder, llm: LLM, max_tokens: int, path: Path
) -> None:
    logged = LoggedLLM(llm, run.path / "response_log.jsonl")
    style = cast(PromptStyle, config.prompt_style)
    predictions = predict(benchmark.samples, logged.for_stage("predict"), style, max_tokens)
    write_predictions(path, benchmark.samples, predictions)
    run.complete("predict", predictions=len(predictions))


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


def _system_name(llm: LLMConfig) -> str:
    if llm.backend == "tiny":
        name = "embedded model"
    else:
        source = llm.model or llm.responses or llm.backend
        name = Path(source).name if Path(source).exists() else source
    return f"{name} + {Path(llm.adapter).name}" if llm.adapter else name


def _as_json(config: EvalSuperNIConfig) -> dict[str, Any]:
    values = asdict(config)
    for key in ("run_dir", "predictions", "superni_dir"):
        values[key] = str(values[key]) if values[key] is not None else None
    values["benchmark"]["dir"] = str(config.benchmark.dir) if config.benchmark.dir else None
    return values
