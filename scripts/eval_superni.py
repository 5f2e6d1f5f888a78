"""Scores a model, or a file of predictions, on a benchmark in the natural-instructions format (phase 3a).

python scripts/eval_superni.py run_dir=runs/eval model=PATH_OR_HUB_ID superni_dir=natural-instructions
"""

from eval.superni_run import EvalSuperNIConfig, evaluate_superni
from selfinstruct.entry import run_command


def main(config: EvalSuperNIConfig) -> None:
    evaluate_superni(config)


if __name__ == "__main__":
    run_command("eval_superni", EvalSuperNIConfig, main)
