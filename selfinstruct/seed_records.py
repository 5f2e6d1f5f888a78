"""One line of a seed file: what it says, as far as it can be read, and everything that is wrong with it.

Command: `python scripts/check_seeds.py seeds=my_seeds.jsonl`.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct.filters import FilterRules, first_reason
from selfinstruct.tasks import Instance, SeedTask

FIELDS = ("id", "name", "instruction", "instances", "is_classification")


@dataclass(frozen=True)
class Problem:
    """What is wrong in one place; line 0: the file as a whole, or a line that the caller fills in."""

    line: int
    field: str
    reason: str
    is_warning: bool = False

    def describe(self, path: Path) -> str:
        """`file:line: field: reason`."""
        where = f"{path}:{self.line}" if self.line else str(path)
        return f"{where}: {self.field}: {self.reason}" if self.field else f"{where}: {self.reason}"


def parse_line(line: bytes, is_first: bool) -> dict[str, Any]:
    """The object of a line.

    Raises:
        ValueError: why it is none, and what to do.
    """
    try:
        text = line.decode("utf-8-sig" if is_first else "utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start + 1} of the line); save the file as UTF-8") from error
    try:
        record = json.loads(text, object_pairs_hook=_object_without_repeats)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON ({error.msg}, column {error.colno})") from error
    except RecursionError as error:
        raise ValueError("not valid JSON (nested too deeply)") from error
    if not isinstance(record, dict):
        raise ValueError(f"is {_kind(record)}; each line must be one JSON object")
    return record


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if repeated:
        raise ValueError(f'has "{repeated[0]}" twice in one object; keep one of them')
    return dict(pairs)


def record_problems(record: dict[str, Any], rules: FilterRules) -> Iterator[Problem]:
    """Everything wrong with one object, as problems of line 0."""
    for field in record:
        if field not in FIELDS:
            yield Problem(0, field, f"is not read; known are {', '.join(FIELDS)}", is_warning=True)
    yield from _text_problems(record, "id", "id", "give each task an id of its own")
    if "name" in record:
        yield from _text_problems(record, "name", "name", "give the task a short name")
    else:
        yield Problem(0, "name", "is missing; give the task a short name", is_warning=True)
    yield from _text_problems(record, "instruction", "instruction", "write what the task asks for")
    instruction = record.get("instruction")
    if isinstance(instruction, str) and instruction.strip():
        folded = " ".join(instruction.split())
        if (reason := first_reason(folded, rules)) is not None:
            text = f"would be dropped if a model had written it ({reason}); reword it"
            yield Problem(0, "instruction", text, is_warning=True)
    if "is_classification" not in record:
        yield Problem(0, "is_classification", "is missing; write true or false")
    elif not isinstance(record["is_classification"], bool):
        yield Problem(0, "is_classification", f"is {_kind(record['is_classification'])}; write true or false")
    yield from _instances_problems(record)


def _instances_problems(record: dict[str, Any]) -> Iterator[Problem]:
    instances = record.get("instances")
    if "instances" not in record:
        beside = " instead of input and output beside the instruction" if "output" in record else ""
        yield Problem(0, "instances", f"is missing; write [{{input, output}}]{beside}")
    elif not isinstance(instances, list):
        yield Problem(0, "instances", f"is {_kind(instances)}; it must be a list of {{input, output}}")
    elif not instances:
        yield Problem(0, "instances", "is empty; each seed task needs at least one {input, output}")
    else:
        output_by_input: dict[str, Any] = {}
        for position, instance in enumerate(instances):
            place = f"instances[{position}]"
            if not isinstance(instance, dict):
                yield Problem(0, place, f"is {_kind(instance)}; it must be an object with input and output")
                continue
            yield from _instance_problems(instance, place, record.get("is_classification") is True)
            given, output = instance.get("input"), instance.get("output")
            if isinstance(given, str) and output_by_input.setdefault(given, output) != output:
                yield Problem(0, place, "has the input of an earlier instance but another output; keep one")


def _instance_problems(instance: dict[str, Any], place: str, is_classification: bool) -> Iterator[Problem]:
    for field in instance:
        if field not in ("input", "output"):
            yield Problem(0, f"{place}.{field}", "is not read; known are input, output", is_warning=True)
    yield from _text_problems(instance, "input", f"{place}.input", None)
    yield from _text_problems(instance, "output", f"{place}.output", "write the answer the task asks for")
    given, output = instance.get("input"), instance.get("output")
    for field, text in (("input", given), ("output", output)):
        if isinstance(text, str) and text.rstrip().endswith(":"):
            reason = "ends with a colon; generation drops such instances, as something seems to be missing"
            yield Problem(0, f"{place}.{field}", reason)
    if isinstance(given, str) and isinstance(output, str):
        if given.strip() and given.strip() == output.strip():
            yield Problem(0, f"{place}.output", "equals the input; generation drops such instances")
        if is_classification and "\n" in output.strip():
            reason = "has several lines; the label of a classification task is one line"
            yield Problem(0, f"{place}.output", reason, is_warning=True)


def _text_problems(holder: dict[str, Any], key: str, field: str, if_empty: str | None) -> Iterator[Problem]:
    """Problems of one text, `if_empty` saying what to do about an empty one (None: it may be empty)."""
    if key not in holder:
        yield Problem(0, field, f"is missing; {if_empty or 'write an empty text if the task needs none'}")
        return
    text = holder[key]
    if not isinstance(text, str):
        yield Problem(0, field, f"is {_kind(text)}; it must be text")
        return
    if if_empty is not None and not text.strip():
        yield Problem(0, field, f"is empty; {if_empty}")
        return
    if text != text.strip():
        yield Problem(0, field, "starts or ends with white space; strip it", is_warning=True)
    odd = {character for character in text if _is_damage(character)}
    if odd:
        named = ", ".join(f"U+{ord(character):04X}" for character in sorted(odd))
        yield Problem(0, field, f"holds characters that no text should ({named}); delete or replace them")


def _is_damage(character: str) -> bool:
    # Cc: control characters; Cs: half of a surrogate pair, not encodable; U+FFFD: a character already lost.
    is_control = unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"
    return is_control or character == "\ufffd"


def readable_task(record: dict[str, Any]) -> SeedTask | None:
    """The task with those of its instances that can be read; None without an instruction."""
    instruction, instances = record.get("instruction"), record.get("instances")
    if not isinstance(instruction, str) or not instruction.strip():
        return None
    readable = tuple(
        Instance(instance["input"], instance["output"])
        for instance in (instances if isinstance(instances, list) else [])
        if isinstance(instance, dict)
        and isinstance(instance.get("input"), str)
        and isinstance(instance.get("output"), str)
    )
    is_classification = record.get("is_classification") is True
    return SeedTask(
        str(record.get("id", "")), str(record.get("name", "")), instruction, readable, is_classification
    )


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
    return "an object"
