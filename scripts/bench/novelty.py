"""The novelty filter beside a scan of the whole pool and beside the released way, in one run.

    python scripts/bench/novelty.py [--sizes 2000 4000] [--texts FILE] [--check 20] [--no-scores] [--verify]

Prints a Markdown table a size and the growth between sizes. Texts are made up (lengths, word frequencies and
near copies like those of real instructions), or a file's, spliced two by two where it has too few. The two
baselines are extrapolated from candidates spread evenly over the run; `released` scores each candidate with
`rouge_score`, in a process pool made for it, as the released code does. --check compares `most_similar` and
the mean of so many kept instructions with rouge_score; --verify each decision with a scan of all before it.
"""

import argparse
import math
import random
import resource
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from rouge_score import rouge_scorer

from selfinstruct import jsonl, rouge
from selfinstruct.novelty import NoveltyFilter, Verdict

THRESHOLD = 0.7
SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)


def made_up_texts(count: int) -> list[str]:
    """Texts of stock phrases and single words: median 15 words, mean 23, 7 % over 64; 15 % edit another."""
    rng = random.Random(0)
    lengths = np.random.default_rng(0).lognormal(math.log(15), 0.95, count)

    def word() -> str:
        # Zipf-Mandelbrot: 5 % of all words are the most frequent one, and new ones never stop coming.
        return f"w{int(10 * (rng.random() ** (-1 / 0.6) - 1))}"

    phrases = [" ".join(word() for _ in range(rng.randint(2, 4))) for _ in range(20_000)]

    def phrase() -> str:
        return phrases[int(len(phrases) * rng.random() ** 4)]

    texts: list[str] = []
    for length in lengths:
        if texts and rng.random() < 0.15:
            words = rng.choice(texts).split()
            for _ in range(rng.randint(0, len(words) // 2)):
                place = rng.randrange(len(words))
                words[place : place + 1] = rng.choice([[], [word()], [words[place], word()]]) or [word()]
            texts.append(" ".join(words))
            continue
        parts = [phrase()]
        while len(parts) < 0.6 * length:
            parts.append(phrase() if rng.random() < 0.5 else word())
        texts.append(" ".join(" ".join(parts).split()[: max(3, round(length))]))
    return texts


def texts_of(path: Path | None, count: int) -> list[str]:
    """A file's instructions, spliced to more where it has fewer than `count`; made up without a file."""
    if path is None:
        return made_up_texts(count)
    texts = [record["instruction"] for record in jsonl.read(path)]
    words = [text.split() for text in texts]
    rng = random.Random(0)
    while len(texts) < count:
        head, tail = rng.choice(words), rng.choice(words)
        texts.append(" ".join(head[: rng.randint(0, len(head))] + tail[rng.randint(0, len(tail)) :]))
    return texts[:count]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def extrapolated(work: Callable[[], object], times: float) -> tuple[float, float]:
    """Wall and processor seconds of `times` the work."""
    wall, cpu = timed(work)
    return wall * times, cpu * times


def score(tokens: list[str], other: list[str]) -> float:
    return float(rouge_scorer._score_lcs(tokens, other).fmeasure)


def rouge_scores(text: str, tokens: Sequence[list[str]]) -> list[float]:
    """One candidate against the pool as the released code does it: a pool of processes of its own."""
    with Pool(4) as workers:
        return workers.map(partial(score, SCORER._tokenizer.tokenize(text)), tokens)


def spread(count: int, samples: int) -> list[int]:
    """Places in the middle of `samples` equal parts."""
    return sorted({int((i + 0.5) * count / samples) for i in range(min(samples, count))})


def verify(texts: list[str], verdicts: list[Verdict], kept: list[str]) -> None:
    """Each decision again, by the scores with every member before it."""
    pool = rouge.EncodedPool(rouge.tokenize_english)
    for text in kept:
        pool.append(text)
    before = np.cumsum([0, *(verdict.is_novel for verdict in verdicts)])
    for first in range(0, len(texts), 64):
        chunk = [pool.encode(text) for text in texts[first : first + 64]]
        rows = pool.rouge_l_rows(chunk, 0, int(before[min(first + 64, len(texts)) - 1]))
        for place, row in enumerate(rows, start=first):
            scores, verdict = row[: before[place]], verdicts[place]
            assert verdict.is_novel == (len(scores) == 0 or not scores.max() > THRESHOLD)
            if not verdict.is_novel:
                assert verdict.nearest_score == scores.max()
                assert verdict.nearest_text == kept[int(scores.argmax())]


def measure(texts: list[str], arguments: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """(wall, processor) seconds of each way, printed as a table."""
    count = len(texts)
    pool = NoveltyFilter(THRESHOLD, "english", reject_exact_duplicates=False)
    verdicts: list[Verdict] = []
    seconds = {"threshold only": timed(lambda: verdicts.extend(pool.admit(texts)))}
    kept = [text for text, verdict in zip(texts, verdicts, strict=True) if verdict.is_novel]
    before = np.cumsum([0, *(verdict.is_novel for verdict in verdicts)])

    def reload() -> None:
        again = NoveltyFilter(THRESHOLD, "english", reject_exact_duplicates=False)
        again.extend(kept)
        again.check(texts[-1])

    seconds["reload the kept ones"] = timed(reload)
    similarities: list[tuple[dict[str, float], float]] = []
    if arguments.scores:
        wall, cpu = timed(lambda: similarities.extend(pool.similarities(0, len(pool))))
        seconds["with top 10 and mean of the kept"] = (
            wall + seconds["threshold only"][0],
            cpu + seconds["threshold only"][1],
        )

    encoded = rouge.EncodedPool(rouge.tokenize_english)
    for text in kept:
        encoded.append(text)
    places = spread(count, 100)
    coded = {place: encoded.encode(texts[place]) for place in places}

    def scan() -> None:
        for place in places:
            row = encoded.rouge_l_rows([coded[place]], 0, int(before[place]))[0]
            assert verdicts[place].is_novel == (not len(row) or not row.max() > THRESHOLD)

    seconds["rapidfuzz over the whole pool (extrapolated)"] = extrapolated(scan, count / len(places))

    tokens = [SCORER._tokenizer.tokenize(text) for text in kept]
    places = spread(count, 12)

    def released() -> None:
        for place in places:
            scores = rouge_scores(texts[place], tokens[: before[place]])
            assert verdicts[place].is_novel == (not scores or not max(scores) > THRESHOLD)

    def by_rouge_score() -> None:
        for place in places:
            tokenized = SCORER._tokenizer.tokenize(texts[place])
            for other in tokens[: before[place]]:
                score(tokenized, other)

    seconds["rouge_score in one process (extrapolated)"] = extrapolated(by_rouge_score, count / len(places))
    wall, _ = timed(released)
    seconds["the released way (extrapolated)"] = (wall * count / len(places), math.nan)

    ours = seconds["threshold only"][0]
    print(f"\n{count:,} candidates, {len(kept):,} kept\n")
    print("| way | wall s | processor s | times the threshold filter (wall) |\n|---|---|---|---|")
    for name, (wall, cpu) in seconds.items():
        shown = "" if math.isnan(cpu) else f"{cpu:,.2f}"
        print(f"| {name} | {wall:,.2f} | {shown} | {wall / ours:,.1f} |")
    print(
        f"\npeak memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB",
        flush=True,
    )

    if arguments.verify:
        verify(texts, verdicts, kept)
        print(f"{count:,} decisions equal those of a scan of the whole pool", flush=True)
    if similarities and arguments.check:
        places = spread(len(kept), arguments.check)
        with Pool() as workers:
            for place in places:
                work = partial(score, tokens[place])
                scores = workers.map(work, tokens[:place], chunksize=1000)
                order = np.argsort(scores)[-10:][::-1]
                most_similar = {kept[i]: scores[i] for i in order}
                expected = (most_similar, float(np.mean(scores)) if scores else 0.0)
                assert list(similarities[place][0].items()) == list(most_similar.items())
                assert similarities[place] == expected
        print(f"most_similar and mean of {len(places)} kept instructions equal rouge_score's", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 4000])
    parser.add_argument("--texts", type=Path, help="JSON Lines with `instruction`; default: made up")
    parser.add_argument("--check", type=int, default=20)
    parser.add_argument("--no-scores", dest="scores", action="store_false")
    parser.add_argument("--verify", action="store_true")
    arguments = parser.parse_args()
    sizes = sorted(arguments.sizes)
    texts = texts_of(arguments.texts, sizes[-1])
    found = {size: measure(texts[:size], arguments) for size in sizes}
    for one, other in pairwise(sizes):
        ratio = found[other]["threshold only"][1] / found[one]["threshold only"][1]
        power = math.log(ratio) / math.log(other / one)
        print(f"{one:,} to {other:,}: processor time x{ratio:.2f}, exponent {power:.2f}")


if __name__ == "__main__":
    main()
