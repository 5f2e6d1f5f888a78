"""A rating study: what is rated, by whom, and each rater's list, which stays as it is when others join.

python scripts/annotate.py run_dir=runs/annotate 'raters=[ann,ben]' overlap=1
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.annotate.assignment import Entry, Placed, assign, hand_over, place, place_disagreements, plant
from eval.annotate.items import Item, drawn, items_of_generated, items_of_predictions
from eval.ratings import FIRST, Event, latest
from eval.user_oriented import PREDICTIONS, system_files
from selfinstruct.errors import UserError
from selfinstruct.finetuning_data import ALL_INSTANCES
from selfinstruct.jsonl import replace_json
from selfinstruct.paper_numbers import published
from selfinstruct.settings import REPOSITORY, file_digest

ASSIGNMENT = "assignment.json"
PAPER_ITEMS: int = published("human_evaluation_size").values["instructions"]
PAPER_REVIEWED: int = published("quality_review_size").values["instructions"]
_DEMO = REPOSITORY / "runs/demo"
_RELEASED = REPOSITORY / "runs/public/self-instruct/human_eval/predictions"
_FIRST_RATED = (  # where nothing is given; of the paper's systems, the two of its central comparison
    (f"vanilla/{PREDICTIONS}", f"self_instruct/{PREDICTIONS}"),
    ("davinci-self-instruct_predictions.jsonl", "text-davinci-001_predictions.jsonl"),
)
_RATER = re.compile(r"[\w.-]{1,40}")


@dataclass
class StudyConfig:
    """The keys that say what is rated and by whom; `configs/annotate.yaml` explains each."""

    run_dir: Path
    predictions: list[str] | str | None
    tasks: Path | None
    generated: Path | None
    num_items: int | None
    show_reference: bool
    raters: list[str] | str
    overlap: int | None
    repeats: float
    seed: int

    def __post_init__(self) -> None:
        if self.predictions and self.generated:
            raise UserError(
                "predictions and generated are both given; rate answers, or review generated data"
            )
        if self.num_items is not None and self.num_items < 1:
            raise UserError(f"num_items: {self.num_items} must be at least 1")
        if not 0 <= self.repeats <= 0.5:
            raise UserError(f"repeats: {self.repeats} must be a share from 0 to 0.5")
        if not self.names:
            raise UserError("raters: the list is empty; give at least one name ('raters=[ann,ben]')")
        for name in self.names:
            self.check_name(name, "raters")
        if len(set(self.names)) < len(self.names):
            raise UserError("raters: a name is there twice; give each rater their own")
        if self.overlap is not None and not 1 <= self.overlap <= len(self.names):
            advice = f"must be from 1 to the number of raters ({len(self.names)})"
            raise UserError(f"overlap: {self.overlap} {advice}")

    @staticmethod
    def check_name(name: str, key: str) -> None:
        """Refuse what cannot be a rater's name."""
        if not _RATER.fullmatch(name):
            advice = "a name has 1 to 40 letters, digits, dots, - or _"
            raise UserError(f"{key}: {name!r} cannot be a rater's name; {advice}")

    @property
    def names(self) -> list[str]:
        """The raters."""
        return [self.raters] if isinstance(self.raters, str) else self.raters

    @property
    def raters_an_item(self) -> int:
        """How many rate each item: all, where `overlap` does not say it."""
        return self.overlap or len(self.names)

    @property
    def systems(self) -> list[str]:
        """The prediction files or run folders; where nothing is given, the demo's or the paper's."""
        if self.predictions is not None:
            return [self.predictions] if isinstance(self.predictions, str) else self.predictions
        for folder in (*sorted(_DEMO.glob("seed*")), _RELEASED):
            for names in _FIRST_RATED:
                paths = [folder / name for name in names]
                if all(path.exists() for path in paths):
                    return [str(path.parent if path.name == PREDICTIONS else path) for path in paths]
        advice = (
            "give 'predictions=[RUN_DIR_OR_FILE,...]': run folders of eval_user_oriented.py or "
            "eval_superni.py, or files of the released form; or run `make demo` (or fetch the paper's: "
            "scripts/download_data.py 'what=[predictions]'), and start without arguments"
        )
        raise UserError(f"predictions is missing, and neither {_DEMO} nor {_RELEASED} holds any; {advice}")


def study_items(config: StudyConfig) -> tuple[list[Item], dict[str, Any], int]:
    """What is rated, the settings that decide it, and how many tasks not all systems answered."""
    # Who rates is not among them: raters may join later.
    shared: dict[str, Any] = {
        "repeats": config.repeats,
        "seed": config.seed,
        "num_items": config.num_items,
    }
    if config.generated:
        items = items_of_generated(config.generated, config.num_items or PAPER_REVIEWED, config.seed)
        file = config.generated / ALL_INSTANCES if config.generated.is_dir() else config.generated
        return items, shared | {"mode": "review", "generated": file_digest(file)}, 0
    files = system_files(config.systems)
    found, left_out = items_of_predictions(files, config.tasks, config.show_reference)
    items = drawn(found, config.num_items or PAPER_ITEMS, config.seed)
    digests = {system: file_digest(path) for system, path in files.items()}
    tasks = file_digest(config.tasks) if config.tasks else None
    return items, shared | {"mode": "rate", "predictions": digests, "tasks": tasks}, left_out


