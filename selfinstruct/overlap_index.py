"""An inverted index that names the pool members whose ROUGE-L with a text may exceed a threshold.

Prefix filtering as set similarity joins do it (Bayardo et al. 2007; Wang et al. 2012 for longer prefixes), on
pairs of tokens in order. What it names is a superset: ROUGE-L itself is for the caller to compute.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

# Pairs of texts with a longer one among them are found by single tokens: the pairs of a long prefix are many,
# and its rarest tokens alone say enough.
LONGEST_BY_PAIRS = 40
_LONGEST = 0xFFFF  # lengths in a key stop here: longer texts count as so long
_WORDS = 4  # of 64 bits, of the sketch of a text
_ROUNDING = 1e-6  # a bound may let through a pair too many, never one too few
_POSTINGS_AT_ONCE = 1 << 20  # bounds the memory of one step of a search
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
class _Postings:
    """What texts are found by: a row for each key of a text."""

    keys: Keys  # the hash of one or two tokens, and in the last 16 bits the length of the text
    texts: NDArray[np.int32]
    reach: NDArray[np.int32]  # the longest partner that this key is needed for

    @staticmethod
    def of(hashes: Keys, texts: Ints, lengths: Ints, reach: Ints) -> "_Postings":
        return _Postings(hashes | _in_key(lengths), texts.astype(np.int32), reach.astype(np.int32))

    @staticmethod
    def join(parts: "list[_Postings]") -> "_Postings":
        return _Postings(
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.texts for part in parts]),
            np.concatenate([part.reach for part in parts]),
        )

    def by_key(self, sort: Literal["quicksort", "stable"]) -> "_Postings":
        order = np.argsort(self.keys, kind=sort)
        return _Postings(self.keys[order], self.texts[order], self.reach[order])

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True)
class _Lookups:
    """What texts look for: the keys from `low` to `high`, which are one hash with a range of lengths."""

    low: Keys
    high: Keys
    texts: NDArray[np.int32]

    @staticmethod
    def of(hashes: Keys, texts: Ints, shortest: Ints, longest: Ints) -> "_Lookups":
        return _Lookups(hashes | _in_key(shortest), hashes | _in_key(longest), texts.astype(np.int32))

    @staticmethod
    def join(parts: "list[_Lookups]") -> "_Lookups":
        return _Lookups(
            np.concatenate([part.low for part in parts]),
            np.concatenate([part.high for part in parts]),
            np.concatenate([part.texts for part in parts]),
        )

    def by_key(self) -> "_Lookups":
        order = np.argsort(self.low)
        return _Lookups(self.low[order], self.high[order], self.texts[order])


@dataclass(frozen=True)
class _Rows:
    """The distinct tokens of texts, text by text, each text's in the order of ranks (the rarest first)."""

    token: Ints
    text: Ints
    place: Ints  # among all tokens of its text, in the order of ranks
    first: Ints  # place in the text where it first stands
    last: Ints
    count: Ints
    length: Ints  # of its text


@dataclass(frozen=True)
class _Sketches:
    """What tells most pairs apart without a look at their tokens."""

    lengths: NDArray[np.int32]
    bits: Keys  # rows of 64 bits a text; for each token of a text one of them all is set

    def append(self, size: int, new: "_Sketches") -> "_Sketches":
        """The first `size` of these and the new ones behind, with room to grow."""
        wanted = size + len(new.lengths)
        grown = self
        if wanted > len(self.lengths):
            grown = _Sketches(np.zeros(2 * wanted, np.int32), np.zeros((_WORDS, 2 * wanted), np.uint64))
            grown.lengths[:size], grown.bits[:, :size] = self.lengths[:size], self.bits[:, :size]
        grown.lengths[size:wanted], grown.bits[:, size:wanted] = new.lengths, new.bits
        return grown


@dataclass(frozen=True)
class Query:
    """A batch as an index sees it; of use until the index is rebuilt."""

    sketches: _Sketches
    postings: _Postings  # by key
    lookups: _Lookups  # by key


