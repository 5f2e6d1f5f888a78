"""What of an evaluation stands in training data: counted, listed, and left out of a second score."""

from pathlib import Path
from typing import Any

import pyarrow
import pytest
from benchmark_folders import instance, task, write_benchmark
from pyarrow import parquet
from test_eval_superni_command import predictions_file, settings
from test_user_oriented import config as user_config
from test_user_oriented import line as user_line

from eval.contamination import find_overlaps
from eval.superni_run import evaluate_superni
from eval.superni_tasks import Sample
from eval.training_texts import read_training_data
from eval.user_oriented_run import evaluate_user_oriented
from selfinstruct import jsonl
from selfinstruct.errors import UserError

ROW = {"instruction": "Name a river.", "input": "", "output": "Rhine"}
LONG = "the old ferry crosses the wide river twice a day except on stormy winter mornings in port"
DEFINITION = f"Read what follows. {LONG.capitalize()}. Answer with one word."


def sample(name: str, definition: str, given: str) -> Sample:
    return Sample(f"{name}-0", name, "c", "default", definition, given, ("yes",))


def overlaps(tmp_path: Path, rows: list[dict[str, Any]], *samples: Sample) -> Any:
    jsonl.replace(tmp_path / "train.jsonl", rows)
    return find_overlaps(samples, read_training_data(tmp_path / "train.jsonl"))


def test_thirteen_words_in_a_row_overlap_and_twelve_do_not(tmp_path: Path) -> None:
    words = LONG.split()
    for length, expected in ((13, True), (12, False)):
        part = " ".join(words[:length]).upper()
        row = {"prompt": f"Tell me more of this: {part}; please do", "completion": "No."}
        one = sample("t", "Say yes.", f"{LONG} and so on, which goes on for many more words than those")
        found = overlaps(tmp_path, [ROW, row], one)
        assert found.touches(one) is expected
        assert bool(found.inputs["t-0"].shared[8]) is True
        assert found.inputs["t-0"].where["shared_8"].endswith("train.jsonl:2")


def test_the_share_counts_the_runs_of_the_text(tmp_path: Path) -> None:
    words = [f"w{number}" for number in range(20)]  # 13 runs of 8, of which 3 stand in the training data
    row = ROW | {"output": " ".join(words[:10])}
    found = overlaps(tmp_path, [row], sample("t", "Say yes.", " ".join(words)))
    assert found.inputs["t-0"].shared == {13: 0.0, 8: round(3 / 13, 4)}
    assert found.definitions["t"].shared == {13: None, 8: None}


def test_runs_do_not_go_over_the_end_of_a_text(tmp_path: Path) -> None:
    words = LONG.split()
    rows = [ROW | {"output": " ".join(words[:7])}, ROW | {"output": " ".join(words[7:14])}]
    assert overlaps(tmp_path, rows, sample("t", "Say yes.", " ".join(words[:14]))).inputs["t-0"].shared == {
        13: 0.0,
        8: 0.0,
    }


def test_a_definition_overlaps_by_rouge_and_takes_all_its_instances(tmp_path: Path) -> None:
    near = ROW | {"instruction": "Name a large river."}
    one, other = sample("t", "Name a river, large.", "a"), sample("u", "Count the letters.", "a")
    found = overlaps(tmp_path, [near], one, other)
    assert found.definitions["t"].rouge == 0.75
    assert found.touches(one)
    assert not found.touches(other)


def test_short_inputs_are_not_compared_by_rouge(tmp_path: Path) -> None:
    rows = [ROW | {"input": "a red apple"}, ROW | {"input": "one two three four five six seven eight"}]
    one = sample("t", "Say yes.", "a red apple")
    other = sample("u", "Say no.", "one two three four five six seven nine ten")
    found = overlaps(tmp_path, rows, one, other)
    assert found.inputs["t-0"].rouge is None
    assert found.inputs["u-0"].rouge == round(2 * 7 / 17, 4)
    assert found.as_json([one, other])["inputs"]["too_short"] == 1


def test_other_scripts_are_compared_too(tmp_path: Path) -> None:
    row = ROW | {"output": "猫は魚を食べるのが好きだと言われている"}
    found = overlaps(tmp_path, [row], sample("t", "Say yes.", "猫は魚を食べるのが好きだと言われている。"))
    assert found.inputs["t-0"].shared[13] == 1.0


