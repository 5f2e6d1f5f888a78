"""Phase 1 as a whole: its settings, and its four stages one after the other in one run folder.

Command: `python scripts/generate.py run_dir=runs/mine`.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.classification import ClassificationStage, classification_file, read_classification
from selfinstruct.dataset_card import write_dataset_card
from selfinstruct.errors import UserError
from selfinstruct.exports import ExportsConfig, push_to_hub, write_exports
from selfinstruct.figures import delete_figures, draw_figures
from selfinstruct.filters import FilterRules
from selfinstruct.finetuning_data import ALL_INSTANCES, build_finetuning_data
from selfinstruct.forecast import forecast, forecast_text
from selfinstruct.instances import InstanceStage
from selfinstruct.instructions import InstructionsConfig, InstructionStage
from selfinstruct.leaks import read_evaluation_tasks
from selfinstruct.llm.base import LLM, LLMConfig, make_llm
from selfinstruct.llm.budget import BudgetConfig
from selfinstruct.llm.response_log import LoggedLLM
from selfinstruct.markers import ENGLISH, Markers
from selfinstruct.parsing import ParsingRules
from selfinstruct.prompts import Prompts
from selfinstruct.queries import Queries
from selfinstruct.released_prompts import load_prompts
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import digest, file_digest
from selfinstruct.statistics import StatisticsConfig, Yardsticks, write_statistics
from selfinstruct.tasks import SeedTask, read_seed_tasks
from selfinstruct.verb_objects import open_reader

STAGES = ("instructions", "classification", "instances", "finetuning_data")
# What a folder of the released code holds: such a folder is continued.
RELEASED_FILES = (
    "machine_generated_*.jsonl",
    "is_clf_or_not*.jsonl",
    "all_instances_*.jsonl",
    "finetuning_data",
)
ROUND = 5  # requests the released code sends at a time
BATCH_SIZE = 16  # requests computed together where llm.batch_size does not say


@dataclass
class NoveltyConfig:
    """The novelty filter's settings (paper, section 2.2)."""

    threshold: float
    tokenizer: str | None


@dataclass
class InstancesConfig:
    """How many instances of a task are kept."""

    max_per_task: int


@dataclass
class FinetuningDataConfig:
    """What stage 4 puts into the training data."""

    include_seeds: bool


@dataclass
class DatasetCardConfig:
    """What only the user can tell of the model."""

    model_license: str | None


@dataclass
class GenerateConfig:
    """`configs/generate.yaml` as a dataclass."""

    run_dir: Path
    seed: int
    seed_tasks: Path
    num_instructions: int
    stages: list[str]
    fidelity: str
    llm: LLMConfig
    prompts: dict[str, Any]
    queries: Queries
    filters: dict[str, Any]
    instructions: InstructionsConfig
    novelty: NoveltyConfig
    instances: InstancesConfig
    finetuning_data: FinetuningDataConfig
    budget: BudgetConfig
    dry_run: bool
    statistics: StatisticsConfig
    exports: ExportsConfig
    dataset_card: DatasetCardConfig

    def __post_init__(self) -> None:
        unknown = [stage for stage in self.stages if stage not in STAGES]
        if unknown or not self.stages:
            raise UserError(f"stages: {unknown or 'empty'}; choose from {', '.join(STAGES)}")
        if self.fidelity not in ("fixed", "released"):
            raise UserError(f"fidelity: {self.fidelity!r} is unknown; choose fixed or released")
        if self.num_instructions < 1:
            raise UserError(f"num_instructions: {self.num_instructions} must be at least 1")
        if not 0 < self.novelty.threshold <= 1:
            raise UserError(f"novelty.threshold: {self.novelty.threshold} must be above 0 and at most 1")
        if self.novelty.tokenizer not in (None, "unicode", "english"):
            raise UserError(f"novelty.tokenizer: {self.novelty.tokenizer!r}; choose unicode or english")
        if self.instances.max_per_task < 1:
            raise UserError(f"instances.max_per_task: {self.instances.max_per_task} must be at least 1")

    @property
    def released(self) -> bool:
        return self.fidelity == "released"

    @property
    def tokenizer(self) -> str:
        """The novelty filter's tokenizer, by name."""
        return self.novelty.tokenizer or ("english" if self.released else "unicode")

    @property
    def rules(self) -> ParsingRules:
        rules = ParsingRules.released() if self.released else ParsingRules.fixed()
        return replace(rules, markers=Markers.of(self.prompts))


