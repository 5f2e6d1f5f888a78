"""The rating page: people rate systems' answers blind, A to D, or review generated data.

python scripts/annotate.py run_dir=runs/annotate 'predictions=[runs/user_vanilla,runs/user_tuned]'
"""

from eval.annotate.command import AnnotateConfig, annotate
from selfinstruct.entry import run_command

if __name__ == "__main__":
    run_command("annotate", AnnotateConfig, annotate)
