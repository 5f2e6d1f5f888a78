"""Evaluation tasks that training data holds already: shared runs of words, and ROUGE-L.

python scripts/eval_superni.py predictions=predictions.jsonl training_data=runs/mine run_dir=runs/eval

A definition or an input overlaps with the training data if 13 words in a row (the rule of the GPT-3 paper)
stand in one training text, or if its ROUGE-L with a training instruction or input is above 0.7 (the novelty
rule of Self-Instruct, section 2.2). Runs of 8 words are counted as well; alone they are mostly stock phrases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from eval.superni_tasks import Sample
from eval.training_texts import TrainingData
from selfinstruct import jsonl
from selfinstruct.novelty import NoveltyFilter
from selfinstruct.rouge import tokenize_unicode

OVERLAPS = "overlaps.jsonl"
DECISIVE_RUN, SHORT_RUN = 13, 8  # words
THRESHOLD = 0.7  # ROUGE-L
DEFINITION, INPUT = "definition", "input"

_Hashes = NDArray[np.uint64]
# One factor a place of a run: a run's hash is the sum of its word numbers times these, modulo 2**64.
_FACTORS = np.random.default_rng(13).integers(2**63, 2**64 - 1, DECISIVE_RUN, dtype=np.uint64) | np.uint64(1)


@dataclass(frozen=True)
class Nearest:
    """What is nearest to a test text in the training data.

    Attributes:
        shared: for each length of a run the share (0 to 1) of the text's runs that stand in a training text;
            None where the text is shorter than a run.
        rouge: the highest ROUGE-L above 0.7; None where there is none.
        where: the training texts' places, by what they were found by.
    """

    num_words: int
    shared: Mapping[int, float | None]
    rouge: float | None
    where: Mapping[str, str]

    @property
    def overlaps(self) -> bool:
        return bool(self.shared[DECISIVE_RUN]) or self.rouge is not None

    @property
    def is_listed(self) -> bool:
        return self.overlaps or bool(self.shared[SHORT_RUN])


@dataclass(frozen=True)
class Overlaps:
    """What is nearest to each definition (by task) and each input that is not empty (by instance id)."""

    training: TrainingData
    definitions: Mapping[str, Nearest]
    inputs: Mapping[str, Nearest]

    def touches(self, sample: Sample) -> bool:
        """Whether the sample's definition or input overlaps with the training data."""
        found = self.inputs.get(sample.id)
        return self.definitions[sample.task].overlaps or (found is not None and found.overlaps)

    def as_json(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """The counts, as metrics.json holds them."""
        return {
            "training_data": {
                "name": self.training.name,
                "sha256": self.training.sha256,
                "examples": len(self.training.texts),
            },
            "definitions": _counts(list(self.definitions.values())),
            "inputs": _counts(list(self.inputs.values())),
            "instances": {"n": len(samples), "overlapping": sum(map(self.touches, samples))},
        }

    def records(self, samples: Sequence[Sample]) -> list[jsonl.Record]:
        """A line for each definition and input with anything in common, in the samples' order."""
        texts: dict[tuple[str, str], str] = {}
        for sample in samples:
            texts.setdefault((DEFINITION, sample.task), sample.definition)
            texts[INPUT, sample.id] = sample.input
        return [
            {
                "kind": kind,
                "name": name,
                "overlaps": found.overlaps,
                **{f"shared_{length}": share for length, share in found.shared.items()},
                "rouge": found.rouge,
                "where": dict(found.where),
                "text": text,
            }
            for (kind, name), text in texts.items()
            for found in [(self.definitions if kind == DEFINITION else self.inputs).get(name)]
            if found is not None and found.is_listed
        ]


def find_overlaps(samples: Sequence[Sample], training: TrainingData) -> Overlaps:
    """Compare every definition and every input of the samples with the training data."""
    definitions = {sample.task: sample.definition for sample in samples}
    inputs = {sample.id: sample.input for sample in samples if sample.input.strip()}
    instructions: dict[str, str] = {}
    training_inputs: dict[str, str] = {}
    for row in training.texts:
        instructions.setdefault(row.instruction, row.where)
        if row.input.strip():
            training_inputs.setdefault(row.input, row.where)
    texts = [*definitions.values(), *inputs.values()]
    runs = {length: _shared_runs(texts, training, length) for length in (DECISIVE_RUN, SHORT_RUN)}
    rouges = _rouge(list(definitions.values()), instructions, shortest=1)
    rouges += _rouge(list(inputs.values()), training_inputs, shortest=SHORT_RUN)
    nearest = []
    for place, (text, rouge) in enumerate(zip(texts, rouges, strict=True)):
        shares = {length: found[place] for length, found in runs.items()}
        where = {f"shared_{length}": found[1] for length, found in shares.items() if found[1]}
        where |= {"rouge": rouge[1]} if rouge else {}
        nearest.append(
            Nearest(
                num_words=len(tokenize_unicode(text)),
                shared={length: share for length, (share, _) in shares.items()},
                rouge=round(rouge[0], 4) if rouge else None,
                where=where,
            )
        )
    return Overlaps(
        training,
        dict(zip(definitions, nearest[: len(definitions)], strict=True)),
        dict(zip(inputs, nearest[len(definitions) :], strict=True)),
    )


def _counts(nearest: Sequence[Nearest]) -> dict[str, int]:
    return {
        "n": len(nearest),
        "too_short": sum(each.num_words < SHORT_RUN for each in nearest),
        "shared_13": sum(bool(each.shared[DECISIVE_RUN]) for each in nearest),
        "shared_8": sum(bool(each.shared[SHORT_RUN]) for each in nearest),
        "rouge": sum(each.rouge is not None for each in nearest),
        "overlapping": sum(each.overlaps for each in nearest),
    }


def _rouge(texts: Sequence[str], others: Mapping[str, str], shortest: int) -> list[tuple[float, str] | None]:
    """For each text the highest ROUGE-L above 0.7, and where; texts of fewer words are passed over."""
    pool = NoveltyFilter(THRESHOLD, "unicode", reject_exact_duplicates=True)
    pool.extend(others)
    places = list(others.values())
    best: list[tuple[float, str] | None] = []
    for text, found in zip(texts, pool.neighbours(texts), strict=True):
        if not found or len(tokenize_unicode(text)) < shortest:
            best.append(None)
            continue
        place, score = max(found, key=lambda pair: pair[1])
        best.append((score, places[place]))
    return best


def _shared_runs(
    texts: Sequence[str], training: TrainingData, length: int
) -> list[tuple[float | None, str | None]]:
    """For each text the share of its runs found in a training text, and the first such text's place."""
    numbers: dict[str, int] = {}
    by_text = [_hashes(text, numbers, length) for text in texts]
    known = np.unique(np.concatenate(by_text)) if by_text else np.zeros(0, np.uint64)
    first = np.full(len(known), -1, np.int64)  # the training text that holds each run
    for place, row in enumerate(training.texts):
        hashes = np.concatenate([_hashes(part, numbers, length) for part in row.parts])
        at = np.searchsorted(known, hashes)
        at[at == len(known)] = 0
        at = at[known[at] == hashes] if len(known) else at[:0]
        first[at[first[at] < 0]] = place
    found: list[tuple[float | None, str | None]] = []
    for hashes in by_text:
        places = first[np.searchsorted(known, hashes)]
        held = places[places >= 0]
        share = round(float(len(held) / len(hashes)), 4) if len(hashes) else None
        found.append((share, training.texts[int(held.min())].where if len(held) else None))
    return found


def _hashes(text: str, numbers: dict[str, int], length: int) -> _Hashes:
    """A 64-bit hash of every run of so many words; words get numbers as they come."""
    words = [numbers.setdefault(word, len(numbers) + 1) for word in tokenize_unicode(text)]
    if len(words) < length:
        return np.zeros(0, np.uint64)
    return (sliding_window_view(np.array(words, np.uint64), length) * _FACTORS[:length]).sum(axis=1)
