"""What can be browsed: generated tasks with their nearest neighbour, and texts that were rejected."""

from collections.abc import Collection, Sequence
from typing import Any

from eval.report.blocks import Browser, Sample
from eval.report.chains import REVIEW, Chain, Run
from eval.report.files import read_lines
from selfinstruct import jsonl
from selfinstruct.classification import classification_file, read_classification
from selfinstruct.parsing import ParsingRules

_NOTE = (
    "An instruction, its instances (input → output), and the most similar text there was, with its ROUGE-L."
)
_JUDGED = " Right and wrong are told by the rules of the embedded model's world."
_LONGEST_TEXT = 1200  # characters of a text; a longer one is cut


def task_browser(run: Run, most: int) -> Browser | None:
    """Accepted instructions of the run's first seed, evenly spread where there are more than `most`."""
    records = run.first.instructions()
    if not records:
        return None
    written = {record["instruction"] for record in records}
    instances, labels = _by_instruction(run.first), _labels(run.first)
    samples = tuple(_sample(record, instances, labels, written) for record in spread(records, most))
    facets = ("kind", "judged", "nearest is")
    title, note = f"{run.name}: accepted tasks", _NOTE + (_JUDGED if run.first.of(REVIEW) else "")
    return Browser(f"tasks-{run.slug}", title, samples, len(records), facets, note=note)


def rejected_browser(run: Run, most: int) -> Browser | None:
    """Texts that were rejected, with the reason."""
    records = run.first.rejected()
    if not records:
        return None
    samples = tuple(_rejected(record) for record in spread(records, most))
    title, facets = f"{run.name}: rejected texts", ("stage", "reason")
    return Browser(f"rejected-{run.slug}", title, samples, len(records), facets)


def _sample(
    record: jsonl.Record,
    instances: dict[str, list[jsonl.Record]],
    labels: dict[str, bool],
    written: Collection[str],
) -> Sample:
    text = record["instruction"]
    own = instances.get(text, [])
    marks = [_mark(each) for each in own]
    kind = "classification" if labels.get(text) else "no classification" if labels else ""
    judged = _judged(own, marks)
    near = record.get("most_similar") or {}
    nearest = next(iter(sorted(near.items(), key=lambda item: -item[1])), None)
    whose = "" if nearest is None else "a task of its own" if nearest[0] in written else "a seed task"
    flags = [flag for flag in (kind, judged) if flag not in ("", "no classification", "all right")]
    shown = tuple((cut(r["input"]), cut(r["output"]), mark) for r, mark in zip(own, marks, strict=True))
    beside = (cut(nearest[0]), nearest[1]) if nearest else None
    return Sample(cut(text), (kind, judged, whose), tuple(flags), shown, beside)


def _judged(instances: Sequence[jsonl.Record], marks: Sequence[str]) -> str:
    """What the computed review, where there is one, says of a task's instances."""
    if not instances:
        return "no instance"
    if any(each.get("valid_task") is False for each in instances):
        return "no valid task"
    if "wrong" in marks:
        return "a wrong output"
    return "all right" if marks[0] else ""


def _mark(instance: jsonl.Record) -> str:
    if "acceptable_output" not in instance or instance.get("valid_task") is False:
        return ""
    return "right" if instance["acceptable_output"] else "wrong"


def _rejected(record: jsonl.Record) -> Sample:
    reason = str(record.get("reason", "unknown")).replace("_", " ")
    stage = str(record.get("stage", "unknown")).replace("_", " ")
    nearest = (cut(record["nearest"]), float(record["score"])) if record.get("nearest") else None
    text = cut(str(record.get("text", "")))
    if record.get("instruction"):
        shown = ((text, "", ""),)
        return Sample(cut(str(record["instruction"])), (stage, reason), (reason,), shown, nearest)
    return Sample(text, (stage, reason), (reason,), (), nearest)


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


def spread(records: Sequence[Any], most: int) -> list[Any]:
    count = len(records)
    return list(records) if count <= most else [records[i * count // most] for i in range(most)]


def cut(text: str, longest: int = _LONGEST_TEXT) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
