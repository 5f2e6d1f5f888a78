"""A whole experiment, each step by its own command: python scripts/reproduce.py experiment=demo"""

from eval.experiment import ReproduceConfig, reproduce
from selfinstruct.entry import run_command

if __name__ == "__main__":
    run_command("reproduce", ReproduceConfig, reproduce)
