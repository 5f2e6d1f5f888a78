"""Predictions that are there already: files of any origin, and what run folders know of theirs.

python scripts/eval_superni.py 'predictions=[runs/vanilla,runs/tuned]' run_dir=runs/compared
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.predict import Prediction, read_predictions
from eval.subset import official_name
from eval.superni import Benchmark, counted, predicted_part
from eval.user_oriented import PREDICTIONS
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.runs import RunFolder
from selfinstruct.settings import file_digest

# The keys that say which part of a benchmark is asked, each with the value that leaves nothing out.
WHOLE_PART: Mapping[str, Any] = {"tasks": [], "categories": [], "max_instances_per_task": 100}

# The keys that say which task files are read, and what of them.
_WHERE = ("benchmark", "superni_dir", "track", "num_examples", *WHOLE_PART)


def read_system(path: Path, benchmark: Benchmark) -> dict[str, Prediction]:
    """A file of predictions that are, at least in part, of this benchmark.

    Raises:
        UserError: a broken line (`file:line: field: reason`), or no id of the benchmark.
    """
    predictions = read_predictions(path)
    if not {sample.id for sample in benchmark.samples} & predictions.keys():
        example = next(iter(predictions))
        reason = f"none of its {len(predictions)} ids is in {benchmark.label} (the first is {example!r})"
        raise UserError(f"{path}: id: {reason}; is superni_dir the folder that was predicted on?")
    if differing := _count_other_references(path, benchmark):
        print(
            f"{path}: {counted(differing, 'line')} with other references than the task files, against whose "
            "references it is scored"
        )
    return predictions


def _count_other_references(path: Path, benchmark: Benchmark) -> int:
    """How many lines of the official scripts' form hold other references than their instance.

    Raises:
        UserError: a line names another task than its instance's (`file:line: Task: reason`).
    """
    by_id = {sample.id: sample for sample in benchmark.samples}
    differing = 0
    for number, record in jsonl.numbered_records(path):
        instance = record.get("Instance")
        instance = instance if isinstance(instance, dict) else {}
        sample = by_id.get(str(record.get("id", instance.get("id"))))
        if sample is None:
            continue
        task, references = record.get("Task"), instance.get("output")
        if isinstance(task, str) and official_name(task) != official_name(sample.task):
            reason = f"{task!r}, but {sample.id!r} is of {sample.task}"
            advice = "is superni_dir the folder that was predicted on?"
            raise UserError(f"{path}:{number}: Task: {reason} in {benchmark.label}; {advice}")
        differing += isinstance(references, list) and references != list(sample.references)
    return differing


def recorded_setting(file: Path) -> dict[str, Any] | None:
    """How the model was asked, where the file lies in a run folder of ours; None where nobody recorded it."""
    setting = _json_object(file.parent / "metrics.json").get("setting")
    if file.name != PREDICTIONS or not isinstance(setting, dict):
        return None
    if "prompt_style" in setting:
        return setting
    asked = setting.get("asked")  # a run that scored another run's predictions
    return next(iter(asked.values())) if isinstance(asked, dict) and len(asked) == 1 else None


def part_asked(files: Mapping[str, Path], given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `WHOLE_PART` that the files' run folders were made with and that are not given now.

    Else instances that were never asked for would count as missing.

    Raises:
        UserError: two run folders were made with different values of such a key.
    """
    recorded = {name: found for name, path in files.items() if (found := _recorded_part(path))}
    part: dict[str, Any] = {}
    for key, whole in WHOLE_PART.items():
        if given[key] != whole or not recorded:
            continue
        first, *others = (each[key] for each in recorded.values())
        if any(other != first for other in others):
            values = ", ".join(f"{name} {each[key]}" for name, each in recorded.items())
            reason = f"the runs were asked different parts of the benchmark ({key}: {values})"
            raise UserError(f"predictions: {reason}; give {key}= to say on which part they are scored")
        if first != whole:
            part[key] = first
    return part


def _recorded_part(file: Path) -> dict[str, Any] | None:
    manifest = _json_object(file.parent / "manifest.json")
    config = manifest.get("config")
    if file.name != PREDICTIONS or manifest.get("command") != "eval_superni" or not isinstance(config, dict):
        return None
    part = {key: config.get(key, whole) for key, whole in WHOLE_PART.items()}
    return {key: sorted(value) if isinstance(value, list) else value for key, value in part.items()}


def missing_note(name: str, predictions: Mapping[str, Prediction], benchmark: Benchmark) -> str | None:
    """What to say of a system that lacks predictions; None where it has all."""
    predicted = sum(sample.id in predictions for sample in benchmark.samples)
    if predicted == len(benchmark.samples):
        return None
    part = predicted_part(predicted, len(benchmark.samples))
    return f"{name}: partial: {part}; the others are scored as the empty text, not as a whole run would be"


def refuse_changed_content(
    run: RunFolder, config: Mapping[str, Any], benchmark: Benchmark, files: Mapping[str, Path]
) -> None:
    """Name the file whose content has changed since the run folder was made with the same words.

    Raises:
        UserError: the task files, or a file of predictions.
    """
    before = _json_object(run.path / "manifest.json").get("config", {})

    def differs(key: str, now: str) -> bool:
        settings = [step["settings"] for step in run.steps.values()]
        return any(each.get(key, now) != now for each in settings)

    advice = "put the old content back, or choose another run_dir"
    if all(before.get(key) == config[key] for key in _WHERE) and differs(
        "benchmark_sha256", benchmark.fingerprint
    ):
        raise UserError(f"{run.path}: the content of the task files has changed since it was made; {advice}")
    if before.get("predictions") == config["predictions"]:
        for name, path in files.items():
            if differs("predictions" if len(files) == 1 else f"predictions.{name}", file_digest(path)):
                raise UserError(f"{run.path}: the content of {path} has changed since it was made; {advice}")


def _json_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
