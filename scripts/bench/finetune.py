"""Trained tokens a second, memory and loss of finetune/train.py beside TRL's SFTTrainer and a padded Trainer.

    python scripts/bench/finetune.py [--size small] [--repeats 3] [--examples 512] [--threads 2]
    python scripts/bench/finetune.py --size 8b --device cuda --examples 4096 --max-length 2048

Prints a Markdown table. All train the same random Llama with the same LoRA (r 16, all seven projections), the
same rows (lengths as in the paper's data), learning rate and batch, each in a process of its own, in turn,
with another seed in each repeat. A speed is the trained target tokens of all steps but the first, divided by
their time; memory is the peak of the process (on a GPU: of torch's allocator), and how much of it is not the
imported libraries; the loss is that of held-out rows, computed one by one in float32. On a GPU also non-pad
tokens a second and the model's FLOPs utilisation by 4 FLOPs a token and parameter (but the input
embedding's): LoRA needs no gradient of the frozen weights.
"""

import argparse
import gc
import importlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BATCH = 32  # examples of an optimizer step, for all
LEARNING_RATE = 1e-3
LORA = {"r": 16, "alpha": 32}
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
# hidden size, layers, heads, key-value heads, feed-forward size, vocabulary
SIZES = {
    "tiny": (64, 2, 4, 2, 128, 512),
    "small": (256, 6, 8, 8, 768, 2816),
    "medium": (512, 8, 8, 4, 1536, 8192),
    "1b": (2048, 16, 32, 8, 8192, 128256),
    "8b": (4096, 32, 32, 8, 14336, 128256),
}
OURS = {
    "ours, packed, bf16": {"packing": True, "dtype": "bf16", "micro_batch_tokens": 2048},
    "ours, packed, grouped by length, bf16": {
        "packing": True,
        "dtype": "bf16",
        "micro_batch_tokens": 2048,
        "group_by_length": True,
    },
    "ours, packed, fp32": {"packing": True, "dtype": "fp32", "micro_batch_tokens": 2048},
    "ours, token budget, bf16": {"packing": False, "dtype": "bf16", "micro_batch_tokens": 2048},
}
TRL: dict[str, dict[str, Any]] = {
    "TRL, its defaults (bf16, checkpointing)": {},
    "TRL, packing": {"packing": True},
    "TRL, packing, no checkpointing": {"packing": True, "gradient_checkpointing": False},
}
PADDED = {"Trainer, padded, fp32": {"bf16": False}, "Trainer, padded, bf16": {"bf16": True}}
WAYS = (*OURS, *TRL, *PADDED)


@dataclass
class Meter:
    """When each step ended, and how many tokens it trained and read."""

    ends: list[float] = field(default_factory=list)
    trained: list[int] = field(default_factory=list)
    read: list[int] = field(default_factory=list)

    def step(self, trained: int, read: int) -> None:
        """A step is done: its target tokens, and all its tokens but the padding."""
        self.ends.append(time.perf_counter())
        self.trained.append(trained)
        self.read.append(read)

    def speeds(self) -> dict[str, float]:
        """Target and non-pad tokens a second, without the first step, which warms up."""
        seconds = self.ends[-1] - self.ends[0]
        return {"target": sum(self.trained[1:]) / seconds, "all": sum(self.read[1:]) / seconds}


