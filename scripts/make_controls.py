"""Training data for controls: python scripts/make_controls.py data=TRAIN_JSONL run_dir=runs/controls"""

from selfinstruct.controls import ControlsConfig, make_controls
from selfinstruct.entry import run_command

if __name__ == "__main__":
    run_command("make_controls", ControlsConfig, make_controls)
