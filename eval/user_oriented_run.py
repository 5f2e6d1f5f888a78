"""Phase 3b, the automatic half: responses to the user-oriented tasks, scored against the reference answers.

python scripts/eval_user_oriented.py run_dir=runs/user model=PATH_OR_HUB_ID
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from eval.asking import Question, ask, follow
from eval.contamination import OVERLAPS, find_overlaps
from eval.contamination_tables import contamination_tables
from eval.dry_run import what_would_be_asked
from eval.intervals import IntervalsConfig
from eval.judge_run import judge_tables
from eval.rating_metrics import rating_metrics
from eval.rating_tables import rating_tables
from eval.ratings import Event, latest, rating_files, read_events
from eval.tables import write_tables
from eval.training_texts import TrainingData, read_training_data
from eval.user_oriented import (
    PREDICTIONS,
    Response,
    UserTask,
    read_responses,
    read_user_tasks,
    response_line,
    system_files,
)
from eval.user_oriented_score import Scores, compare_systems, score_responses, summarise
from eval.user_oriented_tables import user_oriented_tables
from selfinstruct import jsonl, processes
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLMConfig
from selfinstruct.llm.budget import BudgetConfig
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import file_digest


@dataclass
class EvalUserOrientedConfig:
    """`configs/eval_user_oriented.yaml` as a dataclass."""

    run_dir: Path
    tasks: Path
    model: str | None
    adapter: str | None
    llm: LLMConfig
    predictions: list[str] | str | None
    ratings: list[str] | str | None
    judge: str | None
    prompt_style: str
    max_tokens: int | None
    system: str | None
    intervals: IntervalsConfig
    training_data: Path | None = None
    stop: list[str] = field(default_factory=list)
    stop_at_paragraph: bool = False
    batch_tokens: int | None = None
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.predictions is not None:
            system_files([self.predictions] if isinstance(self.predictions, str) else self.predictions)
        question = self.question
        if self.predictions:
            question.refuse_with_predictions()
            if self.dry_run:
                raise UserError("dry_run and predictions are both given; scoring files asks for nothing")
            if self.system:
                raise UserError("system and predictions are both given; systems are named by their files")

    @property
    def question(self) -> Question:
        """The keys that say how a model is asked."""
        names = [each.name for each in fields(Question) if each.name != "num_examples"]
        return Question(num_examples=0, **{name: getattr(self, name) for name in names})

    @property
    def files(self) -> dict[str, Path]:
        """System name -> prediction file, where files are scored: a run folder stands for its predictions."""
        given = [self.predictions] if isinstance(self.predictions, str) else self.predictions
        return system_files(given) if given else {}


def evaluate_user_oriented(config: EvalUserOrientedConfig) -> dict[str, Any]:
    """Run the automatic half of phase 3b and return what metrics.json holds; prints the tables.

    Of several processes, the main one; the others return nothing, as does a dry run.

    Raises:
        UserError: bad input, or settings that differ from those the run folder was made with.
        StoppedEarly: the budget is reached.
    """
    with processes.main_speaks_first():
        tasks = read_user_tasks(config.tasks)
        samples = [task.sample() for task in tasks]
        if not processes.is_main():
            if not (config.predictions or config.dry_run):
                follow(config.question, samples, config.run_dir)
            return {}
        if config.dry_run:
            print(what_would_be_asked(config.question, samples, config.run_dir))
            return {}
        return _evaluate(config, tasks)


def _evaluate(config: EvalUserOrientedConfig, tasks: Sequence[UserTask]) -> dict[str, Any]:
    files = config.files
    systems = {name: read_responses(path, tasks) for name, path in files.items()}
    judged = _read_judged(config)
    training = read_training_data(config.training_data) if config.training_data else None
    events = [event for path in rating_files(config.ratings) for event in read_events(path)]
    if config.ratings and not events:
        raise UserError(
            f"ratings: {config.ratings} holds no rating; rate something first (scripts/annotate.py)"
        )
    with open_run(config.run_dir, "eval_user_oriented", _as_json(config)) as run:
        setting: dict[str, Any]
        if files:
            digests = {name: file_digest(path) for name, path in files.items()}
            setting = {"mode": "score only", "predictions": digests}
        else:
            systems, setting = _asked(config, tasks, run)
        metrics = _score(config, systems, setting, run, events, judged, training)
    print(f"\n{(config.run_dir / 'table.md').read_text(encoding='utf-8')}")
    print(f"metrics, responses and tables are in {config.run_dir}")
    return metrics


def _read_judged(config: EvalUserOrientedConfig) -> dict[str, Any] | None:
    if config.judge is None:
        return None
    path = Path(config.judge) / "metrics.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"judge: {path} cannot be read ({error}); give a run folder of judge.py") from error
    if not isinstance(found, dict) or "judged" not in found:
        raise UserError(f"judge: {path} is not of a judge; give a run folder of scripts/judge.py")
    return found


def _asked(
    config: EvalUserOrientedConfig, tasks: Sequence[UserTask], run: RunFolder
) -> tuple[dict[str, list[Response]], dict[str, Any]]:
    samples = [task.sample() for task in tasks]
    predictions, setting = ask(config.question, samples, run, {"tasks": file_digest(config.tasks)})
    path = run.path / PREDICTIONS
    if predictions is not None:
        responses = [Response(task, p.text, p) for task, p in zip(tasks, predictions, strict=True)]
        jsonl.replace(path, map(response_line, responses))
        run.complete("predict", predictions=len(responses))
    return {setting["system"]: read_responses(path, tasks)}, setting


def _score(
    config: EvalUserOrientedConfig,
    systems: Mapping[str, Sequence[Response]],
    setting: dict[str, Any],
    run: RunFolder,
    events: Sequence[Event],
    judged: dict[str, Any] | None,
    training: TrainingData | None,
) -> dict[str, Any]:
    # Seconds of work from what is on disk: always made anew, so that a half-written result cannot stay.
    resampling = asdict(config.intervals)
    setting |= {"training_data_sha256": training.sha256} if training else {}
    scores = {name: score_responses(responses) for name, responses in systems.items()}
    comparisons = compare_systems(scores, config.intervals)  # before anything is written: it may refuse
    run.begin("score", setting | {"tasks": file_digest(config.tasks), "intervals": resampling})
    metrics: dict[str, Any] = {
        "systems": {
            name: summarise(responses, scores[name], config.intervals) for name, responses in systems.items()
        },
        "comparisons": comparisons,
        "setting": setting | {"tasks": str(config.tasks.name), "intervals": resampling},
    }
    if len(systems) == 1:
        metrics |= next(iter(metrics["systems"].values()))
    jsonl.replace(run.path / "scores.jsonl", _score_lines(systems, scores))
    tables = user_oriented_tables(metrics)
    if training:
        metrics["contamination"] = _contamination(systems, scores, training, config, run.path)
        overall = {name: found["overall"] for name, found in metrics["systems"].items()}
        tables += contamination_tables(metrics["contamination"], overall, "User-oriented tasks")
    if events:
        metrics["ratings"] = rating_metrics(latest(events), config.intervals)
        tables += rating_tables(metrics["ratings"])
    if judged:
        metrics["judge"] = judged
        tables += judge_tables(judged)
    jsonl.replace_json(run.path / "metrics.json", metrics)
    write_tables(run.path, tables)
    run.complete("score", systems=len(systems))
    return metrics


def _score_lines(
    systems: Mapping[str, Sequence[Response]], scores: Mapping[str, Scores]
) -> Iterator[jsonl.Record]:
    for name, responses in systems.items():
        for response in responses:
            yield {"system": name, "id": response.task.id, **scores[name][response.task.id]}


def _contamination(
    systems: Mapping[str, Sequence[Response]],
    scores: Mapping[str, Scores],
    training: TrainingData,
    config: EvalUserOrientedConfig,
    folder: Path,
) -> dict[str, Any]:
    """What of the tasks stands in the training data, and each system's scores on the others."""
    tasks = {response.task.id: response.task for responses in systems.values() for response in responses}
    samples = [task.sample() for task in tasks.values()]
    found = find_overlaps(samples, training)
    clean = {sample.task for sample in samples if not found.touches(sample)}
    left = {name: [each for each in own if each.task.id in clean] for name, own in systems.items()}
    jsonl.replace(folder / OVERLAPS, found.records(samples))
    return found.as_json(samples) | {
        "without_overlap": {
            name: summarise(responses, scores[name], config.intervals)["overall"] if responses else None
            for name, responses in left.items()
        }
    }


def _as_json(config: EvalUserOrientedConfig) -> dict[str, Any]:
    paths = {"run_dir": str(config.run_dir), "tasks": str(config.tasks)}
    training = str(config.training_data) if config.training_data else None
    return asdict(config) | paths | {"training_data": training}
