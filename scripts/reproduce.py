"""A whole experiment and its tables: python scripts/reproduce.py experiment=demo run_dir=runs/demo"""

from eval.experiment.check import check_steps
from eval.experiment.command import reproduce
from eval.experiment.config import ReproduceConfig
from eval.judge_run import JudgeConfig
from eval.little_world_review import ReviewConfig
from eval.rating_report import ReportRatingsConfig
from eval.superni_run import EvalSuperNIConfig
from eval.user_oriented_run import EvalUserOrientedConfig
from finetune.config import TrainConfig
from selfinstruct.controls import ControlsConfig
from selfinstruct.entry import run_command
from selfinstruct.generation_config import GenerateConfig

# The commands that can be a step. Here, for eval and finetune do not import each other.
CONFIG_CLASSES: dict[str, type] = {
    "scripts/generate.py": GenerateConfig,
    "scripts/review_little_world.py": ReviewConfig,
    "scripts/make_controls.py": ControlsConfig,
    "finetune/train.py": TrainConfig,
    "scripts/eval_superni.py": EvalSuperNIConfig,
    "scripts/eval_user_oriented.py": EvalUserOrientedConfig,
    "scripts/judge.py": JudgeConfig,
    "scripts/report_ratings.py": ReportRatingsConfig,
}


def main(config: ReproduceConfig) -> None:
    check_steps(config, CONFIG_CLASSES)
    reproduce(config)


if __name__ == "__main__":
    run_command("reproduce", ReproduceConfig, main)
