"""`Scorer`: a process of its own computes what this one would, and ends with whoever started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from selfinstruct import jsonl, novelty_scores
from selfinstruct.errors import StoppedEarly
from selfinstruct.instruction_files import INSTRUCTIONS, REQUESTS, Committer, Judged
from selfinstruct.llm.base import Completion
from selfinstruct.novelty import NoveltyFilter
from selfinstruct.novelty_scores import Scorer

WORDS = [f"word{number}" for number in range(40)] + ["naïve", "写", "🙂"]
TEXTS = [" ".join(Random(number).choices(WORDS, k=3 + number % 9)) for number in range(700)]


def a_pool(tokenizer: str = "unicode", released_ties: bool = False) -> NoveltyFilter:
    pool = NoveltyFilter(0.7, tokenizer, True, released_ties=released_ties)
    pool.extend(TEXTS)
    return pool


def children() -> list[int]:
    lists = Path("/proc/self/task").glob("*/children")
    return [int(number) for listed in lists for number in listed.read_text().split()]


def ends(process: int) -> bool:
    """Whether a process is gone, or a mere entry of the dead, before long."""
    for _ in range(2000):
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(("tokenizer", "released_ties"), [("unicode", False), ("english", True)])
def test_the_process_gives_the_scores_of_this_one(
    tokenizer: str, released_ties: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(novelty_scores, "_LARGE_POOL", 300)
    pool, found = a_pool(tokenizer, released_ties), []
    with Scorer(pool) as scorer:
        for first, stop in ((100, 250), (250, 251), (251, 460), (460, 460), (460, 700)):
            found += scorer.similarities(first, stop)
            assert len(children()) == (stop >= 300)
    assert found == list(pool.similarities(100, 700))
    assert not children()


def test_the_files_are_those_of_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = a_pool()
    for name, large in (("one", 10_000), ("two", 350)):
        monkeypatch.setattr(novelty_scores, "_LARGE_POOL", large)
        with Committer(tmp_path / name, pool) as committer:
            for index, first in enumerate(range(200, 700, 2)):
                texts = pool.texts(first, first + 2)
                answer = Completion("text", "stop", 1, 1)
                committer.put(Judged(index, "prompt", 8, answer, 2, texts, first, []))
    for name in (INSTRUCTIONS, REQUESTS):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert len(jsonl.read(tmp_path / "two" / INSTRUCTIONS)) == 500


def test_a_process_that_dies_stops_the_run_resumably(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(novelty_scores, "_LARGE_POOL", 0)
    with Scorer(a_pool()) as scorer:
        assert len(list(scorer.similarities(10, 20))) == 10
        (child,) = children()
        os.kill(child, signal.SIGKILL)
        with pytest.raises(StoppedEarly, match=r"has ended \(exit status -9\); nothing is lost"):
            scorer.similarities(20, 30)


ENDLESS = """
import os, pathlib, time
from selfinstruct import novelty_scores
from selfinstruct.novelty import NoveltyFilter
novelty_scores._LARGE_POOL = 0
pool = NoveltyFilter(0.7, "unicode", True)
pool.extend(f"text {number}" for number in range(50))
scorer = novelty_scores.Scorer(pool)
list(scorer.similarities(0, 50))
lists = pathlib.Path("/proc/self/task").glob("*/children")
print(" ".join(listed.read_text() for listed in lists), flush=True)
time.sleep(600)
"""


def test_kill_9_leaves_no_process_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
    assert ends(child)