@pytest.mark.parametrize(
    "rows",
    [
        [{"prompt": f"{DEFINITION} Output:", "completion": " yes"}],
        [{"instruction": DEFINITION, "input": "x", "output": "yes"}],
        [{"messages": [{"role": "user", "content": DEFINITION}, {"role": "assistant", "content": "yes"}]}],
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_training_data_of_every_form_is_read(rows: list[dict[str, Any]], kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"train.{kind}"
    match kind:
        case "jsonl":
            jsonl.replace(path, rows)
        case "json":
            jsonl.replace_json(path, rows)
        case "parquet":
            parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    training = read_training_data(path)
    assert training.texts[0].where == f"{path}:1"
    one = sample("t", DEFINITION, "")
    found = find_overlaps([one], training)
    assert found.definitions["t"].shared[13] == 1.0
    assert found.inputs == {}


def test_run_folders_stand_for_their_training_data(tmp_path: Path) -> None:
    (tmp_path / "generated" / "finetuning_data").mkdir(parents=True)
    data = tmp_path / "generated" / "finetuning_data" / "train.jsonl"
    jsonl.replace(data, [ROW, ROW])
    manifest = {"command": "train", "config": {"data": [{"path": str(data)}]}}
    jsonl.replace_json(tmp_path / "tuned" / "manifest.json", manifest)
    for name in ("generated", "tuned"):
        assert len(read_training_data(tmp_path / name).texts) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.jsonl", "", "holds no example"),
        (
            "train.jsonl",
            '{"prompt": "a"}\n{"text": "b"}\n',
            r"train\.jsonl:2: no text to compare; a row needs",
        ),
        ("train.json", '{"prompt": "a"}', "a dict instead of a list"),
        ("train.json", "[1", "cannot be read as JSON"),
        ("train.parquet", "x", "cannot be read as Parquet"),
        ("folder/notes.txt", "x", "folder holds no finetuning_data"),
    ],
)
def test_other_training_data_is_refused(name: str, content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        read_training_data(path if "/" not in name else path.parent)


def test_the_score_without_what_overlaps_stands_beside_the_score(tmp_path: Path) -> None:
    write_benchmark(tmp_path / "benchmark", {"t1": task("t1", definition=DEFINITION), "t2": task("t2")})
    jsonl.replace(tmp_path / "train.jsonl", [ROW, ROW | {"instruction": DEFINITION}])
    texts = {instance("t1", 0)["id"]: "yes", instance("t1", 1)["id"]: "yes", instance("t2", 0)["id"]: "yes"}
    path = predictions_file(tmp_path / "p.jsonl", texts)
    training_data = str(tmp_path / "train.jsonl")
    metrics = evaluate_superni(settings(tmp_path, predictions=path, training_data=training_data))
    found = metrics["contamination"]
    assert metrics["overall"]["rougeL"]["value"] == 75.0
    assert found["without_overlap"]["p"]["rougeL"]["value"] == 50.0
    assert found["definitions"] == {
        "n": 2,
        "too_short": 1,
        "shared_13": 1,
        "shared_8": 1,
        "rouge": 1,
        "overlapping": 1,
    }
    assert found["instances"] == {"n": 4, "overlapping": 2}
    (listed,) = jsonl.read(tmp_path / "run" / "overlaps.jsonl")
    assert (listed["kind"], listed["name"], listed["overlaps"]) == ("definition", "t1", True)
    assert listed["where"]["rouge"].endswith("train.jsonl:2")
    text = (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
    assert "**Mini: overlap of the training data with the test tasks**" in text
    assert "**Mini: ROUGE-L without what overlaps with the training data**" in text


def test_where_everything_overlaps_no_score_is_left(tmp_path: Path) -> None:
    write_benchmark(tmp_path / "benchmark", {"t1": task("t1", definition=DEFINITION)})
    jsonl.replace(tmp_path / "train.jsonl", [{"prompt": DEFINITION, "completion": "yes"}])
    path = predictions_file(tmp_path / "p.jsonl", {instance("t1", 0)["id"]: "yes"})
    config = settings(tmp_path, predictions=path, training_data=str(tmp_path / "train.jsonl"))
    assert evaluate_superni(config)["contamination"]["without_overlap"] == {"p": None}


def test_the_user_oriented_set_is_compared_as_well(tmp_path: Path) -> None:
    jsonl.replace(tmp_path / "tasks.jsonl", [user_line("a"), user_line("b") | {"instruction": DEFINITION}])
    jsonl.replace(tmp_path / "train.jsonl", [ROW | {"instruction": DEFINITION}])
    lines = [{"id": "a", "response": "yes"}, {"id": "b", "response": "no"}]
    jsonl.replace(tmp_path / "mine.jsonl", lines)
    given = {"predictions": str(tmp_path / "mine.jsonl"), "training_data": tmp_path / "train.jsonl"}
    metrics = evaluate_user_oriented(user_config(tmp_path, **given))
    assert metrics["overall"]["rougeL"]["value"] == 50.0
    assert metrics["contamination"]["without_overlap"]["mine"]["rougeL"]["value"] == 100.0
    assert [each["name"] for each in jsonl.read(tmp_path / "run" / "overlaps.jsonl")] == ["b"]
    assert "User-oriented tasks: overlap" in (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
