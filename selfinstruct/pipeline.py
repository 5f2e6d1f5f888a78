"""Phase 1 as a whole: its settings, and its four stages one after the other in one run folder.

Command: `python scripts/generate.py run_dir=runs/mine`.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from selfinstruct.classification import ClassificationStage
from selfinstruct.dataset_card import write_dataset_card
from selfinstruct.errors import UserError
from selfinstruct.filters import FilterRules
from selfinstruct.finetuning_data import build_finetuning_data
from selfinstruct.instances import InstanceStage
from selfinstruct.instructions import InstructionsConfig, InstructionStage
from selfinstruct.llm.base import LLM, LLMConfig, make_llm
from selfinstruct.llm.response_log import LoggedLLM
from selfinstruct.parsing import ParsingRules
from selfinstruct.prompts import Prompts
from selfinstruct.queries import Queries
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import digest, file_digest
from selfinstruct.statistics import write_statistics
from selfinstruct.tasks import SeedTask, read_seed_tasks

STAGES = ("instructions", "classification", "instances", "finetuning_data")
ROUND = 5  # requests the released code sends at a time


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
        return ParsingRules.released() if self.released else ParsingRules.fixed()


def generate(config: GenerateConfig) -> None:
    """Run the stages asked for; each continues what the run folder already holds.

    Raises:
        UserError: bad input, or settings that differ from those the folder was made with.
        StoppedEarly: the loop stalls, or is interrupted.
    """
    seeds = read_seed_tasks(config.seed_tasks)
    prompts = Prompts.from_dict(config.prompts)
    filters = FilterRules.from_dict(config.filters)
    with open_run(config.run_dir, "generate", _as_json(config)) as run:
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
            statistics = write_statistics(run.path, config.rules)
            write_dataset_card(run.path, _as_json(config), statistics)
        finally:
            if llm is not None:
                llm.close()


def _open_llm(config: GenerateConfig, run: RunFolder) -> LLM:
    # A chunk never waits for an answer that only a later chunk could give.
    window = ROUND if config.released else config.instructions.lookahead
    llm = make_llm(replace(config.llm, batch_size=min(config.llm.batch_size, window)))
    return LoggedLLM(llm, run.path / "response_log.jsonl")


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
    }


def _finetuning_data(run: RunFolder, config: GenerateConfig, seeds: list[SeedTask]) -> None:
    settings = {
        "seed": config.seed,
        "fidelity": config.fidelity,
        "seed_tasks": file_digest(config.seed_tasks),
        "instances": asdict(config.instances),
        "finetuning_data": asdict(config.finetuning_data),
    }
    run.begin("finetuning_data", settings)  # whole files from what is there: always made anew, in seconds
    counts = build_finetuning_data(
        run.path,
        seeds if config.finetuning_data.include_seeds else [],
        config.rules,
        config.instances.max_per_task,
        config.seed,
        config.released,
    )
    run.complete("finetuning_data", **counts)


def _as_json(config: GenerateConfig) -> dict[str, Any]:
    values = asdict(config)
    values["run_dir"], values["seed_tasks"] = str(config.run_dir), str(config.seed_tasks)
    return values
