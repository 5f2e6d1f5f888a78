"""What came out of a run: counts, leaks, figures, exports and the card, from small run folders on disk."""

import hashlib
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset

from selfinstruct import jsonl
from selfinstruct.acceptance import acceptance_curve
from selfinstruct.errors import UserError
from selfinstruct.exports import EXPORTS, ExportsConfig, write_exports
from selfinstruct.figures import delete_figures, draw_figures
from selfinstruct.leaks import EvaluationTasks, read_evaluation_tasks
from selfinstruct.llm.budget import Price
from selfinstruct.parsing import ParsingRules
from selfinstruct.statistics import (
    StatisticsConfig,
    Yardsticks,
    label_balance,
    write_statistics,
)
from selfinstruct.verb_objects import open_reader

ROOT = Path(__file__).parents[1]
INSTRUCTIONS = ["Write a poem about rivers.", "Say whether the number is even.", "Write a poem about hills."]
INSTANCES = [
    {"instruction": INSTRUCTIONS[0], "input": "", "output": "Deep and slow."},
    {"instruction": INSTRUCTIONS[1], "input": "four", "output": "Yes."},
    {"instruction": INSTRUCTIONS[1], "input": "the number five", "output": "no"},
]


def run_folder(folder: Path) -> Path:
    """A run folder with every stage done: three instructions accepted, two rejected, three instances."""
    jsonl.replace(
        folder / "machine_generated_instructions.jsonl",
        ({"instruction": text, "request_idx": 0} for text in INSTRUCTIONS),
    )
    jsonl.replace(
        folder / "is_clf_or_not.jsonl",
        ({"instruction": t, "is_classification": " Yes" if "even" in t else " No"} for t in INSTRUCTIONS),
    )
    jsonl.replace(
        folder / "machine_generated_instances.jsonl",
        ({"instruction": text, "raw_instances": "-"} for text in INSTRUCTIONS),
    )
    rejected = [
        {"stage": "instructions", "reason": reason, "text": "-", "request_idx": 0} for reason in REASONS
    ]
    jsonl.replace(folder / "rejected.jsonl", rejected)
    jsonl.replace(folder / "requests.jsonl", [{"request_idx": 0, "candidates": 5, "accepted": 3}])
    jsonl.replace(folder / "finetuning_data" / "all_generated_instances.jsonl", INSTANCES)
    jsonl.replace(
        folder / "finetuning_data" / "train.jsonl", [{**each, "source": "generated"} for each in INSTANCES]
    )
    answer = {"key": "a", "stage": "instructions", "index": 0}
    answer |= {"prompt_tokens": 100, "completion_tokens": 20}
    jsonl.replace(
        folder / "response_log.jsonl", [answer, answer, answer | {"key": "b", "stage": "instances"}]
    )
    return folder


REASONS = ["too_similar", "keyword"]


def yardsticks(*evaluation: EvaluationTasks, price: Price | None = None) -> Yardsticks:
    seeds = ["Write a song about rivers.", "Count the trees."]
    return Yardsticks(ParsingRules.fixed(), seeds, "unicode", evaluation, open_reader("rules"), price)


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, Any]:
    tasks = EvaluationTasks("mine", ("Write a poem about hills.", "Bake bread."), 2, 3)
    return write_statistics(run_folder(tmp_path), yardsticks(tasks, price=Price(input=1000, output=10000)))


def test_table_1_stands_beside_the_papers(whole: dict[str, Any], tmp_path: Path) -> None:
    assert json.loads((tmp_path / "statistics.json").read_text()) == whole
    instructions, instances = whole["instructions"], whole["instances"]
    assert (instructions["count"], instructions["classification"], instructions["other"]) == (3, 1, 2)
    assert (instances["count"], instances["empty_input"], instances["instructions_with_instances"]) == (
        3,
        1,
        2,
    )
    assert (instances["mean_words_input"], instances["mean_words_output"]) == (2.0, 1.7)
    assert whole["paper"]["instances"]["count"] == 82439


