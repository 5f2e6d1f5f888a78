"""Requests that fit a model's context: demonstrations are dropped, down to a few, then tokens to write."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from selfinstruct.llm.base import LLM, Request
from selfinstruct.prompts import PromptTooLong, fit_to_context
from selfinstruct.queries import Query

# One task is no list to go on with, and of demonstrations of two kinds, interleaved, two show both. Without
# any, every request of stage 1 would be the same one, paid for again and again.
FEWEST_SHOWN = 2
_LEAST_SHARE = 4  # an answer keeps at least this part (a quarter) of the tokens that it may have


@dataclass(frozen=True)
class FewShot:
    """A few-shot question: its settings, and its prompt with a given number of demonstrations, up to `most`.

    Where the fewest do not fit (long tasks, a long instruction) it is asked with fewer rather than not at
    all; with none only if it `may_show_none`.
    """

    query: Query
    render: Callable[[int], str]
    most: int
    seed: str
    subject: str | None = None
    may_show_none: bool = False

    @property
    def fewest(self) -> int:
        return min(FEWEST_SHOWN, self.most)

    @property
    def least_tokens(self) -> int:
        """The shortest answer that is worth asking for."""
        return max(1, self.query.max_tokens // _LEAST_SHARE)

    def fitted(self, llm: LLM) -> tuple[Request, int]:
        """The request as a model can take it, and how many demonstrations it shows.

        Raises:
            PromptTooLong: it cannot, not even with the fewest demonstrations and the shortest answer.
        """
        number = self._number(llm)
        return self.request(number, self.query.max_tokens), number

    def _number(self, llm: LLM) -> int:
        number = -1
        room = llm.room_for(self.query.max_tokens)
        utmost = llm.room_for(1) if self.may_show_none else None
        try:
            _, number = fit_to_context(self.render, room, llm.count_tokens, self.most, utmost)
        except PromptTooLong:
            if self.may_show_none:
                raise
        if number >= self.fewest:
            return number
        tokens = llm.count_tokens(self.render(self.fewest))
        if tokens <= llm.room_for(self.least_tokens):
            return self.fewest
        if self.may_show_none:
            return number
        tokens = llm.count_tokens(self.render(1))
        if tokens <= llm.room_for(self.least_tokens):
            return 1
        raise PromptTooLong(
            f"llm.context_length={llm.context_length}: {tokens} tokens of a prompt with one "
            f"demonstration and {self.least_tokens} of an answer (a quarter of max_tokens) do not fit; "
            "take a model with more context, or lower the query's max_tokens"
        )

    def request(self, number: int, max_tokens: int) -> Request:
        """The request with so many demonstrations, which knows how to get shorter (see `Request.shorter`)."""

        def shorter() -> Request | None:
            if number > self.fewest:
                return self.request(number - 1, max_tokens)
            if max_tokens > self.least_tokens:
                return self.request(number, max(max_tokens // 2, self.least_tokens))
            lowest = 0 if self.may_show_none else 1
            return self.request(number - 1, max_tokens) if number > lowest else None

        request = self.query.request(self.render(number), self.seed, self.subject)
        return replace(request, max_tokens=max_tokens, shorter=shorter)


def with_fewer(request: Request, num_dropped: int) -> Request:
    """The request as it was answered, with so many demonstrations fewer (or the fewest it can have)."""
    shorter: Request | None = request
    while num_dropped and shorter is not None:
        before = shorter.prompt
        shorter = shorter.shorter() if shorter.shorter is not None else None
        if shorter is not None and shorter.prompt != before:  # else only the answer got shorter
            request, num_dropped = shorter, num_dropped - 1
    return request
