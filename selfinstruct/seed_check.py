"""Checks a file of seed tasks, all problems at once, and describes how varied the tasks are.

Command: `python scripts/check_seeds.py seeds=my_seeds.jsonl`.

An error is what generation would refuse or drop, or what teaches a model something wrong; a warning is what
the project copes with, or what only a person can judge.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selfinstruct import rouge
from selfinstruct.errors import UserError
from selfinstruct.filters import FilterRules
from selfinstruct.seed_records import Problem, parse_line, readable_task, record_problems
from selfinstruct.seed_spread import Findings, SimilarPair, counted, excerpt, spread
from selfinstruct.tasks import SeedTask

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
        raise UserError(f"{config.seeds}: {counted(len(errors), 'problem')} to mend\n{listed}")
    print(f"\nNo errors, {counted(len(warnings), 'warning')}.")


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
        few = f"holds {counted(len(tasks), 'task')}; a request shows {SHOWN_PER_REQUEST} (the paper has 175)"
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
            record = parse_line(line, is_first=number == 1)
        except ValueError as error:
            problems.append(Problem(number, "", str(error)))
            continue
        problems += [replace(problem, line=number) for problem in record_problems(record, rules)]
        identifier = record.get("id")
        if isinstance(identifier, str) and line_by_id.setdefault(identifier, number) != number:
            reason = f'"{identifier}" stands in line {line_by_id[identifier]} too; ids must be unique'
            problems.append(Problem(number, "id", reason))
        if (task := readable_task(record)) is not None:
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
        reason = f"{counted(len(with_return), 'line')} from here on end in CRLF; save with Unix line ends"
        yield Problem(with_return[0], "", reason, is_warning=True)
    if lines[-1].strip():
        reason = "the last line has no line end; it may have been cut off"
        yield Problem(len(lines), "", reason, is_warning=True)


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
                other = excerpt(tasks[pair.other_line].instruction)
                reason = (
                    f"is too similar to line {pair.other_line} ({other}): ROUGE-L {pair.score:.2f}, "
                    f"max_similarity is {config.max_similarity}; change or delete one"
                )
                problems.append(Problem(line, "instruction", reason))
        if lines and (most_similar is None or pair.score > most_similar.score):
            most_similar = pair
        pool.append(folded)
        lines.append(line)
    return problems, most_similar
