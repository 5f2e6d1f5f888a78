"""The paper's quality review, computed for the embedded model's world.

python scripts/review_little_world.py generated=RUN_DIR run_dir=runs/review
"""

from eval.little_world_review import ReviewConfig, review
from selfinstruct.entry import run_command

if __name__ == "__main__":
    run_command("review_little_world", ReviewConfig, review)
