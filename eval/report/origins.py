"""What a scored model was tuned on, as far as digests show it: of its weights, and of the training data.

A claim about a model that was tuned on what it wrote itself is judged only where both lead to the run of
generate.py that wrote the data, with the same model; names of folders prove nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.report.chains import GENERATE, SELF_INSTRUCT, TRAIN, VANILLA, Chain, Run, Step, System
from eval.report.files import read_json
from selfinstruct.finetuning_data import ALL_INSTANCES
from selfinstruct.settings import file_digest

OWN, OTHER, UNKNOWN = "own", "other", "unknown"
_DATA_FOLDERS = ("finetuning_data", "exports")

Model = Mapping[str, Any]  # "model" and "weights" (digest or commit), as manifests record them


@dataclass(frozen=True)
class Origin:
    """Where the training data of a tuned model are from.

    Attributes:
        kind: `OWN`: the model wrote them; `OTHER`: it did not; `UNKNOWN`: nothing here shows which.
        because: the reason in words; empty of `OWN`.
        has_seeds: whether the seeds' instances are among them.
        beside: what else it was tuned on; empty where its own data was all.
        files: its own data, as they lie on disk.
    """

    kind: str
    because: str = ""
    has_seeds: bool = False
    beside: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def is_own_alone(self) -> bool:
        return self.kind == OWN and not self.beside


def origin_of(run: Run, name: str = SELF_INSTRUCT) -> Origin:
    """Where the data of a system are from; of several seeds the first that differs from its own alone."""
    found = [_origin(chain, chain.systems[name]) for chain in run.chains]
    return next((origin for origin in found if not origin.is_own_alone), found[0])


def origins_of_each_seed(run: Run) -> list[Origin]:
    """Where the data of self-instruct, or of a first finetuning on own data, are from; of seeds with one."""
    if SELF_INSTRUCT in run.systems:
        return [_origin(chain, chain.systems[SELF_INSTRUCT]) for chain in run.chains]
    return [origin for chain in run.chains if (origin := _origin_of_tuning(chain))]


def _origin_of_tuning(chain: Chain) -> Origin | None:
    """Of the first finetuning on data that the chain's model wrote itself; None where there is none."""
    found = (_origin_of_data(chain, step, {}, "the model") for step in chain.of(TRAIN))
    return next((origin for origin in found if origin.kind == OWN), None)


def unlike_models(run: Run, first: str, second: str) -> str:
    """Why two systems are no tunings of one base model, in words; empty where nothing says so."""
    for chain in run.chains:
        one, other = (_base_model(chain.systems[name]) for name in (first, second))
        if one and other and _differ(one, other):
            labels = " and ".join(run.systems[name].label for name in (first, second))
            return f"{labels} are of two models ({one['model']}, {other['model']})"
    return ""


def _origin(chain: Chain, system: System) -> Origin:
    train = _training_of(chain, system.step)
    if train is None:
        advice = "give its folder of finetune/train.py too, and that of generate.py"
        return Origin(UNKNOWN, f"what {system.label} was tuned on is not known here; {advice}")
    return _origin_of_data(chain, train, _base_model(system), system.label)


def _training_of(chain: Chain, step: Step) -> Step | None:
    """The finetuning whose weights were scored: among the run's folders, or where they were made."""
    adapter = step.config.get("adapter") or _mapping(step.config.get("llm")).get("adapter")
    kind = "adapter" if adapter else "model"
    place = Path(str(adapter or step.config.get("model") or ""))
    digest = _asked_of(step).get(f"llm.{'adapter' if adapter else 'weights'}")
    near = _step_at(place.parent, TRAIN) if place.is_dir() else None
    for train in (*chain.of(TRAIN), *([near] if near else [])):
        if digest and train.weights.get(kind) == digest:
            return train
    # Weights are large, and left out of copies: then an experiment's own words say which step made them.
    named = chain.steps.get(place.parent.name) if chain.manifest and adapter else None
    is_gone = named is not None and named.command == TRAIN and not named.weights
    return named if is_gone else None


