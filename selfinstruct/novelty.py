"""The novelty filter: an instruction is kept if no member of the growing pool is too similar to it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from selfinstruct import rouge
from selfinstruct.errors import UserError

NUM_MOST_SIMILAR = 10  # stored with each accepted instruction, as the released code does


@dataclass(frozen=True)
class Verdict:
    """Whether a text is novel, and the first pool member most similar to it (None, 0.0 in an empty pool)."""

    is_novel: bool
    nearest_text: str | None
    nearest_score: float


class NoveltyFilter:
    """A pool of texts that judges new ones by their highest ROUGE-L with a member (paper, section 2.2).

    Args:
        threshold: ROUGE-L (0 to 1); a text whose highest score is above it is rejected (the released rule).
        tokenizer: "english" (the released one: ASCII words) or "unicode" (words of any script).
        reject_exact_duplicates: also reject a text equal to a member up to white space, whatever its score:
            a text without a single token scores 0 against its own copy.

    Raises:
        UserError: a threshold outside 0..1, or an unknown tokenizer.
    """

    def __init__(self, threshold: float, tokenizer: str, reject_exact_duplicates: bool) -> None:
        if not 0 <= threshold <= 1:
            raise UserError(f"novelty.threshold is {threshold}; it must be a ROUGE-L, 0 to 1 (paper: 0.7)")
        self._threshold = threshold
        self._reject_exact_duplicates = reject_exact_duplicates
        self._encoded = rouge.EncodedPool(_tokenize_function(tokenizer))
        self._texts: list[str] = []
        self._member_by_folded: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: str) -> None:
        """Put a text into the pool, novel or not."""
        self._encoded.append(text)
        self._texts.append(text)
        self._member_by_folded.setdefault(_fold(text), text)

    def extend(self, texts: Iterable[str]) -> None:
        """Put texts into the pool, in order."""
        for text in texts:
            self.add(text)

    def check(self, text: str) -> Verdict:
        """Judge a text against the pool, without adding it; an exact duplicate's score is given as 1.0."""
        if not self._texts:
            return Verdict(is_novel=True, nearest_text=None, nearest_score=0.0)
        if self._reject_exact_duplicates and (member := self._member_by_folded.get(_fold(text))) is not None:
            return Verdict(is_novel=False, nearest_text=member, nearest_score=1.0)
        scores = self._encoded.rouge_l(text)
        nearest = int(np.argmax(scores))
        score = float(scores[nearest])
        return Verdict(score <= self._threshold, self._texts[nearest], score)

    def similarity(self, text: str) -> tuple[dict[str, float], float]:
        """The most similar members with their ROUGE-L, highest first, and the mean ROUGE-L over the pool.

        At most 10 members, fewer where two have the same text; ({}, 0.0) for an empty pool.
        """
        if not self._texts:
            return {}, 0.0
        scores = self._encoded.rouge_l(text)
        # The released expression, default sort included: among equal scores its choice is the one on record.
        order = np.argsort(scores)[-NUM_MOST_SIMILAR:][::-1]
        return {self._texts[i]: float(scores[i]) for i in order}, float(np.mean(scores))


def _tokenize_function(name: str) -> rouge.Tokenize:
    match name:
        case "english":
            return rouge.tokenize_english
        case "unicode":
            return rouge.tokenize_unicode
    raise UserError(f'novelty.tokenizer is "{name}"; it must be english or unicode')


def _fold(text: str) -> str:
    return " ".join(text.split())
