"""What the report reads: folders of reproduce.py, one chain of steps a seed, and single run folders.

Nothing of them is changed, and nothing is computed here; what a folder lacks is None.
"""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from eval.experiment.steps import override_value
from eval.intervals import Clusters
from eval.summary import RAW, read_clusters
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.finetuning_data import ALL_INSTANCES
from selfinstruct.instructions import INSTRUCTIONS, REJECTED
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

    @property
    def is_embedded(self) -> bool:
        """Whether the embedded toy model was asked, or tuned."""
        llm = self.config.get("llm")
        if isinstance(llm, Mapping):
            return llm.get("backend") == "tiny" and not self.config.get("model")
        return str(self.config.get("model", "")).endswith("selfinstruct/llm/tiny/model")

    def json(self, name: str) -> dict[str, Any] | None:
        """One of its JSON files; None where it is not there."""
        return read_json(self.path / name)


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
        return self.step.json("metrics.json") or {}

    @property
    def scores(self) -> Mapping[str, Any]:
        """`{rougeL, rouge1, exact_match, n}` of the variant."""
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

    @cached_property
    def statistics(self) -> dict[str, Any]:
        return (self.data.json(STATISTICS) if self.data else None) or {}

    @cached_property
    def review(self) -> dict[str, Any] | None:
        """The computed review of the embedded model's data."""
        step = next(iter(self.of(REVIEW)), None)
        return step.json("review.json") if step else None

    @cached_property
    def ratings(self) -> dict[str, Any] | None:
        """What people rated: the metrics of report_ratings, or those inside a user-oriented evaluation."""
        found = [step.json("metrics.json") or {} for step in (*self.of(RATINGS), *self.of(USER_ORIENTED))]
        rated = [each.get("ratings", each) for each in found]
        return next((each for each in rated if "agreement" in each), None)

    def of(self, command: str) -> list[Step]:
        """The steps of one command."""
        return [step for step in self.steps.values() if step.command == command]

    def read_data(self, name: str) -> list[jsonl.Record]:
        """The lines of a file of the generated data; empty where it is not there."""
        return jsonl.read_if_there(self.data.path / name) if self.data else []

    def instructions(self) -> list[jsonl.Record]:
        return self.read_data(INSTRUCTIONS)

    def instances(self) -> list[jsonl.Record]:
        return self.read_data(ALL_INSTANCES)

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
        return re.sub(r"[^A-Za-z0-9]+", "_", self.name).strip("_") or "run"

    @property
    def first(self) -> Chain:
        return self.chains[0]

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
    def is_embedded(self) -> bool:
        """Whether any step's model is the embedded one."""
        return any(step.is_embedded for step in self.step_dirs)

    def each_seed(self, name: str) -> list[System]:
        return [chain.systems[name] for chain in self.chains]


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """The columns of the report; single folders make one, but each further folder of generate.py its own.

    Raises:
        UserError: a folder is no run folder, or of a command that the report cannot show.
    """
    runs: list[Run] = []
    singles: list[tuple[Path, Manifest]] = []
    for path in paths:
        seed_folders = _seed_folders(path)
        if seed_folders:
            runs.append(_read_experiment(path, seed_folders))
        else:
            singles.append((path, _single_manifest(path)))
    runs += _read_singles(singles)
    names = [run.name for run in runs]
    slugs = [run.slug for run in runs]
    if twice := [name for name, slug in zip(names, slugs, strict=True) if slugs.count(slug) > 1]:
        raise UserError(f"runs: two are called {twice[0]!r}, and columns need names; rename a folder")
    return runs


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object; None where the file is not there.

    Raises:
        UserError: it cannot be read as one.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); make it anew by its command") from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: not a JSON object; make it anew by its command")
    return found


def _seed_folders(path: Path) -> list[Path]:
    if (read_json(path / "manifest.json") or {}).get("command") == REPRODUCE:
        return [path]
    folders = [each for each in path.glob("seed*") if re.fullmatch(r"seed\d+", each.name)]
    manifests = {each: read_json(each / "manifest.json") or {} for each in folders}
    of_ours = [each for each, manifest in manifests.items() if manifest.get("command") == REPRODUCE]
    complete = [each for each in of_ours if manifests[each].get("status") == "complete"]
    # A seed that is under way says nothing beside whole ones.
    return sorted(complete or of_ours, key=lambda each: int(each.name.removeprefix("seed")))


