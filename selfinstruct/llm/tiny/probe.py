"""How often the embedded model, shown a few-shot prompt, would write exactly the right output."""

from __future__ import annotations

from random import Random

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from selfinstruct.llm.tiny import benchmark, documents
from selfinstruct.llm.tiny.world import write_instance, write_instruction

NUM_PROMPTS = 400


def _prompt_and_answer(index: int, held_out: bool) -> tuple[str, str]:
    """A few-shot prompt that ends with a new task's input, and the right output."""
    rng = Random(f"probe:{held_out}:{index}")
    document = documents.Document("probe")
    document.add(documents.INPUT_FIRST_HEADING + "\n\n")
    for _ in range(3):
        task = documents.draw_task(rng)
        documents.add_input_first(document, write_instruction(task, rng), [write_instance(task, rng)])
    if held_out:
        task = rng.choice(benchmark.benchmark_tasks())
        instruction = benchmark.definition_of(task)
    else:
        while not (task := documents.draw_task(rng)).needs_input:
            pass
        instruction = write_instruction(task, rng)
    text, output = write_instance(task, rng)
    document.add(f"Task: {instruction}\nExample 1\nInput: {text}\nOutput:")
    return document.text, f" {output}\n"


@torch.no_grad()
def share_exactly_right(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, held_out: bool, num_prompts: int = NUM_PROMPTS
) -> float:
    """The share of prompts after which greedy decoding gives the right output, whole and with its line break.

    Held-out tasks are asked for by their definitions in the benchmark, all others in the wordings of the
    training text.
    """
    right = 0
    for index in range(num_prompts):
        prompt, answer = _prompt_and_answer(index, held_out)
        prompt_ids, answer_ids = tokenizer(prompt)["input_ids"], tokenizer(answer)["input_ids"]
        # Greedy decoding gives the answer just when each of its tokens is the likeliest after those before.
        logits = model(torch.tensor([prompt_ids + answer_ids])).logits[0, len(prompt_ids) - 1 : -1]
        right += logits.argmax(-1).tolist() == answer_ids
    return round(right / num_prompts, 4)
