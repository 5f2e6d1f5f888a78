"""The novelty filter on a Ray cluster: all machines find pairs that are too similar, one decides in order.

Which texts are kept depends on their order, which pairs are too similar does not. So the texts are cut into
blocks, each block is joined with itself and those after it by tasks that run wherever a core is free, and the
choice then walks through the sparse graph of the pairs. Ray and not Spark: no Java, a cluster on one machine
in seconds, and a task is the very filter that decides there.
"""

import logging
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfinstruct.errors import UserError
from selfinstruct.novelty import NoveltyFilter, Verdict, fold
from selfinstruct.progress import progress_bar

_LARGEST_BLOCK = 50_000  # texts: an index of them takes about 200 MB
_BLOCKS_A_CORE = 4  # at the least: some blocks take longer than others
_BLOCKS_A_TASK = 8  # meet one index, which is made once for them

# A text, another or the same, their ROUGE-L: each pair once.
Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def admit_on_cluster(
    pool: Iterable[str],
    texts: Iterable[str],
    address: str,
    *,
    threshold: float,
    tokenizer: str,
    reject_exact_duplicates: bool,
) -> list[Verdict]:
    """The verdicts that a `NoveltyFilter` holding the pool would give on the texts, in order (`admit`).

    All texts are in memory here, and all pairs that are too similar (24 bytes each).

    Args:
        address: of the Ray cluster: "auto" (the one this machine is a part of), HOST:PORT, ray://HOST:PORT,
            or "local": one of this machine's cores, for as long as it takes.

    Raises:
        UserError: Ray is not installed, there is no cluster at the address, or a setting is wrong.
    """
    NoveltyFilter(threshold, tokenizer, reject_exact_duplicates)  # wrong settings end here, not in a task
    distinct = _Distinct()
    for text in pool:
        distinct.add(text)
    num_pool = len(distinct.texts)
    places = [distinct.add(text) for text in texts]
    with _cluster(address) as num_cores:
        pairs = list(_join(distinct.texts, threshold, tokenizer, num_cores))
    graph = _Graph(len(distinct.texts), pairs)
    return list(_choose(distinct.texts, num_pool, places, graph, reject_exact_duplicates))


@dataclass
class _Distinct:
    """Texts up to white space, in the order of their first copies: 1,000 copies would be 500,000 pairs."""

    texts: list[str] = field(default_factory=list)
    _place: dict[str, int] = field(default_factory=dict)

    def add(self, text: str) -> int:
        place = self._place.setdefault(fold(text), len(self.texts))
        if place == len(self.texts):
            self.texts.append(text)
        return place


class _Graph:
    """For each text the others that are too similar to it, and itself where it is."""

    def __init__(self, num_texts: int, pairs: Sequence[Pairs]) -> None:
        one, other, score = (np.concatenate(column) for column in zip(*pairs, strict=True))
        is_twofold = one != other
        texts = np.concatenate([one, other[is_twofold]])
        self._others = np.concatenate([other, one[is_twofold]])
        self._scores = np.concatenate([score, score[is_twofold]])
        order = np.lexsort((self._others, texts))
        self._others, self._scores = self._others[order], self._scores[order]
        self._ends = np.cumsum(np.bincount(texts, minlength=num_texts))

    def near(self, text: int) -> Iterator[tuple[int, float]]:
        """The others with their ROUGE-L, in order."""
        some = slice(self._ends[text - 1] if text else 0, self._ends[text])
        return zip(self._others[some].tolist(), self._scores[some].tolist(), strict=True)


def _choose(
    texts: Sequence[str], num_pool: int, places: Iterable[int], graph: _Graph, reject_exact_duplicates: bool
) -> Iterator[Verdict]:
    """As the filter on one machine: against the pool and what was kept before."""
    is_kept = bytearray(len(texts))
    is_kept[:num_pool] = b"\1" * num_pool
    for place in places:
        nearest, highest = -1, 0.0
        for other, score in graph.near(place):
            if is_kept[other] and score > highest:
                nearest, highest = other, score
        if reject_exact_duplicates and is_kept[place]:
            nearest, highest = place, 1.0
        if nearest >= 0:
            yield Verdict(False, texts[nearest], highest)
            continue
        is_kept[place] = True
        yield Verdict(True)


def _join(texts: Sequence[str], threshold: float, tokenizer: str, num_cores: int) -> Iterator[Pairs]:
    """All pairs of texts above the threshold."""
    import ray

    size = min(_LARGEST_BLOCK, len(texts) // (_BLOCKS_A_CORE * num_cores) + 1)
    starts = range(0, len(texts), size)
    blocks = [ray.put(texts[start : start + size]) for start in starts]
    find = ray.remote(_pairs_of_blocks)
    tasks: list[Any] = []
    for first, start in enumerate(starts):
        for other in range(first, len(blocks), _BLOCKS_A_TASK):
            others = blocks[other : other + _BLOCKS_A_TASK]
            tasks.append(find.remote(threshold, tokenizer, start, starts[other], blocks[first], *others))
    yield _no_pairs()
    with progress_bar("join", len(tasks), unit="task") as bar:
        while tasks:
            done, tasks = ray.wait(tasks)
            yield from ray.get(done)
            bar.update(len(done))


def _pairs_of_blocks(
    threshold: float,
    tokenizer: str,
    first_member: int,
    first_text: int,
    members: Sequence[str],
    *blocks: Sequence[str],
) -> Pairs:
    """Pairs of a member with a text of the blocks that is not before it. Runs in a task, on one core."""
    pool = NoveltyFilter(threshold, tokenizer, reject_exact_duplicates=False, threads=1)
    pool.extend(members)
    near = pool.neighbours(list(chain.from_iterable(blocks)))
    pairs = [
        (text, first_member + member, score)
        for text, found in enumerate(near, first_text)
        for member, score in found
        if first_member + member <= text
    ]
    if not pairs:
        return _no_pairs()
    one, other, score = zip(*pairs, strict=True)
    return np.array(one, np.int64), np.array(other, np.int64), np.array(score, np.float64)


def _no_pairs() -> Pairs:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float64)


@contextmanager
def _cluster(address: str) -> Iterator[int]:
    """Connected to a cluster for as long as it lasts; yields how many cores it has."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when ray is imported
    try:
        import ray
    except ImportError as error:
        advice = (
            "pip install 'selfinstruct[cluster]' on every machine, or leave `ray` out to use this one alone"
        )
        raise UserError(f"ray={address}: Ray is not installed; {advice}") from error
    is_ours = not ray.is_initialized()
    if is_ours:
        local: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
        try:
            _knock(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **local)
        except (OSError, ValueError, RuntimeError) as error:
            advice = "start one with `ray start --head` (docs/novelty.md), or give ray=local"
            raise UserError(f"ray={address}: no cluster there ({error}); {advice}") from error
    try:
        yield int(ray.cluster_resources().get("CPU", 1))
    finally:
        if is_ours:
            ray.shutdown()


def _knock(address: str) -> None:
    """Raise OSError where nobody listens: Ray itself tries for two minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=20).close()
