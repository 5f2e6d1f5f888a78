"""The demo's seed tasks and the demonstrations of its prompts, written from the world.

`python -m selfinstruct.llm.tiny.demo` writes `seed_tasks.jsonl` here and `configs/prompts/tiny.yaml` again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random
from typing import Any

import yaml
from rouge_score.rouge_scorer import RougeScorer

from selfinstruct.llm.tiny import documents
from selfinstruct.llm.tiny.world import TRAINING_TASKS, Task, find_task, write_instruction

SEEDS_PATH = Path(__file__).parent / "seed_tasks.jsonl"
PROMPTS_PATH = Path(__file__).parents[3] / "configs" / "prompts" / "tiny.yaml"
SEED = 7
NUM_SEEDS = 72
LEFT_OUT = (
    "semicolons",
    "second",
    "swap_ends",
    "drop_last",
    "odd_one_out",
    "singular",
    "smaller",
    "previous",
    "name_two",
    "where",
    "find_effect",
    "feeling",
    "negate",
    "replace",
    "analogy_past",
    "contradict",
)
"""Operations without a seed: what the model writes must not only be the seeds again."""
MOST_SIMILAR = 0.55
"""No two seeds have a ROUGE-L above this."""


def _draw_seed_tasks(rng: Random) -> list[Task]:
    """One task of each operation, then more, until a quarter is classification."""
    usable = [task for task in TRAINING_TASKS if task.operation not in LEFT_OUT]
    by_operation: dict[str, list[Task]] = {}
    for task in usable:
        by_operation.setdefault(task.operation, []).append(task)
    chosen = [rng.choice(tasks) for tasks in by_operation.values()]
    while len(chosen) < NUM_SEEDS:
        need_classification = sum(task.is_classification for task in chosen) < NUM_SEEDS // 4
        options = [
            task for task in usable if task not in chosen and task.is_classification == need_classification
        ]
        chosen.append(rng.choice(options))
    rng.shuffle(chosen)
    return chosen


def seed_tasks() -> list[dict[str, Any]]:
    """The demo's seeds, in the released format."""
    rng = Random(f"{SEED}:seeds")
    scorer = RougeScorer(["rougeL"])
    written: list[str] = []
    lines = []
    for number, task in enumerate(_draw_seed_tasks(rng)):
        instruction = write_instruction(task, rng)
        while any(scorer.score(instruction, old)["rougeL"].fmeasure > MOST_SIMILAR for old in written):
            instruction = write_instruction(task, rng)
        written.append(instruction)
        text, output = documents.draw_instance(task, rng)
        lines.append(
            {
                "id": f"tiny_seed_{number}",
                "name": task.name,
                "instruction": instruction,
                "instances": [{"input": text, "output": output}],
                "is_classification": task.is_classification,
            }
        )
    return lines


_CLASSIFICATION_SHOTS = (
    ("is_kind", "fruit"),
    ("reverse", "tool"),
    ("feeling", "vehicle"),
    ("tag_sentence", "animal"),
    ("cause_effect", "animal"),
    ("name_three", "drink"),
    ("either", "drink+flower"),
    ("to_question", "worker"),
    ("act", "drink"),
    ("agreement", "fruit"),
)
_INPUT_FIRST_SHOTS = (
    (("reverse", "fruit"), 2),
    (("name_three", "animal"), 1),
    (("title", "animal"), 2),
    (("write_sentence", "tool"), 1),
    (("agreement", "drink"), 2),
)
_OUTPUT_FIRST_SHOTS = (
    ("is_kind", "animal"),
    ("act", "fruit"),
    ("entail", "drink"),
    ("either", "tool+instrument"),
)
LONGEST_SHOT = 18
"""Words in the instruction of a demonstration: prompts must fit the model's context."""


def _short_instruction(task: Task, rng: Random) -> str:
    while True:
        instruction = write_instruction(task, rng)
        if len(instruction.split()) <= LONGEST_SHOT:
            return instruction


def prompts() -> dict[str, Any]:
    """The content of configs/prompts/tiny.yaml."""
    rng = Random(f"{SEED}:prompts")
    judged = [(find_task(*name), _short_instruction(find_task(*name), rng)) for name in _CLASSIFICATION_SHOTS]
    input_first = []
    for name, how_many in _INPUT_FIRST_SHOTS:
        task = find_task(*name)
        pairs = [documents.draw_instance(task, rng) for _ in range(how_many)]
        input_first.append(
            {
                "instruction": _short_instruction(task, rng),
                "examples": [
                    {"input": text and f"Input: {text}", "output": output} for text, output in pairs
                ],
            }
        )
    output_first = []
    for name in _OUTPUT_FIRST_SHOTS:
        task = find_task(*name)
        output_first.append(
            {
                "instruction": _short_instruction(task, rng),
                "examples": [
                    {"label": label, "input": text} for label, text in documents.write_labelled(task, rng)
                ],
            }
        )
    suffix = "Continue in the same form."
    return {
        "stop": {
            "instructions": ["\n\n", "\n16", "16.", "16 ."],
            "classification": ["\n", "Task"],
            "instances": ["Example 6", "Task:"],
        },
        "instructions": {
            "heading": documents.INSTRUCTIONS_HEADING,
            "classification_heading": documents.CLASSIFICATION_LIST_HEADING,
            "chat_suffix": suffix,
        },
        "classification": {
            "heading": documents.CLASSIFICATION_HEADING,
            "question": documents.CLASSIFICATION_QUESTION,
            "chat_suffix": suffix,
            "demonstrations": [
                {"instruction": text, "is_classification": task.is_classification} for task, text in judged
            ],
        },
        "input_first": {
            "heading": documents.INPUT_FIRST_HEADING,
            "chat_suffix": suffix,
            "demonstrations": input_first,
        },
        "output_first": {
            "heading": documents.OUTPUT_FIRST_HEADING,
            "chat_suffix": suffix,
            "demonstrations": output_first,
        },
    }


def write_demo(seeds_path: Path, prompts_path: Path) -> None:
    """Write the seeds and the prompts."""
    seeds_path.write_text("".join(json.dumps(line) + "\n" for line in seed_tasks()), encoding="utf-8")
    head = (
        "# The four few-shot prompts of the embedded model: short, since everything must fit its 512 "
        "tokens, and in the\n"
        "# form of its training text. Written by `python -m selfinstruct.llm.tiny.demo`.\n"
    )
    prompts_path.write_text(head + yaml.safe_dump(prompts(), sort_keys=False, width=110), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=Path, default=SEEDS_PATH)
    parser.add_argument("--prompts", type=Path, default=PROMPTS_PATH)
    arguments = parser.parse_args()
    write_demo(arguments.seeds, arguments.prompts)
