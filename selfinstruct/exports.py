"""The generated instances in forms that other tools load: Parquet, Alpaca JSON, chat messages.

load_dataset("runs/mine"), or load_dataset("runs/mine", "messages"): the card names what there is;
load_dataset("parquet", data_files="runs/mine/exports/instances.parquet").
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from selfinstruct import jsonl
from selfinstruct.encoding import evaluation_prompt
from selfinstruct.errors import UserError

# Format -> its file in the run folder.
EXPORTS = {
    "parquet": "exports/instances.parquet",
    "alpaca": "exports/alpaca.json",
    "messages": "exports/messages.jsonl",
}
# The same with the outputs that a second model has written.
REGENERATED_EXPORTS = {
    name: place.replace("exports/", "exports/regenerated_") for name, place in EXPORTS.items()
}


@dataclass
class ExportsConfig:
    """The `exports` settings: which formats are written, and the hub's repository to push to, if any."""

    formats: list[str]
    push_to_hub: str | None

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.formats) - set(EXPORTS)):
            raise UserError(f"exports.formats: {unknown}; choose from {', '.join(EXPORTS)}")
        if self.push_to_hub is not None and "parquet" not in self.formats:
            raise UserError(
                "exports.push_to_hub: the Parquet file is what is pushed; add it to exports.formats"
            )


def write_exports(
    folder: Path,
    instances: list[jsonl.Record],
    is_classification: Mapping[str, bool],
    formats: list[str],
    places: Mapping[str, str] = EXPORTS,
) -> None:
    """Write each format anew and whole; a format that is not asked for is deleted. Equal instances give equal
    bytes.

    Args:
        is_classification: by instruction; null in the Parquet file for one that is not there.
        places: where each format goes.
    """
    for name, place in places.items():
        path = folder / place
        if name not in formats:
            path.unlink(missing_ok=True)
            continue
        match name:
            case "parquet":
                jsonl.replace_bytes(path, _parquet(instances, is_classification))
            case "alpaca":
                fields = ("instruction", "input", "output")
                rows = [{field: record[field] for field in fields} for record in instances]
                jsonl.replace_text(path, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
            case "messages":
                jsonl.replace(path, ({"messages": _turns(record)} for record in instances))


def push_to_hub(folder: Path, repository: str) -> str:
    """Push the Parquet file and the card's text to a private data set on the hub, through `datasets`.

    The key is the one `hf auth login` (or HF_TOKEN) has set. No test runs this: it needs the hub.

    Returns:
        Where it stands now.

    Raises:
        UserError: the hub cannot be reached, or refuses.
    """
    from datasets import Dataset
    from huggingface_hub import DatasetCard

    try:
        dataset = Dataset.from_parquet(str(folder / EXPORTS["parquet"]))
        dataset.push_to_hub(repository, private=True)
        # The head of the card on the hub says where `datasets` has put the data; the text is ours.
        card = DatasetCard.load(repository)
        card.text = DatasetCard.load(folder / "README.md").text
        card.push_to_hub(repository, repo_type="dataset")
    except Exception as error:
        # The hub's refusals are OSErrors or ValueErrors; without a network it is its HTTP library's.
        if not (isinstance(error, OSError | ValueError) or type(error).__module__.startswith("httpx")):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        advice = "check the name (USER/NAME) and `hf auth login`; what was generated is safe"
        raise UserError(f"exports.push_to_hub={repository}: {reason}; {advice}") from error
    return f"https://huggingface.co/datasets/{repository}"


def _parquet(instances: list[jsonl.Record], is_classification: Mapping[str, bool]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    columns = {
        name: pyarrow.array([record[name] for record in instances], pyarrow.string())
        for name in ("instruction", "input", "output")
    }
    flags = [is_classification.get(record["instruction"]) for record in instances]
    columns["is_classification"] = pyarrow.array(flags, pyarrow.bool_())
    buffer = BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def _turns(record: jsonl.Record) -> list[dict[str, str]]:
    asked = evaluation_prompt("chat", record["instruction"], record["input"])
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": record["output"]}]
