"""Validates a file of seed tasks: every problem with its line and field, and how varied the tasks are.

Command: `python scripts/check_seeds.py seeds=my_seeds.jsonl`.
"""

from selfinstruct.entry import run_command
from selfinstruct.seed_check import CheckSeedsConfig, check_seeds

if __name__ == "__main__":
    run_command("check_seeds", CheckSeedsConfig, check_seeds)
