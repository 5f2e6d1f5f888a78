"""A server that plays a language model in every stage of phase 1, and goes wrong as often as it is told to.

The same request gets the same answer, whatever went before. Faults are drawn by request and attempt.
"""

import hashlib
import json
import random
import re
import threading
from collections import Counter
from typing import Any

import fake_server
from fake_server import Behaviour, Handler, answer, error, prompt_of, raw

NEXT_NUMBER = re.compile(r"(\d+)\.\Z")
QUESTION = "Is it classification?"
VERBS = ("Name", "Describe", "Rank", "Rewrite", "Explain", "Translate", "Compare", "Sort", "Plan", "Draw")
THINGS = ("rivers", "letters", "recipes", "sonnets", "bridges", "café menus", "proverbs", "timetables")
WHERE = ("in the north", "for a child", "from last year", "without verbs", "by their length", "at sea")
EXTRAS = ("and say why", "in two lines", "as a table", "with an example of each", "for my USA trip", "🙂")


class GenerationServer:
    """The behaviour of a `FakeServer`; what it answered whole is counted by prompt."""

    def __init__(self, fault_share: float = 0.0) -> None:
        self.fault_share = fault_share
        self.answered: Counter[str] = Counter()
        self.num_faults = 0
        self._attempts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, handler: Handler, body: dict[str, Any]) -> None:
        key = json.dumps(body, sort_keys=True)
        with self._lock:
            self._attempts[key] += 1
            rng = _random(f"{key}#{self._attempts[key]}")
        if rng.random() < self.fault_share:
            with self._lock:
                self.num_faults += 1
            rng.choices(*zip(*FAULTS, strict=True))[0](handler, body)
            return
        text, finish_reason = written(body)
        answer(text, finish_reason, after=rng.uniform(0.0, 0.03))(handler, body)
        with self._lock:
            self.answered[prompt_of(body)] += 1


def _says_the_key(handler: Handler, body: dict[str, Any]) -> None:
    error(500, f"cannot check {handler.headers['Authorization']}")(handler, body)


# How each fault comes, and its weight among them; a stall lasts until the client gives up.
FAULTS: tuple[tuple[Behaviour, float], ...] = (
    (error(429, "slow down"), 3),
    (error(429, "slow down", retry_after="0.05"), 3),
    (error(500), 2),
    (error(503, "overloaded"), 2),
    (_says_the_key, 1),
    (fake_server.connection_reset, 2),
    (fake_server.truncated_json, 2),
    (fake_server.body_cut_off, 2),
    (raw(json.dumps({"choices": []})), 2),
    (raw("<html>busy</html>", kind="text/html"), 1),
    (fake_server.stall_in_the_middle, 0.3),
)


def written(body: dict[str, Any]) -> tuple[str, str]:
    """(text, finish reason) of the answer to a request."""
    prompt = prompt_of(body)
    rng = _random(json.dumps(body, sort_keys=True))
    finish_reason = "length" if rng.random() < 0.05 else "stop"
    if number := NEXT_NUMBER.search(prompt):
        return _tasks(int(number[1]), rng), finish_reason
    if prompt.endswith(QUESTION):
        return rng.choice((" Yes", " No", " No", " Yes.")), "stop"
    if prompt.endswith("Output:"):
        return rng.choice(("", *(f" {_task(rng)} It is so." for _ in range(9)))), finish_reason
    return _instances(rng), finish_reason


def _tasks(first: int, rng: random.Random) -> str:
    numbers = range(first, first + 8)
    return "\n".join(f"{'' if number == first else number}. {_task(rng)}" for number in numbers)[1:]


def _task(rng: random.Random) -> str:
    parts = [rng.choice(VERBS), str(rng.randint(2, 400)), rng.choice(THINGS), rng.choice(WHERE)]
    return " ".join([*parts, rng.choice(EXTRAS), rng.choice(THINGS)]) + "."


def _instances(rng: random.Random) -> str:
    # Both forms, so that whichever stage 2 has chosen there are answers with and without instances.
    if rng.random() < 0.5:
        labels = (f"Class label: {rng.choice(THINGS)}\n{_task(rng)}" for _ in range(rng.randint(1, 6)))
        return "\n".join(labels)
    examples = (
        f"Example {n}\nText: {_task(rng)}\nOutput: {_task(rng)}\n" for n in range(1, rng.randint(2, 7))
    )
    return "\n".join(examples)


def _random(text: str) -> random.Random:
    return random.Random(hashlib.sha256(text.encode()).hexdigest())
