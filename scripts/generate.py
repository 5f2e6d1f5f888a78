"""Phase 1: instructions and instances from a language model: python scripts/generate.py run_dir=runs/mine"""

from selfinstruct.entry import run_command
from selfinstruct.generation_config import GenerateConfig
from selfinstruct.pipeline import generate

if __name__ == "__main__":
    run_command("generate", GenerateConfig, generate)
