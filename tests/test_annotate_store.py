"""Ratings on disk, who rates what, and what a rater's desk gives out: all below the web server."""

import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from rating_server import write_systems

from eval.annotate import study
from eval.annotate.assignment import Placed, assign, hand_over, place_disagreements, plant
from eval.annotate.assignment import place as place_entries
from eval.annotate.command import AnnotateConfig, annotate
from eval.annotate.desk import Desk, WrongRequest
from eval.annotate.items import GENERATED, Item, Slot, items_of_generated, items_of_predictions
from eval.annotate.store import RatingStore
from eval.ratings import RATING, REPEAT, Event, latest, read_events
from eval.user_oriented import system_files
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.settings import REPOSITORY

RELEASED = REPOSITORY.parent / "shared" / "data" / "user_oriented_predictions_sample.jsonl"


def items(number: int) -> list[Item]:
    slots = tuple(Slot(system, RATING, f"answer of {n}") for n, system in enumerate(("x", "y", "z")))
    return [Item(f"item {n}", f"Do {n}.", "", None, None, slots) for n in range(number)]


def place(own: list[Item], rater: str, repeats: float, seed: int) -> list[Placed]:
    entries = plant([item.id for item in own], rater, repeats, seed)
    return place_entries(entries, {item.id: item for item in own}, rater, seed)


def desk(path: Path, rater: str = "ann", number: int = 4, repeats: float = 0) -> Desk:
    return Desk(rater, place(items(number), rater, repeats, seed=1), RatingStore(path), adjudicates=False)


def config(tmp_path: Path, **changes: Any) -> AnnotateConfig:
    values: dict[str, Any] = {
        "run_dir": tmp_path / "run",
        "predictions": write_systems(tmp_path, 3),
        "tasks": None,
        "generated": None,
        "num_items": None,
        "show_reference": True,
        "raters": ["ann"],
        "overlap": None,
        "repeats": 0.0,
        "adjudicate": None,
        "seed": 1,
        "host": "127.0.0.1",
        "port": 0,
    }
    return AnnotateConfig(**(values | changes))


def event(rater: str, item: str, rating: str, id: str = "", system: str = "x") -> Event:
    return Event(rater, item, system, rating, "", "2026-01-01T00:00:00+00:00", id=id)


# --- the log ----------------------------------------------------------------------------------------------


def test_a_rating_is_on_disk_when_the_call_returns(tmp_path: Path) -> None:
    store = RatingStore(tmp_path / "ratings.jsonl")
    store.append(event("ann", "1", "B"))
    (line,) = jsonl.read(tmp_path / "ratings.jsonl")
    assert {key: line[key] for key in ("rater", "item", "system", "rating", "note")} == {
        "rater": "ann",
        "item": "1",
        "system": "x",
        "rating": "B",
        "note": "",
    }
    assert line["time"]


def test_a_restart_knows_everything_and_cuts_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    store = RatingStore(path)
    store.append(event("ann", "1", "B"))
    with open(path, "ab") as file:
        file.write(b'{"rater": "ann", "it')
    again = RatingStore(path)
    again.append(event("ann", "2", "C"))
    assert [e.rating for e in read_events(path)] == ["B", "C"]
    assert again.can_undo("ann", adjudicates=False)


def test_an_event_sent_twice_is_written_once(tmp_path: Path) -> None:
    store = RatingStore(tmp_path / "ratings.jsonl")
    store.append(event("ann", "1", "B", id="e1"))
    again = RatingStore(tmp_path / "ratings.jsonl")
    again.append(event("ann", "1", "B", id="e1"))
    assert len(read_events(tmp_path / "ratings.jsonl")) == 1


