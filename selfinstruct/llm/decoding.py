"""Batched decoding of a causal language model: one loop for any architecture, checked on each model."""

import inspect
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import torch
from torch.nn.functional import pad
from transformers import PreTrainedModel

from selfinstruct.llm.base import FinishReason, Request
from selfinstruct.llm.cache import can_join, joined, new_cache, select_rows, spread
from selfinstruct.llm.prefixes import SHORTEST_SHARED_PREFIX, by_length, families, shared_prefix

DROP_BELOW = 0.75  # of the rows unfinished; dropping the others copies the cache: not for each of them
LARGEST_ERROR = {torch.float32: 1e-3, torch.bfloat16: 0.05, torch.float16: 0.01}  # of a batch's logits


@dataclass
class Row:
    """One request on its way: `generated` grows until `finish_reason` is set."""

    request: Request
    prompt: list[int]
    limit: int
    generated: list[int] = field(default_factory=list)
    finish_reason: FinishReason | None = None


Ending = Callable[[Row], FinishReason | None]


class Sampler:
    """Picks each row's next token: greedy, or from the nucleus by the row's own random numbers."""

    def __init__(self, rows: list[Row], vocabulary: int, device: torch.device) -> None:
        requests = [row.request for row in rows]

        def column(values: list[float]) -> torch.Tensor:
            return torch.tensor(values, device=device)[:, None]

        self.greedy = column([request.temperature == 0 for request in requests])
        self.temperature = column([request.temperature or 1.0 for request in requests])
        self.top_p = column([request.top_p for request in requests])
        self.presence = column([request.presence_penalty for request in requests])
        self.frequency = column([request.frequency_penalty for request in requests])
        self.any_sampled = not all(request.temperature == 0 for request in requests)
        self.any_penalty = any(r.presence_penalty or r.frequency_penalty for r in requests)
        self.counts = torch.zeros(len(rows), vocabulary if self.any_penalty else 0, device=device)
        self.streams = [random.Random(request.seed) for request in requests]

    def next_tokens(self, logits: torch.Tensor) -> torch.Tensor:
        """Token ids of shape (rows,) from logits of shape (rows, vocabulary)."""
        logits = logits.float()
        if self.any_penalty:
            logits = logits - self.presence * (self.counts > 0) - self.frequency * self.counts
        tokens = logits.argmax(-1, keepdim=True)
        if self.any_sampled:
            tokens = torch.where(self.greedy, tokens, self._sampled(logits))
        if self.any_penalty:
            self.counts.scatter_add_(1, tokens, torch.ones_like(tokens, dtype=self.counts.dtype))
        return tokens[:, 0]

    def _sampled(self, logits: torch.Tensor) -> torch.Tensor:
        probabilities = (logits / self.temperature).softmax(-1)
        ordered, tokens = probabilities.sort(dim=-1, descending=True, stable=True)
        cumulative = ordered.cumsum(-1)
        # The nucleus: the fewest tokens that reach top_p together; never empty.
        size = (cumulative - ordered < self.top_p).sum(-1, keepdim=True).clamp(min=1)
        uniform = torch.tensor([[stream.random()] for stream in self.streams], device=logits.device)
        target = uniform * cumulative.gather(-1, size - 1)
        place = (cumulative <= target).sum(-1, keepdim=True).minimum(size - 1)
        return tokens.gather(-1, place)

    def keep(self, kept: list[int], index: torch.Tensor) -> None:
        """Drop every row but `kept` (the same numbers as `index`)."""
        self.greedy, self.temperature, self.top_p = (
            values[index] for values in (self.greedy, self.temperature, self.top_p)
        )
        self.presence, self.frequency, self.counts = (
            values[index] for values in (self.presence, self.frequency, self.counts)
        )
        self.streams = [self.streams[i] for i in kept]


