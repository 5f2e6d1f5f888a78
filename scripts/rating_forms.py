"""Forms to rate in a spreadsheet, Label Studio or Argilla instead of on our page, and their way back.

python scripts/rating_forms.py run_dir=runs/forms 'predictions=[runs/user_vanilla,runs/user_tuned]'
"""

from eval.annotate.forms_command import RatingFormsConfig, rating_forms
from selfinstruct.entry import run_command

if __name__ == "__main__":
    run_command("rating_forms", RatingFormsConfig, rating_forms)
