"""The scores stored with accepted instructions, for a large pool from a process of its own.

They take more processor time than all else in the first stage, and threads of its own process would hold up
the requests. Started by `Scorer`: python -m selfinstruct.novelty_scores
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType

from selfinstruct.errors import StoppedEarly
from selfinstruct.novelty import NoveltyFilter, Similarity
from selfinstruct.settings import REPOSITORY

# Members from which on a process is worth its start.
_LARGE_POOL = 4096
_NICENESS = 5  # what sends requests goes first, without starving this where others work too


class Scorer:
    """`NoveltyFilter.similarities` of a growing pool, whose members are asked for in their order."""

    def __init__(self, pool: NoveltyFilter) -> None:
        self._pool = pool
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Scorer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()  # that ends it
        self._process.stdout.close()
        self._process.wait()

    def similarities(self, first: int, stop: int) -> Iterator[Similarity]:
        """For each member from `first`, where the last call stopped, up to `stop`: its scores.

        Raises:
            StoppedEarly: the process has ended, for want of memory perhaps.
        """
        if self._process is None and stop < _LARGE_POOL:
            return self._pool.similarities(first, stop)
        try:
            if self._process is None:
                self._process = _start()
                _send(
                    self._process,
                    (self._pool.tokenizer, self._pool.released_ties, self._pool.texts(0, first)),
                )
            _send(self._process, self._pool.texts(first, stop))
            assert self._process.stdout is not None
            scores: list[Similarity] = pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            assert self._process is not None
            status = f"exit status {self._process.wait()}"
            advice = "nothing is lost: start again with the same words to continue"
            raise StoppedEarly(
                f"the process that scores instructions has ended ({status}); {advice}"
            ) from error
        return iter(scores)


def _start() -> "subprocess.Popen[bytes]":
    # A session of its own: Ctrl-C is for the process that asks, whose end closes the pipe.
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        start_new_session=True,
    )


def _send(process: "subprocess.Popen[bytes]", message: object) -> None:
    assert process.stdin is not None
    pickle.dump(message, process.stdin, pickle.HIGHEST_PROTOCOL)
    process.stdin.flush()


def main() -> None:
    """Read a pool: its tokenizer, its choice among ties, its members. Then read new members and write their
    scores, again and again."""
    os.nice(_NICENESS)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    tokenizer, released_ties, members = pickle.load(source)
    pool = NoveltyFilter(1.0, tokenizer, reject_exact_duplicates=False, released_ties=released_ties)
    pool.extend(members)
    with suppress(EOFError, BrokenPipeError):  # nobody waits any more
        while True:
            first = len(pool)
            pool.extend(pickle.load(source))
            pickle.dump(list(pool.similarities(first, len(pool))), sink, pickle.HIGHEST_PROTOCOL)
            sink.flush()


if __name__ == "__main__":
    main()