class Batch(Protocol):
    """Rows of one model side by side, whatever its architecture."""

    def prefill(self) -> torch.Tensor:
        """Run the prompts; logits of the next token, of shape (rows, vocabulary)."""

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Run one more token a row, of shape (rows,); logits as `prefill`."""

    def keep(self, index: torch.Tensor) -> None:
        """Drop every row but those of `index`."""


def generate_rows(batch: Batch, rows: list[Row], ending: Ending) -> None:
    """Generate into `rows` until `ending`, asked after each token, has given each its finish reason."""
    logits = batch.prefill()
    sampler = Sampler(rows, logits.shape[-1], logits.device)
    while True:
        tokens = sampler.next_tokens(logits)
        for row, token in zip(rows, tokens.tolist(), strict=True):
            if row.finish_reason is None:
                row.generated.append(token)
                row.finish_reason = ending(row)
        unfinished = [i for i, row in enumerate(rows) if row.finish_reason is None]
        if not unfinished:
            return
        if len(unfinished) <= DROP_BELOW * len(rows):
            index = torch.tensor(unfinished, device=tokens.device)
            batch.keep(index)
            sampler.keep(unfinished, index)
            rows, tokens = [rows[i] for i in unfinished], tokens[index]
        logits = batch.step(tokens)


class Decoder:
    """Decodes with one model, in whatever way is right for its architecture.

    Attributes:
        mixes: whether prompts of different lengths can share a batch, padded on the left.
        joins: whether batches run on their own can become one.
        shares: whether a prefix that all prompts of a batch share can be run once.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.parameters = frozenset(inspect.signature(model.forward).parameters)
        self.mixes, self.shares = True, False
        self.joins = can_join(new_cache(model.config))
        # Not known from a config: whether padding leaks into a state. So small batches are tried.
        vocabulary = int(model.get_input_embeddings().weight.shape[0])  # type: ignore[index]
        prompts = [[(11 * i * i + 7 * n) % vocabulary for i in range(n)] for n in (3, 9, 14)]
        prefix = [(5 * i * i + 3) % vocabulary for i in range(2 * SHORTEST_SHARED_PREFIX)]
        self.mixes = self._batch_agrees(prompts)
        self.shares = self.mixes and self.joins and self._can_cut()
        self.shares = self.shares and self._batch_agrees([prefix + prompt for prompt in prompts])

    def decode(self, rows: list[Row], ending: Ending) -> None:
        """Generate into `rows` until `ending`, asked after each token, has given each its finish reason."""
        rows = sorted(rows, key=lambda row: len(row.prompt))
        if not self.mixes:
            for row in rows:
                self._decode([row], [1], ending)
            return
        groups = families([row.prompt for row in rows]) if self.shares else [list(range(len(rows)))]
        rows = [rows[number] for group in groups for number in sorted(group)]
        self._decode(rows, list(map(len, groups)), ending)

    @torch.inference_mode()
    def _decode(self, rows: list[Row], families: list[int], ending: Ending) -> None:
        batch = _Batch(self, [row.prompt for row in rows], max(row.limit for row in rows), families)
        generate_rows(batch, rows, ending)

    @torch.inference_mode()
    def _can_cut(self) -> bool:
        """Whether a cache holds all that is needed to go back to an earlier position."""
        batch = _Batch(self, [[1, 2, 3]], room=1)
        batch.prefill()
        return batch.cache.is_croppable

    @torch.inference_mode()
    def _batch_agrees(self, prompts: list[list[int]]) -> bool:
        """Whether two steps of a batch, its rows moved in between, are as those of each row alone."""
        together = self._two_steps(prompts)
        alone = torch.cat([self._two_steps([prompt]) for prompt in prompts])
        error = (together - alone).norm(dim=-1) / alone.norm(dim=-1)
        return bool(error.max() < LARGEST_ERROR[self.model.dtype])

    def _two_steps(self, prompts: list[list[int]]) -> torch.Tensor:
        batch = _Batch(self, prompts, room=2)
        first = batch.prefill()
        batch.keep(torch.arange(len(prompts), device=first.device).flip(0))
        second = batch.step(torch.full((len(prompts),), 1, device=first.device))
        return torch.cat([first, second.flip(0)], dim=-1).float()


