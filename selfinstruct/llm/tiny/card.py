"""The model card of the embedded model, `README.md` beside this module, with the numbers of its build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selfinstruct.llm.tiny import demo, documents
from selfinstruct.llm.tiny.operations import Operation
from selfinstruct.llm.tiny.words import TYPES
from selfinstruct.llm.tiny.world import OPERATIONS, TASKS, TRAINING_TASKS

_CARD = """# The embedded model

A causal language model of {parameters:,} parameters that ships with this repository (`llm=tiny`). It
makes every line of the pipeline run for real, in minutes and without a network: it continues the four
few-shot prompts of Self-Instruct, but takes a bare instruction for an exercise sheet and goes on with blanks
and more exercises; to answer it learns from the data it has written itself. **It is a toy**: it knows a
little world of word games and nothing else. It is no source of usable data, and no figure obtained with it
says anything about models of useful size.

## The little world

Ten word types ({types}) of twelve words each, {operations} operations (reverse a list, mend a verb, does
the second sentence follow, what is 'it'...), together {tasks} tasks. {held_out} of them, the benchmark
(`eval/data/littleworld`), are in no training text. Each task can be worded in very many ways; `world.py`
writes instructions and instances, names the task of an instruction, and knows the right output, so what
the model writes can be checked without a person.

## The model

`Lfm2ForCausalLM` of stock transformers, loaded by `AutoModelForCausalLM.from_pretrained` without remote
code: layers {layers}, width {hidden_size}. The unusual architecture is a choice: its short convolutions
hand each token its predecessors, so copying, which most tasks here need, is learned after far fewer steps
than by attention alone (no other architecture was measured with this text). Context
{context} tokens. The tokenizer holds every word of the world as one token, and bytes for any other text.

## The build

    python -m selfinstruct.llm.tiny.build

| | |
|---|---|
| training text | {training_tokens:,} tokens, written by `documents.py` |
| steps | {steps:,} of {rows_per_step} rows of {context} tokens, in {processes} processes of one thread |
| minutes | {minutes} on two shared cores |
| final loss | {final_loss} (answers weigh {answer_weight:g} times) |
| outputs exactly right, few-shot, tasks of the training text | {known:.1%} |
| outputs exactly right, few-shot, held-out tasks by their benchmark definitions | {unknown:.1%} |
| size | {megabytes:.1f} MB |
| SHA-256 of `model.safetensors` | `{weights}` |
| SHA-256 of `tokenizer.json` | `{tokenizer}` |
| versions | {versions} |

Weights are the same bit for bit only with the same processor type, processes and versions;
`tests/test_tiny_model.py` holds what is shipped to `model/build.json`, and the training text to its
checksum. In the training text a task is answered in few-shot documents only. Where it stands alone, as
finetuning and evaluation write it, it stands on an exercise sheet ({sheets:.0%} of the documents), whose
answers are left blank. So the model does not follow a bare instruction before it is tuned, as GPT-3 did
not: this is made so, and that the model learns it from its own data is what the demo shows.

What the model can and cannot do: `python scripts/bench/tiny_probe.py`.

## The demo's seeds

`seed_tasks.jsonl`: {num_seeds} tasks of the world with one instance each, in the released format.
{left_out} operations have no seed, so tasks of these are the model's own contribution.
"""


def write_card(facts: dict[str, Any], path: Path) -> None:
    """Write the card from the facts in `model/build.json`."""
    recipe = facts["recipe"]
    model_folder = path.parent / "model"
    shipped = sum(file.stat().st_size for file in model_folder.iterdir())
    operations: list[Operation] = list(OPERATIONS.values())
    path.write_text(
        _CARD.format(
            parameters=facts["parameters"],
            types=", ".join(TYPES),
            operations=len(operations),
            tasks=len(TASKS),
            held_out=len(TASKS) - len(TRAINING_TASKS),
            context=512,
            layers=", ".join(
                kind.replace("full_attention", "attention").replace("conv", "convolution")
                for kind in recipe["layer_types"]
            ),
            hidden_size=recipe["hidden_size"],
            training_tokens=facts["training_tokens"],
            sheets=documents.SHARE_OF_EXERCISE_SHEETS,
            steps=recipe["steps"],
            rows_per_step=recipe["rows_per_step"],
            processes=recipe["processes"],
            minutes=facts["minutes"],
            final_loss=facts["final_loss"],
            answer_weight=recipe["answer_weight"],
            known=facts["share_exactly_right"]["tasks_of_the_training_text"],
            unknown=facts["share_exactly_right"]["held_out_tasks"],
            megabytes=shipped / 1e6,
            weights=facts["sha256"]["model.safetensors"],
            tokenizer=facts["sha256"]["tokenizer.json"],
            versions=", ".join(f"{name} {version}" for name, version in facts["versions"].items()),
            num_seeds=demo.NUM_SEEDS,
            left_out=len(demo.LEFT_OUT),
        ),
        encoding="utf-8",
    )
