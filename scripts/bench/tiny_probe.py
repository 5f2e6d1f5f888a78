"""Measure the embedded model alone: what it writes after the few-shot prompts, and how much is right.

`python scripts/bench/tiny_probe.py` takes a minute or two on two cores and prints a JSON object.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random

import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from selfinstruct.llm.tiny import demo
from selfinstruct.llm.tiny.documents import write_document
from selfinstruct.llm.tiny.world import Task, is_correct, recognise, solve
from selfinstruct.parsing import ParsingRules, parse_classification, parse_instances, parse_instructions
from selfinstruct.prompts import Prompts

MODEL = Path(demo.__file__).parent / "model"
BATCH_SIZE = 32
RULES = ParsingRules.fixed()
NUM_TASKS = 128
"""Of so many of the tasks it wrote the model is asked for instances."""


class TinyModel:
    """The model and its tokenizer, continuing prompts."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder).eval()

    @torch.no_grad()
    def complete(
        self, prompts: list[str], max_new_tokens: int, temperature: float, stop: list[str]
    ) -> list[str]:
        """What the model writes after each prompt, up to the first stop string."""
        texts = []
        for start in range(0, len(prompts), BATCH_SIZE):
            batch = self.tokenizer(prompts[start : start + BATCH_SIZE], return_tensors="pt", padding=True)
            sampling = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {}
            written = self.model.generate(
                **batch,
                max_new_tokens=max_new_tokens,
                stop_strings=stop,
                tokenizer=self.tokenizer,
                **sampling,
            )
            for row in written[:, batch["input_ids"].shape[1] :]:
                text = self.tokenizer.decode(row, skip_special_tokens=True)
                texts.append(text[: min([text.find(s) for s in stop if s in text], default=len(text))])
        return texts


def training_instructions(documents: int) -> set[str]:
    """The instructions in the first documents of the training text."""
    found: set[str] = set()
    for index in range(documents):
        for line in write_document(0, index).text.split("\n"):
            number, _, rest = line.partition(" ")
            if number == "Task:" or number.rstrip(".").isdigit():
                found.add(rest)
    return found


def share(part: int, whole: int) -> float:
    return round(part / max(whole, 1), 4)


def probe_instructions(
    model: TinyModel, prompts: Prompts, requests: int, known: set[str]
) -> tuple[dict[str, float], list[tuple[str, Task]]]:
    """Figures of stage 1, and the instructions that ask for a task of the world."""
    rng = Random(0)
    seeds = [json.loads(line)["instruction"] for line in demo.SEEDS_PATH.read_text("utf-8").splitlines()]
    shown = [prompts.render_instructions(rng.sample(seeds, 8)) for _ in range(requests)]
    answers = model.complete(shown, 250, 0.8, ["\n\n", "\n16."])
    written = [piece.text for answer in answers for piece in parse_instructions(answer, None, RULES)]
    distinct = sorted(set(written))
    tasks = [(text, task) for text in distinct if (task := recognise(text))]
    return {
        "instructions_written": len(written),
        "distinct": share(len(distinct), len(written)),
        "a_task_of_the_world": share(len(tasks), len(distinct)),
        "a_held_out_task": share(sum(task.held_out for _, task in tasks), len(distinct)),
        "verbatim_in_the_training_text": share(len(known & set(distinct)), len(distinct)),
    }, rng.sample(tasks, min(NUM_TASKS, len(tasks)))


def probe_instances(model: TinyModel, prompts: Prompts, tasks: list[tuple[str, Task]]) -> dict[str, float]:
    """Figures of stages 2 and 3."""
    answers = model.complete([prompts.render_classification(text) for text, _ in tasks], 3, 0.0, ["\n"])
    judged = [parse_classification(answer, RULES) for answer in answers]
    shown = [prompts.render_instances(text, said) for (text, _), said in zip(tasks, judged, strict=True)]
    answers = model.complete(shown, 128, 0.3, ["Task:", "Example 6"])
    pieces = kept = right = valid_inputs = 0
    for (_, task), said, answer in zip(tasks, judged, answers, strict=True):
        instances, dropped = parse_instances(answer, None, said, RULES)
        pieces += len(instances) + len(dropped)
        kept += len(instances)
        for instance in instances:
            right += is_correct(task, instance.input, instance.output)
            valid_inputs += not task.needs_input or solve(task, instance.input) is not None
    rightly_judged = sum(
        said == task.is_classification for (_, task), said in zip(tasks, judged, strict=True)
    )
    return {
        "classification_answer_right": share(rightly_judged, len(tasks)),
        "instances_written": pieces,
        "instances_kept_after_parsing": share(kept, pieces),
        "inputs_valid": share(valid_inputs, kept),
        "outputs_right": share(right, kept),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--requests", type=int, default=32, help="prompts for instructions")
    parser.add_argument("--documents", type=int, default=22_000, help="training text to look for them in")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    model = TinyModel(arguments.model)
    prompts = Prompts.from_dict(yaml.safe_load(demo.PROMPTS_PATH.read_text(encoding="utf-8")))
    known = training_instructions(arguments.documents)
    figures, tasks = probe_instructions(model, prompts, arguments.requests, known)
    print(json.dumps(figures | probe_instances(model, prompts, tasks), indent=2))


if __name__ == "__main__":
    main()
