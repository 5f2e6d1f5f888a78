"""Whether the command of each step takes its settings, asked before the first step runs.

python scripts/reproduce.py experiment=demo ++steps.train.settings.max_steps=20 dry_run=true
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.experiment.config import ReproduceConfig
from eval.experiment.inputs import listed
from eval.experiment.steps import setting_words
from selfinstruct.entry import composed
from selfinstruct.errors import UserError

# Stands for the seed's folder, of which nothing is asked: earlier steps have still to make what is in it.
_NOT_YET = "/(made by this run)"


def check_steps(config: ReproduceConfig, config_classes: Mapping[str, type]) -> None:
    """Compose the settings of every step as its command will; nothing is run, read or written.

    Args:
        config_classes: of each command that can be a step, by its script, what its settings become.

    Raises:
        UserError: a step's command is none of these, or would refuse its settings; names all such steps.
    """
    wrong: dict[str, list[str]] = {}
    for name, step in config.steps.items():
        if step.command not in config_classes:
            choices = ", ".join(config_classes)
            raise UserError(
                f"steps.{name}.command: {step.command!r} is no such command; choose from {choices}"
            )
        if reason := _what_is_wrong(config, name, config_classes[step.command]):
            wrong.setdefault(f"({step.command}): {reason}", []).append(name)
    if wrong:
        lines = [f"  {listed(names)} {reason}" for reason, names in wrong.items()]
        head = "nothing was run, for these steps would refuse their settings:"
        raise UserError("\n".join([head, *lines, "A step's setting KEY is steps.NAME.settings.KEY here."]))


def _what_is_wrong(config: ReproduceConfig, name: str, config_class: type) -> str:
    """What the step's command would say; empty where it takes the settings."""
    step = config.steps[name]
    folder = str(config.seed_dir)
    words = setting_words(_elsewhere(step.settings, folder), f"{_NOT_YET}/{name}")
    try:
        composed(Path(step.command).stem, config_class, words)
    except UserError as error:
        return str(error).replace(_NOT_YET, folder)
    return ""


def _elsewhere(value: Any, folder: str) -> Any:
    """A setting with the paths in the seed's folder put elsewhere."""
    match value:
        case dict():
            return {key: _elsewhere(each, folder) for key, each in value.items()}
        case list():
            return [_elsewhere(each, folder) for each in value]
        case str() | Path() if str(value) == folder or str(value).startswith(f"{folder}/"):
            return _NOT_YET + str(value).removeprefix(folder)
    return value
