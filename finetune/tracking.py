"""Curves in TensorBoard or W&B beside metrics.jsonl, through accelerate's trackers (`tracker=`)."""

import importlib.util
from pathlib import Path
from typing import Any

from selfinstruct.errors import UserError

INSTALL = {"tensorboard": "pip install 'selfinstruct[tracking]'", "wandb": "pip install wandb"}


def refuse_if_missing(tracker: str | None) -> None:
    """UserError where the tracker's package is not installed."""
    if tracker is not None and importlib.util.find_spec(tracker) is None:
        raise UserError(
            f"tracker={tracker}: the package is not installed; {INSTALL[tracker]}, or tracker=null"
        )


def start(accelerator: Any, tracker: str, run_dir: Path, done: int) -> None:
    """Open the run's place in the tracker; steps behind `done`, of an earlier start, are taken back."""
    settings: dict[str, Any] = {"purge_step": done + 1}  # TensorBoard's files lie in run_dir/tensorboard
    if tracker == "wandb":
        settings = {"dir": str(run_dir), "name": run_dir.name}
    accelerator.init_trackers(tracker, init_kwargs={tracker: settings})


def finish(accelerator: Any) -> None:
    """Write what is still held back."""
    for tracker in accelerator.trackers:
        tracker.finish()