def generate(config: GenerateConfig) -> None:
    """Run the stages asked for; each continues what the run folder already holds.

    Raises:
        UserError: bad input, or settings that differ from those the folder was made with.
        StoppedEarly: the loop stalls, or is interrupted.
    """
    seeds = read_seed_tasks(config.seed_tasks)
    prompts = load_prompts(config.prompts)
    filters = FilterRules.from_dict(config.filters)
    if config.dry_run:
        print(_forecast(config, seeds, prompts))
        return
    yardsticks = Yardsticks(
        rules=config.rules,
        seeds=[seed.instruction for seed in seeds],
        tokenizer=config.tokenizer,
        evaluation=read_evaluation_tasks(config.statistics.evaluation_tasks),
        reader=open_reader(config.statistics.parser),
        price=config.budget.price_of(config.llm.model or config.llm.backend),
    )
    with open_run(config.run_dir, "generate", _as_json(config), adopts=RELEASED_FILES) as run:
        llm: LLM | None = None
        try:
            for stage in STAGES:
                if stage not in config.stages:
                    continue
                if stage == "finetuning_data":
                    _finetuning_data(run, config, seeds)
                    continue
                if llm is None:
                    llm = _open_llm(config, run)
                match stage:
                    case "instructions":
                        _instructions(run, config, seeds, prompts, filters, llm)
                    case "classification":
                        settings = _query_settings(config, llm, "classification", prompts.classification)
                        ClassificationStage(
                            run, llm, prompts, config.queries.classification, config.released
                        ).run(settings)
                    case "instances":
                        words = [prompts.input_first, prompts.output_first]
                        settings = _query_settings(config, llm, "instances", words)
                        InstanceStage(
                            run, llm, prompts, config.queries.instances, config.rules, config.released
                        ).run(settings)
            _what_came_out(run, config, prompts, yardsticks)
        finally:
            if llm is not None:
                if run.is_written and llm.traffic:
                    run.log(f"llm: {', '.join(f'{n} {what}' for what, n in llm.traffic.items())}")
                llm.close()


def _forecast(config: GenerateConfig, seeds: list[SeedTask], prompts: Prompts) -> str:
    chat = config.llm.endpoint == "chat"
    forecasts = forecast(
        config.run_dir,
        config.stages,
        config.num_instructions,
        config.instructions.shown,
        seeds,
        prompts,
        config.queries,
        chat,
    )
    model = config.llm.model or config.llm.backend
    return forecast_text(forecasts, model, config.budget.price_of(model))


def _open_llm(config: GenerateConfig, run: RunFolder) -> LLM:
    # A chunk never waits for an answer that only a later chunk could give.
    window = ROUND if config.released else config.instructions.lookahead
    llm = make_llm(replace(config.llm, batch_size=min(config.llm.batch_size or BATCH_SIZE, window)))
    price = config.budget.price_of(config.llm.model or config.llm.backend)
    return LoggedLLM(llm, run.path / "response_log.jsonl", config.budget, price)


