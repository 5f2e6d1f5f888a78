"""Which training texts are too close to a text of an evaluation: the novelty filter's index gives all pairs.

python -c "from selfinstruct.leakage import find_leaks; print(list(find_leaks(['Sing.'], ['Sing!'], 0.7)))"
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from selfinstruct.novelty import NoveltyFilter

_TEXTS_AT_ONCE = 4096


@dataclass(frozen=True)
class Leak:
    """A training text and an evaluation text, by their places from 0, and their ROUGE-L (0 to 1)."""

    training: int
    evaluation: int
    score: float


def find_leaks(
    training: Iterable[str], evaluation: Sequence[str], threshold: float, tokenizer: str = "unicode"
) -> Iterator[Leak]:
    """Yield every pair above `threshold` (ROUGE-L, 0 to 1), and exact copies; in the order of the training.

    The training texts are read in a stream; memory holds those of the evaluation.

    Raises:
        UserError: a threshold outside 0..1, or an unknown tokenizer.
    """
    pool = NoveltyFilter(threshold, tokenizer, reject_exact_duplicates=True)
    pool.extend(evaluation)
    texts = iter(training)
    done = 0
    while chunk := list(islice(texts, _TEXTS_AT_ONCE)):
        for place, near in enumerate(pool.neighbours(chunk), start=done):
            yield from (Leak(place, member, score) for member, score in near)
        done += len(chunk)
