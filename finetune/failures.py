"""What a step can run into, said with what to do: a loss that is not a number, and too little memory."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from finetune.config import TrainConfig
from finetune.examples import TokenisedExample
from selfinstruct import jsonl, processes
from selfinstruct.errors import UserError


def stop_unless_finite(
    loss: float, grad_norm: float, step: int, batch: list[TokenisedExample], run_dir: Path, tokenizer: Any
) -> None:
    """Refuse to train on after a loss or gradient that is not a number; the batch is kept in a file.

    Raises:
        UserError: naming the step and the file, `run_dir/not_finite_step_<step>.jsonl`.
    """
    if math.isfinite(loss) and math.isfinite(grad_norm):
        return
    path = run_dir / f"not_finite_step_{step}.jsonl"
    if processes.is_main():
        jsonl.replace(path, (_as_record(example, tokenizer) for example in batch))
    raise UserError(
        f"step {step}: loss {loss}, gradient norm {grad_norm}; lower learning_rate in a new run_dir, or look "
        f"at the examples of this batch, from {batch[0].where} on, in {path}"
    )


def _as_record(example: TokenisedExample, tokenizer: Any) -> dict[str, Any]:
    prompt, completion = example.ids[: example.num_prompt], example.ids[example.num_prompt :]
    texts = {"prompt": tokenizer.decode(prompt), "completion": tokenizer.decode(completion)}
    return {"where": example.where} | texts | {"ids": example.ids, "num_prompt": example.num_prompt}


@contextmanager
def advice_when_memory_runs_out(config: TrainConfig, place: str) -> Iterator[None]:
    """Turn the device's refusal of memory into a UserError that names the settings to change."""
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one
        if not isinstance(error, torch.OutOfMemoryError) and "DefaultCPUAllocator" not in str(error):
            raise
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{place}: out of memory ({reason}). {memory_advice(config)}") from error


def memory_advice(config: TrainConfig) -> str:
    """The settings that lower the memory of a step: those a run can continue with, then the others."""
    ways = []
    if config.packing or config.micro_batch_tokens:
        ways.append(f"lower micro_batch_tokens (now {config.micro_batch_tokens or config.longest})")
    elif config.micro_batch_size > 1:
        ways.append(f"lower micro_batch_size (now {config.micro_batch_size})")
    if not config.gradient_checkpointing:
        ways.append("set gradient_checkpointing=true")
    elsewhere = [f"lower max_length (now {config.longest})"]
    elsewhere += {"full": ["method=lora"], "lora": ["method=qlora"], "qlora": []}[config.method.name]
    here = f"To continue: {', or '.join(ways)}. " if ways else ""
    return f"{here}In a new run_dir: {', or '.join(elsewhere)}."
