"""A key-value cache for decoding in batches: grows in place, drops and joins rows, whatever the layers."""

from typing import cast

import torch
from torch.nn.functional import pad
from transformers import PreTrainedConfig
from transformers.cache_utils import DynamicCache, DynamicLayer, LinearAttentionLayer

GROWTH = 128  # positions by which a full cache grows


class GrowingLayer(DynamicLayer):
    """A full-attention cache that grows in blocks: a new token copies itself, not everything before it."""

    rooms: list[torch.Tensor]  # keys and values, with positions to spare

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append states of shape (rows, heads, new positions, head size); returns all of them."""
        start = self.get_seq_length()
        length = start + key_states.shape[-2]
        if start == 0:
            self.lazy_initialization(key_states, value_states)
            self.rooms = [_roomy(key_states, length), _roomy(value_states, length)]
        elif length > self.rooms[0].shape[-2]:
            old = self.rooms
            self.rooms = [_roomy(room, length) for room in old]
            for room, before in zip(self.rooms, old, strict=True):
                room[:, :, :start].copy_(before[:, :, :start])
        for room, states in zip(self.rooms, (key_states, value_states), strict=True):
            room[:, :, start:length].copy_(states)
        return self._show(length)

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        """Keep the rows that `beam_idx` names, in that order (the name is transformers')."""
        length = self.get_seq_length()
        self.rooms = [room.index_select(0, beam_idx.to(room.device)) for room in self.rooms]
        self._show(length)

    @classmethod
    def joined(cls, layers: list["GrowingLayer"]) -> "GrowingLayer":
        """One layer of the rows of all, in order; shorter ones are padded on the left."""
        length = max(layer.get_seq_length() for layer in layers)
        parts = [
            [pad(room[:, :, :n], (0, 0, length - n, 0)) for room in layer.rooms]
            for layer in layers
            for n in [layer.get_seq_length()]
        ]
        result = cls()
        result.update(torch.cat([keys for keys, _ in parts]), torch.cat([values for _, values in parts]))
        return result

    def _show(self, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        keys, values = (room[:, :, :length] for room in self.rooms)
        self.keys, self.values = keys, values
        return keys, values


def _roomy(states: torch.Tensor, length: int) -> torch.Tensor:
    rows, heads, _, size = states.shape
    return states.new_empty(rows, heads, length + GROWTH, size)


def new_cache(config: PreTrainedConfig) -> DynamicCache:
    """An empty cache of the shapes that a model's layers need, full attention in a `GrowingLayer`."""
    cache = DynamicCache(config=config)
    cache.layers = [GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def can_join(cache: DynamicCache) -> bool:
    """Whether `joined` knows every kind of layer in it."""
    return all(type(layer) in (GrowingLayer, LinearAttentionLayer) for layer in cache.layers)


def joined(caches: list[DynamicCache]) -> DynamicCache:
    """One cache of the rows of all, in order; attention is padded on the left."""
    result = caches[-1]
    for number, layers in enumerate(zip(*(cache.layers for cache in caches), strict=True)):
        last = layers[-1]
        if isinstance(last, LinearAttentionLayer):
            for kind in ("conv_states", "recurrent_states"):
                states = [getattr(layer, kind) for layer in layers]
                together = {
                    i: torch.cat([s[i] for s in states]) for i in states[0] if states[0][i] is not None
                }
                getattr(last, kind).update(together)
        else:
            result.layers[number] = GrowingLayer.joined(list(layers))
    return result


def spread(cache: DynamicCache, cuts: list[int]) -> None:
    """Turn the cache of one row into one of a row for each of `cuts`, ended after so many positions.

    Attention layers keep all positions, for the caller to mask; a convolution keeps what precedes the cut.
    """
    select_rows(cache, torch.zeros(len(cuts), dtype=torch.long))
    for layer in cache.layers:
        if isinstance(layer, LinearAttentionLayer):
            for number, histories in layer.conv_states.items():
                width = layer.conv_kernel_size[number]
                assert histories is not None and width is not None
                ends = [history[:, cut - width : cut] for history, cut in zip(histories, cuts, strict=True)]
                layer.conv_states[number] = torch.stack(ends)
            layer.record_past = False


def select_rows(cache: DynamicCache, index: torch.Tensor) -> None:
    """Make the rows that `index` names, in that order and as often, the rows of a cache."""
    cache.reorder_cache(cast(torch.LongTensor, index))