def write_world(folder: Path, arguments: argparse.Namespace) -> int:
    """Model, tokenizer and data; returns the number of parameters but for the input embedding's."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    hidden, layers, heads, key_value_heads, feed_forward, vocabulary = SIZES[arguments.size]
    words = {"<pad>": 0, "<end>": 1, **{f"w{n}": n for n in range(2, vocabulary)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<pad>")
    fast.save_pretrained(folder / "model")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=key_value_heads,
        intermediate_size=feed_forward,
        max_position_embeddings=8192,
        tie_word_embeddings=arguments.size in ("tiny", "small", "1b"),
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
    )
    on_gpu = arguments.device == "cuda"
    with torch.device(arguments.device):
        model = LlamaForCausalLM(config).to(torch.bfloat16 if on_gpu else torch.float32)
    model.save_pretrained(folder / "model")
    for name, count, seed in (("train", arguments.examples, 1), ("held_out", 64, 2)):
        with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows(count, seed, vocabulary))
    return sum(value.numel() for name, value in model.named_parameters() if "embed_tokens" not in name) + (
        vocabulary * hidden if config.tie_word_embeddings else 0
    )


def rows(count: int, seed: int, vocabulary: int) -> list[dict[str, str]]:
    """Instruction, input and output of 15.9, 12.7 and 18.9 words on average, at 1.3 tokens a word.

    Words are drawn as in text, a few often and many seldom; an output repeats words of its prompt.
    """
    rng = random.Random(seed)

    def length(mean: float, spread: float) -> int:
        return max(1, round(1.3 * rng.lognormvariate(0, spread) * mean / 2.718 ** (spread**2 / 2)))

    def text(num_words: int) -> list[str]:
        return [f"w{min(vocabulary - 1, 2 + int(rng.paretovariate(0.6)))}" for _ in range(num_words)]

    made = []
    for _ in range(count):
        prompt = [*text(length(15.9, 0.5)), "w2", "w3", *text(length(12.7, 1.0)), "w2", "w4"]
        completion = [rng.choice(prompt) for _ in range(min(300, length(18.9, 1.0)))]
        made.append({"prompt": " ".join(prompt[:200]), "completion": " " + " ".join(completion)})
    return made


def train_ours(folder: Path, way: str, arguments: argparse.Namespace, meter: Meter) -> Any:
    """finetune/train.py itself, with a clock in place of its progress bar."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from finetune import train
    from finetune.config import MethodConfig, TemplateConfig, TrainConfig
    from finetune.progress import Progress

    class Clock(Progress):
        def add(self, *rest: Any) -> None:
            batch = rest[-1]
            meter.step(sum(each.num_trained for each in batch), sum(len(each.ids) for each in batch))
            super().add(*rest)

    train.Progress = Clock  # type: ignore[misc]
    run_dir = folder / f"run_{os.getpid()}"
    train.main(
        TrainConfig(
            run_dir=run_dir,
            data=str(folder / "train.jsonl"),
            model=str(folder / "model"),
            method=MethodConfig(**LORA),
            template=TemplateConfig("random"),
            max_length=arguments.max_length,
            epochs=1,
            batch_size=BATCH,
            learning_rate=LEARNING_RATE,
            schedule="constant",
            warmup_share=0.0,
            seed=arguments.seed,
            threads=arguments.threads,
            preview=0,
            checkpoint_every=None,
            **OURS[way],  # type: ignore[arg-type]
        )
    )
    base = AutoModelForCausalLM.from_pretrained(folder / "model", dtype="float32")
    return PeftModel.from_pretrained(base, run_dir / "adapter")


