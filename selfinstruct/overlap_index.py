"""An inverted index that names the pool members whose ROUGE-L with a text may exceed a threshold.

Prefix filtering as set similarity joins do it (Bayardo et al. 2007; Wang et al. 2012 for longer prefixes), on
rare tokens and on pairs of the others in order. What it names is a superset: ROUGE-L itself is for the caller
to compute.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from selfinstruct.overlap_keys import LONGEST, Ints, Keys, Lookups, Postings, TextKeys, hashed

# Pairs of texts with a longer one among them are found by single tokens: the pairs of a long prefix are many,
# and its rarest tokens alone say enough.
LONGEST_BY_PAIRS = 40
_RARE = 100  # a token that has occurred no more often than this is found by itself, without a partner
_WORDS = 8  # of 64 bits, of the sketch of a text
_WORDS_AT_ONCE = 2  # compared before the pairs that they tell apart are dropped
_ROUNDING = 1e-6  # a bound may let through a pair too many, never one too few
_POSTINGS_AT_ONCE = 1 << 18  # in one step of a search: what stays in a core's cache
_TEXTS_AT_ONCE = 4096
_LARGEST_SEGMENT = 1 << 24  # postings; larger ones are not merged


@dataclass(frozen=True)
class TokenBatch:
    """Texts as token numbers: `tokens` of all texts, one after the other, and how many each text has."""

    tokens: Ints
    lengths: Ints

    def split(self, size: int) -> "Iterator[TokenBatch]":
        """The same texts in batches of `size`."""
        ends = np.concatenate([[0], np.cumsum(self.lengths)])
        cuts = [*range(0, len(self.lengths), size), len(self.lengths)]
        for first, last in pairwise(cuts):
            yield TokenBatch(self.tokens[ends[first] : ends[last]], self.lengths[first:last])


@dataclass(frozen=True)
class _Rows:
    """The distinct tokens of texts, text by text, each text's in the order of ranks (the rarest first)."""

    token: Ints
    is_rare: NDArray[np.bool_]
    text: Ints
    place: Ints  # among all tokens of its text, in the order of ranks
    first: Ints  # place in the text where it first stands
    last: Ints
    count: Ints
    length: Ints  # of its text

    def where(self, is_wanted: NDArray[np.bool_]) -> "_Rows":
        """Some of the rows, in order."""
        return _Rows(*(getattr(self, field.name).compress(is_wanted) for field in fields(self)))


@dataclass(frozen=True)
class _Sketches:
    """What tells most pairs apart without a look at their tokens."""

    lengths: NDArray[np.int32]
    bits: Keys  # rows of 64 bits a text; each token sets one bit of them all, another when it comes again

    def of_texts(self, is_wanted: NDArray[np.bool_]) -> "_Sketches":
        return _Sketches(self.lengths.compress(is_wanted), self.bits.compress(is_wanted, axis=1))

    def append(self, size: int, new: "_Sketches") -> "_Sketches":
        """The first `size` of these and the new ones behind, with room to grow."""
        wanted = size + len(new.lengths)
        grown = self
        if wanted > len(self.lengths):
            room = wanted + wanted // 2
            grown = _Sketches(np.zeros(room, np.int32), np.zeros((_WORDS, room), np.uint64))
            grown.lengths[:size], grown.bits[:, :size] = self.lengths[:size], self.bits[:, :size]
        grown.lengths[size:wanted], grown.bits[:, size:wanted] = new.lengths, new.bits
        return grown


@dataclass(frozen=True)
class Query:
    """A batch as an index sees it; of use until the index is rebuilt."""

    sketches: _Sketches
    postings: Postings  # by key
    lookups: Lookups  # by key


