"""Responses to the user-oriented tasks and their scores by reference (phase 3b).

python scripts/eval_user_oriented.py run_dir=runs/user model=PATH_OR_HUB_ID
"""

from eval.user_oriented_run import EvalUserOrientedConfig, evaluate_user_oriented
from selfinstruct.entry import run_command


def main(config: EvalUserOrientedConfig) -> None:
    evaluate_user_oriented(config)


if __name__ == "__main__":
    run_command("eval_user_oriented", EvalUserOrientedConfig, main)
