"""A finished demo in small, as folders on disk: what the report reads, without a model."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from eval.experiment.steps import override_value
from selfinstruct import jsonl
from selfinstruct.entry import CONFIGS
from selfinstruct.jsonl import replace_json
from selfinstruct.leaks import EvaluationTasks
from selfinstruct.llm.model_folder import folder_weights_digest
from selfinstruct.parsing import ParsingRules
from selfinstruct.settings import file_digest
from selfinstruct.statistics import Yardsticks, write_statistics
from selfinstruct.verb_objects import open_reader

TASKS = ("a", "b", "c", "d")
PER_TASK = 5
# ROUGE-L of each step's answers by task: as large as the differences shall be.
LEVELS = {
    "vanilla": (0, 5, 0, 10),
    "vanilla_2_examples": (5, 5, 5, 5),
    "seeds_only": (50, 60, 50, 60),
    "shuffled_outputs": (5, 10, 0, 10),
    "self_instruct": (70, 80, 75, 85),
    "little_world": (70, 82, 74, 86),
}


def write_demo(
    folder: Path, seeds: tuple[int, ...] = (1,), instructions: list[str] | None = None, **levels: Any
) -> Path:
    """`folder` as `reproduce.py experiment=demo run_dir=folder` leaves it, in small."""
    for seed in seeds:
        _write_seed(folder / f"seed{seed}", seed, instructions or INSTRUCTIONS, LEVELS | levels)
    return folder


INSTRUCTIONS = [
    "Write a poem about rivers.",
    "Say whether the number is even.",
    "Give the plural of the noun.",
    "Name the city in the sentence about a worker.",
]


def _write_seed(folder: Path, seed: int, instructions: list[str], levels: dict[str, Any]) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        words = ["experiment/reproduce=demo", f"run_dir={override_value(str(folder.parent))}", f"seed={seed}"]
        config = OmegaConf.to_container(compose("reproduce", words), resolve=True)
    assert isinstance(config, dict)
    write_manifest(folder, "reproduce", config)
    for name, step in config["steps"].items():
        command = Path(step["command"]).stem
        write_manifest(folder / name, command, step_config(command))
        match command:
            case "generate":
                write_generated(folder / name, instructions)
            case "train":
                write_training(folder / name, Path(step["settings"]["data"]))
            case "eval_superni":
                write_asked(folder / name, step["settings"].get("adapter"))
                write_evaluation(folder / name, levels[name])
                write_predictions(folder / name, instructions)
            case "review_little_world":
                write_review(folder / name, instructions)


def step_config(command: str) -> dict[str, Any]:
    if command == "train":
        return {
            "model": "/x/selfinstruct/llm/tiny/model",
            "method": {"name": "lora", "r": 16},
            "max_steps": 300,
        }
    query = {"temperature": 0.0, "top_p": 1.0, "presence_penalty": 0.0, "max_tokens": 3}
    return {
        "llm": {"backend": "tiny", "model": None},
        "seed_tasks": "/x/tiny/seed_tasks.jsonl",
        "num_instructions": 4,
        "fidelity": "fixed",
        "instructions": {"shown": 8, "shown_machine": 2},
        "novelty": {"threshold": 0.7},
        "queries": {"instructions": query, "classification": query, "instances": query},
    }


MODEL = {"llm.model": "model", "llm.weights": "0" * 64}


def write_generated(folder: Path, instructions: list[str], **model: str) -> None:
    """A run of generate.py in which the model wrote these."""
    stages = ("instructions", "classification", "instances", "finetuning_data")
    steps = {stage: {"status": "complete", "settings": MODEL | model} for stage in stages}
    write_manifest(folder, "generate", step_config("generate"), steps)
    write_data(folder, instructions)


def write_training(folder: Path, data: Path) -> None:
    """A run of finetune/train.py on a file (of one that is not there, its name stands for what it holds)."""
    digest = file_digest(data) if data.exists() else sha256(data.name.encode()).hexdigest()
    counts = {"examples": 9, "steps": 29, "trained_tokens": 90, "first_loss": 5.0, "final_loss": 0.2}
    steps = {"train": {"status": "complete", "counts": counts, "settings": {"data.0.sha256": digest}}}
    write_manifest(folder, "train", step_config("train") | {"data": str(data)}, steps)
    keys = {"learning_rate": 0.1, "num_trained_tokens": 10}
    jsonl.replace(folder / "metrics.jsonl", [{"step": n, "loss": 5.0 / n, **keys} for n in range(1, 30)])
    (folder / "adapter").mkdir(exist_ok=True)
    (folder / "adapter" / "adapter_model.safetensors").write_text(f"{digest} {folder.name}")


def write_asked(folder: Path, adapter: str | None, **model: str) -> None:
    """The manifest of an evaluation of the model, or of an adapter on it."""
    digest = folder_weights_digest(Path(adapter)) if adapter else None
    steps = {"predict": {"status": "complete", "settings": MODEL | {"llm.adapter": digest} | model}}
    write_manifest(folder, "eval_superni", step_config("eval_superni") | {"adapter": adapter}, steps)


def write_manifest(
    folder: Path, command: str, config: dict[str, Any], steps: dict[str, Any] | None = None
) -> None:
    manifest = {
        "command": command,
        "config": config,
        "steps": steps or {},
        "seconds": 12.5,
        "status": "complete",
        "versions": {"python": "3.11", "machine": "x86_64", "torch": "2.13"},
        "git_commit": "0123456789abcdef",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def write_data(folder: Path, instructions: list[str]) -> None:
    nearest = {"Write a <b>poem</b>.": 0.625, "Something else.": 0.25}
    lines = [{"instruction": t, "most_similar": nearest, "request_idx": 0} for t in instructions]
    jsonl.replace(folder / "machine_generated_instructions.jsonl", lines)
    flags = [{"instruction": t, "is_classification": " Yes" if "even" in t else " No"} for t in instructions]
    jsonl.replace(folder / "is_clf_or_not.jsonl", flags)
    raw = [{"instruction": text, "raw_instances": "-"} for text in instructions]
    jsonl.replace(folder / "machine_generated_instances.jsonl", raw)
    instances = [{"instruction": text, "input": "four", "output": f"Out of {text}"} for text in instructions]
    jsonl.replace(folder / "finetuning_data" / "all_generated_instances.jsonl", instances)
    own = {"prompt": "p", "completion": "c", "source": "generated"}
    train = [{**own, "instruction": text} for text in instructions]
    jsonl.replace(folder / "finetuning_data" / "train.jsonl", train)
    rejected = {
        "stage": "instructions",
        "reason": "too_similar",
        "text": f"Near {instructions[0]}",
        "nearest": instructions[0],
        "score": 0.75,
        "request_idx": 0,
    }
    short = {"stage": "instructions", "reason": "too_short", "text": "Short.", "request_idx": 0}
    jsonl.replace(folder / "rejected.jsonl", [rejected, short])
    mark = {"request_idx": 0, "candidates": len(instructions) + 2, "accepted": len(instructions)}
    jsonl.replace(folder / "requests.jsonl", [mark])
    tokens = {"index": 0, "prompt_tokens": 10, "completion_tokens": 5}
    stages = ("instructions", "classification", "instances")
    answers = [{"stage": stage, "key": stage, **tokens} for stage in stages]
    jsonl.replace(folder / "response_log.jsonl", answers)
    seeds = ["Write a short story.", "Name the capital."]
    evaluation = [EvaluationTasks("user_oriented.jsonl", ("Write a letter.", "Name a city."), 2, 2)]
    yardsticks = Yardsticks(ParsingRules.fixed(), seeds, "english", evaluation, open_reader("rules"), None)
    write_statistics(folder, yardsticks)


def write_evaluation(folder: Path, levels: tuple[float, ...], **benchmark: Any) -> None:
    """Scores and metrics of four tasks; the first paragraph scores half."""
    lines = []
    for task, level in zip(TASKS, levels, strict=True):
        for number in range(PER_TASK):
            raw = {"rougeL": float(level), "rouge1": float(level), "exact_match": 0.0}
            cut = {name: value / 2 for name, value in raw.items()}
            lines.append({"id": f"{task}{number}", "task": task, "raw": raw, "first_paragraph": cut})
    jsonl.replace(folder / "scores.jsonl", lines)
    mean = sum(levels) / len(levels)
    group: dict[str, Any] = {
        metric: {"value": mean, "low": min(levels), "high": max(levels)}
        for metric in ("rougeL", "rouge1", "exact_match")
    }
    group |= {"n": len(lines), "num_tasks": len(TASKS)}
    of = {"name": "LittleWorld", "label": "LittleWorld", "track": "default", "partial": False}
    of |= {"tasks_found": len(TASKS), "tasks_of": len(TASKS), "instances": len(lines)} | benchmark
    metrics = {
        "overall": group,
        "variants": {"first_paragraph": group},
        "categories": {"word_analogy": group},
        "benchmark": of,
        "setting": {"system": "s", "prompt_style": "self-instruct", "num_examples": 0, "max_tokens": 64},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))


def write_predictions(folder: Path, instructions: list[str]) -> None:
    """An answer to each of the four tasks' instances, with the prompt it is of."""
    lines = []
    for position, task in enumerate(TASKS):
        for number in range(PER_TASK):
            prompt = f"{instructions[position % len(instructions)]}\n\nInput: {number}\n\nOutput:"
            instance = {"id": f"{task}{number}", "input": str(number), "output": [f"right {number}"]}
            text = f" {folder.name} answers {instructions[0]}"
            lines.append({"id": instance["id"], "prediction": text, "prompt": prompt, "Instance": instance})
    jsonl.replace(folder / "predictions.jsonl", lines)


def write_regenerated(folder: Path, outputs: list[tuple[str, str]]) -> None:
    """Instances of a run of generate.py whose outputs were written anew: (before, after)."""
    write_manifest(folder, "generate", step_config("generate"))
    lines = [
        {"instruction": f"Task {number}.", "input": "", "output": after, "original_output": before}
        for number, (before, after) in enumerate(outputs)
    ]
    jsonl.replace(folder / "finetuning_data" / "regenerated_instances.jsonl", lines)
    replace_json(folder / "statistics.json", {})


def write_review(folder: Path, instructions: list[str]) -> None:
    shares = {"valid_task": 95.0, "appropriate_input": 86.0, "acceptable_output": 84.0}
    reviewed: dict[str, Any] = {
        name: {"value": value, "low": value - 5, "high": value + 4}
        for name, value in (shares | {"all_fields_valid": 84.0}).items()
    }
    (folder / "review.json").write_text(json.dumps({"reviewed": reviewed | {"n": 300}}))
    judged = [
        {"instruction": text, "input": "four", "output": f"Out of {text}", "valid_task": True}
        | {"acceptable_output": number != 0}
        for number, text in enumerate(instructions)
    ]
    jsonl.replace(folder / "instances.jsonl", judged)
