"""What can be browsed: generated tasks with their nearest neighbour, and texts that were rejected.

Read in full; the report holds a sample of them (`sampled`), the page beside it (whole.py) all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from eval.report.blocks import Browser, Pair, Sample
from eval.report.chains import REVIEW, Chain, Run
from eval.report.files import read_lines
from selfinstruct import jsonl
from selfinstruct.classification import classification_file, read_classification
from selfinstruct.parsing import ParsingRules

_NOTE = (
    "An instruction, its instances (input → output), and the most similar text there was, with its ROUGE-L."
)
_JUDGED = (
    " Right and wrong are told by the rules of the embedded model's world. They know the world's own "
    "wordings only: to them, an instruction that a person would understand can be no valid task."
)
ACCEPTED, REJECTED = "accepted", "rejected"
_LONGEST_TEXT = 1200  # characters of a text in the report; a longer one is cut


def task_browser(run: Run) -> Browser | None:
    """All accepted instructions of the run."""
    samples = tuple(sample for chain in run.chains for sample in _tasks(chain, _prefix(run, chain)))
    if not samples:
        return None
    facets = ("kind", "judged", "nearest is")
    title, note = f"{run.name}: accepted tasks", _NOTE + (_JUDGED if run.first.of(REVIEW) else "")
    return _browser(run, ACCEPTED, f"tasks-{run.slug}", title, samples, facets, note)


def rejected_browser(run: Run) -> Browser | None:
    """All texts that were rejected, with the reason."""
    samples = tuple(sample for chain in run.chains for sample in _all_rejected(chain, _prefix(run, chain)))
    if not samples:
        return None
    title, facets = f"{run.name}: rejected texts", ("stage", "reason")
    note = "A text that was not kept and why; of one that was too similar, the text it was similar to."
    return _browser(run, REJECTED, f"rejected-{run.slug}", title, samples, facets, note)


def sampled(browser: Browser, most: int, whole: str) -> Browser:
    """The same for the report: `most` samples evenly spread, long texts cut, in proportion (`mixed`)."""
    samples = [shortened(sample) for sample in spread(browser.samples, most)]
    return replace(browser, samples=tuple(mixed(samples)), whole=whole)


def mixed(samples: Sequence[Sample]) -> list[Sample]:
    """The samples so that every stretch of them holds each combination of facets in proportion."""
    sizes, seen = Counter(sample.facets for sample in samples), Counter[tuple[str, ...]]()
    ranks = []
    for sample in samples:
        ranks.append((seen[sample.facets] + 0.5) / sizes[sample.facets])
        seen[sample.facets] += 1
    return [samples[i] for i in sorted(range(len(samples)), key=ranks.__getitem__)]


def _browser(
    run: Run,
    of: str,
    name: str,
    title: str,
    samples: tuple[Sample, ...],
    facets: tuple[str, ...],
    note: str,
) -> Browser:
    """Several seeds are one more facet."""
    facets = (*facets, "seed") if len(run.chains) > 1 else facets
    return Browser(name, title, samples, len(samples), facets, note=note, of=of)


def _prefix(run: Run, chain: Chain) -> str:
    return f"seed{chain.seed}-" if len(run.chains) > 1 else ""


def _seed_facet(chain: Chain, prefix: str) -> tuple[str, ...]:
    return (str(chain.seed),) if prefix else ()


def _tasks(chain: Chain, prefix: str) -> list[Sample]:
    records = chain.instructions()
    ids = _ids(records, prefix)
    instances, labels = _by_instruction(chain), _labels(chain)
    more = _seed_facet(chain, prefix)
    return [
        # Named by its place: without the novelty filter a text may come twice.
        _task(record, f"{prefix}task-{place + 1}", place, ids, instances, labels, more)
        for place, record in enumerate(records)
    ]


def _ids(records: Sequence[jsonl.Record], prefix: str) -> dict[str, str]:
    """Instruction -> its name: the number of its line in the run's file."""
    return {record["instruction"]: f"{prefix}task-{line}" for line, record in enumerate(records, start=1)}


def _task(
    record: jsonl.Record,
    name: str,
    place: int,
    ids: Mapping[str, str],
    instances: Mapping[str, Sequence[jsonl.Record]],
    labels: Mapping[str, bool],
    more_facets: tuple[str, ...],
) -> Sample:
    text = record["instruction"]
    own = instances.get(text, ())
    pairs = tuple(_pair(each) for each in own)
    kind = "classification" if labels.get(text) else "no classification" if labels else ""
    judged = _judged(own, pairs)
    near = record.get("most_similar") or {}
    nearest = max(near.items(), key=lambda item: item[1], default=None)
    whose = "" if nearest is None else "a task of its own" if nearest[0] in ids else "a seed task"
    flags = tuple(flag for flag in (kind, judged) if flag not in ("", "no classification", "all right"))
    why = str(own[0].get("reason") or "") if judged == "no valid task" else ""
    facets = (kind, judged, whose, *more_facets)
    nearest_id = ids.get(nearest[0], "") if nearest else ""
    return Sample(text, name, place, facets, flags, why, pairs, nearest, nearest_id)


def _judged(instances: Sequence[jsonl.Record], pairs: Sequence[Pair]) -> str:
    """What the computed review, where there is one, says of a task's instances."""
    if not instances:
        return "no instance"
    if any(each.get("valid_task") is False for each in instances):
        return "no valid task"
    if any(pair.mark == "wrong" for pair in pairs):
        return "a wrong output"
    return "all right" if pairs[0].mark else ""


def _pair(instance: jsonl.Record) -> Pair:
    given, output = instance["input"], instance["output"]
    if "acceptable_output" not in instance or instance.get("valid_task") is False:
        return Pair(given, output)
    if instance["acceptable_output"]:
        return Pair(given, output, "right")
    return Pair(given, output, "wrong", str(instance.get("reason") or ""))


def _all_rejected(chain: Chain, prefix: str) -> list[Sample]:
    ids = _ids(chain.instructions(), prefix)
    return [
        _rejected(record, f"{prefix}rejected-{place + 1}", place, ids, _seed_facet(chain, prefix))
        for place, record in enumerate(chain.rejected())
    ]


def _rejected(
    record: jsonl.Record, name: str, place: int, ids: Mapping[str, str], more_facets: tuple[str, ...]
) -> Sample:
    reason = str(record.get("reason", "unknown")).replace("_", " ")
    stage = str(record.get("stage", "unknown")).replace("_", " ")
    nearest = (str(record["nearest"]), float(record["score"])) if record.get("nearest") else None
    text = str(record.get("text", ""))
    instruction = str(record.get("instruction") or "")
    shown = (Pair(text, ""),) if instruction else ()
    facets, nearest_id = (stage, reason, *more_facets), ids.get(nearest[0], "") if nearest else ""
    return Sample(instruction or text, name, place, facets, (reason,), "", shown, nearest, nearest_id)


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
    """`most` of the records, evenly spread; all where there are fewer."""
    count = len(records)
    return list(records) if count <= most else [records[i * count // most] for i in range(most)]


def shortened(sample: Sample) -> Sample:
    """The sample with its long texts cut."""
    pairs = tuple(each._replace(input=cut(each.input), output=cut(each.output)) for each in sample.instances)
    nearest = (cut(sample.nearest[0]), sample.nearest[1]) if sample.nearest else None
    return replace(sample, text=cut(sample.text), instances=pairs, nearest=nearest)


def cut(text: str, longest: int = _LONGEST_TEXT) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
