"""Build the embedded model from nothing: text of the world -> tokenizer -> training -> `model/` and its card.

`python -m selfinstruct.llm.tiny.build` takes about half an hour on two cores. It also writes the demo's
seeds and prompts and the benchmark again (the same bytes each time). The same processor type and library
versions give the same weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from transformers import GenerationConfig

from selfinstruct.llm.tiny import benchmark, demo, documents
from selfinstruct.llm.tiny.card import write_card
from selfinstruct.llm.tiny.probe import share_exactly_right
from selfinstruct.llm.tiny.training import Recipe, build_tokenizer, train, vocabulary_sample

FOLDER = Path(__file__).parent
DIGEST_DOCUMENTS = 200


def sha256(path: Path) -> str:
    """The checksum of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def documents_digest(seed: int) -> str:
    """A checksum of the first documents: it changes whenever the training text does."""
    texts = (documents.write_document(seed, index).text for index in range(DIGEST_DOCUMENTS))
    return hashlib.sha256("\x00".join(texts).encode()).hexdigest()


def build(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Train the model and write its folder; returns what `build.json` says."""
    started = time.monotonic()
    tokenizer = build_tokenizer(vocabulary_sample(recipe.seed))
    with tempfile.TemporaryDirectory() as meeting:
        model, training = train(recipe, tokenizer, Path(meeting))
    seconds = time.monotonic() - started
    model.generation_config = GenerationConfig(
        do_sample=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    facts = {
        "sha256": {name: sha256(folder / name) for name in ("model.safetensors", "tokenizer.json")},
        "parameters": sum(p.numel() for p in model.parameters()),
        "vocabulary": len(tokenizer),
        **training,
        "share_exactly_right": {
            "tasks_of_the_training_text": share_exactly_right(model, tokenizer, held_out=False),
            "held_out_tasks": share_exactly_right(model, tokenizer, held_out=True),
        },
        "documents_digest": documents_digest(recipe.seed),
        "recipe": recipe.to_json(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
        },
        "minutes": round(seconds / 60, 1),
    }
    (folder / "build.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return facts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=FOLDER / "model", help="the model's folder")
    parser.add_argument("--steps", type=int, default=Recipe.steps, help="fewer give a weaker model sooner")
    arguments = parser.parse_args()
    output: Path = arguments.output
    unfinished = output.with_name(f"{output.name}.unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    facts = build(replace(Recipe(), steps=arguments.steps), unfinished)
    if output.exists():
        shutil.rmtree(output)
    unfinished.rename(output)
    if output == FOLDER / "model":
        write_card(facts, FOLDER / "README.md")
        demo.write_demo(demo.SEEDS_PATH, demo.PROMPTS_PATH)
        benchmark.write_benchmark(benchmark.FOLDER)
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
