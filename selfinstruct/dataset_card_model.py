"""Which model answered in a run, in words, and under which licence: what the data set's card says of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from selfinstruct.markdown import markdown_code

NO_LICENCE = (
    "not known here; look it up before the data is passed on (dataset_card.model_license=... puts it here)"
)


def answering_model(llm: Mapping[str, Any]) -> tuple[str, str | None]:
    """What answered, in words, and its licence where that is known."""
    match llm["backend"]:
        case "tiny":
            words = "The embedded toy model of the project that made this"
            return (f"{words}, with an adapter on it" if llm["adapter"] else words), "apache-2.0"
        case "local":
            adapter = f" with the adapter {markdown_code(_name(llm['adapter']))}" if llm["adapter"] else ""
            return f"{markdown_code(_name(llm['model']))}{adapter}, through transformers", _license_of(
                Path(llm["model"])
            )
        case "openai":
            return f"{markdown_code(_name(llm['model']))}, behind an OpenAI-compatible server", None
    recorded = _recorded_llm(Path(llm["responses"]))
    if recorded is None or recorded.get("backend") == "replay":
        return f"Recorded answers ({markdown_code(_name(llm['responses']))}), asked of no model again", None
    words, licence = answering_model({"adapter": None, "model": "unknown"} | recorded)
    return f"{words}; its recorded answers were used again", licence


def _name(model: str) -> str:
    # Where a folder lies on this machine is nobody's business; a hub id is whole.
    return Path(model).name if Path(model).exists() or Path(model).is_absolute() else model


def _license_of(folder: Path) -> str | None:
    """The licence that a model folder's own card names in its head."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8")
        head = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else None
    except (OSError, UnicodeDecodeError, IndexError, yaml.YAMLError):
        return None
    named = head.get("license") if isinstance(head, dict) else None
    return named if isinstance(named, str) else None


def _recorded_llm(responses: Path) -> dict[str, Any] | None:
    manifest = (responses if responses.is_dir() else responses.parent) / "manifest.json"
    try:
        llm = json.loads(manifest.read_text(encoding="utf-8"))["config"]["llm"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return llm if isinstance(llm, dict) and "backend" in llm else None


def second_model(config: Mapping[str, Any]) -> tuple[str, str | None]:
    """What wrote outputs anew, in words, and its licence where that is known."""
    llm = config["regeneration"]["llm"]
    return answering_model({"adapter": None} | llm) if llm else ("see `manifest.json`", None)
