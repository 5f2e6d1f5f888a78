"""The sampling settings of the three kinds of requests (paper, Table 4)."""

from dataclasses import dataclass

from selfinstruct.errors import UserError
from selfinstruct.llm.base import Request


@dataclass
class Query:
    """Sampling settings of one kind of request; names as in the OpenAI completions API."""

    temperature: float
    top_p: float
    presence_penalty: float
    frequency_penalty: float
    max_tokens: int
    stop: list[str]

    def check(self, where: str) -> None:
        """UserError, naming the key after `where`, for a value that no request may have."""
        if self.temperature < 0:
            raise UserError(f"{where}.temperature: {self.temperature} must be 0 (greedy) or more")
        if not 0 < self.top_p <= 1:
            raise UserError(f"{where}.top_p: {self.top_p} must be above 0 and at most 1")
        if self.max_tokens < 1:
            raise UserError(f"{where}.max_tokens: {self.max_tokens} must be at least 1")

    def request(self, prompt: str, seed: str, subject: str | None = None) -> Request:
        return Request(
            prompt=prompt,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            presence_penalty=self.presence_penalty,
            frequency_penalty=self.frequency_penalty,
            stop=tuple(self.stop),
            seed=seed,
            subject=subject,
        )


@dataclass
class Queries:
    """The `queries` group of the configs."""

    instructions: Query
    classification: Query
    instances: Query

    def __post_init__(self) -> None:
        self.instructions.check("queries.instructions")
        self.classification.check("queries.classification")
        self.instances.check("queries.instances")
