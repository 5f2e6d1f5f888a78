"""Broken task and prediction files: each is refused by place and field, before anything is written."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from benchmark_folders import instance, task, write_benchmark
from test_eval_superni_command import settings

from eval.superni_run import evaluate_superni
from selfinstruct import jsonl
from selfinstruct.errors import UserError

IDS = [instance("t1", number)["id"] for number in range(2)]
LINES: list[dict[str, Any]] = [{"id": name, "prediction": "yes"} for name in IDS]
TASK = "benchmark/tasks/t1.json"
SPLIT = "benchmark/splits/default/test_tasks.txt"
PREDICTIONS = "predictions.jsonl"


@dataclass(frozen=True)
class Broken:
    """A broken file, and what its message must say: the place, the field, what to do."""

    kind: str
    name: str
    content: bytes
    parts: tuple[str, ...]


def predictions(kind: str, content: str | bytes, *parts: str) -> Broken:
    return Broken(
        f"predictions {kind}", PREDICTIONS, content if isinstance(content, bytes) else content.encode(), parts
    )


def second_line(**changes: Any) -> str:
    """Two lines, these fields changed in the second (a field that is ... is dropped)."""
    line = {key: value for key, value in (LINES[1] | changes).items() if value is not ...}
    return "".join(f"{json.dumps(each)}\n" for each in (LINES[0], line))


def broken_task(kind: str, change: Callable[[dict[str, Any]], object], *parts: str) -> Broken:
    content = task("t1")
    change(content)
    return Broken(f"task {kind}", TASK, json.dumps(content).encode(), parts)


def task_bytes(kind: str, content: bytes, *parts: str) -> Broken:
    return Broken(f"task {kind}", TASK, content, parts)


def split(kind: str, content: bytes, *parts: str) -> Broken:
    return Broken(f"split {kind}", SPLIT, content, parts)


def with_instance(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["Instances"][1].update(changes)


def with_field(name: str, value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.update({name: value})


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.pop(name)


SMALL = json.dumps(task("t1"), indent=1)
CASES = [
    # Prediction files: the file and the line
    predictions("empty", "", "holds no prediction", "{id, prediction}"),
    predictions("of blank lines", "\n\n", "holds no prediction", "{id, prediction}"),
    predictions("not JSON", "{'id': 1}\n", ":1: not valid JSON", "one JSON object"),
    predictions("torn last line", second_line()[:-9], ":2: not valid JSON", "one JSON object"),
    predictions("not UTF-8", second_line().encode() + b'{"id": "\xeb"}', ":3: not valid JSON", "UTF-8"),
    predictions("a JSON list", json.dumps(LINES), ":1: a list instead of a JSON object", "one object"),
    predictions("nested too deeply", "[" * 100_000, ":1: not valid JSON", "one JSON object"),
    predictions("without id", second_line(id=...), ":2: id: missing", "{id, prediction}"),
    predictions("with a number as id", second_line(id=7), ":2: id: 7 is not text", "the instance's id"),
    predictions("with an id twice", second_line(id=IDS[0]), ":2: id: ", "also in line 1", "keep one line"),
    predictions("without prediction", second_line(prediction=...), ":2: prediction: missing", "each line"),
    predictions("null", second_line(prediction=None), ":2: prediction: null", "empty text where"),
    predictions("a list of texts", second_line(prediction=["a"]), ":2: prediction: a list instead of text"),
    predictions(
        "half a character", second_line().replace("yes", "\\ud800"), ":1: prediction: holds half", "delete it"
    ),
    predictions("a wrong flag", second_line(truncated="no"), ":2: truncated: 'no' is not of type bool"),
    predictions("a wrong count", second_line(num_prompt_tokens="3"), ":2: num_prompt_tokens: '3' is not of"),
    predictions("of the user-oriented set", '{"response": "x"}\n', ":1: id: missing", "user-oriented set"),
    predictions(
        "of another benchmark", '{"id": "x", "prediction": ""}', "id: none of its 1 ids", "superni_dir"
    ),
    # Task files: the file and the field
    task_bytes("empty", b"", ":1: not valid JSON"),
    task_bytes("cut off", SMALL[: len(SMALL) // 2].encode(), ":12: not valid JSON"),
    task_bytes("not UTF-8", SMALL.replace("yes", "y\xe9s").encode("latin-1"), ": not UTF-8 at byte", "save"),
    task_bytes("a list", b"[]", ": a list instead of one JSON object", "Definition and Instances"),
    broken_task("without definition", without("Definition"), ": Definition: nothing instead of a list"),
    broken_task(
        "an old draft", with_field("Definition", "Do."), ": Definition: text instead", "current task"
    ),
    broken_task("with no definition", with_field("Definition", []), ": Definition: the list is empty"),
    broken_task("a blank definition", with_field("Definition", [" "]), ": Definition[0]: empty; it must"),
    broken_task("without category", without("Categories"), ": Categories: nothing instead of a list"),
    broken_task("without instances", without("Instances"), ": Instances: nothing instead of a list"),
    broken_task(
        "with no instance", with_field("Instances", []), ": Instances: the list is empty", "at least"
    ),
    broken_task(
        "a text as instance", with_field("Instances", ["x"]), ": Instances[0]: text instead of an obj"
    ),
    broken_task("without id", with_instance(id=None), ": Instances[1].id: nothing instead of text"),
    broken_task("with an id twice", with_instance(id=IDS[0]), ": Instances: the id ", "used 2 times", "t1"),
    broken_task("without input", with_instance(input=None), ": Instances[1].input: nothing instead of text"),
    broken_task(
        "one text as output", with_instance(output="yes"), ": Instances[1].output: text instead of a"
    ),
    broken_task("without reference", with_instance(output=[]), ": Instances[1].output: the list is empty"),
    broken_task("a number as output", with_instance(output=["a", 3]), ": Instances[1].output[1]: a number"),
    broken_task("half a character", with_instance(input="\ud800"), ": Instances[1].input: holds half of a"),
    # Split files: the file and the line
    split("empty", b"\n \n", ": names no task", "one task name a line"),
    split("with a task twice", b"t1 \nt2\nt1\n", ":3: names t1 again (first in line 1)", "remove one"),
    split("with a path", b"t1\ntasks/t2.json\n", ":2: 'tasks/t2.json' is not the name of a task", "one name"),
    split("not UTF-8", b"t1\n\xeb\n", ": cannot be read (it is not UTF-8)", "splits/default"),
    split("of other tasks", b"other\n", ": none of the 1 tasks of its split is there", "tasks/other.json"),
]


@pytest.mark.parametrize("case", CASES, ids=[case.kind for case in CASES])
def test_a_broken_file_is_named_with_its_place_before_anything_is_written(
    case: Broken, tmp_path: Path
) -> None:
    write_benchmark(tmp_path / "benchmark", {"t1": task("t1"), "t2": task("t2")})
    jsonl.replace(tmp_path / PREDICTIONS, LINES)
    (tmp_path / case.name).write_bytes(case.content)
    with pytest.raises(UserError) as refused:
        evaluate_superni(settings(tmp_path, predictions=str(tmp_path / PREDICTIONS)))
    message = str(refused.value)
    place = tmp_path / ("benchmark" if case.kind == "split of other tasks" else case.name)
    assert message.startswith(f"{place}{case.parts[0] if case.parts[0][0] == ':' else ': '}")
    for part in case.parts:
        assert part in message
    assert not (tmp_path / "run").exists()


def test_the_table_holds_twenty_kinds_at_least_each_once() -> None:
    assert len({case.kind for case in CASES}) == len(CASES) >= 20
