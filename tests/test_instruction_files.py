"""`Committer`: answers reach the disk in order, whole, and with the scores of their moment."""

import errno
import threading
from pathlib import Path
from random import Random

import pytest

from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly
from selfinstruct.instruction_files import INSTRUCTIONS, REJECTED, REQUESTS, Committer, Judged, read_committed
from selfinstruct.llm.base import Completion
from selfinstruct.novelty import NoveltyFilter

WORDS = [f"word{number}" for number in range(400)]
TEXTS = [" ".join(Random(number).choices(WORDS, k=8)) for number in range(600)]


def a_pool() -> NoveltyFilter:
    pool = NoveltyFilter(0.7, "unicode", True)
    pool.extend(["A seed task to begin with.", "Another seed, for the sake of two."])
    return pool


def judged(index: int, first_member: int, accepted: list[str]) -> Judged:
    line = {"stage": "instructions", "reason": "too_similar", "text": f"no {index}", "request_idx": index}
    return Judged(index, "prompt", 8, Completion("text", "stop", 1, 1), 3, accepted, first_member, [line])


def put_all(committer: Committer, pool: NoveltyFilter, start: int = 0) -> None:
    """Three texts an answer, which are in the pool by the time they are written, and others behind them."""
    for index in range(start, len(TEXTS) // 3):
        texts = TEXTS[3 * index : 3 * index + 3]
        first = len(pool)
        pool.extend(texts)
        committer.put(judged(index, first, texts))


def test_scores_are_those_of_the_moment_before_a_text_joined(tmp_path: Path) -> None:
    pool = a_pool()
    with Committer(tmp_path, pool) as committer:
        put_all(committer, pool)
    one_by_one = a_pool()
    lines = jsonl.read(tmp_path / INSTRUCTIONS)
    assert [line["instruction"] for line in lines] == TEXTS
    for line in lines:
        expected = one_by_one.similarity(line["instruction"])
        assert (line["most_similar"], line["avg_similarity_score"]) == expected
        one_by_one.add(line["instruction"])
    assert [line["request_idx"] for line in jsonl.read(tmp_path / REQUESTS)] == list(range(200))
    assert [line["request_idx"] for line in jsonl.read(tmp_path / REJECTED)] == list(range(200))


def test_a_stop_on_purpose_writes_everything_first(tmp_path: Path) -> None:
    pool = a_pool()
    with pytest.raises(StoppedEarly), Committer(tmp_path, pool) as committer:
        put_all(committer, pool)
        raise StoppedEarly("the budget is used up")
    assert len(jsonl.read(tmp_path / REQUESTS)) == 200


def test_instructions_that_are_lost_are_judged_again_from_the_first_answer_on(tmp_path: Path) -> None:
    pool = a_pool()
    with Committer(tmp_path, pool) as committer:
        put_all(committer, pool)
    (tmp_path / INSTRUCTIONS).unlink()
    committed = read_committed(tmp_path)
    assert (committed.instructions, committed.accepted_after) == ([], [])
    assert not jsonl.read_if_there(tmp_path / REJECTED)


def test_after_an_interrupt_what_is_written_is_whole_answers_in_order(tmp_path: Path) -> None:
    pool = a_pool()
    with pytest.raises(KeyboardInterrupt), Committer(tmp_path, pool) as committer:
        put_all(committer, pool)
        raise KeyboardInterrupt
    committed = read_committed(tmp_path)
    count = len(committed.accepted_after)
    assert committed.instructions == TEXTS[: 3 * count]
    assert committed.accepted_after == [3 * (number + 1) for number in range(count)]


def test_an_error_of_the_writer_reaches_the_loop(tmp_path: Path) -> None:
    (tmp_path / REJECTED).mkdir()  # stands in for any disk that refuses
    pool = a_pool()
    with pytest.raises(IsADirectoryError) as caught, Committer(tmp_path, pool) as committer:
        put_all(committer, pool)
    assert caught.value.errno == errno.EISDIR
    assert not any(thread.name == "committer" for thread in threading.enumerate())
