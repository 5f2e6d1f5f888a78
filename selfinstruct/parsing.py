"""From a model's answer to records: every piece is kept or dropped for a reason (paper, section 2.2)."""

import random
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from selfinstruct.filters import FilterRules, first_reason
from selfinstruct.markdown_answers import plain_list, plain_markers
from selfinstruct.markers import ENGLISH, Markers
from selfinstruct.rouge import is_unspaced
from selfinstruct.tasks import Instance

STOPPED_FOR_LENGTH = "length"

_NEXT_INSTRUCTION = re.compile(r"\n\d+\s?\. ")


@dataclass(frozen=True)
class ParsingRules:
    """Where this project mends the released code, from answers to training text; each switch on is mended,
    off is as released."""

    markers: Markers = ENGLISH
    """The labels to look for: those of the prompts. Released: the English ones."""

    keep_case: bool = True
    """Released: an instruction is lower-cased but for its first letter (USA becomes usa)."""

    keep_finished_instructions: bool = True
    """Of an answer that stopped for length only its last instruction is dropped. Released: all of them."""

    skip_repeated_number: bool = True
    """An answer that repeats the list number it was to continue (chat models do) loses that number and what
    stands before it. Released: both become part of the first instruction."""

    read_markdown: bool = True
    """`10)`, `**10.**` and an indented `10.` count as the list's next number where it is due, and
    `**Output:**`, `**Class label:**`, `### Example 1` as the markers they hold (chat models write so).
    Released: what is so written becomes part of the text before it, or of an output."""

    spare_harmless_phrases: bool = True
    """The filters' `harmless_phrases` ('draw a conclusion') are not taken for their keywords. Released: they
    are."""

    accept_any_yes: bool = True
    """'Yes.', 'yes, it is' count as yes. Released: 'Yes', 'yes' and 'YES' alone."""

    example_marks_lines: bool = True
    """'Example' separates instances only as a line of its own or a numbered line start. Released: anywhere,
    so that a sentence with the word is cut in two."""

    drop_text_before_examples: bool = True
    """What stands before the first 'Example' and holds no 'Output:' is no instance (chat models say there
    what they are about to do). Released: it is one, all output."""

    class_label_starts_lines: bool = True
    """'Class label:' separates instances only at the start of a line. Released: anywhere."""

    drop_only_conflicting_inputs: bool = True
    """An input with two different outputs loses its own instances. Released: the task loses all."""

    keep_instance_order: bool = True
    """Instances drawn from a task stay in the answer's order. Released: in the order of the draw."""

    keep_words_before_colons: bool = True
    """The second form of an input loses only a field name that opens it. Released: all up to its first colon
    where just one word stands before colons (`See https://a.b` becomes `//a.b`)."""

    leave_out_end_marker: bool = True
    """Training text ends where the output ends. Released: with the literal `<|endoftext|>`."""

    @classmethod
    def fixed(cls) -> "ParsingRules":
        """The rules of `fidelity=fixed`."""
        return cls()

    @classmethod
    def released(cls) -> "ParsingRules":
        """The rules of `fidelity=released`: the released code's decisions on the same answers."""
        return cls(
            keep_case=False,
            keep_finished_instructions=False,
            skip_repeated_number=False,
            read_markdown=False,
            spare_harmless_phrases=False,
            accept_any_yes=False,
            example_marks_lines=False,
            drop_text_before_examples=False,
            class_label_starts_lines=False,
            drop_only_conflicting_inputs=False,
            keep_instance_order=False,
            keep_words_before_colons=False,
            leave_out_end_marker=False,
        )


@dataclass(frozen=True)
class Candidate:
    """One instruction of an answer as it would be stored; `reason` is why it is dropped, None if kept."""

    text: str
    reason: str | None


@dataclass(frozen=True)
class Dropped:
    """A piece of an answer that gave no instance, and why."""

    text: str
    reason: str


