"""What an experiment needs from outside: files, folders and models that no step of it makes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from eval.experiment.config import ReproduceConfig
from selfinstruct.llm.model_folder import looks_like_a_path
from selfinstruct.public_files import PUBLIC_FILES
from selfinstruct.settings import flatten

# Settings that name something on disk, by the last part of their key.
_PATHS = (
    "data",
    "eval_data",
    "training_data",
    "path",
    "superni_dir",
    "seed_tasks",
    "tasks",
    "adapter",
    "generated",
    "instances",
    "predictions",
)
_SPLIT = Path("splits/default/test_tasks.txt")


def missing_inputs(config: ReproduceConfig, steps: Sequence[str]) -> list[str]:
    """A line for each thing that is not there and that one of these steps reads, then what to do about it."""
    lines: list[str] = []
    needed_by: dict[str, list[str]] = {}
    for name in steps:
        for key, value in _flat(config.steps[name].settings):
            if reason := _what_is_wrong(key, value, str(config.seed_dir)):
                needed_by.setdefault(f"{value}: {reason}", []).append(name)
    lines += [f"  {what} ({listed(names)})" for what, names in needed_by.items()]
    if downloads := _downloads([what.rpartition(": ")[0] for what in needed_by]):
        lines += [f"  to fetch: {command}" for command in downloads]
    every = {name for names in needed_by.values() for name in names}
    if every and (left_out := _enough_to_skip(config, every)):
        lines.append(f"  or leave out what needs it: 'skip=[{','.join(left_out)}]'")
    return lines


def listed(names: Sequence[str]) -> str:
    """The names of steps in a line, of many the first two."""
    return ", ".join(names) if len(names) < 4 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _flat(settings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in flatten(settings).items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                yield key.rpartition(".")[2], item


def _what_is_wrong(key: str, value: str, seed_dir: str) -> str:
    """Why this input cannot be read; empty where it can, or where an earlier step makes it."""
    path = Path(value).expanduser()
    if key == "model":
        return _wrong_model(value, path)
    if key not in _PATHS or not path.is_absolute() or path.is_relative_to(seed_dir):
        return ""  # a hub id, or a name
    if not path.exists():
        return "not there"
    if key == "superni_dir":
        return "" if (path / _SPLIT).is_file() else f"no clone of natural-instructions (no {_SPLIT})"
    is_empty = not any(path.iterdir()) if path.is_dir() else not path.stat().st_size
    return "empty" if is_empty else ""


def _wrong_model(name: str, folder: Path) -> str:
    if folder.is_dir():
        holds = any((folder / file).exists() for file in ("config.json", "adapter_config.json"))
        return "" if holds else "no model (no config.json)"
    return "no such folder" if looks_like_a_path(name) else ""


def _downloads(paths: Sequence[str]) -> list[str]:
    """The commands that fetch those of the missing that are the paper's public files."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        for file in PUBLIC_FILES:
            place = file.unpacked or file.path
            if path.endswith(f"/{place}"):
                groups.setdefault(path.removesuffix(f"/{place}"), []).append(file.group)
    return [
        f"python scripts/download_data.py target={target} 'what=[{','.join(dict.fromkeys(found))}]'"
        for target, found in groups.items()
    ]


def _enough_to_skip(config: ReproduceConfig, names: set[str]) -> list[str]:
    """The steps to leave out so that none of these is left; empty where no system would be left."""
    gone: set[str] = set()
    named: list[str] = []
    for name, step in config.steps.items():
        by_itself = name in names
        if by_itself or config.uses(step.settings, gone):
            if not config.uses(step.settings, gone):
                named.append(name)
            gone.add(name)
    is_left = any(system.step not in gone for system in config.systems.values())
    return named if is_left else []
