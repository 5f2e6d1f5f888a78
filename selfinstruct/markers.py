"""The labels that give the few-shot prompts their form, which answers repeat and the parsers look for.

They are words of a language, so a `configs/prompts` file for another one brings its own under `markers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from selfinstruct.errors import UserError


@dataclass(frozen=True)
class Markers:
    """The labels, without their colons; the defaults are those of the paper's prompts (section 2.2)."""

    task: str = "Task"
    """Opens a task in the prompts of stages 2 and 3: `Task: ...`."""

    example: str = "Example"
    """Opens one of several examples: `Example 2`."""

    input: str = "Input"
    """What a model may write before an input; taken off."""

    output: str = "Output"
    """Stands between input and output: `Output: ...`."""

    class_label: str = "Class label"
    """Opens a label, and the input it is right for: `Class label: ...`."""

    yes: str = "Yes"
    """A task is classification."""

    no: str = "No"
    """It is not."""

    @classmethod
    def of(cls, prompts: Mapping[str, Any], where: str = "prompts") -> "Markers":
        """The markers of a `configs/prompts` file; the English ones where it gives none.

        Raises:
            UserError: one is missing, unknown, empty, not text or with a colon; the message names its key.
        """
        settings = prompts.get("markers")
        if settings is None:
            return ENGLISH
        names = [field.name for field in fields(cls)]
        if not isinstance(settings, Mapping):
            raise UserError(f"{where}.markers: must be a mapping of {', '.join(names)}")
        for name in settings:
            if name not in names:
                raise UserError(f"{where}.markers.{name}: no such marker; known are {', '.join(names)}")
        for name in names:
            value = settings.get(name)
            if not isinstance(value, str) or not value.strip() or ":" in value or "\n" in value:
                found = "is missing" if name not in settings else f"is {value!r}"
                advice = "give a word or a few, without a colon (quote Yes and No)"
                raise UserError(f"{where}.markers.{name}: {found}; {advice}")
        return cls(**{name: settings[name].strip() for name in names})


ENGLISH = Markers()
