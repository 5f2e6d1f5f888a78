"""From rows of training data to tokens with the trained ones marked (paper, section 2.3)."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from jinja2 import TemplateError

from finetune.config import TemplateConfig
from finetune.sources import Row
from selfinstruct.encoding import PromptStyle, evaluation_prompt, fill, forms
from selfinstruct.errors import UserError

RELEASED_END = "<|endoftext|>"  # how the released files end a completion; each model has its own end token
IGNORED = -100  # the label of tokens that the loss leaves out
SHORTEST_CUT = 16  # characters; a shorter input may stand in the frame as well ("put" in "Output:")


@dataclass(frozen=True)
class Example:
    """Text to train on; in a chat text the template has written the special tokens itself.

    `input` is the part of the prompt that may be shortened where the whole is too long.
    """

    where: str
    prompt: str
    completion: str
    is_chat: bool = False
    input: str = ""


@dataclass(frozen=True)
class TokenisedExample:
    """Token ids of which the first `num_prompt` are given; the rest, end token included, are trained.

    Of a conversation with several answers what others say between them, from `start` up to `end`, is `given`.
    """

    where: str
    ids: list[int]
    num_prompt: int
    given: list[tuple[int, int]] = field(default_factory=list)

    @property
    def labels(self) -> list[int]:
        """The ids where they are trained, else `IGNORED`."""
        labels = [IGNORED] * self.num_prompt + self.ids[self.num_prompt :]
        for start, end in self.given:
            labels[start:end] = [IGNORED] * (end - start)
        return labels

    @property
    def num_trained(self) -> int:
        """Number of tokens that the loss counts."""
        return len(self.ids) - self.num_prompt - sum(end - start for start, end in self.given)


def render(rows: Iterable[Row], template: TemplateConfig, seed: int, tokenizer: Any) -> Iterator[Example]:
    """Put each row into its text form, by the template.

    `random`: a row's own prompt and completion where it has them (stage 4 has drawn the form already), else
    one of the paper's thirteen forms by `Random(f"{seed}:{index}")`; with `templates_per_example` k > 1 each
    row gives k examples of different forms, its own prompt counting as the first.
    `fixed`: instruction and input in a form of evaluation's (`style`); a row without them as it is written.
    `chat`: everything through the tokenizer's chat template, as one user turn unless it has messages.
    Messages always go through the chat template; each answer of the assistant is an example of its own here
    (`tokenise` joins those that one sequence can hold).

    Raises:
        UserError: a chat template is needed and the tokenizer has none, or it refuses the messages.
    """
    for index, row in enumerate(rows):
        where = row.where
        given = row.input or (row.instance[1].strip() if row.instance else "")
        if template.name == "chat" or (row.pair is None and row.instance is None):
            yield from _chat_examples(where, row.messages or _turns(row), given, tokenizer)
        elif template.name == "fixed" and row.instance:
            style: PromptStyle = "tk-def" if template.style == "tk-def" else "self-instruct"
            prompt = evaluation_prompt(style, *row.instance[:2])
            yield Example(where, prompt, " " + row.instance[2].strip(), input=given)
        else:
            for prompt, completion in _random_forms(row, template.templates_per_example, f"{seed}:{index}"):
                yield Example(where, prompt, completion, input=given)


def _random_forms(row: Row, count: int, stream: str) -> list[tuple[str, str]]:
    given = [(row.pair[0], _without_released_end(row.pair[1]))] if row.pair else []
    if row.instance is None or len(given) >= count:
        return given
    choices = [fill(form, *row.instance) for form in forms(row.instance[1])]
    fresh = [choice for choice in choices if choice not in given]
    drawn = random.Random(stream).sample(fresh, min(count - len(given), len(fresh)))
    return given + [(prompt, _without_released_end(completion)) for prompt, completion in drawn]


def _without_released_end(completion: str) -> str:
    text = completion.rstrip()
    return text.removesuffix(RELEASED_END) if text.endswith(RELEASED_END) else completion


def _turns(row: Row) -> list[dict[str, str]]:
    if row.instance:
        prompt, completion = evaluation_prompt("chat", *row.instance[:2]), row.instance[2]
    else:
        assert row.pair is not None
        prompt, completion = row.pair
    answer = _without_released_end(completion).strip()
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def _chat_examples(
    where: str, messages: list[dict[str, str]], given: str, tokenizer: Any
) -> Iterator[Example]:
    if not tokenizer.chat_template:
        advice = "use template=random or template=fixed, and data without messages"
        raise UserError(f"{where}: needs a chat template, which the model's tokenizer has not; {advice}")
    for position in range(1, len(messages)):
        if messages[position]["role"] == "assistant":
            try:
                yield _chat_example(where, messages[: position + 1], given, tokenizer)
            except (TemplateError, TypeError, ValueError) as error:
                reason = f"the model's chat template refuses these messages ({error})"
                raise UserError(f"{where}: {reason}; bring their roles into the form it knows") from error


def _chat_example(where: str, messages: list[dict[str, str]], given: str, tokenizer: Any) -> Example:
    answer = messages[-1]["content"]
    if not answer.strip():
        return Example(where, "", "", is_chat=True)
    prompt = tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(messages, tokenize=False).rstrip()
    # Some templates open the answer differently when they render it as history; use speaks the prompt's way.
    completion = whole.removeprefix(prompt) if whole.startswith(prompt) else answer
    return Example(where, prompt, completion, is_chat=True, input=given)


def tokenise(
    examples: Iterable[Example], tokenizer: Any, end_token: int, max_length: int
) -> tuple[list[TokenisedExample], dict[str, int]]:
    """Token ids of each example, at most `max_length`, and counts of what was shortened or dropped.

    The prompt's tokens are those of the prompt alone, as in use. The completion's are what the whole text
    adds to them; where the tokenizer would merge across the border, those of the completion by itself.
    A prompt that is too long loses the end of its input and nothing else: where the rest does not fit either,
    or no input is known (rows of prompt and completion alone, messages), the example is dropped. A completion
    is never cut: an example whose completion does not fit is dropped.

    Answers of one conversation become one sequence where the tokens so far are how the next prompt begins.
    """
    first = _tokens_before_text(tokenizer)
    special = {*tokenizer.all_special_ids, *_special_added_tokens(tokenizer)}
    kept: list[TokenisedExample] = []
    counts = Counter(
        prompts_shortened=0,
        dropped_prompt_too_long=0,
        dropped_completion_too_long=0,
        dropped_empty_completion=0,
    )
    counts["answers_joined"] = 0
    for example, prompt, completion in _in_chunks(list(examples), tokenizer):
        if not completion:
            counts["dropped_empty_completion"] += 1
            continue
        ended = completion[-1] == end_token or (example.is_chat and completion[-1] in special)
        completion = completion if ended else [*completion, end_token]
        start = [] if example.is_chat else first
        room = max_length - len(start) - len(completion)
        if room < 1:
            counts["dropped_completion_too_long"] += 1
            continue
        if len(prompt) > room:
            fitting = _shortened(example, room, tokenizer)
            counts["prompts_shortened" if fitting else "dropped_prompt_too_long"] += 1
            if not fitting:
                continue
            prompt = fitting
        tokens = TokenisedExample(example.where, start + prompt + completion, len(start) + len(prompt))
        if example.is_chat and kept and (joined := _joined(kept[-1], tokens)):
            counts["answers_joined"] += 1
            kept[-1] = joined
        else:
            kept.append(tokens)
    counts["examples"] = len(kept)
    counts["tokens"] = sum(len(example.ids) for example in kept)
    counts["trained_tokens"] = sum(example.num_trained for example in kept)
    return kept, dict(sorted(counts.items()))


def _joined(before: TokenisedExample, after: TokenisedExample) -> TokenisedExample | None:
    """Both answers in one sequence, if the second's prompt begins with all of the first."""
    length = len(before.ids)
    if before.where != after.where or after.ids[:length] != before.ids or length > after.num_prompt:
        return None
    given = [*before.given, (length, after.num_prompt)]
    return TokenisedExample(before.where, after.ids, before.num_prompt, given)


