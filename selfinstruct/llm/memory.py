"""Out of memory: the batch is halved and goes on; later batches of that size are halved at once."""

import gc
from collections.abc import Callable

import torch
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

from selfinstruct.errors import UserError
from selfinstruct.llm.decoding import Row
from selfinstruct.progress import note


class MemoryLimit:
    """The size of the smallest batch that did not fit: rows times the tokens that the longest may come to.

    The parts depend on the batch alone as long as what fits does, so that a restart computes the same ones.
    """

    def __init__(self) -> None:
        self._too_large: int | None = None

    def decode(self, rows: list[Row], decode: Callable[[list[Row]], None]) -> None:
        """`decode(rows)`, in as many parts as memory asks for, neighbours in length together.

        Raises:
            UserError: a row alone does not fit.
        """
        if self._too_large is None or _size(rows) < self._too_large or len(rows) == 1:
            if _fits(rows, decode):
                return
            self._too_large = _size(rows)
            if len(rows) == 1:
                raise UserError(
                    f"out of memory: a prompt of {len(rows[0].prompt)} tokens with an answer of up to "
                    f"{rows[0].limit} does not fit alone; lower max_tokens or llm.context_length, or take "
                    "llm.dtype=bfloat16 or a device with more memory"
                )
            note(f"out of memory with {len(rows)} prompts at once: going on with half as many")
        rows = sorted(rows, key=lambda row: len(row.prompt))
        for part in (rows[len(rows) // 2 :], rows[: len(rows) // 2]):
            self.decode(part, decode)


def _size(rows: list[Row]) -> int:
    return len(rows) * (max(len(row.prompt) for row in rows) + max(row.limit for row in rows))


def _fits(rows: list[Row], decode: Callable[[list[Row]], None]) -> bool:
    try:
        decode(rows)
        return True
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and not should_reduce_batch_size(error):
            raise
    # Behind the handler: the error held the frames that hold the tensors.
    for row in rows:
        row.generated.clear()
        row.finish_reason = None
    gc.collect()
    clear_device_cache()
    return False