def _origin_of_data(chain: Chain, train: Step, base: Model, label: str) -> Origin:
    found = {
        name: _origin_of_source(chain, name, sha, base, f"{label} was tuned on {_short(name)}")
        for name, sha in _sources(train)
    }
    own = [each for each in found.values() if each.kind == OWN]
    others = {name: each for name, each in found.items() if each.kind != OWN}
    if not found:
        return Origin(UNKNOWN, f"the manifest of {train.path.name} does not say what it was tuned on")
    if not own:
        return next(iter(others.values()))
    files = tuple(file for each in own for file in each.files)
    return Origin(OWN, "", any(each.has_seeds for each in own), tuple(map(_short, others)), files)


def _origin_of_source(chain: Chain, name: str, digest: str, base: Model, words: str) -> Origin:
    near = _step_at(Path(name).parent.parent, GENERATE)
    generations = chain.of(GENERATE) or ([near] if near else [])
    for step in generations:
        for file in _training_files(step):
            if file_digest(file) == digest:
                return _written_by(step, file, base, words)
    if chain.of(GENERATE):
        held = ", ".join(step.path.name for step in generations)
        return Origin(OTHER, f"{words}, which is other data than {held} holds")
    advice = "give the folder of generate.py too"
    return Origin(UNKNOWN, f"{words}, and nothing here shows that the model wrote it; {advice}")


def _written_by(step: Step, file: Path, base: Model, words: str) -> Origin:
    if "regenerated" in file.name:
        return Origin(OTHER, f"{words}, with outputs that were written again")
    if step.found_before:
        before = f"{' and '.join(step.found_before)} that were in {step.path.name} before"
        return Origin(UNKNOWN, f"{words}, made of {before}; which model wrote them is not recorded")
    writer = _model_in(_settings(step, "instructions"))
    if not writer:
        return Origin(UNKNOWN, f"{words}, and {step.path.name} does not say which model wrote it")
    if base and _differ(writer, base):
        return Origin(OTHER, f"{words}, which another model wrote ({writer['model']}, not {base['model']})")
    includes = bool(_mapping(step.config.get("finetuning_data")).get("include_seeds", True))
    of_own_alone = file.parent.name == "exports" or file.name == Path(ALL_INSTANCES).name
    return Origin(OWN, has_seeds=includes and not of_own_alone, files=(file,))


def _sources(train: Step) -> Iterator[tuple[str, str]]:
    """(path or hub id, digest) of each source of training data."""
    settings = _settings(train, "train")
    given = train.config.get("data")
    sources = given if isinstance(given, list) else [given]
    for number, source in enumerate(sources):
        digest = settings.get(f"data.{number}.sha256")
        if digest:
            yield str(_mapping(source).get("path", source)), str(digest)


def _training_files(step: Step) -> list[Path]:
    return sorted(path for name in _DATA_FOLDERS for path in (step.path / name).glob("*") if path.is_file())


def _step_at(folder: Path, command: str) -> Step | None:
    """A folder of a command that is not among the run's, but still where a manifest says it was."""
    manifest = read_json(folder / "manifest.json") or {}
    return Step(folder.name, folder, manifest, "") if manifest.get("command") == command else None


def _base_model(system: System) -> Model:
    """The model below a system's adapter, or untuned; empty where its weights are a tuned model's."""
    settings = _asked_of(system.step)
    is_base = bool(settings.get("llm.adapter")) or system.name == VANILLA
    return _model_in(settings) if is_base else {}


def _differ(one: Model, other: Model) -> bool:
    first, second = (str(each.get("weights") or "") for each in (one, other))
    if first and len(first) == len(second):  # two digests, or two commits
        return first != second
    return Path(str(one["model"])).name != Path(str(other["model"])).name


def _model_in(settings: Mapping[str, Any]) -> Model:
    found = {key: settings.get(f"llm.{key}") for key in ("model", "weights")}
    return found if found["model"] else {}


def _asked_of(step: Step) -> Mapping[str, Any]:
    return _settings(step, "predict") or _settings(step, "score")


def _settings(step: Step, stage: str) -> Mapping[str, Any]:
    return _mapping(_mapping(_mapping(step.manifest.get("steps")).get(stage)).get("settings"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _short(name: str) -> str:
    """The last two parts of a path: those of another machine say nothing more."""
    return "/".join(Path(name).parts[-2:])
