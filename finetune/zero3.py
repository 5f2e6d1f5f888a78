"""DeepSpeed ZeRO-3: weights, gradients and optimizer in parts over all devices, by DeepSpeed's own engine.

Started by configs/accelerate/zero3.yaml. DeepSpeed keeps its parts of the parameters in flat tensors; what a
checkpoint needs is put together from them by the parameters' names, so that it has the form of all others.
Gathering is collective, as in finetune/sharding.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import deepspeed  # type: ignore[import-not-found, unused-ignore]
import torch
from torch.nn import functional

from finetune.model import trainable
from finetune.tuning import Tuning

MOMENTS = ("exp_avg", "exp_avg_sq")  # AdamW's; its count of steps is the same for all parameters


class Zero3Tuning(Tuning):
    """A model in parts; DeepSpeed's engine in place of accelerate's wrapper."""

    def _spread(self) -> None:
        settings = self.accelerator.deepspeed_plugin.deepspeed_config
        settings |= {
            # Sizes of a batch, for its own bookkeeping: ours vary.
            "train_batch_size": self.accelerator.num_processes,
            "train_micro_batch_size_per_gpu": 1,
            "gradient_accumulation_steps": 1,
            "gradient_clipping": self.config.max_grad_norm,
        }
        if self.dtype != torch.float32:  # the engine switches off what is on around it
            autocast = torch.autocast(self.accelerator.device.type, self.dtype)
            self.model.forward = autocast(self.model.forward)
        deepspeed.init_distributed(auto_mpi_discovery=False)  # takes over the group there is
        # One parameter after the other goes to the device, and only this process's part of it stays there.
        deepspeed.zero.Init(module=self.model, config_dict_or_path=settings)
        super()._spread()

    @contextmanager
    def _round(self, is_last: bool) -> Iterator[None]:
        # Gradients are cut into parts in every round; the last says that the step comes next.
        self._trainee.set_gradient_accumulation_boundary(is_last)
        yield

    def _add_gradients(self, loss: torch.Tensor) -> None:
        self._trainee.backward(loss)

    def _update(self) -> float:
        self._trainee.step()  # clips too, and clears the gradients
        return float(self._trainee.get_global_grad_norm())

    def weights(self) -> dict[str, torch.Tensor]:
        """As `Tuning.weights`."""
        gather = deepspeed.utils.safe_get_full_fp32_param
        return self._kept((name, gather(value)) for name, value in trainable(self.model).items())

    def state(self) -> dict[str, torch.Tensor]:
        """As `Tuning.state`."""
        gather = deepspeed.utils.safe_get_full_optimizer_state
        parameters = trainable(self.model).items()
        moments = ((f"{name}.{key}", gather(value, key)) for name, value in parameters for key in MOMENTS)
        num_steps = next(iter(self._optimizer.state.values()))["step"]
        return self._kept(moments) | self._kept((f"{name}.step", num_steps.clone()) for name, _ in parameters)

    def _load_state(self, state: dict[str, torch.Tensor]) -> None:
        num_steps = next(value for name, value in state.items() if name.endswith(".step"))
        for flat in self._trainee.optimizer.fp32_partitioned_groups_flat:
            moments = {key: torch.zeros_like(flat) for key in MOMENTS}
            self._optimizer.state[flat] = {"step": num_steps.clone()} | moments
        for name, parameter in trainable(self.model).items():
            for key in MOMENTS:
                part = self._part(state[f"{name}.{key}"], parameter)
                deepspeed.utils.safe_set_local_optimizer_state(parameter, part, key)

    def _part(self, whole: torch.Tensor, parameter: Any) -> torch.Tensor:
        # The parts are of one size, the last filled up with zeros.
        size, rank = parameter.ds_tensor.numel(), self.accelerator.process_index
        part = whole.flatten()[rank * size : (rank + 1) * size].to(parameter.ds_tensor.device)
        return functional.pad(part, (0, size - part.numel()))
