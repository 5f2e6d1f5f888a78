"""The novelty filter beside a scan of the whole pool and beside the released way, in one run.

    python scripts/bench/novelty.py [--sizes 2000 4000] [--texts FILE] [--check 20] [--verify]
                                    [--no-scores] [--no-released]

Prints a Markdown table a size and the growth between sizes. Texts are made up (lengths, word frequencies and
near copies like those of real instructions), or a file's, spliced two by two where it has too few. The
baselines are extrapolated from candidates spread evenly over the run, and their decisions compared with the
filter's; `released` scores each candidate with `rouge_score`, in a process pool made for it, as the released
code does. --check compares `most_similar` and the mean of so many kept instructions with rouge_score,
--verify each decision with a scan of all before it. Large sizes take --no-scores --no-released.
"""

import argparse
import math
import random
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from rouge_score import rouge_scorer

from selfinstruct import jsonl, rouge
from selfinstruct.novelty import NoveltyFilter, Verdict

THRESHOLD = 0.7
SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)


def made_up_texts(count: int) -> list[str]:
    """Texts with the statistics of 8,000 real instructions, for any count.

    Single words and stock phrases of 2 to 5 words take turns, both with Zipf-Mandelbrot frequencies without
    an end, so that the vocabulary grows as Heaps' law says: about as the square root of all words. One text
    in seven is long (median 60 words), the others have a median of 14: mean 24, 6 % over 64. 15 % edit an
    earlier text. At 8,000 there are fewer words than in real ones (5,900 against 8,500), and a fifth more
    pairs share a key of the index.
    """
    rng = random.Random(0)
    phrases: dict[int, list[str]] = {}

    def frequent(offset: float, exponent: float) -> int:
        return int(offset * (rng.random() ** (-1 / exponent) - 1))

    def word() -> str:
        return f"w{frequent(10, 0.52)}"

    def phrase() -> list[str]:
        number = frequent(40, 0.5)
        if number not in phrases:
            phrases[number] = [word() for _ in range(rng.randint(2, 5))]
        return phrases[number]

    texts: list[str] = []
    while len(texts) < count:
        if texts and rng.random() < 0.15:
            texts.append(edited(rng.choice(texts), rng, word))
            continue
        length = rng.lognormvariate(4.1, 0.75) if rng.random() < 0.14 else rng.lognormvariate(2.65, 0.45)
        words: list[str] = []
        while len(words) < max(2, round(length)):
            words += phrase() if rng.random() < 0.45 else [word()]
        texts.append(" ".join(words[: max(2, round(length))]))
    return texts


