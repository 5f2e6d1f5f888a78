"""Batched decoding of an encoder-decoder language model (T5, T0, Tk-Instruct, BART).

python scripts/eval_superni.py model=PATH_OR_HUB_ID prompt_style=tk-def superni_dir=natural-instructions
"""

from typing import Any, cast

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

from selfinstruct.llm.cache import GrowingLayer
from selfinstruct.llm.decoding import Ending, Row, generate_rows

# Tk-Instruct's longest source; models with relative positions (T5) have no limit of their own.
PROMPT_TOKENS = 1024


class EncoderDecoderDecoder:
    """Decodes with one encoder-decoder model; `Decoder` is its like for causal ones."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        settings: Any = model.generation_config
        starts = (settings.decoder_start_token_id, settings.bos_token_id, settings.pad_token_id, 0)
        self.start_token: int = next(token for token in starts if token is not None)

    @torch.inference_mode()
    def decode(self, rows: list[Row], ending: Ending) -> None:
        """Generate into `rows` until `ending`, asked after each token, has given each its finish reason."""
        generate_rows(_EncodedBatch(self, [row.prompt for row in rows]), rows, ending)


class _EncodedBatch:
    """Encoded prompts side by side, and the cache of their answers, which all have the same length."""

    def __init__(self, decoder: EncoderDecoderDecoder, prompts: list[list[int]]) -> None:
        self.model: Any = decoder.model
        self.device = decoder.model.device
        self.start_token = decoder.start_token
        longest = max(map(len, prompts))
        ids = [prompt + [0] * (longest - len(prompt)) for prompt in prompts]
        seen = [[1] * len(prompt) + [0] * (longest - len(prompt)) for prompt in prompts]
        self.ids = torch.tensor(ids, device=self.device)
        self.mask = torch.tensor(seen, device=self.device)
        own = DynamicCache()
        own.layer_class_to_replicate = GrowingLayer
        self.cache = EncoderDecoderCache(own, DynamicCache())

    def prefill(self) -> torch.Tensor:
        """Encode the prompts and run the start token; logits of shape (rows, vocabulary)."""
        encoded = self.model.get_encoder()(input_ids=self.ids, attention_mask=self.mask)
        self.states = encoded.last_hidden_state
        return self.step(torch.full((len(self.ids),), self.start_token, device=self.device))

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Run one more token a row, of shape (rows,); logits as `prefill`."""
        return self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=self.states),
            attention_mask=self.mask,
            decoder_input_ids=tokens[:, None],
            past_key_values=self.cache,
            use_cache=True,
        ).logits[:, -1]

    def keep(self, index: torch.Tensor) -> None:
        """Drop every row but those of `index`."""
        self.cache.reorder_cache(cast(torch.LongTensor, index))
        self.states, self.mask = self.states[index], self.mask[index]


def prompt_length(model: PreTrainedModel) -> int:
    """Tokens of the longest prompt: the encoder's positions where they end, else Tk-Instruct's limit."""
    return getattr(model.config, "max_position_embeddings", None) or PROMPT_TOKENS
