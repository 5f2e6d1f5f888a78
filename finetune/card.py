"""The model card: what was tuned, on what, how, and with which result."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from finetune.config import TrainConfig, portable_model_name
from finetune.sources import LoadedSource
from selfinstruct import jsonl
from selfinstruct.errors import UserError

COUNTED = (
    *("examples", "tokens", "trained_tokens", "prompts_shortened"),
    *("dropped_prompt_too_long", "dropped_completion_too_long", "dropped_empty_completion"),
)
_USE_OF_ADAPTER = """from peft import PeftModel
from transformers import AutoModelForCausalLM

model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), "adapter")"""
_USE_OF_MERGED = """from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained("model")  # {base} and the adapter in one"""
_USE_OF_MODEL = """from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained("model")"""
_BEGIN, _END = "<!-- evaluation -->", "<!-- /evaluation -->"


def model_card(
    config: TrainConfig, sources: list[LoadedSource], counts: dict[str, Any], own_dropout: Mapping[str, float]
) -> str:
    """The README of a run: what was tuned, on what, how, with which result, and what to mind.

    `own_dropout`: the base model's rates by their names in its config.
    """
    base = portable_model_name(config.model)
    method = config.method
    data = "\n".join(
        f"| `{portable_path(source.path)}`{source.note and f', {source.note}'} "
        f"| {source.num_read} | {len(source.rows)} | `{source.sha256}` |"
        for source in sources
    )
    if config.data_size is not None:
        data += f"\n\nThe examples of {config.data_size} instructions, drawn by the seed (`data_size`)."
    is_full = method.name == "full"
    use = _USE_OF_MERGED if config.export == "merged" else _USE_OF_ADAPTER
    use = _USE_OF_MODEL if is_full else use
    evaluation = ""
    if "eval_loss" in counts:
        evaluation = f"| loss on the evaluation data | {counts['eval_loss']:.4f} |\n"
    template = config.template.name + (
        f" ({config.template.style})" if config.template.name == "fixed" else ""
    )
    dropped = ", ".join(f"{name} {rate:g}" for name, rate in own_dropout.items())
    dropout = f"| dropout of the base model itself | {dropped} |\n" if dropped else ""
    numbers = "\n".join(f"| {name.replace('_', ' ')} | {counts[name]} |" for name in COUNTED)
    return f"""---
base_model: {base}
library_name: {"transformers" if is_full else "peft"}
tags: [self-instruct, {"full-finetuning" if is_full else "lora"}, instruction-tuning]
---
# {_title(config, base)}, tuned on instructions

Made by `finetune/train.py` (phase 2 of Self-Instruct, arXiv 2212.10560). Use:

```python
{use.format(base=base)}
```

## Data
| source | examples in it | used in an epoch | sha256 |
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
| template | {template}, {config.template.templates_per_example} per example |
| steps | {counts["steps"]} of {config.batch_size} examples (epochs at most {config.epochs}) |
| length | at most {config.longest} tokens |
| learning rate | {config.learning_rate:g}, {config.schedule}, {config.warmup_share:.0%} warm-up |
| weight decay, gradient norm at most | {config.weight_decay:g}, {config.max_grad_norm:g} |
{dropout}| seed | {config.seed} |

All settings and versions: `manifest.json`. Loss and learning rate of each step: `metrics.jsonl`.

## Result
| figure | value |
|---|---|
| loss of the first step | {counts["first_loss"]:.4f} |
| mean loss of the last ten steps | {counts["final_loss"]:.4f} |
{evaluation}
The loss is per trained token, in nats.

![Loss and learning rate of each step](figures/training.svg)

{evaluation_section(config.evaluations)}

## Limits and licence
A model tuned on text that a model wrote repeats that model's errors and biases; the paper judged 54 % of its
instances right in all parts. Nothing was done here for safety. The licences of the base model and of the data
decide how the adapter may be used.
"""


def _title(config: TrainConfig, base: str) -> str:
    if config.method.name == "full":
        return f"`{base}`"
    return f"`{base}` and its LoRA adapter" if config.export == "merged" else f"LoRA adapter for `{base}`"


def portable_path(path: str) -> str:
    """The file's name and folder: enough to know it by, the same on every machine."""
    return "/".join(Path(path).parts[-2:])


def evaluation_section(folders: Sequence[str]) -> str:
    """The scores of evaluation runs (`eval_superni`) as a section of the card; a place for them if none.

    Raises:
        UserError: a folder holds no `metrics.json` of an evaluation.
    """
    if not folders:
        return f"{_BEGIN}\n{_END}"
    lines = [
        "## Evaluation",
        "| benchmark | run | instances | ROUGE-L | exact match |",
        "|---|---|---|---|---|",
    ]
    lines += [_scores(Path(folder)) for folder in folders]
    note = "Means x100 over instances, with 95 % intervals where they were computed."
    return "\n".join([_BEGIN, *lines, "", note, _END])


def _scores(folder: Path) -> str:
    path = folder / "metrics.json"
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        overall, name = metrics["overall"], metrics["benchmark"]["label"]
        values = [_score(overall[metric]) for metric in ("rougeL", "exact_match")]
        return f"| {name} | `{portable_path(str(folder))}` | {overall['n']} | {values[0]} | {values[1]} |"
    except (OSError, ValueError, KeyError, TypeError) as error:
        advice = "give the run_dir of a complete scripts/eval_superni.py"
        raise UserError(f"evaluations: {path}: holds no scores ({error!r}); {advice}") from error


def _score(score: dict[str, float]) -> str:
    interval = f" [{score['low']:.1f}, {score['high']:.1f}]" if "low" in score else ""
    return f"{score['value']:.1f}{interval}"


def show_evaluations(run_dir: Path, folders: Sequence[str]) -> None:
    """Put the scores of evaluation runs into the card of a complete run, in place of earlier ones."""
    path = run_dir / "README.md"
    before, _, rest = path.read_text(encoding="utf-8").partition(_BEGIN)
    _, found, after = rest.partition(_END)
    if not found:
        raise UserError(f"{path}: has no place for evaluations ({_BEGIN}); was it edited? Put the mark back")
    jsonl.replace_text(path, before + evaluation_section(folders) + after)
