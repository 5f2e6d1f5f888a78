"""A model while it is tuned: what a step computes and changes, and the state that a restart needs.

The same on one device, on several with a copy each, and on several with a part each (FSDP2).
"""

from contextlib import nullcontext
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
        self._trainee, self._optimizer = self.accelerator.prepare(self.model, self._optimizer)
        if checkpoint:
            sharding.load_state(self.model, self._optimizer, checkpoints.optimizer_state(checkpoint))
        return done

    def step(self, number: int, batch: list[TokenisedExample], rate: float) -> tuple[float, float]:
        """Train on a global batch at a learning rate; returns its loss and the gradient's norm.

        The loss is the mean over all the batch's trained tokens (nats), the norm that before clipping.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with failures.advice_when_memory_runs_out(self.config, f"step {number}"):
            loss = self.backward(number, batch)
            tuned = list(models.trainable(self.model).values())  # FSDP has put its own in place of the first
            norm = self.accelerator.clip_grad_norm_(tuned, self.config.max_grad_norm)
            self._optimizer.step()
            self._optimizer.zero_grad()
        return loss, float(sharding.whole(norm))

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
            # Gradients are exchanged once, in the last round.
            with nullcontext() if turn == len(rounds) - 1 else self.accelerator.no_sync(self._trainee):
                loss = models.completion_loss(self._trainee, micro_batch, self.dtype)
                self.accelerator.backward(
                    loss * (count / num_trained)
                )  # the exchange averages: times count, a sum
            total += loss.detach()
        return float(self.accelerator.reduce(total, "sum")) / num_trained

    def weights(self) -> dict[str, torch.Tensor]:
        """The tuned parameters by name, whole, on the CPU; empty in all processes but the main one."""
        return sharding.whole_weights(self.model, keep=processes.is_main())

    def save(self, number: int) -> None:
        """Write the checkpoint of a step that is done."""
        weights = self.weights()
        state = sharding.whole_state(self.model, self._optimizer, keep=processes.is_main())
        if processes.is_main():
            run_dir = self.config.run_dir
            metrics, keep = run_dir / "metrics.jsonl", self.config.keep_checkpoints
            checkpoints.save(run_dir / "checkpoints", number, weights, state, metrics, keep)
        # A process that went on, and ended, before the file is there would have the launcher end this one.
        self.accelerator.wait_for_everyone()

    def mean_loss(self, examples: list[TokenisedExample]) -> float:
        """Loss on held-out examples: the mean over their trained tokens (nats), without dropout."""
        return models.mean_loss(self.accelerator, self.model, examples, self.config, self.dtype)