class _Batch:
    """Rows of one model side by side: their cache, and which of its positions each row may look at.

    `families` counts neighbours that begin alike: each family's prompts are run on their own, then joined.
    """

    def __init__(
        self, decoder: Decoder, prompts: list[list[int]], room: int, families: Sequence[int] = ()
    ) -> None:
        self.decoder, self.device = decoder, decoder.model.device
        self.families = families if len(families) > 1 else ()
        self.cache = new_cache(decoder.model.config)
        self.prompts, self.longest = prompts, max(map(len, prompts))
        self.shared = shared_prefix(prompts) if decoder.shares and not self.families else 0
        # All rows run the same number of tokens after the shared prefix: those with less of their own run
        # the end of the prefix once more, so that no padding stands in front of a convolution.
        self.cuts = [len(prompt) - (self.longest - self.shared) if self.shared else 0 for prompt in prompts]
        lengths, cuts = self._column(list(map(len, prompts))), self._column(self.cuts)
        slots = torch.arange(self.longest + room, device=self.device)
        # A row's unused positions, of which there are as many as it is shorter, stand behind its cut.
        self.visible = ((slots < cuts) | (slots >= cuts + self.longest - lengths)).long()
        self.next_places = lengths
        self.filled = 0

    def prefill(self) -> torch.Tensor:
        """Run the prompts, sorted by length; logits of the next token, of shape (rows, vocabulary)."""
        groups = [self.prompts]
        if self.families:
            prompts = iter(self.prompts)
            groups = [list(islice(prompts, size)) for size in self.families]
        elif self.decoder.joins and not self.shared:
            groups = by_length(self.prompts)
        if len(groups) > 1:
            return self._prefill_in(groups)
        if self.shared:
            self.cache.activate_past_recording()
            prefix = torch.tensor([self.prompts[0][: self.shared]], device=self.device)
            self._forward(prefix, torch.arange(self.shared, device=self.device)[None], mask=None)
            spread(self.cache, self.cuts)
        width = self.longest - self.shared
        own = [prompt[cut:] for prompt, cut in zip(self.prompts, self.cuts, strict=True)]
        ids = torch.tensor([[0] * (width - len(tokens)) + tokens for tokens in own], device=self.device)
        places = (self.visible.cumsum(-1) - 1).clamp(min=0)[:, self.shared : self.longest]
        return self._forward(ids, places, self.visible)

    def _prefill_in(self, groups: list[list[list[int]]]) -> torch.Tensor:
        parts = [_Batch(self.decoder, group, room=0) for group in groups]
        logits = torch.cat([part.prefill() for part in parts])
        self.cache, self.filled = joined([part.cache for part in parts]), self.longest
        seen = [pad(part.visible, (self.longest - part.longest, 0)) for part in parts]
        self.visible[:, : self.longest] = torch.cat(seen)
        return logits

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Run one more token a row, of shape (rows,); logits as `prefill`."""
        logits = self._forward(tokens[:, None], self.next_places, self.visible)
        self.next_places = self.next_places + 1
        return logits

    def keep(self, index: torch.Tensor) -> None:
        """Drop every row but those of `index`."""
        select_rows(self.cache, index)
        self.next_places, self.visible = self.next_places[index], self.visible[index]

    def _forward(self, ids: torch.Tensor, places: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        self.filled += ids.shape[1]
        if mask is not None:
            mask = mask[:, : self.filled]
            mask = None if mask.all() else mask
        arguments = {
            "attention_mask": mask,
            "position_ids": places,
            "past_key_values": self.cache,
            "cache_params": self.cache,
            "use_cache": True,
            "logits_to_keep": 1,
        }
        known = {name: value for name, value in arguments.items() if name in self.decoder.parameters}
        return self.decoder.model(input_ids=ids, **known).logits[:, -1]

    def _column(self, values: list[int]) -> torch.Tensor:
        return torch.tensor(values, device=self.device)[:, None]
