"""The training text of the embedded model: task lists, few-shot prompts, exercise sheets, and plain text.

Document `index` of a seed is always the same. A task is answered in few-shot documents only. Where it stands
alone, as finetuning and evaluation show it, it stands on an exercise sheet, which leaves the answers to the
reader: following a bare instruction is what the model must learn from its own data, as GPT-3 had to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from selfinstruct.llm.tiny import words
from selfinstruct.llm.tiny.benchmark import benchmark_pairs
from selfinstruct.llm.tiny.world import TRAINING_TASKS, Task, write_instance, write_instruction

INSTRUCTIONS_HEADING = "Come up with a series of varied tasks:"
CLASSIFICATION_LIST_HEADING = (
    "Come up with a series of classification tasks. Name the possible labels in each task:"
)
CLASSIFICATION_HEADING = "Decide for each task whether its answer is one label out of a small fixed set."
CLASSIFICATION_QUESTION = "Is it classification?"
INPUT_FIRST_HEADING = (
    "Write examples for each task. Give an input where the task needs one, then the right output."
)
OUTPUT_FIRST_HEADING = "For each classification task write every label, and an input that has this label."

CLASSIFICATION_TASKS: tuple[Task, ...] = tuple(task for task in TRAINING_TASKS if task.is_classification)
_BY_OPERATION: dict[str, list[Task]] = {}
for _task in TRAINING_TASKS:
    _BY_OPERATION.setdefault(_task.operation, []).append(_task)
_OPERATIONS = tuple(_BY_OPERATION)


@dataclass
class Document:
    """A text, and the character spans in it that are answers (they weigh more in training)."""

    kind: str
    text: str = ""
    answers: list[tuple[int, int]] = field(default_factory=list)

    def add(self, text: str, answer: bool = False) -> None:
        if answer:
            self.answers.append((len(self.text), len(self.text) + len(text)))
        self.text += text


def draw_task(rng: Random) -> Task:
    """A random task; half the time the operation is drawn first, for those that have few word types."""
    if rng.random() < 0.5:
        return rng.choice(TRAINING_TASKS)
    return rng.choice(_BY_OPERATION[rng.choice(_OPERATIONS)])


def draw_instance(task: Task, rng: Random, label: str | None = None) -> tuple[str, str]:
    """A random (input, right output) that is not in the benchmark, which asks other tasks the same inputs."""
    while (instance := write_instance(task, rng, label)) in benchmark_pairs():
        pass
    return instance


def _write_task_list(rng: Random) -> Document:
    document = Document("task_list")
    heading, draw = INSTRUCTIONS_HEADING, draw_task
    if rng.random() < 0.15:
        heading, draw = CLASSIFICATION_LIST_HEADING, lambda rng: rng.choice(CLASSIFICATION_TASKS)
    document.add(heading)
    used: set[Task] = set()
    for number in range(1, 17):
        task = draw(rng)
        while task in used:
            task = draw(rng)
        used.add(task)
        document.add(f"\n{number}. {write_instruction(task, rng)}")
    document.add("\n\n")
    return document


def _write_classification(rng: Random) -> Document:
    document = Document("classification")
    document.add(CLASSIFICATION_HEADING + "\n\n")
    for _ in range(12):
        task = rng.choice(CLASSIFICATION_TASKS) if rng.random() < 0.45 else draw_task(rng)
        document.add(f"Task: {write_instruction(task, rng)}\n{CLASSIFICATION_QUESTION}")
        document.add(" Yes\n\n" if task.is_classification else " No\n\n", answer=True)
    return document


def add_input_first(document: Document, instruction: str, examples: list[tuple[str, str]]) -> None:
    """`Task: ...` and its examples, as the prompt for instances shows them."""
    document.add(f"Task: {instruction}\n")
    for number, (text, output) in enumerate(examples, start=1):
        if text:
            document.add(f"Example {number}\nInput: {text}\n")
        document.add("Output:")
        document.add(f" {output}\n\n", answer=True)


def _write_input_first(rng: Random) -> Document:
    document = Document("input_first")
    document.add(INPUT_FIRST_HEADING + "\n\n")
    while len(document.text) < 1500:
        task = draw_task(rng)
        examples: dict[str, str] = {}
        for _ in range(rng.choice((1, 1, 2, 2, 3, 5)) if task.needs_input else 1):
            text, output = draw_instance(task, rng)
            examples[text] = output
        add_input_first(document, write_instruction(task, rng), list(examples.items()))
    return document


def add_output_first(document: Document, instruction: str, examples: list[tuple[str, str]]) -> None:
    """`Task: ...` and an input for every label, as the prompt for classification instances shows them."""
    document.add(f"Task: {instruction}\n")
    for label, text in examples:
        document.add("Class label:")
        document.add(f" {label}\n{text}\n", answer=True)
    document.add("\n")


def write_labelled(task: Task, rng: Random) -> list[tuple[str, str]]:
    """(label, input) for every label of the task, in random order."""
    labels = list(task.labels)
    rng.shuffle(labels)
    return [(label, draw_instance(task, rng, label)[0]) for label in labels]


def _write_output_first(rng: Random) -> Document:
    document = Document("output_first")
    document.add(OUTPUT_FIRST_HEADING + "\n\n")
    while len(document.text) < 1500:
        task = rng.choice(CLASSIFICATION_TASKS)
        add_output_first(document, write_instruction(task, rng), write_labelled(task, rng))
    return document


BLANKS = ("________", "...", "[your answer]")
# What stands between an instruction and its inputs, before an input, and after it; {blank} stays empty.
_SHEET_FORMS = (
    ("\n\n", "Input: ", "\nOutput: {blank}\n\n"),
    ("\n", "Input: ", "\nOutput: {blank}\n"),
    ("\n\n", "Input: ", "\n\nOutput: {blank}\n\n"),
    ("\n\n", "", "\n\nOutput: {blank}\n\n"),
    ("\n\n", "", "\n\n"),
    ("\n", "", "\n"),
    ("\n\n", "Input: ", "\n"),
)
_SHEET_FORMS_WITHOUT_INPUT = (
    " Output: {blank}\n",
    "\nOutput: {blank}\n\n",
    "\n\nOutput: {blank}\n\n",
    "\n\n",
)


def _write_exercise_sheet(rng: Random) -> Document:
    """Tasks with inputs, and blanks where the reader is to write: a bare instruction brings no answer."""
    document = Document("exercise_sheet")
    before_inputs, before_input, after_input = rng.choice(_SHEET_FORMS)
    without_input = rng.choice(_SHEET_FORMS_WITHOUT_INPUT)
    blank, label = rng.choice(BLANKS), rng.choice(("", "", "Task: "))
    while len(document.text) < 1200:
        task = draw_task(rng)
        document.add(f"{label}{write_instruction(task, rng)}")
        if not task.needs_input:
            document.add(without_input.format(blank=blank))
            continue
        document.add(before_inputs)
        for _ in range(rng.choice((1, 2, 3, 4))):
            document.add(before_input + draw_instance(task, rng)[0] + after_input.format(blank=blank))
        if not document.text.endswith("\n\n"):
            document.add("\n")
    return document


def _say_something(rng: Random) -> str:
    word_type = rng.choice(words.TYPES)
    fact = words.draw_fact(word_type, rng)
    word = fact.word
    kind = rng.randrange(7)
    if kind == 0:
        return f"{word[0].upper()}{word[1:]} is a word for {words.a(word_type)}."
    if kind == 1 and word in words.PLURAL_OF:
        return f"One {word}, many {words.PLURAL_OF[word]}."
    if kind == 2:
        left = rng.choice(list(words.OPPOSITE_OF))
        return f"The opposite of {left} is {words.OPPOSITE_OF[left]}."
    if kind == 3:
        base = rng.choice(list(words.PAST_OF))
        return f"The past of {base} is {words.PAST_OF[base]}."
    if kind == 4:
        low = rng.randint(1, 29)
        return f"After {low} comes {low + 1}."
    return rng.choice(
        (fact.says(), fact.said(), fact.denies(), f"{fact.name} is {words.STATE_OF[word_type]}.")
    )


def _write_running_text(rng: Random) -> Document:
    document = Document("running_text")
    for _ in range(rng.randint(15, 40)):
        document.add(_say_something(rng) + ("\n\n" if rng.random() < 0.1 else " "))
    return document


_SINGLE_WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *words.TYPE_OF,
            *words.NAMES,
            *words.PLURAL_OF.values(),
            *words.PLACES,
            *words.OPPOSITE_OF,
            *words.PAST_OF,
            *words.PAST_OF.values(),
            *words.TYPES,
            *map(str, range(31)),
            "the",
            *(label for task in CLASSIFICATION_TASKS for label in task.labels),
        ]
    )
)


def _write_repetition(rng: Random) -> Document:
    """The same random words again and again: copying is the first thing a small model must learn.

    Rows and columns, since a word at the start of a line is another token than one behind a blank.
    """
    document = Document("repetition")
    for _ in range(4):
        chosen = rng.sample(_SINGLE_WORDS, rng.randint(3, 10))
        forms = [rng.choice((" ", "\n", ", ")).join(chosen) for _ in range(rng.randint(2, 4))]
        document.add("\n\n".join(forms) + "\n\n")
    return document


SHARE_OF_EXERCISE_SHEETS = 0.06
# Shares of the documents, after a prototype; instances are what the model is for.
SHARES: tuple[tuple[Callable[[Random], Document], float], ...] = (
    (_write_task_list, 0.16),
    (_write_classification, 0.07),
    (_write_input_first, 0.50),
    (_write_output_first, 0.11),
    (_write_exercise_sheet, SHARE_OF_EXERCISE_SHEETS),
    (_write_running_text, 0.06),
    (_write_repetition, 0.04),
)


def write_document(seed: int, index: int) -> Document:
    """Document `index` of the training text."""
    rng = Random(f"{seed}:document:{index}")
    kinds, shares = zip(*SHARES, strict=True)
    return rng.choices(kinds, shares)[0](rng)
