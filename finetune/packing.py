"""Packed rows in which no example sees another, for any architecture, or a refusal.

transformers builds a block-diagonal mask (or a variable-length kernel's offsets) from positions that restart.
Without such a kernel the attention over a long row is mostly zeros: it is computed here with a row for each
example, those of like length together, under the same mask. Convolutions and recurrences know nothing of
positions: their layers (Lfm2's short convolutions, Mamba, gated delta rule) are run with a row for each
example too. What is left, and anything that a future version of a library changes, is found by
`refuse_if_examples_mix`.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from selfinstruct.errors import UserError

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.03}  # of the logits' standard deviation, on average
ATTENTION = "row_per_example"


@dataclass
class Unfolded:
    """Examples of a packed row as rows of their own: [examples, longest] each."""

    places: torch.Tensor  # where each token lies in the packed row
    is_token: torch.Tensor  # False for padding, behind the example

    @classmethod
    def of(cls, starts: torch.Tensor, lengths: torch.Tensor) -> "Unfolded":
        """The examples that begin at `starts` and are `lengths` long."""
        steps = torch.arange(int(lengths.max()), device=starts.device)
        is_token = steps < lengths[:, None]
        # Padding repeats a token: nothing before it sees it, and it is dropped.
        return cls(torch.where(is_token, starts[:, None] + steps, starts[:, None]), is_token)

    def mask(self, packed: torch.Tensor) -> torch.Tensor:
        """[1, 1, length, length] to [examples, 1, longest, longest]; no token may see padding."""
        unfolded = packed[0, 0][self.places[:, :, None], self.places[:, None, :]]
        return (unfolded & self.is_token[:, None, :])[:, None]


class RowPerExample:
    """Unfolds a packed row to a padded row for each example where that is right or quick, and folds it back.

    The model itself sees the packed row; its attention (if it is torch's) and its layers that carry a state
    along the row see the unfolded ones.
    """

    def __init__(self, model: nn.Module) -> None:
        self.whole: Unfolded | None = None  # all examples
        self.groups: list[Unfolded] = []  # the same, none more than twice as long as another of its group
        self._masks: tuple[torch.Tensor, list[torch.Tensor]] | None = None  # the last one, and as unfolded
        self._order: torch.Tensor | None = None  # of the row's tokens among those of all groups
        model.register_forward_pre_hook(self._remember_positions, with_kwargs=True)
        for layer in stateful_layers(model):
            layer.register_forward_pre_hook(self._unfold, with_kwargs=True)
            layer.register_forward_hook(self._fold)
        if model.config._attn_implementation == "sdpa":  # type: ignore[union-attr]
            for module in model.modules():
                module.row_per_example = self  # type: ignore[assignment]
                if hasattr(module, "set_attn_implementation"):
                    module.set_attn_implementation(ATTENTION)  # type: ignore[operator]

    def _remember_positions(self, model: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        self.whole, self.groups, self._masks, self._order = None, [], None, None
        positions = kwargs.get("position_ids")
        if positions is not None and (positions[0] == 0).sum() > 1:
            starts = (positions[0] == 0).nonzero().squeeze(1)
            lengths = torch.diff(starts, append=starts.new_tensor([positions.shape[1]]))
            self.whole = Unfolded.of(starts, lengths)
            doublings = lengths.double().log2().ceil()
            likes = [doublings == like for like in doublings.unique()]
            self.groups = [Unfolded.of(starts[like], lengths[like]) for like in likes]
            self._order = torch.cat([group.places[group.is_token] for group in self.groups]).argsort()

    def unfold_mask(self, mask: torch.Tensor) -> list[torch.Tensor]:
        """The packed row's mask as each group's."""
        if self._masks is None or self._masks[0] is not mask:  # most layers share one
            self._masks = (mask, [group.mask(mask) for group in self.groups])
        return self._masks[1]

    def fold(self, outputs: list[torch.Tensor]) -> torch.Tensor:
        """Each group's [examples, longest, ...] to the packed row's [1, length, ...]."""
        tokens = [output[group.is_token] for output, group in zip(outputs, self.groups, strict=True)]
        return torch.cat(tokens)[self._order][None]

    def _unfold(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.whole is None:
            return None
        if args:
            return (args[0][0][self.whole.places], *args[1:]), kwargs
        return args, kwargs | {"hidden_states": kwargs["hidden_states"][0][self.whole.places]}

    def _fold(self, layer: nn.Module, args: Any, output: Any) -> Any:
        if self.whole is None:
            return None
        if isinstance(output, tuple):
            return (output[0][self.whole.is_token][None], *output[1:])
        return output[self.whole.is_token][None]


def attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' attention by torch's kernels, of tensors [1, heads, length, width] example by example."""
    row: RowPerExample = module.row_per_example  # type: ignore[assignment]
    mask = attention_mask
    is_plain = mask is not None and mask.dtype == torch.bool and mask.shape[:2] == (1, 1)
    if row.whole is None or mask is None or not is_plain or kwargs.get("position_bias") is not None:
        return sdpa_attention_forward(module, query, key, value, mask, **kwargs)
    step_by_step = query.device.type == "cpu" and query.dtype == torch.bfloat16
    outputs = []
    for group, own_mask in zip(row.groups, row.unfold_mask(mask), strict=True):
        q, k, v = (_unfold_heads(tensor, group.places) for tensor in (query, key, value))
        if step_by_step:
            outputs.append(_attention_step_by_step(q, k, v, own_mask, **kwargs))
        else:
            outputs.append(sdpa_attention_forward(module, q, k, v, own_mask, **kwargs)[0])
    return row.fold(outputs), None


def _unfold_heads(tensor: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    # [1, heads, length, width] to [examples, heads, longest, width]
    return tensor[0].index_select(1, places.flatten()).unflatten(1, places.shape).transpose(0, 1)


def _attention_step_by_step(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor,
    dropout: float = 0.0,
    scaling: float | None = None,
    **_: Any,
) -> torch.Tensor:
    # The gradient of torch's own kernel takes five times as long with bfloat16 on a CPU.
    num_groups = query.shape[1] // key.shape[1]
    key, value = repeat_kv(key, num_groups), repeat_kv(value, num_groups)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = (query * scale) @ key.transpose(2, 3)
    shares = scores.masked_fill(~mask, float("-inf")).softmax(-1, dtype=torch.float32).to(query.dtype)
    return (functional.dropout(shares, dropout) @ value).transpose(1, 2)


AttentionInterface.register(ATTENTION, attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)


def stateful_layers(model: nn.Module) -> list[nn.Module]:
    """The layers that mix neighbouring tokens by a convolution along the row (and a recurrence behind it)."""
    return [
        module
        for module in model.modules()
        if any(isinstance(child, nn.Conv1d) and child.groups > 1 for child in module.children())
    ]


def refuse_if_examples_mix(model: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
    """Compute one example alone and behind others: nothing may change in its logits.

    Raises:
        UserError: it does, or the model takes no positions, so that this architecture cannot be packed.
    """
    vocabulary = model.get_input_embeddings().weight.shape[0]  # type: ignore[operator]
    example = _tokens(12, 7, vocabulary)
    was_training = model.training
    model.eval()
    try:
        alone = _logits(model, [example], device, dtype)
        for neighbour in (_tokens(9, 3, vocabulary), _tokens(9, 5, vocabulary)):
            packed = _logits(model, [neighbour, example], device, dtype)
            change = float((packed - alone).abs().mean() / alone.std())
            if not change <= TOLERANCE[dtype]:
                raise _refusal(
                    model, f"in a packed row its examples see each other (logits off by {change:.2g})"
                )
    except (TypeError, ValueError, NotImplementedError) as error:
        raise _refusal(model, f"it cannot compute a packed row ({error})") from error
    finally:
        model.train(was_training)


def _tokens(count: int, stride: int, vocabulary: int) -> list[int]:
    return [(1 + stride * place) % vocabulary for place in range(count)]


def _logits(
    model: nn.Module, examples: list[list[int]], device: torch.device, dtype: torch.dtype
) -> torch.Tensor:
    ids = [token for example in examples for token in example]
    positions = [place for example in examples for place in range(len(example))]
    row = {"input_ids": torch.tensor([ids], device=device)}
    row["position_ids"] = torch.tensor([positions], device=device)
    with torch.no_grad(), torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
        logits = model(**row, use_cache=False).logits
    return logits[0, -len(examples[-1]) :].float()


def _refusal(model: nn.Module, reason: str) -> UserError:
    kind = getattr(model.config, "model_type", type(model).__name__)
    return UserError(f"packing=true: {kind}: {reason}; set packing=false")
