"""The one door to a language model: a `Request` goes in, a `Completion` comes out, in the order asked.

Every backend (embedded, transformers, a server, recorded answers) keeps this contract; `tests/test_llm.py`
runs the same conformance test over each.
"""

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from selfinstruct.errors import UserError
from selfinstruct.llm.model_folder import base_and_adapter

if TYPE_CHECKING:
    from selfinstruct.llm.budget import Bill

FinishReason = Literal["stop", "length", "content_filter"]
# Request parameters that llm.left_out can name.
SERVER_PARAMETERS = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "stop")


@dataclass(frozen=True)
class Request:
    """One prompt with its sampling settings (names and meaning of the OpenAI completions API).

    `temperature` 0 is greedy. `seed` names this request's own random stream: an answer does not depend on
    what else is in the batch. A stop sequence ends the text and is not part of it; with `stop_behind_text` it
    does so only behind some text, not in the blanks an answer begins with (a server stops at any). `shorter`
    makes the same request with one demonstration fewer, or where few are left with fewer tokens to write
    (None where neither can be), for a server that says only when asked that a request is too long.

    Many answers can be on their way at once and come in any order. A backend that asks a server calls `sent`
    when it first sends the request, and `arrived` with its answer as soon as that is there, both from a
    thread of its own, and sends no other request in its place before `arrived` returns. Other backends call
    neither.

    `subject` is what the request asks about (an instruction), in words that other prompts for it share, and
    `index` its number in its stage, where it is counted: by these recorded answers are found again. None of
    the five is part of what names the request.
    """

    prompt: str
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    stop: tuple[str, ...] = ()
    seed: str = "0"
    stop_behind_text: bool = False
    subject: str | None = field(default=None, compare=False)
    index: int | None = field(default=None, compare=False, repr=False)
    shorter: "Callable[[], Request | None] | None" = field(default=None, compare=False, repr=False)
    sent: "Callable[[], None] | None" = field(default=None, compare=False, repr=False)
    arrived: "Callable[[Completion], None] | None" = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Completion:
    """The answer to one request.

    `finish_reason` is "length" where `max_tokens` or the context ended it, "content_filter" where a server
    held back (the rest of) it: it has ended, as with "stop". `dropped_demonstrations` counts those that the
    prompt asked with had fewer than the request's own (see `Request.shorter`).
    """

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    dropped_demonstrations: int = 0


@dataclass
class LLMConfig:
    """The `llm` group of the configs: which model answers, and how it is reached."""

    backend: str
    model: str | None = None
    adapter: str | None = None
    endpoint: str = "completions"
    context_length: int | None = None
    batch_size: int | None = 32
    dtype: str = "auto"
    device: str = "auto"
    trust_remote_code: bool = False
    responses: str | None = None
    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    max_concurrency: int = 32
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout_seconds: float = 600.0
    max_failures: int = 8
    max_rate_limits: int = 100
    first_pause_seconds: float = 1.0
    tokenizer: str | None = None
    send_seed: bool = False
    max_tokens_name: str = "max_tokens"
    left_out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.backend not in ("tiny", "local", "openai", "replay"):
            raise UserError(f"llm.backend: {self.backend!r} is unknown; choose tiny, local, openai or replay")
        if self.endpoint not in ("completions", "chat"):
            raise UserError(f"llm.endpoint: {self.endpoint!r} is unknown; choose completions or chat")
        if self.backend == "local" and not self.model:
            raise UserError("llm.model is missing; with llm=local give a folder or a hub id (llm.model=...)")
        if self.backend == "replay" and not self.responses:
            raise UserError("llm.responses is missing; with llm=replay give a run folder or a file of one")
        limits = "batch_size", "context_length", "max_concurrency", "requests_per_minute", "tokens_per_minute"
        for name in limits:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"llm.{name}: {value} is not a positive whole number")
        if self.backend == "openai":
            self._check_server()

    def _check_server(self) -> None:
        if not self.base_url or not self.model:
            missing = "llm.base_url" if not self.base_url else "llm.model"
            example = "llm.base_url=http://localhost:8000/v1 llm.model=NAME"
            raise UserError(
                f"{missing} is missing; llm=openai needs both ({example}); "
                "llm.model is the server's name of its model, model= of an evaluation one on this machine"
            )
        check_base_url(self.base_url)
        if self.adapter:
            raise UserError("llm.adapter: with llm=openai the server loads it; name the result as llm.model")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.api_key_env):
            # Not shown: it may be the key itself.
            raise UserError("llm.api_key_env: give the name of an environment variable, not the key itself")
        for name in ("timeout_seconds", "first_pause_seconds"):
            if getattr(self, name) <= 0:
                raise UserError(f"llm.{name}: {getattr(self, name)} must be above 0")
        for name in ("max_failures", "max_rate_limits"):
            if getattr(self, name) < 0:
                raise UserError(f"llm.{name}: {getattr(self, name)} must be 0 or more")
        if self.max_tokens_name not in ("max_tokens", "max_completion_tokens"):
            choices = "max_tokens or max_completion_tokens"
            raise UserError(f"llm.max_tokens_name: {self.max_tokens_name!r} is unknown; choose {choices}")
        if unknown := sorted(set(self.left_out) - set(SERVER_PARAMETERS)):
            raise UserError(f"llm.left_out: {unknown}; choose from {', '.join(SERVER_PARAMETERS)}")


