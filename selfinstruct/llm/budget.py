"""Stops before money or requests run out: limits on what a run may ask of its model, over all its starts."""

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.llm.base import LLM, Completion, Request, WrappedLLM


@dataclass(frozen=True)
class Price:
    """Cost of a million tokens, in any currency."""

    input: float
    output: float

    def __post_init__(self) -> None:
        if self.input < 0 or self.output < 0:
            raise UserError(f"budget.prices: input={self.input}, output={self.output}: must be 0 or more")

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """The cost of so many tokens."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


@dataclass
class BudgetConfig:
    """The `budget` keys: what a run may use at most (null: no limit), and what tokens cost, by model name."""

    max_requests: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None
    prices: dict[str, dict[str, float]] | None = None

    def __post_init__(self) -> None:
        for name in ("max_requests", "max_tokens", "max_cost"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise UserError(f"budget.{name}: {value} must be 0 or more, or null for no limit")
        for model, price in (self.prices or {}).items():
            wanted = "must be {input: COST, output: COST} of a million tokens"
            if not isinstance(price, dict) or price.keys() != {"input", "output"}:
                raise UserError(f"budget.prices: {model}: {price!r} {wanted}")
            if not all(isinstance(value, int | float) for value in price.values()):
                raise UserError(f"budget.prices: {model}: {price!r} {wanted}")

    def price_of(self, model: str | None) -> Price | None:
        """The price of a model; None where none is given.

        Raises:
            UserError: `max_cost` is set, but the model has no price.
        """
        found = (self.prices or {}).get(str(model))
        if found is None and self.max_cost is not None:
            example = f"'budget.prices={{{model}: {{input: 1, output: 2}}}}' (per million tokens)"
            raise UserError(f"budget.max_cost needs the price of {model}; give {example}")
        return Price(**found) if found else None


@dataclass
class Spent:
    """What a run has used so far, over all its starts: answered requests, and their tokens."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    _priced: dict[Price, Counter[str]] = field(default_factory=dict)  # tokens by what they cost

    @classmethod
    def on(cls, completions: Iterable[tuple[Completion, Price | None]]) -> "Spent":
        """The sum over answers that are on disk, each with its price."""
        spent = cls()
        for completion, price in completions:
            spent.add(completion, price)
        return spent

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost(self) -> float:
        """Of the answers whose price is known."""
        return sum(price.of(tokens["prompt"], tokens["completion"]) for price, tokens in self._priced.items())

    def add(self, completion: Completion, price: Price | None) -> None:
        """Count an answer."""
        self.requests += 1
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens
        if price is not None:
            tokens = self._priced.setdefault(price, Counter())
            tokens["prompt"] += completion.prompt_tokens
            tokens["completion"] += completion.completion_tokens


@dataclass
class Bill:
    """What the answers in a folder's log used: those of earlier starts, and those asked for in this one.

    `later` is the cost expected of the stages after the one that is asking.
    """

    price: Price | None
    earlier: Spent
    now: Spent = field(default_factory=Spent)
    later: float = 0.0

    @property
    def cost_now(self) -> float | None:
        """Of those of this start; None where no price is known."""
        if self.price is None:
            return None
        return self.price.of(self.now.prompt_tokens, self.now.completion_tokens)

    @property
    def cost(self) -> float | None:
        """Of all of them; None where no price is known."""
        return None if self.cost_now is None else self.earlier.cost + self.cost_now

    @property
    def all(self) -> Spent:
        """Those of all starts."""
        earlier, now = self.earlier, self.now
        return Spent(
            earlier.requests + now.requests,
            earlier.prompt_tokens + now.prompt_tokens,
            earlier.completion_tokens + now.completion_tokens,
        )

    def __str__(self) -> str:
        now, together = _line(self.now, self.cost_now), _line(self.all, self.cost)
        return f"asked in this start: {now}; in all: {together}"


def _line(spent: Spent, cost: float | None) -> str:
    line = f"{spent.requests:,} requests, {spent.tokens:,} tokens"
    return line if cost is None else f"{line}, cost {money(cost)}"


def money(cost: float) -> str:
    """A cost to read: two decimals, more of what is below 1."""
    return f"{cost:,.2f}" if cost >= 1 else f"{cost:.4f}"


@dataclass
class _Asked:
    """A request, with what it may use at most until its answer is there."""

    prompt_tokens: int
    max_tokens: int
    is_sent: bool = False  # backends that ask no server never say so
    is_reserved: bool = False


