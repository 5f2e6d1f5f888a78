"""What can be said of a model's folder before torch is imported: is it one, and are its weights whole.

`python scripts/generate.py llm=local llm.model=FOLDER` looks here first.
"""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from selfinstruct.errors import UserError


def hide_hints_at_gpu_kernels() -> None:
    """Keep transformers from advising kernels that a machine without a GPU has no use for."""
    logging.getLogger("transformers.integrations.hub_kernels").setLevel(logging.ERROR)


def base_and_adapter(model: str, adapter: str | None) -> tuple[str, str | None]:
    """The model to load and the adapter to put on it: a folder with only an adapter names its base model.

    Raises:
        UserError: a folder is missing, holds no model or adapter, or weights that are cut off.
    """
    if adapter is not None:
        _check_adapter(adapter)
    folder = Path(model)
    if not folder.is_dir():
        if looks_like_a_path(model):
            raise UserError(f"llm.model={model}: no such folder; check the path, or give a hub id")
        return model, adapter
    if (folder / "config.json").exists():
        check_weights(folder)
        return model, adapter
    if adapter is None and (folder / "adapter_config.json").exists():
        return base_and_adapter(_base_model(folder / "adapter_config.json"), model)
    raise UserError(f"llm.model={model}: this folder holds no model (no config.json); give one that does")


def looks_like_a_path(name: str) -> bool:
    """Whether a name can only be a path; a hub id has one slash at most."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1


def check_weights(folder: Path) -> None:
    """Compare the length of each weight file with what its header announces.

    Raises:
        UserError: a file is cut off, or is no safetensors file.
    """
    for path in sorted(folder.glob("*.safetensors")):
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = path.stat().st_size
            try:
                header: Any = json.loads(file.read(length) if 8 + length <= size else b"")
                ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
            except (ValueError, TypeError, KeyError, AttributeError):
                ends = []
        if not ends or size < 8 + length + max(ends):
            raise UserError(f"{path}: is cut off or no safetensors file ({size} bytes); copy it again, whole")


def folder_weights_digest(folder: Path) -> str:
    """sha256 (hex) over the names and bytes of a folder's weight files, by which manifests know a model."""
    parts = {}
    for path in sorted(folder.glob("*.safetensors")):
        with open(path, "rb") as file:
            parts[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _check_adapter(adapter: str) -> None:
    folder = Path(adapter)
    if folder.is_dir():
        if not (folder / "adapter_config.json").exists():
            reason = "this folder holds no LoRA adapter (no adapter_config.json); give one that does"
            raise UserError(f"llm.adapter={adapter}: {reason}")
        check_weights(folder)
    elif looks_like_a_path(adapter):
        raise UserError(f"llm.adapter={adapter}: no such folder; check the path, or give a hub id")


def _base_model(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["base_model_name_or_path"])
    except (ValueError, KeyError, TypeError) as error:
        advice = "it must name base_model_name_or_path; copy the adapter again, or give llm.model too"
        raise UserError(f"{path}: not readable as an adapter's settings; {advice}") from error
