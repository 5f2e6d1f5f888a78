"""Command lines as a reader can use them: no path of the machine that a run was made on."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.experiment.steps import override_value
from eval.report.chains import TRAIN, Manifest
from selfinstruct.settings import REPOSITORY

Moves = Mapping[str, str]  # a folder as a run recorded it -> as it is shown

_ABSOLUTE = re.compile(r"(?<![\w.~:/-])/[^\s,\[\]{}\"'=]+")


def shown_folder(path: Path) -> str:
    """Below the repository or the current folder: from there; elsewhere as it was given."""
    for start in (REPOSITORY, Path.cwd()):
        if path.is_relative_to(start):
            return str(path.relative_to(start))
    return str(path)


def step_line(step: Mapping[str, Any], name: str, config: Mapping[str, Any], shown: str) -> str:
    """The command of an experiment's step; `shown` is the seed's folder as the report names it."""
    moves = {str(config["seed_dir"]): shown}
    given = {"run_dir": f"{shown}/{name}", **_moved(step["settings"], moves)}
    words = [f"{key}={override_value(value)}" for key, value in given.items()]
    launcher = "python"
    if step["command"].startswith("finetune/"):
        accelerate = config.get("accelerate_config", "cpu")
        launcher = f"accelerate launch --config_file configs/accelerate/{accelerate}.yaml"
    return f"{launcher} {step['command']} {shlex.join(words)}"


def logged_line(path: Path, manifest: Manifest) -> str:
    """The command of a single folder, as its log holds it."""
    log = path / "run.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    command = manifest["command"]
    script = "accelerate launch finetune/train.py" if command == TRAIN else f"python scripts/{command}.py"
    found = re.search(rf"{command} started: (.*)", text)
    words = _split(found[1])[1:] if found else []
    moves = _moves(path, words, manifest)
    return " ".join([script, *(shlex.quote(_moved_word(word, moves)) for word in words)])


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a torn line
        return []


def _moves(path: Path, words: list[str], manifest: Manifest) -> Moves:
    """From where the folder was, and what lay around it, to where it is."""
    typed = next((word.partition("=")[2] for word in words if word.startswith("run_dir=")), None)
    moves: dict[str, str] = {}
    for before in (manifest.get("config", {}).get("run_dir"), typed):
        if before:
            moves[str(before)] = shown_folder(path)
            there, here = _outer(Path(str(before)), path)
            if there.name:
                moves[str(there)] = shown_folder(here)
    return moves


def _outer(there: Path, here: Path) -> tuple[Path, Path]:
    """Both folders without the last parts that they share."""
    while there.name and there.name == here.name:
        there, here = there.parent, here.parent
    return there, here


def _moved_word(word: str, moves: Moves) -> str:
    key, sign, value = re.sub(r"^experiment/\w+=", "experiment=", word).partition("=")
    return f"{key}{sign}{_moved(value, moves)}"


def _moved(value: Any, moves: Moves) -> Any:
    """A setting with every path in it as it is shown."""
    match value:
        case dict():
            return {key: _moved(each, moves) for key, each in value.items()}
        case list():
            return [_moved(each, moves) for each in value]
        case str():
            return _moved_text(value, moves)
        case _:
            return value


def _moved_text(text: str, moves: Moves) -> str:
    shown = text
    for before, after in sorted(moves.items(), key=lambda pair: -len(pair[0])):
        below = "/" if after == "." else ""
        whole = rf"(?<![\w./-]){re.escape(before)}{below}(?=\W|$|(?<=/))"
        shown, count = re.subn(whole, "" if below else after.replace("\\", r"\\"), shown)
        if count:
            return shown
    if text.startswith("/"):
        return _elsewhere(text)
    return _ABSOLUTE.sub(lambda found: _elsewhere(found[0]), text)


def _elsewhere(text: str) -> str:
    """A path outside the run: of the repository wherever that was, of this machine, or only its name."""
    parts = Path(text).parts[1:]
    for start in range(len(parts) - 1):
        if (tail := Path(*parts[start:])) and (REPOSITORY / tail).exists():
            return str(tail)
    return shown_folder(Path(text)) if Path(text).exists() else f"path/to/{Path(text).name}"
