"""What came out of phase 1, in numbers: `statistics.json` (paper, Table 1; the funnel of the loop)."""

from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

from selfinstruct import jsonl
from selfinstruct.classification import classification_file, read_classification
from selfinstruct.finetuning_data import ALL_INSTANCES, TRAIN
from selfinstruct.instructions import INSTRUCTIONS, REJECTED, REQUESTS
from selfinstruct.parsing import ParsingRules

STATISTICS = "statistics.json"
_FUNNEL_STEP = 1000  # candidates in a step of the acceptance curve


def write_statistics(folder: Path, rules: ParsingRules) -> dict[str, Any]:
    """Count what the run folder holds and write `statistics.json`; lengths are means in words.

    Keys of stages that have not run are left out.
    """
    statistics: dict[str, Any] = {}
    instructions = [record["instruction"] for record in jsonl.read_if_there(folder / INSTRUCTIONS)]
    if instructions:
        statistics["instructions"] = {"count": len(instructions), "mean_words": mean_words(instructions)}
    if instructions and classification_file(folder) is not None:
        flags = read_classification(folder, rules)
        count = sum(flags.get(text, False) for text in instructions)
        statistics["instructions"] |= {"classification": count, "other": len(instructions) - count}
    if (folder / ALL_INSTANCES).exists():
        statistics["instances"] = _instances(jsonl.read(folder / ALL_INSTANCES))
        statistics["training_examples"] = _by(jsonl.read(folder / TRAIN), "source")
    rejected = jsonl.read_if_there(folder / REJECTED)
    statistics["rejected"] = {
        stage: _by([line for line in rejected if line["stage"] == stage], "reason")
        for stage in dict.fromkeys(line["stage"] for line in rejected)
    }
    marks = jsonl.read_if_there(folder / REQUESTS)
    if marks:
        statistics["requests"] = {"count": len(marks), "acceptance": acceptance_curve(marks)}
    jsonl.replace_json(folder / STATISTICS, statistics)
    return statistics


def mean_words(texts: list[str]) -> float:
    """Mean number of words (white-space separated), to one decimal as the paper prints it; 0 for none."""
    return round(fmean(len(text.split()) for text in texts), 1) if texts else 0.0


def acceptance_curve(marks: list[jsonl.Record]) -> list[dict[str, float | int]]:
    """Share of candidates accepted in each step of 1,000 candidates, in the order they came.

    Requests of an adopted folder, whose number of candidates nobody kept, are left out.
    """
    curve: list[dict[str, float | int]] = []
    candidates = accepted = total = 0
    known = [mark for mark in marks if mark["candidates"] is not None]
    for position, mark in enumerate(known, start=1):
        candidates += mark["candidates"]
        accepted += mark["accepted"]
        if candidates and (candidates >= _FUNNEL_STEP or position == len(known)):
            total += candidates
            curve.append({"up_to_candidate": total, "accepted_share": round(accepted / candidates, 4)})
            candidates = accepted = 0
    return curve


def _instances(records: list[jsonl.Record]) -> dict[str, Any]:
    inputs = [record["input"] for record in records if record["input"].strip()]
    return {
        "count": len(records),
        "empty_input": len(records) - len(inputs),
        "instructions_with_instances": len({record["instruction"] for record in records}),
        "mean_words_input": mean_words(inputs),
        "mean_words_output": mean_words([record["output"] for record in records]),
    }


def _by(records: list[jsonl.Record], key: str) -> dict[str, int]:
    return dict(Counter(record[key] for record in records).most_common())