def _shortened(example: Example, room: int, tokenizer: Any) -> list[int] | None:
    """The prompt's tokens with as much of the start of its input as fits; None where not a character does."""
    start = example.prompt.rfind(example.input)
    if start < 0 or len(example.input) < SHORTEST_CUT:
        return None
    behind = example.prompt[start + len(example.input) :]
    fitting: list[int] | None = None
    low, high = 1, len(example.input)
    while low < high:
        middle = (low + high) // 2
        ids = _encode(tokenizer, [example.prompt[: start + middle] + behind])[0]
        if len(ids) > room:
            high = middle
        else:
            low, fitting = middle + 1, ids
    return fitting


def _encode(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    return tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]


def _in_chunks(examples: list[Example], tokenizer: Any) -> Iterator[tuple[Example, list[int], list[int]]]:
    for start in range(0, len(examples), 1000):
        chunk = examples[start : start + 1000]
        prompts = _encode(tokenizer, [example.prompt for example in chunk])
        wholes = _encode(tokenizer, [example.prompt + example.completion for example in chunk])
        for example, prompt, whole in zip(chunk, prompts, wholes, strict=True):
            if not example.completion.strip():
                yield example, prompt, []
            elif whole[: len(prompt)] == prompt:
                yield example, prompt, whole[len(prompt) :]
            else:
                yield example, prompt, _behind_a_border(example.completion, tokenizer)


def _behind_a_border(completion: str, tokenizer: Any) -> list[int]:
    # Some tokenizers put a blank of their own at the start of a text; behind a line break none does.
    line_break, whole, alone = _encode(tokenizer, ["\n", "\n" + completion, completion])
    return whole[len(line_break) :] if whole[: len(line_break)] == line_break else alone


def _tokens_before_text(tokenizer: Any) -> list[int]:
    # The BOS token of tokenizers that put one, and nothing of what some put behind a text.
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    for position in range(len(whole) - len(plain) + 1):
        if whole[position : position + len(plain)] == plain:
            return whole[:position]
    return []


def _special_added_tokens(tokenizer: Any) -> list[int]:
    return [token for token, added in tokenizer.added_tokens_decoder.items() if added.special]


def preview(example: TokenisedExample, tokenizer: Any) -> str:
    """The example as text, each run of trained tokens in double brackets."""
    pieces = []
    pairs = zip(example.ids, example.labels, strict=True)
    for is_given, run in groupby(pairs, key=lambda pair: pair[1] == IGNORED):
        text = tokenizer.decode([token for token, _ in run])
        pieces.append(text if is_given else f"[[{text}]]")
    return f"{example.where}, trained tokens in [[ ]]:\n" + "".join(pieces)