class OverlapIndex:
    """Members of a growing pool by their rarest tokens.

    Two texts of m and n tokens can only exceed a ROUGE-L of t if they have c >= t(m+n)/2 tokens in common, in
    the same order. So m-c tokens of one are not among the common ones, and however tokens are ranked, the two
    common tokens of lowest rank stand among the m-c+2 lowest of the one and the n-c+2 lowest of the other.
    Rank is frequency: the texts share a pair of rare tokens in the same order, and that pair is the key.

    Ranks are fixed when the index is (re)built; tokens that come later are rarer than all. Results do not
    depend on ranks, speed does: build it anew when the pool has grown a lot.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._rank = np.zeros(0, np.int64)  # of each token number; the lowest are the rarest
        self._segments: list[_Postings] = []
        self._sketches = _Sketches(np.zeros(0, np.int32), np.zeros((_WORDS, 0), np.uint64))
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def rebuild(self, members: Iterable[TokenBatch], counts: Ints) -> None:
        """Index members from the first on, tokens ranked by `counts` (how often each token number occurs)."""
        self._rank = np.empty(len(counts), np.int64)
        self._rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
        self._segments, self._size = [], 0
        for batch in members:
            self.add(batch)

    def add(self, batch: TokenBatch) -> None:
        """Index the next members."""
        for part in batch.split(8192):
            query = self.query(part)
            new = query.postings
            new = _Postings(new.keys, new.texts + np.int32(self._size), new.reach)
            self._sketches = self._sketches.append(self._size, query.sketches)
            self._size += len(part.lengths)
            # Segments shrink geometrically: few to look into, and each posting is merged a few times only.
            while self._segments and len(self._segments[-1]) < min(2 * len(new), _LARGEST_SEGMENT):
                new = _Postings.join([self._segments.pop(), new]).by_key("stable")  # quick: two sorted runs
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
        rows = self._rows(batch)
        hashes, which, reach = self._pairs(rows)
        text, length = rows.text[which], rows.length[which]
        found_by = [_Postings.of(hashes, text, length, reach)]
        longest = np.minimum(reach, LONGEST_BY_PAIRS)
        looked_for = [_Lookups.of(hashes, text, self._shortest_partner(length), longest)]

        # Single tokens: of long texts, of those that may meet a long one, and where one common token will do.
        reach = self._reach(rows.length, rows.place)
        hashes = _hash(rows.token.astype(np.uint64) | np.uint64(1 << 63))
        is_long = rows.length > LONGEST_BY_PAIRS
        one_will_do = np.floor(2 / max(self._threshold, _ROUNDING) + _ROUNDING).astype(np.int64) - rows.length
        long = np.flatnonzero(is_long & (reach > 0))
        meets_long = np.flatnonzero(~is_long & (reach > LONGEST_BY_PAIRS))
        tiny = np.flatnonzero(~is_long & (np.minimum(reach, one_will_do) > 0))
        for which, lowest, highest in (
            (long, self._shortest_partner(rows.length[long]), reach[long]),
            (meets_long, np.full(len(meets_long), LONGEST_BY_PAIRS + 1), reach[meets_long]),
            (tiny, np.ones(len(tiny), np.int64), np.minimum(one_will_do[tiny], LONGEST_BY_PAIRS)),
        ):
            looked_for.append(_Lookups.of(hashes[which], rows.text[which], lowest, highest))
        which = np.unique(np.concatenate([long, meets_long, tiny]))
        found_by.append(_Postings.of(hashes[which], rows.text[which], rows.length[which], reach[which]))
        bits = np.zeros((_WORDS, len(batch.lengths)), np.uint64)
        word = (hashes >> np.uint64(48)) % np.uint64(_WORDS)
        np.bitwise_or.at(bits, (word.astype(np.int64), rows.text), np.uint64(1) << (hashes >> np.uint64(58)))
        return Query(
            _Sketches(batch.lengths.astype(np.int32), bits),
            _Postings.join(found_by).by_key("quicksort"),
            _Lookups.join(looked_for).by_key(),
        )

    def _rows(self, batch: TokenBatch) -> "_Rows":
        text = np.repeat(np.arange(len(batch.lengths)), batch.lengths)
        place = np.arange(len(text)) - np.searchsorted(text, text)
        order = np.lexsort((self._ranks(batch.tokens), text))  # stable: equal tokens stay in order
        token, place_in_text = batch.tokens[order], place[order]
        is_new = np.ones(len(token), bool)
        is_new[1:] = (token[1:] != token[:-1]) | (text[1:] != text[:-1])
        starts = np.flatnonzero(is_new)
        ends = np.append(starts[1:], len(token))[: len(starts)]
        return _Rows(
            token[starts],
            text[starts],
            place[starts],
            place_in_text[starts],
            place_in_text[ends - 1],
            ends - starts,
            batch.lengths[text[starts]],
        )

    def _pairs(self, rows: "_Rows") -> tuple[Keys, Ints, Ints]:
        """Pairs of tokens in order: their hashes, the row of the later one by rank, and their reach."""
        is_short = rows.length <= LONGEST_BY_PAIRS
        # The later one is at the least the second common token, so a first one stands further ahead.
        reach = self._reach(rows.length, rows.place - 1)
        rank_in_text = np.arange(len(rows.text)) - np.searchsorted(rows.text, rows.text)
        num_before = np.where(is_short & (reach > 0), rank_in_text, 0)
        later = np.repeat(np.arange(len(num_before)), num_before)
        earlier = later - _count_down(num_before)
        forward = rows.first[earlier] < rows.last[later]
        backward = rows.first[later] < rows.last[earlier]
        # A token that occurs twice is a pair with itself.
        reach_twice = self._reach(rows.length, rows.place)
        twice = np.flatnonzero(is_short & (rows.count > 1) & (reach_twice > 0))

        left = rows.token[np.concatenate([earlier[forward], later[backward], twice])].astype(np.uint64)
        right = rows.token[np.concatenate([later[forward], earlier[backward], twice])].astype(np.uint64)
        which = np.concatenate([later[forward], later[backward], twice])
        reaches = np.concatenate([reach[later[forward]], reach[later[backward]], reach_twice[twice]])
        return _hash((left << np.uint64(31)) | right), which, reaches

    def _matches(self, query: Query, segment: _Postings, members: _Sketches) -> Iterator[tuple[Ints, Ints]]:
        low = np.searchsorted(segment.keys, query.lookups.low, side="left")
        high = np.searchsorted(segment.keys, query.lookups.high, side="right")
        hits = np.flatnonzero(high > low)
        low, sizes, texts = low[hits], (high - low)[hits], query.lookups.texts[hits].astype(np.int64)
        total = np.cumsum(sizes)
        start = 0
        while start < len(hits):
            before = total[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(total, before + _POSTINGS_AT_ONCE, side="right")))
            found = _ranges(low[start:stop], sizes[start:stop])
            one = np.repeat(texts[start:stop], sizes[start:stop])
            is_near = np.minimum(query.sketches.lengths[one], _LONGEST) <= segment.reach[found]
            one, other = one[is_near], segment.texts[found[is_near]]
            # A bit that only one of two texts has set is a token that is not common.
            length, other_length = query.sketches.lengths[one], members.lengths[other]
            at_most, other_at_most = length, other_length
            for bits, other_bits in zip(query.sketches.bits, members.bits, strict=True):
                bits, other_bits = bits[one], other_bits[other]
                at_most = at_most - np.bitwise_count(bits & ~other_bits)
                other_at_most = other_at_most - np.bitwise_count(other_bits & ~bits)
            at_most = np.minimum(at_most, other_at_most)
            is_near = at_most >= self._threshold / 2 * (length + other_length) - _ROUNDING
            pairs = np.unique(one[is_near] << 32 | other[is_near])
            if len(pairs):
                yield pairs >> 32, pairs & 0xFFFFFFFF
            start = stop

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
        return np.clip(enough, 0, _LONGEST).astype(np.int64)

    def _shortest_partner(self, length: Ints) -> Ints:
        """The smallest n with t(m+n)/2 <= n."""
        least = np.ceil(self._threshold * length / (2 - self._threshold) - _ROUNDING)
        return np.clip(least, 1, _LONGEST).astype(np.int64)


def _hash(values: Keys) -> Keys:
    """48 bits of a hash, above 16 for a length; the rare collision costs a look at a pair, no more."""
    return (values * np.uint64(0x9E3779B97F4A7C15)) & np.uint64(0xFFFFFFFFFFFF0000)


def _in_key(lengths: Ints) -> Keys:
    return np.minimum(lengths, _LONGEST).astype(np.uint64)


def _count_down(sizes: Ints) -> Ints:
    """For each size s the numbers s, s-1, ..., 1, one after the other."""
    return np.repeat(np.cumsum(sizes), sizes) - np.arange(int(sizes.sum()))


def _ranges(starts: Ints, sizes: Ints) -> Ints:
    """For each start the numbers start, start+1, ..., as many as its size, one after the other."""
    return np.repeat(starts - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))
