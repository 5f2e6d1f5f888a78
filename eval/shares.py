"""Several processes predict together: each answers its share of the batches, all meet on disk.

accelerate launch --config_file configs/accelerate/several_gpus.yaml scripts/eval_superni.py model=HUB_ID
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from selfinstruct import processes
from selfinstruct.llm.base import LLM
from selfinstruct.llm.budget import BudgetConfig, Price
from selfinstruct.llm.response_log import LoggedLLM

T = TypeVar("T")

RESPONSE_LOG = "response_log.jsonl"  # of the main process; the others' carry their number
_SECONDS_BETWEEN_LOOKS = 0.2


class Share:
    """This process's share of the work in a run folder, and how it learns that the others have done theirs.

    A process that has answered its share of a round leaves an empty file that says so; one that fails leaves
    none, and the launcher stops those who wait for it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._index, self.count = folder, processes.index(), processes.count()

    @property
    def is_main(self) -> bool:
        """Whether this process gathers the results."""
        return self._index == 0

    def open_log(self, llm: LLM, budget: BudgetConfig | None, price: Price | None) -> LoggedLLM:
        """The model with this process's response log, which knows the others' earlier answers too."""
        name = RESPONSE_LOG if self.is_main else f"response_log_{self._index}.jsonl"
        self._log, self._llm = self._folder / name, LoggedLLM(llm, self._folder / name, budget, price)
        self.take_in()
        return self._llm

    def take_in(self) -> None:
        """Read the other processes' answers."""
        self._llm.take_in(sorted(set(self._folder.glob("response_log*.jsonl")) - {self._log}))

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """What of `items` is this process's to do."""
        return items[self._index :: self.count]

    def clear(self) -> None:
        """Forget what an earlier start has said; for the main process, before the others begin."""
        for path in self._folder.glob(".answered_*"):
            path.unlink()

    def say_done(self, round_number: int) -> None:
        """Tell the others that this process's share of a round is on disk."""
        if self.count > 1:
            self._mark(round_number, self._index).touch()

    def wait_for_others(self, round_number: int) -> None:
        """Return when every process has done its share of a round, and its answers are known here."""
        while not all(self._mark(round_number, index).exists() for index in range(self.count)):
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        self.take_in()

    def _mark(self, round_number: int, index: int) -> Path:
        return self._folder / f".answered_{round_number}_{index}"
