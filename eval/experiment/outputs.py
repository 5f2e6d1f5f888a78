"""What a step leaves behind that later steps and the report read: a step without it is not complete."""

from pathlib import Path

from eval.experiment.config import Step
from selfinstruct.classification import CLASSIFICATION
from selfinstruct.finetuning_data import ALL_INSTANCES
from selfinstruct.instances import INSTANCES
from selfinstruct.instructions import INSTRUCTIONS
from selfinstruct.regeneration import REGENERATED
from selfinstruct.statistics import STATISTICS

_OF_STAGES = {
    "instructions": (INSTRUCTIONS,),
    "classification": (CLASSIFICATION,),
    "instances": (INSTANCES,),
    "finetuning_data": (ALL_INSTANCES, "finetuning_data/train.jsonl"),
    "regeneration": (REGENERATED, "finetuning_data/train_regenerated.jsonl"),
}


def lost_outputs(step: Step, folder: Path) -> list[Path]:
    """Those of a complete step's files that are gone or empty."""
    wanted = [folder / name for name in ("manifest.json", *_outputs(step))]
    return [path for path in wanted if not (path.is_file() and path.stat().st_size)]


def _outputs(step: Step) -> tuple[str, ...]:
    match step.command:
        case "scripts/generate.py":
            stages = step.settings.get("stages", [stage for stage in _OF_STAGES if stage != "regeneration"])
            return (*(name for stage in stages for name in _OF_STAGES[stage]), STATISTICS)
        case "finetune/train.py":
            is_whole = step.settings.get("method") == "full"
            return ("model/config.json",) if is_whole else ("adapter/adapter_config.json", _ADAPTER)
        case "scripts/eval_superni.py" | "scripts/eval_user_oriented.py":
            asked = () if step.settings.get("predictions") else ("predictions.jsonl",)
            return (*asked, "scores.jsonl", "metrics.json", "table.md")
        case "scripts/make_controls.py":
            return tuple(f"{name}.jsonl" for name in step.settings["controls"])
        case "scripts/review_little_world.py":
            return ("review.json", "instances.jsonl", "table.md")
        case _:
            return ()


_ADAPTER = "adapter/adapter_model.safetensors"
