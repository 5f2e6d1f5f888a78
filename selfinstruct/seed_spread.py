"""How varied a file of seed tasks is: counts, first words, lengths, forms of the outputs.

Command: `python scripts/check_seeds.py seeds=my_seeds.jsonl`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import fmean, median

from selfinstruct.seed_records import Problem
from selfinstruct.tasks import SeedTask


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
        f"{name}: {counted(len(tasks), 'task')}, {counted(len(instances), 'instance')}",
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
            f"    line {line:<4} {excerpt(findings.tasks[line].instruction, 76)}"
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


def excerpt(text: str, width: int = 50) -> str:
    """The text on one line in quotes, cut to a width in characters."""
    folded = " ".join(text.split())
    return f'"{folded}"' if len(folded) <= width else f'"{folded[: width - 3].rstrip()}..."'


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural where it is one."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
