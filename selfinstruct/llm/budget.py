"""Stops before money or requests run out: limits on what a run may ask of its model, over all its starts."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

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


class BudgetedLLM(WrappedLLM):
    """A model that is not asked when that could pass the budget; the run then stops, and can be continued.

    A request counts with its prompt and the longest answer it may get until the answer is there, so the
    limits hold whatever comes back. Answers to what was sent before are still handed out, in order;
    `StoppedEarly` comes in the place of the first request that was held back.
    """

    def __init__(self, llm: LLM, config: BudgetConfig, price: Price | None, spent: Spent) -> None:
        super().__init__(llm)
        self._config, self._price, self._spent = config, price, spent
        self._pending: deque[tuple[int, int]] = deque()  # prompt tokens, longest answer
        self._refusal: str | None = None

    def submit(self, request: Request) -> None:
        """Send the request, or hold it and all later ones back where it could pass the budget."""
        if self._refusal is None:
            needed = self._llm.count_tokens(request.prompt), request.max_tokens
            self._refusal = self._would_pass(*needed)
            if self._refusal is None:
                self._pending.append(needed)
                self._llm.submit(request)

    def next_completion(self) -> Completion:
        """The next answer.

        Raises:
            StoppedEarly: everything sent is answered, and the next request was held back.
        """
        if not self._pending and self._refusal is not None:
            raise StoppedEarly(self._refusal)
        completion = self._llm.next_completion()
        self._pending.popleft()
        self._spent.add(completion, self._price)
        return completion

    def for_stage(self, stage: str, start_index: int = 0) -> LLM:
        """The same budget for the wrapped model's view of a stage."""
        return BudgetedLLM(self._llm.for_stage(stage, start_index), self._config, self._price, self._spent)

    def _would_pass(self, prompt_tokens: int, max_tokens: int) -> str | None:
        waiting = [*self._pending, (prompt_tokens, max_tokens)]
        prompts, answers = sum(prompt for prompt, _ in waiting), sum(longest for _, longest in waiting)
        limits: list[tuple[str, float | None, float]] = [
            ("max_requests", self._config.max_requests, self._spent.requests + len(waiting)),
            ("max_tokens", self._config.max_tokens, self._spent.tokens + prompts + answers),
        ]
        if self._price is not None:
            cost = self._spent.cost + self._price.of(prompts, answers)
            limits.append(("max_cost", self._config.max_cost, cost))
        for name, limit, needed in limits:
            if limit is not None and needed > limit:
                return self._message(name, limit)
        return None

    def _message(self, name: str, limit: float) -> str:
        # Answers still to come count with their longest: what is really used is known when they are there.
        used = f"{self._spent.requests + len(self._pending)} requests asked"
        return (
            f"budget.{name}={limit:g} would be passed by the next request ({used}, at least "
            f"{self._spent.tokens} tokens used); raise it and start again to continue"
        )
