"""Any OpenAI-compatible server, over its completions or chat endpoint, many requests at a time.

python scripts/generate.py run_dir=runs/mine llm=openai llm.base_url=http://localhost:8000/v1 llm.model=NAME
"""

import asyncio
import hashlib
import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import ClientError
from httpx2 import Limits
from openai import AsyncOpenAI, DefaultAioHttpClient, OpenAIError, Timeout

from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.llm.base import LLM, Completion, LLMConfig, Request
from selfinstruct.llm.pace import LONGEST_WAIT_SECONDS, Pace, pause_seconds
from selfinstruct.llm.server_replies import (
    Trouble,
    UnusableReply,
    completion_of,
    stated_context_length,
    trouble_of,
)
from selfinstruct.progress import note

_CONNECT_SECONDS = 30.0
_CHAT_FRAME_TOKENS = 16  # a chat template's words around one user turn, at a guess
_BYTES_PER_TOKEN = 3  # English has about 4; cautious, also for other scripts
_SECONDS_BETWEEN_NOTES = 30.0
_SECONDS_BEFORE_A_WORD = 1.0
_PATIENCE_SECONDS = 5.0  # with answers on their way, of somebody who has pressed Ctrl-C once
# Requests taken for each place in flight: answers are handed out in order, and one that takes four times as
# long as the others must not leave places empty.
_TAKEN_PER_PLACE = 4


T = TypeVar("T")


