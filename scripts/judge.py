"""A model rates systems' answers, A to D, one at a time, and is compared with people's ratings.

python scripts/judge.py run_dir=runs/judge 'predictions=[...]' ratings=runs/annotate llm=openai ...
"""

from eval.judge_run import JudgeConfig, judge
from selfinstruct.entry import run_command


def main(config: JudgeConfig) -> None:
    judge(config)


if __name__ == "__main__":
    run_command("judge", JudgeConfig, main)
