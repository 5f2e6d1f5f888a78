"""metrics.json: groups, counts, variants, macro means, and the scores of each instance on disk."""

from pathlib import Path
from typing import Any

import pytest
from benchmark_folders import instance, named, task, write_benchmark

from eval.intervals import mean_interval
from eval.predict import Prediction
from eval.summary import read_clusters, score_samples, summarise, write_scores
from eval.superni import Benchmark, load_benchmark
from eval.superni_tables import counts_note, setting_note
from selfinstruct.errors import UserError


@pytest.fixture
def benchmark(tmp_path: Path) -> Benchmark:
    one = task("t1", category="Data to Text") | {"Instances": [instance("t1", n, ["a b"]) for n in range(3)]}
    two = task("t2", category="Word Analogy") | {"Instances": [instance("t2", 0, ["a b"])]}
    three = task("t3", category="Word Analogy") | {
        "Instances": [instance("t3", n, ["", "c"]) for n in range(2)]
    }
    folder = write_benchmark(tmp_path / "benchmark", {"t1": one, "t2": two, "t3": three})
    return load_benchmark(named(folder), None, "default", 100)


def predicted(benchmark: Benchmark, *texts: str | None) -> dict[str, Prediction]:
    pairs = zip(benchmark.samples, texts, strict=True)
    return {sample.id: Prediction(text) for sample, text in pairs if text is not None}


def summary(benchmark: Benchmark, predictions: dict[str, Prediction]) -> dict[str, Any]:
    scores = score_samples(benchmark.samples, predictions)
    return summarise(benchmark, predictions, scores, resamples=200, seed=0)


def values(group: dict[str, Any]) -> tuple[float, float, float]:
    return tuple(group[metric]["value"] for metric in ("rougeL", "rouge1", "exact_match"))


def test_means_are_over_the_instances_of_each_group(benchmark: Benchmark) -> None:
    found = summary(benchmark, predicted(benchmark, "a b", "b a", "a b c", "a b", "c", "x"))
    assert values(found["tasks"]["t1"]) == (76.6667, 93.3333, 33.3333)
    assert values(found["categories"]["word_analogy"]) == (66.6667, 66.6667, 66.6667)
    assert values(found["overall"]) == (71.6667, 80.0, 50.0)
    assert found["overall"]["n"] == 6
    assert list(found["categories"]) == ["data_to_text", "word_analogy"]


def test_macro_means_count_each_task_and_each_category_once(benchmark: Benchmark) -> None:
    found = summary(benchmark, predicted(benchmark, "a b", "a b", "a b", "x", "x", "x"))
    assert found["overall"]["rougeL"]["value"] == 50.0
    assert found["macro"]["tasks"]["rougeL"]["value"] == 33.3333
    assert found["macro"]["categories"]["rougeL"]["value"] == 50.0
    assert (found["macro"]["tasks"]["n"], found["macro"]["categories"]["n"]) == (3, 2)


def test_intervals_resample_tasks_and_the_instances_of_a_single_task(benchmark: Benchmark) -> None:
    found = summary(benchmark, predicted(benchmark, "a b", "x", "a b", "a b", "x", "x"))
    whole = mean_interval({"t1": [100, 0, 100], "t2": [100], "t3": [0, 0]}, resamples=200)
    assert found["overall"]["rougeL"] == whole.rounded()
    alone = mean_interval({"t1": [100, 0, 100]}, resamples=200)
    assert found["categories"]["data_to_text"]["rougeL"] == alone.rounded()
    assert [found["categories"][key]["resampled"] for key in found["categories"]] == ["instances", "tasks"]


def test_a_missing_prediction_is_scored_as_the_empty_string_and_counted(benchmark: Benchmark) -> None:
    found = summary(benchmark, predicted(benchmark, "a b", None, None, "a b", None, " "))
    assert found["counts"]["missing"] == 3
    assert found["counts"]["empty"] == 1
    assert found["overall"]["n"] == 6
    assert values(found["overall"]) == (33.3333, 33.3333, 66.6667)  # t3 accepts an empty answer


