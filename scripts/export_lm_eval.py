"""Tasks for lm_eval: python scripts/export_lm_eval.py superni_dir=FOLDER run_dir=runs/lm_eval"""

from eval.lm_eval_export import ExportLmEvalConfig, export_lm_eval
from selfinstruct.entry import run_command

if __name__ == "__main__":
    run_command("export_lm_eval", ExportLmEvalConfig, export_lm_eval)
