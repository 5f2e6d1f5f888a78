"""Predictions for test samples through the one door to a model, and prediction files of any origin.

python scripts/eval_superni.py run_dir=runs/eval model=PATH_OR_HUB_ID prompt_style=self-instruct
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from eval.batches import plan_batches
from eval.fitting import fit_prompt, prompt_limit
from eval.shares import Share
from eval.superni_tasks import Sample
from selfinstruct import jsonl
from selfinstruct.encoding import PromptStyle
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, Completion, Request, complete_in_order
from selfinstruct.processes import is_main
from selfinstruct.progress import progress_bar

STAGE = "predict"  # in the response log
SHORT_ROUND = 128  # tokens: longer answers are asked for in a second round


@dataclass(frozen=True)
class Prediction:
    """A model's answer to one sample, unchanged; the rest is unknown (None) for files of other origin."""

    text: str
    prompt: str | None = None
    finish_reason: str | None = None
    num_prompt_tokens: int | None = None
    truncated: bool | None = None


@dataclass(frozen=True)
class Manner:
    """How every sample is asked: greedily; by default, as the paper does, without a stop rule (section 4).

    Attributes:
        stop: texts that end an answer.
        stop_at_paragraph: a blank line behind some text ends it too.
        batch_tokens: tokens, padding and answers to come included, that a model on this machine computes
            together (`eval.batches`), None for what suits its device; without meaning for a server.
    """

    style: PromptStyle
    max_tokens: int
    stop: tuple[str, ...] = ()
    stop_at_paragraph: bool = False
    batch_tokens: int | None = None

    def request(self, prompt: str, max_tokens: int) -> Request:
        """The request for a prompt's answer."""
        stop = (*self.stop, *(["\n\n"] if self.stop_at_paragraph else []))
        return Request(prompt, max_tokens, stop=stop, stop_behind_text=self.stop_at_paragraph)


def predict(
    samples: Sequence[Sample], llm: LLM, manner: Manner, share: Share | None = None
) -> list[Prediction]:
    """Ask for every sample's answer; with a `share`, together with other processes.

    Give an `llm` that logs its answers: then a restart asks for none of them again. A process that is not the
    main one returns what it has, which may lack others' answers.
    """
    limit = prompt_limit(llm, manner.max_tokens)
    with progress_bar("prompts", len(samples), disable=not is_main()) as bar:
        prompts = []
        for sample in samples:
            prompts.append(fit_prompt(sample, manner.style, llm, limit))
            bar.update()
    texts = [prompt.text for prompt in prompts]
    if llm.chunk_size == 1:
        answers = _in_a_stream(texts, llm, manner)
    else:
        # An encoder reads a whole prompt at once: nothing of it can be run for several.
        kin = texts if llm.is_encoder_decoder else [(s.definition, s.examples) for s in samples]
        answers = _in_batches(texts, kin, llm, manner, share)
    return [
        Prediction(
            text=answers[number].text,
            prompt=prompt.text,
            finish_reason=answers[number].finish_reason,
            num_prompt_tokens=answers[number].prompt_tokens,
            truncated=prompt.truncated,
        )
        for number, prompt in enumerate(prompts)
        if number in answers
    ]


def _in_a_stream(prompts: Sequence[str], llm: LLM, manner: Manner) -> dict[int, Completion]:
    """Answers that do not depend on each other: in order, as many under way as the model can use."""
    requests = (manner.request(prompt, manner.max_tokens) for prompt in prompts)
    answers: dict[int, Completion] = {}
    with progress_bar("predictions", len(prompts)) as bar:
        for number, completion in enumerate(complete_in_order(llm.for_stage(STAGE), requests)):
            answers[number] = completion
            bar.update()
    return answers


def _in_batches(
    prompts: Sequence[str], kin: Sequence[Hashable], llm: LLM, manner: Manner, share: Share | None
) -> dict[int, Completion]:
    """Answers computed in batches planned beforehand, in two rounds where answers may be long.

    Most answers of a tuned model are short, and a few never end: a batch is as slow as its longest. So all
    are first asked for a short answer, and only those that did not end are asked again, together.
    """
    lengths = [llm.count_tokens(prompt) for prompt in prompts]
    is_long = manner.max_tokens >= 2 * SHORT_ROUND
    answers: dict[int, Completion] = {}
    with progress_bar("predictions", len(prompts), disable=not is_main()) as bar:
        for number, most in enumerate([SHORT_ROUND, manner.max_tokens] if is_long else [manner.max_tokens]):
            left = [prompt for prompt in range(len(prompts)) if prompt not in answers]
            plan = plan_batches(
                [lengths[prompt] for prompt in left],
                most,
                [kin[prompt] for prompt in left],
                manner.batch_tokens or llm.batch_tokens,
                llm.chunk_size,
            )
            batches = [[left[place] for place in batch] for batch in plan]
            # Where a batch begins among all requests: the response log knows requests by their number.
            starts = accumulate(map(len, batches), initial=number * len(prompts))
            numbered = list(zip(starts, batches, strict=False))
            requests = {prompt: manner.request(prompts[prompt], most) for prompt in left}
            ends = _is_answer if most < manner.max_tokens else None

            if share is not None and share.count > 1:
                answers |= _ask(share.of(numbered), requests, llm, ends, bar)
                share.say_done(number)
                if most == manner.max_tokens and not share.is_main:
                    break
                share.wait_for_others(number)
                numbered = [(start, batch) for start, batch in numbered if not answers.keys() >= set(batch)]
            answers |= _ask(numbered, requests, llm, ends, bar)
    return answers


def _is_answer(completion: Completion) -> bool:
    return completion.finish_reason != "length"


def _ask(
    batches: Sequence[tuple[int, list[int]]],
    requests: Mapping[int, Request],
    llm: LLM,
    counts: Callable[[Completion], bool] | None,
    bar: Any,
) -> dict[int, Completion]:
    """The answers that count, by the number of their prompt; each batch goes to the model whole."""
    answers: dict[int, Completion] = {}
    for start, batch in batches:
        stage = llm.for_stage(STAGE, start)
        for prompt in batch:
            stage.submit(requests[prompt])
        found = {prompt: stage.next_completion() for prompt in batch}
        found = {prompt: each for prompt, each in found.items() if counts is None or counts(each)}
        bar.update(len(found))
        answers |= found
    return answers


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
