"""The official SuperNI scores of single predictions, and the variants of a prediction."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eval.scoring import first_line, first_paragraph, normalize_answer, score, stripped, what_was_stripped
from selfinstruct.settings import REPOSITORY

REAL = REPOSITORY.parent / "shared" / "data" / "natural-instructions" / "tasks"


def scores(prediction: str, *references: str) -> dict[str, float]:
    return {
        metric: round(float(values[0]), 4) for metric, values in score([prediction], [references]).items()
    }


def test_the_same_words_score_100_whatever_their_case_and_punctuation() -> None:
    assert scores("The Cat!", "the cat") == {"rougeL": 100.0, "rouge1": 100.0, "exact_match": 100.0}


def test_rouge_is_stemmed() -> None:
    assert scores("running dogs", "run dog") == {"rougeL": 100.0, "rouge1": 100.0, "exact_match": 0.0}


def test_rouge_l_respects_the_order_and_rouge_1_does_not() -> None:
    assert scores("b a", "a b") == {"rougeL": 50.0, "rouge1": 100.0, "exact_match": 0.0}


def test_each_metric_takes_its_own_best_reference() -> None:
    # ROUGE-L is best against the first (2 of 3 words in order), ROUGE-1 against the second.
    assert scores("a b c", "a b d", "c b a") == {"rougeL": 66.6667, "rouge1": 100.0, "exact_match": 0.0}


def test_articles_count_in_exact_match() -> None:
    assert scores("the cat", "cat")["exact_match"] == 0.0


@pytest.mark.parametrize(
    ("text", "normalized"),
    [(" A.  b\n", "a b"), ("it's", "its"), ("a\u00a0b", "a b"), ("«Straße»", "«straße»"), ("...", "")],
)
def test_exact_match_drops_ascii_punctuation_and_squeezes_white_space(text: str, normalized: str) -> None:
    assert normalize_answer(text) == normalized


def test_empty_against_empty_is_rouge_0_and_exact_match_100() -> None:
    assert scores("", "") == {"rougeL": 0.0, "rouge1": 0.0, "exact_match": 100.0}


def test_text_without_ascii_letters_has_no_tokens_but_can_match_exactly() -> None:
    assert scores("你好", "你好") == {"rougeL": 0.0, "rouge1": 0.0, "exact_match": 100.0}


def test_scores_come_in_the_order_of_the_predictions() -> None:
    values = score(["x", "a", "b"], [["a"], ["b", "a", "c"], ["b"]])
    assert values["exact_match"].tolist() == [0.0, 100.0, 100.0]


def test_no_prediction_gives_no_score() -> None:
    assert [len(values) for values in score([], []).values()] == [0, 0, 0]


@pytest.mark.parametrize(("predictions", "references"), [(["a"], []), (["a"], [[]])])
def test_lists_that_do_not_fit_are_refused(predictions: list[str], references: list[list[str]]) -> None:
    with pytest.raises(ValueError, match=r"predictions against|no reference"):
        score(predictions, references)


def test_scores_equal_those_of_rouge_score() -> None:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    predictions = ["The quick foxes were jumping, over it", "no 12 3x", "", "a a b"]
    references = [["A quick fox jumps over it!", "it"], ["3x no"], ["a"], ["a b b", "b a"]]
    found = score(predictions, references)
    for index, (prediction, targets) in enumerate(zip(predictions, references, strict=True)):
        each = [scorer.score(target, prediction) for target in targets]
        for metric in ("rouge1", "rougeL"):
            assert found[metric][index] == 100.0 * max(values[metric].fmeasure for values in each)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (" A", "A"),
        ("Output: A", "A"),
        ("\nOUTPUT : A", "A"),
        ("A<|endoftext|>Input: b", "A"),
        ("A</s>", "A"),
        ("Output: A. Output: B", "A. Output: B"),
        ("The output: A", "The output: A"),
        ("A <b>", "A <b>"),
        ("<|im_end|>", ""),
    ],
)
def test_what_is_no_part_of_an_answer_is_stripped(text: str, left: str) -> None:
    assert stripped(text) == left


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("A", []),
        (" A", ["leading_space"]),
        ("\nOutput: A</s>", ["leading_space", "output_label", "end_marker"]),
        ("A</s>Output: B", ["end_marker"]),
    ],
)
def test_what_was_stripped_is_named(text: str, kinds: list[str]) -> None:
    assert what_was_stripped(text) == kinds


@pytest.mark.parametrize(
    ("text", "paragraph", "line"),
    [
        ("A\n\nB", "A", "A"),
        ("\n\n A\nB \n \t\nC", "A\nB", "A"),
        ("A\r\n\r\nB", "A", "A"),
        ("A\u2028B\nC", "A\u2028B\nC", "A\u2028B"),
        ("", "", ""),
        # Only `stripped` takes these off.
        ("Output: A</s>\nB\n\nC", "Output: A</s>\nB", "Output: A</s>"),
    ],
)
def test_the_first_paragraph_and_line_skip_blank_lines_before_them(
    text: str, paragraph: str, line: str
) -> None:
    assert (first_paragraph(text), first_line(text)) == (paragraph, line)


@pytest.mark.skipif(not REAL.exists(), reason="the real task is not here")
def test_golden_numbers_of_the_real_copa_task() -> None:
    path = REAL / "task1393_superglue_copa_text_completion.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    instances = content["Instances"][:100]
    references = [instance["output"] for instance in instances]
    example = content["Positive Examples"][0]["output"]
    for predictions, expected in (
        ([instance["input"] for instance in instances], [9.4431, 9.4431, 0.0]),
        ([example] * 100, [50.0, 50.0, 50.0]),
    ):
        found = score(predictions, references)
        assert [round(float(values.mean()), 4) for values in found.values()] == expected


def test_the_evaluate_module_gives_the_same_scores_without_a_hub(tmp_path: Path) -> None:
    predictions, references = ["b a", "", "The cat."], [["a b"], ["x", "y"], ["a dog", "the cat"]]
    program = (
        "import evaluate, json\n"
        f"metric = evaluate.load({str(REPOSITORY / 'eval' / 'metrics' / 'superni')!r})\n"
        f"print(json.dumps(metric.compute(predictions={predictions!r}, references={references!r})))"
    )
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {"rougeL": 50.0, "rouge1": 66.6667, "exact_match": 33.3333}
    means = {name: round(float(v.mean()), 4) for name, v in score(predictions, references).items()}
    assert found == means
