"""What a server's reply means: a completion, or what kind of trouble and what the server says of it."""

import email.utils
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import ClientError
from openai import APIConnectionError, APIStatusError, APITimeoutError

from selfinstruct.llm.base import Completion, FinishReason, Request

Kind = Literal["rate_limit", "failure", "overflow", "filtered", "refusal", "exhausted"]

# Servers have no common code for it: OpenAI, vLLM, llama.cpp, SGLang, TGI, Mistral and others word it so.
_OVERFLOW = re.compile(
    r"context[ _-]?(length|window|size)|maximum model length|max_model_len|max_new_tokens.*must be"
    r"|must have less than \d+ tokens|too many (input |prompt )?tokens|longer than the m"
    r"|(prompt|input|messages?)\b.{0,40} too long",
    re.IGNORECASE,
)
# Where their words hold the number of tokens that prompt and answer have together.
_STATED_LENGTH = re.compile(
    r"(?:(?:context|model)[ _-]?(?:length|window|size|len)\D{0,12}?|less than |must be <= |tokens > )(\d+)",
    re.IGNORECASE,
)
# A used-up account, by OpenAI's codes; a prompt that Azure's or OpenAI's filter takes offence at.
_ACCOUNT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_FILTERED = ("content_filter", "content_policy_violation")
_MOST_WORDS = 500  # characters of what a server says that are passed on


class UnusableReply(Exception):
    """A reply that came through but holds no completion; the request is sent again."""


@dataclass(frozen=True)
class Trouble:
    """One attempt that gave no completion.

    Attributes:
        kind: rate_limit and failure (wait and try again), overflow (shorten the request), filtered (the
            prompt is held to be harmful: no answer), refusal (the request, key or model is wrong: stop),
            exhausted (the account is: stop, resumable).
        words: what the server says, or what happened, without the key.
        retry_after: seconds to wait, where the server says so.
        status: the HTTP status, None where there was no reply.
    """

    kind: Kind
    words: str
    retry_after: float | None = None
    status: int | None = None


def trouble_of(error: Exception, key: str | None) -> Trouble:
    """What an exception of one attempt means; one that is none of a server's is raised again."""
    match error:
        case APIStatusError():
            words = _without(key, said(error.body))
            kind = _kind(error.status_code, error.code, words)
            return Trouble(
                kind, f"{words} (HTTP {error.status_code})", _retry_after(error), error.status_code
            )
        case APIConnectionError() if _is_broken(root := _first_cause(error)):
            return Trouble("failure", _without(key, f"Connection error ({root})"))
        case APITimeoutError() | TimeoutError():
            return Trouble("failure", "no whole answer in time (llm.timeout_seconds)")
        case APIConnectionError():
            return Trouble("failure", _without(key, error.message))
        case UnusableReply():
            return Trouble("failure", _without(key, str(error)))
        case _:
            raise error


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _is_broken(error: BaseException) -> bool:
    # The transport calls every trouble with a connection a time-out; what caused it tells them apart.
    return isinstance(error, OSError | ClientError) and not isinstance(error, TimeoutError)


def _kind(status: int, code: str | None, words: str) -> Kind:
    may_be_overflow = status in (400, 413, 422, 500)
    if may_be_overflow and (code == "context_length_exceeded" or _OVERFLOW.search(words)):
        return "overflow"
    if status == 402 or code in _ACCOUNT:
        return "exhausted"
    if status == 400 and code in _FILTERED:
        return "filtered"
    if status == 429:
        return "rate_limit"
    return "failure" if status in (408, 409, 425) or status >= 500 else "refusal"


def said(body: object) -> str:
    """The message in an error's body, whatever its form, on one line."""
    while isinstance(body, Mapping):
        inner = body.get("message") or body.get("detail") or body.get("error")
        if inner is None:
            break
        body = inner
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return (text if len(text) <= _MOST_WORDS else f"{text[:_MOST_WORDS]}...") or "(no message)"


def stated_context_length(words: str) -> int | None:
    """The context length that a server names in refusing a request as too long; None where it names none."""
    found = _STATED_LENGTH.search(words)
    return int(found[1]) if found else None


def _without(key: str | None, text: str) -> str:
    return text.replace(key, "[key]") if key else text


def _retry_after(error: APIStatusError) -> float | None:
    """Seconds of Retry-After (a number or a date) or retry-after-ms; None where there is none."""
    headers = error.response.headers
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / per_second
        except ValueError:
            continue
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    date = email.utils.parsedate_tz(headers.get("retry-after", ""))
    return max(email.utils.mktime_tz(date) - time.time(), 0.0) if date else None


def completion_of(
    reply: object, request: Request, is_chat: bool, count_tokens: Callable[[str], int]
) -> Completion:
    """The completion in a reply; token counts are estimated where the server gives none.

    Raises:
        UnusableReply: there is none.
    """
    if isinstance(reply, str):  # the client parses only what calls itself JSON
        try:
            reply = json.loads(reply)
        except json.JSONDecodeError as error:
            raise UnusableReply(f"the answer is not JSON: {said(reply)[:100]!r}") from error
    choices = reply.get("choices") if isinstance(reply, Mapping) else None
    if not isinstance(reply, Mapping) or not isinstance(choices, list) or not choices:
        raise UnusableReply(f"the answer holds no choices: {said(reply)[:100]!r}")
    choice = choices[0] if isinstance(choices[0], Mapping) else {}
    text = _text(choice, is_chat)
    finish_reason = _finish_reason(choice.get("finish_reason"))
    # Cut here too: some servers leave the stop sequence in, and llm.left_out may have kept it back.
    if ends := [text.find(stop) for stop in request.stop if stop in text]:
        text, finish_reason = text[: min(ends)], "stop"
    counts: Mapping[str, Any] = usage if isinstance(usage := reply.get("usage"), Mapping) else {}
    prompt_tokens, completion_tokens = counts.get("prompt_tokens"), counts.get("completion_tokens")
    return Completion(
        text,
        finish_reason,
        prompt_tokens if isinstance(prompt_tokens, int) else count_tokens(request.prompt),
        completion_tokens if isinstance(completion_tokens, int) else count_tokens(text),
    )


def _text(choice: Mapping[str, Any], is_chat: bool) -> str:
    if is_chat:
        message = choice.get("message")
        if not isinstance(message, Mapping):
            raise UnusableReply("the answer's choice holds no message")
        # A filtered or refused answer has no content.
        text = message.get("content") or message.get("refusal") or ""
    else:
        text = choice.get("text")
    if not isinstance(text, str):
        raise UnusableReply(f"the answer's text is {said(text)[:100]!r}")
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair fits into no file


def _finish_reason(reason: object) -> FinishReason:
    match reason:
        case "length":
            return "length"
        case "content_filter":
            return "content_filter"
        case "error" | "abort":
            raise UnusableReply(f"the server ended the answer with finish_reason {reason!r}")
        case _:
            return "stop"