class OpenAIServerLLM(LLM):
    """A model behind a server, up to `llm.max_concurrency` requests in flight.

    The client library's own retries are switched off: it does not tell rate limits from failures, takes no
    Retry-After above two minutes, and does not try again after half an answer.

    The same model on another address is the same model; what the server loads under its name is not known.

    Raises:
        UserError: the environment variable with the key is not set, or the tokenizer cannot be loaded; when
            answers are waited for: the server refuses the key, the model or the request (in its words).
        StoppedEarly: when answers are waited for: one request failed too often, or the quota is used up.
    """

    def __init__(self, config: LLMConfig) -> None:
        assert config.base_url and config.model
        self._config, self._base_url = config, config.base_url
        self._key = _key(config)
        self.is_chat = config.endpoint == "chat"
        self.context_length = config.context_length
        self._count_tokens = _token_counter(config)
        names = "requests", "answers", "rate limits", "failures", "context overflows"
        self._traffic = dict.fromkeys(names, 0)
        self._last_note = -_SECONDS_BETWEEN_NOTES
        self._outstanding: deque[Future[Completion]] = deque()
        self._stage_number = 0  # those submitted before the last change are dropped
        self._begun: set[asyncio.Task[Completion]] = set()
        self._on_their_way: set[asyncio.Task[Completion]] = set()  # of those, sent: they will be paid for
        self._is_interrupted = False
        self._stop: UserError | StoppedEarly | None = None  # why nothing more is sent
        self._pace = Pace(config.requests_per_minute, config.tokens_per_minute)
        self._slots = asyncio.Semaphore(config.max_concurrency)
        timeout = Timeout(config.timeout_seconds, connect=min(_CONNECT_SECONDS, config.timeout_seconds))
        places = config.max_concurrency
        self._client = AsyncOpenAI(
            api_key=self._key or "none",
            base_url=config.base_url,
            max_retries=0,
            timeout=timeout,
            # Its own transport takes twice the processor time a request.
            http_client=DefaultAioHttpClient(
                timeout=timeout, limits=Limits(max_connections=places, max_keepalive_connections=places)
            ),
        )
        self._loop = asyncio.new_event_loop()
        # A daemon: a program that ends without `close` does not wait for answers.
        self._thread = threading.Thread(target=self._loop.run_forever, name="llm", daemon=True)
        self._thread.start()

    @property
    def description(self) -> dict[str, object]:
        """The model's name (of a path its last part) and which settings are sent, without the address."""
        name = str(self._config.model)
        return {
            "backend": "openai",
            "model": Path(name).name if Path(name).is_absolute() else name,
            "chat": self.is_chat,
            "send_seed": self._config.send_seed,
            "left_out": sorted(self._config.left_out),
        }

    @property
    def traffic(self) -> Mapping[str, int]:
        """Since the start: requests sent, answers, rate limits, failures and context overflows."""
        return dict(self._traffic) if self._traffic["requests"] else {}

    @property
    def in_flight(self) -> int:
        """Four times `llm.max_concurrency`, which are sent: a slow answer holds up none of the others."""
        return _TAKEN_PER_PLACE * self._config.max_concurrency

    def count_tokens(self, text: str) -> int:
        """With `llm.tokenizer` where it is given, else a cautious estimate: a token for every 3 bytes."""
        return self._count_tokens(text)

    def submit(self, request: Request) -> None:
        """Take a request; it is sent as soon as one of the places in flight is free."""
        self._outstanding.append(
            asyncio.run_coroutine_threadsafe(self._answer(request, self._stage_number), self._loop)
        )

    def next_completion(self) -> Completion:
        """Wait for the oldest request's answer; see the class for what can go wrong."""
        if not self._outstanding:
            raise LookupError("no request is waiting for an answer")
        try:
            completion = self._waited_for(self._outstanding[0])
        except CancelledError:
            assert self._stop is not None
            raise self._stop from None
        self._outstanding.popleft()
        return completion

    def for_stage(self, stage: str, start_index: int = 0) -> LLM:
        """This model, once answers that an earlier stage left on their way are there; the rest is dropped."""
        self._drop()
        self._stop = None
        return self

    def close(self) -> None:
        """Wait for the answers on their way, drop what was not sent, and close the connections.

        After an interrupt it waits for a few seconds only, and another one ends the waiting.
        """
        if self._loop.is_closed():
            return
        if isinstance(sys.exception(), KeyboardInterrupt):  # it came while nothing was waited for
            self._is_interrupted = True
        try:
            self._drop()
        finally:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _waited_for(self, future: Future[T]) -> T:
        try:
            return future.result()
        except KeyboardInterrupt:
            self._is_interrupted = True
            raise

    def _drop(self) -> None:
        """Nothing more of this stage is sent; what was sent is waited for, and so logged and counted."""
        self._outstanding.clear()
        self._waited_for(asyncio.run_coroutine_threadsafe(self._settled(), self._loop))

    async def _settled(self) -> None:
        self._stage_number += 1
        for task in self._begun - self._on_their_way:  # what has not begun sees that it is dropped
            task.cancel()
        if not self._on_their_way:
            return
        _, late = await asyncio.wait(set(self._on_their_way), timeout=_SECONDS_BEFORE_A_WORD)
        if late:
            seconds = _PATIENCE_SECONDS if self._is_interrupted else None
            limit = "Ctrl-C ends the waiting" if seconds is None else f"for at most {seconds:g} seconds"
            note(f"{self._named()}: waiting for {len(late)} answers that are on their way; {limit}")
            await asyncio.wait(late, timeout=seconds)

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        with suppress(OpenAIError):
            await self._client.close()

    # ---- in the background thread

    async def _answer(self, request: Request, stage_number: int) -> Completion:
        """The answer to a request; what ends the run ends it for the others too.

        A refusal would meet all of them: they are dropped. After a failure those on their way are waited for.
        """
        task = _this_task()
        self._begun.add(task)
        try:
            return await self._shortened(request, stage_number)
        except UserError as error:
            self._stop = self._stop or error
            for other in self._begun - {task}:  # what has not begun sees why not
                other.cancel()
            raise
        except StoppedEarly as error:
            self._stop = self._stop or error
            raise
        finally:
            self._begun.discard(task)

    async def _shortened(self, request: Request, stage_number: int) -> Completion:
        """The answer to a request, made shorter for as long as the server says that it is too long."""
        asked, num_dropped = request, 0
        request = self._fitted(request)
        async with self._slots:
            if self._stop is not None:
                raise self._stop
            self._refuse_dropped(stage_number)
            if asked.sent is not None:
                asked.sent()
            while True:
                reply = await self._reply(request, stage_number)
                if isinstance(reply, Completion):
                    completion = replace(reply, dropped_demonstrations=num_dropped) if num_dropped else reply
                    if asked.arrived is not None:
                        asked.arrived(completion)  # the place is free when the answer is safe
                    return completion
                shorter = _shorter(request)
                if shorter is None:
                    raise UserError(
                        f"{self._named()} says: {reply.words}; show fewer or shorter examples, or take a "
                        f"model with more context (the prompt begins {request.prompt[:60]!r})"
                    )
                num_dropped += shorter.prompt != request.prompt
                request = self._fitted(shorter)

    def _fitted(self, request: Request) -> Request:
        """The request with no more answer tokens than the context has beside its prompt."""
        if self.context_length is None:
            return request
        room = self.context_length - self.count_tokens(request.prompt)
        # No room at all by our estimate: the server may know better.
        return replace(request, max_tokens=min(request.max_tokens, room)) if room > 0 else request

    def _refuse_dropped(self, stage_number: int) -> None:
        """CancelledError for a request that nobody waits for any more: it is not sent (again)."""
        if stage_number != self._stage_number:
            raise asyncio.CancelledError

    async def _reply(self, request: Request, stage_number: int) -> Completion | Trouble:
        """The answer, or the overflow, to a request as it is; tries again after anything that may pass."""
        times: Counter[str] = Counter()
        while True:
            is_counted = self._config.tokens_per_minute is not None
            num_tokens = self.count_tokens(request.prompt) + request.max_tokens if is_counted else 0
            await self._pace.turn(num_tokens)
            self._refuse_dropped(stage_number)
            self._traffic["requests"] += 1
            try:
                async with asyncio.timeout(self._config.timeout_seconds):
                    completion = await self._paid_attempt(request)
                self._traffic["answers"] += 1
                return completion
            except (OpenAIError, TimeoutError, UnusableReply) as error:
                trouble = trouble_of(error, self._key)
            if trouble.kind != "filtered":
                self._refuse_dropped(stage_number)
            times[trouble.kind] += 1
            match trouble.kind:
                case "overflow":
                    self._traffic["context overflows"] += 1
                    length = stated_context_length(trouble.words) or "TOKENS"
                    advice = f"llm.context_length={length} in a new run_dir saves such refusals"
                    self._note(f"{trouble.words}; showing fewer examples; {advice}")
                    return trouble
                case "filtered":
                    return Completion("", "content_filter", self.count_tokens(request.prompt), 0)
                case "refusal":
                    raise UserError(f"{self._named()} says: {trouble.words}; {self._advice(trouble)}")
                case "exhausted":
                    raise StoppedEarly(f"{self._named()} says: {trouble.words}; {_RESUME}")
                case "rate_limit":
                    self._traffic["rate limits"] += 1
                    seconds = self._pause(trouble, times, self._config.max_rate_limits)
                    self._pace.hold(trouble.retry_after or self._config.first_pause_seconds)
                    await asyncio.sleep(seconds)
                case "failure":
                    self._traffic["failures"] += 1
                    await asyncio.sleep(self._pause(trouble, times, self._config.max_failures))

    def _pause(self, trouble: Trouble, times: Counter[str], most: int) -> float:
        """Seconds to wait before the next attempt; StoppedEarly where there is to be none."""
        number = times[trouble.kind]
        if number > most:
            limit = "max_rate_limits" if trouble.kind == "rate_limit" else "max_failures"
            reason = f"one request went wrong {number} times (llm.{limit}={most})"
            raise StoppedEarly(f"{self._named()}: {reason}, last: {trouble.words}; {_RESUME}")
        seconds = pause_seconds(number, self._config.first_pause_seconds, trouble.retry_after)
        if seconds > LONGEST_WAIT_SECONDS:
            reason = f"asks to wait {seconds:.0f} seconds: {trouble.words}"
            raise StoppedEarly(f"{self._named()} {reason}; {_RESUME}")
        self._note(f"{trouble.words}; trying again in {seconds:.1f} s")
        return seconds

    def _note(self, text: str) -> None:
        if time.monotonic() - self._last_note > _SECONDS_BETWEEN_NOTES:
            self._last_note = time.monotonic()
            note(f"{self._named()}: {text}")

    async def _paid_attempt(self, request: Request) -> Completion:
        task = _this_task()
        self._on_their_way.add(task)
        try:
            return await self._attempt(request)
        finally:
            self._on_their_way.discard(task)

    async def _attempt(self, request: Request) -> Completion:
        path = "/chat/completions" if self.is_chat else "/completions"
        try:
            reply = await self._client.post(path, body=self._parameters(request), cast_to=object)
        except ValueError as error:  # the library lets a broken body's through
            raise UnusableReply(f"the answer is not whole: {error}") from error
        except ClientError as error:  # and its transport what is no HTTP
            raise UnusableReply(f"the answer cannot be read: {error}") from error
        return completion_of(reply, request, self.is_chat, self.count_tokens)

    def _parameters(self, request: Request) -> dict[str, object]:
        parameters: dict[str, object] = {
            "model": self._config.model,
            self._config.max_tokens_name: request.max_tokens,
            "temperature": request.temperature,
        }
        if self.is_chat:
            parameters["messages"] = [{"role": "user", "content": request.prompt}]
        else:
            parameters["prompt"] = request.prompt
        if request.temperature > 0:  # greedy is temperature 0 alone: many servers refuse the paper's top_p 0
            parameters["top_p"] = request.top_p
        if request.presence_penalty:
            parameters["presence_penalty"] = request.presence_penalty
        if request.frequency_penalty:
            parameters["frequency_penalty"] = request.frequency_penalty
        if request.stop:
            parameters["stop"] = list(request.stop)
        if self._config.send_seed:
            parameters["seed"] = int(hashlib.sha256(request.seed.encode()).hexdigest()[:7], 16)
        return {name: value for name, value in parameters.items() if name not in self._config.left_out}

    def _named(self) -> str:
        return f"llm.base_url={self._base_url}, llm.model={self._config.model}: the server"

    def _advice(self, trouble: Trouble) -> str:
        match trouble.status:
            case 401 | 403:
                return f"check the key in the environment variable {self._config.api_key_env}"
            case 404:
                return "check llm.model, llm.endpoint and llm.base_url (most end in /v1)"
            case _:
                return "mend the setting it names; llm.left_out=[...] does not send a parameter at all"