def _instructions(
    run: RunFolder,
    config: GenerateConfig,
    seeds: list[SeedTask],
    prompts: Prompts,
    filters: FilterRules,
    llm: LLM,
) -> None:
    stage = InstructionStage(
        run=run,
        llm=llm,
        seeds=seeds,
        prompts=prompts,
        filters=filters,
        rules=config.rules,
        query=config.queries.instructions,
        config=config.instructions,
        threshold=config.novelty.threshold,
        tokenizer=config.tokenizer,
        reject_exact_duplicates=not config.released,
        seed=config.seed,
        round_size=ROUND if config.released else None,
    )
    settings = _query_settings(config, llm, "instructions", prompts.instructions) | {
        "seed_tasks": file_digest(config.seed_tasks),
        "filters": config.filters,
        "instructions": asdict(config.instructions),
        "novelty": {"threshold": config.novelty.threshold, "tokenizer": config.tokenizer},
    }
    del settings["instructions"]["stall_rounds"]  # when to give up does not change what was written
    stage.run_until(config.num_instructions, settings)


def _query_settings(config: GenerateConfig, llm: LLM, stage: str, words: object) -> dict[str, Any]:
    return {
        "seed": config.seed,
        "fidelity": config.fidelity,
        "llm": dict(llm.description),
        "prompt": digest(repr(words)),
        "query": asdict(getattr(config.queries, stage)),
        **_marker_settings(config),
    }


def _marker_settings(config: GenerateConfig) -> dict[str, Any]:
    """What the fingerprints say of the markers: nothing where they are the English ones."""
    markers = config.rules.markers
    return {} if markers == ENGLISH else {"markers": asdict(markers)}


def _finetuning_data(run: RunFolder, config: GenerateConfig, seeds: list[SeedTask]) -> None:
    settings = {
        "seed": config.seed,
        "fidelity": config.fidelity,
        "seed_tasks": file_digest(config.seed_tasks),
        "instances": asdict(config.instances),
        "finetuning_data": asdict(config.finetuning_data),
        **_marker_settings(config),
    }
    run.prepare("finetuning_data", settings)  # whole files from what is there: always made anew, in seconds
    counts = build_finetuning_data(
        run.path,
        seeds if config.finetuning_data.include_seeds else [],
        config.rules,
        config.instances.max_per_task,
        config.seed,
        config.released,
    )
    run.complete("finetuning_data", **counts)


def _what_came_out(run: RunFolder, config: GenerateConfig, prompts: Prompts, yardsticks: Yardsticks) -> None:
    """Statistics, figures, exports and card: made anew from what is on disk, whatever was there of them."""
    statistics = write_statistics(run.path, yardsticks)
    figures: list[str] = []
    if config.statistics.figures:
        figures = draw_figures(run.path, statistics)
    else:
        delete_figures(run.path)
    if (run.path / ALL_INSTANCES).exists():
        has_flags = classification_file(run.path) is not None
        flags = read_classification(run.path, config.rules) if has_flags else {}
        write_exports(run.path, jsonl.read(run.path / ALL_INSTANCES), flags, config.exports.formats)
    licence = config.dataset_card.model_license
    write_dataset_card(run.path, _as_json(config), prompts, statistics, figures, licence)
    if config.exports.push_to_hub is not None:
        run.log(f"pushed to {push_to_hub(run.path, config.exports.push_to_hub)}")
    print(_in_one_line(statistics, run.path))


def _in_one_line(statistics: dict[str, Any], folder: Path) -> str:
    made = [
        f"{statistics[part]['count']} {part}" for part in ("instructions", "instances") if part in statistics
    ]
    rejected = sum(sum(reasons.values()) for reasons in statistics.get("rejected", {}).values())
    listed = ", ".join([*made, f"{rejected} texts rejected"])
    return f"{folder}: {listed}; README.md there is the card, rejected.jsonl says why"


def _as_json(config: GenerateConfig) -> dict[str, Any]:
    values = asdict(config)
    values["statistics"]["evaluation_tasks"] = [str(path) for path in config.statistics.evaluation_tasks]
    values["run_dir"], values["seed_tasks"] = str(config.run_dir), str(config.seed_tasks)
    return values