def test_lengths_are_binned_and_none_is_lost(whole: dict[str, Any]) -> None:
    words = whole["instances"]["words_input"]
    assert (words["n"], words["median"], words["longest"], words["bin_width"]) == (2, 2.0, 3, 1)
    assert sum(words["counts"]) + words["longer"] == 2


def test_the_funnel_says_what_each_filter_left(whole: dict[str, Any]) -> None:
    assert whole["funnel"] == {
        "candidates": 5,
        "passed_filters": 4,
        "novel": 3,
        "asked_for_instances": 3,
        "with_instances": 2,
    }
    assert whole["requests"]["acceptance"][0]["rejected"] == {"keyword": 1, "too_similar": 1}


def test_the_nearest_seed_is_binned_by_its_rouge_l(whole: dict[str, Any]) -> None:
    # 4 of 5 words (0.8), 1 of 6 against 3 (2/9), 3 of 5 (0.6).
    counts = whole["nearest_seed"]["counts"]
    assert {place: count for place, count in enumerate(counts) if count} == {4: 1, 12: 1, 16: 1}
    assert whole["nearest_seed"]["mean"] == pytest.approx((0.8 + 2 / 9 + 0.6) / 3, abs=1e-4)


def test_leaks_are_counted_and_written_with_their_nearest_task(whole: dict[str, Any], tmp_path: Path) -> None:
    (leaks,) = whole["leaks"]
    assert (leaks["evaluation"], leaks["tasks"], leaks["tasks_of"], leaks["leaks"]) == ("mine", 2, 3, 2)
    assert leaks["highest"] == 1.0
    found = jsonl.read(tmp_path / "leaks.jsonl")
    assert [line["instruction"] for line in found] == [INSTRUCTIONS[0], INSTRUCTIONS[2]]
    assert {line["nearest"] for line in found} == {"Write a poem about hills."}


def test_a_rouge_l_of_exactly_0_7_is_a_leak(tmp_path: Path) -> None:
    # 7 common words of 10 and 10: rouge_score's float for it is 0.7 or next to it.
    folder = run_folder(tmp_path)
    words = "one two three four five six seven"
    jsonl.replace(folder / "machine_generated_instructions.jsonl", [{"instruction": f"{words} a b c"}])
    tasks = EvaluationTasks("mine", (f"{words} x y z",), 1, 1)
    assert write_statistics(folder, yardsticks(tasks))["leaks"][0]["leaks"] == 1


def test_tokens_are_counted_once_an_answer_and_priced(whole: dict[str, Any]) -> None:
    assert whole["usage"]["total"] == {"requests": 2, "prompt_tokens": 200, "completion_tokens": 40}
    assert whole["usage"]["by_stage"]["instances"]["requests"] == 1
    assert whole["usage"]["cost"] == pytest.approx(0.2 + 0.4)


def test_answers_that_came_when_no_more_were_needed_are_not_counted(tmp_path: Path) -> None:
    folder = run_folder(tmp_path)
    before = write_statistics(folder, yardsticks())["usage"]
    (*_, last) = jsonl.read(folder / "response_log.jsonl")
    num_committed = len(jsonl.read(folder / "requests.jsonl"))
    with jsonl.Appender(folder / "response_log.jsonl") as log:
        log.write(last | {"stage": "instructions", "index": num_committed, "key": "late"})
    assert write_statistics(folder, yardsticks())["usage"] == before


def test_a_folder_with_the_first_stage_only_has_its_counts_only(tmp_path: Path) -> None:
    jsonl.replace(tmp_path / "machine_generated_instructions.jsonl", [{"instruction": "Write a poem."}])
    jsonl.replace(tmp_path / "rejected.jsonl", [{"reason": "keyword", "text": "-"}])  # names no stage
    statistics = write_statistics(tmp_path, yardsticks())
    assert statistics["rejected"] == {"instructions": {"keyword": 1}}
    assert not {"instances", "label_balance", "requests", "usage"} & statistics.keys()
    assert draw_figures(tmp_path, statistics) == ["nearest_seed", "lengths", "verb_objects"]


