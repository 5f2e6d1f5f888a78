"""The official SuperNI scores of predictions against references, and the named variants of a prediction.

python -c "from eval.scoring import score; print(score(['The cat.'], [['the cat', 'a dog']]))"
"""

import re
import string
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from selfinstruct.rouge import Tokenize, rouge_1_pairs, rouge_l_pairs, tokenize_english_stemmed

METRICS = ("rougeL", "rouge1", "exact_match")

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_END_MARKER = re.compile(
    r"<\|(?:endoftext|end_of_text|eot_id|im_end|end|eos)\|>|</s>|<eos>|<end_of_turn>|\[EOS\]", re.IGNORECASE
)
_OUTPUT_LABEL = re.compile(r"output\s*:\s*", re.IGNORECASE)


def score(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    tokenize: Tokenize = tokenize_english_stemmed,
) -> dict[str, NDArray[np.float64]]:
    """Score each prediction against its references: the maximum over them, each metric on its own.

    The rules are those of natural-instructions' `eval/automatic/evaluation.py`, ROUGE-1 as in Tk-Instruct's
    `compute_metrics.py`.

    Args:
        tokenize: what ROUGE counts: stemmed English words for the default track, the byte pairs of
            `eval.xlingual` for the other. Exact match has the same rule in both.

    Returns:
        For each of `METRICS` one value an instance, 0 to 100, in the order given.

    Raises:
        ValueError: the two lists differ in length, or an instance has no reference.
    """
    if len(predictions) != len(references):
        raise ValueError(f"{len(predictions)} predictions against {len(references)} lists of references")
    if not all(references):
        raise ValueError("an instance has no reference")
    if not references:
        return {metric: np.zeros(0) for metric in METRICS}
    targets = [text for texts in references for text in texts]
    repeated = [text for text, texts in zip(predictions, references, strict=True) for _ in texts]
    pairs = {
        "rougeL": rouge_l_pairs(targets, repeated, tokenize),
        "rouge1": rouge_1_pairs(targets, repeated, tokenize),
        "exact_match": _exact_match_pairs(targets, repeated),
    }
    starts = np.cumsum([0] + [len(texts) for texts in references[:-1]])
    return {metric: 100.0 * np.maximum.reduceat(values, starts) for metric, values in pairs.items()}


def normalize_answer(text: str) -> str:
    """Lower case, ASCII punctuation dropped, white space squeezed; articles stay (the official rule)."""
    return " ".join(text.lower().translate(_NO_PUNCTUATION).split())


def _exact_match_pairs(targets: Sequence[str], predictions: Sequence[str]) -> NDArray[np.float64]:
    equal = [normalize_answer(a) == normalize_answer(b) for a, b in zip(targets, predictions, strict=True)]
    return np.array(equal, dtype=np.float64)


def stripped(text: str) -> str:
    """The prediction without what is no part of an answer: the one place where such text is taken off.

    Cut at the first end-of-text marker, then without a leading `Output:` and the white space around.
    """
    text = _END_MARKER.split(text, maxsplit=1)[0].strip()
    return _OUTPUT_LABEL.sub("", text, count=1).strip() if _OUTPUT_LABEL.match(text) else text


def what_was_stripped(text: str) -> list[str]:
    """Which of the things that `stripped` takes off a prediction holds: the keys of its counts."""
    before_marker = _END_MARKER.split(text, maxsplit=1)[0]
    found = {
        "leading_space": text[:1].isspace(),
        "output_label": _OUTPUT_LABEL.match(before_marker.strip()) is not None,
        "end_marker": before_marker != text,
    }
    return [name for name, is_found in found.items() if is_found]


def first_paragraph(text: str) -> str:
    """The text up to its first blank line; blank lines before any text do not count.

    Of the text unchanged, as is `first_line`: an `Output:` or an end marker stays; `stripped` takes them off.
    """
    return _BLANK_LINE.split(text.strip(), maxsplit=1)[0].strip()


def first_line(text: str) -> str:
    """The text up to its first line end; blank lines before any text do not count."""
    return text.strip().split("\n", maxsplit=1)[0].strip()


VARIANTS: dict[str, Callable[[str], str]] = {
    "stripped": stripped,
    "first_paragraph": first_paragraph,
    "first_line": first_line,
}
