"""Several systems scored at once, official files, the xlingual track, and what is written for others."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmark_folders import instance, task, write_benchmark
from rouge_score.rouge_scorer import RougeScorer
from test_eval_superni_command import OFFICIAL, predictions_file, settings

from eval.comparison import ScoredSystem, comparisons, differences, worst_tasks
from eval.intervals import IntervalsConfig
from eval.predict import Prediction
from eval.score_chart import _papers_bars
from eval.scoring import score
from eval.summary import score_samples
from eval.superni_run import evaluate_superni
from eval.superni_tables import _size
from eval.superni_tasks import Sample
from eval.user_oriented import system_files
from eval.xlingual import load_byte_pairs
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.settings import REPOSITORY

REAL = REPOSITORY.parent / "shared" / "data" / "natural-instructions"
INTERVALS = IntervalsConfig(resamples=200, seed=0)


def sample(name: str, number: int, *references: str) -> Sample:
    return Sample(f"{name}-{number}", name, "Word Analogy", "default", "Do it.", "given", references)


SAMPLES = [sample("t1", 0, "a b"), sample("t1", 1, "a b"), sample("t2", 0, "c"), sample("t3", 0, "d")]


def system(*texts: str | None) -> ScoredSystem:
    pairs = zip(SAMPLES, texts, strict=True)
    predictions = {each.id: Prediction(text) for each, text in pairs if text is not None}
    return ScoredSystem(predictions, score_samples(SAMPLES, predictions))


def test_each_system_is_compared_with_the_first_task_by_task() -> None:
    systems = {"one": system("a b\n\nmore", "a b", "x", "d"), "two": system("a", "x", "c", None)}
    found = comparisons(SAMPLES, systems, INTERVALS)
    values = {(each["variant"], each["metric"]): each["value"] for each in found}
    assert values["raw", "exact_match"] == -25.0
    assert values["first_paragraph", "exact_match"] == -50.0
    assert values["raw", "rougeL"] == round((66.6667 - 80 - 100 + 100 - 100) / 4, 4)
    exact = next(each for each in found if (each["metric"], each["variant"]) == ("exact_match", "raw"))
    assert (exact["first"], exact["second"], exact["n"]) == ("one", "two", 4)
    assert exact["low"] <= -25.0 <= exact["high"]
    assert (exact["tasks_won"], exact["tasks_lost"], exact["tasks_tied"]) == (1, 2, 0)
    assert values.keys() == {
        (variant, metric)
        for variant in ("raw", "first_paragraph")
        for metric in ("rougeL", "rouge1", "exact_match")
    }


def test_the_worst_losses_come_first_each_with_the_instance_that_fell_most() -> None:
    one, two = system("a b", "a b", "x", "d"), system("a", "x", "c", None)
    found = worst_tasks(SAMPLES, one, two)
    assert [(each["task"], each["difference"]) for each in found] == [("t3", -100.0), ("t1", -66.6667)]
    assert found[1]["example"] == {
        "id": "t1-1",
        "task": "t1",
        "difference": -100.0,
        "input": "given",
        "references": ["a b"],
        "first": "a b",
        "second": "x",
    }
    assert found[0]["example"]["second"] is None
    assert [each["task"] for each in worst_tasks(SAMPLES, one, two, most=1)] == ["t3"]
    listed = [each["id"] for each in differences(SAMPLES, {"one": one, "two": two})]
    assert listed == ["t1-1", "t3-0", "t1-0", "t2-0"]


def test_an_example_that_both_answered_is_shown_before_one_without_answer() -> None:
    one, two = system("a b", "a b", "x", "d"), system(None, "a", "c", "d")
    (found,) = worst_tasks(SAMPLES, one, two)
    assert (found["task"], found["example"]["id"], found["example"]["second"]) == ("t1", "t1-1", "a")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_benchmark(tmp_path / "benchmark", {"t1": task("t1"), "t2": task("t2", category="Data to Text")})
    return tmp_path


def two_files(folder: Path) -> list[str]:
    ids = [instance(name, number)["id"] for name in ("t1", "t2") for number in range(2)]
    right = predictions_file(folder / "right.jsonl", dict.fromkeys(ids, "yes"))
    wrong = predictions_file(folder / "wrong.jsonl", dict.fromkeys(ids[:3], "no") | {ids[3]: "yes"})
    return [right, wrong]


def test_two_files_give_scores_of_both_their_difference_and_the_list_of_what_differs(folder: Path) -> None:
    metrics = evaluate_superni(settings(folder, predictions=two_files(folder)))
    values = {name: found["overall"]["rougeL"]["value"] for name, found in metrics["systems"].items()}
    assert values == {"right": 100.0, "wrong": 25.0}
    assert metrics["comparisons"][0]["value"] == -75.0
    assert [each["task"] for each in metrics["worst_tasks"]["wrong"]] == ["t1", "t2"]
    assert [line["id"][:2] for line in jsonl.read(folder / "run" / "differences.jsonl")] == ["t1", "t1", "t2"]
    text = (folder / "run" / "table.md").read_text(encoding="utf-8")
    assert "**Mini: differences on the same instances**" in text
    assert "**Mini: tasks that wrong lost to right by most**" in text
    rule = text.split("by most**")[1].split("\n| ---")[1].split("\n")[0]
    assert [each.endswith(":") for each in rule.split(" | ")[1:]] == [True] * 4 + [False] * 4
    latex = (folder / "run" / "table.tex").read_text(encoding="utf-8")
    assert r"\begin{tabular}{lrrrr" + r"p{0.14\linewidth}" * 4 + "}" in latex
    lines = jsonl.read(folder / "run" / "scores.jsonl")
    assert [line["system"] for line in lines] == ["right"] * 4 + ["wrong"] * 4


def test_run_folders_are_compared_and_name_how_they_were_asked(folder: Path) -> None:
    asked = {"max_tokens": 3, "prompt_style": "tk-def"}
    evaluate_superni(settings(folder, run_dir=str(folder / "asked"), **asked))
    given = [str(folder / "asked"), two_files(folder)[0]]
    metrics = evaluate_superni(settings(folder, predictions=given))
    assert list(metrics["systems"]) == ["asked", "right"]
    assert metrics["setting"]["asked"]["asked"]["prompt_style"] == "tk-def"
    assert "asked: zero-shot, prompt tk-def" in (folder / "run" / "table.md").read_text(encoding="utf-8")
    for run, given in (("alone", "asked"), ("again", "alone")):  # the setting goes with the predictions
        evaluate_superni(settings(folder, run_dir=str(folder / run), predictions=str(folder / given)))
        text = (folder / run / "table.md").read_text(encoding="utf-8")
        assert f"{given}: zero-shot, prompt tk-def, greedy, at most 3 tokens" in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "the list is empty"),
        (["a/p.jsonl", "a/p.jsonl"], "two systems are called 'p'"),
        (["run", "b/p.jsonl"], "lies in run_dir"),
    ],
)
def test_systems_that_cannot_be_told_apart_are_refused(given: list[str], message: str, folder: Path) -> None:
    (folder / "run").mkdir()
    with pytest.raises(UserError, match=message):
        settings(folder, predictions=[str(folder / path) for path in given])


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a/p.jsonl", "b/p.jsonl"], ["a", "b"]),
        (["d1/eval", "d2/eval", "other"], ["d1", "d2", "other"]),
        (["x/d/p.jsonl", "y/d/p.jsonl"], ["x", "y"]),
        (["x/y/p.jsonl", "y/x/p.jsonl"], ["y/p", "x/p"]),
        (["m.jsonl", "sub/../n.jsonl"], ["m", "n"]),
    ],
)
def test_systems_of_one_name_are_called_by_the_folder_that_tells_them_apart(
    given: list[str], names: list[str], tmp_path: Path
) -> None:
    assert list(system_files([str(tmp_path / path) for path in given])) == names


def test_a_folder_twice_run_has_equal_bytes_figures_included(folder: Path) -> None:
    files = two_files(folder)
    names = ["metrics.json", "table.md", "table.tex", "table.csv", "differences.jsonl", "references.jsonl"]
    names += ["figures/rougeL.svg", "figures/rougeL.png"]
    found = []
    for run in ("first", "second"):
        evaluate_superni(settings(folder, run_dir=str(folder / run), predictions=files))
        found.append({name: (folder / run / name).read_bytes() for name in names})
    assert found[0] == found[1]
    assert b"<svg" in found[0]["figures/rougeL.svg"]


def test_references_are_written_as_the_leaderboard_reads_them(folder: Path) -> None:
    evaluate_superni(settings(folder, predictions=two_files(folder)[0]))
    lines = jsonl.read(folder / "run" / "references.jsonl")
    assert len(lines) == 4
    assert lines[2] == {
        "id": instance("t2", 0)["id"],
        "references": ["yes"],
        "task_id": "t2",
        "task_category": "Data to Text",
        "track": "default",
    }


def tk_instruct_line(name: str, number: int, text: str, field: str) -> dict[str, Any]:
    given = instance(name, number)
    line = {"Task": name, "Definition": ["d"], "Categories": ["c"], "Instance": given, field: text}
    return line | ({"id": given["id"]} if field == "prediction" else {})


@pytest.mark.parametrize("field", ["prediction", "Prediction"])
def test_files_of_tk_instruct_score_as_plain_ones(field: str, folder: Path) -> None:
    lines = [tk_instruct_line(name, n, "yes" if n else "no", field) for name in ("t1", "t2") for n in (0, 1)]
    jsonl.replace(folder / "predicted_examples.jsonl", lines)
    metrics = evaluate_superni(settings(folder, predictions=str(folder / "predicted_examples.jsonl")))
    assert metrics["overall"]["exact_match"]["value"] == 50.0
    assert metrics["counts"]["missing"] == 0


def test_our_rows_stand_below_the_papers_and_a_part_is_said_to_be_one(tmp_path: Path) -> None:
    write_benchmark(tmp_path / "benchmark", {OFFICIAL: task(OFFICIAL)}, split=f"{OFFICIAL}\n")
    texts = {instance(OFFICIAL, number)["id"]: text for number, text in enumerate(("yes", "no"))}
    path = predictions_file(tmp_path / "mine.jsonl", texts)
    evaluate_superni(settings(tmp_path, predictions=path, superni_dir=str(tmp_path / "benchmark")))
    text = (tmp_path / "run" / "table.csv").read_text(encoding="utf-8")
    part = next(each for each in text.split("\n\n") if "beside the paper" in each)
    rows = {row["system"]: row for row in csv.DictReader(part.splitlines())}
    assert len(rows) == 10
    assert rows["GPT-3 self-instruct (paper)"]["ROUGE-L"] == "39.9000"
    assert rows["mine"]["ROUGE-L"] == "50.0000"
    assert rows["mine"]["table"].startswith("SuperNI (partial, 1 of 119 tasks)")
    assert "Ours is partial (1 of 119 tasks)" in rows["mine"]["notes"]
    assert rows["mine"]["instruction tuning"] == ""  # of a file nobody knows it
    assert "\\toprule" in (tmp_path / "run" / "table.tex").read_text(encoding="utf-8")


def test_the_size_of_a_model_that_was_run_stands_beside_those_of_the_papers(tmp_path: Path) -> None:
    write_benchmark(tmp_path / "benchmark", {OFFICIAL: task(OFFICIAL)}, split=f"{OFFICIAL}\n")
    asked = settings(tmp_path, superni_dir=str(tmp_path / "benchmark"), system="ours", max_tokens=4)
    assert evaluate_superni(asked)["setting"]["num_parameters"] == 1_370_688
    scored = {"run_dir": str(tmp_path / "again"), "predictions": str(tmp_path / "run")}
    evaluate_superni(settings(tmp_path, superni_dir=str(tmp_path / "benchmark"), **scored))
    for run_dir, name in ((tmp_path / "run", "ours"), (tmp_path / "again", "run")):
        lines = (run_dir / "table.md").read_text(encoding="utf-8").splitlines()
        assert sum(line.startswith(f"| {name} ") and "1.4M" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("count", "size"),
    [(175_000_000_000, "175B"), (6_738_415_616, "6.7B"), (11_307_321_344, "11B"), (774_030_080, "774M")],
)
def test_sizes_are_written_as_the_paper_does(count: int, size: str) -> None:
    assert _size(count) == size


def test_no_row_of_the_papers_stands_beside_a_system_without_some_predictions(tmp_path: Path) -> None:
    write_benchmark(tmp_path / "benchmark", {OFFICIAL: task(OFFICIAL)}, split=f"{OFFICIAL}\n")
    ids = [instance(OFFICIAL, number)["id"] for number in range(2)]
    files = [
        predictions_file(tmp_path / "whole.jsonl", dict.fromkeys(ids, "yes")),
        predictions_file(tmp_path / "one.jsonl", {ids[0]: "yes"}),
    ]
    config = settings(tmp_path, predictions=files, superni_dir=str(tmp_path / "benchmark"))
    metrics = evaluate_superni(config)
    label = "SuperNI (partial, 1 of 119 tasks, 1 of 2 instances predicted)"
    assert metrics["benchmark"]["label"] == label
    text = (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
    assert f"**{label}: systems**" in text
    assert "partial: 1 of 2 instances predicted by every system" in text
    for name in ("table.md", "table.tex", "table.csv"):
        assert "(paper)" not in (tmp_path / "run" / name).read_text(encoding="utf-8")
    assert _papers_bars(metrics["benchmark"]) == []
    assert len(_papers_bars(metrics["systems"]["whole"]["benchmark"])) == 9


def test_a_run_folder_is_scored_on_the_part_it_was_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = two_files(folder)[0]
    for name in ("one", "two"):
        part = {"tasks": ["t1"], "max_instances_per_task": 1}
        evaluate_superni(settings(folder, run_dir=str(folder / name), predictions=file, **part))
    capsys.readouterr()
    one, two = str(folder / "one"), str(folder / "two" / "predictions.jsonl")
    metrics = evaluate_superni(settings(folder, run_dir=str(folder / "again"), predictions=one))
    assert metrics["counts"]["missing"] == 0
    assert metrics["benchmark"]["label"] == "Mini (partial, 1 of 2 tasks, first 1 instance of each)"
    assert "the runs were asked: tasks=['t1'], max_instances_per_task=1" in capsys.readouterr().out
    both = evaluate_superni(settings(folder, run_dir=str(folder / "both"), predictions=[one, two]))
    assert both["benchmark"]["label"] == metrics["benchmark"]["label"]
    again = evaluate_superni(settings(folder, predictions=str(folder / "again"), tasks=["t*"]))
    assert again["benchmark"]["label"].startswith(
        "Mini (partial, 2 of 4 instances, 1 of 2 instances predicted"
    )


def test_run_folders_of_different_parts_are_refused_with_what_to_give(folder: Path) -> None:
    whole, part = str(folder / "whole"), str(folder / "part")
    file = two_files(folder)[0]
    evaluate_superni(settings(folder, run_dir=whole, predictions=file))
    evaluate_superni(settings(folder, run_dir=part, predictions=file, max_instances_per_task=1))
    message = r"different parts of the benchmark \(max_instances_per_task: whole 100, part 1\); give max_inst"
    with pytest.raises(UserError, match=message):
        evaluate_superni(settings(folder, predictions=[whole, part]))
    assert not (folder / "run").exists()


def test_ids_behind_the_first_instances_are_not_called_foreign(folder: Path) -> None:
    config = settings(folder, predictions=two_files(folder)[0], max_instances_per_task=1)
    counts = evaluate_superni(config)["counts"]
    assert (counts["not_in_benchmark"], counts["behind_the_first"], counts["missing"]) == (0, 2, 0)
    text = (folder / "run" / "table.md").read_text(encoding="utf-8")
    assert "and 2 of instances behind the first 1 of each task (left out)" in text


def test_ids_behind_the_official_first_100_are_not_called_foreign(tmp_path: Path) -> None:
    write_benchmark(tmp_path / "benchmark", {"t1": task("t1", instances=103)})
    texts = {instance("t1", number)["id"]: "yes" for number in range(103)} | {"t1-foreign": "no"}
    path = predictions_file(tmp_path / "mine.jsonl", texts)
    metrics = evaluate_superni(settings(tmp_path, predictions=path, superni_dir=str(tmp_path / "benchmark")))
    counts = metrics["counts"]
    assert (counts["instances"], counts["behind_the_first"], counts["not_in_benchmark"]) == (100, 3, 1)
    assert not metrics["benchmark"]["partial"]


@pytest.fixture(scope="module")
def byte_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small byte-level tokenizer of GPT-2's kind."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(["the cat sat on the mat", "el gato come pescado"] * 9, trainer)
    folder = tmp_path_factory.mktemp("byte_pairs")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return folder


def test_the_xlingual_scores_are_those_of_rouge_score_on_byte_pairs(byte_pairs: Path) -> None:
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(byte_pairs)

    class Official:
        def tokenize(self, text: str) -> list[str]:
            return [piece.lstrip("Ġ") for piece in loaded.tokenize(text)]

    predictions = ["The cats  sat", "猫は魚", "", "el gato\ncome", "Running", "yes "]
    references = [
        ["the cat sat", "The cat"],
        ["猫は魚を食べる"],
        [""],
        ["gato come  el"],
        ["running"],
        ["yes"],
    ]
    found = score(predictions, references, load_byte_pairs(str(byte_pairs)).tokenize)
    scorer = RougeScorer(["rougeL", "rouge1"], tokenizer=Official())
    for metric in ("rougeL", "rouge1"):
        expected = [
            100.0 * max(scorer.score(target, text)[metric].fmeasure for target in targets)
            for text, targets in zip(predictions, references, strict=True)
        ]
        assert found[metric].tolist() == expected
    assert found["rougeL"][1] > 0  # the English tokenizer would find no token here
    assert np.array_equal(found["exact_match"] == 100, [False, False, True, False, True, True])


def test_the_xlingual_track_is_scored_by_the_command(
    byte_pairs: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eval.superni.TRACKS", ("default", "xlingual"))
    split = folder / "benchmark" / "splits" / "xlingual" / "test_tasks.txt"
    split.parent.mkdir()
    split.write_text("t1\n")
    write_benchmark(folder / "benchmark", {"t1": task("t1") | {"Instances": [instance("t1", 0, ["猫は魚"])]}})
    path = predictions_file(folder / "p.jsonl", {instance("t1", 0)["id"]: "猫は"})
    values = {}
    for track in ("default", "xlingual"):
        config = {"track": track, "run_dir": str(folder / track), "xlingual_tokenizer": str(byte_pairs)}
        config |= {"max_instances_per_task": 1, "predictions": path}
        metrics = evaluate_superni(settings(folder, **config))
        values[track] = metrics["tasks"]["t1"]["rougeL"]["value"]
        assert ("xlingual_tokenizer_sha256" in metrics["setting"]) is (track == "xlingual")
    assert values == {"default": 0.0, "xlingual": 80.0}  # 6 of 9 bytes: precision 1, recall 2/3


@pytest.mark.skipif(not REAL.exists(), reason="the real task is not here")
def test_golden_numbers_of_the_real_task_through_the_command(tmp_path: Path) -> None:
    found = json.loads((REAL / "tasks" / f"{OFFICIAL}.json").read_text(encoding="utf-8"))
    texts = {each["id"]: each["input"] for each in found["Instances"][:100]}
    path = predictions_file(tmp_path / "copied.jsonl", texts)
    answer = found["Positive Examples"][0]["output"]
    same = predictions_file(tmp_path / "same.jsonl", dict.fromkeys(texts, answer))
    metrics = evaluate_superni(settings(tmp_path, predictions=[path, same], superni_dir=str(REAL)))
    assert metrics["benchmark"]["label"] == "SuperNI (partial, 1 of 119 tasks)"
    for name, expected in (("copied", (9.4431, 9.4431, 0.0)), ("same", (50.0, 50.0, 50.0))):
        overall = metrics["systems"][name]["overall"]
        assert tuple(overall[metric]["value"] for metric in ("rougeL", "rouge1", "exact_match")) == expected


def test_a_tokenizer_of_another_kind_or_none_is_refused(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    with pytest.raises(UserError, match=r"xlingual_tokenizer: .*nowhere cannot be loaded"):
        load_byte_pairs(str(tmp_path / "nowhere"))
    words = Tokenizer(models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words).save_pretrained(tmp_path / "words")
    with pytest.raises(UserError, match="is no byte-level tokenizer; give GPT-2"):
        load_byte_pairs(str(tmp_path / "words"))


def test_metrics_of_one_system_have_their_keys_at_the_top(folder: Path) -> None:
    metrics = evaluate_superni(settings(folder, predictions=[two_files(folder)[0]]))
    on_disk = json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert on_disk == metrics
    assert {"overall", "categories", "tasks", "macro", "variants", "counts"} <= metrics.keys()
