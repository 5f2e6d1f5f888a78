"""What an experiment is: its steps, the systems it compares, and what is shown of them."""

import json
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.summary import RAW
from selfinstruct.errors import UserError
from selfinstruct.settings import REPOSITORY, from_dict


@dataclass
class Step:
    """One command and its settings; it runs in the folder of the step's name."""

    command: str
    settings: dict[str, Any] = field(default_factory=dict)
    minutes: float | None = None  # what it took on two CPU cores, for the plan that dry_run prints


@dataclass
class System:
    """A row of the table: the scores of a step, of its predictions as they are or of a variant."""

    step: str
    label: str
    variant: str = RAW
    x: float | None = None  # its place on the horizontal axis of the curve


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
    seeds: list[int] | None = None  # several: the whole for each, then means over them
    curve: str | None = None  # what `x` of the systems is: draws their scores over it
    dry_run: bool = False
    report: bool = True  # at its end, into the folder `report` of run_dir
    skip: list[str] = field(default_factory=list)  # steps left out, with what is made from them
    model: str | None = None  # this and the next ones: what some experiments ask for
    public_dir: str | None = None
    superni_dir: str | None = None
    generated_data: str | None = None
    t0_data: str | None = None
    superni_data: str | None = None
    superni_sample: int | None = None

    def __post_init__(self) -> None:
        self.steps = {name: from_dict(Step, step, f"steps.{name}.") for name, step in self.steps.items()}
        self.systems = {name: from_dict(System, s, f"systems.{name}.") for name, s in self.systems.items()}
        self._check_seeds()
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
        self._leave_out()
        if not (path := accelerate_file(self.accelerate_config)).exists():
            options = ", ".join(sorted(each.stem for each in path.parent.glob("*.yaml")))
            raise UserError(f"accelerate_config={self.accelerate_config}: choose from {options}")

    def _check_seeds(self) -> None:
        if self.seeds == []:
            raise UserError("seeds: the list is empty; give some, or seeds=null seed=1")
        for seed in self.seeds or [self.seed]:
            if seed < 0:
                raise UserError(f"{'seeds' if self.seeds else 'seed'}: {seed} must be 0 or more")
        if self.seeds and len(set(self.seeds)) < len(self.seeds):
            raise UserError(f"seeds: {self.seeds} holds a seed twice; give each once")

    def _leave_out(self) -> None:
        """Take out the steps of `skip`, those made from them, and what would be shown of either."""
        if unknown := [name for name in self.skip if name not in self.steps]:
            raise UserError(f"skip: there is no step {unknown[0]!r}; choose from {', '.join(self.steps)}")
        gone: set[str] = set()
        for name, step in self.steps.items():
            step.settings = self._without(gone, step.settings)
            if name in self.skip or self.uses(step.settings, gone):
                gone.add(name)
        self.steps = {name: step for name, step in self.steps.items() if name not in gone}
        self.systems = {name: each for name, each in self.systems.items() if each.step not in gone}
        if not self.systems:
            raise UserError(f"skip: {', '.join(self.skip)} leave no system to evaluate; skip fewer")
        self.differences = [pair for pair in self.differences if set(pair) <= self.systems.keys()]
        self.by_category = [name for name in self.by_category if name in self.systems]
        self.data_step = None if self.data_step in gone else self.data_step
        self.review_step = None if self.review_step in gone else self.review_step

    def _without(self, gone: set[str], settings: dict[str, Any]) -> dict[str, Any]:
        """The settings with lists (of systems to compare) shorter by what is gone, if any is left."""
        left = {
            key: [item for item in value if not self.uses(item, gone)]
            for key, value in settings.items()
            if isinstance(value, list)
        }
        return settings | {key: value for key, value in left.items() if value}

    def uses(self, settings: Any, names: set[str]) -> bool:
        """Whether a step's settings name the folder of one of these steps."""
        text = json.dumps(settings, default=str)
        folder = json.dumps(str(self.seed_dir))[1:-1]
        return any(f"{folder}/{name}{end}" in text for name in names for end in ("/", '"'))

    def of_seed(self, seed: int) -> "ReproduceConfig":
        """Where the results of one seed are; its steps are not composed anew."""
        one = copy(self)
        one.seed, one.seed_dir = seed, self.run_dir / f"seed{seed}"
        return one


def accelerate_file(name: str) -> Path:
    """The launch settings of that name."""
    return REPOSITORY / "configs" / "accelerate" / f"{name}.yaml"
