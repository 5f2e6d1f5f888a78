"""Keeps every answer of a model on disk before it is used: a restart asks nothing twice."""

import hashlib
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, Completion, Request, WrappedLLM
from selfinstruct.llm.budget import Bill, BudgetConfig, BudgetedLLM, Price, Spent

# What names a request, of its fields.
_NAMING = tuple(field.name for field in fields(Request) if field.compare)


class LoggedLLM(WrappedLLM):
    """A model whose answers are appended to `path` as they come, and read from it where they are there.

    An answer is on disk before its place in flight is given to another request, whether its turn has come
    or not: a kill loses no more answers than there are requests in flight.

    Use `for_stage` to ask: a request is known by the model, the stage, its index in the stage and all its
    fields. A chunk of the model of which one answer is missing is asked again whole, so that it is computed
    with the same batch mates; answers already on disk win and are not written twice. A `budget` limits what
    is asked, this start and the earlier ones together.

    Args:
        price: of this model's tokens.
        other_prices: of the tokens in stages that another model answers.
    """

    def __init__(
        self,
        llm: LLM,
        path: Path,
        budget: BudgetConfig | None = None,
        price: Price | None = None,
        other_prices: Mapping[str, Price | None] | None = None,
    ) -> None:
        self._path = path
        self._log: jsonl.Appender | None = None  # from the first answer on: before, nothing need be there
        self._lock = threading.Lock()  # of the log's end, which a thread of the backend writes to
        jsonl.cut_torn_last_line(path)
        logged = _answers_by_key(path, jsonl.numbered_records(path)) if path.exists() else {}
        self._answers = {key: completion for key, (_, completion) in logged.items()}
        prices = other_prices or {}
        priced = [(completion, prices.get(stage, price)) for stage, completion in logged.values()]
        if budget is not None:
            llm = BudgetedLLM(llm, budget, price, Spent.on(priced))
        super().__init__(llm)
        self.bill: Bill = Bill(price, Spent.on(priced))
        self._stage = _Stage(self, llm, "", 0)

    def take_in(self, logs: Iterable[Path]) -> None:
        """Count answers in other processes' logs, which they may be writing, as if they were in its own."""
        for path in logs:
            found = _answers_by_key(path, jsonl.finished_records(path))
            self._answers |= {key: completion for key, (_, completion) in found.items()}

    def submit(self, request: Request) -> None:
        """As `for_stage("")`."""
        self._stage.submit(request)

    def next_completion(self) -> Completion:
        """As `for_stage("")`."""
        return self._stage.next_completion()

    def for_stage(self, stage: str, start_index: int = 0) -> LLM:
        """A view whose requests are logged under `stage`, numbered from `start_index`."""
        return _Stage(self, self._llm.for_stage(stage, start_index), stage, start_index)

    def close(self) -> None:
        """Close the wrapped model and the log."""
        self._llm.close()
        if self._log is not None:
            self._log.close()

    def recorded(self, key: str) -> Completion | None:
        """The answer on disk to the request of that key."""
        return self._answers.get(key)

    def record(self, ask: "_Ask", stage: str, completion: Completion) -> None:
        """Put an answer on disk, unless it is there."""
        line = {
            "stage": stage,
            "index": ask.index,
            "key": ask.key,
            "prompt": ask.request.prompt,
            "text": completion.text,
            "finish_reason": completion.finish_reason,
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
        }
        if ask.request.subject is not None:
            line["subject"] = ask.request.subject  # a prompt for it can look otherwise in another run
        if completion.dropped_demonstrations:  # said only where there is something to say
            line["dropped_demonstrations"] = completion.dropped_demonstrations
        with self._lock:
            if ask.key in self._answers:
                return
            if self._log is None:
                self._log = jsonl.Appender(self._path)
            self._log.write(line | {"time": time.time()})
            self._answers[ask.key] = completion
            self.bill.now.add(completion, self.bill.price)


@dataclass
class _Ask:
    request: Request
    index: int
    key: str
    sent: bool = False


class _Stage(WrappedLLM):
    """One stage's requests: collected into the model's chunks, which are sent whole or not at all."""

    def __init__(self, parent: LoggedLLM, llm: LLM, stage: str, start_index: int) -> None:
        super().__init__(llm)
        self._parent, self._stage = parent, stage
        self._start_index = self._next_index = start_index
        self.bill = parent.bill
        self._description = dict(llm.description)
        self._chunk: list[_Ask] = []
        self._outstanding: deque[_Ask] = deque()

    def submit(self, request: Request) -> None:
        index, self._next_index = self._next_index, self._next_index + 1
        settings = {name: getattr(request, name) for name in _NAMING}
        if not request.stop_behind_text:
            del settings["stop_behind_text"]  # named only where it says something: older logs stay good
        named = jsonl.dumps([self._description, self._stage, index, settings])
        key = hashlib.sha256(named.encode()).hexdigest()
        self._chunk.append(_Ask(request, index, key))
        if (self._next_index - self._start_index) % self.chunk_size == 0:
            self._dispatch()

    def next_completion(self) -> Completion:
        if not self._outstanding:
            self._dispatch()
        if not self._outstanding:
            raise LookupError("no request is waiting for an answer")
        ask = self._outstanding[0]
        computed = self._llm.next_completion() if ask.sent else None
        self._outstanding.popleft()
        recorded = self._parent.recorded(ask.key)
        if recorded is not None:
            return recorded
        assert computed is not None
        self._record(ask, computed)
        return computed

    def _record(self, ask: _Ask, completion: Completion) -> None:
        self._parent.record(ask, self._stage, completion)

    def _dispatch(self) -> None:
        if any(self._parent.recorded(ask.key) is None for ask in self._chunk):
            for ask in self._chunk:
                self._llm.submit(replace(ask.request, index=ask.index, arrived=partial(self._record, ask)))
                ask.sent = True
        self._outstanding.extend(self._chunk)
        self._chunk = []


def logged_completion(record: jsonl.Record) -> Completion:
    """The answer in a line of the log; KeyError where a field is missing."""
    counts = record["prompt_tokens"], record["completion_tokens"], record.get("dropped_demonstrations", 0)
    return Completion(record["text"], record["finish_reason"], *counts)


def _answers_by_key(
    path: Path, records: Iterable[tuple[int, jsonl.Record]]
) -> dict[str, tuple[str, Completion]]:
    """The stage and the answer of each key."""
    answers: dict[str, tuple[str, Completion]] = {}
    for number, record in records:
        try:
            completion = logged_completion(record)
            answers[record["key"]] = record["stage"], completion
        except KeyError as error:
            advice = "delete the line (it is asked again), or choose another run_dir"
            raise UserError(f"{path}:{number}: {error.args[0]} is missing; {advice}") from error
    return answers
