"""What a run will ask for and cost, before anything is sent: python scripts/generate.py dry_run=true"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path
from random import Random
from statistics import fmean

from selfinstruct import jsonl
from selfinstruct.classification import CLASSIFICATION
from selfinstruct.finetuning_data import ALL_INSTANCES
from selfinstruct.fitting import FewShot
from selfinstruct.instances import INSTANCES
from selfinstruct.instructions import INSTRUCTIONS, REQUESTS
from selfinstruct.llm.base import LLM, Completion, Request
from selfinstruct.llm.budget import BudgetConfig, Price
from selfinstruct.prompts import Prompts
from selfinstruct.queries import Queries
from selfinstruct.regeneration import prompts_of, read_instances
from selfinstruct.tasks import SeedTask

# Where the run folder has no figures of its own yet. Measured values take their place as the run goes on.
ACCEPTED_PER_REQUEST = 3.0  # of the eight new tasks a request asks for; falls as the pool grows
SHARE_OF_MAX_TOKENS = 0.5  # an answer's usual length
INSTANCES_PER_INSTRUCTION = 82439 / 52445  # paper, Table 1
BYTES_PER_TOKEN = 4  # English prose in the tokenizers of today's models
_SAMPLE = 50  # requests rendered to take a mean of


@dataclass(frozen=True)
class StageForecast:
    """The requests of one stage still to be sent; tokens are sums over all of them."""

    stage: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    most_completion_tokens: int


def forecast(
    folder: Path,
    stages: Sequence[str],
    num_instructions: int,
    shown: int,
    seeds: Sequence[SeedTask],
    prompts: Prompts,
    queries: Queries,
    chat: bool,
    context_length: int | None = None,
    overshoot: int = 0,
) -> list[StageForecast]:
    """What is still to be asked in each stage of a run folder (which may not exist yet).

    Tokens are estimates: prompts are rendered from the seeds, a token for every 4 bytes; answers are as long
    as those in the folder's response log, or half of what they may be.

    Args:
        context_length: of the model, whose prompts and answers are shortened to it (None: not known).
        overshoot: requests that stage 1 may have sent already when it has enough instructions.

    Raises:
        PromptTooLong: the context does not hold the shortest request of stage 1.
    """
    rendered = _sampled_requests(shown, seeds, prompts, queries, chat, context_length)
    lengths = _answer_lengths(folder)
    made = _lines(folder / INSTRUCTIONS)
    marks = jsonl.read_if_there(folder / REQUESTS)
    accepted = (made / len(marks) if marks and made else None) or ACCEPTED_PER_REQUEST
    in_all = max(num_instructions, made)  # the last answer may have brought more than were asked for
    requests = {
        "instructions": ceil((num_instructions - made) / accepted) + overshoot
        if made < num_instructions
        else 0,
        "classification": max(0, in_all - _lines(folder / CLASSIFICATION)),
        "instances": max(0, in_all - _lines(folder / INSTANCES)),
    }
    forecasts = []
    for stage, sampled in rendered.items():
        if stage not in stages:
            continue
        count, longest = requests[stage], fmean(request.max_tokens for request in sampled)
        prompt_tokens = fmean(len(request.prompt.encode()) / BYTES_PER_TOKEN for request in sampled)
        answer = lengths.get(stage, longest * SHARE_OF_MAX_TOKENS)
        tokens = (round(count * each) for each in (prompt_tokens, answer, longest))
        forecasts.append(StageForecast(stage, count, *tokens))
    return forecasts


class _Unasked(LLM):
    """A model of which only the context is known: what its requests would be."""

    def __init__(self, context_length: int | None) -> None:
        self.context_length = context_length

    @property
    def description(self) -> dict[str, object]:
        return {}

    def count_tokens(self, text: str) -> int:
        return ceil(len(text.encode()) / BYTES_PER_TOKEN)

    def submit(self, request: Request) -> None:
        raise NotImplementedError("a forecast asks for nothing")

    def next_completion(self) -> Completion:
        raise NotImplementedError("a forecast asks for nothing")


def _sampled_requests(
    shown: int,
    seeds: Sequence[SeedTask],
    prompts: Prompts,
    queries: Queries,
    chat: bool,
    context_length: int | None,
) -> dict[str, list[Request]]:
    """Some requests of each stage, about the seeds, as a model with that context gets them."""
    rng, llm = Random("forecast"), _Unasked(context_length)
    texts = [seed.instruction for seed in seeds]
    some = [rng.choice(texts) for _ in range(_SAMPLE)]
    lists = [rng.sample(texts, min(shown, len(texts))) for _ in range(_SAMPLE)]
    num_labelled = fmean(seed.is_classification for seed in seeds) * _SAMPLE

    def instructions(number: int) -> FewShot:
        tasks = lists[number]
        render = partial(prompts.render_instructions, tasks, False, chat)
        return FewShot(queries.instructions, render, len(tasks), "")

    def classification(number: int) -> FewShot:
        render = partial(prompts.render_classification, some[number], chat)
        most = len(prompts.classification.demonstrations)
        return FewShot(queries.classification, render, most, "", may_show_none=True)

    def instances(number: int) -> FewShot:
        is_labelled = number < num_labelled
        render = partial(prompts.render_instances, some[number], is_labelled, chat)
        most = len(prompts.instances(is_labelled).demonstrations)
        return FewShot(queries.instances, render, most, "", may_show_none=True)

    def fitted(question: FewShot) -> Request:
        request, _ = question.fitted(llm)
        room = sys.maxsize if context_length is None else context_length - llm.count_tokens(request.prompt)
        return replace(request, max_tokens=max(1, min(request.max_tokens, room)))

    stages = {"instructions": instructions, "classification": classification, "instances": instances}
    return {stage: [fitted(ask(number)) for number in range(_SAMPLE)] for stage, ask in stages.items()}


def forecast_regeneration(
    folder: Path,
    instances: Path | None,
    num_instructions: int,
    seeds: Sequence[SeedTask],
    max_tokens: int,
    chat: bool,
) -> StageForecast:
    """What is still to be asked to write the outputs of a file of instances (None: the folder's) anew.

    Where there are no instances yet: as many for each instruction as the paper had, each like a seed's.
    """
    stage = "regeneration"
    path = instances or folder / ALL_INSTANCES
    if path.exists():
        prompts = list(prompts_of(read_instances(path), chat).values())
        count = len(prompts)
    else:
        given = [
            {"instruction": seed.instruction, "input": each.input}
            for seed in seeds
            for each in seed.instances
        ]
        prompts = list(prompts_of(given, chat).values())
        count = round(num_instructions * INSTANCES_PER_INSTRUCTION)
    done = sum(record.get("stage") == stage for record in jsonl.read_if_there(folder / "response_log.jsonl"))
    answer = _answer_lengths(folder).get(stage, max_tokens * SHARE_OF_MAX_TOKENS)
    length = fmean(len(text.encode()) / BYTES_PER_TOKEN for text in prompts) if prompts else 0.0
    left = max(0, count - done)
    return StageForecast(stage, left, round(left * length), round(left * answer), left * max_tokens)


def forecast_text(forecasts: Sequence[StageForecast], model: str, price: Price | None) -> str:
    """The forecast as lines for a terminal, with its sum, and the cost where a price is known."""
    rows: list[tuple[str, ...]] = [("stage", "requests", "prompt tokens", "answer tokens", "at most")]
    for each in forecasts:
        counts = (each.requests, each.prompt_tokens, each.completion_tokens, each.most_completion_tokens)
        rows.append((each.stage, *(f"{count:,}" for count in counts)))
    total = StageForecast(
        "all",
        sum(each.requests for each in forecasts),
        sum(each.prompt_tokens for each in forecasts),
        sum(each.completion_tokens for each in forecasts),
        sum(each.most_completion_tokens for each in forecasts),
    )
    counts = (total.requests, total.prompt_tokens, total.completion_tokens, total.most_completion_tokens)
    rows.append((total.stage, *(f"{count:,}" for count in counts)))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = [
        f"{row[0]:<{widths[0]}}  " + "  ".join(f"{row[i]:>{widths[i]}}" for i in range(1, 5)) for row in rows
    ]
    if price is None:
        example = f"'budget.prices={{{model}: {{input: 1, output: 2}}}}' (of a million tokens)"
        cost = f"cost: not known; give {example}"
    else:
        expected = price.of(total.prompt_tokens, total.completion_tokens)
        most = price.of(total.prompt_tokens, total.most_completion_tokens)
        cost = f"cost: about {expected:,.2f}, at most {most:,.2f} (prices of {model} in budget.prices)"
    return "\n".join([f"dry run: nothing is sent. {model}, still to be asked:", *lines, cost])


@dataclass(frozen=True)
class Expected:
    """What a text of `forecast_text` comes to; the costs are None where it knows none."""

    requests: int
    prompt_tokens: int
    completion_tokens: int
    most_completion_tokens: int
    cost: float | None
    most_cost: float | None


_SUM = re.compile(r"^all((?: +[\d,]+){4})$", re.M)
_COST = re.compile(r"^cost: (?:about ([\d,.]+), at most ([\d,.]+)|)", re.M)


def read_forecasts(text: str) -> list[Expected]:
    """The sums of each forecast in what a command printed in a dry run."""
    counts = [[int(count.replace(",", "")) for count in found.split()] for found in _SUM.findall(text)]
    costs = [
        [float(cost.replace(",", "")) if cost else None for cost in found] for found in _COST.findall(text)
    ]
    return [Expected(*sums, *cost) for sums, cost in zip(counts, costs, strict=True)]


def over_budget(
    budget: BudgetConfig, folder: Path, asked: Sequence[tuple[Sequence[StageForecast], Price | None]]
) -> list[str]:
    """A line for each limit that the run will meet, as far as its forecasts and response log tell."""
    forecasts = [each for stages, _ in asked for each in stages]
    prices = {each.stage: price for stages, price in asked for each in stages}
    log = [
        (str(record.get("stage")), int(record["prompt_tokens"]), int(record["completion_tokens"]))
        for path in sorted(folder.glob("response_log*.jsonl"))
        for _, record in jsonl.finished_records(path)
        if {"prompt_tokens", "completion_tokens"} <= record.keys()
    ]
    used = [*log, *((each.stage, each.prompt_tokens, each.completion_tokens) for each in forecasts)]
    cost = sum(price.of(given, made) for stage, given, made in used if (price := prices.get(stage)))
    requests = len(log) + sum(each.requests for each in forecasts)
    tokens = sum(given + made for _, given, made in used)
    needed = [
        ("max_requests", budget.max_requests, requests, f"{requests:,} requests"),
        ("max_tokens", budget.max_tokens, tokens, f"about {tokens:,} tokens"),
        ("max_cost", budget.max_cost, cost, f"cost of about {cost:,.2f}"),
    ]
    return [
        f"budget.{name}={limit:g} is less than the {words} of the whole run: it will stop there "
        "(exit code 3), and go on with a higher one"
        for name, limit, amount, words in needed
        if limit is not None and amount > limit
    ]


def _lines(path: Path) -> int:
    return len(jsonl.read_if_there(path))


def _answer_lengths(folder: Path) -> dict[str, float]:
    tokens: dict[str, list[int]] = {}
    for record in jsonl.read_if_there(folder / "response_log.jsonl"):
        tokens.setdefault(str(record.get("stage")), []).append(int(record.get("completion_tokens", 0)))
    return {stage: fmean(counts) for stage, counts in tokens.items()}
