"""The files of stage 1: an answer is committed whole, and a restart cuts off what was not."""

import math
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.llm.base import Completion
from selfinstruct.novelty import NoveltyFilter, Similarity
from selfinstruct.novelty_scores import Scorer

INSTRUCTIONS = "machine_generated_instructions.jsonl"
REQUESTS = "requests.jsonl"
REJECTED = "rejected.jsonl"
_INSTRUCTION_FIELDS = {"instruction": str, "request_idx": int}

# Scored together they share the way through the pool, and all cores share the work.
_TEXTS_AT_ONCE = 64 * (os.cpu_count() or 1)
_LONGEST_DELAY_SECONDS = 1.0


@dataclass(frozen=True)
class Judged:
    """An answer, the request it came to, and what became of its candidates.

    `accepted` are the members of the pool from number `first_member` on.
    """

    index: int
    prompt: str
    num_shown: int
    completion: Completion
    num_candidates: int
    accepted: list[str]
    first_member: int
    rejected: list[jsonl.Record]


class Committer:
    """Puts judged answers on disk in the order given, in a thread of its own.

    What is stored with an accepted instruction, its scores with the whole pool, takes more time than all the
    rest and decides nothing: requests need not wait for it. A kill loses what is not yet written; a restart
    takes those answers from the response log and judges them again.

    An answer is its accepted lines, its rejected lines, then its line in `requests.jsonl`, which is what
    counts.

    At the end of a `with` block everything is written; after an interrupt or an error only what is begun.
    """

    def __init__(self, folder: Path, pool: NoveltyFilter) -> None:
        self._folder, self._pool = folder, pool
        self._queue: queue.SimpleQueue[Judged | None] = queue.SimpleQueue()
        self._given_up = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)

    def __enter__(self) -> "Committer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, StoppedEarly):
            self._given_up.set()
        self._queue.put(None)
        try:
            self._thread.join()
        except BaseException:
            self._given_up.set()
            self._thread.join()
            raise
        if self._error is not None and error is None:
            raise self._error

    def put(self, judged: Judged) -> None:
        """Have an answer written; raises what went wrong with an earlier one."""
        if self._error is not None:
            raise self._error
        self._queue.put(judged)

    def _work(self) -> None:
        try:
            with ExitStack() as stack:
                accepted, rejected, requests = (
                    stack.enter_context(jsonl.Appender(self._folder / name))
                    for name in (INSTRUCTIONS, REJECTED, REQUESTS)
                )
                scorer = stack.enter_context(Scorer(self._pool))
                for batch in self._batches():
                    first, stop = batch[0].first_member, batch[-1].first_member + len(batch[-1].accepted)
                    scores = scorer.similarities(first, stop)
                    for judged in batch:
                        _write(judged, scores, accepted, rejected, requests)
        except BaseException as error:
            self._error = error

    def _batches(self) -> Iterator[list[Judged]]:
        """What waits, as soon as it is worth while or has waited long enough."""
        has_ended = False
        while not has_ended and not self._given_up.is_set():
            batch: list[Judged] = []
            deadline, num_texts = math.inf, 0
            while num_texts < _TEXTS_AT_ONCE:
                try:
                    wait = deadline - time.monotonic()
                    judged = self._queue.get(timeout=max(0.0, wait) if batch else None)
                except queue.Empty:
                    break
                if judged is None:
                    has_ended = True
                    break
                batch.append(judged)
                num_texts += len(judged.accepted)
                deadline = min(deadline, time.monotonic() + _LONGEST_DELAY_SECONDS)
            if batch:
                yield batch


def _write(
    judged: Judged,
    scores: Iterator[Similarity],
    accepted: jsonl.Appender,
    rejected: jsonl.Appender,
    requests: jsonl.Appender,
) -> None:
    completion = judged.completion
    response = {"choices": [{"text": completion.text, "finish_reason": completion.finish_reason}]}
    for text in judged.accepted:
        most_similar, mean = next(scores)
        accepted.write(
            {
                "instruction": text,
                "most_similar": most_similar,
                "avg_similarity_score": mean,
                "metadata": {"prompt": judged.prompt, "response": response},
                "request_idx": judged.index,
            }
        )
    for line in judged.rejected:
        rejected.write(line)
    requests.write(
        {
            "request_idx": judged.index,
            "candidates": judged.num_candidates,
            "accepted": len(judged.accepted),
            "shown": judged.num_shown,
            "finish_reason": completion.finish_reason,
        }
    )


@dataclass(frozen=True)
class Committed:
    """What stage 1 has on disk: accepted instructions, how many there were after each answer, and why others
    were rejected."""

    instructions: list[str]
    accepted_after: list[int]
    reasons: Counter[str]