def train_theirs(folder: Path, way: str, arguments: argparse.Namespace, meter: Meter) -> Any:
    """TRL's SFTTrainer, or a Trainer with padded batches, on the same rows, batch and schedule."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer, Trainer, TrainerCallback, TrainingArguments
    from transformers.utils import is_flash_attn_2_available, logging

    logging.set_verbosity_error()
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    lora = LoraConfig(
        task_type="CAUSAL_LM", r=LORA["r"], lora_alpha=LORA["alpha"], target_modules=PROJECTIONS
    )
    lines = (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()
    data = Dataset.from_list([json.loads(line) for line in lines])
    common: dict[str, Any] = {
        "output_dir": str(folder / f"run_{os.getpid()}"),
        "num_train_epochs": 1,
        "learning_rate": LEARNING_RATE,
        "lr_scheduler_type": "constant",
        "seed": arguments.seed,
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": BATCH // 8,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": arguments.device == "cpu",
        "dataloader_pin_memory": False,
    }
    counted = [0, 0]

    class EndOfStep(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            meter.step(*counted)
            counted[:] = [0, 0]

    def counting(kind: Any) -> Any:
        class Counting(kind):
            def training_step(self, model: Any, inputs: Any, *rest: Any) -> Any:
                counted[0] += int((inputs["labels"][:, 1:] != -100).sum())
                mask = inputs.get("attention_mask")
                counted[1] += inputs["input_ids"].numel() if mask is None else int(mask.sum())
                return super().training_step(model, inputs, *rest)

        return Counting

    if way in TRL:
        from trl import SFTConfig, SFTTrainer

        if TRL[way].get("packing"):  # rows of max_length: as many a step as hold BATCH examples or so
            tokens = sum(len(row["prompt"].split()) + len(row["completion"].split()) + 1 for row in data)
            num_rows = max(1, round(BATCH * tokens / len(data) / arguments.max_length))
            common |= {"per_device_train_batch_size": 1, "gradient_accumulation_steps": num_rows}
            if arguments.device == "cuda" and "gradient_checkpointing" in TRL[way]:
                common["model_init_kwargs"] = {"dtype": "bfloat16"}
                if is_flash_attn_2_available():
                    common["model_init_kwargs"]["attn_implementation"] = "flash_attention_2"
        # A path: TRL loads the model as it does by default.
        trainer = counting(SFTTrainer)(
            model=str(folder / "model"),
            args=SFTConfig(**common, **TRL[way], max_length=arguments.max_length),
            train_dataset=data,
            processing_class=tokenizer,
            peft_config=lora,
            callbacks=[EndOfStep()],
        )
    else:
        trainer = counting(Trainer)(
            model=padded_model(folder, lora),
            args=TrainingArguments(**common, **PADDED[way]),
            train_dataset=data.map(lambda row: with_labels(row, tokenizer), remove_columns=data.column_names),
            data_collator=padding_collator,
            callbacks=[EndOfStep()],
        )
    gc.collect()
    trainer.train()
    return trainer.accelerator.unwrap_model(trainer.model)


def padded_model(folder: Path, lora: Any) -> Any:
    """The model as a Trainer's user would load it, with the adapters."""
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    return get_peft_model(AutoModelForCausalLM.from_pretrained(folder / "model"), lora)


def with_labels(row: dict[str, str], tokenizer: Any) -> dict[str, list[int]]:
    """Ids, and labels that leave out the prompt."""
    prompt, completion = (tokenizer(row[name])["input_ids"] for name in ("prompt", "completion"))
    completion = [*completion, tokenizer.eos_token_id]
    return {"input_ids": prompt + completion, "labels": [-100] * len(prompt) + completion}


def padding_collator(examples: list[dict[str, list[int]]]) -> dict[str, Any]:
    """Rows padded on the right to the longest."""
    import torch

    longest = max(len(example["input_ids"]) for example in examples)
    rows: dict[str, list[list[int]]] = {"input_ids": [], "attention_mask": [], "labels": []}
    for example in examples:
        padding = longest - len(example["input_ids"])
        rows["input_ids"].append(example["input_ids"] + [0] * padding)
        rows["attention_mask"].append([1] * len(example["input_ids"]) + [0] * padding)
        rows["labels"].append(example["labels"] + [-100] * padding)
    return {name: torch.tensor(values) for name, values in rows.items()}


def held_out_loss(model: Any, folder: Path, device: str) -> float:
    """Mean loss of the held-out target tokens (nats), each row computed alone in float32."""
    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    model = model.to(device).float().eval()
    total, count = 0.0, 0
    for line in (folder / "held_out.jsonl").read_text(encoding="utf-8").splitlines():
        example = with_labels(json.loads(line), tokenizer)
        ids, labels = (torch.tensor([example[name]], device=device) for name in ("input_ids", "labels"))
        with torch.no_grad():
            logits = model(ids, use_cache=False).logits[0, :-1]
        losses = torch.nn.functional.cross_entropy(logits, labels[0, 1:], reduction="sum")
        total, count = total + float(losses), count + int((labels[:, 1:] != -100).sum())
    return total / count