def edited(text: str, rng: random.Random, word: Callable[[], str]) -> str:
    """A text with up to half as many words left out, put in or exchanged as it has."""
    words = text.split()
    for _ in range(rng.randint(0, len(words) // 2)):
        place = rng.randrange(len(words) or 1)
        words[place : place + 1] = rng.choice(([], [word()], [*words[place : place + 1], word()]))
    return " ".join(words)


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


@dataclass
class Filtered:
    """What the filter made of the texts, for the baselines to compare with."""

    texts: list[str]
    verdicts: list[Verdict]
    kept: list[str]
    before: list[int]  # the size of the pool when a text's turn came

    @classmethod
    def of(cls, texts: list[str], verdicts: list[Verdict]) -> "Filtered":
        kept = [text for text, verdict in zip(texts, verdicts, strict=True) if verdict.is_novel]
        before = [0, *accumulate(verdict.is_novel for verdict in verdicts)]
        return cls(texts, verdicts, kept, before)

    def check(self, place: int, scores: Sequence[float]) -> None:
        """Compare a decision with the scores of a text with all members at its time."""
        highest = max(scores, default=0.0)
        verdict = self.verdicts[place]
        assert verdict.is_novel == (not highest > THRESHOLD), place
        if not verdict.is_novel:
            assert verdict.nearest_score == highest
            assert verdict.nearest_text == self.kept[list(scores).index(highest)]


@dataclass
class Seconds:
    wall: float
    processor: float  # nan where the work is done by other processes

    def __mul__(self, times: float) -> "Seconds":
        return Seconds(self.wall * times, self.processor * times)

    def __add__(self, other: "Seconds") -> "Seconds":
        return Seconds(self.wall + other.wall, self.processor + other.processor)


def timed(work: Callable[[], object]) -> Seconds:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return Seconds(time.perf_counter() - wall, time.process_time() - processor)


def spread(count: int, samples: int) -> list[int]:
    """Places in the middle of `samples` equal parts."""
    return sorted({int((i + 0.5) * count / samples) for i in range(min(samples, count))})


def new_filter() -> NoveltyFilter:
    return NoveltyFilter(THRESHOLD, "english", reject_exact_duplicates=False)


def peak_memory() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"


def reload(kept: list[str], text: str) -> None:
    """What a resumed run does before its first decision."""
    pool = new_filter()
    pool.extend(kept)
    pool.check(text)


def encoded_pool(texts: list[str]) -> rouge.EncodedPool:
    pool = rouge.EncodedPool(rouge.tokenize_english)
    for text in texts:
        pool.append(text)
    return pool


def seconds_of_scan(found: Filtered) -> Seconds:
    """rapidfuzz over the whole pool for each candidate, extrapolated from 100."""
    pool = encoded_pool(found.kept)
    places = spread(len(found.texts), 100)
    encoded = [pool.encode(found.texts[place]) for place in places]

    def scan() -> None:
        for place, text in zip(places, encoded, strict=True):
            row = pool.rouge_l_rows([text], 0, found.before[place])[0] if found.before[place] else []
            assert found.verdicts[place].is_novel == (not len(row) or not row.max() > THRESHOLD)

    return timed(scan) * (len(found.texts) / len(places))


def score(tokens: list[str], other: list[str]) -> float:
    return float(rouge_scorer._score_lcs(tokens, other).fmeasure)


def seconds_of_released(found: Filtered) -> dict[str, Seconds]:
    """rouge_score in one process, and in a pool of processes for each candidate; extrapolated from 12."""
    tokens = [SCORER._tokenizer.tokenize(text) for text in found.kept]
    places = spread(len(found.texts), 12)

    def in_one_process() -> None:
        for place in places:
            own = SCORER._tokenizer.tokenize(found.texts[place])
            found.check(place, [score(own, other) for other in tokens[: found.before[place]]])

    def released() -> None:
        for place in places:
            own = SCORER._tokenizer.tokenize(found.texts[place])
            with Pool(4) as workers:
                found.check(place, workers.map(partial(score, own), tokens[: found.before[place]]))

    times = len(found.texts) / len(places)
    return {
        "rouge_score in one process (extrapolated)": timed(in_one_process) * times,
        "the released way (extrapolated)": Seconds((timed(released) * times).wall, math.nan),
    }


def verify(found: Filtered) -> None:
    """Each decision again, by the scores with every member before it."""
    pool = encoded_pool(found.kept)
    for first in range(0, len(found.texts), 64):
        chunk = [pool.encode(text) for text in found.texts[first : first + 64]]
        if stop := found.before[first + len(chunk) - 1]:
            rows = pool.rouge_l_rows(chunk, 0, stop)
            for place, row in enumerate(rows, start=first):
                found.check(place, row[: found.before[place]].tolist())
    print(f"{len(found.texts):,} decisions equal those of a scan of the whole pool", flush=True)


def check_similarities(
    kept: list[str], similarities: list[tuple[dict[str, float], float]], count: int
) -> None:
    """`most_similar` and the mean of some kept instructions, bit for bit those of rouge_score."""
    tokens = [SCORER._tokenizer.tokenize(text) for text in kept]
    places = spread(len(kept), count)
    with Pool() as workers:
        for place in places:
            scores = workers.map(partial(score, tokens[place]), tokens[:place], chunksize=1000)
            most_similar = {kept[i]: scores[i] for i in np.argsort(scores)[-10:][::-1]}
            expected = (most_similar, float(np.mean(scores)) if scores else 0.0)
            assert similarities[place] == expected, place
            assert [*similarities[place][0]] == [*most_similar]
    print(f"most_similar and mean of {len(places)} kept instructions equal rouge_score's", flush=True)


def measure(texts: list[str], arguments: argparse.Namespace) -> Seconds:
    """Measure each way, print the table; returns the seconds of the threshold filter."""
    pool = new_filter()
    verdicts: list[Verdict] = []
    threshold_only = timed(lambda: verdicts.extend(pool.admit(texts)))
    memory = peak_memory()
    found = Filtered.of(texts, verdicts)
    seconds = {"threshold only": threshold_only}
    seconds["reload the kept ones"] = timed(lambda: reload(found.kept, texts[-1]))
    similarities: list[tuple[dict[str, float], float]] = []
    if arguments.scores:
        scored = timed(lambda: similarities.extend(pool.similarities(0, len(pool))))
        seconds["with top 10 and mean of the kept"] = threshold_only + scored
    seconds["rapidfuzz over the whole pool (extrapolated)"] = seconds_of_scan(found)
    if arguments.released:
        seconds |= seconds_of_released(found)
    print(f"\n{len(texts):,} candidates, {len(found.kept):,} kept; peak memory when decided {memory}\n")
    print_table(seconds)
    if arguments.verify:
        verify(found)
    if similarities and arguments.check:
        check_similarities(found.kept, similarities, arguments.check)
    return threshold_only


def print_table(seconds: dict[str, Seconds]) -> None:
    ours = seconds["threshold only"].wall
    print("| way | wall s | processor s | times the threshold filter (wall) |\n|---|---|---|---|")
    for name, each in seconds.items():
        processor = "" if math.isnan(each.processor) else f"{each.processor:,.2f}"
        print(f"| {name} | {each.wall:,.2f} | {processor} | {each.wall / ours:,.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 4000])
    parser.add_argument("--texts", type=Path, help="JSON Lines with `instruction`; default: made up")
    parser.add_argument("--check", type=int, default=20)
    parser.add_argument("--no-scores", dest="scores", action="store_false")
    parser.add_argument("--no-released", dest="released", action="store_false")
    parser.add_argument("--verify", action="store_true")
    arguments = parser.parse_args()
    sizes = sorted(arguments.sizes)
    texts = texts_of(arguments.texts, sizes[-1])
    seconds = {size: measure(texts[:size], arguments) for size in sizes}
    for one, other in pairwise(sizes):
        ratio = seconds[other].processor / seconds[one].processor
        power = math.log(ratio) / math.log(other / one)
        print(f"{one:,} to {other:,}: processor time x{ratio:.2f}, exponent {power:.2f}")


if __name__ == "__main__":
    main()
