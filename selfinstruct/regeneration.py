"""Outputs of the instances written anew by another, stronger model; both are kept (paper v2, data quality).

python scripts/generate.py run_dir=runs/mine 'stages=[regeneration]' llm@regeneration.llm=openai \
    regeneration.llm.base_url=https://HOST/v1 regeneration.llm.model=NAME
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.asking import AskingBar
from selfinstruct.encoding import PromptStyle, evaluation_prompt
from selfinstruct.errors import UserError
from selfinstruct.finetuning_data import ALL_INSTANCES, replace_rejected, write_training_data
from selfinstruct.llm.base import LLM, Completion, LLMConfig, Request, complete_in_order
from selfinstruct.parsing import ParsingRules
from selfinstruct.queries import Query
from selfinstruct.runs import RunFolder
from selfinstruct.settings import flatten, from_dict
from selfinstruct.tasks import SeedTask

REGENERATED = "finetuning_data/regenerated_instances.jsonl"
TRAIN_REGENERATED = "finetuning_data/train_regenerated.jsonl"
STAGE = "regeneration"

Pair = tuple[str, str]  # instruction, input: what decides an answer


MAX_TOKENS = 1024  # as in evaluation (paper, Table 4)
MAX_TOKENS_TINY = 64  # the embedded model's prompt and answer share 512 tokens, and its answers are short


@dataclass
class RegenerationConfig:
    """The `regeneration` settings; `llm` is the group `llm@regeneration.llm`, not yet looked at."""

    instances: Path | None
    unusable: str
    temperature: float
    top_p: float
    presence_penalty: float
    frequency_penalty: float
    max_tokens: int | None
    stop: list[str]
    llm: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.query.check("regeneration")
        if self.unusable not in ("drop", "keep_original"):
            raise UserError(f"regeneration.unusable: {self.unusable!r}; choose drop or keep_original")
        if self.llm is not None:
            _ = self.model

    def check(self) -> None:
        """What the stage cannot do without.

        Raises:
            UserError: no model is chosen, or the file of instances is not there or not one.
        """
        _ = self.model
        if self.instances is not None:
            read_instances(self.instances)

    @property
    def query(self) -> Query:
        """How each output is asked for."""
        is_tiny = self.llm is not None and self.llm.get("backend") == "tiny"
        most = MAX_TOKENS_TINY if is_tiny else MAX_TOKENS
        max_tokens = most if self.max_tokens is None else self.max_tokens
        penalties = self.presence_penalty, self.frequency_penalty
        return Query(self.temperature, self.top_p, *penalties, max_tokens, self.stop)

    @property
    def model(self) -> LLMConfig:
        """The model that writes the outputs.

        Raises:
            UserError: none is chosen, or its settings are wrong.
        """
        if self.llm is None:
            advice = "choose one by llm@regeneration.llm=openai (or local, tiny, replay)"
            raise UserError(f"regeneration.llm is missing: the model that writes the outputs anew; {advice}")
        try:
            return from_dict(LLMConfig, self.llm, "llm.")
        except UserError as error:  # they speak of the group by its usual place
            raise UserError(f"regeneration.{error}") from error


@dataclass(frozen=True)
class Outputs:
    """What the model wrote: usable outputs, and for the rest the reason and what there was."""

    written: dict[Pair, str]
    unusable: dict[Pair, tuple[str, str]]


@dataclass(frozen=True)
class RegenerationStage:
    """Asks for the output of every instance of the run folder: instruction and input alone, no examples."""

    run: RunFolder
    llm: LLM
    seeds: list[SeedTask]  # those whose instances are part of the training data
    config: RegenerationConfig
    seed: int
    rules: ParsingRules

    def go(self, settings: dict[str, Any]) -> None:
        """Write `regenerated_instances.jsonl` and `train_regenerated.jsonl`, whole and anew.

        An answer that is empty, was cut off for length or held back is unusable, and so is an instance whose
        prompt leaves no room for one. Such an instance is left out, or keeps its output
        (`regeneration.unusable=keep_original`); either way it stands in `rejected.jsonl` with its reason.
        """
        folder = self.run.path
        instances = read_instances(self.config.instances or folder / ALL_INSTANCES)
        self._check_same_training_data(settings)
        self.run.prepare(STAGE, settings)
        llm = self.llm.for_stage(STAGE)
        self.run.reopen(STAGE)
        outputs = self._ask(llm, instances)
        records = [self._record(instance, outputs) for instance in instances]
        rejected = [
            {"stage": STAGE, "reason": reason, "text": text, "instruction": instruction, "input": input_text}
            for (instruction, input_text), (reason, text) in outputs.unusable.items()
        ]
        replace_rejected(folder, STAGE, rejected)
        jsonl.replace(folder / REGENERATED, (record for record in records if record is not None))
        num_examples = write_training_data(
            folder / TRAIN_REGENERATED,
            self.seeds,
            _without_duplicates(records),
            "regenerated",
            self.seed,
            self.rules,
        )
        self.run.complete(
            STAGE,
            instances=len(instances),
            regenerated=sum(record is not None and record["is_regenerated"] for record in records),
            unusable=dict(Counter(line["reason"] for line in rejected)),
            training_examples=num_examples,
        )

    def _check_same_training_data(self, settings: dict[str, Any]) -> None:
        """UserError where `train.jsonl` was made with other seeds: only outputs are to differ from it."""
        before = self.run.steps.get("finetuning_data", {}).get("settings", {})
        for key, value in flatten(settings).items():
            if key in before and before[key] != value:
                differs = f"{key}: was {before[key]!r}, is now {value!r}"
                raise UserError(
                    f"{self.run.path}: its 'finetuning_data' was made otherwise ({differs}); "
                    "give the same words as then, and those of the regeneration"
                )

    def _ask(self, llm: LLM, instances: list[jsonl.Record]) -> Outputs:
        prompts = prompts_of(instances, llm.is_chat)
        room = llm.room_for(1)
        fitting = {
            pair: prompt
            for pair, prompt in prompts.items()
            if llm.context_length is None or llm.count_tokens(prompt) <= room
        }
        outputs = Outputs({}, {pair: ("prompt_too_long", "") for pair in prompts if pair not in fitting})
        with AskingBar(STAGE, len(fitting), 0, llm.bill) as bar:
            answers = complete_in_order(llm, self._requests(fitting))
            for pair, completion in zip(fitting, answers, strict=True):
                text = completion.text.strip()
                if (reason := _reason(completion)) is None:
                    outputs.written[pair] = text
                else:
                    outputs.unusable[pair] = reason, text
                bar.update()
        return outputs

    def _requests(self, prompts: dict[Pair, str]) -> Iterator[Request]:
        for index, (pair, prompt) in enumerate(prompts.items()):
            yield self.config.query.request(prompt, f"{self.seed}:{STAGE}:{index}", "\n".join(pair))

    def _record(self, instance: jsonl.Record, outputs: Outputs) -> jsonl.Record | None:
        """The line of an instance; None where it is left out."""
        pair = instance["instruction"], instance["input"]
        output = outputs.written.get(pair)
        if output is None and self.config.unusable == "drop":
            return None
        return {
            "instruction": instance["instruction"],
            "input": instance["input"],
            "output": instance["output"] if output is None else output,
            "original_output": instance["output"],
            "is_regenerated": output is not None,
        }


def read_instances(path: Path) -> list[jsonl.Record]:
    """The lines of a file of instances, a run's or the published one.

    Raises:
        UserError: it is not there, or a line lacks a text.
    """
    if not path.exists():
        advice = "run the finetuning_data stage first, or name a file by regeneration.instances"
        raise UserError(f"{path}: not there; {advice}")
    instances = []
    for number, record in jsonl.numbered_records(path):
        for name in ("instruction", "input", "output"):
            if not isinstance(record.get(name), str):
                raise UserError(f'{path}:{number}: "{name}" must be text')
        instances.append(record)
    return instances


def prompts_of(instances: list[jsonl.Record], is_chat: bool) -> dict[Pair, str]:
    """One prompt for each distinct instruction and input, in order: greedily both would get one answer."""
    style: PromptStyle = "chat" if is_chat else "self-instruct"
    pairs = dict.fromkeys((record["instruction"], record["input"]) for record in instances)
    return {pair: evaluation_prompt(style, *pair) for pair in pairs}


def _reason(completion: Completion) -> str | None:
    """Why an answer cannot be an output; None where it can."""
    match completion.finish_reason:
        case "length":
            return "stopped_for_length"
        case "content_filter":
            return "held_back"
    return None if completion.text.strip() else "empty_output"


def _without_duplicates(records: list[jsonl.Record | None]) -> list[jsonl.Record | None]:
    """None in the place of a record equal to an earlier one: outputs that differed may not any more."""
    seen: set[tuple[str, str, str]] = set()
    unique: list[jsonl.Record | None] = []
    for record in records:
        texts = (record["instruction"], record["input"], record["output"]) if record else ("", "", "")
        unique.append(record if texts not in seen else None)
        seen.add(texts)
    return unique
