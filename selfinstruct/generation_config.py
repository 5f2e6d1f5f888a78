"""What phase 1 is asked to do: `configs/generate.yaml` as dataclasses."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selfinstruct.errors import UserError
from selfinstruct.exports import ExportsConfig
from selfinstruct.instructions import InstructionsConfig
from selfinstruct.llm.base import LLMConfig
from selfinstruct.llm.budget import BudgetConfig, Price
from selfinstruct.markers import Markers
from selfinstruct.parsing import ParsingRules
from selfinstruct.queries import Queries
from selfinstruct.regeneration import RegenerationConfig
from selfinstruct.statistics import StatisticsConfig

STAGES = ("instructions", "classification", "instances", "finetuning_data", "regeneration")
ROUND = 5  # requests the released code sends at a time


@dataclass
class NoveltyConfig:
    """The novelty filter's settings (paper, section 2.2)."""

    threshold: float
    tokenizer: str | None


@dataclass
class InstancesConfig:
    """How instances are asked for, and how many of a task are kept."""

    max_per_task: int
    output_first: bool


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
    regeneration: RegenerationConfig
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
        if "regeneration" in self.stages:
            _ = self.regeneration.model  # refuses wrong settings; its file may still have to be made

    @property
    def window(self) -> int:
        """How many requests stage 1 may have on their way at once, at most."""
        return ROUND if self.released else self.instructions.lookahead

    @property
    def released(self) -> bool:
        return self.fidelity == "released"

    @property
    def price(self) -> Price | None:
        """Of the tokens of the first stages' model."""
        return self.budget.price_of(name_of(self.llm))

    @property
    def price_of_regeneration(self) -> Price | None:
        return self.budget.price_of(name_of(self.regeneration.model)) if self.regeneration.llm else None

    @property
    def tokenizer(self) -> str:
        """The novelty filter's tokenizer, by name."""
        return self.novelty.tokenizer or ("english" if self.released else "unicode")

    @property
    def rules(self) -> ParsingRules:
        rules = ParsingRules.released() if self.released else ParsingRules.fixed()
        return replace(rules, markers=Markers.of(self.prompts))


def name_of(llm: LLMConfig) -> str:
    """The name that `budget.prices` and a forecast know a model by."""
    return llm.model or llm.backend
