"""Greedy tokens a second of `LocalLLM` beside transformers' own generation, the same answers asserted.

    python scripts/bench/generate_local.py [--model FOLDER] [--requests 128] [--shared 0] [--threads 1]

Prints a Markdown table. Useful tokens are those of the answers; padding and finished rows do not count.
"""

import argparse
import random
import time
from collections.abc import Callable

import torch
from transformers import GenerationConfig
from transformers.utils import logging

from selfinstruct.llm.base import TINY_MODEL, FinishReason, LLMConfig, Request
from selfinstruct.llm.decoding import Row
from selfinstruct.llm.local import LocalLLM

Answers = list[list[int]]


def mixed_rows(llm: LocalLLM, count: int, shared: int) -> list[Row]:
    """Prompts of random tokens, 20-250 of their own (20-50 behind `shared` common ones); answers to 8-120."""
    rng = random.Random(0)
    special = set(llm._tokenizer.all_special_ids)
    tokens = [token for token in range(len(llm._tokenizer)) if token not in special]
    prefix = rng.choices(tokens, k=shared)
    rows = []
    for _ in range(count):
        prompt = prefix + rng.choices(tokens, k=rng.randint(20, 50 if shared else 250))
        limit = rng.randint(8, 120)
        rows.append(Row(Request("", limit), prompt, limit))
    return rows


def local(llm: LocalLLM, rows: list[Row]) -> Answers:
    """Our loop, in chunks of the config's batch size, in the order the requests came."""

    def ending(row: Row) -> FinishReason | None:
        if row.generated[-1] in llm._end_tokens:
            return "stop"
        return "length" if len(row.generated) >= row.limit else None

    fresh = [Row(row.request, row.prompt, row.limit) for row in rows]
    for start in range(0, len(fresh), llm.chunk_size):
        llm._decoder.decode(fresh[start : start + llm.chunk_size], ending)
    return [row.generated for row in fresh]


def generate(llm: LocalLLM, rows: list[Row], batch_size: int) -> Answers:
    """`generate` on left-padded batches, sorted by length."""
    order = sorted(range(len(rows)), key=lambda i: (len(rows[i].prompt), rows[i].limit))
    answers: dict[int, list[int]] = {}
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        longest = max(len(rows[i].prompt) for i in batch)
        ids = torch.tensor([[0] * (longest - len(rows[i].prompt)) + rows[i].prompt for i in batch])
        mask = torch.tensor(
            [[0] * (longest - len(rows[i].prompt)) + [1] * len(rows[i].prompt) for i in batch]
        )
        out = llm._model.generate(  # type: ignore[operator]
            ids,
            attention_mask=mask,
            do_sample=False,
            max_new_tokens=max(rows[i].limit for i in batch),
            eos_token_id=sorted(llm._end_tokens),
            pad_token_id=0,
        )
        answers |= {
            i: cut(llm, row, rows[i].limit) for i, row in zip(batch, out[:, longest:].tolist(), strict=True)
        }
    return [answers[i] for i in range(len(rows))]


def cut(llm: LocalLLM, tokens: list[int], limit: int) -> list[int]:
    """The tokens up to a row's own limit and its end token."""
    tokens = tokens[:limit]
    return next((tokens[: i + 1] for i, t in enumerate(tokens) if t in llm._end_tokens), tokens)


def continuous(llm: LocalLLM, rows: list[Row]) -> Answers:
    """Continuous batching of transformers (`generate_batch`)."""
    settings = GenerationConfig(
        do_sample=False, max_new_tokens=max(row.limit for row in rows), eos_token_id=sorted(llm._end_tokens)
    )
    results = llm._model.generate_batch([row.prompt for row in rows], generation_config=settings)
    ordered = [results[key] for key in sorted(results, key=lambda key: int(key.rsplit("_", 1)[1]))]
    return [cut(llm, out.generated_tokens, row.limit) for out, row in zip(ordered, rows, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default=str(TINY_MODEL), help="a folder; default: the embedded model")
    parser.add_argument("--requests", type=int, default=128)
    parser.add_argument("--shared", type=int, default=0, help="tokens that all prompts begin with")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.set_verbosity_error()
    llm = LocalLLM(LLMConfig("local", arguments.model, batch_size=32, device="cpu"), model=arguments.model)
    rows = mixed_rows(llm, arguments.requests, arguments.shared)
    ways: dict[str, Callable[[], Answers]] = {
        "`LocalLLM`, chunks of 32": lambda: local(llm, rows),
        "`generate`, one by one": lambda: generate(llm, rows, 1),
        "`generate`, batches of 8 sorted": lambda: generate(llm, rows, 8),
        "`generate`, batches of 32 sorted": lambda: generate(llm, rows, 32),
        "`generate_batch` (continuous)": lambda: continuous(llm, rows),
    }
    print("| way | useful tokens/s | `LocalLLM` is faster by |\n|---|---|---|")
    expected: Answers = []
    ours = 0.0
    local(llm, rows[:4])  # the first pass of a process is slow
    for name, way in ways.items():
        start = time.perf_counter()
        try:
            answers = way()
        except (ValueError, RuntimeError, AttributeError, TypeError) as error:
            print(f"| {name} | not for this model ({str(error).splitlines()[0][:60]}) | |")
            continue
        speed = sum(map(len, answers)) / (time.perf_counter() - start)
        expected, ours = expected or answers, ours or speed
        assert answers == expected, f"{name}: other tokens"
        print(f"| {name} | {speed:,.0f} | {ours / speed:.1f} |")


if __name__ == "__main__":
    main()
