"""Right examples of the little world, outside the benchmark: the best data its writer could wish for."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from selfinstruct.llm.tiny.documents import draw_instance, draw_task
from selfinstruct.llm.tiny.world import write_instruction


def correct_examples(sizes: Sequence[int], seed: int) -> list[dict[str, str]]:
    """`{instruction, input, output}` of one random task for each size, with so many different inputs.

    A task without input gives one example, whatever its size.
    """
    rng = Random(f"{seed}:correct_data")
    examples = []
    for size in sizes:
        task = draw_task(rng)
        instruction = write_instruction(task, rng)
        drawn: dict[str, str] = {}
        for _ in range(size if task.needs_input else 1):
            text, output = draw_instance(task, rng)
            drawn[text] = output
        examples += [{"instruction": instruction, "input": text, "output": drawn[text]} for text in drawn]
    rng.shuffle(examples)
    return examples
