"""Bulk ROUGE-L beside `rouge_score`, one call a pair, on as many predictions as SuperNI's test set has.

    python scripts/bench/scoring.py [--predictions 11900] [--check-all-metrics]

Prints a Markdown table: short predictions (a few words, as of a tuned model) and rambling ones (hundreds of
words, as of a base model without stop rule), with one to three references each. Both ways score the same
pairs in one process, one after the other, on cold caches; every value is asserted to be equal bit for bit.
Words are those of the user-oriented set, in stretches drawn at random. Three minutes for the full size.
"""

import argparse
import random
import time
from collections.abc import Callable

from rouge_score import rouge_scorer

from eval.scoring import score
from selfinstruct import jsonl, rouge
from selfinstruct.settings import REPOSITORY

TEXTS = REPOSITORY / "eval" / "data" / "user_oriented.jsonl"
SUPERNI_PREDICTIONS = 11_900  # 119 tasks of 100 instances
REFERENCE_WORDS = (1, 25)
RAMBLING_WORDS = (200, 700)

Pairs = tuple[list[str], list[list[str]]]  # predictions, and the references of each


def running_words() -> list[str]:
    """The words of the user-oriented set, in their order: English with its own word frequencies."""
    texts = []
    for record in jsonl.read(TEXTS):
        first = record["instances"][0]
        texts += [record["instruction"], first["input"], first["output"]]
    return " ".join(texts).split()


def made_up_pairs(count: int, is_rambling: bool) -> Pairs:
    """References of 1 to 25 words; a prediction edits the first one, and goes on for long if it rambles."""
    rng = random.Random(0)
    words = running_words()

    def stretch(fewest: int, most: int) -> list[str]:
        start = rng.randrange(len(words) - most)
        return words[start : start + rng.randint(fewest, most)]

    predictions, references = [], []
    for _ in range(count):
        given = [stretch(*REFERENCE_WORDS) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
        answer = [word if rng.random() < 0.7 else rng.choice(words) for word in given[0]]
        predictions.append(" ".join([*answer, *(stretch(*RAMBLING_WORDS) if is_rambling else [])]))
        references.append([" ".join(each) for each in given])
    return predictions, references


def one_by_one(pairs: Pairs) -> list[float]:
    """The official way: one `rouge_score` call a reference, the maximum of each prediction (x100)."""
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=True)
    return [
        100.0 * max(scorer.score(target, prediction)["rougeL"].fmeasure for target in targets)
        for prediction, targets in zip(*pairs, strict=True)
    ]


def in_bulk(pairs: Pairs) -> list[float]:
    """The same values by the functions that `eval.scoring` calls."""
    predictions, references = pairs
    targets = [text for texts in references for text in texts]
    repeated = [text for text, texts in zip(predictions, references, strict=True) for _ in texts]
    values = iter(rouge.rouge_l_pairs(targets, repeated, rouge.tokenize_english_stemmed).tolist())
    return [100.0 * max(next(values) for _ in texts) for texts in references]


def timed(run: Callable[[Pairs], list[float]], pairs: Pairs) -> tuple[list[float], float]:
    """What the way gives, and its seconds."""
    rouge._stem.cache_clear()
    start = time.perf_counter()
    values = run(pairs)
    return values, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--predictions", type=int, default=SUPERNI_PREDICTIONS)
    parser.add_argument("--check-all-metrics", action="store_true", help="compare ROUGE-1 as well")
    arguments = parser.parse_args()
    rouge.rouge_l("a", "loading", rouge.tokenize_english_stemmed)  # imports the stemmer
    print("| predictions | words each | `rouge_score`, s | in bulk, s | times faster |")
    print("|---|---|---|---|---|")
    for name, is_rambling in (("short", False), ("rambling", True)):
        pairs = made_up_pairs(arguments.predictions, is_rambling)
        bulk, bulk_seconds = timed(in_bulk, pairs)
        single, single_seconds = timed(one_by_one, pairs)
        assert bulk == single, "a value differs"
        assert score(*pairs)["rougeL"].tolist() == single
        if arguments.check_all_metrics:
            check_rouge_1(pairs)
        words = sum(len(text.split()) for text in pairs[0]) / len(pairs[0])
        ratio = single_seconds / bulk_seconds
        counts = f"{name}, {len(pairs[0]):,} | {words:.0f}"
        print(f"| {counts} | {single_seconds:.2f} | {bulk_seconds:.2f} | {ratio:.0f} |", flush=True)


def check_rouge_1(pairs: Pairs) -> None:
    """ROUGE-1 of the same pairs, also bit for bit."""
    scorer = rouge_scorer.RougeScorer(["rouge1"], use_stemmer=True)
    expected = [
        100.0 * max(scorer.score(target, prediction)["rouge1"].fmeasure for target in targets)
        for prediction, targets in zip(*pairs, strict=True)
    ]
    assert score(*pairs)["rouge1"].tolist() == expected, "a value of ROUGE-1 differs"


if __name__ == "__main__":
    main()
