"""Checks a file of seed tasks, all problems at once, and describes how varied the tasks are.

Command: `python scripts/check_seeds.py seeds=my_seeds.jsonl`.

An error is what generation would refuse or drop, or what teaches a model something wrong; a warning is what
the project copes with, or what only a person can judge.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

from selfinstruct import rouge
from selfinstruct.errors import UserError
from selfinstruct.filters import FilterRules, first_reason
from selfinstruct.tasks import Instance, SeedTask

FIELDS = ("id", "name", "instruction", "instances", "is_classification")
SHOWN_PER_REQUEST = 8  # instructions in each request of phase 1 (paper, section 2.2)


MOST_ERRORS_SHOWN = 50


@dataclass
class CheckSeedsConfig:
    """`configs/check_seeds.yaml` as a dataclass."""

    seeds: Path
    filters: dict[str, Any]
    max_similarity: float
    tokenizer: str
    strict: bool

    def __post_init__(self) -> None:
        if not 0 <= self.max_similarity <= 1:
            raise UserError(f"max_similarity is {self.max_similarity}; it must be a ROUGE-L, 0 to 1")
        if self.tokenizer not in ("english", "unicode"):
            raise UserError(f'tokenizer is "{self.tokenizer}"; it must be english or unicode')


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


@dataclass(frozen=True)
class SimilarPair:
    """Two instructions (by line, the later one first) and their ROUGE-L, 0 to 1."""

    score: float
    line: int
    other_line: int


@dataclass(frozen=True)
class Findings:
    """All problems of a file, its tasks by line as far as they can be read, and its most similar pair."""

    problems: list[Problem]
    tasks: dict[int, SeedTask]
    most_similar: SimilarPair | None


def check_seeds(config: CheckSeedsConfig) -> None:
    """Print the warnings and the spread of a seed file.

    Raises:
        UserError: the file has errors (with `strict`, or warnings), all of them in the message.
    """
    findings = find_problems(config)
    warnings = [problem for problem in findings.problems if problem.is_warning and not config.strict]
    errors = [problem for problem in findings.problems if not problem.is_warning or config.strict]
    for warning in warnings:
        print(f"warning: {warning.describe(config.seeds)}")
    if findings.tasks:
        print("\n".join(spread(findings, config.seeds.name)))
    if errors:
        shown = [f"  {error.describe(config.seeds)}" for error in errors[:MOST_ERRORS_SHOWN]]
        if len(errors) > len(shown):
            shown.append(
                f"  and {len(errors) - len(shown)} more; is it a file of seed tasks, an object a line?"
            )
        listed = "\n".join(shown)
        raise UserError(f"{config.seeds}: {_count(len(errors), 'problem')} to mend\n{listed}")
    print(f"\nNo errors, {_count(len(warnings), 'warning')}.")


def find_problems(config: CheckSeedsConfig) -> Findings:
    """Check a whole seed file.

    Raises:
        UserError: the file cannot be read, or a filter rule's setting is wrong.
    """
    rules = FilterRules.from_dict(config.filters)
    try:
        content = config.seeds.read_bytes()
    except OSError as error:
        raise UserError(f"{config.seeds}: cannot be read ({error.strerror}); check the path") from error
    if (whole := _problem_of_whole_file(content)) is not None:
        return Findings([whole], {}, None)

    lines = content.split(b"\n")
    problems, tasks = _check_lines(lines, rules)
    duplicates, most_similar = _compare(tasks, config)
    problems = [*_line_ending_problems(lines), *problems, *duplicates]
    if len(tasks) < SHOWN_PER_REQUEST:
        few = f"holds {_count(len(tasks), 'task')}; a request shows {SHOWN_PER_REQUEST} (the paper has 175)"
        problems.append(Problem(0, "", few, is_warning=True))
    return Findings(sorted(problems, key=lambda problem: problem.line), tasks, most_similar)


def _check_lines(lines: list[bytes], rules: FilterRules) -> tuple[list[Problem], dict[int, SeedTask]]:
    problems: list[Problem] = []
    tasks: dict[int, SeedTask] = {}
    line_by_id: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            if number < len(lines):  # after the last line end there is no line
                problems.append(Problem(number, "", "is blank; delete the line", is_warning=True))
            continue
        try:
            record = _parse(line, is_first=number == 1)
        except ValueError as error:
            problems.append(Problem(number, "", str(error)))
            continue
        problems += [replace(problem, line=number) for problem in _record_problems(record, rules)]
        identifier = record.get("id")
        if isinstance(identifier, str) and line_by_id.setdefault(identifier, number) != number:
            reason = f'"{identifier}" stands in line {line_by_id[identifier]} too; ids must be unique'
            problems.append(Problem(number, "id", reason))
        if (task := _task(record)) is not None:
            tasks[number] = task
    return problems, tasks


def _problem_of_whole_file(content: bytes) -> Problem | None:
    if not content.strip():
        return Problem(0, "", "holds no seed task; give one JSON object a line")
    if content.strip().count(b"\n") == 0 and not content.lstrip().startswith(b"["):
        return None
    try:
        json.loads(content)
    except ValueError:
        return None  # what JSON Lines of several lines is, taken as one document
    return Problem(0, "", "is one JSON document, not JSON Lines; write each task as one object on one line")


def _line_ending_problems(lines: list[bytes]) -> Iterator[Problem]:
    if lines[0].startswith(b"\xef\xbb\xbf"):
        reason = "starts with a byte-order mark; save the file as UTF-8 without BOM"
        yield Problem(1, "", reason, is_warning=True)
    with_return = [number for number, line in enumerate(lines, start=1) if line.endswith(b"\r")]
    if with_return:
        reason = f"{_count(len(with_return), 'line')} from here on end in CRLF; save with Unix line ends"
        yield Problem(with_return[0], "", reason, is_warning=True)
    if lines[-1].strip():
        reason = "the last line has no line end; it may have been cut off"
        yield Problem(len(lines), "", reason, is_warning=True)


def _parse(line: bytes, is_first: bool) -> dict[str, Any]:
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


def _record_problems(record: dict[str, Any], rules: FilterRules) -> Iterator[Problem]:
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


def _task(record: dict[str, Any]) -> SeedTask | None:
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


def _compare(
    tasks: dict[int, SeedTask], config: CheckSeedsConfig
) -> tuple[list[Problem], SimilarPair | None]:
    tokenize = rouge.tokenize_unicode if config.tokenizer == "unicode" else rouge.tokenize_english
    pool = rouge.EncodedPool(tokenize)
    lines: list[int] = []
    line_by_text: dict[str, int] = {}
    problems: list[Problem] = []
    most_similar: SimilarPair | None = None
    for line, task in tasks.items():
        folded = " ".join(task.instruction.split())
        same = line_by_text.setdefault(folded, line)
        if same != line:
            pair = SimilarPair(1.0, line, same)
            reason = f"is that of line {same} again; put both instances into one task or delete one"
            problems.append(Problem(line, "instruction", reason))
        elif lines:
            scores = pool.rouge_l(folded)
            nearest = int(scores.argmax())
            pair = SimilarPair(float(scores[nearest]), line, lines[nearest])
            if pair.score > config.max_similarity:
                excerpt = _excerpt(tasks[pair.other_line].instruction)
                reason = (
                    f"is too similar to line {pair.other_line} ({excerpt}): ROUGE-L {pair.score:.2f}, "
                    f"max_similarity is {config.max_similarity}; change or delete one"
                )
                problems.append(Problem(line, "instruction", reason))
        if lines and (most_similar is None or pair.score > most_similar.score):
            most_similar = pair
        pool.append(folded)
        lines.append(line)
    return problems, most_similar


def spread(findings: Findings, name: str) -> list[str]:
    """Lines that show how varied the tasks are: counts, first words, lengths, forms of the outputs."""
    tasks = list(findings.tasks.values())
    instances = [instance for task in tasks for instance in task.instances]
    classification = sum(task.is_classification for task in tasks)
    inputs = [instance.input for instance in instances if instance.input]
    without_input = len(instances) - len(inputs)
    first_words = Counter(_first_word(task.instruction) for task in tasks)
    forms = Counter(output_form(instance.output) for instance in instances)
    lengths = [len(task.instruction.split()) for task in tasks]
    lines = [
        f"{name}: {_count(len(tasks), 'task')}, {_count(len(instances), 'instance')}",
        "",
        f"  classification tasks      {_share(classification, len(tasks))}",
        f"  instances without input   {_share(without_input, len(instances))}",
        f"  different first words     {_share(len(first_words), len(tasks))}",
        f"  most frequent             {_listing(first_words.most_common(6))}",
        "",
        "  words                     min  median    mean     max",
        _length_row("instruction", lengths),
        _length_row("input, if any", [len(text.split()) for text in inputs]),
        _length_row("output", [len(instance.output.split()) for instance in instances]),
        "",
        "  instructions by words",
        *_histogram(lengths, (5, 10, 15, 20, 25, 30, 40, 60)),
        "",
        f"  forms of the outputs      {_listing(forms.most_common())}",
    ]
    if findings.most_similar is not None:
        pair = findings.most_similar
        lines += ["", f"  most similar pair         ROUGE-L {pair.score:.3f}"]
        lines += [
            f"    line {line:<4} {_excerpt(findings.tasks[line].instruction, 76)}"
            for line in (pair.other_line, pair.line)
        ]
    return lines


_CODE_LINE = re.compile(r"^(def |class |import |from \w+ import |function |SELECT |#include)", re.MULTILINE)
_LIST_LINE = re.compile(r"\s*([-*•]|\d+[.)])\s")


def output_form(output: str) -> str:
    """What kind of text an output is, judged by its looks; the first kind that fits."""
    text = output.strip()
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return "empty"
    if text[0] in "[{" and _is_json(text):
        return "JSON"
    if "```" in text or _CODE_LINE.search(text):
        return "code"
    if sum(line.lstrip().startswith("|") for line in lines) >= 3:
        return "table"
    if len(text.split()) == 1:
        return "single word"
    if len(lines) > 1 and sum(_LIST_LINE.match(line) is not None for line in lines) * 2 >= len(lines):
        return "list"
    if re.match(r"(Subject:|Dear |Hello )", text):
        return "letter"
    return "one line" if len(lines) == 1 else "several lines"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _first_word(instruction: str) -> str:
    return instruction.split()[0].strip(".,;:!?'\"()").casefold()


def _length_row(label: str, lengths: list[int]) -> str:
    if not lengths:
        return f"  {label:<22}      -       -       -       -"
    numbers = f"{min(lengths):>7} {median(lengths):>7.0f} {fmean(lengths):>7.1f} {max(lengths):>7}"
    return f"  {label:<22}{numbers}"


def _histogram(lengths: list[int], limits: Iterable[int]) -> Iterator[str]:
    low = 1
    for limit in [*limits, None]:
        count = sum(low <= length and (limit is None or length <= limit) for length in lengths)
        label = f"{low}-{limit}" if limit is not None else f"{low} or more"
        # A bar of at most 40 characters, whatever the size of the file; a bucket that holds something shows.
        bar = "#" * -(-count * 40 // max(1, len(lengths)))
        yield f"    {label:<12} {count:>5}  {bar}".rstrip()
        low = (limit or low) + 1


def _share(count: int, total: int) -> str:
    return f"{count} ({100 * count / max(1, total):.0f} %)"


def _listing(counts: list[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts)


def _excerpt(text: str, width: int = 50) -> str:
    folded = " ".join(text.split())
    return f'"{folded}"' if len(folded) <= width else f'"{folded[: width - 3].rstrip()}..."'


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


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
