"""The four few-shot prompts: from a configs/prompts file to text that fits a model (paper, section 2.2)."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from selfinstruct.errors import UserError
from selfinstruct.markers import ENGLISH, Markers
from selfinstruct.tasks import Instance
from selfinstruct.yaml_nodes import Node

T = TypeVar("T")


class PromptTooLong(UserError):
    """A prompt that does not fit its model even without a single demonstration."""


@dataclass(frozen=True)
class InstructionsPrompt:
    """Stage 1: the headings over the numbered list of tasks to continue."""

    heading: str
    classification_heading: str
    chat_suffix: str


@dataclass(frozen=True)
class LabelledTask:
    """A demonstration of stage 2."""

    instruction: str
    is_classification: bool


@dataclass(frozen=True)
class WrittenTask:
    """A demonstration of stage 2 or 3 as it stands in the prompt, from its `Task:` to its last line."""

    text: str


@dataclass(frozen=True)
class ClassificationPrompt:
    """Stage 2: is a task classification? `demonstrations` stand in the order they are shown in."""

    heading: str
    question: str
    chat_suffix: str
    demonstrations: tuple[LabelledTask | WrittenTask, ...]


@dataclass(frozen=True)
class SolvedTask:
    """A demonstration of stage 3; an output is the class label where the prompt is output-first."""

    instruction: str
    examples: tuple[Instance, ...]


@dataclass(frozen=True)
class InstancesPrompt:
    """Stage 3, input-first or output-first; `demonstrations` stand in the order they are shown in."""

    heading: str
    chat_suffix: str
    demonstrations: tuple[SolvedTask | WrittenTask, ...]


@dataclass(frozen=True)
class Prompts:
    """The four prompts, which render to the exact text a model continues.

    In each render function `num_demonstrations` shows only the first so many, None all; so the last are
    dropped first. Demonstrations of two kinds (classification or not; with or without input) are interleaved
    when they are loaded, so that what is left always holds both in about their full proportion. `chat` adds
    the prompt's suffix for models that answer rather than continue.
    """

    instructions: InstructionsPrompt
    classification: ClassificationPrompt
    input_first: InstancesPrompt
    output_first: InstancesPrompt
    markers: Markers = ENGLISH

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any], where: str = "prompts") -> "Prompts":
        """Build the prompts from the content of a configs/prompts file.

        Raises:
            UserError: a key is missing, unknown or of the wrong kind; the message names it after `where`.
        """
        node = Node(settings, where)
        node.only("markers", "stop", "instructions", "classification", "input_first", "output_first")
        if "stop" in settings:  # read by configs/queries; looked at here so that a slip is named
            _check_stop(node.at("stop"))
        return cls(
            _instructions(node.at("instructions")),
            _classification(node.at("classification")),
            _instances(node.at("input_first"), "output"),
            _instances(node.at("output_first"), "label"),
            Markers.of(settings, where),
        )

    def instances(self, is_classification: bool) -> InstancesPrompt:
        """The prompt of stage 3 for a kind of task."""
        return self.output_first if is_classification else self.input_first

    def render_instructions(
        self,
        shown: Sequence[str],
        classification: bool = False,
        chat: bool = False,
        num_demonstrations: int | None = None,
    ) -> str:
        """Stage 1: `shown` tasks as a numbered list that ends with the next number.

        `{first}` in the chat suffix becomes that number.
        """
        prompt = self.instructions
        lines = [prompt.classification_heading if classification else prompt.heading]
        for number, task in enumerate(shown[:num_demonstrations], start=1):
            # Fold first, then drop the colon: the released order (a blank before a colon stays).
            lines.append(f"{number}. {' '.join(task.split()).rstrip(':')}")
        text = "\n".join([*lines, f"{len(lines)}."])
        return text + _suffix(prompt.chat_suffix.replace("{first}", str(len(lines))), chat)

    def render_classification(
        self, instruction: str, chat: bool = False, num_demonstrations: int | None = None
    ) -> str:
        """Stage 2: whether `instruction` is a classification task, to be answered with Yes or No."""
        prompt, markers = self.classification, self.markers
        blocks = [prompt.heading]
        for task in prompt.demonstrations[:num_demonstrations]:
            if isinstance(task, WrittenTask):
                blocks.append(task.text)
                continue
            answer = markers.yes if task.is_classification else markers.no
            blocks.append(f"{markers.task}: {task.instruction}\n{prompt.question} {answer}")
        blocks.append(f"{markers.task}: {instruction.strip()}\n{prompt.question}")
        return "\n\n".join(blocks) + _suffix(prompt.chat_suffix, chat)

    def render_instances(
        self,
        instruction: str,
        is_classification: bool,
        chat: bool = False,
        num_demonstrations: int | None = None,
    ) -> str:
        """Stage 3: instances of `instruction`, output-first for classification tasks, else input-first."""
        prompt = self.instances(is_classification)
        render_examples = _output_first_examples if is_classification else _input_first_examples
        blocks = [prompt.heading]
        for task in prompt.demonstrations[:num_demonstrations]:
            if isinstance(task, WrittenTask):
                blocks.append(task.text)
                continue
            examples = render_examples(task.examples, self.markers)
            blocks.append(f"{self.markers.task}: {task.instruction}\n{examples}")
        blocks.append(f"{self.markers.task}: {instruction.strip()}")
        return "\n\n".join(blocks) + "\n" + _suffix(prompt.chat_suffix, chat).removeprefix("\n")


def fit_to_context(
    render: Callable[[int], str],
    available_tokens: int,
    count_tokens: Callable[[str], int],
    max_demonstrations: int,
    utmost_tokens: int | None = None,
) -> tuple[str, int]:
    """The prompt with the most demonstrations that fits, and their number.

    Counts the full prompt first and halves from there, so a prompt that fits costs one count.

    Args:
        render: the prompt with a given number of demonstrations; more of them must not make it shorter.
        available_tokens: the model's context length less the tokens it may write; sys.maxsize where it is
            not known, and nothing is counted.
        utmost_tokens: what a prompt without demonstrations may have, for a model that then writes less.

    Raises:
        PromptTooLong: it does not fit even with none.
    """
    if available_tokens == sys.maxsize:
        return render(max_demonstrations), max_demonstrations
    best: tuple[str, int] | None = None
    low, high = 0, max_demonstrations
    number = max_demonstrations
    tokens = 0
    while low <= high:
        prompt = render(number)
        tokens = count_tokens(prompt)
        if tokens <= available_tokens:
            best, low = (prompt, number), number + 1
        else:
            high = number - 1
        number = (low + high) // 2
    if best is None and utmost_tokens is not None and tokens <= utmost_tokens:
        best = prompt, 0  # the last one counted
    if best is None:
        raise PromptTooLong(
            f"a prompt of {tokens} tokens without demonstrations does not fit the {available_tokens} that "
            "are left for it; raise llm.context_length, lower the tokens to generate, or shorten the task"
        )
    return best


def _suffix(chat_suffix: str, chat: bool) -> str:
    return f"\n\n{chat_suffix}" if chat else ""


def _input_first_examples(examples: tuple[Instance, ...], markers: Markers) -> str:
    if len(examples) == 1 and not examples[0].input:
        return f"{markers.output}: {examples[0].output}"
    blocks = []
    for number, example in enumerate(examples, start=1):
        task_input = f"{example.input}\n" if example.input else ""
        blocks.append(f"{markers.example} {number}\n{task_input}{markers.output}: {example.output}")
    return "\n\n".join(blocks)


def _output_first_examples(examples: tuple[Instance, ...], markers: Markers) -> str:
    lines = []
    for example in examples:
        lines.append(f"{markers.class_label}: {example.output}")
        if example.input:
            lines.append(example.input)
    return "\n".join(lines)


def _instructions(node: Node) -> InstructionsPrompt:
    node.only("heading", "classification_heading", "chat_suffix")
    return InstructionsPrompt(
        node.text("heading"), node.text("classification_heading"), node.text("chat_suffix")
    )


def _classification(node: Node) -> ClassificationPrompt:
    node.only("heading", "question", "chat_suffix", "demonstrations")
    tasks: list[LabelledTask | WrittenTask] = []
    for task in node.nodes("demonstrations"):
        if task.has("text"):
            tasks.append(_written(task))
            continue
        task.only("instruction", "is_classification")
        tasks.append(LabelledTask(task.text("instruction"), task.flag("is_classification")))
    return ClassificationPrompt(
        node.text("heading"),
        node.text("question"),
        node.text("chat_suffix"),
        _interleave(tasks, lambda task: isinstance(task, WrittenTask) or task.is_classification),
    )


def _instances(node: Node, output_key: str) -> InstancesPrompt:
    node.only("heading", "chat_suffix", "demonstrations")
    tasks: list[SolvedTask | WrittenTask] = []
    for task in node.nodes("demonstrations"):
        if task.has("text"):
            tasks.append(_written(task))
            continue
        task.only("instruction", "examples")
        examples = []
        for example in task.nodes("examples"):
            example.only("input", output_key)
            examples.append(Instance(example.text("input", may_be_empty=True), example.text(output_key)))
        if not examples:
            raise UserError(f"{task.where}.examples: is empty; each demonstration needs at least one")
        tasks.append(SolvedTask(task.text("instruction"), tuple(examples)))
    return InstancesPrompt(
        node.text("heading"),
        node.text("chat_suffix"),
        _interleave(
            tasks,
            lambda task: isinstance(task, WrittenTask) or any(example.input for example in task.examples),
        ),
    )


def _written(node: Node) -> WrittenTask:
    node.only("text")
    return WrittenTask(node.text("text"))


def _check_stop(node: Node) -> None:
    node.only("instructions", "classification", "instances")
    for key in ("instructions", "classification", "instances"):
        node.texts(key)


def _interleave(items: Sequence[T], kind: Callable[[T], bool]) -> tuple[T, ...]:
    """Two kinds spread evenly over each other, each in its own order; the more frequent kind comes first."""
    spread: list[tuple[float, T]] = []
    for wanted in (True, False):
        group = [item for item in items if kind(item) == wanted]
        spread.extend(((position + 0.5) / len(group), item) for position, item in enumerate(group))
    return tuple(item for _, item in sorted(spread, key=lambda placed: placed[0]))