def parse_instructions(
    text: str,
    finish_reason: str | None,
    rules: ParsingRules,
    filters: FilterRules | None = None,
    first_number: int = 9,
) -> list[Candidate]:
    """Split an answer to the instruction prompt into instructions, each kept or dropped, in order.

    Args:
        text: the answer, which continues a numbered list.
        finish_reason: "length" if it was cut off; anything else, None included, counts as finished.
        filters: the rules on an instruction's text; without them nothing is dropped by its text.
        first_number: the number the prompt ended with (the paper shows 8 tasks, then '9.').
    """
    if filters is not None and not rules.spare_harmless_phrases:
        filters = replace(filters, harmless_phrases=())
    stopped_for_length = finish_reason == STOPPED_FOR_LENGTH
    candidates = []
    if rules.read_markdown:
        text = plain_list(text, first_number)
    if rules.skip_repeated_number:
        preamble, text = _split_repeated_number(text, first_number)
        if preamble:
            candidates.append(Candidate(preamble, "before_the_list"))
    pieces = _NEXT_INSTRUCTION.split(text)
    for position, piece in enumerate(pieces):
        instruction = " ".join(piece.split())
        if not rules.keep_case:
            instruction = instruction.capitalize()
        if stopped_for_length and not rules.keep_finished_instructions:
            reason: str | None = "answer_stopped_for_length"
        elif stopped_for_length and position == len(pieces) - 1:
            reason = "unfinished_instruction"
        else:
            reason = first_reason(instruction, filters) if filters else None
        candidates.append(Candidate(instruction, reason))
    return candidates


def parse_classification(text: str, rules: ParsingRules) -> bool:
    """Whether an answer to 'Is it classification?' says yes; anything that does not say so is a no.

    'Yes' is the word of the rules' markers.
    """
    yes = rules.markers.yes
    if rules.accept_any_yes:
        return _patterns(rules.markers).yes.match(text) is not None
    return text.strip() in (yes, yes.lower(), yes.upper())


def parse_instances(
    text: str, finish_reason: str | None, is_classification: bool, rules: ParsingRules
) -> tuple[list[Instance], list[Dropped]]:
    """Split an answer to an instance prompt into instances, and the pieces that are dropped with reasons.

    Args:
        finish_reason: "length" if it was cut off; anything else, None included, counts as finished.
        is_classification: whether the output-first prompt was used ('Class label:' before each input).
    """
    if rules.read_markdown:
        text = plain_markers(text, rules.markers)
    split = _classification_pieces if is_classification else _generation_pieces
    pieces = split(text, rules)
    if not pieces:
        return [], [Dropped(text, "no_instance")]
    dropped = []
    if rules.drop_text_before_examples and not is_classification and _is_preamble(pieces[0][0], text, rules):
        dropped.append(Dropped(pieces.pop(0)[0], "before_the_examples"))
    if finish_reason == STOPPED_FOR_LENGTH and pieces:
        dropped.append(Dropped(pieces.pop()[0], "unfinished_instance"))
    # The released order: an invalid instance can neither conflict with another nor be its duplicate.
    valid = []
    for piece, instance in pieces:
        if (reason := _invalid(instance)) is None:
            valid.append((piece, instance))
        else:
            dropped.append(Dropped(piece, reason))
    conflicting = _conflicting_inputs(instance for _, instance in valid)
    instances: list[Instance] = []
    for piece, instance in valid:
        if instance.input in conflicting or (conflicting and not rules.drop_only_conflicting_inputs):
            dropped.append(Dropped(piece, "same_input_different_output"))
        elif instance in instances:
            dropped.append(Dropped(piece, "duplicate_instance"))
        else:
            instances.append(instance)
    return instances, dropped


def select_instances(
    instances: list[Instance], max_per_task: int, rng: random.Random, rules: ParsingRules
) -> list[Instance]:
    """Draw at most `max_per_task` of a task's instances (5 in the paper)."""
    drawn = rng.sample(range(len(instances)), min(max_per_task, len(instances)))
    if rules.keep_instance_order:
        drawn.sort()
    return [instances[position] for position in drawn]


def _split_repeated_number(text: str, first_number: int) -> tuple[str, str]:
    number = re.compile(rf"\A\s*\d+\s?\. |^[ \t]*{first_number}\s?\. ", re.MULTILINE)
    if not (found := number.search(text)):
        return "", text
    return " ".join(text[: found.start()].split()), text[found.end() :]


