"""Reads folders of reproduce.py, one chain of steps a seed, and single run folders taken together."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from eval.report.chains import (
    GENERATE,
    REPRODUCE,
    SELF_INSTRUCT,
    SINGLE_COMMANDS,
    SUPERNI,
    TRAIN,
    VANILLA,
    Chain,
    Manifest,
    Run,
    Step,
    System,
)
from eval.report.completeness import lost, refuse_lost_files
from eval.report.files import read_json
from eval.report.shown import logged_line, shown_folder, step_line
from eval.summary import RAW
from selfinstruct.errors import UserError


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


def _seed_folders(path: Path) -> list[Path]:
    manifest = read_json(path / "manifest.json") or {}
    if manifest.get("command") == REPRODUCE:
        if manifest.get("status") != "complete":
            raise _unfinished(path, manifest)
        return [path]
    folders = [each for each in path.glob("seed*") if re.fullmatch(r"seed\d+", each.name)]
    manifests = {each: read_json(each / "manifest.json") or {} for each in folders}
    of_ours = [each for each, manifest in manifests.items() if manifest.get("command") == REPRODUCE]
    complete = [each for each in of_ours if manifests[each].get("status") == "complete"]
    if of_ours and not complete:
        raise _unfinished(of_ours[0], manifests[of_ours[0]])
    # A seed that is under way says nothing beside whole ones.
    return sorted(complete, key=lambda each: int(each.name.removeprefix("seed")))


def _unfinished(path: Path, manifest: Manifest) -> UserError:
    steps = manifest.get("steps", {}) if manifest.get("command") == REPRODUCE else {}
    complete = [name for name, step in steps.items() if step["status"] == "complete"]
    whole = [str(path / name) for name in complete if name != "experiment"]
    beside = f", or give what is complete by itself: {', '.join(whole)}" if whole else ""
    advice = f"start its command again with the same words to complete it{beside}"
    return UserError(f"runs: {path} is not complete ({manifest.get('status', 'unknown')}); {advice}")


def _single_manifest(path: Path) -> Manifest:
    manifest = read_json(path / "manifest.json")
    if manifest is None and not path.is_dir():
        raise UserError(f"runs: {path} is no folder; check the path")
    if manifest is None:
        raise UserError(
            f"runs: {path} holds no manifest.json and no folder seed1; give folders of scripts/reproduce.py, "
            "generate.py, review_little_world.py, eval_superni.py, eval_user_oriented.py, report_ratings.py "
            "or finetune/train.py"
        )
    if manifest.get("command") not in SINGLE_COMMANDS:
        raise UserError(
            f"runs: {path} belongs to {manifest.get('command')!r}, which the report does not show; "
            f"choose from reproduce, {', '.join(SINGLE_COMMANDS)}"
        )
    _refuse_unless_whole(path, manifest)
    return manifest


def _refuse_unless_whole(path: Path, manifest: Manifest) -> None:
    if manifest.get("status") != "complete":
        raise _unfinished(path, manifest)
    refuse_lost_files(path, manifest)


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


_SETTINGS = ("experiment_name", "title", "seed", "seed_dir", "steps", "systems", "differences", "by_category")
_EXPERIMENT = tuple(f"config.{name}" for name in (*_SETTINGS, "data_step"))


def _read_chain(folder: Path) -> Chain:
    manifest = read_json(folder / "manifest.json", *_EXPERIMENT) or {}
    config = manifest["config"]
    shown = Path("runs") / (
        folder.name if folder.parent.name == "runs" else f"{folder.parent.name}/{folder.name}"
    )
    steps: dict[str, Step] = {}
    for name, step in config["steps"].items():
        found = read_json(folder / name / "manifest.json", "command", "config")
        if found is None:
            raise lost(folder / name / "manifest.json", "")
        _refuse_unless_whole(folder / name, found)
        steps[name] = Step(name, folder / name, found, step_line(step, name, config, str(shown)))
    systems = {
        name: System(name, s["label"], steps[s["step"]], s.get("variant", RAW), s.get("x"))
        for name, s in config["systems"].items()
    }
    data = steps.get(config["data_step"]) if config["data_step"] else None
    return Chain(config["seed"], steps, systems, data, manifest, folder)


def _read_singles(singles: Sequence[tuple[Path, Manifest]]) -> list[Run]:
    generated = [each for each in singles if each[1]["command"] == GENERATE]
    others = [each for each in singles if each[1]["command"] != GENERATE]
    groups = [[*generated[:1], *others], *([each] for each in generated[1:])]
    return [_run_of_singles(group) for group in groups if group]


def _run_of_singles(folders: Sequence[tuple[Path, Manifest]]) -> Run:
    names = [path.name for path, _ in folders]
    steps: dict[str, Step] = {}
    for path, manifest in folders:
        name = path.name if names.count(path.name) == 1 else shown_folder(path)
        steps[name] = Step(name, path, manifest, logged_line(path, manifest))
    evaluated = {name: step for name, step in steps.items() if step.command == SUPERNI}
    _check_one_benchmark(evaluated.values())
    systems: dict[str, System] = {}
    for name, step in evaluated.items():
        role = _role(step, list(evaluated.values()))
        systems[role or name] = System(role or name, name, step)
    data = next((step for step in steps.values() if step.command == GENERATE), None)
    pairs = [(VANILLA, name) for name in systems if name != VANILLA and VANILLA in systems]
    return Run(
        _column(folders[0][0]), "Single runs", [Chain(None, steps, systems, data)], pairs, list(systems)
    )


def _column(path: Path) -> str:
    """The folder's name; of a step of an experiment, whose name says little, with those around it."""
    outer = path.parent
    inside = (read_json(outer / "manifest.json") or {}).get("command") == REPRODUCE
    return f"{outer.parent.name}/{outer.name}/{path.name}" if inside else path.name


def _check_one_benchmark(evaluated: Iterable[Step]) -> None:
    """UserError where two evaluations cannot stand in one table."""
    labels = {str(step.path): System("", "", step).benchmark["label"] for step in evaluated}
    if len(set(labels.values())) > 1:
        found = "; ".join(f"{path}: {label}" for path, label in labels.items())
        raise UserError(f"runs: single folders of several benchmarks ({found}); make a report of each")


def _role(step: Step, evaluated: Sequence[Step]) -> str | None:
    """Vanilla: the only evaluation of an untuned model; self-instruct: the only one of a tuned model."""
    if step.config.get("num_examples") or step.config.get("predictions"):
        return None
    alike = [
        other
        for other in evaluated
        if _is_tuned(other) == _is_tuned(step) and not other.config.get("num_examples")
    ]
    if len(alike) > 1:
        return None
    return SELF_INSTRUCT if _is_tuned(step) else VANILLA


def _is_tuned(step: Step) -> bool:
    """Whether it scored an adapter, or a whole model in the folder of a finetuning."""
    model = step.config.get("model")
    maker = read_json(Path(str(model)).parent / "manifest.json") if model else None
    return bool(step.config.get("adapter")) or (maker or {}).get("command") == TRAIN
