"""Behaviour of stage 1 on recorded answers: what is accepted, committed, restored, and when it gives up."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfinstruct import instructions as instructions_module
from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.filters import FilterRules
from selfinstruct.instructions import InstructionsConfig, InstructionStage, sample_shown
from selfinstruct.llm.replay import ReplayLLM
from selfinstruct.parsing import ParsingRules
from selfinstruct.pipeline import RELEASED_FILES
from selfinstruct.prompts import Prompts
from selfinstruct.queries import Query
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.tasks import Instance, SeedTask

FILTERS = FilterRules(4, 150, ("file", "draw"), ("Write a program",), True, True)
QUERY = Query(0.7, 0.5, 2.0, 0.0, 64, ["\n\n"])
SEEDS = [
    SeedTask(f"s{i}", "", text, (Instance("", "x"),), i % 2 == 0)
    for i, text in enumerate(["Name a tree that grows in Norway.", "Say whether the number seven is even."])
]
ANSWERS = [
    " Tell me why bread rises in the oven.\n10. Do it.\n11. List four rivers that cross Germany.",
    " Tell me why the bread rises in the oven.\n10. Draw a conclusion from the two statements.",
    " Explain how a lock keeps water back.",
    " Give advice to somebody who cannot sleep.",
    " Sort these animals by their weight.\n10. Write a polite reply to this complaint.",
]
PROMPTS = Prompts.from_dict(
    {
        "instructions": {"heading": "Tasks:", "classification_heading": "Labels:", "chat_suffix": "Go on."},
        "classification": {
            "heading": "Decide.",
            "question": "Is it classification?",
            "chat_suffix": "Answer.",
            "demonstrations": [{"instruction": "Say yes or no.", "is_classification": True}],
        },
        "input_first": {
            "heading": "Write.",
            "chat_suffix": "Go on.",
            "demonstrations": [{"instruction": "Add.", "examples": [{"input": "1", "output": "2"}]}],
        },
        "output_first": {
            "heading": "Write.",
            "chat_suffix": "Go on.",
            "demonstrations": [{"instruction": "Judge.", "examples": [{"label": "a", "input": "b"}]}],
        },
    }
)


def record_answers(folder: Path, answers: list[str]) -> Path:
    lines = [
        {"stage": "instructions", "index": i, "key": str(i), "prompt": "", "text": text}
        | {"finish_reason": "stop", "prompt_tokens": 1, "completion_tokens": 1, "time": 0}
        for i, text in enumerate(answers)
    ]
    jsonl.replace(folder / "response_log.jsonl", lines)
    return folder / "response_log.jsonl"


def stage(opened: RunFolder, answers: Path, **changes: object) -> InstructionStage:
    config = {"shown": 4, "shown_machine": 2, "classification_only": False, "lookahead": 1, "stall_rounds": 1}
    round_size = changes.pop("round_size", None)
    return InstructionStage(
        run=opened,
        llm=ReplayLLM(answers),
        seeds=SEEDS,
        prompts=PROMPTS,
        filters=FILTERS,
        rules=ParsingRules.fixed(),
        query=QUERY,
        config=InstructionsConfig(**(config | changes)),  # type: ignore[arg-type]
        threshold=0.7,
        tokenizer="unicode",
        reject_exact_duplicates=True,
        released_ties=False,
        seed=1,
        round_size=round_size,  # type: ignore[arg-type]
    )


def run(tmp_path: Path, target: int, answers: list[str] = ANSWERS, **changes: object) -> Path:
    folder = tmp_path / "run"
    tmp_path.mkdir(exist_ok=True)
    recorded = record_answers(tmp_path, answers)
    with open_run(folder, "generate", {}, adopts=RELEASED_FILES) as opened:
        stage(opened, recorded, **changes).run_until(target, {"seed": 1})
    return folder


def instructions(folder: Path) -> list[str]:
    return [line["instruction"] for line in jsonl.read(folder / "machine_generated_instructions.jsonl")]


def test_accepted_instructions_are_written_in_order_with_their_neighbours(tmp_path: Path) -> None:
    lines = jsonl.read(run(tmp_path, 2) / "machine_generated_instructions.jsonl")
    assert [line["instruction"] for line in lines] == [
        "Tell me why bread rises in the oven.",
        "List four rivers that cross Germany.",
    ]
    assert lines[0]["most_similar"].keys() == {seed.instruction for seed in SEEDS}
    assert lines[1]["most_similar"].keys() >= {"Tell me why bread rises in the oven."}
    assert lines[0]["metadata"]["response"]["choices"][0]["finish_reason"] == "stop"
    assert lines[0]["metadata"]["prompt"].startswith("Tasks:\n1. ")


def test_a_prompt_that_a_server_found_too_long_is_kept_as_it_was_answered(tmp_path: Path) -> None:
    path = record_answers(tmp_path, ANSWERS)
    lines = jsonl.read(path)
    jsonl.replace(path, [lines[0] | {"dropped_demonstrations": 1}, *lines[1:]])
    with open_run(tmp_path / "run", "generate", {}) as opened:
        stage(opened, path).run_until(2, {"seed": 1})
    mark = jsonl.read(tmp_path / "run" / "requests.jsonl")[0]
    (first, *_) = jsonl.read(tmp_path / "run" / "machine_generated_instructions.jsonl")
    assert mark["shown"] == 1
    assert first["metadata"]["prompt"].count("\n") == 2  # the heading, one task, and the number to go on with
    assert first["metadata"]["prompt"].endswith("\n2.")


def test_every_rejected_text_is_kept_with_its_reason(tmp_path: Path) -> None:
    lines = jsonl.read(run(tmp_path, 3) / "rejected.jsonl")
    assert [(line["text"], line["reason"].split(":")[0]) for line in lines] == [
        ("Do it.", "fewer_than_4_words"),
        ("Tell me why the bread rises in the oven.", "too_similar"),
        ("Draw a conclusion from the two statements.", "mentions_media_or_files"),
    ]
    assert lines[1]["nearest"] == "Tell me why bread rises in the oven."
    assert 0.7 < lines[1]["score"] < 1


def test_a_request_sees_two_of_its_own_as_soon_as_there_are_two(tmp_path: Path) -> None:
    lines = jsonl.read(run(tmp_path, 5) / "machine_generated_instructions.jsonl")
    first, third = lines[0]["metadata"]["prompt"], lines[2]["metadata"]["prompt"]
    assert "bread" not in first
    assert "bread rises" in third
    assert "four rivers" in third


def test_in_rounds_a_request_sees_only_what_earlier_rounds_wrote(tmp_path: Path) -> None:
    lines = jsonl.read(run(tmp_path, 5, round_size=5) / "machine_generated_instructions.jsonl")
    assert all("bread" not in line["metadata"]["prompt"] for line in lines)


def test_a_lookahead_hides_the_answers_still_in_flight(tmp_path: Path) -> None:
    lines = jsonl.read(run(tmp_path, 5, lookahead=3) / "machine_generated_instructions.jsonl")
    prompt_of = {line["request_idx"]: line["metadata"]["prompt"] for line in lines}
    assert "bread rises" not in prompt_of[2]
    assert "bread rises" in prompt_of[3]


def stages_files(folder: Path) -> dict[str, bytes]:
    names = ("machine_generated_instructions.jsonl", "rejected.jsonl", "requests.jsonl")
    return {name: (folder / name).read_bytes() for name in names}


def torn(folder: Path) -> Iterator[None]:
    """Files as a kill leaves them: an answer written in part, and not counted in requests.jsonl."""
    for name in ("machine_generated_instructions.jsonl", "rejected.jsonl"):
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if json.loads(line)["request_idx"] < 2]
        half = next((line for line in lines if json.loads(line)["request_idx"] >= 2), b"")
        (folder / name).write_bytes(b"".join(kept) + half + half[:7])
    marks = (folder / "requests.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "requests.jsonl").write_bytes(b"".join(marks[:2]) + marks[2][:5])
    yield


@pytest.mark.parametrize("lookahead", [1, 32])
def test_a_restart_after_a_kill_gives_the_same_bytes(tmp_path: Path, lookahead: int) -> None:
    whole = run(tmp_path / "a", 6, lookahead=lookahead)
    expected = stages_files(whole)
    next(torn(whole))
    assert stages_files(whole) != expected
    assert stages_files(run(tmp_path / "a", 6, lookahead=lookahead)) == expected


def together_and_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: int, answers: list[str]
) -> list[tuple[str, dict[str, bytes]]]:
    """What stopped the run (nothing: ""), and its files, with answers judged five at a time and singly."""
    outcomes = []
    for per_group in (2, 1000):
        monkeypatch.setattr(instructions_module, "_LOOKAHEAD_PER_GROUP", per_group)
        folder, reason = tmp_path / str(per_group), ""
        try:
            run(folder, target, answers, lookahead=10)
        except StoppedEarly as error:
            reason = str(error).replace(str(folder), "")
        outcomes.append((reason, stages_files(folder / "run")))
    return outcomes


@pytest.mark.parametrize("target", range(1, 7))
def test_answers_judged_together_are_judged_as_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: int
) -> None:
    together, one_by_one = together_and_one_by_one(tmp_path, monkeypatch, target, ANSWERS * 2)
    assert together == one_by_one
    assert together[0] == ""
    # Not an answer more than the target needs, wherever in a group that is.
    counts = [line["accepted"] for line in jsonl.read(tmp_path / "2" / "run" / "requests.jsonl")]
    assert sum(counts[:-1]) < target <= sum(counts)


def test_what_was_answered_before_a_model_stops_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, one_by_one = together_and_one_by_one(tmp_path, monkeypatch, 50, (ANSWERS * 2)[:7])
    assert together == one_by_one
    assert "all 7 recorded answers" in together[0]
    assert len(jsonl.read(tmp_path / "2" / "run" / "requests.jsonl")) == 7


def test_a_stall_in_the_middle_of_a_group_stops_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [*ANSWERS[:2], *[" Do it."] * 8, *ANSWERS[2:]]
    together, one_by_one = together_and_one_by_one(tmp_path, monkeypatch, 50, answers)
    assert together == one_by_one
    assert "the last 5 requests added no instruction" in together[0]
    assert len(jsonl.read(tmp_path / "2" / "run" / "requests.jsonl")) == 6


def test_the_target_can_be_raised_later(tmp_path: Path) -> None:
    run(tmp_path / "a", 2)
    assert stages_files(run(tmp_path / "a", 6)) == stages_files(run(tmp_path / "b", 6))


def test_the_same_target_again_asks_nothing(tmp_path: Path) -> None:
    run(tmp_path, 2)
    assert len(instructions(run(tmp_path, 2, answers=[]))) == 2


def test_a_lower_target_than_what_is_there_is_refused(tmp_path: Path) -> None:
    run(tmp_path, 6)
    with pytest.raises(UserError, match="num_instructions: 1 is less than what was made"):
        run(tmp_path, 1)


def test_a_stalled_loop_stops_and_names_what_rejects_most(tmp_path: Path) -> None:
    with pytest.raises(StoppedEarly, match=r"last 5 requests added no.*: fewer_than_4_words \(10 of 10\)"):
        run(tmp_path, 9, [" Stop.\n10. Now.", *[" Do it.\n10. Do it."] * 4 + [" Draw a red circle now."]])


def test_after_a_stall_more_rounds_go_on(tmp_path: Path) -> None:
    answers = [" Do it."] * 6 + ANSWERS
    with pytest.raises(StoppedEarly):
        run(tmp_path, 2, answers)
    assert len(instructions(run(tmp_path, 2, answers, stall_rounds=2))) == 2


def test_a_folder_of_the_released_code_is_continued(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    lines = [{"instruction": "Tell me why bread rises in the oven.", "request_idx": 3}]
    jsonl.replace(tmp_path / "run" / "machine_generated_instructions.jsonl", lines)
    assert instructions(run(tmp_path, 2, ["", "", "", "", *ANSWERS[2:]])) == [
        "Tell me why bread rises in the oven.",
        "Explain how a lock keeps water back.",
    ]


def test_a_round_is_judged_whole_as_the_released_code_does(tmp_path: Path) -> None:
    folder = run(tmp_path, 1, ANSWERS, round_size=5)
    whole = instructions(folder)
    assert instructions(run(tmp_path / "five", 5, ANSWERS, round_size=5)) == whole
    assert len(whole) > 5  # of all five answers
    assert instructions(run(tmp_path, 2, ANSWERS, round_size=5)) == whole  # nothing is asked again


def test_a_recording_may_end_in_a_round_that_has_brought_enough(tmp_path: Path) -> None:
    folder = run(tmp_path, 2, ANSWERS[:3], round_size=5)
    assert json.loads((folder / "manifest.json").read_text())["steps"]["instructions"]["status"] == "complete"
    assert len(jsonl.read(folder / "requests.jsonl")) == 3
    with pytest.raises(StoppedEarly, match="used up"):
        run(tmp_path / "more", 5, ANSWERS[:3], round_size=5)


@pytest.mark.parametrize("committed", [1, 3])
def test_a_round_that_a_kill_cut_is_finished(tmp_path: Path, committed: int) -> None:
    whole = run(tmp_path, 1, ANSWERS, round_size=5)
    files = {path.name: path.read_bytes() for path in whole.glob("*.jsonl")}
    manifest = json.loads((whole / "manifest.json").read_text())
    manifest["steps"]["instructions"]["status"] = "running"
    (whole / "manifest.json").write_text(json.dumps(manifest))
    lines = (whole / "requests.jsonl").read_bytes().splitlines(keepends=True)
    (whole / "requests.jsonl").write_bytes(b"".join(lines[:committed]))
    run(tmp_path, 1, ANSWERS, round_size=5)
    assert {path.name: path.read_bytes() for path in whole.glob("*.jsonl")} == files


def test_a_refused_target_leaves_a_released_folder_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    lines = [{"instruction": f"Name city number {i}.", "request_idx": i} for i in range(3)]
    jsonl.replace(folder / "machine_generated_instructions.jsonl", lines)
    with pytest.raises(UserError, match="already holds 3"):
        run(tmp_path, 1)
    assert [path.name for path in folder.iterdir() if path.suffix == ".jsonl"] == [
        "machine_generated_instructions.jsonl"
    ]
    assert instructions(run(tmp_path, 3))[:3] == [line["instruction"] for line in lines]


def test_classification_only_shows_those_seeds_under_the_other_heading(tmp_path: Path) -> None:
    folder = run(tmp_path, 1, classification_only=True)
    prompt = jsonl.read(folder / "machine_generated_instructions.jsonl")[0]["metadata"]["prompt"]
    assert prompt == "Labels:\n1. Name a tree that grows in Norway.\n2."


def test_shown_tasks_are_folded_and_filled_up_with_seeds() -> None:
    import random

    shown = sample_shown(["a\n b", "c", "d"], ["m", "unseen"], 1, 3, 2, random.Random("x"))
    assert len(shown) == 3
    assert "m" in shown
    assert set(shown) < {"a b", "c", "d", "m"}
