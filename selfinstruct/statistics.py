"""What came out of phase 1, in numbers: `statistics.json`; beside them the paper's."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from selfinstruct import jsonl, rouge
from selfinstruct.acceptance import acceptance_curve, funnel
from selfinstruct.classification import classification_file, read_classification
from selfinstruct.errors import UserError
from selfinstruct.finetuning_data import ALL_INSTANCES, TRAIN
from selfinstruct.instructions import INSTRUCTIONS, REJECTED, REQUESTS
from selfinstruct.leaks import LEAKS, EvaluationTasks, find_leaks, nearest_texts
from selfinstruct.llm.budget import Price
from selfinstruct.paper_numbers import published
from selfinstruct.parsing import ParsingRules
from selfinstruct.regeneration import REGENERATED, TRAIN_REGENERATED
from selfinstruct.verb_objects import Reader, count_pairs

STATISTICS = "statistics.json"
RESPONSE_LOG = "response_log.jsonl"
# What the paper gives (Table 1; its section on diversity; v2 for the seeds).
PAPER: dict[str, dict[str, float]] = {
    **published("statistics").values,
    "verb_objects": published("verb_objects").values,
    "leaks": published("evaluation_overlap").values,
}
NUM_LABELS = 20  # most common labels that are named
_ROUGE_BINS = 20  # of 0.05
_LENGTH_BINS = 30


@dataclass
class StatisticsConfig:
    """The `statistics` settings: what reads verbs and objects, where leaks are sought, whether to draw."""

    parser: str
    evaluation_tasks: list[Path]
    figures: bool

    def __post_init__(self) -> None:
        if missing := [str(path) for path in self.evaluation_tasks if not path.exists()]:
            advice = "check the path, or leave it out (statistics.evaluation_tasks=[])"
            raise UserError(f"statistics.evaluation_tasks: {', '.join(missing)}: not there; {advice}")


@dataclass(frozen=True)
class Yardsticks:
    """What a run's output is measured against.

    Attributes:
        tokenizer: the novelty filter's, for ROUGE-L with seeds and evaluation tasks.
        price: of a million tokens; None where it is not known.
        other_prices: of the tokens in stages that another model answers.
    """

    rules: ParsingRules
    seeds: Sequence[str]
    tokenizer: str
    evaluation: Sequence[EvaluationTasks]
    reader: Reader
    price: Price | None
    other_prices: Mapping[str, Price | None] = field(default_factory=dict)


def write_statistics(folder: Path, yardsticks: Yardsticks) -> dict[str, Any]:
    """Count what the run folder holds; write `statistics.json`, and `leaks.jsonl` with a line a leak.

    Lengths are in words (what white space separates), ROUGE-L is an F-measure (0 to 1). Keys of stages that
    have not run are left out.
    """
    statistics: dict[str, Any] = {}
    instructions = [record["instruction"] for record in jsonl.read_if_there(folder / INSTRUCTIONS)]
    flags: dict[str, bool] = {}
    if instructions:
        statistics["instructions"] = {"count": len(instructions), "mean_words": mean_words(instructions)}
        statistics["instructions"]["words"] = _lengths(instructions)
    if instructions and classification_file(folder) is not None:
        flags = read_classification(folder, yardsticks.rules)
        count = sum(flags.get(text, False) for text in instructions)
        statistics["instructions"] |= {"classification": count, "other": len(instructions) - count}
    instances = None
    if (folder / ALL_INSTANCES).exists():
        instances = jsonl.read(folder / ALL_INSTANCES)
        statistics["instances"] = _instances(instances)
        statistics["training_examples"] = _by(jsonl.read_if_there(folder / TRAIN), "source")
        statistics["label_balance"] = label_balance(
            [record for record in instances if flags.get(record["instruction"], False)]
        )
    # The released code's file of rejected texts, if one is adopted, names no stage: it has only the first.
    rejected = [{"stage": "instructions"} | line for line in jsonl.read_if_there(folder / REJECTED)]
    statistics["rejected"] = {
        stage: _by([line for line in rejected if line["stage"] == stage], "reason")
        for stage in dict.fromkeys(line["stage"] for line in rejected)
    }
    marks = jsonl.read_if_there(folder / REQUESTS)
    if marks:
        statistics["requests"] = {"count": len(marks), "acceptance": acceptance_curve(marks, rejected)}
        statistics["funnel"] = funnel(marks, rejected, folder, instances)
    if instructions:
        statistics["nearest_seed"] = _nearest_seed(instructions, yardsticks)
        pairs = yardsticks.reader.read(instructions)
        statistics["verb_objects"] = {"read_by": yardsticks.reader.name} | count_pairs(pairs)
        statistics["leaks"] = _leaks(folder, instructions, yardsticks)
    if (folder / REGENERATED).exists():
        statistics["regeneration"] = _regeneration(folder, yardsticks)
    usage = _usage(folder / RESPONSE_LOG, len(marks), yardsticks)
    if usage:
        statistics["usage"] = usage
    statistics["paper"] = PAPER
    jsonl.replace_json(folder / STATISTICS, statistics)
    return statistics


def mean_words(texts: list[str]) -> float:
    """Mean number of words (white-space separated), to one decimal as the paper prints it; 0 for none."""
    return round(fmean(len(text.split()) for text in texts), 1) if texts else 0.0


def label_balance(instances: list[jsonl.Record]) -> dict[str, Any]:
    """The labels (outputs, case and a final full stop apart) of classification tasks.

    Output-first generation is meant to keep tasks from having one label only (paper, section 2.2):
    `one_label_only` counts those with two instances or more that all have the same, `mean_largest_share` is
    the mean over the tasks with two or more of their most frequent label's share.
    """
    labels_of: dict[str, Counter[str]] = {}
    for record in instances:
        labels_of.setdefault(record["instruction"], Counter())[_label(record["output"])] += 1
    overall: Counter[str] = Counter()
    for labels in labels_of.values():
        overall.update(labels)
    several = [labels for labels in labels_of.values() if labels.total() > 1]
    shares = [max(labels.values()) / labels.total() for labels in several]
    ordered = sorted(overall.items(), key=lambda item: (-item[1], item[0]))
    return {
        "tasks": len(labels_of),
        "instances": len(instances),
        "distinct_labels": len(overall),
        "tasks_with_several_instances": len(several),
        "one_label_only": sum(len(labels) == 1 for labels in several),
        "mean_largest_share": round(fmean(shares), 4) if shares else None,
        "tasks_by_labels": _histogram_of(len(labels) for labels in several),
        "most_common": [{"label": label, "count": count} for label, count in ordered[:NUM_LABELS]],
    }


def _label(output: str) -> str:
    return " ".join(output.split()).removesuffix(".").casefold()


def _histogram_of(numbers: Iterable[int]) -> dict[str, int]:
    return {str(number): count for number, count in sorted(Counter(numbers).items())}


def _lengths(texts: Sequence[str]) -> dict[str, Any]:
    """A histogram of lengths in words; what lies above the 99th percentile is `longer`."""
    words = np.array([len(text.split()) for text in texts], dtype=np.int64)
    if not len(words):
        return {"n": 0, "median": None, "longest": None, "bin_width": 1, "counts": [], "longer": 0}
    width = -(-(int(np.percentile(words, 99)) + 1) // _LENGTH_BINS)  # rounded up: whole words
    counts = np.bincount(words // width)
    shown = counts[: int(np.percentile(words, 99)) // width + 1]
    return {
        "n": len(words),
        "median": float(np.median(words)),
        "longest": int(words.max()),
        "bin_width": width,
        "counts": shown.tolist(),
        "longer": int(counts.sum() - shown.sum()),
    }


def _instances(records: list[jsonl.Record]) -> dict[str, Any]:
    inputs = [record["input"] for record in records if record["input"].strip()]
    outputs = [record["output"] for record in records]
    return {
        "count": len(records),
        "empty_input": len(records) - len(inputs),
        "instructions_with_instances": len({record["instruction"] for record in records}),
        "mean_words_input": mean_words(inputs),
        "mean_words_output": mean_words(outputs),
        "words_input": _lengths(inputs),
        "words_output": _lengths(outputs),
    }


def _nearest_seed(instructions: list[str], yardsticks: Yardsticks) -> dict[str, Any]:
    """Histogram of each instruction's highest ROUGE-L with a seed (paper, its section on diversity)."""
    nearest = nearest_texts(instructions, yardsticks.seeds, yardsticks.tokenizer)
    scores = [score for _, score in nearest]
    # A score on an edge belongs above it, on whichever side of it its float lies.
    places = np.floor((np.array(scores) + 1e-9) * _ROUGE_BINS).astype(np.int64).clip(max=_ROUGE_BINS - 1)
    counts = np.bincount(places, minlength=_ROUGE_BINS)
    return {
        "n": len(scores),
        "mean": round(fmean(scores), 4),
        "bin_width": 1 / _ROUGE_BINS,
        "counts": counts.tolist(),
    }


