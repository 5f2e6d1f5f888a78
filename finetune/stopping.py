"""A polite end of a run: SIGTERM (Slurm's) and the first Ctrl-C let the running step finish and be saved."""

import signal
import time
from types import FrameType, TracebackType
from typing import Any

import torch

from selfinstruct.errors import StoppedEarly

SECONDS_OF_ONE_CTRL_C = 2.0  # launchers pass on what the terminal has sent to every process already


class PoliteStop:
    """Around the training loop: notes the first signal, and lets a second Ctrl-C end the process at once.

    Each process has one; a step's end asks `is_asked`, in all processes alike.
    """

    def __init__(self, accelerator: Any) -> None:
        self._accelerator = accelerator
        self._since: float | None = None  # seconds of a clock that only goes forward
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "PoliteStop":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._since is None:
            self._since = time.monotonic()
        elif number == signal.SIGINT and time.monotonic() - self._since > SECONDS_OF_ONE_CTRL_C:
            raise KeyboardInterrupt("second Ctrl-C: the running step is not saved")

    def is_asked(self) -> bool:
        """Whether any process was asked to stop; collective, so that all of them stop after the same step."""
        asked = self._since is not None
        if self._accelerator.num_processes == 1:
            return asked
        flag = torch.tensor(float(asked), device=self._accelerator.device)
        return bool(self._accelerator.reduce(flag, "sum"))


def stopped_after(step: int, num_steps: int) -> StoppedEarly:
    """What a run says that was asked to stop and has saved its checkpoint."""
    done = f"interrupted, and saved after step {step} of {num_steps}"
    return StoppedEarly(f"{done}; start again with the same words to go on from it")
