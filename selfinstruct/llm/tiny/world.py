"""The little world: its tasks, how each is asked, and what is right.

A task is an operation on a word type (`reverse` on `animal`). The combinations in HELD_OUT appear in no
training text: they make the benchmark. Everything random comes from a generator the caller hands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from selfinstruct.llm.tiny.holdout import too_close_to_a_definition
from selfinstruct.llm.tiny.operations import (
    LIST_OPERATIONS,
    NUMBER_OPERATIONS,
    OPEN_OPERATIONS,
    WORD_OPERATIONS,
    Operation,
)
from selfinstruct.llm.tiny.sentence_operations import SENTENCE_OPERATIONS
from selfinstruct.llm.tiny.wording import read_wording, write_wording

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        *LIST_OPERATIONS,
        *WORD_OPERATIONS,
        *NUMBER_OPERATIONS,
        *OPEN_OPERATIONS,
        *SENTENCE_OPERATIONS,
    )
}

HELD_OUT: dict[str, tuple[str, ...]] = {
    "entail": ("fruit", "vehicle"),
    "contradict": ("tool",),
    "title": ("garment", "worker"),
    "title_place": ("animal",),
    "pronoun": ("flower", "drink"),
    "it": ("instrument",),
    "answer_who": ("animal", "city"),
    "answer_where": ("garment",),
    "to_question": ("drink",),
    "resolve": ("vehicle",),
    "who_question": ("fruit",),
    "record": ("flower", "tool"),
    "triple": ("city",),
    "analogy_plural": ("instrument", "worker"),
    "analogy_kind": ("garment",),
    "cause_effect": ("drink", "instrument"),
    "find_cause": ("fruit",),
    "act": ("worker", "city"),
    "reply": ("flower",),
    "tag_sentence": ("vehicle",),
    "tag_list": ("drink",),
    "tag_pair": ("animal",),
    "shared_list": ("city",),
    "shared_sentence": ("garment",),
    "agreement": ("animal",),
    "doubled": ("worker",),
    "article": ("flower",),
    "reverse": ("animal",),
    "last": ("fruit",),
    "drop_first": ("tool",),
    "join": ("vehicle",),
}


@dataclass(frozen=True)
class Task:
    """An operation on a word type; `word_type` is `a+b` for tasks that choose between two, empty for none."""

    operation: str
    word_type: str
    category: str
    labels: tuple[str, ...]
    needs_input: bool
    held_out: bool

    @property
    def name(self) -> str:
        return "_".join(filter(None, (self.operation, self.word_type.replace("+", "_or_"))))

    @property
    def is_classification(self) -> bool:
        return bool(self.labels)


TASKS: tuple[Task, ...] = tuple(
    Task(
        operation.name,
        word_type,
        operation.category,
        operation.labels_of(word_type),
        operation.accepts is None,
        word_type in HELD_OUT.get(operation.name, ()),
    )
    for operation in OPERATIONS.values()
    for word_type in operation.types
)
TRAINING_TASKS: tuple[Task, ...] = tuple(task for task in TASKS if not task.held_out)
_TASK_OF: dict[tuple[str, str], Task] = {(task.operation, task.word_type): task for task in TASKS}
_LABELS_OF = {key: task.labels for key, task in _TASK_OF.items()}


def find_task(operation: str, word_type: str) -> Task:
    """The task of an operation on a word type."""
    return _TASK_OF[operation, word_type]


def write_instruction(task: Task, rng: Random) -> str:
    """One of very many wordings of the task, none close to a definition of the benchmark."""
    while True:
        instruction = write_wording(task.operation, task.word_type, task.labels, rng)
        if not too_close_to_a_definition(instruction):
            return instruction


def write_instance(task: Task, rng: Random, label: str | None = None) -> tuple[str, str]:
    """A random (input, right output); for classification tasks with the label asked for, if any."""
    operation = OPERATIONS[task.operation]
    if not task.needs_input:
        return "", operation.draw(task.word_type, rng)
    while True:
        text = operation.draw(task.word_type, rng)
        answer = operation.solve(task.word_type, text)
        if answer is not None and (label is None or answer == label):
            return text, answer


def solve(task: Task, text: str) -> str | None:
    """The right output for an input; None when it is no input of the task, or many outputs are right."""
    return OPERATIONS[task.operation].solve(task.word_type, text) if task.needs_input else None


def is_correct(task: Task, text: str, output: str) -> bool:
    """Is this a right output for the input?"""
    accepts = OPERATIONS[task.operation].accepts
    if accepts is not None:
        return not text and accepts(task.word_type, output)
    return solve(task, text) == output


def recognise(instruction: str) -> Task | None:
    """The task an instruction asks for, or None when it is no wording of the world."""
    found = read_wording(instruction, _LABELS_OF)
    return _TASK_OF[found] if found else None
