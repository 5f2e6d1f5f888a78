"""Every claim of the paper beside some runs.

python scripts/make_report.py 'runs=[runs/demo]' run_dir=runs/report
"""

from eval.report.command import MakeReportConfig, make_report
from selfinstruct.entry import run_command

if __name__ == "__main__":
    run_command("make_report", MakeReportConfig, make_report)