class OverlapIndex:
    """Members of a growing pool by their rarest tokens.

    Two texts of m and n tokens can only exceed a ROUGE-L of t if they have c >= t(m+n)/2 tokens in common, in
    the same order. So m-c tokens of one are not among the common ones, and however tokens are ranked, the two
    common tokens of lowest rank stand among the m-c+2 lowest of the one and the n-c+2 lowest of the other.
    Rank is frequency. If the lower of the two is rare, it is the key by which the texts meet; if not, the key
    is the pair, in its order in the texts.

    Ranks are fixed when the index is (re)built; tokens that come later are rarer than all. Results do not
    depend on ranks, speed does: build it anew when the pool has grown a lot.
    """

    def __init__(self, threshold: float, threads: int) -> None:
        self._threshold = threshold
        self._threads = threads
        self._rank = np.zeros(0, np.int64)  # of each token number; the lowest are the rarest
        self._num_rare = 0  # of those ranks
        self._segments: list[Postings] = []
        self._sketches = _Sketches(np.zeros(0, np.int32), np.zeros((_WORDS, 0), np.uint64))
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def rebuild(self, members: Iterable[TokenBatch], counts: Ints) -> None:
        """Index members from the first on, tokens ranked by `counts` (how often each token number occurs)."""
        self._rank = np.empty(len(counts), np.int64)
        self._rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
        self._num_rare = int(np.count_nonzero(counts <= _RARE))
        self._segments, self._size = [], 0
        for batch in members:
            self.add(batch)

    def add(self, batch: TokenBatch) -> None:
        """Index the next members."""
        for part in batch.split(_TEXTS_AT_ONCE):
            self.add_queried(self.query(part), np.ones(len(part.lengths), bool))

    def add_queried(self, query: Query, is_wanted: NDArray[np.bool_]) -> None:
        """Index some texts of a query as the next members."""
        new = query.postings.of_texts(is_wanted, self._size)
        self._sketches = self._sketches.append(self._size, query.sketches.of_texts(is_wanted))
        self._size += int(is_wanted.sum())
        # Segments shrink geometrically: few to look into, and each posting is merged a few times only.
        while self._segments and len(self._segments[-1]) < min(2 * len(new), _LARGEST_SEGMENT):
            new = Postings.join([self._segments.pop(), new]).by_key("stable")  # quick: two sorted runs
        self._segments.append(new)

    def pairs(self, query: Query) -> Iterator[tuple[Ints, Ints]]:
        """Yield (place in the batch, member): arrays of pairs, none twice in one array."""
        for segment in self._segments:
            yield from self._matches(query, segment, self._sketches)

    def pairs_within(self, query: Query) -> Iterator[tuple[Ints, Ints]]:
        """Yield (place in the batch, an earlier place): arrays of pairs, none twice in one array."""
        for one, other in self._matches(query, query.postings, query.sketches):
            is_earlier = other < one
            yield one[is_earlier], other[is_earlier]

    def query(self, batch: TokenBatch) -> Query:
        """What the texts of a batch are found by and look for."""
        rows, sketches = self._rows(batch)
        # A long text has too many pairs; a pair with a rare token finds hardly less than the token.
        is_alone = rows.is_rare | (rows.length > LONGEST_BY_PAIRS)
        alone, in_pairs = rows.where(is_alone), rows.where(~is_alone)
        pairs = self._pairs(in_pairs)
        singles = self._singles(alone)
        # Tokens that go in pairs count alone too: to meet long texts, and where one common token will do.
        helpers = self._singles(in_pairs)
        one_will_do = np.floor(2 / max(self._threshold, _ROUNDING) + _ROUNDING).astype(np.int64)
        tiny = np.minimum(one_will_do - helpers.lengths, LONGEST_BY_PAIRS)
        postings = (
            pairs.postings(),
            singles.postings(),
            helpers.postings((helpers.reach > LONGEST_BY_PAIRS) | (np.minimum(tiny, helpers.reach) > 0)),
        )
        lookups = (
            pairs.lookups(self._shortest_partner(pairs.lengths), LONGEST_BY_PAIRS),
            singles.lookups(self._shortest_partner(singles.lengths)),
            helpers.lookups(LONGEST_BY_PAIRS + 1),
            helpers.lookups(1, tiny),
        )
        return Query(sketches, Postings.join(postings).by_key("quicksort"), Lookups.join(lookups).by_key())

    def _singles(self, rows: _Rows) -> TextKeys:
        hashes = hashed(rows.token.astype(np.uint64) | np.uint64(1 << 63))
        lengths = np.minimum(rows.length, LONGEST)
        return TextKeys(hashes, rows.text, lengths, self._reach(rows.length, rows.place))

    def _rows(self, batch: TokenBatch) -> tuple[_Rows, _Sketches]:
        ends = np.cumsum(batch.lengths)
        text = np.repeat(np.arange(len(batch.lengths)), batch.lengths)
        place = np.arange(len(text)) - np.repeat(ends - batch.lengths, batch.lengths)
        ranks = self._ranks(batch.tokens)
        order = np.argsort(text << 40 | (ranks + (1 << 32)))
        token, place_in_text = batch.tokens.take(order), place.take(order)
        is_new = np.ones(len(token), bool)
        is_new[1:] = (token[1:] != token[:-1]) | (text[1:] != text[:-1])
        starts = np.flatnonzero(is_new)
        count = np.diff(starts, append=len(token))
        again = np.arange(len(token)) - np.repeat(starts, count)
        rows = _Rows(
            token[starts],
            ranks[order[starts]] < self._num_rare,
            text[starts],
            place[starts],
            np.minimum.reduceat(place_in_text, starts) if len(starts) else starts,
            np.maximum.reduceat(place_in_text, starts) if len(starts) else starts,
            count,
            batch.lengths[text[starts]],
        )
        return rows, _sketches(token, again, text, batch.lengths)

    def _pairs(self, rows: _Rows) -> TextKeys:
        """Pairs of tokens of a text, in order."""
        # The later one by rank is at the least the second common token: a first one stands further ahead.
        reach = self._reach(rows.length, rows.place - 1)
        before = np.arange(len(rows.text)) - np.searchsorted(rows.text, rows.text)
        num_before = np.where(reach > 0, before, 0)
        later = np.repeat(np.arange(len(num_before)), num_before)
        earlier = later - _count_down(num_before)
        forward = np.flatnonzero(rows.first.take(earlier) < rows.last.take(later))
        backward = np.flatnonzero(rows.first.take(later) < rows.last.take(earlier))
        # A token that occurs twice is a pair with itself.
        reach_twice = self._reach(rows.length, rows.place)
        twice = np.flatnonzero((rows.count > 1) & (reach_twice > 0))

        left = np.concatenate([earlier.take(forward), later.take(backward), twice])
        right = np.concatenate([later.take(forward), earlier.take(backward), twice])
        left, right = rows.token.take(left).astype(np.uint64), rows.token.take(right).astype(np.uint64)
        which = np.concatenate([later.take(forward), later.take(backward), twice])
        reaches = reach.take(which)
        reaches[len(which) - len(twice) :] = reach_twice[twice]
        texts, lengths = rows.text.take(which), rows.length.take(which)
        return TextKeys(hashed(left << np.uint64(31) | right), texts, lengths, reaches)

    def _matches(self, query: Query, segment: Postings, members: _Sketches) -> Iterator[tuple[Ints, Ints]]:
        low = np.searchsorted(segment.keys, query.lookups.low, side="left")
        high = np.searchsorted(segment.keys, query.lookups.high, side="right")
        hits = np.flatnonzero(high > low)
        hits = hits[np.argsort(query.lookups.texts[hits], kind="stable")]  # a text's pairs come in one step
        low, sizes = low.take(hits), (high - low).take(hits)
        texts = query.lookups.texts.take(hits).astype(np.int64)
        cuts = [0]
        total = np.cumsum(sizes)
        while cuts[-1] < len(hits):
            done = total[cuts[-1] - 1] if cuts[-1] else 0
            stop = int(np.searchsorted(total, done + _POSTINGS_AT_ONCE, side="right"))
            cuts.append(max(cuts[-1] + 1, stop))

        def step(cut: tuple[int, int]) -> tuple[Ints, Ints]:
            some = slice(*cut)
            found = _ranges(low[some], sizes[some])
            return self._near(query, np.repeat(texts[some], sizes[some]), segment, found, members)

        if len(cuts) <= 2:
            yield from map(step, pairwise(cuts))
            return
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(step, pairwise(cuts))

    def _near(
        self, query: Query, one: Ints, segment: Postings, found: Ints, members: _Sketches
    ) -> tuple[Ints, Ints]:
        """The pairs of a query's text with the text of a posting that reach and sketches leave possible."""
        length = query.sketches.lengths.take(one)
        is_near = np.minimum(length, LONGEST) <= segment.reach.take(found)
        one, length = one.compress(is_near), length.compress(is_near)
        other = segment.texts.take(found.compress(is_near)).astype(np.int64)
        other_length = members.lengths.take(other)
        common = np.ceil(self._threshold / 2 * (length + other_length) - _ROUNDING).astype(np.int32)
        # A bit that only one of two texts has set is a token that is not common.
        spare, other_spare = length - common, other_length - common
        for first in range(0, _WORDS, _WORDS_AT_ONCE):
            for word in range(first, first + _WORDS_AT_ONCE):
                bits, other_bits = query.sketches.bits[word].take(one), members.bits[word].take(other)
                spare -= np.bitwise_count(bits & ~other_bits)
                other_spare -= np.bitwise_count(other_bits & ~bits)
            is_near = (spare >= 0) & (other_spare >= 0)
            one, other = one.compress(is_near), other.compress(is_near)
            spare, other_spare = spare.compress(is_near), other_spare.compress(is_near)
        pairs = np.sort(one << 32 | other)
        pairs = pairs.compress(np.diff(pairs, prepend=-1) != 0)
        return pairs >> 32, pairs & 0xFFFFFFFF

    def _ranks(self, tokens: Ints) -> Ints:
        known = len(self._rank)
        ranks = known - 1 - tokens  # below 0 for tokens that came after the ranks were fixed
        is_known = tokens < known
        ranks[is_known] = self._rank[tokens[is_known]]
        return ranks

    def _reach(self, length: Ints, place: Ints) -> Ints:
        """The longest partner for which the tokens from `place` on, in the order of ranks, are enough.

        The largest n with t(m+n)/2 <= m - place.
        """
        enough = 2 * (length - place + _ROUNDING) / max(self._threshold, _ROUNDING) - length
        return np.clip(enough, 0, LONGEST).astype(np.int64)

    def _shortest_partner(self, length: Ints) -> Ints:
        """The smallest n with t(m+n)/2 <= n."""
        least = np.ceil(self._threshold * length / (2 - self._threshold) - _ROUNDING)
        return np.clip(least, 1, LONGEST).astype(np.int64)


def _sketches(tokens: Ints, again: Ints, texts: Ints, lengths: Ints) -> _Sketches:
    """Of tokens, with how often each stood in its text before."""
    hashes = hashed(tokens.astype(np.uint64) | again.astype(np.uint64) << np.uint64(32))
    word = (hashes >> np.uint64(48)) % np.uint64(_WORDS)
    bits = np.zeros((_WORDS, len(lengths)), np.uint64)
    np.bitwise_or.at(bits, (word.astype(np.int64), texts), np.uint64(1) << (hashes >> np.uint64(58)))
    return _Sketches(lengths.astype(np.int32), bits)


def _count_down(sizes: Ints) -> Ints:
    """For each size s the numbers s, s-1, ..., 1, one after the other."""
    return np.repeat(np.cumsum(sizes), sizes) - np.arange(int(sizes.sum()))


def _ranges(starts: Ints, sizes: Ints) -> Ints:
    """For each start the numbers start, start+1, ..., as many as its size, one after the other."""
    return np.repeat(starts - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))
