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


def start(accelerator: Any) -> None:
    """Make accelerate shard the weights over processes without GPUs too, where the launcher asks for it."""
    if (
        parse_flag_from_env("ACCELERATE_USE_FSDP")
        and accelerator.distributed_type == DistributedType.MULTI_CPU
    ):
        # accelerate looks for FSDP on GPUs only and would train whole copies; torch shards on CPUs too.
        accelerator.state.distributed_type = DistributedType.FSDP
        accelerator.state.fsdp_plugin = FullyShardedDataParallelPlugin()


def loading_device(accelerator: Any) -> torch.device:
    """Where the whole model is loaded: a model that is sharded need not fit on one GPU."""
    is_sharded = accelerator.distributed_type == DistributedType.FSDP
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


def whole_state(model: torch.nn.Module, optimizer: Any, keep: bool) -> dict[str, torch.Tensor]:
    """The optimizer's state, whole, on the CPU, as `<parameter>.<AdamW's name>`; empty where not kept."""
    state = {}
    for name, parameter in trainable(model).items():
        for key, value in optimizer.state[parameter].items():
            gathered = whole(value)
            if keep:
                state[f"{name}.{key}"] = gathered.cpu().contiguous()
    return state


def load_state(model: torch.nn.Module, optimizer: Any, state: dict[str, torch.Tensor]) -> None:
    """Put whole state back, cut as the parameters are."""
    parameters = trainable(model)
    for place, value in state.items():
        name, key = place.rsplit(".", 1)
        is_count = key == "step"  # has no parts and stays on the CPU
        parameter = parameters[name]
        optimizer.state[parameter][key] = value if is_count else _cut_like(parameter, value)


def _cut_like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    value = value.to(parameter.device)
    if not isinstance(parameter, DTensor):
        return value
    return distribute_tensor(value, parameter.device_mesh, parameter.placements)
