"""What a run shows while it trains: a progress bar for people, metrics.jsonl for everything else."""

import time
from pathlib import Path
from types import TracebackType

from finetune.examples import TokenisedExample
from selfinstruct import jsonl
from selfinstruct.progress import progress_bar


class Progress:
    """Writes a line a step; continues the metrics of a checkpoint, so that no step stands there twice.

    The lines hold no clock times: the same run gives the same bytes. In processes other than the main one
    it does nothing.
    """

    def __init__(self, metrics: Path, done: int, total: int, checkpoint: Path | None, is_main: bool) -> None:
        self._writer: jsonl.Appender | None = None
        if is_main:
            earlier = (checkpoint / "metrics.jsonl").read_text(encoding="utf-8") if checkpoint else ""
            jsonl.replace_text(metrics, earlier)
            self._writer = jsonl.Appender(metrics)
        self._bar = progress_bar("finetuning", total, done, unit="step", disable=not is_main)
        self._start = time.perf_counter()
        self._num_tokens = 0

    def add(
        self, step: int, epoch: int, loss: float, rate: float, norm: float, batch: list[TokenisedExample]
    ) -> None:
        """One step is done: its mean loss (nats), learning rate, gradient norm before clipping, and batch."""
        if self._writer is None:
            return
        record = {"step": step, "epoch": epoch, "loss": loss, "learning_rate": rate, "grad_norm": norm}
        self._writer.write(record | {"num_trained_tokens": sum(example.num_trained for example in batch)})
        self._num_tokens += sum(len(example.ids) for example in batch)
        speed = self._num_tokens / (time.perf_counter() - self._start)
        self._bar.set_postfix({"loss": f"{loss:.3f}", "tokens/s": f"{speed:.0f}"}, refresh=False)
        self._bar.update()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
        if self._writer:
            self._writer.close()
