"""What can be browsed: generated tasks with their nearest neighbour, and texts that were rejected."""

from collections.abc import Sequence
from typing import Any

from eval.report.blocks import Browser, Sample
from eval.report.chains import REVIEW, Chain, Run
from eval.report.files import read_lines
from selfinstruct import jsonl
from selfinstruct.classification import classification_file, read_classification
from selfinstruct.parsing import ParsingRules

_LONGEST_TEXT = 1200  # characters of a text; a longer one is cut


def task_browser(run: Run, most: int) -> Browser | None:
    """Accepted instructions of the run's first seed, evenly spread where there are more than `most`."""
    records = run.first.instructions()
    if not records:
        return None
    instances = _by_instruction(run.first)
    labels = _labels(run.first)
    shown = _spread(records, most)
    samples = tuple(_sample(record, instances, labels) for record in shown)
    flags = tuple(dict.fromkeys(flag for sample in samples for flag in sample.flags))
    return Browser(f"tasks-{run.slug}", f"{run.name}: accepted tasks", samples, len(records), flags)


def rejected_browser(run: Run, most: int) -> Browser | None:
    """Texts that were rejected, with the reason."""
    records = run.first.rejected()
    if not records:
        return None
    samples = tuple(_rejected(record) for record in _spread(records, most))
    flags = tuple(dict.fromkeys(flag for sample in samples for flag in sample.flags))
    return Browser(f"rejected-{run.slug}", f"{run.name}: rejected texts", samples, len(records), flags)


def _sample(
    record: jsonl.Record, instances: dict[str, list[jsonl.Record]], labels: dict[str, bool]
) -> Sample:
    text = record["instruction"]
    own = instances.get(text, [])
    marks = [_mark(each) for each in own]
    flags = ["classification"] if labels.get(text) else []
    flags += [] if own else ["no instance"]
    flags += ["a wrong output"] if any(mark.startswith("wrong") for mark in marks) else []
    flags += ["no valid task"] if any(each.get("valid_task") is False for each in own) else []
    near = record.get("most_similar") or {}
    nearest = next(iter(sorted(near.items(), key=lambda item: -item[1])), None)
    shown = tuple((_cut(r["input"]), _cut(r["output"]), mark) for r, mark in zip(own, marks, strict=True))
    return Sample(_cut(text), tuple(flags), shown, (_cut(nearest[0]), nearest[1]) if nearest else None)


def _mark(instance: jsonl.Record) -> str:
    if "acceptable_output" not in instance or instance.get("valid_task") is False:
        return ""
    return "right" if instance["acceptable_output"] else "wrong"


def _rejected(record: jsonl.Record) -> Sample:
    reason = str(record.get("reason", "unknown")).replace("_", " ")
    nearest = (_cut(record["nearest"]), float(record["score"])) if record.get("nearest") else None
    text = str(record.get("text", ""))
    if record.get("instruction"):
        return Sample(_cut(str(record["instruction"])), (reason,), ((_cut(text), "", ""),), nearest)
    return Sample(_cut(text), (reason,), (), nearest)


def _by_instruction(chain: Chain) -> dict[str, list[jsonl.Record]]:
    """The instances of each instruction, with the computed review's judgement where there is one."""
    review = next(iter(chain.of(REVIEW)), None)
    judged = read_lines(review.path / "instances.jsonl", "instruction", "input", "output") if review else []
    found: dict[str, list[jsonl.Record]] = {}
    for record in judged or chain.instances():
        found.setdefault(record["instruction"], []).append(record)
    return found


def _labels(chain: Chain) -> dict[str, bool]:
    if chain.data is None or classification_file(chain.data.path) is None:
        return {}
    return dict(read_classification(chain.data.path, ParsingRules.fixed()))


def _spread(records: Sequence[Any], most: int) -> list[Any]:
    count = len(records)
    return list(records) if count <= most else [records[i * count // most] for i in range(most)]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
