"""NEFTune (arXiv 2310.05914): uniform noise on the token embeddings, in training only."""

from typing import Any

import torch
from torch import nn


class EmbeddingNoise:
    """Hooks that add noise in [-s, s], s = alpha / sqrt(tokens of the example x embedding width).

    The length is the example's own, so that padding and packing do not change how strong the noise is.
    """

    def __init__(self, model: Any, alpha: float) -> None:
        self._alpha = alpha
        self._lengths: torch.Tensor | None = None  # [rows, length]: of each token's example
        model.register_forward_pre_hook(self._remember_lengths, with_kwargs=True)
        model.get_input_embeddings().register_forward_hook(self._add)

    def _remember_lengths(self, model: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        positions, mask = kwargs.get("position_ids"), kwargs.get("attention_mask")
        if positions is not None:
            example = (positions == 0).cumsum(1) - 1
            self._lengths = torch.bincount(example[0])[example]
        elif mask is not None:
            self._lengths = mask.sum(1, keepdim=True)

    def _add(self, embeddings: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor | None:
        if not embeddings.training or self._lengths is None:
            return None
        strength = self._alpha / (self._lengths * output.shape[-1]).sqrt()
        noise = torch.rand(output.shape, device=output.device) * 2 - 1
        return output + (noise * strength[..., None]).to(output.dtype)
