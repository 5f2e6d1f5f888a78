"""The keys of the overlap index: what texts are found by and what they look for, as sorted arrays.

A key is a hash of one or two tokens, a bit that says whether only shorter texts need to find it, and in the
last 16 bits the length of the text. So the partners of some lengths that share a token are one range of keys.
Here and in the index, `take` and `compress` stand for [...]: they are several times faster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

LONGEST = 0xFFFF  # lengths in a key stop here: longer texts count as so long
_FOR_SHORTER = np.uint64(1 << 16)


@dataclass(frozen=True)
class Postings:
    """What texts are found by: a row for each key of a text."""

    keys: Keys
    texts: NDArray[np.int32]
    reach: NDArray[np.int32]  # the longest partner that this key is needed for

    @staticmethod
    def join(parts: "Sequence[Postings]") -> "Postings":
        return Postings(
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.texts for part in parts]),
            np.concatenate([part.reach for part in parts]),
        )

    def of_texts(self, is_wanted: NDArray[np.bool_], first: int) -> "Postings":
        """Those of some texts, which get the numbers from `first` on."""
        numbers = (np.cumsum(is_wanted) - 1 + first).astype(np.int32)
        wanted = self.where(is_wanted[self.texts])
        return Postings(wanted.keys, numbers[wanted.texts], wanted.reach)

    def where(self, is_wanted: NDArray[np.bool_]) -> "Postings":
        return Postings(
            self.keys.compress(is_wanted), self.texts.compress(is_wanted), self.reach.compress(is_wanted)
        )

    def by_key(self, sort: Literal["quicksort", "stable"]) -> "Postings":
        order = np.argsort(self.keys, kind=sort)
        return Postings(self.keys.take(order), self.texts.take(order), self.reach.take(order))

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True)
class Lookups:
    """What texts look for: the keys from `low` to `high`, which differ in the length only."""

    low: Keys
    high: Keys
    texts: NDArray[np.int32]

    @staticmethod
    def join(parts: "Sequence[Lookups]") -> "Lookups":
        return Lookups(
            np.concatenate([part.low for part in parts]),
            np.concatenate([part.high for part in parts]),
            np.concatenate([part.texts for part in parts]),
        )

    def by_key(self) -> "Lookups":
        order = np.argsort(self.low)
        return Lookups(self.low.take(order), self.high.take(order), self.texts.take(order))


@dataclass(frozen=True)
class TextKeys:
    """What texts have in common with others: a row for each token or pair of a text."""

    hashes: Keys
    texts: Ints
    lengths: Ints  # of the texts, at most LONGEST
    reach: Ints  # the longest partner that this key is needed for

    def postings(self, is_wanted: NDArray[np.bool_] | None = None) -> Postings:
        keys = self.hashes | self.lengths.astype(np.uint64)
        keys |= np.where(self.reach < self.lengths, _FOR_SHORTER, np.uint64(0))
        postings = Postings(keys, self.texts.astype(np.int32), self.reach.astype(np.int32))
        return postings if is_wanted is None else postings.where(is_wanted)

    def lookups(self, shortest: Ints | int, longest: Ints | int = LONGEST) -> Lookups:
        """Those for partners of such lengths (in tokens, both included)."""
        high = np.minimum(self.reach, longest)
        low = np.broadcast_to(shortest, high.shape)
        # What only shorter texts are to find is found by texts shorter than the one it belongs to.
        low_for_shorter = np.maximum(low, self.lengths + 1)
        any_text, for_shorter = np.flatnonzero(low <= high), np.flatnonzero(low_for_shorter <= high)
        hashes = np.concatenate([self.hashes[any_text], self.hashes[for_shorter] | _FOR_SHORTER])
        return Lookups(
            hashes | _joined(low[any_text], low_for_shorter[for_shorter]),
            hashes | _joined(high[any_text], high[for_shorter]),
            np.concatenate([self.texts[any_text], self.texts[for_shorter]]).astype(np.int32),
        )


def hashed(values: Keys) -> Keys:
    """47 bits of a hash; the rare collision costs a look at a pair, no more."""
    return (values * np.uint64(0x9E3779B97F4A7C15)) & np.uint64(0xFFFFFFFFFFFE0000)


def _joined(one: Ints, other: Ints) -> Keys:
    return np.concatenate([one, other]).astype(np.uint64)
