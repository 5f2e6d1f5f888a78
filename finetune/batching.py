"""Which examples make a step, how the processes share them, and the padded tensors of a micro-batch."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import torch

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
    """Tensors [examples, length] on the model's device; labels are `IGNORED` but for the completion."""

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor


def plan_steps(lengths: Sequence[int], batch_size: int, epochs: int, seed: int) -> list[Step]:
    """Every step of the run, decided by the lengths, the seed and the epoch alone.

    Batches hold examples of similar length (less padding), in random order. The last batch of an epoch may be
    smaller; no example is left out.
    """
    steps = []
    for epoch in range(1, epochs + 1):
        rng = random.Random(f"{seed}:epoch:{epoch}")
        order = rng.sample(range(len(lengths)), len(lengths))
        batches = []
        for start in range(0, len(order), batch_size * BATCHES_PER_POOL):
            pool = sorted(order[start : start + batch_size * BATCHES_PER_POOL], key=lengths.__getitem__)
            batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
        rng.shuffle(batches)
        steps += [Step(epoch, batch) for batch in batches]
    return steps


def share(batch: Sequence[T], num_processes: int, micro_batch_size: int) -> list[list[Sequence[T]]]:
    """Cut a global batch into rounds of one micro-batch a process: `rounds[round][process]`.

    Every process takes part in every round, as collective operations need; where there are fewer examples
    than processes, some micro-batches are empty.
    """
    num_rounds = -(-len(batch) // (num_processes * micro_batch_size))
    num_cuts = num_rounds * num_processes
    cuts = [len(batch) * cut // num_cuts for cut in range(num_cuts + 1)]
    parts = [batch[start:end] for start, end in pairwise(cuts)]
    return [parts[start : start + num_processes] for start in range(0, num_cuts, num_processes)]


def collate(examples: Sequence[TokenisedExample], device: torch.device) -> MicroBatch:
    """Pad on the right: positions stay those of the text, and no token of it sees the padding."""
    length = max(len(example.ids) for example in examples)
    ids, mask, labels = [], [], []
    for example in examples:
        padding = length - len(example.ids)
        ids.append(example.ids + [PAD] * padding)
        mask.append([1] * len(example.ids) + [0] * padding)
        labels.append(example.labels + [IGNORED] * padding)
    return MicroBatch(*(torch.tensor(rows, device=device) for rows in (ids, mask, labels)))


def untrained(examples: Sequence[TokenisedExample]) -> list[TokenisedExample]:
    """The same tokens with none trained: what a process computes that has no example in a round."""
    return [TokenisedExample(example.where, example.ids, len(example.ids)) for example in examples]
