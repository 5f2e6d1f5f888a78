"""Prompts that fit a model's context: shortened inside, never at the end where `Output:` stands, and counted.

python scripts/eval_superni.py model=PATH_OR_HUB_ID prompt_style=tk-def num_examples=2
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.superni_tasks import Sample
from selfinstruct.encoding import PromptStyle, evaluation_prompt
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM

EXAMPLES_LIMIT = 1024  # tokens of a few-shot `tk-def` prompt (Tk-Instruct's longest source)


@dataclass(frozen=True)
class FittedPrompt:
    """A prompt that fits the model's context; `truncated` where the sample had to be shortened for it."""

    text: str
    truncated: bool


def fit_prompt(sample: Sample, style: PromptStyle, llm: LLM, max_prompt_tokens: int | None) -> FittedPrompt:
    """The sample's prompt; where it is too long, without its last examples, then with less of its input
    (then of its definition).

    The end of the input goes, never the prompt's own tail: the public code cuts there and loses `Output:`.
    With `tk-def` an example is also left out where the prompt would pass 1024 tokens (the leaderboard's).

    Raises:
        UserError: not even a prompt without input and definition fits.
    """

    def prompt_of(definition: str, given: str, examples: Sequence[tuple[str, str]] = ()) -> str:
        prompt = evaluation_prompt(style, definition, given, examples)
        return f"{prompt} " if style == "tk-def" and llm.is_encoder_decoder else prompt

    def fits(prompt: str, limit: int | None = max_prompt_tokens) -> bool:
        return limit is None or llm.count_tokens(prompt) <= limit

    for kept in range(len(sample.examples), -1, -1):
        prompt = prompt_of(sample.definition, sample.input, sample.examples[:kept])
        if fits(prompt) and (not kept or style != "tk-def" or fits(prompt, EXAMPLES_LIMIT)):
            return FittedPrompt(prompt, truncated=kept < len(sample.examples))

    def with_input(length: int) -> str:
        return prompt_of(sample.definition, sample.input.strip()[:length])

    def with_definition(length: int) -> str:
        return prompt_of(sample.definition.strip()[:length], "")

    for shortened, most in ((with_input, len(sample.input)), (with_definition, len(sample.definition))):
        low, high = 0, most  # the longest that fits; tokens can merge, so a last check follows
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(shortened(middle)) else (low, middle - 1)
        if low and fits(shortened(low)):
            return FittedPrompt(shortened(low), truncated=True)
    raise UserError(
        f"{sample.id}: no prompt of {max_prompt_tokens} tokens can be made of it; take a larger context"
    )


def max_prompt_tokens(context_length: int | None, max_tokens: int) -> int | None:
    """Tokens left for a prompt: the answer gets what it may need, but never more than half of the context."""
    if context_length is None:
        return None
    return context_length - min(max_tokens, context_length // 2)


def prompt_limit(llm: LLM, max_tokens: int) -> int | None:
    """`max_prompt_tokens` of a model; an encoder-decoder's answer takes nothing from its prompt."""
    return llm.context_length if llm.is_encoder_decoder else max_prompt_tokens(llm.context_length, max_tokens)