def test_a_write_that_fails_leaves_the_log_and_the_state_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RatingStore(tmp_path / "ratings.jsonl")
    store.append(event("ann", "1", "B"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            store.append(event("ann", "1", "D"))
    store.append(event("ann", "2", "C"))
    assert [e.rating for e in read_events(tmp_path / "ratings.jsonl")] == ["B", "C"]
    assert [e.rating for e in store.states().values()] == ["B", "C"]


def test_undo_goes_back_step_by_step_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    mine = desk(path)
    mine.rate(0, 0, "A", "", "1")
    mine.rate(0, 0, "B", "a note", "2")
    mine.skip(1, "3")
    assert mine.state()["status"] == "osoo"
    again = desk(path)
    assert again.undo("4") == (1, 0)
    assert again.state()["status"] == "oooo"
    assert again.undo("5") == (0, 0)
    assert (again.view(0)["slots"][0]["rating"], again.view(0)["slots"][0]["note"]) == ("A", "")
    assert desk(path).undo("6") == (0, 0)
    assert desk(path).view(0)["slots"][0]["rating"] is None
    assert desk(path).undo("7") is None
    assert len(read_events(path)) == 6  # nothing was ever taken out of the log
    assert latest(read_events(path)) == {}


def test_undo_takes_back_nothing_of_another_rater(tmp_path: Path) -> None:
    store = RatingStore(tmp_path / "ratings.jsonl")
    store.append(event("ann", "1", "A"))
    assert store.undo("ben", adjudicates=False, id="") is None
    assert store.undo("ann", adjudicates=True, id="") is None


# --- who rates what ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("raters", "overlap"), [(2, 1), (3, 2), (5, 2), (5, 3), (4, 4)])
def test_items_are_spread_evenly(raters: int, overlap: int) -> None:
    names = [f"rater {n}" for n in range(raters)]
    numbered = [item.id for item in items(101)]
    lists = assign(numbered, names, overlap, seed=3)
    loads = [len(own) for own in lists.values()]
    assert max(loads) - min(loads) <= 1
    times = Counter(item for own in lists.values() for item in own)
    assert set(times.values()) == {overlap}
    if overlap > 1:
        ids = {rater: set(own) for rater, own in lists.items()}
        met = [len(ids[a] & ids[b]) for a, b in combinations(names, 2)]
        assert max(met) - min(met) <= 0.2 * max(met)
    assert lists == assign(numbered, names, overlap, seed=3)


def test_who_joins_takes_over_what_nobody_has_touched() -> None:
    numbered = [item.id for item in items(60)]
    lists = assign(numbered, ["ann", "ben", "cid"], 2, seed=1)  # 40 each
    untouched = {"ann": set(lists["ann"][10:]), "ben": set(lists["ben"]), "cid": set(lists["cid"][35:])}
    taken = hand_over(lists | {"eve": []}, untouched, ["eve"])["eve"]
    moved = [item for found in taken.values() for item in found]
    assert len(set(moved)) == len(moved) == 23  # 30 and 40 wait: about 23 for each of the three
    assert {giver: len(found) for giver, found in taken.items()} == {"ben": 16, "ann": 7}
    for giver, found in taken.items():
        assert set(found) <= untouched[giver]
        assert set(found) <= set(lists[giver][-25:])  # from the end


def test_a_higher_overlap_adds_raters_and_changes_no_list() -> None:
    numbered = [item.id for item in items(40)]
    before = assign(numbered, ["ann", "ben"], 1, seed=1)
    after = assign(numbered, ["ann", "ben", "eve"], 2, seed=1, before=before)
    for rater, own in before.items():
        assert after[rater][: len(own)] == own
    times = Counter(item for own in after.values() for item in own)
    assert set(times.values()) == {2}
    assert max(map(len, after.values())) - min(map(len, after.values())) <= 1


def test_answers_are_shuffled_by_rater_and_item_and_stay_so() -> None:
    def orders(rater: str, seed: int = 1) -> list[str]:
        placed = place(items(60), rater, 0, seed)
        return ["".join(slot.system for slot in each.item.slots) for each in placed]

    assert orders("ann") == orders("ann")
    assert orders("ann") != orders("ben")
    assert orders("ann") != orders("ann", seed=2)
    firsts = Counter(order[0] for order in orders("ann"))
    assert min(firsts.values()) > 10  # no system is always first


def test_repeats_come_late_and_look_like_any_item() -> None:
    placed = place(items(100), "ann", repeats=0.1, seed=1)
    assert len(placed) == 110
    repeated = [n for n, each in enumerate(placed) if each.round == REPEAT]
    assert len(repeated) == 10
    for n in repeated:
        first = next(m for m, each in enumerate(placed) if each.item.id == placed[n].item.id)
        assert n - first >= 50
    assert [each.item.id for each in placed if each.round != REPEAT] == [each.id for each in items(100)]


def test_a_single_item_is_never_repeated() -> None:
    assert len(place(items(1), "ann", repeats=0.5, seed=1)) == 1


def test_only_disagreements_are_decided_and_without_names() -> None:
    events = [
        event("ann", "item 1", "A"),
        event("ben", "item 1", "C"),
        event("ann", "item 2", "B"),
        event("ben", "item 2", "B"),
    ]
    (placed,) = place_disagreements(items(4), latest(events), "eve", seed=1)
    assert (placed.item.id, [slot.system for slot in placed.item.slots]) == ("item 1", ["x"])
    assert placed.given == (("A", "C"),)


def test_a_decision_counts_and_is_undone_apart_from_the_ratings(tmp_path: Path) -> None:
    store = RatingStore(tmp_path / "ratings.jsonl")
    for each in (event("ann", "item 1", "A"), event("ben", "item 1", "C")):
        store.append(each)
    placed = place_disagreements(items(4), store.states(), "ann", seed=1)
    decides = Desk("ann", placed, store, adjudicates=True)
    decides.rate(0, 0, "B", "", "1")
    assert decides.state()["status"] == "d"
    assert store.state(next(iter(latest(read_events(store.path)))))
    assert decides.undo("2") == (0, 0)
    assert decides.undo("3") is None


# --- the desk ---------------------------------------------------------------------------------------------


def test_no_name_leaves_the_desk(tmp_path: Path) -> None:
    files = system_files(write_systems(tmp_path, 5))
    found, _ = items_of_predictions(files, None)
    mine = Desk("ann", place(found, "ann", 0, 1), RatingStore(tmp_path / "r.jsonl"), adjudicates=False)
    mine.rate(0, 0, "A", "", "1")
    shown = json.dumps([mine.state(), *(mine.view(n) for n in range(5))])
    for name in ("secretname", "hiddenname", "task-", "ann"):
        assert name not in shown


def test_what_does_not_exist_is_refused(tmp_path: Path) -> None:
    mine = desk(tmp_path / "r.jsonl")
    for call in (lambda: mine.view(4), lambda: mine.view(-1), lambda: mine.skip(9, "")):
        with pytest.raises(WrongRequest):
            call()
    for position, slot, rating in ((0, 3, "A"), (0, -1, "A"), (0, 0, "E"), (0, 0, "yes")):
        with pytest.raises(WrongRequest):
            mine.rate(position, slot, rating, "", "")
    assert read_events(tmp_path / "r.jsonl") == []


def test_the_pace_leaves_breaks_out(tmp_path: Path) -> None:
    store = RatingStore(tmp_path / "r.jsonl")
    for minute, second in ((0, 0), (0, 10), (0, 20), (0, 30), (45, 0), (45, 10)):
        store.append(
            Event("ann", f"item {second}", "x", "A", "", f"2026-01-01T10:{minute:02}:{second:02}+00:00")
        )
    mine = Desk("ann", place(items(4), "ann", 0, 1), store, adjudicates=False)
    assert mine.state()["pace_seconds"] == 30  # 10 s an answer, 3 answers an item


# --- what is rated ----------------------------------------------------------------------------------------


def test_tasks_that_not_every_system_answered_are_left_out(tmp_path: Path) -> None:
    paths = write_systems(tmp_path, 5)
    lines = jsonl.read(Path(paths[1]))
    jsonl.replace(Path(paths[1]), reversed(lines[1:]))
    found, left_out = items_of_predictions(system_files(paths), None)
    assert ([item.id for item in found], left_out) == (["task-1", "task-2", "task-3", "task-4"], 1)
    assert [slot.text for slot in found[0].slots] == ["Answer 1 of one.", "Answer 1 of two."]
    assert found[0].reference == "Reference 1"
    assert items_of_predictions(system_files(paths), None, show_reference=False)[0][0].reference is None


@pytest.mark.skipif(not RELEASED.exists(), reason="the released prediction files are not on this machine")
def test_a_released_prediction_file_can_be_rated(tmp_path: Path) -> None:
    copy = tmp_path / "other.jsonl"
    copy.write_bytes(RELEASED.read_bytes())
    found, left_out = items_of_predictions(system_files([str(RELEASED), str(copy)]), None)
    assert len(found) == len({item.id for item in found}) == len(jsonl.read(RELEASED))
    assert left_out == 0


def test_predictions_on_a_benchmark_show_definition_and_input(tmp_path: Path) -> None:
    line = {"prediction": "yes", "Task": "t", "id": "i1", "prompt": "Say yes.\n\nInput: Now.\nOutput:"}
    line |= {"Instance": {"id": "i1", "input": "Now.", "output": ["yes", "Yes"]}}
    for name in ("one", "two"):
        jsonl.replace(tmp_path / f"{name}.jsonl", [line])
    files = system_files([str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl")])
    (item,), _ = items_of_predictions(files, None)
    assert (item.instruction, item.input, item.reference) == ("Say yes.", "Now.", "yes")


def test_the_review_draws_one_instance_an_instruction(tmp_path: Path) -> None:
    path = tmp_path / "generated.jsonl"
    lines = [{"instruction": f"Do {n // 3}.", "input": str(n), "output": "x"} for n in range(90)]
    jsonl.replace(path, lines)
    found = items_of_generated(path, 20, seed=1)
    assert len({item.instruction for item in found}) == 20
    assert found == items_of_generated(path, 20, seed=1) != items_of_generated(path, 20, seed=2)
    assert [slot.question for slot in found[0].slots] == [
        "valid_task",
        "appropriate_input",
        "acceptable_output",
    ]
    assert {slot.system for slot in found[0].slots} == {GENERATED}


def test_without_arguments_the_demo_is_rated_else_the_paper_s_else_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "_DEMO", tmp_path / "demo")
    monkeypatch.setattr(study, "_RELEASED", tmp_path / "released")
    with pytest.raises(UserError, match=r"give 'predictions=.*make demo"):
        _ = config(tmp_path, predictions=None).systems
    released = ["davinci-self-instruct_predictions", "text-davinci-001_predictions"]
    for name in released:
        jsonl.replace(tmp_path / f"released/{name}.jsonl", [{}])
    assert [Path(name).stem for name in config(tmp_path, predictions=None).systems] == released
    jsonl.replace(tmp_path / "demo/seed1/vanilla/predictions.jsonl", [{}])  # seed 1 is not finished
    for name in ("vanilla", "self_instruct"):
        jsonl.replace(tmp_path / f"demo/seed3/{name}/predictions.jsonl", [{}])
    expected = [str(tmp_path / f"demo/seed3/{name}") for name in ("vanilla", "self_instruct")]
    assert config(tmp_path, predictions=None).systems == expected


# --- wrong use --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"raters": []}, "raters: the list is empty"),
        ({"raters": ["ann", "ann"]}, "raters: a name is there twice"),
        ({"raters": ["ann/../x"]}, "raters: 'ann/../x' cannot be a rater's name"),
        ({"raters": ["ann", "ben"], "overlap": 3}, "overlap: 3 must be from 1 to the number of raters (2)"),
        ({"repeats": 0.9}, "repeats: 0.9"),
        ({"port": 99999}, "port: 99999"),
        ({"num_items": 0}, "num_items: 0"),
        ({"predictions": []}, "predictions: the list is empty"),
        ({"predictions": ["a/one.jsonl", "a/one.jsonl"]}, "two systems are called 'one'"),
        ({"predictions": "missing.jsonl"}, "missing.jsonl: cannot be read"),
        ({"predictions": "x.jsonl", "generated": Path("y")}, "predictions and generated are both given"),
        ({"adjudicate": "eve"}, "there is nothing to decide"),
        ({"host": "203.0.113.7"}, "port: 203.0.113.7 port"),
    ],
)
def test_wrong_use_is_refused_before_the_run_folder_is_made(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as refused:
        annotate(config(tmp_path, **changes))
    assert message in str(refused.value)
    assert not (tmp_path / "run").exists()