def test_the_curve_has_steps_of_1000_and_shorter_ones_in_a_short_run() -> None:
    marks = [{"request_idx": i, "candidates": 10, "accepted": 5} for i in range(700)]
    rejected = [
        {"stage": "instructions", "reason": "r", "request_idx": i} for i in range(700) for _ in range(5)
    ]
    long, short = acceptance_curve(marks, rejected), acceptance_curve(marks[:13], rejected)
    assert [step["up_to_candidate"] for step in long] == [1000 * n for n in range(1, 8)]
    assert [step["up_to_candidate"] for step in short] == [20, 40, 60, 80, 100, 120, 130]
    assert all(
        step["accepted"] + sum(step["rejected"].values()) == step["candidates"] for step in long + short
    )


def test_requests_of_an_adopted_folder_are_no_part_of_the_curve() -> None:
    adopted = {"request_idx": 0, "candidates": None, "accepted": 4, "adopted": True}
    assert acceptance_curve([adopted], []) == []
    own = {"request_idx": 1, "candidates": 2, "accepted": 1}
    assert acceptance_curve([adopted, own], [])[0]["candidates"] == 2


def test_label_balance_folds_case_and_full_stop_and_finds_one_sided_tasks() -> None:
    outputs = {"a": ["Yes", "yes.", "no"], "b": ["Red", "red"], "c": ["other"]}
    records = [{"instruction": task, "output": output} for task, given in outputs.items() for output in given]
    balance = label_balance(records)
    assert (balance["tasks"], balance["distinct_labels"], balance["tasks_with_several_instances"]) == (
        3,
        4,
        2,
    )
    assert balance["one_label_only"] == 1
    assert balance["tasks_by_labels"] == {"1": 1, "2": 1}
    assert balance["mean_largest_share"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-4)
    assert [entry["label"] for entry in balance["most_common"]] == ["red", "yes", "no", "other"]


# ---- evaluation tasks


def test_evaluation_tasks_of_a_folder_are_its_test_tasks(tmp_path: Path) -> None:
    for name, definition in (("a", ["Add the numbers."]), ("b", "Old draft."), ("c", ["Training."])):
        jsonl.replace_json(tmp_path / "tasks" / f"{name}.json", {"Definition": definition})
    jsonl.replace_text(tmp_path / "splits" / "default" / "test_tasks.txt", "a \nb\nnot_there\n")
    (found,) = read_evaluation_tasks([tmp_path])
    assert found == EvaluationTasks(tmp_path.name, ("Add the numbers.", "Old draft."), 2, 3)


def test_the_projects_own_evaluation_sets_are_read() -> None:
    data = ROOT / "eval" / "data"
    user, world = read_evaluation_tasks([data / "user_oriented.jsonl", data / "littleworld"])
    assert (user.tasks, world.tasks, world.tasks_of) == (252, 39, 39)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda path: path.write_text('{"instruction": "A"}\n{"text": "B"}\n'),
            r"eval:2: an evaluation task needs",
        ),
        (lambda path: path.mkdir(), "holds no test task"),
        (lambda path: jsonl.replace_text(path / "tasks" / "t.json", "[1]"), r"t\.json: no SuperNI task file"),
        (
            lambda path: jsonl.replace_json(path / "tasks" / "t.json", {"Definition": []}),
            "Definition must be text",
        ),
    ],
)
def test_what_is_no_evaluation_set_is_named(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    make(tmp_path / "eval")
    with pytest.raises(UserError, match=message):
        read_evaluation_tasks([tmp_path / "eval"])


def test_settings_are_checked_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"statistics\.evaluation_tasks: .*no_such: not there"):
        StatisticsConfig("auto", [tmp_path / "no_such"], figures=True)
    with pytest.raises(
        UserError, match=r"exports\.formats: \['csv'\]; choose from parquet, alpaca, messages"
    ):
        ExportsConfig(["csv"], None)
    with pytest.raises(UserError, match="Parquet file is what is pushed"):
        ExportsConfig(["alpaca"], "me/mine")