def _generation_pieces(text: str, rules: ParsingRules) -> list[tuple[str, Instance]]:
    text = text.strip()
    patterns = _patterns(rules.markers)
    example = patterns.example_line if rules.example_marks_lines else patterns.example_anywhere
    if example.search(text):
        pieces = [piece.strip() for piece in example.split(text) if piece.strip()]
    elif patterns.output.search(text):
        pieces = [text]
    else:
        pieces = []
    return [(piece, _input_and_output(piece, patterns)) for piece in pieces]


def _is_preamble(first_piece: str, text: str, rules: ParsingRules) -> bool:
    """Whether the first piece stands before the first example, and is none itself."""
    patterns = _patterns(rules.markers)
    example = patterns.example_line if rules.example_marks_lines else patterns.example_anywhere
    found = example.search(text.strip())
    return found is not None and found.start() > 0 and not patterns.output.search(first_piece)


def _input_and_output(piece: str, patterns: "_Patterns") -> Instance:
    before, *after = patterns.output.split(piece)
    # What stands behind a second output marker is lost, as released.
    task_input, output = (before, after[0]) if after else ("", before)
    output = patterns.input.split(output.strip())[0]
    task_input = task_input.strip()
    if leading := patterns.input.match(task_input):
        task_input = task_input[leading.end() :]
    return Instance(task_input.strip(), output.strip())


def _classification_pieces(text: str, rules: ParsingRules) -> list[tuple[str, Instance]]:
    patterns = _patterns(rules.markers)
    starts_lines = rules.class_label_starts_lines
    class_label = patterns.class_label_line if starts_lines else patterns.class_label_anywhere
    pieces = []
    for piece in class_label.split(text)[1:]:
        label, _, task_input = piece.strip().partition("\n")
        pieces.append((piece.strip(), Instance(task_input.strip(), label.strip())))
    return pieces


def _invalid(instance: Instance) -> str | None:
    if not instance.output:
        return "empty_output"
    if instance.input == instance.output:
        return "input_equals_output"
    if instance.input.endswith(":") or instance.output.endswith(":"):
        return "ends_with_a_colon"
    return None


def _conflicting_inputs(instances: Iterable[Instance]) -> set[str]:
    outputs_of = defaultdict(set)
    for instance in instances:
        if instance.input:
            outputs_of[instance.input].add(instance.output)
    return {task_input for task_input, outputs in outputs_of.items() if len(outputs) > 1}


@dataclass(frozen=True)
class _Patterns:
    """What finds the markers of one language."""

    output: re.Pattern[str]
    input: re.Pattern[str]
    example_anywhere: re.Pattern[str]
    example_line: re.Pattern[str]
    class_label_anywhere: re.Pattern[str]
    class_label_line: re.Pattern[str]
    yes: re.Pattern[str]


@lru_cache
def _patterns(markers: Markers) -> _Patterns:
    example, class_label = re.escape(markers.example), re.escape(markers.class_label)
    # A script without spaces has no word edges to ask for.
    word_end = "" if is_unspaced(markers.yes[-1]) else r"\b"
    return _Patterns(
        output=re.compile(rf"{re.escape(markers.output)}\s*\d*\s*:"),
        input=re.compile(rf"{re.escape(markers.input)}\s*\d*\s*:"),
        example_anywhere=re.compile(rf"{example}\s?\d*\.?"),
        # A line that starts with 'Example 2.' (or : or ')'), or is nothing but 'Example' or 'Example 2'.
        example_line=re.compile(
            rf"^[ \t]*{example}(?:[ \t]?\d+[ \t]*(?:[.:)](?!\d)|$)|[ \t]*[.:]?[ \t]*$)", re.MULTILINE
        ),
        class_label_anywhere=re.compile(rf"{class_label}:"),
        class_label_line=re.compile(rf"^[ \t]*{class_label}:", re.MULTILINE),
        yes=re.compile(rf"\W*{re.escape(markers.yes)}{word_end}", re.IGNORECASE),
    )
