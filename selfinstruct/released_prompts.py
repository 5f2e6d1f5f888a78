"""The paper's own prompts, from a user's download of its released repository.

Its Python files are read as data: parsed with `ast`, of which string constants are taken. Nothing of them is
imported or run. `prompts=released prompts.folder=DIR` (configs/prompts/released.yaml).
"""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selfinstruct.errors import UserError
from selfinstruct.markers import Markers
from selfinstruct.prompts import Prompts

# Names in the released self_instruct/templates/*.py.
CLASSIFICATION = "template_1"
INPUT_FIRST = "input_first_template_for_gen"
OUTPUT_FIRST = "output_first_template_for_clf"
# The headings of stage 1 stand in the released code itself, in the two branches of one function.
HEADINGS_FILE = "bootstrap_instructions.py"
HEADINGS_FUNCTION = "encode_prompt"

_ADVICE = (
    "give prompts.folder=DIR, a download of the released repository "
    "(scripts/download_data.py 'what=[prompts]')"
)


def load_prompts(settings: Mapping[str, Any]) -> Prompts:
    """The prompts of a `configs/prompts` file, its own or, where it names a `folder`, those read from there.

    Raises:
        UserError: a key is wrong, or the folder does not hold what it should; says which file or key.
    """
    if "folder" not in settings:
        return Prompts.from_dict(settings)
    return Prompts.from_dict(_filled(settings, Path(str(settings["folder"]))))


def _filled(settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The settings with the headings and demonstrations of the folder's files, in their order."""
    templates = _templates_folder(folder)
    texts: dict[str, str] = {}
    for file in sorted(templates.glob("*.py")):
        texts |= _strings(_parsed(file))
    missing = [name for name in (CLASSIFICATION, INPUT_FIRST, OUTPUT_FIRST) if name not in texts]
    if missing:
        raise UserError(f"{templates}: no file assigns a text to {missing[0]}; {_ADVICE}")
    filled = {key: dict(value) if isinstance(value, Mapping) else value for key, value in settings.items()}
    del filled["folder"]
    for key, name in (
        ("classification", CLASSIFICATION),
        ("input_first", INPUT_FIRST),
        ("output_first", OUTPUT_FIRST),
    ):
        heading, demonstrations = _blocks(texts[name], Markers.of(settings), f"{templates}: {name}")
        node = filled.setdefault(key, {})
        node |= {"heading": heading, "demonstrations": [{"text": text} for text in demonstrations]}
        if key == "classification":
            node["question"] = _question(demonstrations, Markers.of(settings), f"{templates}: {name}")
    wanted = filled.setdefault("instructions", {})
    if wanted.get("heading") is None or wanted.get("classification_heading") is None:
        heading, for_classification = _headings(templates.parent / HEADINGS_FILE)
        wanted["heading"] = wanted.get("heading") or heading
        wanted["classification_heading"] = wanted.get("classification_heading") or for_classification
    return filled


def _templates_folder(folder: Path) -> Path:
    """The folder with the templates: of a whole repository, of its code folder, or that folder itself."""
    for candidate in (folder / "self_instruct" / "templates", folder / "templates", folder):
        if any(candidate.glob("*.py")):
            return candidate
    raise UserError(f"prompts.folder={folder}: no self_instruct/templates/*.py there; {_ADVICE}")


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); {_ADVICE}") from error
    except SyntaxError as error:
        raise UserError(f"{file}:{error.lineno}: not Python ({error.msg}); {_ADVICE}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: not Python in UTF-8 ({error}); {_ADVICE}") from error


def _strings(module: ast.Module) -> dict[str, str]:
    """Name -> text of the module's plain assignments of a string constant; all else is passed over."""
    return {name: text for statement in module.body for name, text in _assigned(statement)}


def _assigned(statement: ast.stmt) -> list[tuple[str, str]]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
            return [(name, text)]
    return []


def _blocks(template: str, markers: Markers, where: str) -> tuple[str, list[str]]:
    """The heading and the demonstrations of a template that ends where the new task is to stand."""
    label = f"{markers.task}:"
    heading, *tasks = re.split(rf"\n\n(?={re.escape(label)})", template.strip("\n"))
    if len(tasks) < 2 or tasks[-1].strip() != label:
        expected = f"a heading and blocks that start with '{label}', the last of them empty"
        raise UserError(f"{where}: not of the released form ({expected}); {_ADVICE}")
    return heading, tasks[:-1]


def _question(demonstrations: list[str], markers: Markers, where: str) -> str:
    """What stands before the Yes or No that ends every demonstration; the same in all."""
    answer = re.compile(rf"\n(.+\S) (?:{re.escape(markers.yes)}|{re.escape(markers.no)})\s*\Z")
    found = [answer.search(text) for text in demonstrations]
    questions = {match[1] if match else None for match in found}
    question = questions.pop()
    if questions or question is None:
        expected = f"one question, answered with {markers.yes} or {markers.no}, ends every task"
        raise UserError(f"{where}: not of the released form ({expected}); {_ADVICE}")
    return question


def _headings(file: Path) -> tuple[str, str]:
    """The two headings of stage 1: any tasks, and classification tasks only."""
    for function in ast.walk(_parsed(file)):
        if isinstance(function, ast.FunctionDef) and function.name == HEADINGS_FUNCTION:
            for branch in ast.walk(function):
                match branch:
                    case ast.If(test=ast.Name(id="classification"), body=[only], orelse=[other]):
                        texts = [text.strip("\n") for s in (other, only) for _, text in _assigned(s)]
                        if len(texts) == 2:
                            return texts[0], texts[1]
    keys = "prompts.instructions.heading and .classification_heading"
    raise UserError(f"{file}: the headings of stage 1 are not in {HEADINGS_FUNCTION}(); give {keys}")
