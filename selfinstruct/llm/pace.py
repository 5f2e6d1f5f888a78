"""When the next request may go to a server: its limits per minute, and the pauses after trouble."""

import asyncio
import random
import time

LONGEST_PAUSE_SECONDS = 60.0  # of our own choosing
LONGEST_WAIT_SECONDS = 600.0  # that a server may ask for; longer, and the run stops, resumable


def pause_seconds(times: int, first_seconds: float, retry_after: float | None) -> float:
    """How long to wait after something went wrong for the `times`-th time (from 1).

    Doubles each time, less up to half of it at random, so that requests that failed together do not come
    back together; never shorter than what the server asks for with Retry-After, but maybe longer: a server
    that lets through one of many says the same short time again and again.
    """
    backoff = min(first_seconds * 2 ** min(times - 1, 30), LONGEST_PAUSE_SECONDS)
    jittered = backoff * random.uniform(0.5, 1.0)
    asked_for = (retry_after or 0.0) + random.uniform(0.0, 0.1) * min(retry_after or 0.0, 10.0)
    return max(jittered, asked_for)


class Pace:
    """Spaces requests evenly, so that no minute holds more of them, or of their tokens, than allowed."""

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None) -> None:
        self._seconds_per_request = 60 / requests_per_minute if requests_per_minute else 0.0
        self._seconds_per_token = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._next_start = self._held_until = 0.0

    async def turn(self, num_tokens: int) -> None:
        """Wait until a request of `num_tokens` (prompt and answer) may start."""
        now = time.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + max(self._seconds_per_request, num_tokens * self._seconds_per_token)
        await asyncio.sleep(start - now)
        while (left := self._held_until - time.monotonic()) > 0:
            await asyncio.sleep(left * random.uniform(1.0, 1.1))

    def hold(self, seconds: float) -> None:
        """Let no request start for so long: the server has said that there are too many."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)