def check_base_url(url: str) -> None:
    """UserError unless it is a plain http(s) address; a secret in it would be written to the manifest."""
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query:
        raise UserError(
            "llm.base_url: must hold no user, password or ?query; "
            "put the key into the environment variable that llm.api_key_env names"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"llm.base_url={url}: must look like https://HOST/v1 or http://localhost:8000/v1")


class LLM(ABC):
    """A model that takes many requests at once and answers them in the order they came.

    Attributes:
        chunk_size: how many consecutive requests (by their index) are computed together. Rounding, and so
            a sampled token, can depend on a batch's composition: a restart therefore asks again from the
            start of an unfinished chunk. 1 where answers are independent of each other.
        context_length: tokens of prompt and answer together, or None where unknown.
            Of an encoder-decoder, tokens of a prompt alone.
        batch_tokens: tokens, of prompts, padding and answers to come, that it computes together well.
        is_chat: whether prompts go through a chat template, as one user turn.
        bill: what its answers used, kept up to date by a model that logs them; else None.
        is_encoder_decoder: whether prompts and answers have each a context of their own (T5).
        num_parameters: of the model, an adapter's apart; None where unknown (served models).
    """

    chunk_size: int = 1
    context_length: int | None = None
    batch_tokens: int = 1
    is_chat: bool = False
    bill: "Bill | None" = None
    is_encoder_decoder: bool = False
    num_parameters: int | None = None

    @property
    @abstractmethod
    def description(self) -> dict[str, object]:
        """What decides the answers besides the request (model, weights' digest, dtype...); JSON values."""

    @abstractmethod
    def count_tokens(self, text: str) -> int:
        """Number of tokens of a prompt, special tokens and chat template included."""

    @property
    def traffic(self) -> Mapping[str, int]:
        """Counts of what passed between us and a model's server; empty where there is none."""
        return {}

    @property
    def in_flight(self) -> int:
        """How many outstanding requests it can make use of; more than it works on at once, if order costs."""
        return self.chunk_size

    def room_for(self, max_tokens: int) -> int:
        """Tokens a prompt may have beside an answer of `max_tokens` (sys.maxsize where unknown)."""
        if self.context_length is None:
            return sys.maxsize
        return self.context_length - (0 if self.is_encoder_decoder else max_tokens)

    @abstractmethod
    def submit(self, request: Request) -> None:
        """Take a request; returns at once."""

    @abstractmethod
    def next_completion(self) -> Completion:
        """Wait for the answer of the oldest request not yet answered (LookupError where there is none)."""

    def for_stage(self, stage: str, start_index: int = 0) -> "LLM":
        """The model to use for one stage's requests, the first of which is number `start_index`.

        What an earlier stage left unanswered is dropped. `start_index` is a multiple of `chunk_size`, and
        a stage keeps at least `chunk_size` requests outstanding, so that chunks are the same on a restart. Or
        a caller makes its own chunks, of at most `chunk_size`: a stage for each, asked whole and then read.
        """
        return self

    def close(self) -> None:  # noqa: B027 - most backends hold nothing to release
        """Release what the backend holds; outstanding requests are dropped."""


class WrappedLLM(LLM):
    """Another model with something around it: all is the wrapped one's, unless a subclass says otherwise."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.chunk_size, self.context_length, self.is_chat = llm.chunk_size, llm.context_length, llm.is_chat
        self.bill = llm.bill
        self.is_encoder_decoder, self.batch_tokens = llm.is_encoder_decoder, llm.batch_tokens
        self.num_parameters = llm.num_parameters

    @property
    def description(self) -> dict[str, object]:
        """The wrapped model's."""
        return self._llm.description

    @property
    def traffic(self) -> Mapping[str, int]:
        """The wrapped model's."""
        return self._llm.traffic

    @property
    def in_flight(self) -> int:
        """The wrapped model's."""
        return self._llm.in_flight

    def count_tokens(self, text: str) -> int:
        """As the wrapped model counts."""
        return self._llm.count_tokens(text)

    def submit(self, request: Request) -> None:
        """As the wrapped model."""
        self._llm.submit(request)

    def next_completion(self) -> Completion:
        """As the wrapped model."""
        return self._llm.next_completion()

    def close(self) -> None:
        """Close the wrapped model."""
        self._llm.close()


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
        case "openai":
            from selfinstruct.llm.openai_api import OpenAIServerLLM

            return OpenAIServerLLM(config)
        case _:
            model = str(TINY_MODEL if config.backend == "tiny" else config.model)
            base_and_adapter(model, config.adapter)  # a wrong path does not wait for torch

            from selfinstruct.llm.local import LocalLLM

            return LocalLLM(config, model)
