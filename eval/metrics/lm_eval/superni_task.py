"""Official SuperNI scores as lm-evaluation-harness calls them; `scripts/export_lm_eval.py` ships this file.

It stands alone beside the exported tasks and needs what the harness itself needs (datasets, rouge_score).
"""

import json
import string
from functools import cache
from pathlib import Path
from typing import Any

import datasets
from rouge_score.rouge_scorer import RougeScorer

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def load(task_file: str, **_: Any) -> dict[str, datasets.Dataset]:
    """The instances of a task: a JSONL file below this folder, wherever the folder lies."""
    text = (Path(__file__).parent / task_file).read_text(encoding="utf-8")
    return {"test": datasets.Dataset.from_list([json.loads(line) for line in text.split("\n") if line])}


def first_reference(doc: dict[str, Any]) -> str:
    """What the harness shows as the target; all references count in the scores."""
    return doc["references"][0]


def process_results(doc: dict[str, Any], results: list[str]) -> dict[str, float]:
    """ROUGE-L, ROUGE-1 (stemmed) and exact match of one answer, x100, the maximum over the references."""
    answer = results[0]
    found = [_scorer().score(reference, answer) for reference in doc["references"]]
    return {
        "rougeL": 100.0 * max(each["rougeL"].fmeasure for each in found),
        "rouge1": 100.0 * max(each["rouge1"].fmeasure for each in found),
        "exact_match": 100.0 * max(_normal(answer) == _normal(each) for each in doc["references"]),
    }


def _normal(text: str) -> str:
    return " ".join(text.lower().translate(_NO_PUNCTUATION).split())


@cache
def _scorer() -> RougeScorer:
    return RougeScorer(["rougeL", "rouge1"], use_stemmer=True)
