"""finetune/train.py under DeepSpeed with every parameter in parts: small ones it would keep whole everywhere.

python tests/zero3_in_parts.py WORDS...   (the words of finetune/train.py)
"""

import runpy
import sys
from pathlib import Path

from accelerate import DeepSpeedPlugin

fill = DeepSpeedPlugin.__post_init__


def fill_with_parts(plugin: DeepSpeedPlugin) -> None:
    fill(plugin)
    plugin.deepspeed_config["zero_optimization"]["stage3_param_persistence_threshold"] = 0


if __name__ == "__main__":
    DeepSpeedPlugin.__post_init__ = fill_with_parts  # type: ignore[method-assign]
    sys.argv[0] = str(Path(__file__).parents[1] / "finetune" / "train.py")
    runpy.run_path(sys.argv[0], run_name="__main__")
