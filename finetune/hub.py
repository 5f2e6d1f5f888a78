"""Training data by its id on the dataset hub (`data=tatsu-lab/alpaca`), through `datasets.load_dataset`."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finetune.config import DataSource
from selfinstruct.errors import UserError
from selfinstruct.llm.model_folder import looks_like_a_path

FILE_ENDINGS = (".jsonl", ".json", ".parquet", ".csv", ".tsv")


def is_hub_id(name: str) -> bool:
    """Whether a source's name is OWNER/NAME of a hub dataset: nothing of that name is on this disk."""
    could_be = name.count("/") == 1 and not looks_like_a_path(name) and not name.endswith(FILE_ENDINGS)
    return could_be and not Path(name).exists()


def hub_records(source: DataSource) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, row) of each row of the dataset's split, in its order.

    Raises:
        UserError: neither the hub nor its local copy gives the dataset.
    """
    for number, record in enumerate(_load(source), start=1):
        yield f"{source.path}, {source.split}: record {number}", record


def hub_digest(source: DataSource) -> str:
    """sha256 (hex) over the rows: the same data has the same digest, from whichever revision."""
    total = hashlib.sha256()
    for record in _load(source):
        total.update(json.dumps(record, ensure_ascii=False, default=str).encode() + b"\n")
    return total.hexdigest()


def _load(source: DataSource) -> Any:
    import datasets

    try:
        return datasets.load_dataset(source.path, source.subset, split=source.split, revision=source.revision)
    except (OSError, ValueError, KeyError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        advice = "check the id, subset, split and revision, or the network; a file on this disk works too"
        raise UserError(
            f"data: {source.path}: no such file, and not to be had from the hub ({reason}); {advice}"
        ) from error
