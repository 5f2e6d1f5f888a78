"""Checkpoints that a kill cannot harm: written aside and renamed, and checked by sha256 before use.

A checkpoint holds the tuned weights and the optimizer's state, both by the parameters' names in safetensors,
and the metrics so far. It needs no random state, schedule or data position: batches, dropout and learning
rate follow from the seed and the step's number alone.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from finetune.model import trainable
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.settings import file_digest

WEIGHTS, OPTIMIZER, METRICS = "weights.safetensors", "optimizer.safetensors", "metrics.jsonl"
SEAL = "checkpoint.json"  # the step, and each file's sha256


def save(
    folder: Path,
    step: int,
    weights: dict[str, torch.Tensor],
    optimizer_state: dict[str, torch.Tensor],
    metrics: Path,
    keep: int,
) -> None:
    """Write the state after `step` as `folder/step_<step>` and drop all but the newest `keep`."""
    partial = folder / f".partial-{os.getpid()}"
    partial.mkdir(parents=True)
    save_file(weights, partial / WEIGHTS)
    save_file(optimizer_state, partial / OPTIMIZER)
    shutil.copyfile(metrics, partial / METRICS)
    files = {name: file_digest(partial / name) for name in (WEIGHTS, OPTIMIZER, METRICS)}
    jsonl.replace_json(partial / SEAL, {"step": step, "files": files})
    os.rename(partial, folder / f"step_{step:08d}")
    prune(folder, keep)


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints."""
    for path in sorted(folder.glob("step_*"))[:-keep]:
        shutil.rmtree(path)


def newest(folder: Path, tell: Callable[[str], None]) -> Path | None:
    """The newest whole checkpoint, or None; removes damaged ones and tells that they are passed over.

    Raises:
        UserError: it is one of an earlier version, which kept the optimizer's state otherwise.
    """
    for leftover in folder.glob(".partial-*"):  # of a run that was killed while it wrote
        shutil.rmtree(leftover)
    paths = sorted(folder.glob("step_*"))
    while paths:
        path = paths.pop()
        damage = _damage(path)
        if damage is None:
            _refuse_earlier_form(path)
            return path
        instead = "passed over for the one before" if paths else "none is before it: training begins anew"
        tell(f"{path}: damaged ({damage}); {instead}")
        shutil.rmtree(path)
    return None


def _damage(path: Path) -> str | None:
    try:
        files = json.loads((path / SEAL).read_text(encoding="utf-8"))["files"]
        for name, sha256 in files.items():
            if file_digest(path / name) != sha256:
                return f"{name} is not what was written"
    except (OSError, ValueError, KeyError, UserError) as error:
        return str(error)
    return None


def _refuse_earlier_form(path: Path) -> None:
    if not (path / OPTIMIZER).exists():
        raise UserError(
            f"{path}: it has no {OPTIMIZER}: an earlier version wrote it, and this one cannot go on from it; "
            f"finish the run with that version, or remove {path.parent} to train from the first step"
        )


def restore_weights(path: Path, model: torch.nn.Module) -> int:
    """Put a checkpoint's weights in place, before sharding; returns the step it was made after."""
    weights = load_file(path / WEIGHTS)
    with torch.no_grad():
        for name, value in trainable(model).items():
            value.copy_(weights[name])
    return int(json.loads((path / SEAL).read_text(encoding="utf-8"))["step"])


def optimizer_state(path: Path) -> dict[str, torch.Tensor]:
    """A checkpoint's optimizer state, whole, as `sharding.whole_state` returned it."""
    return load_file(path / OPTIMIZER)