def _single_manifest(path: Path) -> Manifest:
    manifest = read_json(path / "manifest.json")
    if manifest is None:
        raise UserError(
            f"runs: {path} holds no manifest.json and no folder seed1; give folders of scripts/reproduce.py, "
            "generate.py, eval_superni.py, eval_user_oriented.py, report_ratings.py or finetune/train.py"
        )
    if manifest.get("command") not in SINGLE_COMMANDS:
        raise UserError(
            f"runs: {path} belongs to {manifest.get('command')!r}, which the report does not show; "
            f"choose from reproduce, {', '.join(SINGLE_COMMANDS)}"
        )
    return manifest


def _read_experiment(path: Path, seed_folders: Sequence[Path]) -> Run:
    chains = [_read_chain(folder) for folder in seed_folders]
    config = chains[0].manifest["config"]
    if any(chain.manifest["config"]["experiment_name"] != config["experiment_name"] for chain in chains):
        raise UserError(f"runs: {path} holds seeds of different experiments; give them one by one")
    name = path.name if seed_folders != [path] else f"{path.parent.name} {path.name}"
    pairs = [(first, second) for first, second in config["differences"]]
    return Run(
        name,
        config["title"],
        chains,
        pairs,
        config["by_category"],
        config["experiment_name"],
        path,
    )


def _read_chain(folder: Path) -> Chain:
    manifest = read_json(folder / "manifest.json") or {}
    config = manifest["config"]
    shown = Path("runs") / (
        folder.name if folder.parent.name == "runs" else f"{folder.parent.name}/{folder.name}"
    )
    steps: dict[str, Step] = {}
    for name, step in config["steps"].items():
        found = read_json(folder / name / "manifest.json")
        if found is not None:
            line = _command_line(step, name, config, str(shown))
            steps[name] = Step(name, folder / name, found, line)
    systems = {
        name: System(name, s["label"], steps[s["step"]], s.get("variant", RAW), s.get("x"))
        for name, s in config["systems"].items()
        if s["step"] in steps and _is_scored(steps[s["step"]])
    }
    data = steps.get(config["data_step"]) if config["data_step"] else None
    return Chain(config["seed"], steps, systems, data, manifest)


def _command_line(step: Mapping[str, Any], name: str, config: Mapping[str, Any], shown: str) -> str:
    words = [f"run_dir={shown}/{name}"]
    words += [f"{key}={override_value(value)}" for key, value in step["settings"].items()]
    launcher = "python"
    if step["command"].startswith("finetune/"):
        settings = config.get("accelerate_config", "cpu")
        launcher = f"accelerate launch --config_file configs/accelerate/{settings}.yaml"
    words = [shlex.quote(word.replace(str(config["seed_dir"]), shown)) for word in words]
    return f"{launcher} {step['command']} {' '.join(words)}"


def _is_scored(step: Step) -> bool:
    return (step.path / "metrics.json").exists() and (step.path / "scores.jsonl").exists()


def _read_singles(singles: Sequence[tuple[Path, Manifest]]) -> list[Run]:
    generated = [each for each in singles if each[1]["command"] == GENERATE]
    others = [each for each in singles if each[1]["command"] != GENERATE]
    groups = [[*generated[:1], *others], *([each] for each in generated[1:])]
    return [_run_of_singles(group) for group in groups if group]


def _run_of_singles(folders: Sequence[tuple[Path, Manifest]]) -> Run:
    steps = {
        path.name if [p.name for p, _ in folders].count(path.name) == 1 else str(path): Step(
            path.name, path, manifest, _logged_command_line(path, manifest)
        )
        for path, manifest in folders
    }
    evaluated = {name: step for name, step in steps.items() if step.command == SUPERNI and _is_scored(step)}
    systems: dict[str, System] = {}
    for name, step in evaluated.items():
        role = _role(step, list(evaluated.values()))
        systems[role or name] = System(role or name, name, step)
    data = next((step for step in steps.values() if step.command == GENERATE), None)
    pairs = [(VANILLA, name) for name in systems if name != VANILLA and VANILLA in systems]
    return Run(folders[0][0].name, "Single runs", [Chain(None, steps, systems, data)], pairs, list(systems))


def _role(step: Step, evaluated: Sequence[Step]) -> str | None:
    """Vanilla: the only evaluation of a model without adapter; self-instruct: the only one with it."""
    if step.config.get("num_examples") or step.config.get("predictions"):
        return None
    alike = [
        other
        for other in evaluated
        if bool(other.config.get("adapter")) == bool(step.config.get("adapter"))
        and not other.config.get("num_examples")
    ]
    if len(alike) > 1:
        return None
    return SELF_INSTRUCT if step.config.get("adapter") else VANILLA


def _logged_command_line(path: Path, manifest: Manifest) -> str:
    log = path / "run.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    found = re.search(rf"{manifest['command']} started: (.*)", text)
    return f"python {found[1]}" if found else f"python scripts/{manifest['command']}.py"
