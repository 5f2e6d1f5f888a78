"""What the report is about: runs with their chains of steps, one a seed, as they lie on disk.

Nothing of them is changed, and nothing is computed here; what a folder lacks is None.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from eval.intervals import Clusters
from eval.little_world_review import QUESTIONS
from eval.report.files import read_json, read_lines, require
from eval.summary import RAW, read_clusters
from selfinstruct import jsonl
from selfinstruct.dataset_card import stages_found
from selfinstruct.finetuning_data import ALL_INSTANCES
from selfinstruct.instruction_files import INSTRUCTIONS, REQUESTS
from selfinstruct.instructions import REJECTED
from selfinstruct.llm.base import TINY_MODEL
from selfinstruct.llm.model_folder import folder_weights_digest
from selfinstruct.settings import REPOSITORY
from selfinstruct.statistics import STATISTICS

GENERATE, TRAIN, SUPERNI = "generate", "train", "eval_superni"
USER_ORIENTED, RATINGS, REVIEW, REPRODUCE = (
    "eval_user_oriented",
    "report_ratings",
    "review_little_world",
    "reproduce",
)
SINGLE_COMMANDS = (GENERATE, TRAIN, SUPERNI, USER_ORIENTED, RATINGS, REVIEW)
VANILLA, SELF_INSTRUCT = "vanilla", "self_instruct"

# The fields that the report takes from each file.
_SCORES = (
    "n",
    *(f"{m}.{part}" for m in ("rougeL", "rouge1", "exact_match") for part in ("value", "low", "high")),
)
_BENCHMARK = ("name", "label", "track", "partial", "tasks_found", "tasks_of", "instances")
_METRICS = ("overall", "categories", "setting", *(f"benchmark.{name}" for name in _BENCHMARK))
_REVIEW = ("reviewed.n", *(f"reviewed.{name}" for name in QUESTIONS))

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A run folder and what its manifest says.

    Attributes:
        command_line: as a user types it, paths as short as the report shows them.
    """

    name: str
    path: Path
    manifest: Manifest
    command_line: str

    @property
    def command(self) -> str:
        return str(self.manifest["command"])

    @property
    def config(self) -> Mapping[str, Any]:
        return self.manifest.get("config", {})

    @property
    def seconds(self) -> float:
        return float(self.manifest.get("seconds", 0.0))

    @cached_property
    def is_embedded(self) -> bool:
        """Whether the embedded toy model was asked, or tuned; its weights tell, whatever it was called."""
        stages = self.manifest.get("steps", {}).values()
        if any(stage.get("settings", {}).get("llm.weights") == _embedded_weights() for stage in stages):
            return True
        model, llm = str(self.config.get("model") or ""), self.config.get("llm")
        if isinstance(llm, Mapping):
            return llm.get("backend") == "tiny" and not model
        # A finetuning records another digest of its model: the folder itself is looked at, if it is there.
        return model.endswith("selfinstruct/llm/tiny/model") or _is_embedded_model(Path(model))

    @cached_property
    def found_before(self) -> Sequence[str]:
        """Of a generation: what of its data was there before anything was asked, by whom is not known."""
        return stages_found(self.path, self.json(STATISTICS) or {})

    @cached_property
    def usage(self) -> Mapping[str, Any] | None:
        """Of a generation: requests and tokens by stage and in all; None where nothing was asked."""
        return (self.json(STATISTICS) or {}).get("usage")

    @property
    def num_found_before(self) -> int:
        """How many of its instructions were there before."""
        if "instructions" not in self.found_before:
            return 0
        marks = [mark for mark in read_lines(self.path / REQUESTS) if mark.get("adopted")]
        return sum(mark["accepted"] for mark in marks) or len(read_lines(self.path / INSTRUCTIONS))

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """Of a finetuning: the digests of the adapter and of the whole model, where they are there."""
        folders = {name: self.path / name for name in ("adapter", "model")}
        found = {name: folder for name, folder in folders.items() if any(folder.glob("*.safetensors"))}
        return {name: folder_weights_digest(folder) for name, folder in found.items()}

    def json(self, name: str, *fields: str) -> dict[str, Any] | None:
        """One of its JSON files, which must have these fields; None where it is not there."""
        return read_json(self.path / name, *fields)


@cache
def _embedded_weights() -> str:
    return folder_weights_digest(TINY_MODEL)


def _is_embedded_model(folder: Path) -> bool:
    return any(folder.glob("*.safetensors")) and folder_weights_digest(folder) == _embedded_weights()


@dataclass(frozen=True)
class System:
    """A row of the table of systems: the scores of an evaluation, of its predictions as they are or cut."""

    name: str
    label: str
    step: Step
    variant: str = RAW
    x: float | None = None

    @cached_property
    def metrics(self) -> dict[str, Any]:
        return self.step.json("metrics.json", *_METRICS) or {}

    @cached_property
    def scores(self) -> Mapping[str, Any]:
        """`{rougeL, rouge1, exact_match, n}` of the variant."""
        place = "overall" if self.variant == RAW else f"variants.{self.variant}"
        require(self.metrics, str(self.step.path / "metrics.json"), tuple(f"{place}.{n}" for n in _SCORES))
        return self.metrics["overall"] if self.variant == RAW else self.metrics["variants"][self.variant]

    @property
    def benchmark(self) -> Mapping[str, Any]:
        return self.metrics["benchmark"]

    @cached_property
    def clusters(self) -> Clusters:
        """ROUGE-L (0 to 100) by task."""
        return read_clusters(self.step.path / "scores.jsonl", variant=self.variant)