def work(folder: Path, way: str, arguments: argparse.Namespace) -> None:
    """One contestant: train, evaluate, print the figures as a line of JSON."""
    import torch

    for library in ("transformers", "peft", "accelerate", "datasets", *(("trl",) if way in TRL else ())):
        importlib.import_module(library)  # not to be counted as memory of the training
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    meter = Meter()
    before = memory(arguments.device)
    model = (train_ours if way in OURS else train_theirs)(folder, way, arguments, meter)
    peak = memory(arguments.device)
    loss = held_out_loss(model, folder, arguments.device)
    figures = meter.speeds() | {"peak": peak, "more": peak - before, "loss": loss, "steps": len(meter.ends)}
    print(json.dumps(figures | {"num_trained": sum(meter.trained)}))


def memory(device: str) -> float:
    """The peak so far, in MiB: of the process, or of torch's allocator on the GPU."""
    import torch

    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(folder: Path, way: str, seed: int, words: list[str]) -> dict[str, float]:
    """The figures of one contestant, in a process of its own."""
    # -P: this file's folder on the path would hide the package finetune behind this file.
    command = [
        sys.executable,
        "-P",
        __file__,
        *words,
        "--way",
        way,
        "--folder",
        str(folder),
        "--seed",
        str(seed),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{way}: ended with {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def report(
    found: dict[str, list[dict[str, float]]], size: int, untrained: float, arguments: argparse.Namespace
) -> None:
    """The table, medians over the repeats, and the range of speeds."""
    on_gpu = arguments.device == "cuda"
    gpu = " | non-pad tokens/s | MFU" if on_gpu else ""
    default = statistics.median(
        run["target"] for run in found.get(next(iter(TRL)), [{"target": float("nan")}])
    )
    print(f"{size / 1e6:,.1f} M parameters; held-out loss before training {untrained:.3f}\n")
    memory = "peak MiB (without libraries)"
    print(f"| way | target tokens/s (range) | of TRL's default | {memory}{gpu} | loss (range) | steps |")
    print("|---" * (8 if on_gpu else 6) + "|")
    for way, runs in found.items():
        median = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        speeds = [run["target"] for run in runs]
        line = f"| {way} | {median['target']:,.0f} ({min(speeds):,.0f}-{max(speeds):,.0f})"
        line += f" | {median['target'] / default:.2f} | {median['peak']:,.0f} ({median['more']:,.0f})"
        if on_gpu:
            share = 4 * size * median["all"] / (arguments.peak_tflops * 1e12)
            line += f" | {median['all']:,.0f} | {share:.0%}"
        losses = [run["loss"] for run in runs]
        line += f" | {median['loss']:.3f} ({min(losses):.3f}-{max(losses):.3f})"
        print(f"{line} | {median['steps']:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--max-length", type=int, default=512, help="tokens of a row, packed or not")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--peak-tflops", type=float, default=989, help="of the GPU, dense bf16 (H100, H200: 989)"
    )
    parser.add_argument(
        "--ways",
        nargs="+",
        choices=WAYS,
        metavar="WAY",
        help="; ".join(WAYS) + " (default: all, on a GPU bf16)",
    )
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.ways = arguments.ways or [way for way in WAYS if arguments.device == "cpu" or "fp32" not in way]
    if arguments.way:
        return work(arguments.folder, arguments.way, arguments)
    from transformers import AutoModelForCausalLM

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_world(folder, arguments)
        model = AutoModelForCausalLM.from_pretrained(folder / "model")
        untrained = held_out_loss(model, folder, arguments.device)
        del model
        found: dict[str, list[dict[str, float]]] = {way: [] for way in arguments.ways}
        for seed in range(1, arguments.repeats + 1):
            for way in arguments.ways:  # in turn, so that a slow minute of the machine meets all
                found[way].append(measure(folder, way, seed, sys.argv[1:]))
        report(found, size, untrained, arguments)


if __name__ == "__main__":
    main()