def rater_lists(
    config: StudyConfig, items: Sequence[Item], events: Sequence[Event]
) -> tuple[dict[str, list[Placed]], list[str]]:
    """Each rater's list, and what to tell about those who joined.

    The lists of the run folder stay. With a higher `overlap` the items get the raters they lack; somebody
    who joins gets these, and then takes over items that others have not touched, until all have about as
    much before them.

    Raises:
        UserError: a rater of the folder is not named any more, or fewer are to rate each item.
    """
    by_id = {item.id: item for item in items}
    before = read_assignment(config.run_dir)
    _refuse_fewer(config, before)
    given = {rater: [item for item, round in own if round == FIRST] for rater, own in before.items()}
    lists = assign(list(by_id), config.names, config.raters_an_item, config.seed, given)
    newcomers = [rater for rater in config.names if rater not in before] if before else []
    touched = {(event.rater, event.item) for event in events}
    untouched = {
        rater: {item for item in own if (rater, item) not in touched} for rater, own in lists.items()
    }
    taken = hand_over(lists, untouched, newcomers) if newcomers else {}
    order = {item: place for place, item in enumerate(by_id)}
    for taker, givers in taken.items():
        moved = [item for found in givers.values() for item in found]
        lists[taker] = sorted([*lists[taker], *moved], key=order.__getitem__)
        for giver, found in givers.items():
            lists[giver] = [item for item in lists[giver] if item not in found]
    entries: dict[str, list[Entry]] = {}
    for rater, own in lists.items():
        is_new = rater not in before
        entries[rater] = (
            plant(own, rater, config.repeats, config.seed) if is_new else _kept(before[rater], own)
        )
    placed = {rater: place(own, by_id, rater, config.seed) for rater, own in entries.items()}
    return placed, [_joins(rater, len(lists[rater]), taken[rater]) for rater in newcomers]


def _refuse_fewer(config: StudyConfig, before: Mapping[str, Sequence[Entry]]) -> None:
    missing = [rater for rater in before if rater not in config.names]
    if missing:
        advice = "name them as well (one who stopped may simply stay away), or choose another run_dir"
        raise UserError(f"raters: {', '.join(missing)} rate in {config.run_dir} already; {advice}")
    counts: dict[str, int] = {}
    for own in before.values():
        for item, round in own:
            counts[item] = counts.get(item, 0) + (round == FIRST)
    most = max(counts.values(), default=0)
    if config.raters_an_item < most:
        advice = "it can be raised, not lowered"
        raise UserError(f"overlap: was {most} in {config.run_dir}, is now {config.raters_an_item}; {advice}")


def _kept(before: Sequence[Entry], items: Sequence[str]) -> list[Entry]:
    """The list as it was, without what was handed over; what is new to it stands at its end."""
    known = {item for item, _ in before}
    kept = [entry for entry in before if entry[0] in items]
    return kept + [(item, FIRST) for item in items if item not in known]


def _joins(rater: str, number: int, givers: Mapping[str, Sequence[str]]) -> str:
    text = f"{rater} joins with {number} items"
    over = ", ".join(f"{giver} {len(items)}" for giver, items in givers.items())
    return f"{text}; taken over, not yet touched: of {over}" if over else text


def lists_to_decide(
    adjudicator: str, items: Sequence[Item], events: Sequence[Event], seed: int, log: Path
) -> dict[str, list[Placed]]:
    """The adjudicator's list: the answers whose first ratings differ.

    Raises:
        UserError: no ratings differ.
    """
    placed = place_disagreements(items, latest(events), adjudicator, seed)
    if not placed:
        raise UserError(f"adjudicate: no ratings of two raters differ in {log}; there is nothing to decide")
    return {adjudicator: placed}


def read_assignment(folder: Path) -> dict[str, list[Entry]]:
    """rater -> their list as the run folder holds it; empty where nobody was assigned anything yet.

    Raises:
        UserError: the file is damaged.
    """
    path = folder / ASSIGNMENT
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {rater: [(str(item), str(round)) for item, round in own] for rater, own in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        advice = "restore it from a copy, or choose another run_dir"
        raise UserError(f"{path}: not readable ({error}); {advice}") from error


def write_assignment(folder: Path, lists: Mapping[str, Sequence[Placed]]) -> None:
    """Keep each rater's list, so that who joins later does not change it."""
    entries = {rater: [(each.item.id, each.round) for each in placed] for rater, placed in lists.items()}
    replace_json(folder / ASSIGNMENT, entries)