@dataclass(frozen=True)
class Chain:
    """One seed of an experiment, or single folders taken together."""

    seed: int | None
    steps: Mapping[str, Step]
    systems: Mapping[str, System]
    data: Step | None
    manifest: Manifest = field(default_factory=dict)
    path: Path | None = None

    @cached_property
    def statistics(self) -> dict[str, Any]:
        return (self.data.json(STATISTICS) if self.data else None) or {}

    @cached_property
    def num_seeds(self) -> int | None:
        """Lines of the seed file, where it (or, of a run from elsewhere, ours of its name) is there."""
        path = Path(str(self.data.config.get("seed_tasks") or "")) if self.data else Path()
        ours = [TINY_MODEL.parent / "seed_tasks.jsonl", REPOSITORY / "seeds" / "seed_tasks.jsonl"]
        for each in [path, *(file for file in ours if file.parts[-2:] == path.parts[-2:])]:
            if each.is_file():
                return len(jsonl.read(each))
        return None

    @cached_property
    def review(self) -> dict[str, Any] | None:
        """The computed review of the embedded model's data."""
        step = next(iter(self.of(REVIEW)), None)
        return step.json("review.json", *_REVIEW) if step else None

    @cached_property
    def ratings(self) -> dict[str, Any] | None:
        """What people rated: the metrics of report_ratings, or those inside a user-oriented evaluation."""
        found = [step.json("metrics.json") or {} for step in (*self.of(RATINGS), *self.of(USER_ORIENTED))]
        rated = [each.get("ratings", each) for each in found]
        return next((each for each in rated if "agreement" in each), None)

    def of(self, command: str) -> list[Step]:
        """The steps of one command."""
        return [step for step in self.steps.values() if step.command == command]

    def read_data(self, name: str, *fields: str) -> list[jsonl.Record]:
        """The lines of a file of the generated data; empty where it is not there."""
        return read_lines(self.data.path / name, *fields) if self.data else []

    def instructions(self) -> list[jsonl.Record]:
        return self.read_data(INSTRUCTIONS, "instruction")

    def instances(self) -> list[jsonl.Record]:
        return self.read_data(ALL_INSTANCES, "instruction", "input", "output")

    def rejected(self) -> list[jsonl.Record]:
        return self.read_data(REJECTED)


@dataclass(frozen=True)
class Run:
    """A column of the report: an experiment with its seeds, or single folders taken together."""

    name: str
    title: str
    chains: Sequence[Chain]
    differences: Sequence[tuple[str, str]] = ()
    by_category: Sequence[str] = ()
    experiment: str | None = None
    path: Path | None = None

    @property
    def slug(self) -> str:
        """Its name as a part of file names."""
        return slug_of(self.name)

    @property
    def shown_path(self) -> str:
        """The experiment's folder, below `runs/`, as the report's commands name it."""
        assert self.path is not None
        return f"runs/{self.path.parent.name if self.is_one_seed else self.path.name}"

    @property
    def is_one_seed(self) -> bool:
        """Whether the folder is that of one seed, not of the whole experiment."""
        return self.path is not None and self.path == self.first.path

    @property
    def first(self) -> Chain:
        return self.chains[0]

    @property
    def axis(self) -> str:
        """What the place of its systems on the axis is, where the experiment has one."""
        return str(self.first.manifest.get("config", {}).get("curve") or "")

    @property
    def of_first_seed(self) -> str:
        """What stands behind a title of figures of the first seed alone; empty where there is one."""
        return f" (seed {self.first.seed})" if len(self.chains) > 1 else ""

    @property
    def seeds(self) -> list[int]:
        return [chain.seed for chain in self.chains if chain.seed is not None]

    @property
    def systems(self) -> Mapping[str, System]:
        """Those that every seed has."""
        shared = set.intersection(*(set(chain.systems) for chain in self.chains))
        return {name: system for name, system in self.first.systems.items() if name in shared}

    @property
    def step_dirs(self) -> list[Step]:
        return [step for chain in self.chains for step in chain.steps.values()]

    @property
    def generations(self) -> list[Step]:
        """All runs of generate.py, of all seeds."""
        return [step for step in self.step_dirs if step.command == GENERATE]

    @property
    def is_embedded(self) -> bool:
        """Whether any step's model is the embedded one."""
        return any(step.is_embedded for step in self.step_dirs)

    def each_seed(self, name: str) -> list[System]:
        return [chain.systems[name] for chain in self.chains]


def slug_of(name: str) -> str:
    """A name as a part of file names."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "run"
