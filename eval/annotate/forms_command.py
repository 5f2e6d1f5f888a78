"""Writes forms to rate in other tools, and reads them back when they are filled in.

python scripts/rating_forms.py run_dir=runs/forms 'predictions=[runs/user_vanilla,runs/user_tuned]'
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.annotate.assignment import Placed, place, plant
from eval.annotate.filled import filled_events
from eval.annotate.forms import (
    EVERYONE,
    FORMS,
    KEY,
    answer_key,
    write_argilla,
    write_label_studio,
    write_workbooks,
)
from eval.annotate.study import StudyConfig, rater_lists, study_items
from eval.ratings import RATINGS, Event, latest, read_events
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.runs import open_run


@dataclass
class RatingFormsConfig(StudyConfig):
    """`configs/rating_forms.yaml` as a dataclass."""

    forms: list[str] | str
    filled: list[str] | str | None

    def __post_init__(self) -> None:
        super().__post_init__()
        for form in self.wanted:
            if form not in FORMS:
                raise UserError(f"forms: {form!r} must be one of {', '.join(FORMS)}")
        if EVERYONE in self.names:
            raise UserError(f"raters: {EVERYONE!r} is not free as a name; choose another")

    @property
    def wanted(self) -> list[str]:
        """The forms to write."""
        return [self.forms] if isinstance(self.forms, str) else self.forms

    @property
    def files(self) -> list[Path]:
        """The filled files."""
        given = [self.filled] if isinstance(self.filled, str) else self.filled or []
        return [Path(name) for name in given]


def rating_forms(config: RatingFormsConfig) -> None:
    """Write the forms; with `filled`, also `ratings.jsonl` of what they hold, made anew.

    Raises:
        UserError: bad input; a form of another study; settings that differ from the run folder's.
    """
    items, settings, left_out = study_items(config)
    by_id = {item.id: item for item in items}
    lists, _ = rater_lists(config, items, [])
    everyone = place(plant(list(by_id), EVERYONE, 0, config.seed), by_id, EVERYONE, config.seed)
    key = answer_key({**lists, EVERYONE: everyone})
    events = [event for path in config.files for event in filled_events(path, key)]
    if config.files:
        _refuse_lost_ratings(config, events)
    with open_run(config.run_dir, "rating_forms", _as_json(config)) as run:
        # Forms that are out with people must stay what the key says.
        run.begin("forms", settings | {"raters": config.names, "overlap": config.raters_an_item})
        jsonl.replace_json(run.path / KEY, key)
        _write(config, run.path, lists, everyone)
        run.complete("forms", items=len(items), raters=len(lists))
        if config.files:
            jsonl.replace(run.path / RATINGS, (event.line() for event in events))
    if left_out:
        print(f"{left_out} tasks are left out: not every system answered them")
    print(f"{len(items)} items; forms: {', '.join(str(config.run_dir / form) for form in config.wanted)}")
    print(f"{config.run_dir / KEY} says which system wrote what: no rater should see it.")
    if config.files:
        rated = latest(events)
        raters = len({unit.rater for unit in rated})
        print(f"{len(rated)} ratings of {raters} raters are in {config.run_dir / RATINGS}. Numbers:")
        print(f"  python scripts/report_ratings.py ratings={config.run_dir}")


def _write(
    config: RatingFormsConfig, folder: Path, lists: Mapping[str, list[Placed]], everyone: list[Placed]
) -> None:
    for form in config.wanted:
        fresh = folder / f".{form}.partial"
        shutil.rmtree(fresh, ignore_errors=True)
        match form:
            case "xlsx":
                write_workbooks(fresh, lists)
            case "label_studio":
                write_label_studio(fresh, everyone)
            case "argilla":
                write_argilla(fresh, everyone, config.raters_an_item)
        (folder / form).mkdir(exist_ok=True)
        for file in sorted(fresh.iterdir()):
            if not (
                target := folder / form / file.name
            ).exists():  # one that is there may hold somebody's ratings
                file.rename(target)
        shutil.rmtree(fresh)


def _refuse_lost_ratings(config: RatingFormsConfig, events: Sequence[Event]) -> None:
    """Raise UserError where the forms that came back hold no rating, or not all that came back before."""
    if not latest(events):
        raise UserError(
            f"filled: no rating in {', '.join(map(str, config.files))}; give the forms that came back"
        )
    path = config.run_dir / RATINGS
    before = latest(read_events(path)) if path.exists() else {}
    if lost := before.keys() - latest(events).keys():
        advice = "name every form that came back in filled=[...], or move the file away"
        raise UserError(f"{path}: holds {len(lost)} ratings that the forms given do not; {advice}")


def _as_json(config: RatingFormsConfig) -> dict[str, Any]:
    paths = {name: str(value) for name, value in asdict(config).items() if isinstance(value, Path)}
    return asdict(config) | paths
