"""ROUGE-1 and ROUGE-L F-measures, bit for bit those of the `rouge_score` package, fast in bulk."""

import re
import sys
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from string import ascii_lowercase, digits
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist, cpdist

Tokenize = Callable[[str], list[str]]
# A character for each token: rapidfuzz is fastest on strings. With tokens past the last code point, the
# numbers of all tokens, which rapidfuzz takes for the same as the characters of those numbers.
Encoded = str | list[int]

_ENGLISH_WORD = re.compile(r"[a-z0-9]+")
# The same for bytes: a blank for all that is in no word.
_ENGLISH_SPACING = bytes(byte if chr(byte) in ascii_lowercase + digits else ord(" ") for byte in range(256))

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
        [_sorted(text) for text in encoded_targets],
        [_sorted(text) for text in encoded_predictions],
    )


def f_measure(overlap: Any, target_length: Any, prediction_length: Any) -> NDArray[np.float64]:
    """`rouge_score`'s F-measure (0 to 1) of token counts, numbers or arrays; 0 where a length is 0.

    Its own order of float operations: where 20*overlap == 7*(both lengths) the result lies above 0.7 for some
    lengths and not for others, and the novelty rule (paper, section 2.2) goes by that very float.
    """
    precision = np.asarray(overlap) / np.maximum(prediction_length, 1)
    recall = np.asarray(overlap) / np.maximum(target_length, 1)
    total = precision + recall
    return 2 * precision * recall / (total + (total == 0))


class EncodedPool:
    """Texts of a growing pool, encoded once, for ROUGE-L of many pairs."""

    def __init__(self, tokenize: Tokenize) -> None:
        self._tokenize = tokenize
        self._characters = _TokenCharacters()
        self._texts: list[Encoded] = []
        self._lengths = array("q")

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def num_tokens(self) -> int:
        """How many distinct tokens have been encoded so far."""
        return len(self._characters)

    def encode(self, text: str) -> Encoded:
        """A text as this pool compares it."""
        return self._characters.encode(self._tokenize(text))

    def append(self, text: str) -> None:
        """Add a text to the pool."""
        self.append_encoded(self.encode(text))

    def append_encoded(self, text: Encoded) -> None:
        """Add a text that this pool encoded."""
        self._texts.append(text)
        self._lengths.append(len(text))

    def members(self, first: int, stop: int) -> list[Encoded]:
        """The encoded members from `first` up to, not including, `stop`."""
        return self._texts[first:stop]

    def rouge_l(self, text: str) -> NDArray[np.float64]:
        """ROUGE-L F-measures (0 to 1) of a text against every pool member, in pool order."""
        return self.rouge_l_rows([self.encode(text)], 0, len(self))[0]

    def rouge_l_rows(self, texts: Sequence[Encoded], first: int, stop: int) -> NDArray[np.float64]:
        """ROUGE-L F-measures (0 to 1): encoded texts are the rows, the members first..stop-1 the columns."""
        scores = np.empty((len(texts), stop - first))
        for row, values in enumerate(self.rouge_l_by_row(texts, first, stop)):
            scores[row] = values
        return scores

    def rouge_l_by_row(
        self, texts: Sequence[Encoded], first: int, stop: int
    ) -> Iterator[NDArray[np.float64]]:
        """Yield the rows of `rouge_l_rows`: what is done with each finds it in the processor's cache."""
        lengths = np.array(self._lengths[first:stop], np.int64)
        counts = np.arange(int(lengths.max(initial=0)) + 1)
        is_short = max(map(len, texts), default=0) <= np.iinfo(np.uint8).max
        common = cdist(
            texts,
            self._texts[first:stop],
            scorer=LCSseq.similarity,
            dtype=np.uint8 if is_short else np.int32,
        )
        for row, text in enumerate(texts):
            width = len(text) + 1
            if len(counts) * width > len(lengths):
                yield f_measure(common[row], len(text), lengths)
            else:  # fewer different scores than members: each is computed once
                scores = f_measure(np.arange(width), len(text), counts[:, None]).ravel()
                yield scores.take(lengths * width + common[row])

    def rouge_l_of_pairs(
        self,
        texts: Sequence[Encoded],
        which: NDArray[np.int64],
        members: NDArray[np.int64],
        threads: int = -1,
    ) -> NDArray[np.float64]:
        """ROUGE-L F-measures (0 to 1) of the pairs (texts[which[i]], member number members[i])."""
        theirs = self._texts
        return rouge_l_of_encoded(
            [texts[i] for i in which.tolist()],
            [theirs[i] for i in members.tolist()],
            np.fromiter(map(len, texts), np.int64, len(texts))[which],
            np.frombuffer(self._lengths, np.int64)[members],
            threads,
        )


