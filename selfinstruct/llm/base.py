"""The one door to a language model: a `Request` goes in, a `Completion` comes out, in the order asked.

Every backend (embedded, transformers, a server, recorded answers) keeps this contract; `tests/test_llm.py`
runs the same conformance test over each.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from selfinstruct.errors import UserError

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class Request:
    """One prompt with its sampling settings (names and meaning of the OpenAI completions API).

    `temperature` 0 is greedy. `seed` names this request's own random stream: an answer does not depend on
    what else is in the batch. A stop sequence ends the text and is not part of it.
    """

    prompt: str
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    stop: tuple[str, ...] = ()
    seed: str = "0"


@dataclass(frozen=True)
class Completion:
    """The answer to one request; `finish_reason` is "length" where `max_tokens` or the context ended it."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


@dataclass
class LLMConfig:
    """The `llm` group of the configs: which model answers, and how it is reached."""

    backend: str
    model: str | None = None
    adapter: str | None = None
    endpoint: str = "completions"
    context_length: int | None = None
    batch_size: int = 32
    dtype: str = "auto"
    device: str = "auto"
    trust_remote_code: bool = False
    responses: str | None = None

    def __post_init__(self) -> None:
        if self.backend not in ("tiny", "local", "replay"):
            raise UserError(f"llm.backend: {self.backend!r} is unknown; choose tiny, local or replay")
        if self.endpoint not in ("completions", "chat"):
            raise UserError(f"llm.endpoint: {self.endpoint!r} is unknown; choose completions or chat")
        if self.backend == "local" and not self.model:
            raise UserError("llm.model is missing; with llm=local give a folder or a hub id (llm.model=...)")
        if self.backend == "replay" and not self.responses:
            raise UserError("llm.responses is missing; with llm=replay give a run folder or a file of one")
        if self.batch_size < 1:
            raise UserError(f"llm.batch_size: {self.batch_size} is not a positive whole number")


class LLM(ABC):
    """A model that takes many requests at once and answers them in the order they came.

    Attributes:
        chunk_size: how many consecutive requests (by their index) are computed together. Rounding, and so
            a sampled token, can depend on a batch's composition: a restart therefore asks again from the
            start of an unfinished chunk. 1 where answers are independent of each other.
        context_length: tokens of prompt and answer together, or None where unknown.
        is_chat: whether prompts go through a chat template, as one user turn.
    """

    chunk_size: int = 1
    context_length: int | None = None
    is_chat: bool = False

    @property
    @abstractmethod
    def description(self) -> dict[str, object]:
        """What decides the answers besides the request (model, weights' digest, dtype...); JSON values."""

    @abstractmethod
    def count_tokens(self, text: str) -> int:
        """Number of tokens of a prompt, special tokens and chat template included."""

    @property
    def in_flight(self) -> int:
        """How many outstanding requests it can make use of."""
        return self.chunk_size

    def room_for(self, max_tokens: int) -> int:
        """Tokens a prompt may have beside an answer of `max_tokens` (sys.maxsize where unknown)."""
        return sys.maxsize if self.context_length is None else self.context_length - max_tokens

    @abstractmethod
    def submit(self, request: Request) -> None:
        """Take a request; returns at once."""

    @abstractmethod
    def next_completion(self) -> Completion:
        """Wait for the answer of the oldest request not yet answered (LookupError where there is none)."""

    def for_stage(self, stage: str, start_index: int = 0) -> "LLM":
        """The model to use for one stage's requests, the first of which is number `start_index`.

        What an earlier stage left unanswered is dropped. `start_index` is a multiple of `chunk_size`, and
        a stage keeps at least `chunk_size` requests outstanding, so that chunks are the same on a restart.
        """
        return self

    def close(self) -> None:  # noqa: B027 - most backends hold nothing to release
        """Release what the backend holds; outstanding requests are dropped."""


def complete_in_order(llm: LLM, requests: Iterable[Request]) -> Iterator[Completion]:
    """Answer a stream of requests, in order, with as many outstanding as the model can use."""
    stream = iter(requests)
    outstanding = 0
    while True:
        for request in islice(stream, llm.in_flight - outstanding):
            llm.submit(request)
            outstanding += 1
        if not outstanding:
            return
        yield llm.next_completion()
        outstanding -= 1


TINY_MODEL = Path(__file__).parent / "tiny" / "model"


def make_llm(config: LLMConfig) -> LLM:
    """Open the model that the `llm` group names. Heavy libraries are imported only here."""
    match config.backend:
        case "replay":
            from selfinstruct.llm.replay import ReplayLLM

            return ReplayLLM(Path(str(config.responses)))
        case "tiny":
            from selfinstruct.llm.local import LocalLLM

            return LocalLLM(config, model=str(TINY_MODEL))
        case _:
            from selfinstruct.llm.local import LocalLLM

            return LocalLLM(config, model=str(config.model))
