"""The novelty filter: an instruction is kept if no member of the growing pool is too similar to it.

Exact and fast: an index names the few members that may be too similar, ROUGE-L itself decides.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from selfinstruct import rouge
from selfinstruct.errors import UserError
from selfinstruct.overlap_index import OverlapIndex, Query, TokenBatch
from selfinstruct.overlap_keys import Ints

NUM_MOST_SIMILAR = 10  # stored with each accepted instruction, as the released code does

_TEXTS_AT_ONCE = 4096  # judged in one step
_ROWS_AT_ONCE = 64  # scored against the whole pool in one step: they share the way through it
_SCORES_AT_ONCE = 1 << 23  # at most: 64 MB for each core
_PAIRS_BY_SCAN = 1024  # as many pairs are scored sooner than members are put into the index


# The most similar members with their ROUGE-L, highest first, and the mean ROUGE-L over the pool.
Similarity = tuple[dict[str, float], float]


@dataclass(frozen=True)
class Verdict:
    """Whether a text is novel; if not, the first of the pool members most similar to it and its ROUGE-L."""

    is_novel: bool
    nearest_text: str | None = None
    nearest_score: float | None = None


@dataclass(frozen=True)
class Explanation:
    """Why a text is not novel: the member that blocks it, and their longest common subsequence of tokens."""

    text: str
    member: str
    score: float  # ROUGE-L, 0 to 1
    num_tokens: tuple[int, int]  # of the text and of the member
    common: tuple[str, ...]  # runs of tokens, each without a gap in either

    def __str__(self) -> str:
        if not self.common:
            return f'the same text as "{self.member}" up to white space'
        count = sum(len(run.split(" ")) for run in self.common)
        own, other = self.num_tokens
        shown = " … ".join(self.common)
        counts = f"{count} tokens in common, in this order, of {own} and {other}"
        return f'ROUGE-L {self.score:.3f} with "{self.member}": {counts}: {shown}'


class NoveltyFilter:
    """A pool of texts that judges new ones by their highest ROUGE-L with a member (paper, section 2.2).

    Args:
        threshold: ROUGE-L (0 to 1); a text whose highest score is above it is rejected (the released rule).
        tokenizer: "english" (the released one: ASCII words) or "unicode" (words of any script).
        reject_exact_duplicates: also reject a text equal to a member up to white space, whatever its score:
            a text without a single token scores 0 against its own copy. Its score is given as 1.0.
        released_ties: choose among equally similar members as the released code's sort does, which is another
            choice on another processor; else the earliest are chosen.
        threads: at most; by default as many as there are cores.

    Raises:
        UserError: a threshold outside 0..1, or an unknown tokenizer.
    """

    def __init__(
        self,
        threshold: float,
        tokenizer: str,
        reject_exact_duplicates: bool,
        *,
        released_ties: bool = False,
        threads: int | None = None,
    ) -> None:
        if not 0 <= threshold <= 1:
            raise UserError(f"novelty.threshold is {threshold}; it must be a ROUGE-L, 0 to 1 (paper: 0.7)")
        self._threshold = threshold
        self._threads = threads or os.cpu_count() or 1
        self.tokenizer = tokenizer
        self.released_ties = released_ties
        self._tokenize = _tokenize_function(tokenizer)
        self._encoded = rouge.EncodedPool(self._tokenize)
        self._texts: list[str] = []
        self._index = OverlapIndex(threshold, self._threads)  # of the first len(self._index) members
        self._ranked_at = 0  # texts whose token frequencies the index goes by
        self._member_by_folded: dict[str, int] | None = {} if reject_exact_duplicates else None

    def __len__(self) -> int:
        return len(self._texts)

    def texts(self, first: int, stop: int) -> list[str]:
        """The members from `first` up to, not including, `stop`."""
        return self._texts[first:stop]

    def add(self, text: str) -> None:
        """Put a text into the pool, novel or not."""
        self._add(text, self._encoded.encode(text))

    def extend(self, texts: Iterable[str]) -> None:
        """Put texts into the pool, in order."""
        for text in texts:
            self.add(text)

    def check(self, text: str) -> Verdict:
        """Judge a text against the pool, without adding it."""
        return self._judge([text], adding=False)[0]

    def admit(self, texts: Sequence[str]) -> list[Verdict]:
        """Judge texts in order, each against the pool with those before it; the novel ones join the pool."""
        verdicts: list[Verdict] = []
        for first in range(0, len(texts), _TEXTS_AT_ONCE):
            verdicts += self._judge(texts[first : first + _TEXTS_AT_ONCE], adding=True)
        return verdicts

    def neighbours(self, texts: Sequence[str]) -> list[list[tuple[int, float]]]:
        """For each text the members too similar to it, as (place in the pool, ROUGE-L), in pool order."""
        found: list[list[tuple[int, float]]] = []
        for first in range(0, len(texts), _TEXTS_AT_ONCE):
            chunk = texts[first : first + _TEXTS_AT_ONCE]
            scores: list[dict[int, float]] = [{} for _ in chunk]
            encoded = [self._encoded.encode(text) for text in chunk]
            for which, members, near in self._near_members(encoded, self._query(encoded)):
                for i, member, score in zip(which.tolist(), members.tolist(), near.tolist(), strict=True):
                    scores[i][member] = score
            for i, text in enumerate(chunk):
                if (same := self._same_as(text)) is not None:
                    scores[i][same] = 1.0
            found += [sorted(each.items()) for each in scores]
        return found

    def explain(self, text: str) -> Explanation | None:
        """What stands against a text: the member that blocks it and what the two have in common.

        None where nothing does.
        """
        return self.explain_verdict(text, self.check(text))

    def explain_verdict(self, text: str, verdict: Verdict) -> Explanation | None:
        """As `explain`, for a verdict that was given on the text."""
        if verdict.nearest_text is None or verdict.nearest_score is None:
            return None
        own, other = self._tokenize(text), self._tokenize(verdict.nearest_text)
        blocks = LCSseq.editops(own, other).as_matching_blocks()
        runs = (own[block.a : block.a + block.size] for block in blocks if block.size)
        common = tuple(" ".join(run) for run in runs)
        score = verdict.nearest_score
        return Explanation(text, verdict.nearest_text, score, (len(own), len(other)), common)

    def similarity(self, text: str) -> Similarity:
        """The most similar members with their ROUGE-L, highest first, and the mean ROUGE-L over the pool.

        At most 10 members, fewer where two have the same text; ({}, 0.0) for an empty pool.
        """
        return self._most_similar(self._encoded.rouge_l(text))

    def similarities(self, first: int, stop: int) -> Iterator[Similarity]:
        """For each member from `first` up to `stop`: `similarity` as it was before the member joined.

        The threads share the work.
        """
        step = max(1, min(_ROWS_AT_ONCE, _SCORES_AT_ONCE // max(stop, 1)))

        def scored(start: int) -> list[Similarity]:
            end = min(start + step, stop)
            rows = self._encoded.rouge_l_by_row(self._encoded.members(start, end), 0, end - 1)
            return [self._most_similar(row[: start + i]) for i, row in enumerate(rows)]

        with ThreadPoolExecutor(self._threads) as pool:
            for block in pool.map(scored, range(first, stop, step)):
                yield from block

    def _add(self, text: str, encoded: rouge.Encoded) -> None:
        if self._member_by_folded is not None:
            self._member_by_folded.setdefault(fold(text), len(self._texts))
        self._encoded.append_encoded(encoded)
        self._texts.append(text)

    def _most_similar(self, scores: NDArray[np.float64]) -> Similarity:
        if not len(scores):
            return {}, 0.0
        # The released expression, default sort included, or a choice that is the same everywhere, and faster.
        highest = np.argsort(scores)[-NUM_MOST_SIMILAR:][::-1] if self.released_ties else _highest(scores)
        return {self._texts[i]: float(scores[i]) for i in highest}, float(np.mean(scores))

    def _same_as(self, text: str) -> int | None:
        return None if self._member_by_folded is None else self._member_by_folded.get(fold(text))

    def _judge(self, texts: Sequence[str], adding: bool) -> list[Verdict]:
        encoded = [self._encoded.encode(text) for text in texts]
        query = self._query(encoded)
        nearest = _Nearest(len(texts))
        for which, members, scores in self._near_members(encoded, query):
            nearest.update(which, members, scores)
        within = self._near_within(encoded, query) if adding else {}
        place: dict[int, int] = {}  # in the pool, of the texts of this batch that joined it
        verdicts = []
        for i, text in enumerate(texts):
            score, member = float(nearest.score[i]), int(nearest.member[i])
            for other, other_score in within.get(i, ()):
                if other in place and other_score > score:
                    score, member = other_score, place[other]
            if (same := self._same_as(text)) is not None:
                score, member = 1.0, same
            if member >= 0:
                verdicts.append(Verdict(False, self._texts[member], score))
                continue
            verdicts.append(Verdict(True))
            if adding:
                place[i] = len(self._texts)
                self._add(text, encoded[i])
        if len(self._index) + len(place) == len(self) and len(place) * len(texts) > _PAIRS_BY_SCAN:
            self._index.add_queried(query, np.array([verdict.is_novel for verdict in verdicts]))
        return verdicts

    def _near_members(
        self, encoded: list[rouge.Encoded], query: Query
    ) -> Iterator[tuple[Ints, Ints, NDArray[np.float64]]]:
        """Yield (place in the batch, member, ROUGE-L) of the pairs too similar; a pair may come twice."""
        for which, members in self._index.pairs(query):
            scores = self._encoded.rouge_l_of_pairs(encoded, which, members, self._threads)
            is_near = scores > self._threshold
            yield which[is_near], members[is_near], scores[is_near]
        first = len(self._index)
        if first < len(self):
            rows = self._encoded.rouge_l_rows(encoded, first, len(self))
            which, members = np.nonzero(rows > self._threshold)
            yield which, members + first, rows[which, members]

    def _near_within(self, encoded: list[rouge.Encoded], query: Query) -> dict[int, list[tuple[int, float]]]:
        """For a text of a batch the earlier ones too similar to it, in order, with their ROUGE-L."""
        near: dict[int, dict[int, float]] = {}
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        for one, other in self._index.pairs_within(query):
            scores = rouge.rouge_l_of_encoded(
                [encoded[i] for i in one],
                [encoded[i] for i in other],
                lengths[one],
                lengths[other],
                self._threads,
            )
            for i in np.flatnonzero(scores > self._threshold).tolist():
                near.setdefault(int(one[i]), {})[int(other[i])] = float(scores[i])
        return {i: sorted(others.items()) for i, others in near.items()}

    def _query(self, encoded: list[rouge.Encoded]) -> Query:
        self._bring_up_index(encoded)
        return self._index.query(self._batch(encoded))

    def _batch(self, encoded: Sequence[rouge.Encoded]) -> TokenBatch:
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        return TokenBatch(rouge.token_numbers(encoded), lengths)

    def _bring_up_index(self, coming: list[rouge.Encoded]) -> None:
        """Put into the index what a scan would take longer for than it is worth."""
        size, indexed = len(self), len(self._index)
        total = size + len(coming)
        if total >= 2 * self._ranked_at and total * len(coming) > _PAIRS_BY_SCAN:
            self._rebuild_index(coming)
        elif (size - indexed) * len(coming) > _PAIRS_BY_SCAN:
            self._index.add(self._batch(self._encoded.members(indexed, size)))

    def _rebuild_index(self, coming: list[rouge.Encoded]) -> None:
        size = len(self)
        steps = range(0, size, _TEXTS_AT_ONCE)
        counts = np.zeros(self._encoded.num_tokens, np.int64)
        for part in (coming, *(self._encoded.members(i, i + _TEXTS_AT_ONCE) for i in steps)):
            counts += np.bincount(rouge.token_numbers(part), minlength=len(counts))
        self._index.rebuild(
            (self._batch(self._encoded.members(i, min(size, i + _TEXTS_AT_ONCE))) for i in steps), counts
        )
        self._ranked_at = size + len(coming)


class _Nearest:
    """The best score of each text of a batch so far, and the first member that has it (-1: none)."""

    def __init__(self, count: int) -> None:
        self.score = np.zeros(count)
        self.member = np.full(count, -1, np.int64)

    def update(self, which: Ints, members: Ints, scores: NDArray[np.float64]) -> None:
        # Best first, of equal ones the earliest member; then the first line of each text.
        order = np.lexsort((members, -scores, which))
        which, first = np.unique(which[order], return_index=True)
        members, scores = members[order][first], scores[order][first]
        is_better = (scores > self.score[which]) | (
            (scores == self.score[which]) & (members < self.member[which])
        )
        self.score[which[is_better]] = scores[is_better]
        self.member[which[is_better]] = members[is_better]


def _highest(scores: NDArray[np.float64]) -> Ints:
    """Places of the highest scores, highest first, of equal ones the earliest."""
    count = min(NUM_MOST_SIMILAR, len(scores))
    places = np.flatnonzero(scores >= np.partition(scores, -count)[-count])
    return places[np.argsort(-scores[places], kind="stable")[:count]]


def _tokenize_function(name: str) -> rouge.Tokenize:
    match name:
        case "english":
            return rouge.tokenize_english
        case "unicode":
            return rouge.tokenize_unicode
    raise UserError(f'novelty.tokenizer is "{name}"; it must be english or unicode')


def fold(text: str) -> str:
    """A text up to white space: what exact duplicates have in common."""
    return " ".join(text.split())
