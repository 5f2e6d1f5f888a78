"""Tables and the figure of human ratings: shares per level, systems compared, agreement of the raters.

python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings
"""

from eval.rating_report import ReportRatingsConfig, report_ratings
from selfinstruct.entry import run_command


def main(config: ReportRatingsConfig) -> None:
    report_ratings(config)


if __name__ == "__main__":
    run_command("report_ratings", ReportRatingsConfig, main)
