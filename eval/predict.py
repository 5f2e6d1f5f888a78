"""Predictions for test samples through the one door to a model, and prediction files of any origin.

python scripts/eval_superni.py run_dir=runs/eval model=PATH_OR_HUB_ID prompt_style=self-instruct
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.superni import Sample
from selfinstruct import jsonl
from selfinstruct.encoding import PromptStyle, evaluation_prompt
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, Request, complete_in_order
from selfinstruct.progress import progress_bar


@dataclass(frozen=True)
class Prediction:
    """A model's answer to one sample, unchanged; the rest is unknown (None) for files of other origin."""

    text: str
    prompt: str | None = None
    finish_reason: str | None = None
    num_prompt_tokens: int | None = None
    truncated: bool | None = None


@dataclass(frozen=True)
class FittedPrompt:
    """A prompt that fits the model's context; `truncated` where the sample had to be shortened for it."""

    text: str
    truncated: bool


def fit_prompt(sample: Sample, style: PromptStyle, llm: LLM, max_prompt_tokens: int | None) -> FittedPrompt:
    """The sample's prompt; where it is too long, without its last examples, then with less of its input
    (then of its definition).

    The end of the input goes, never the prompt's own tail: the public code cuts there and loses `Output:`.

    Raises:
        UserError: not even a prompt without input and definition fits.
    """

    def fits(prompt: str) -> bool:
        return max_prompt_tokens is None or llm.count_tokens(prompt) <= max_prompt_tokens

    for kept in range(len(sample.examples), -1, -1):
        prompt = evaluation_prompt(style, sample.definition, sample.input, sample.examples[:kept])
        if fits(prompt):
            return FittedPrompt(prompt, truncated=kept < len(sample.examples))

    def with_input(length: int) -> str:
        return evaluation_prompt(style, sample.definition, sample.input.strip()[:length])

    def with_definition(length: int) -> str:
        return evaluation_prompt(style, sample.definition.strip()[:length], "")

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


def predict(samples: Sequence[Sample], llm: LLM, style: PromptStyle, max_tokens: int) -> list[Prediction]:
    """Ask for every sample's answer, greedily and without stop sequence (the paper's protocol, section 4).

    Give an `llm` that logs its answers: then a restart asks for none of them again.
    """
    limit = max_prompt_tokens(llm.context_length, max_tokens)
    prompts: list[FittedPrompt] = []

    def requests() -> Iterator[Request]:
        for sample in samples:
            prompts.append(fit_prompt(sample, style, llm, limit))
            yield Request(prompts[-1].text, max_tokens=max_tokens, temperature=0.0)

    predictions: list[Prediction] = []
    with progress_bar("predictions", len(samples)) as bar:
        for completion in complete_in_order(llm, requests()):
            prompt = prompts[len(predictions)]
            predictions.append(
                Prediction(
                    text=completion.text,
                    prompt=prompt.text,
                    finish_reason=completion.finish_reason,
                    num_prompt_tokens=completion.prompt_tokens,
                    truncated=prompt.truncated,
                )
            )
            bar.update()
    return predictions


def write_predictions(path: Path, samples: Sequence[Sample], predictions: Sequence[Prediction]) -> None:
    """Write the lines that both official scripts read, with what we know besides, in the samples' order."""
    jsonl.replace(path, map(_line, samples, predictions))


def _line(sample: Sample, prediction: Prediction) -> jsonl.Record:
    return {
        "id": sample.id,
        "prediction": prediction.text,
        "Task": sample.task,
        "Instance": {"id": sample.id, "input": sample.input, "output": list(sample.references)},
        "task_id": sample.task,
        "task_category": sample.category,
        "track": sample.track,
        "prompt": prediction.prompt,
        "finish_reason": prediction.finish_reason,
        "num_prompt_tokens": prediction.num_prompt_tokens,
        "truncated": prediction.truncated,
    }


def read_predictions(path: Path) -> dict[str, Prediction]:
    """Predictions by instance id: `{id, prediction}`, the official scripts' files, or ours.

    Tk-Instruct's files may say `Prediction`, and hold the id in `Instance` only.

    Raises:
        UserError: `file:line: field: reason`, an id twice, or no line.
    """
    predictions: dict[str, Prediction] = {}
    lines: dict[str, int] = {}
    for number, record in jsonl.numbered_records(path):
        where = f"{path}:{number}"
        key = _id(record, where)
        if key in lines:
            raise UserError(f"{where}: id: {key!r} is also in line {lines[key]}; keep one line an instance")
        lines[key] = number
        predictions[key] = _prediction(record, where)
    if not predictions:
        raise UserError(f"{path}: holds no prediction; each line must be an object {{id, prediction}}")
    return predictions


def _id(record: jsonl.Record, where: str) -> str:
    key = record.get("id")
    if key is None and isinstance(record.get("Instance"), dict):
        key = record["Instance"].get("id")
    if key is None:
        advice = "each line must be an object {id, prediction}"
        if "response" in record:
            advice = "this is a line of the user-oriented set, whose lines have no id"
        raise UserError(f"{where}: id: missing ({advice})")
    if not isinstance(key, str):
        raise UserError(f"{where}: id: {key!r} is not text; it must be the instance's id")
    return key


def _prediction(record: jsonl.Record, where: str) -> Prediction:
    field = next((name for name in ("prediction", "Prediction") if name in record), None)
    if field is None:
        raise UserError(f"{where}: prediction: missing; each line must be an object {{id, prediction}}")
    text = record[field]
    if not isinstance(text, str):
        found = "null" if text is None else f"a {type(text).__name__}"
        raise UserError(f"{where}: {field}: {found} instead of text (empty text where there is no answer)")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{where}: {field}: holds half of a character (a lone surrogate)") from error
    return Prediction(
        text=text,
        prompt=_known(record, "prompt", str, where),
        finish_reason=_known(record, "finish_reason", str, where),
        num_prompt_tokens=_known(record, "num_prompt_tokens", int, where),
        truncated=_known(record, "truncated", bool, where),
    )


def _known(record: jsonl.Record, field: str, kind: type, where: str) -> Any:
    value = record.get(field)
    if value is not None and not isinstance(value, kind):
        raise UserError(f"{where}: {field}: {value!r} is not of type {kind.__name__}")
    return value
