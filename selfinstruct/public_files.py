"""The paper's public files: where each lives, and what is known of it. None of them is in this repository.

Sizes and digests stand here where somebody has checked them; elsewhere `scripts/download_data.py` keeps what
was received the first time, so that a later change is seen.
"""

from dataclasses import dataclass

SELF_INSTRUCT = "https://raw.githubusercontent.com/yizhongw/self-instruct/main"
NATURAL_INSTRUCTIONS = "https://github.com/allenai/natural-instructions/archive/refs/heads/master.tar.gz"


@dataclass(frozen=True)
class PublicFile:
    """One file: its group (`what=`), its place under the target and under a mirror, its default address."""

    group: str
    path: str
    url: str
    fields: tuple[str, ...] = ()
    """Fields that every line of a JSONL file holds."""
    unpacked: str | None = None
    """An archive's folder under the target: of its files, tasks and splits."""
    size: int | None = None
    """Bytes, if known."""
    sha256: str | None = None
    """In hex, if known."""


def _of_self_instruct(group: str, path: str, *fields: str) -> PublicFile:
    return PublicFile(group, f"self-instruct/{path}", f"{SELF_INSTRUCT}/{path}", fields)


_PREDICTIONS = (  # systems of the paper's human evaluation
    *("davinci", "davinci-t0-ft", "davinci-superni-ft", "davinci-self-instruct"),
    *("davinci-self-instruct-and-superni-ft", "text-davinci-001", "text-davinci-002", "text-davinci-003"),
)

PUBLIC_FILES: tuple[PublicFile, ...] = (
    _of_self_instruct("seeds", "data/seed_tasks.jsonl", "instruction", "instances", "is_classification"),
    _of_self_instruct(
        "instances",
        "data/gpt3_generations/batch_221203/all_instances_82K.jsonl",
        *("instruction", "input", "output"),
    ),
    _of_self_instruct(
        "finetuning",
        "data/finetuning/self_instruct_221203/gpt3_finetuning_data.jsonl",
        *("prompt", "completion"),
    ),
    _of_self_instruct("comparison", "data/finetuning/superni_50k/superni_training_set_50k.jsonl"),
    _of_self_instruct("comparison", "data/finetuning/superni_50k/superni_training_set_75k.jsonl"),
    _of_self_instruct("comparison", "data/finetuning/superni_50k/superni_test_set.jsonl"),
    _of_self_instruct("comparison", "data/finetuning/t0_train_50k/t0_train_50k.jsonl"),
    _of_self_instruct(
        "user_oriented", "human_eval/user_oriented_instructions.jsonl", "instruction", "instances"
    ),
    *(
        _of_self_instruct(
            "predictions", f"human_eval/predictions/{system}_predictions.jsonl", "instruction", "response"
        )
        for system in _PREDICTIONS
    ),
    _of_self_instruct("prompts", "self_instruct/templates/clf_task_template.py"),
    _of_self_instruct("prompts", "self_instruct/templates/instance_gen_template.py"),
    _of_self_instruct("prompts", "self_instruct/bootstrap_instructions.py"),  # the headings of stage 1
    PublicFile(
        "natural_instructions",
        "natural-instructions.tar.gz",
        NATURAL_INSTRUCTIONS,
        unpacked="natural-instructions",
    ),
)

GROUPS = tuple(dict.fromkeys(file.group for file in PUBLIC_FILES))
