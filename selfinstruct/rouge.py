"""ROUGE-1 and ROUGE-L F-measures, bit for bit those of the `rouge_score` package, fast in bulk."""

import re
import unicodedata
from array import array
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist, cpdist

Tokenize = Callable[[str], list[str]]

_ENGLISH_WORD = re.compile(r"[a-z0-9]+")

# Scripts written without spaces (code points, both ends included): here each character is a token.
_UNSPACED_SCRIPTS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # ideographic iteration mark, zero
    (0x3040, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # CJK ideographs, here and below
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def tokenize_english(text: str) -> list[str]:
    """Split into lower-case runs of ASCII letters and digits: `rouge_score`'s default, unstemmed.

    Novelty uses it (paper, section 2.2). Text in other scripts has no tokens at all.
    """
    return _ENGLISH_WORD.findall(text.lower())


def tokenize_english_stemmed(text: str) -> list[str]:
    """Split as `tokenize_english` and stem as `rouge_score`'s `use_stemmer=True` does (paper, section 4)."""
    # rouge_score stems only words of more than 3 characters, and drops a token that stemming leaves empty.
    tokens = [_stem(token) if len(token) > 3 else token for token in _ENGLISH_WORD.findall(text.lower())]
    return [token for token in tokens if token]


def tokenize_unicode(text: str) -> list[str]:
    """Split text of any script into case-folded words; equals `tokenize_english` on ASCII text.

    Letters, digits and combining marks make words; scripts without spaces give a token a character.
    """
    return unicodedata.normalize("NFKC", text).casefold().translate(_UNICODE_SPACING).split()


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script written without spaces between words (Chinese, Thai...)."""
    return any(first <= ord(character) <= last for first, last in _UNSPACED_SCRIPTS)


def rouge_l(target: str, prediction: str, tokenize: Tokenize) -> float:
    """ROUGE-L F-measure (0 to 1, sentence level) of one pair; 0 if either has no token."""
    return float(rouge_l_pairs([target], [prediction], tokenize)[0])


def rouge_1(target: str, prediction: str, tokenize: Tokenize) -> float:
    """ROUGE-1 F-measure (0 to 1) of one pair; 0 if either has no token."""
    return float(rouge_1_pairs([target], [prediction], tokenize)[0])


def rouge_l_pairs(
    targets: Sequence[str], predictions: Sequence[str], tokenize: Tokenize
) -> NDArray[np.float64]:
    """ROUGE-L F-measures (0 to 1) of many pairs: the i-th target against the i-th prediction.

    Raises:
        ValueError: the two lists differ in length.
    """
    return _score_pairs(*_encode_pairs(targets, predictions, tokenize))


def rouge_1_pairs(
    targets: Sequence[str], predictions: Sequence[str], tokenize: Tokenize
) -> NDArray[np.float64]:
    """ROUGE-1 F-measures (0 to 1) of many pairs: the i-th target against the i-th prediction.

    Raises:
        ValueError: the two lists differ in length.
    """
    encoded_targets, encoded_predictions = _encode_pairs(targets, predictions, tokenize)
    # The LCS of two sorted sequences is the size of their multiset intersection: what ROUGE-1 counts.
    return _score_pairs(
        ["".join(sorted(text)) for text in encoded_targets],
        ["".join(sorted(text)) for text in encoded_predictions],
    )


def f_measure(overlap: Any, target_length: Any, prediction_length: Any) -> NDArray[np.float64]:
    """`rouge_score`'s F-measure (0 to 1) of token counts, numbers or arrays; 0 where a length is 0.

    Its own order of float operations: where 20*overlap == 7*(both lengths) the result lies above 0.7 for some
    lengths and not for others, and the novelty rule (paper, section 2.2) goes by that very float.
    """
    precision = np.asarray(overlap) / np.maximum(prediction_length, 1)
    recall = np.asarray(overlap) / np.maximum(target_length, 1)
    total = precision + recall
    return 2 * precision * recall / np.where(total > 0, total, 1.0)


class EncodedPool:
    """Texts of a growing pool as strings of one character a distinct token, for one-against-many ROUGE-L.

    Holds up to 1,114,112 distinct tokens (the number of code points).
    """

    def __init__(self, tokenize: Tokenize) -> None:
        self._tokenize = tokenize
        self._characters = _TokenCharacters()
        self._texts: list[str] = []
        self._lengths = array("q")

    def __len__(self) -> int:
        return len(self._texts)

    def append(self, text: str) -> None:
        """Add a text to the pool."""
        encoded = self._characters.encode(self._tokenize(text))
        self._texts.append(encoded)
        self._lengths.append(len(encoded))

    def rouge_l(self, text: str) -> NDArray[np.float64]:
        """ROUGE-L F-measures (0 to 1) of a text against every pool member, in pool order."""
        encoded = self._characters.encode(self._tokenize(text))
        common = cdist([encoded], self._texts, scorer=LCSseq.similarity, dtype=np.int32)[0]
        return f_measure(common, len(encoded), np.array(self._lengths))


class _TokenCharacters(dict[str, str]):
    """A character for each token, given out from chr(0): rapidfuzz is fastest on low code points."""

    def __missing__(self, token: str) -> str:
        character = self[token] = chr(len(self))
        return character

    def encode(self, tokens: list[str]) -> str:
        return "".join([self[token] for token in tokens])


class _UnicodeSpacing(dict[int, str]):
    """What `str.translate` puts for a code point: itself in a word, else a blank; filled on demand."""

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        if not (character.isalnum() or unicodedata.category(character).startswith("M")):
            spaced = " "
        elif is_unspaced(character):
            spaced = f" {character} "
        else:
            spaced = character
        self[code_point] = spaced
        return spaced


_UNICODE_SPACING = _UnicodeSpacing()


@lru_cache(maxsize=2**18)
def _stem(word: str) -> str:
    return _porter_stemmer().stem(word)


@cache
def _porter_stemmer() -> Any:
    from nltk.stem import porter  # imported on first use: it takes about a second, and novelty needs no stems

    return porter.PorterStemmer()


def _encode_pairs(
    targets: Sequence[str], predictions: Sequence[str], tokenize: Tokenize
) -> tuple[list[str], list[str]]:
    encoded_targets, encoded_predictions = [], []
    for target, prediction in zip(targets, predictions, strict=True):
        characters = _TokenCharacters()  # a pair's own: code points stay low however many pairs there are
        encoded_targets.append(characters.encode(tokenize(target)))
        encoded_predictions.append(characters.encode(tokenize(prediction)))
    return encoded_targets, encoded_predictions


def _score_pairs(targets: list[str], predictions: list[str]) -> NDArray[np.float64]:
    common = cpdist(targets, predictions, scorer=LCSseq.similarity, dtype=np.int32)
    return f_measure(common, [len(text) for text in targets], [len(text) for text in predictions])
