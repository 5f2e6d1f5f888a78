"""What a run leaves behind: the adapter in peft's format, the merged model if asked for, figure and card."""

import json
import os
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from finetune import checkpoints
from finetune.card import model_card
from finetune.config import TrainConfig
from finetune.curves import draw_curves
from finetune.model import load_model, load_tokenizer, trainable
from finetune.sources import LoadedSource
from selfinstruct import jsonl
from selfinstruct.errors import UserError


def write_results(
    config: TrainConfig,
    sources: list[LoadedSource],
    counts: dict[str, Any],
    model: Any,
    weights: dict[str, torch.Tensor],
) -> None:
    """Write the adapter or whole model (`weights`, whole), merged model, figure and card.

    Adds the losses to `counts`.
    """
    metrics = config.run_dir / "metrics.jsonl"
    lines = jsonl.read(metrics)
    losses = [line["loss"] for line in lines]
    last = losses[-10:]
    counts |= {"steps": len(losses), "first_loss": losses[0], "final_loss": sum(last) / len(last)}
    if "eval_loss" in counts:
        jsonl.replace(metrics, [*lines, {"step": len(losses), "eval_loss": counts["eval_loss"]}])
    _save_output(config, model, weights)
    if config.method.name != "full" and config.export == "merged":
        save_merged(config, config.run_dir / "model")
    draw_curves(config.run_dir / "figures" / "training", lines)
    jsonl.replace_text(config.run_dir / "README.md", model_card(config, sources, counts, own_dropout(model)))


def own_dropout(model: Any) -> dict[str, float]:
    """At which rates a base model drops activations while it is trained, by the names in its config."""
    heads = ("summary", "classifier")  # of tasks that are not ours
    return {
        name: rate
        for name, rate in sorted(model.config.to_dict().items())
        if "drop" in name and not name.startswith(heads)
        if isinstance(rate, float) and rate > 0
    }


def _save_output(config: TrainConfig, model: Any, weights: dict[str, torch.Tensor]) -> None:
    if config.method.name == "full":
        save_model(config, model, weights, config.output)
    else:
        save_adapter(model, weights, config.output)


def remake(config: TrainConfig) -> None:
    """Write the adapter or whole model of a complete run again, with the same bytes, from its checkpoint.

    Raises:
        UserError: the checkpoint is gone, too.
    """
    checkpoint = checkpoints.newest(config.run_dir / "checkpoints", print)
    if checkpoint is None:
        reason = "is gone, and there is no whole checkpoint to make it from"
        raise UserError(f"{config.output}: {reason}; put it back, or train in a new run_dir")
    model = load_model(replace(config, packing=False), torch.float32)
    checkpoints.restore_weights(checkpoint, model)
    weights = {name: value.detach().contiguous() for name, value in trainable(model).items()}
    _save_output(config, model, weights)


def save_adapter(model: PeftModel, weights: dict[str, torch.Tensor], folder: Path) -> None:
    """Write the adapter as `PeftModel.from_pretrained` reads it; the same weights give the same bytes."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(str(partial), safe_serialization=True, state_dict=weights)
    (partial / "README.md").unlink(missing_ok=True)  # peft's empty form; the run folder has a real card
    settings = json.loads((partial / "adapter_config.json").read_text(encoding="utf-8"))
    if isinstance(settings["target_modules"], list):
        settings["target_modules"].sort()  # a set in peft: its order changes from process to process
    jsonl.replace_json(partial / "adapter_config.json", settings)
    _put_in_place(partial, folder)


def save_merged(config: TrainConfig, folder: Path) -> None:
    """Write base model and adapter as one model that `from_pretrained` reads, in the base's own precision."""
    base = AutoModelForCausalLM.from_pretrained(
        config.model, dtype="auto", trust_remote_code=config.trust_remote_code
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # transformers 5 is renaming what peft calls
        merged = PeftModel.from_pretrained(base, str(config.run_dir / "adapter")).merge_and_unload()
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    merged.save_pretrained(str(partial))
    load_tokenizer(config).save_pretrained(str(partial))
    _put_in_place(partial, folder)


def _put_in_place(partial: Path, folder: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    for path in partial.iterdir():
        path.chmod(0o666 & ~mask)  # safetensors lets nobody else read
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(partial, folder)


def save_model(config: TrainConfig, model: Any, weights: dict[str, torch.Tensor], folder: Path) -> None:
    """Write a whole model and its tokenizer as `from_pretrained` reads them."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.config.use_cache = True  # off while it was trained
    model.save_pretrained(str(partial), state_dict=weights)
    load_tokenizer(config).save_pretrained(str(partial))
    _put_in_place(partial, folder)
