"""Keeps every answer of a model on disk before it is used: a restart asks nothing twice."""

import hashlib
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, Completion, Request, WrappedLLM
from selfinstruct.llm.budget import BudgetConfig, BudgetedLLM, Price, Spent


class LoggedLLM(WrappedLLM):
    """A model whose answers are appended to `path` as they come, and read from it where they are there.

    Use `for_stage` to ask: a request is known by the model, the stage, its index in the stage and all its
    fields. A chunk of the model of which one answer is missing is asked again whole, so that it is computed
    with the same batch mates; answers already on disk win and are not written twice. A `budget` limits what
    is asked, this start and the earlier ones together.
    """

    def __init__(
        self, llm: LLM, path: Path, budget: BudgetConfig | None = None, price: Price | None = None
    ) -> None:
        self._path = path
        self._log: jsonl.Appender | None = None  # from the first answer on: before, nothing need be there
        jsonl.cut_torn_last_line(path)
        self._answers = _answers_by_key(path, jsonl.numbered_records(path)) if path.exists() else {}
        if budget is not None:
            llm = BudgetedLLM(llm, budget, price, Spent.on(self._answers.values()))
        super().__init__(llm)
        self._stage = _Stage(self, llm, "", 0)

    def take_in(self, logs: Iterable[Path]) -> None:
        """Count answers in other processes' logs, which they may be writing, as if they were in its own."""
        for path in logs:
            self._answers |= _answers_by_key(path, jsonl.finished_records(path))

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
        """Close the log and the wrapped model."""
        if self._log is not None:
            self._log.close()
        self._llm.close()

    def recorded(self, key: str) -> Completion | None:
        """The answer on disk to the request of that key."""
        return self._answers.get(key)

    def record(self, ask: "_Ask", stage: str, completion: Completion) -> None:
        """Put an answer on disk."""
        heading = {"stage": stage, "index": ask.index, "key": ask.key, "prompt": ask.request.prompt}
        if self._log is None:
            self._log = jsonl.Appender(self._path)
        answer = asdict(completion)
        if not completion.dropped_demonstrations:
            del answer["dropped_demonstrations"]  # said only where there is something to say
        self._log.write(heading | answer | {"time": time.time()})
        self._answers[ask.key] = completion


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
        self._chunk: list[_Ask] = []
        self._outstanding: deque[_Ask] = deque()

    def submit(self, request: Request) -> None:
        index, self._next_index = self._next_index, self._next_index + 1
        settings = asdict(replace(request, shorter=None))
        del settings["shorter"]
        if not request.stop_behind_text:
            del settings[
                "stop_behind_text"
            ]  # named only where it says something: logs from before it stay good
        fields = [self._llm.description, self._stage, index, settings]
        key = hashlib.sha256(jsonl.dumps(fields).encode()).hexdigest()
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
        self._parent.record(ask, self._stage, computed)
        return computed

    def _dispatch(self) -> None:
        if any(self._parent.recorded(ask.key) is None for ask in self._chunk):
            for ask in self._chunk:
                self._llm.submit(ask.request)
                ask.sent = True
        self._outstanding.extend(self._chunk)
        self._chunk = []


def logged_completion(record: jsonl.Record) -> Completion:
    """The answer in a line of the log; KeyError where a field is missing."""
    counts = record["prompt_tokens"], record["completion_tokens"], record.get("dropped_demonstrations", 0)
    return Completion(record["text"], record["finish_reason"], *counts)


def _answers_by_key(path: Path, records: Iterable[tuple[int, jsonl.Record]]) -> dict[str, Completion]:
    answers: dict[str, Completion] = {}
    for number, record in records:
        try:
            answers[record["key"]] = logged_completion(record)
        except KeyError as error:
            advice = "delete the line (it is asked again), or choose another run_dir"
            raise UserError(f"{path}:{number}: {error.args[0]} is missing; {advice}") from error
    return answers