def read_committed(folder: Path) -> Committed:
    """Read back what is committed; cut off what is not.

    Of a folder of the released code all is (`adopt`).

    Raises:
        UserError: a line lacks what is needed (`file:line: reason`).
    """
    for name in (INSTRUCTIONS, REJECTED, REQUESTS):
        jsonl.cut_torn_last_line(folder / name)
    accepted = _lines(folder / INSTRUCTIONS, _INSTRUCTION_FIELDS)
    rejected = _lines(folder / REJECTED, {"reason": str, "request_idx": int})
    if not accepted and any(mark.get("accepted") for mark in jsonl.read_if_there(folder / REQUESTS)):
        (folder / REQUESTS).unlink()  # the instructions are lost: judged again, the answers are in the log
    if accepted and not (folder / REQUESTS).exists():
        committed = 1 + max(index for _, index in accepted)
    else:
        committed = len(jsonl.read_if_there(folder / REQUESTS))
    accepted = _keep_committed(folder / INSTRUCTIONS, accepted, committed)
    rejected = _keep_committed(folder / REJECTED, rejected, committed)
    by_request = Counter(index for _, index in accepted)
    accepted_after, count = [], 0
    for index in range(committed):
        count += by_request[index]
        accepted_after.append(count)
    texts = [text for text, _ in accepted]
    return Committed(texts, accepted_after, Counter(reason for reason, _ in rejected))


def check_answers_belong(folder: Path, answers: Iterable[Path]) -> None:
    """Refuse, before anything is asked, answers of later stages that were given to other instructions.

    Raises:
        UserError: as `read_committed` and `check_same_order`.
    """
    there = [path for path in answers if path.exists()]
    if not there or not (folder / INSTRUCTIONS).exists():
        return
    for path in (folder / INSTRUCTIONS, *there):
        jsonl.cut_torn_last_line(path)
    instructions = [text for text, _ in _lines(folder / INSTRUCTIONS, _INSTRUCTION_FIELDS)]
    for path in there:
        check_same_order(path, instructions, may_have_more=True)


def check_same_order(path: Path, instructions: Sequence[str], may_have_more: bool = False) -> int:
    """How many lines a later stage's file already holds; they must follow the order of the instructions.

    With `may_have_more`, lines beyond the last instruction pass: lost instructions are made again.

    Raises:
        UserError: a line belongs to another instruction than the one at its place.
    """
    done = 0
    for number, record in jsonl.numbered_records(path):
        if may_have_more and done == len(instructions):
            break
        if done >= len(instructions) or record.get("instruction") != instructions[done]:
            advice = "the folder's files do not belong together; choose another run_dir"
            raise UserError(
                f"{path}:{number}: not the instruction of line {done + 1} of {INSTRUCTIONS}; {advice}"
            )
        done += 1
    return done


def _is_of_stage(record: jsonl.Record) -> bool:
    # The file of rejected texts is shared; that of the instructions names no stage.
    return record.get("stage", "instructions") == "instructions"


def _lines(path: Path, fields: dict[str, type]) -> list[tuple[str, int]]:
    """Two fields of this stage's lines, none if the file is not there; UserError where a line lacks one."""
    if not path.exists():
        return []
    found = []
    for number, record in jsonl.numbered_records(path):
        if not _is_of_stage(record):
            continue
        for name, kind in fields.items():
            if not isinstance(record.get(name), kind):
                advice = "mend the line, or choose another run_dir"
                raise UserError(f'{path}:{number}: "{name}" ({kind.__name__}) is needed; {advice}')
        text, index = (record[name] for name in fields)
        found.append((text, index))
    return found


def _keep_committed(path: Path, lines: list[tuple[str, int]], committed: int) -> list[tuple[str, int]]:
    """Drop stage-1 lines of answers that are not committed; returns those that are left."""
    kept = [(text, index) for text, index in lines if index < committed]
    if len(kept) < len(lines):
        records = (record for _, record in jsonl.numbered_records(path))
        jsonl.replace(path, (r for r in records if not _is_of_stage(r) or r["request_idx"] < committed))
    return kept


def adopt(folder: Path) -> None:
    """Mark the answers of a folder of the released code as committed, where there are no marks.

    It keeps no line for requests that added nothing.
    """
    if (folder / REQUESTS).exists() or not (folder / INSTRUCTIONS).exists():
        return
    counts = Counter(index for _, index in _lines(folder / INSTRUCTIONS, _INSTRUCTION_FIELDS))
    marks = (
        {"request_idx": index, "candidates": None, "accepted": counts[index], "adopted": True}
        for index in range(max(counts, default=-1) + 1)
    )
    jsonl.replace(folder / REQUESTS, marks)