def _leaks(folder: Path, instructions: list[str], yardsticks: Yardsticks) -> list[dict[str, Any]]:
    counts, leaks = [], []
    for evaluation in yardsticks.evaluation:
        count, found = find_leaks(instructions, yardsticks.seeds, evaluation, yardsticks.tokenizer)
        counts.append(count)
        leaks += found
    jsonl.replace(folder / LEAKS, leaks)
    return counts


def _regeneration(folder: Path, yardsticks: Yardsticks) -> dict[str, Any]:
    """The outputs of the second model beside those of the first; unusable answers stand under `rejected`."""
    records = [record for record in jsonl.read(folder / REGENERATED) if record["is_regenerated"]]
    before, after = ([record[name] for record in records] for name in ("original_output", "output"))
    tokenize = rouge.tokenize_english if yardsticks.tokenizer == "english" else rouge.tokenize_unicode
    scores = rouge.rouge_l_pairs(before, after, tokenize)
    return {
        "count": len(records),
        "equal_to_original": sum(old.strip() == new for old, new in zip(before, after, strict=True)),
        "mean_rouge_l_with_original": round(fmean(scores), 4) if records else None,
        "mean_words_original": mean_words(before),
        "mean_words_output": mean_words(after),
        "training_examples": _by(jsonl.read(folder / TRAIN_REGENERATED), "source"),
    }