class _Account:
    """What is used, and what requests on their way may still use."""

    def __init__(self, config: BudgetConfig, price: Price | None, spent: Spent) -> None:
        self.counts_tokens = config.max_tokens is not None or config.max_cost is not None
        self.pending: deque[_Asked] = deque()  # of the stage at hand, in order
        self._config, self._price, self._spent = config, price, spent
        self._reserved = Spent()
        self._lock = threading.Lock()  # answers arrive in a thread of the backend

    def reserve(self, asked: _Asked) -> str | None:
        """Set aside what a request may use; if that would pass a limit, nothing: the limit."""
        with self._lock:
            used = self._spent, self._reserved
            requests = 1 + sum(each.requests for each in used)
            prompts = asked.prompt_tokens + sum(each.prompt_tokens for each in used)
            answers = asked.max_tokens + sum(each.completion_tokens for each in used)
            limits: list[tuple[str, float | None, float]] = [
                ("max_requests", self._config.max_requests, requests),
                ("max_tokens", self._config.max_tokens, prompts + answers),
            ]
            if self._price is not None:
                waiting = asked.prompt_tokens + self._reserved.prompt_tokens
                longest = asked.max_tokens + self._reserved.completion_tokens
                cost = self._spent.cost + self._price.of(waiting, longest)
                limits.append(("max_cost", self._config.max_cost, cost))
            for name, limit, needed in limits:
                if limit is not None and needed > limit:
                    return f"budget.{name}={limit:g}"
            self._reserve(asked)
            return None

    def send(self, asked: _Asked) -> None:
        """The request is on its way: from here on it may cost something, even if nobody waits for it."""
        with self._lock:
            asked.is_sent = True
            self._reserve(asked)

    def settle(self, asked: _Asked, completion: Completion) -> None:
        """Count an answer in the place of what was set aside for it; a second time changes nothing."""
        with self._lock:
            if asked.is_reserved:
                self._release(asked)
                self._spent.add(completion, self._price)

    def drop(self, asked: Iterable[_Asked]) -> None:
        """Set nothing aside any more for requests that nobody waits for and that were never sent."""
        with self._lock:
            for each in asked:
                if not each.is_sent:
                    self._release(each)

    def _reserve(self, asked: _Asked) -> None:
        if not asked.is_reserved:
            asked.is_reserved = True
            self._change_reserved(asked, 1)

    def _release(self, asked: _Asked) -> None:
        if asked.is_reserved:
            asked.is_reserved = False
            self._change_reserved(asked, -1)

    def _change_reserved(self, asked: _Asked, sign: int) -> None:
        self._reserved.requests += sign
        self._reserved.prompt_tokens += sign * asked.prompt_tokens
        self._reserved.completion_tokens += sign * asked.max_tokens

    def refusal(self, limit: str) -> str:
        """What to tell the user of a limit, once all that was sent is answered."""
        with self._lock:
            used = f"{self._spent.requests:,} requests and {self._spent.tokens:,} tokens"
        return (
            f"{limit} would be passed by the next request ({used} used so far); raise it and start again to "
            "continue"
        )


class BudgetedLLM(WrappedLLM):
    """A model that is not asked when that could pass the budget; the run then stops, and can be continued.

    A request counts with its prompt and the longest answer it may get until the answer is there, so the
    limits hold whatever comes back. What is held back goes out as soon as answers shorter than that make room
    for it. `StoppedEarly` comes in the place of the first request that nothing makes room for, after the
    answers to all before it.
    """

    def __init__(self, llm: LLM, config: BudgetConfig, price: Price | None, spent: Spent) -> None:
        self._set_up(llm, _Account(config, price, spent))

    def _set_up(self, llm: LLM, account: _Account) -> None:
        super().__init__(llm)
        self._account = account
        account.pending = deque()
        self._held: deque[Request] = deque()
        self._limit = ""

    def submit(self, request: Request) -> None:
        """Send the request, or hold it and all later ones back where it could pass the budget."""
        self._held.append(request)
        if len(self._held) == 1:
            self._send_held()

    def next_completion(self) -> Completion:
        """The next answer.

        Raises:
            StoppedEarly: everything sent is answered, and the next request was held back.
        """
        if self.chunk_size == 1:  # else a chunk would be made up of other requests than without a budget
            self._send_held()
        if not self._account.pending and self._held:
            raise StoppedEarly(self._account.refusal(self._limit))
        completion = self._llm.next_completion()
        self._account.settle(self._account.pending.popleft(), completion)
        return completion

    def for_stage(self, stage: str, start_index: int = 0) -> LLM:
        """The same budget for the wrapped model's view of a stage."""
        llm = self._llm.for_stage(stage, start_index)
        self._account.drop(self._account.pending)
        view = BudgetedLLM.__new__(BudgetedLLM)
        view._set_up(llm, self._account)
        return view

    def _send_held(self) -> None:
        while self._held:
            request = self._held[0]
            num_tokens = self._llm.count_tokens(request.prompt) if self._account.counts_tokens else 0
            asked = _Asked(num_tokens, request.max_tokens)
            limit = self._account.reserve(asked)
            if limit is not None:
                self._limit = limit
                return
            self._held.popleft()
            self._account.pending.append(asked)
            self._llm.submit(self._watched(request, asked))

    def _watched(self, request: Request, asked: _Asked) -> Request:
        keep = request.arrived

        def arrived(completion: Completion) -> None:
            if keep is not None:
                keep(completion)
            self._account.settle(asked, completion)

        return replace(request, sent=partial(self._account.send, asked), arrived=arrived)
