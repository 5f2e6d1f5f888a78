"""Which examples make a step, how the processes share them, and the tensors of a micro-batch.

A micro-batch is what a device computes at once: padded rows of one example each, or, packed, one row in which
whole examples follow one another and each begins again at position 0.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import torch

from finetune.config import TrainConfig
from finetune.examples import IGNORED, TokenisedExample

T = TypeVar("T")

PAD = 0  # any token will do: attention and loss leave it out
BATCHES_PER_POOL = 50  # examples of this many batches are sorted by length together


@dataclass(frozen=True)
class Step:
    """One optimizer step: the epoch it belongs to (from 1) and the examples of its global batch."""

    epoch: int
    batch: list[int]


@dataclass(frozen=True)
class MicroBatch:
    """Tensors [rows, length] on the model's device; labels are `IGNORED` but for the completions.

    A padded batch has an attention mask and no positions, a packed one positions and no mask: given both,
    transformers takes the mask (even one of all ones) for the whole truth, and examples see each other.
    """

    input_ids: torch.Tensor
    labels: torch.Tensor
    attention_mask: torch.Tensor | None = None
    position_ids: torch.Tensor | None = None


def plan_steps(
    lengths: Sequence[int], batch_size: int, epochs: int, seed: int, group_by_length: bool = False
) -> list[Step]:
    """Every step of the run, decided by the lengths, the seed and the epoch alone.

    Batches hold examples as they come in an order drawn for each epoch; with `group_by_length` those of
    similar length (less padding), the batches in random order. The last batch of an epoch (grouped: one of
    the longest) may be smaller; no example is left out.
    """
    steps = []
    for epoch in range(1, epochs + 1):
        rng = random.Random(f"{seed}:epoch:{epoch}")
        order = rng.sample(range(len(lengths)), len(lengths))
        batches = []
        for start in range(0, len(order), batch_size * BATCHES_PER_POOL):
            pool = order[start : start + batch_size * BATCHES_PER_POOL]
            if group_by_length:
                pool.sort(key=lengths.__getitem__)
            batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
        if group_by_length:
            rng.shuffle(batches)
        steps += [Step(epoch, batch) for batch in batches]
    return steps


def plan_rounds(
    batch: Sequence[TokenisedExample], config: TrainConfig, num_processes: int
) -> list[list[list[TokenisedExample]]]:
    """Cut a global batch into rounds of one micro-batch a process: `rounds[round][process]`.

    Every process takes part in every round, as collective operations need; where there are fewer examples
    than processes, some micro-batches are empty.
    """
    if config.packing:
        parts = best_fit(batch, config.micro_batch_tokens or config.longest)
    elif config.micro_batch_tokens:
        parts = token_budget(batch, config.micro_batch_tokens)
    else:
        return share(sorted(batch, key=_length), num_processes, config.micro_batch_size)  # little padding
    parts = _in_full_rounds(parts, num_processes)
    return [parts[start : start + num_processes] for start in range(0, len(parts), num_processes)]


def share(batch: Sequence[T], num_processes: int, micro_batch_size: int) -> list[list[list[T]]]:
    """Equal parts of at most `micro_batch_size` examples, in rounds as `plan_rounds` returns them."""
    num_rounds = -(-len(batch) // (num_processes * micro_batch_size))
    num_cuts = num_rounds * num_processes
    cuts = [len(batch) * cut // num_cuts for cut in range(num_cuts + 1)]
    parts = [list(batch[start:end]) for start, end in pairwise(cuts)]
    return [parts[start : start + num_processes] for start in range(0, num_cuts, num_processes)]


def best_fit(examples: Sequence[TokenisedExample], num_tokens: int) -> list[list[TokenisedExample]]:
    """Bins of at most `num_tokens` tokens: longest examples first, each into the fullest bin that takes it.

    An example longer than that has a bin of its own.
    """
    bins: list[list[TokenisedExample]] = []
    room: list[int] = []
    for example in sorted(examples, key=_length, reverse=True):
        length = _length(example)
        fitting = [(left, place) for place, left in enumerate(room) if left >= length]
        if fitting:
            place = min(fitting)[1]
            bins[place].append(example)
            room[place] -= length
        else:
            bins.append([example])
            room.append(num_tokens - length)
    return bins


def token_budget(examples: Sequence[TokenisedExample], num_tokens: int) -> list[list[TokenisedExample]]:
    """Examples of similar length together, so many that they fill at most `num_tokens`, padding included."""
    parts: list[list[TokenisedExample]] = []
    for example in sorted(examples, key=_length, reverse=True):
        if parts and (len(parts[-1]) + 1) * _length(parts[-1][0]) <= num_tokens:
            parts[-1].append(example)
        else:
            parts.append([example])
    return parts


def _in_full_rounds(parts: list[list[TokenisedExample]], num_processes: int) -> list[list[TokenisedExample]]:
    # Halve the largest parts until no process idles, and let parts of like size meet in a round.
    def size(part: list[TokenisedExample]) -> int:
        return sum(map(_length, part))

    parts = list(parts)
    while len(parts) % num_processes:
        largest = max(parts, key=lambda part: (len(part) > 1, size(part)))
        if len(largest) > 1:
            parts[parts.index(largest)] = largest[::2]
            parts.append(largest[1::2])
        else:
            parts.append([])
    return sorted(parts, key=size, reverse=True)


def _length(example: TokenisedExample) -> int:
    return len(example.ids)


def collate(examples: Sequence[TokenisedExample], device: torch.device, packing: bool = False) -> MicroBatch:
    """The tensors of a micro-batch: one row of all examples if `packing`, else a padded row for each."""
    return _packed(examples, device) if packing else _padded(examples, device)


def _padded(examples: Sequence[TokenisedExample], device: torch.device) -> MicroBatch:
    # Padding on the right: positions stay those of the text, and no token of it sees the padding.
    length = max(len(example.ids) for example in examples)
    ids, mask, labels = [], [], []
    for example in examples:
        padding = length - len(example.ids)
        ids.append(example.ids + [PAD] * padding)
        mask.append([1] * len(example.ids) + [0] * padding)
        labels.append(_labels(example) + [IGNORED] * padding)
    return MicroBatch(*(torch.tensor(rows, device=device) for rows in (ids, labels, mask)))


def _packed(examples: Sequence[TokenisedExample], device: torch.device) -> MicroBatch:
    ids = [token for example in examples for token in example.ids]
    labels = [label for example in examples for label in _labels(example)]
    positions = [position for example in examples for position in range(len(example.ids))]
    rows = (torch.tensor([row], device=device) for row in (ids, labels, positions))
    return MicroBatch(next(rows), next(rows), position_ids=next(rows))


def _labels(example: TokenisedExample) -> list[int]:
    # Nothing predicts an example's first token; in a packed row the example before must not.
    return [IGNORED, *example.labels[1:]]


def untrained(examples: Sequence[TokenisedExample]) -> list[TokenisedExample]:
    """The same tokens with none trained: what a process computes that has no example in a round."""
    return [TokenisedExample(example.where, example.ids, len(example.ids)) for example in examples]
