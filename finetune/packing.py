"""Packed rows in which no example sees another, for any architecture, or a refusal.

Attention is taken care of by transformers, which builds a block-diagonal mask (or a variable-length kernel's
offsets) from positions that restart. Convolutions and recurrences know nothing of positions: their layers
(Lfm2's short convolutions, Mamba, gated delta rule) are run here with a row for each example. What is left,
and anything that a future version of a library changes, is found by `refuse_if_examples_mix`.
"""

from typing import Any

import torch
from torch import nn

from selfinstruct.errors import UserError

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.03}  # of the logits' standard deviation, on average


class RowPerExample:
    """Hooks that unfold a packed row before a layer that carries a state along it, and fold it afterwards."""

    def __init__(self, model: nn.Module) -> None:
        self._places: torch.Tensor | None = None  # [examples, longest]: where each token lies in the row
        self._is_token: torch.Tensor | None = None  # [examples, longest]: False for padding
        model.register_forward_pre_hook(self._remember_positions, with_kwargs=True)
        for layer in stateful_layers(model):
            layer.register_forward_pre_hook(self._unfold, with_kwargs=True)
            layer.register_forward_hook(self._fold)

    def _remember_positions(self, model: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        positions = kwargs.get("position_ids")
        if positions is None:
            self._places = self._is_token = None
            return
        starts = (positions[0] == 0).nonzero().squeeze(1)
        lengths = torch.diff(starts, append=starts.new_tensor([positions.shape[1]]))
        steps = torch.arange(int(lengths.max()), device=positions.device)
        self._is_token = steps < lengths[:, None]
        # Padding, behind the example, repeats a token: nothing before it sees it, and `_fold` drops it.
        self._places = torch.where(self._is_token, starts[:, None] + steps, starts[:, None])

    def _unfold(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._places is None:
            return None
        if args:
            return (args[0][0][self._places], *args[1:]), kwargs
        return args, kwargs | {"hidden_states": kwargs["hidden_states"][0][self._places]}

    def _fold(self, layer: nn.Module, args: Any, output: Any) -> Any:
        if self._is_token is None:
            return None
        if isinstance(output, tuple):
            return (output[0][self._is_token][None], *output[1:])
        return output[self._is_token][None]


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
