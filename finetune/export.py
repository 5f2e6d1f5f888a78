"""What a run leaves behind: the adapter in peft's format and a model card."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from peft import PeftModel

from finetune.config import TrainConfig, portable_model_name
from finetune.examples import LoadedSource
from selfinstruct import jsonl

COUNTED = (
    *("examples", "tokens", "trained_tokens", "prompts_shortened"),
    *("dropped_completion_too_long", "dropped_empty_completion"),
)

_USE_OF_ADAPTER = """from peft import PeftModel
from transformers import AutoModelForCausalLM

model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), "adapter")"""
_USE_OF_MODEL = """from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained("model")"""


def write_results(
    config: TrainConfig, sources: list[LoadedSource], counts: dict[str, Any], model: Any, tokenizer: Any
) -> None:
    """Write the adapter or whole model, the evaluation loss and the card; adds the losses to `counts`."""
    metrics = config.run_dir / "metrics.jsonl"
    lines = jsonl.read(metrics)
    losses = [line["loss"] for line in lines]
    last = losses[-10:]
    counts |= {"steps": len(losses), "first_loss": losses[0], "final_loss": sum(last) / len(last)}
    if "eval_loss" in counts:
        jsonl.replace(metrics, [*lines, {"step": len(losses), "eval_loss": counts["eval_loss"]}])
    if config.method.name == "full":
        save_model(model, tokenizer, config.output)
    else:
        save_adapter(model, config.output)
    jsonl.replace_text(config.run_dir / "README.md", model_card(config, sources, counts))


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Write the adapter as `PeftModel.from_pretrained` reads it; the same weights give the same bytes."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(str(partial), safe_serialization=True)
    (partial / "README.md").unlink(missing_ok=True)  # peft's empty form; the run folder has a real card
    settings = json.loads((partial / "adapter_config.json").read_text(encoding="utf-8"))
    if isinstance(settings["target_modules"], list):
        settings["target_modules"].sort()  # a set in peft: its order changes from process to process
    jsonl.replace_json(partial / "adapter_config.json", settings)
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(partial, folder)


def save_model(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a whole model and its tokenizer as `from_pretrained` reads them."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.config.use_cache = True  # off while it was trained
    model.save_pretrained(str(partial))
    tokenizer.save_pretrained(str(partial))
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(partial, folder)


def model_card(config: TrainConfig, sources: list[LoadedSource], counts: dict[str, Any]) -> str:
    """The README of a run: what was tuned, on what, how, with which result, and what to mind."""
    base = portable_model_name(config.model)
    method = config.method
    data = "\n".join(
        f"| `{portable_path(source.path)}` | {source.num_read} | {len(source.rows)} | `{source.sha256}` |"
        for source in sources
    )
    evaluation = ""
    if "eval_loss" in counts:
        evaluation = f"| loss on the evaluation data | {counts['eval_loss']:.4f} |\n"
    is_full = method.name == "full"
    use = _USE_OF_MODEL if is_full else _USE_OF_ADAPTER
    numbers = "\n".join(f"| {name.replace('_', ' ')} | {counts[name]} |" for name in COUNTED)
    return f"""---
base_model: {base}
library_name: {"transformers" if is_full else "peft"}
tags: [self-instruct, {"full-finetuning" if is_full else "lora"}, instruction-tuning]
---
# {f"`{base}`" if is_full else f"LoRA adapter for `{base}`"}, tuned on instructions

Made by `finetune/train.py` (phase 2 of Self-Instruct, arXiv 2212.10560). Use:

```python
{use.format(base=base)}
```

## Data
| file | examples in it | used in an epoch | sha256 |
|---|---|---|---|
{data}

| after templates and truncation | number |
|---|---|
{numbers}

Trained tokens are those of the completions and the end token.

## Method
| setting | value |
|---|---|
| {method.title} | {method.summary} |
| template | {config.template.name}, {config.template.templates_per_example} per example |
| steps | {counts["steps"]} of {config.batch_size} examples (epochs at most {config.epochs}) |
| length | at most {config.max_length} tokens |
| learning rate | {config.learning_rate:g}, {config.schedule}, {config.warmup_share:.0%} warm-up |
| weight decay, gradient norm at most | {config.weight_decay:g}, {config.max_grad_norm:g} |
| seed | {config.seed} |

All settings and versions: `manifest.json`. Loss and learning rate of each step: `metrics.jsonl`.

## Result
| figure | value |
|---|---|
| loss of the first step | {counts["first_loss"]:.4f} |
| mean loss of the last ten steps | {counts["final_loss"]:.4f} |
{evaluation}
The loss is per trained token, in nats.

## Limits and licence
A model tuned on text that a model wrote repeats that model's errors and biases; the paper judged 54 % of its
instances right in all parts. Nothing was done here for safety. The licences of the base model and of the data
decide how the adapter may be used.
"""


def portable_path(path: str) -> str:
    """The file's name and folder: enough to know it by, the same on every machine."""
    return "/".join(Path(path).parts[-2:])