def _usage(log: Path, num_committed: int, yardsticks: Yardsticks) -> dict[str, Any]:
    """Requests and tokens of the answers that were used, by stage; what broken or repeated requests used is
    not known here.

    How many answers beyond the last that stage 1 needed had come by then depends on the server's pace: they
    are on record, and are counted when a higher `num_instructions` uses them.
    """
    by_stage: dict[str, Counter[str]] = {}
    seen: set[str] = set()
    for _, record in jsonl.numbered_records(log) if log.exists() else ():
        is_unused = record["stage"] == "instructions" and record.get("index", 0) >= num_committed
        if record["key"] in seen or is_unused:
            continue
        seen.add(record["key"])
        counts = by_stage.setdefault(record["stage"], Counter())
        counts["requests"] += 1
        counts["prompt_tokens"] += record["prompt_tokens"]
        counts["completion_tokens"] += record["completion_tokens"]
    if not by_stage:
        return {}
    total: Counter[str] = sum(by_stage.values(), Counter())
    usage: dict[str, Any] = {"by_stage": {stage: _counts(counts) for stage, counts in by_stage.items()}}
    usage["total"] = _counts(total)
    prices = {stage: yardsticks.other_prices.get(stage, yardsticks.price) for stage in by_stage}
    costs = [
        price.of(counts["prompt_tokens"], counts["completion_tokens"])
        for stage, counts in by_stage.items()
        if (price := prices[stage]) is not None
    ]
    if len(costs) == len(by_stage):  # else nobody knows
        usage["cost"] = round(sum(costs), 4)
    return usage


def _counts(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in ("requests", "prompt_tokens", "completion_tokens")}


def _by(records: list[jsonl.Record], key: str) -> dict[str, int]:
    return dict(Counter(record[key] for record in records).most_common())
