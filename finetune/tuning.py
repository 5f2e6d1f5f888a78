"""A model while it is tuned: what a step computes and changes, and the state that a restart needs.

The same on one device, on several with a copy each, and on several with a part each (FSDP2; for DeepSpeed's
parts finetune/zero3.py does some of it otherwise).
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from finetune import batching, checkpoints, failures, sharding
from finetune import model as models
from finetune.config import TrainConfig
from finetune.examples import TokenisedExample
from selfinstruct import processes


class Tuning:
    """A model with its optimizer; all processes of a run call the same methods in the same order."""

    def __init__(self, config: TrainConfig, accelerator: Any, dtype: torch.dtype) -> None:
        self.config, self.accelerator, self.dtype = config, accelerator, dtype
        with failures.advice_when_memory_runs_out(config, "loading the model"):
            self.model = models.load_model(config, dtype, sharding.loading_device(accelerator))
        tuned = models.trainable(self.model).values()
        self._optimizer: Any = torch.optim.AdamW(
            tuned, lr=config.learning_rate, weight_decay=config.weight_decay
        )

    def begin(self, checkpoint: Path | None) -> int:
        """Spread the model over the processes, as the checkpoint has it; returns the steps done by then."""
        done = checkpoints.restore_weights(checkpoint, self.model) if checkpoint else 0
        self._spread()
        if checkpoint:
            self._load_state(checkpoints.optimizer_state(checkpoint))
        return done

    def _spread(self) -> None:
        self._trainee, self._optimizer = self.accelerator.prepare(self.model, self._optimizer)

    def _load_state(self, state: dict[str, torch.Tensor]) -> None:
        parameters = models.trainable(self.model)
        for place, value in state.items():
            name, key = place.rsplit(".", 1)
            parameter = parameters[name]
            is_count = key == "step"  # has no parts and stays on the CPU
            self._optimizer.state[parameter][key] = value if is_count else sharding.cut_like(parameter, value)

    def step(self, number: int, batch: list[TokenisedExample], rate: float) -> tuple[float, float]:
        """Train on a global batch at a learning rate; returns its loss and the gradient's norm.

        The loss is the mean over all the batch's trained tokens (nats), the norm that before clipping.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with failures.advice_when_memory_runs_out(self.config, f"step {number}"):
            return self.backward(number, batch), self._update()

    def backward(self, number: int, batch: list[TokenisedExample]) -> float:
        """Add up the gradients of a global batch; returns its loss.

        Each token weighs the same, whichever micro-batch or process it falls into (the sum of the losses is
        divided by the number of trained tokens of the whole batch, which every process knows).
        """
        count, rank = self.accelerator.num_processes, self.accelerator.process_index
        num_trained = sum(example.num_trained for example in batch)
        rounds = batching.plan_rounds(batch, self.config, count)
        total = torch.zeros((), device=self.accelerator.device)
        self._trainee.train()
        for turn, parts in enumerate(rounds):
            mine = parts[rank] or batching.untrained(batch[:1])
            micro_batch = batching.collate(mine, self.accelerator.device, self.config.packing)
            models.seed_dropout(self.config.seed, number, turn * count + rank)
            with self._round(is_last=turn == len(rounds) - 1):
                loss = models.completion_loss(self._trainee, micro_batch, self.dtype)
                self._add_gradients(loss * (count / num_trained))  # the exchange averages: times count, a sum
            total += loss.detach()
        return float(self.accelerator.reduce(total, "sum")) / num_trained

    def _round(self, is_last: bool) -> AbstractContextManager[None]:
        # Gradients are exchanged once, in the last round.
        return nullcontext() if is_last else self.accelerator.no_sync(self._trainee)

    def _add_gradients(self, loss: torch.Tensor) -> None:
        self.accelerator.backward(loss)

    def _update(self) -> float:
        tuned = list(models.trainable(self.model).values())  # FSDP has put its own in place of the first ones
        norm = self.accelerator.clip_grad_norm_(tuned, self.config.max_grad_norm)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return float(sharding.whole(norm))

    def weights(self) -> dict[str, torch.Tensor]:
        """The tuned parameters by name, whole, on the CPU; empty in all processes but the main one."""
        return self._kept(
            (name, sharding.whole(value.detach())) for name, value in models.trainable(self.model).items()
        )

    def state(self) -> dict[str, torch.Tensor]:
        """The optimizer's state as `weights`, each tensor as `<parameter>.<AdamW's name>`."""
        parameters = models.trainable(self.model)
        return self._kept(
            (f"{name}.{key}", sharding.whole(value))
            for name, parameter in parameters.items()
            for key, value in self._optimizer.state[parameter].items()
        )

    @staticmethod
    def _kept(gathered: Iterable[tuple[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
        # Every process takes part in the gathering of each, one after the other.
        kept = {}
        for name, value in gathered:
            if processes.is_main():
                kept[name] = value.cpu().contiguous()
        return kept

    def save(self, number: int) -> None:
        """Write the checkpoint of a step that is done."""
        weights, state = self.weights(), self.state()
        if processes.is_main():
            run_dir = self.config.run_dir
            metrics, keep = run_dir / "metrics.jsonl", self.config.keep_checkpoints
            checkpoints.save(run_dir / "checkpoints", number, weights, state, metrics, keep)

    def mean_loss(self, examples: list[TokenisedExample]) -> float:
        """Loss on held-out examples: the mean over their trained tokens (nats), without dropout."""
        return models.mean_loss(self.accelerator, self.model, examples, self.config, self.dtype)