def rouge_l_of_encoded(
    targets: Sequence[Encoded],
    predictions: Sequence[Encoded],
    target_lengths: Any,
    prediction_lengths: Any,
    threads: int = -1,
) -> NDArray[np.float64]:
    """ROUGE-L F-measures (0 to 1) of pairs of texts that one pool encoded, their lengths in tokens given.

    Args:
        threads: at most; -1: as many as there are cores.
    """
    workers = threads if len(targets) > 10_000 else 1  # threads pay for many pairs only
    common = cpdist(targets, predictions, scorer=LCSseq.similarity, dtype=np.int32, workers=workers)
    return f_measure(common, target_lengths, prediction_lengths)


def token_numbers(texts: Sequence[Encoded]) -> NDArray[np.int64]:
    """The numbers of all tokens of encoded texts, one text after the other."""
    try:
        joined = "".join(texts)  # type: ignore[arg-type]
    except TypeError:
        numbers = [ord(token) if isinstance(token, str) else token for text in texts for token in text]
        return np.array(numbers, np.int64)
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)


class _TokenCharacters(dict[str, str | int]):
    """A character for each token, given out from chr(0): rapidfuzz is fastest on low code points."""

    num_characters = sys.maxunicode + 1

    def __missing__(self, token: str) -> str | int:
        number = len(self)
        self[token] = chr(number) if number < self.num_characters else number
        return self[token]

    def encode(self, tokens: list[str]) -> Encoded:
        characters = [self[token] for token in tokens]
        try:
            return "".join(characters)  # type: ignore[arg-type]
        except TypeError:
            return [ord(each) if isinstance(each, str) else each for each in characters]


class _StemCharacters(dict[bytes, str]):
    """The character of each word's stem: `tokenize_english_stemmed` and `_TokenCharacters` in one look-up.

    A stem that is left empty has no character. Several times faster than the two one after the other.
    """

    def __init__(self) -> None:
        self._characters = _TokenCharacters()

    def __missing__(self, word: bytes) -> str:
        character = self._characters.encode(tokenize_english_stemmed(word.decode("ascii")))
        assert isinstance(character, str)  # there are fewer English stems than code points
        self[word] = character
        return character

    def encode(self, text: str) -> str:
        words = text.lower().encode("ascii", "replace").translate(_ENGLISH_SPACING).split()
        return "".join(map(self.__getitem__, words))


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
) -> tuple[list[Encoded], list[Encoded]]:
    words = _StemCharacters() if tokenize is tokenize_english_stemmed else None
    characters = _TokenCharacters()
    encoded: dict[str, Encoded] = {}  # labels and predictions repeat: each text is taken apart once
    for pair in zip(targets, predictions, strict=True):
        for text in pair:
            if text not in encoded:
                encoded[text] = words.encode(text) if words is not None else characters.encode(tokenize(text))
    return [encoded[text] for text in targets], [encoded[text] for text in predictions]


def _sorted(text: Encoded) -> Encoded:
    return "".join(sorted(text)) if isinstance(text, str) else sorted(text)


def _score_pairs(targets: Sequence[Encoded], predictions: Sequence[Encoded]) -> NDArray[np.float64]:
    return rouge_l_of_encoded(targets, predictions, [*map(len, targets)], [*map(len, predictions)])
