"""The user-oriented set (paper, section 4.4): its tasks, and files of responses of any origin.

python scripts/eval_user_oriented.py run_dir=runs/user predictions=predictions.jsonl
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.predict import Prediction
from eval.superni_tasks import Sample
from selfinstruct import jsonl
from selfinstruct.errors import UserError

PREDICTIONS = "predictions.jsonl"  # in a run folder
LONG_INPUT = 80  # words
LONG_ANSWER, SHORT_ANSWER = 60, 5
_CODE = re.compile(
    r"```|^\s*(?:def |class |import |from \w+ import |#include|function |const |let |var |SELECT |CREATE |"
    r"public |<\w+[^>]*>.*</\w+>|\$ \w+|#!/|\w+\(.*\)\s*[;{]$)",
    re.MULTILINE,
)
_TABLE = re.compile(r"^\s*\|?[^|\n]+(?:\|[^|\n]*){2,}$|^[^\t\n]*\t[^\t\n]+(?:\t.*)?$", re.MULTILINE)


@dataclass(frozen=True)
class UserTask:
    """A task of the set with its one instance."""

    id: str
    application: str
    instruction: str
    input: str
    reference: str

    @property
    def words(self) -> tuple[str, str]:
        """Instruction and input without the white space around: what a response without id is known by."""
        return self.instruction.strip(), self.input.strip()

    @property
    def forms(self) -> tuple[str, ...]:
        """The named forms this task is one of; results are sliced by them."""
        input_words, answer_words = len(self.input.split()), len(self.reference.split())
        shown = f"{self.input}\n{self.reference}"
        is_form = {
            "without input": not self.input.strip(),
            "long input": input_words > LONG_INPUT,
            "with code": _CODE.search(shown) is not None,
            "with table": len(_TABLE.findall(shown)) >= 2,
            "short answer": answer_words <= SHORT_ANSWER,
            "long answer": answer_words > LONG_ANSWER,
        }
        return tuple(name for name, holds in is_form.items() if holds)

    def sample(self) -> Sample:
        """The task as phase 3a's prediction code takes it."""
        return Sample(
            id=self.id,
            task=self.id,
            category=self.application,
            track="user-oriented",
            definition=self.instruction,
            input=self.input,
            references=(self.reference,),
        )


@dataclass(frozen=True)
class Response:
    """A system's answer to one task; `prediction` holds what else is known where the model was asked here."""

    task: UserTask
    text: str
    prediction: Prediction | None = None


def read_user_tasks(path: Path) -> list[UserTask]:
    """Read `{id, motivation_app, instruction, instances: [{input, output}]}` lines; the first instance.

    Raises:
        UserError: `file:line: field: reason`; an id twice; no line.
    """
    tasks: list[UserTask] = []
    lines: dict[str, int] = {}
    for number, record in jsonl.numbered_records(path):
        where = f"{path}:{number}"
        instances = record.get("instances")
        if not isinstance(instances, list) or not instances or not isinstance(instances[0], dict):
            raise UserError(f"{where}: instances: must be a list of {{input, output}} with at least one")
        first = instances[0]
        task = UserTask(
            id=_text(record, "id", where),
            application=_text(record, "motivation_app", where),
            instruction=_text(record, "instruction", where),
            input=_text(first, "input", where, may_be_empty=True),
            reference=_text(first, "output", where),
        )
        if task.id in lines:
            reason = f"{task.id!r} is also in line {lines[task.id]}"
            raise UserError(f"{where}: id: {reason}; each task needs its own")
        lines[task.id] = number
        tasks.append(task)
    if not tasks:
        raise UserError(
            f"{path}: holds no task; each line must be {{id, motivation_app, instruction, instances}}"
        )
    return tasks


def system_files(given: Sequence[str]) -> dict[str, Path]:
    """System name -> prediction file: a run folder stands for its `predictions.jsonl`.

    Raises:
        UserError: nothing is given, or two systems have the same name.
    """
    if not given:
        raise UserError("predictions: the list is empty; give files or run folders")
    files: dict[str, Path] = {}
    for name in given:
        path = Path(name)
        system = path.name if path.is_dir() else path.stem
        if system in files:
            raise UserError(f"predictions: two systems are called {system!r}; rename a file or folder")
        files[system] = path / PREDICTIONS if path.is_dir() else path
    return files


def read_responses(path: Path, tasks: Sequence[UserTask]) -> list[Response]:
    """Responses of one system, in file order.

    Lines `{id, response}` or `{id, prediction}` are matched to the tasks by id; lines of the released
    files have none and hold their own `instruction, input, target`, which win over the task file.

    Raises:
        UserError: `file:line: field: reason`; an id twice or unknown; no line.
    """
    by_id = {task.id: task for task in tasks}
    by_words = {task.words: task for task in tasks}
    responses: list[Response] = []
    seen: dict[str, int] = {}
    for number, record in jsonl.numbered_records(path):
        where = f"{path}:{number}"
        field = "prediction" if "prediction" in record and "response" not in record else "response"
        text = _text(record, field, where, may_be_empty=True)
        if "target" in record:
            task = _own_task(record, number, where, by_words)
        else:
            name = _text(record, "id", where)
            if name not in by_id:
                raise UserError(f"{where}: id: {name!r} is not in the task file; is tasks= the right one?")
            task = by_id[name]
        if task.id in seen:
            raise UserError(f"{where}: {task.id!r} is also in line {seen[task.id]}; keep one line a task")
        seen[task.id] = number
        responses.append(Response(task, text))
    if not responses:
        raise UserError(f"{path}: holds no response; each line must be {{id, response}}")
    return responses


def _own_task(
    record: dict[str, Any], number: int, where: str, by_words: dict[tuple[str, str], UserTask]
) -> UserTask:
    given = record.get("id")
    instruction = _text(record, "instruction", where)
    input_text = _text(record, "input", where, may_be_empty=True)
    known = by_words.get((instruction.strip(), input_text.strip()))
    name = given if isinstance(given, str) and given else known.id if known else f"line {number}"
    application = record.get("motivation_app") or (known.application if known else "unknown")
    return UserTask(name, str(application), instruction, input_text, _text(record, "target", where))


def response_line(response: Response) -> jsonl.Record:
    """A line of `predictions.jsonl`: the released files' fields, and what we know besides."""
    task, prediction = response.task, response.prediction
    line: jsonl.Record = {
        "id": task.id,
        "motivation_app": task.application,
        "prompt": prediction.prompt if prediction else None,
        "instruction": task.instruction,
        "input": task.input,
        "response": response.text,
        "target": task.reference,
    }
    if prediction:
        line |= {
            "finish_reason": prediction.finish_reason,
            "num_prompt_tokens": prediction.num_prompt_tokens,
            "truncated": prediction.truncated,
        }
    return line


def _text(record: dict[str, Any], field: str, where: str, may_be_empty: bool = False) -> str:
    value = record.get(field)
    if not isinstance(value, str):
        found = "missing" if value is None else f"a {type(value).__name__} instead of text"
        raise UserError(f"{where}: {field}: {found}")
    if not value.strip() and not may_be_empty:
        raise UserError(f"{where}: {field}: empty; it must hold text")
    return value
