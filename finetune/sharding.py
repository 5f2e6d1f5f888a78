"""Weights that lie in parts on several devices: which way is asked for, and what FSDP2 needs.

FSDP2 is started by configs/accelerate/fsdp2.yaml, DeepSpeed's ZeRO-3 (finetune/zero3.py) by zero3.yaml. To
gather parts is collective: every process must take part. On whole weights all of this changes nothing.
"""

from typing import Any

import torch
from accelerate import DeepSpeedPlugin, FullyShardedDataParallelPlugin
from accelerate.utils import DistributedType, parse_flag_from_env
from torch.distributed.tensor import DTensor, distribute_tensor

from finetune.config import TrainConfig
from selfinstruct.errors import UserError


def start(accelerator: Any) -> None:
    """Make accelerate shard the weights over processes without GPUs too, where the launcher asks for it.

    It looks for FSDP and DeepSpeed on GPUs only and would train whole copies; both run on CPUs too.
    """
    if accelerator.distributed_type != DistributedType.MULTI_CPU:
        return
    if parse_flag_from_env("ACCELERATE_USE_FSDP"):
        accelerator.state.distributed_type = DistributedType.FSDP
        accelerator.state.fsdp_plugin = FullyShardedDataParallelPlugin()
    elif parse_flag_from_env("ACCELERATE_USE_DEEPSPEED"):
        accelerator.state.distributed_type = DistributedType.DEEPSPEED
        accelerator.state.deepspeed_plugins = DeepSpeedPlugin()


def kind(accelerator: Any) -> str | None:
    """How the weights lie in parts over the processes; None where each has them whole."""
    kinds = {DistributedType.FSDP: "fsdp2", DistributedType.DEEPSPEED: "zero3"}
    return kinds.get(accelerator.distributed_type)


def refuse_4_bits(config: TrainConfig, accelerator: Any) -> None:
    """Refuse QLoRA where weights are to lie in parts: its 4-bit ones are whole on every GPU.

    Raises:
        UserError: that is so.
    """
    if config.method.name == "qlora" and (in_parts := kind(accelerator)):
        advice = "use --config_file configs/accelerate/several_gpus.yaml, or method=lora"
        reason = f"4-bit weights lie whole on each GPU, and the launcher asks for {in_parts}"
        raise UserError(f"method=qlora: {reason}; {advice}")


def loading_device(accelerator: Any) -> torch.device:
    """Where the whole model is loaded: a model that is sharded need not fit on one GPU."""
    return torch.device("cpu") if kind(accelerator) else accelerator.device


def whole(value: Any) -> Any:
    """A tensor put together from its parts (anything else as it is)."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def cut_like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """This process's part of a whole tensor, on the parameter's device and cut as that is."""
    value = value.to(parameter.device)
    if not isinstance(parameter, DTensor):
        return value
    return distribute_tensor(value, parameter.device_mesh, parameter.placements)
