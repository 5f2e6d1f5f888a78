"""A whole experiment, each step by its own command: python scripts/reproduce.py experiment=demo"""

from eval.experiment.command import reproduce
from eval.experiment.config import ReproduceConfig
from selfinstruct.entry import run_command

if __name__ == "__main__":
    run_command("reproduce", ReproduceConfig, reproduce)
