"""Tokenizers of whole words, a small model, its data and its settings, for the finetuning tests."""

import json
from pathlib import Path
from typing import Any

from small_models import random_model
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from finetune.config import MethodConfig, TrainConfig

WORDS = "red blue cat dog tree fish moon sun yes no"
CORPUS = [
    "Repeat the last word.\nInput: red blue cat dog moon\nOutput: moon",
    "Task: Say the colour of the sun.\n\nOutput: yellow yes no",
    "Sort these words.\n\nInput: tree fish moon blue red cat\n\nOutput: blue cat fish moon red tree",
]
SUPERNI_SIZES = {"task1_small": 2, "task2_middle": 6, "task3_large": 30}
CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def byte_level_tokenizer() -> PreTrainedTokenizerFast:
    """As GPT-2: a word's blank belongs to its token, and no BOS."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<end>", "<turn>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([*CORPUS, WORDS, *WORDS.split()] * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")


def metaspace_tokenizer() -> PreTrainedTokenizerFast:
    """As Llama 2: a blank is put before every text, and a BOS before that."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    blanks = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    tokenizer.normalizer = normalizers.Sequence(blanks)
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.decoder = decoders.Replace("▁", " ")
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False
    )
    tokenizer.train_from_iterator([*CORPUS, WORDS, "Output: Output:"] * 3, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")


def save_small_model(folder: Path, architecture: str = "lfm2") -> Path:
    """A model and its byte-level tokenizer in a folder that `from_pretrained` reads."""
    random_model(architecture).save_pretrained(folder)
    byte_level_tokenizer().save_pretrained(folder)
    return folder


def write_examples(path: Path, count: int = 24) -> Path:
    """Training data of various lengths, as phase 1 writes it."""
    words = WORDS.split()
    with open(path, "w", encoding="utf-8") as file:
        for number in range(count):
            given = " ".join(words[(number * 3 + place) % 10] for place in range(2 + number % 7))
            output = given.split()[-1]
            record = {"prompt": f"Repeat the last word.\nInput: {given}\nOutput:", "completion": f" {output}"}
            record |= {"instruction": "Repeat the last word.", "input": given, "output": output}
            file.write(json.dumps(record) + "\n")
    return path


def write_world(folder: Path) -> Path:
    """A folder with a model of the embedded one's architecture and 24 examples, as `train_config` wants."""
    save_small_model(folder / "model")
    write_examples(folder / "train.jsonl")
    return folder


def train_config(world: Path, run_dir: Path, **settings: Any) -> TrainConfig:
    """Six steps of eight examples."""
    small = {"batch_size": 8, "micro_batch_size": 4, "learning_rate": 1e-2, "max_length": 64, "threads": 1}
    small |= {"checkpoint_every": 2, "preview": 0, "method": MethodConfig(r=4, alpha=8)}
    given = {"data": str(world / "train.jsonl"), "model": str(world / "model")} | small | settings
    return TrainConfig(run_dir=run_dir, **given)


def write_superni(
    folder: Path, sizes: dict[str, int] = SUPERNI_SIZES, tests: tuple[str, ...] = ("task9",)
) -> Path:
    """A folder in the layout of natural-instructions; one training task of its split is not there."""
    (folder / "splits" / "default").mkdir(parents=True)
    (folder / "tasks").mkdir()
    split = folder / "splits" / "default"
    (split / "train_tasks.txt").write_text("".join(f"{name} \n" for name in [*sizes, "task4_absent"]))
    (split / "test_tasks.txt").write_text("".join(f"{name}\n" for name in tests))
    for name, size in sizes.items():
        instances = [
            {"id": f"{name}-{n}", "input": f"{name} input {n}", "output": [f"a{n}", f"b{n}"]}
            for n in range(size)
        ]
        task = {"Definition": [f"Do {name}."], "Categories": ["x"], "Instances": instances}
        (folder / "tasks" / f"{name}.json").write_text(json.dumps(task))
    return folder