def test_predictions_of_other_instances_are_counted_and_not_scored(benchmark: Benchmark) -> None:
    predictions = predicted(benchmark, "x", "x", "x", "x", "x", "x") | {"other": Prediction("a b")}
    found = summary(benchmark, predictions)
    assert found["counts"]["not_in_benchmark"] == 1
    assert values(found["overall"]) == (0.0, 0.0, 0.0)


def test_the_raw_text_is_scored_unchanged_and_variants_have_keys_of_their_own(benchmark: Benchmark) -> None:
    texts = ["Output: a b", "a b</s>", "a b\nx x\n\ny", "a b\n\nx", "c", "c"]
    found = summary(benchmark, predicted(benchmark, *texts))
    assert found["overall"]["exact_match"]["value"] == 33.3333
    by_variant = {name: group["exact_match"]["value"] for name, group in found["variants"].items()}
    assert by_variant == {"stripped": 66.6667, "first_paragraph": 50.0, "first_line": 66.6667}


def test_what_ended_stripped_and_truncated_predictions_is_counted(benchmark: Benchmark) -> None:
    ids = [sample.id for sample in benchmark.samples]
    predictions = {
        ids[0]: Prediction(" a</s>", "p", "stop", 1, truncated=True),
        ids[1]: Prediction("a", "p", "length", 1, truncated=False),
        ids[2]: Prediction("a"),
    }
    counts = summary(benchmark, predictions)["counts"]
    assert counts["truncated"] == 1
    assert counts["stripped"] == 1
    assert counts["stripped_by_kind"] == {"leading_space": 1, "output_label": 0, "end_marker": 1}
    assert counts["finish_reasons"] == {"length": 1, "stop": 1, "unknown": 1}
    assert not {"examples_shown", "definition_cut"} & counts.keys()


def test_examples_shown_and_cut_definitions_are_counted_and_said(benchmark: Benchmark) -> None:
    texts = [
        Prediction("a", num_examples=number, definition_cut=number == 0) for number in (2, 2, 0, 1, 2, 2)
    ]
    predictions = dict(zip((sample.id for sample in benchmark.samples), texts, strict=True))
    metrics = summary(benchmark, predictions)
    assert metrics["counts"]["examples_shown"] == {"0": 1, "1": 1, "2": 4}
    setting = {"mode": "few-shot", "system": "s", "prompt_style": "tk-def", "num_examples": 2, "stop": []}
    metrics["setting"] = setting | {"max_tokens": 9}
    shown = "2 examples (for want of room 0 in 1 and 1 in 1 of 6 prompts), prompt tk-def"
    assert shown in setting_note(metrics)
    assert "and 1 whose prompt held no input and not all of the definition" in counts_note(metrics)


def test_a_prompt_that_goes_through_a_chat_template_is_said_to(benchmark: Benchmark) -> None:
    metrics = summary(benchmark, predicted(benchmark, *"aaaaaa"))
    setting = {"mode": "zero-shot", "system": "s", "num_examples": 0, "stop": [], "max_tokens": 9}
    for style, chat, shown in (
        ("tk-def", False, "prompt tk-def, greedy"),
        ("tk-def", True, "prompt tk-def as a turn of a chat, greedy"),
        ("chat", True, "prompt chat, greedy"),
    ):
        metrics["setting"] = setting | {"prompt_style": style, "llm": {"chat": chat}}
        assert shown in setting_note(metrics)


def test_scores_on_disk_come_back_as_lists_by_task(benchmark: Benchmark, tmp_path: Path) -> None:
    predictions = predicted(benchmark, "a b", "x", "a b", "a b\n\nx", "c", "x")
    write_scores(tmp_path / "scores.jsonl", benchmark.samples, score_samples(benchmark.samples, predictions))
    found = read_clusters(tmp_path / "scores.jsonl", "exact_match")
    assert found == {"t1": [100.0, 0.0, 100.0], "t2": [0.0], "t3": [100.0, 0.0]}
    shorter = read_clusters(tmp_path / "scores.jsonl", "exact_match", "first_paragraph")
    assert shorter["t2"] == [100.0]


def test_a_file_without_scores_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "scores.jsonl").write_text('{"task": "t1", "raw": {"rougeL": 1.0}}\n{"task": "t1"}\n')
    with pytest.raises(UserError, match=r"scores\.jsonl:2: raw\.rougeL: not found"):
        read_clusters(tmp_path / "scores.jsonl")
