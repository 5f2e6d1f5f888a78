"""Whether a run folder holds what its command leaves there: what is lost must not turn a verdict."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eval.report.chains import GENERATE, RATINGS, REVIEW, SUPERNI, TRAIN, USER_ORIENTED
from selfinstruct.errors import UserError
from selfinstruct.finetuning_data import ALL_INSTANCES
from selfinstruct.finetuning_data import TRAIN as TRAINING_DATA
from selfinstruct.instances import INSTANCES
from selfinstruct.instructions import INSTRUCTIONS
from selfinstruct.regeneration import REGENERATED
from selfinstruct.statistics import STATISTICS

_FILES = {
    GENERATE: (STATISTICS,),
    TRAIN: ("metrics.jsonl",),
    SUPERNI: ("metrics.json", "scores.jsonl"),
    USER_ORIENTED: ("metrics.json",),
    RATINGS: ("metrics.json",),
    REVIEW: ("review.json", "instances.jsonl"),
}
# Of generate.py, by the stage that writes them; other names are those of the released code.
_FILES_OF_STAGES = {
    "instructions": (INSTRUCTIONS,),
    "classification": ("is_clf_or_not*.jsonl",),
    "instances": (INSTANCES,),
    "finetuning_data": (ALL_INSTANCES, TRAINING_DATA),
    "regeneration": (REGENERATED,),
}


def refuse_lost_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """UserError where a folder that calls itself complete lacks a file that the report is made of."""
    for name in _expected(manifest):
        if not any(path.is_file() for path in folder.glob(name)):
            raise lost(folder / name, manifest["command"])
        if manifest["command"] == SUPERNI and not (folder / name).stat().st_size:
            raise lost(folder / name, manifest["command"], "is empty")


def lost(path: Path, command: str, how: str = "is gone") -> UserError:
    """What to say of a file that was there when its step was complete."""
    if command == GENERATE:  # its log of answers, which may have cost money, must not be deleted
        advice = (
            "start generate.py again in its folder with the words in run.log: no answer is asked for twice"
        )
    else:
        folder = path.parent
        advice = f"delete {folder} and start its command (or reproduce.py) again with the same words"
    return UserError(f"runs: {path} {how}, though the run is called complete; {advice}")


def _expected(manifest: Mapping[str, Any]) -> Iterator[str]:
    command = str(manifest["command"])
    yield from _FILES.get(command, ())
    stages = manifest.get("steps", {})
    if command == GENERATE:
        for stage in stages:
            yield from _FILES_OF_STAGES.get(stage, ())
    if command == "make_controls":
        yield from (f"{control}.jsonl" for control in stages)
    if command == SUPERNI and "predict" in stages:
        yield "predictions.jsonl"