# ---- figures


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def test_every_figure_is_drawn_as_png_and_svg(whole: dict[str, Any], tmp_path: Path) -> None:
    names = draw_figures(tmp_path, whole)
    assert names == ["acceptance", "nearest_seed", "lengths", "verb_objects", "label_balance", "leaks"]
    for name in names:
        png = (tmp_path / "figures" / f"{name}.png").read_bytes()
        assert png.startswith(b"\x89PNG") and png.endswith(b"IEND\xaeB`\x82")
        width, height = struct.unpack(">II", png[16:24])
        assert width > 500 and height > 200
        assert (tmp_path / "figures" / f"{name}.svg").read_text().rstrip().endswith("</svg>")


def test_equal_counts_give_equal_bytes_in_another_process(whole: dict[str, Any], tmp_path: Path) -> None:
    draw_figures(tmp_path, whole)
    code = (
        "import json, sys; from pathlib import Path; from selfinstruct.figures import draw_figures\n"
        "folder = Path(sys.argv[1]); counts = json.loads((folder / 'statistics.json').read_text())\n"
        "draw_figures(folder / 'again', counts)"
    )
    (tmp_path / "home").mkdir()
    environment = os.environ | {"PYTHONHASHSEED": "5", "HOME": str(tmp_path / "home")}
    environment = {
        name: value for name, value in environment.items() if name not in ("MPLCONFIGDIR", "XDG_CACHE_HOME")
    }
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment, cwd=tmp_path)
    assert digests(tmp_path / "again" / "figures") == digests(tmp_path / "figures")
    assert list((tmp_path / "home").iterdir()) == []  # matplotlib's list of fonts


def test_figures_are_made_anew_and_those_without_counts_go(whole: dict[str, Any], tmp_path: Path) -> None:
    draw_figures(tmp_path, whole)
    before = digests(tmp_path / "figures")
    (tmp_path / "figures" / "lengths.png").write_bytes(b"half")
    draw_figures(tmp_path, whole)
    assert digests(tmp_path / "figures") == before
    draw_figures(tmp_path, {key: value for key, value in whole.items() if key != "leaks"})
    assert not (tmp_path / "figures" / "leaks.svg").exists()
    delete_figures(tmp_path)
    assert list((tmp_path / "figures").iterdir()) == []


def test_labels_that_look_like_formulas_or_hold_anything_are_drawn(
    whole: dict[str, Any], tmp_path: Path
) -> None:
    labels = ["$5$ or $x^{$", "", "a\x00b\tc", "y" * 300, "\u202e", "<&>"]
    whole["label_balance"]["most_common"] = [{"label": label, "count": 1} for label in labels]
    assert "label_balance" in draw_figures(tmp_path, whole)


# ---- exports


def test_each_export_is_loaded_by_datasets(tmp_path: Path) -> None:
    write_exports(tmp_path, INSTANCES, {INSTRUCTIONS[1]: True, INSTRUCTIONS[0]: False}, list(EXPORTS))
    readers = {"parquet": "parquet", "alpaca": "json", "messages": "json"}
    loaded = {
        name: load_dataset(reader, data_files=str(tmp_path / EXPORTS[name]), cache_dir=tmp_path / "cache")[
            "train"
        ]
        for name, reader in readers.items()
    }
    assert loaded["alpaca"].to_list() == INSTANCES
    flags = [False, True, True]
    expected = [record | {"is_classification": flag} for record, flag in zip(INSTANCES, flags, strict=True)]
    assert loaded["parquet"].to_list() == expected
    assert loaded["messages"][1]["messages"] == [
        {"role": "user", "content": "Say whether the number is even.\n\nfour"},
        {"role": "assistant", "content": "Yes."},
    ]


def test_exports_are_the_same_bytes_each_time_and_unwanted_ones_go(tmp_path: Path) -> None:
    write_exports(tmp_path, INSTANCES, {}, list(EXPORTS))
    before = digests(tmp_path / "exports")
    (tmp_path / EXPORTS["parquet"]).write_bytes(b"PAR1 half")
    write_exports(tmp_path, INSTANCES, {}, list(EXPORTS))
    assert digests(tmp_path / "exports") == before
    write_exports(tmp_path, INSTANCES, {}, ["alpaca"])
    assert [file.name for file in (tmp_path / "exports").iterdir()] == ["alpaca.json"]