def _shorter(request: Request) -> Request | None:
    """The request to send where a server says that this one is too long; None where there is no other."""
    if request.shorter is not None:
        return request.shorter()
    return replace(request, max_tokens=request.max_tokens // 2) if request.max_tokens > 1 else None


def _this_task() -> "asyncio.Task[Completion]":
    task = asyncio.current_task()
    assert task is not None
    return task


_RESUME = "what was answered is safe: start again with the same words to continue"


def _key(config: LLMConfig) -> str | None:
    key = os.environ.get(config.api_key_env, "").strip()
    host = urlsplit(str(config.base_url)).hostname or ""
    is_here = host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")
    if not key and not is_here:
        raise UserError(
            f"llm.api_key_env: the environment variable {config.api_key_env}, which is to hold the key for "
            f"{host}, is not set; set it (to any word if that server asks for no key)"
        )
    return key or None


def _token_counter(config: LLMConfig) -> Callable[[str], int]:
    frame = _CHAT_FRAME_TOKENS if config.endpoint == "chat" else 0
    if config.tokenizer is None:
        return lambda text: -(-len(text.encode()) // _BYTES_PER_TOKEN) + frame
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(config.tokenizer)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).strip().partition("\n")[0]
        advice = "give a folder with a tokenizer or a hub id, or leave it out"
        raise UserError(f"llm.tokenizer={config.tokenizer}: cannot be loaded ({reason}); {advice}") from error
    lock = threading.Lock()  # a fast tokenizer is not for two threads at once

    @lru_cache(maxsize=1024)  # of a prompt the stage, the budget and the request itself ask for it
    def count(text: str) -> int:
        with lock:
            return len(tokenizer(text, verbose=False)["input_ids"]) + frame

    return count
