"""The live line of a stage that asks a model: how far it is, how fast, what it rejects and what it costs."""

import sys
import time
from collections import Counter, deque
from types import TracebackType

from selfinstruct.llm.budget import Bill, money
from selfinstruct.progress import progress_bar

_REASONS_SHOWN = 3
_RATE_SECONDS = 30.0  # over which requests and tokens a second are taken
_FORM = "{desc}: {percentage:.0f}%, {n_fmt} of {total_fmt}, {elapsed}, {remaining} left{postfix}"


class AskingBar:
    """A progress bar over `total` results, of which `done` were there; a plain line now and then in a log.

    `bill` is that of the model asked; without one there is nothing to say of requests and cost. `rejected`
    counts by reason, and goes on counting while the bar is shown.
    """

    def __init__(
        self, name: str, total: int, done: int, bill: Bill | None, rejected: Counter[str] | None = None
    ) -> None:
        self._bill, self._rejected = bill, rejected
        self._total, self._done_before = total, done
        self._cost_before = (bill and bill.cost) or 0.0
        self._marks: deque[tuple[float, int, int]] = deque()  # seconds, requests, tokens
        self._mark()
        # The bar takes what room is left of a terminal's line, and the line is never longer than that.
        form = _FORM.replace("%,", "%|{bar}|") if sys.stderr.isatty() else _FORM
        self._bar = progress_bar(name, total, done, form=form, describe=self._description)

    def __enter__(self) -> "AskingBar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def update(self, num_done: int = 1) -> None:
        """So many more results; what is above the total is not shown."""
        self._bar.update(min(num_done, self._total - self._bar.n))

    def _description(self, done: int) -> str:
        parts = []
        if self._bill is not None:
            parts += self._speed(self._bill)
            if (cost := self._bill.cost) is not None:
                parts.append(self._cost(cost, done))
        if self._rejected:
            by_rule: Counter[str] = Counter()
            for reason, count in self._rejected.items():
                by_rule[reason.partition(":")[0]] += count
            listed = ", ".join(f"{rule} {count:,}" for rule, count in by_rule.most_common(_REASONS_SHOWN))
            parts.append(f"{by_rule.total():,} rejected: {listed}")
        return ", ".join(parts)

    def _mark(self) -> None:
        if self._bill is not None:
            self._marks.append((time.monotonic(), self._bill.now.requests, self._bill.now.tokens))

    def _speed(self, bill: Bill) -> list[str]:
        self._mark()
        while len(self._marks) > 2 and self._marks[-1][0] - self._marks[1][0] > _RATE_SECONDS:
            self._marks.popleft()
        (start, requests, tokens), (end, requests_now, tokens_now) = self._marks[0], self._marks[-1]
        seconds = max(end - start, 1e-9)
        return [
            f"{(requests_now - requests) / seconds:,.1f} requests/s",
            f"{_short((tokens_now - tokens) / seconds)} tokens/s",
        ]

    def _cost(self, cost: float, done: int) -> str:
        made = done - self._done_before
        if not made:
            return f"cost {money(cost)}"
        whole = cost + (cost - self._cost_before) / made * max(0, self._total - done)
        line = f"cost {money(cost)}, stage ~{money(whole)}"
        later = self._bill.later if self._bill is not None else 0.0
        return f"{line}, run ~{money(whole + later)}" if later else line


def _short(number: float) -> str:
    """950, 4.1k, 280k, 1.2M: a line of a terminal is short."""
    if number < 1000:
        return f"{number:.0f}"
    scaled, unit = (number / 1000, "k") if number < 1e6 else (number / 1e6, "M")
    return f"{scaled:.{1 if scaled < 100 else 0}f}{unit}"
