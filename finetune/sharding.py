"""FSDP2: what weights that lie in parts on several devices need, and whole ones do not.

Started by configs/accelerate/fsdp2.yaml. Gathering is collective: every process must call it, and only the
main one keeps what comes out. On weights that are not sharded all of this changes nothing.
"""

from typing import Any

import torch
from accelerate import FullyShardedDataParallelPlugin
from accelerate.utils import DistributedType, parse_flag_from_env
from torch.distributed.tensor import DTensor, distribute_tensor

from finetune.model import trainable


def starts(accelerator: Any) -> bool:
    """Whether the weights are to be sharded over the processes of this run."""
    if (
        parse_flag_from_env("ACCELERATE_USE_FSDP")
        and accelerator.distributed_type == DistributedType.MULTI_CPU
    ):
        # accelerate looks for FSDP on GPUs only and would train whole copies; torch shards on CPUs too.
        accelerator.state.distributed_type = DistributedType.FSDP
        accelerator.state.fsdp_plugin = FullyShardedDataParallelPlugin()
    return accelerator.distributed_type == DistributedType.FSDP


def loading_device(accelerator: Any, is_sharded: bool) -> torch.device:
    """Where the whole model is loaded: a model that is sharded need not fit on one GPU."""
    return torch.device("cpu") if is_sharded else accelerator.device


def whole(value: Any) -> Any:
    """A tensor put together from its parts (anything else as it is)."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def whole_weights(model: torch.nn.Module, keep: bool) -> dict[str, torch.Tensor]:
    """The tuned parameters, whole, on the CPU; empty where they are not kept."""
    weights = {}
    for name, value in trainable(model).items():
        gathered = whole(value.detach())
        if keep:
            weights[name] = gathered.cpu().contiguous()
    return weights


def whole_state(optimizer: Any, keep: bool) -> dict[str, Any]:
    """The optimizer's state with whole tensors, as it would be without sharding; empty where not kept."""
    state = optimizer.state_dict()
    gathered: dict[Any, dict[str, Any]] = {}
    for number, values in state["state"].items():
        parts = {name: whole(value) for name, value in values.items()}
        if keep:
            gathered[number] = {
                name: value.cpu() if isinstance(value, torch.Tensor) else value
                for name, value in parts.items()
            }
    return state | {"state": gathered} if keep else {}


def load_state(optimizer: Any, state: dict[str, Any]) -> None:
    """Put whole state back, cut as the parameters are, which come in the order of the state's numbers."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    cut = {
        number: {name: _cut_like(parameters[number], value) for name, value in values.items()}
        for number, values in state["state"].items()
    }
    optimizer.load_state_dict(state | {"state": cut})


def _cut_like(parameter: torch.Tensor, value: Any) -> Any:
    if not (
        isinstance(parameter, DTensor) and isinstance(value, torch.Tensor) and value.shape == parameter.shape
    ):
        return value  # a step count has no parts
    return distribute_tensor(value.to(parameter.device), parameter.device_mesh, parameter.placements)
