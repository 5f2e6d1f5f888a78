"""Task files in the natural-instructions format (Super-NaturalInstructions): one JSON object a file."""

import json
from pathlib import Path
from typing import Any

from selfinstruct.errors import UserError


def read_task_file(path: Path) -> dict[str, Any]:
    """The object of a task file (Definition, Categories, Instances, ...); what it holds is not checked.

    Raises:
        UserError: `file[:line]: reason`.
    """
    try:
        task = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the file") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}"
        raise UserError(f"{place}: not valid JSON ({error.msg}, column {error.colno})") from error
    if not isinstance(task, dict):
        raise UserError(f"{path}: {kind_of(task)} instead of one JSON object with Definition and Instances")
    return task


def kind_of(value: Any) -> str:
    """What a JSON value is, in words for a message; null and what is missing are `nothing`."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return "nothing" if value is None else names.get(type(value), "an object")
