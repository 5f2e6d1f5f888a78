"""Predictions a second of evaluation beside lm-evaluation-harness's HF backend, answers compared.

    python scripts/bench/predict.py [--instances 12] [--rounds 2] [--threads 1] [--batch-sizes 8,16,32,64]

Both get the same prompts, model, longest answer and stop rule, and read answers greedily; both sort, batch
and restore the order themselves, tokenising included. The harness (`HFLM.generate_until`) has the best of
several batch sizes. Prints a Markdown table; needs `lm_eval` (extra `bench`).
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

from eval.fitting import fit_prompt
from eval.predict import Manner, predict
from eval.superni import BenchmarkConfig, load_benchmark
from eval.superni_tasks import Sample
from eval.user_oriented import read_user_tasks
from selfinstruct.llm.base import TINY_MODEL, LLMConfig
from selfinstruct.llm.local import LocalLLM
from selfinstruct.llm.response_log import LoggedLLM
from selfinstruct.settings import REPOSITORY

DATA = REPOSITORY / "eval" / "data"


@dataclass
class Case:
    """What both are asked: a model, samples, and how."""

    name: str
    model: Path
    samples: list[Sample]
    manner: Manner


def random_llama(folder: Path) -> Path:
    """A Llama of 8 million parameters with random weights over the embedded model's tokens."""
    tokenizer = AutoTokenizer.from_pretrained(TINY_MODEL)
    torch.manual_seed(0)
    sizes = {"hidden_size": 320, "intermediate_size": 864, "num_hidden_layers": 6, "num_attention_heads": 5}
    ends = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1}
    config = LlamaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=2048, initializer_range=0.1, **sizes, **ends
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.model_max_length = 2048
    tokenizer.save_pretrained(folder)
    return folder


def cases(folder: Path, instances: int) -> list[Case]:
    """Tasks of many instances, with and without examples, and the user-oriented set."""
    little_world = BenchmarkConfig("LittleWorld", DATA / "littleworld")
    zero_shot = load_benchmark(little_world, None, "default", instances).samples
    few_shot = load_benchmark(little_world, None, "default", instances, num_examples=2).samples
    tasks = read_user_tasks(DATA / "user_oriented.jsonl")[: 8 * instances]
    llama = random_llama(folder)
    whole, to_paragraph = Manner("self-instruct", 64), Manner("self-instruct", 64, stop=("\n\n",))
    return [
        Case("random Llama, LittleWorld", llama, list(zero_shot), whole),
        Case("random Llama, user-oriented tasks", llama, [task.sample() for task in tasks], whole),
        Case("embedded model, LittleWorld", TINY_MODEL, list(zero_shot), whole),
        Case("embedded model, 2 examples, to the first blank line", TINY_MODEL, list(few_shot), to_paragraph),
    ]


def ours(llm: LocalLLM, case: Case, log: Path) -> list[str]:
    """As eval_superni.py asks, response log included."""
    log.unlink(missing_ok=True)
    return [each.text for each in predict(case.samples, LoggedLLM(llm, log), case.manner)]


def harness(model: HFLM, case: Case, prompts: list[str]) -> list[str]:
    """`generate_until` over all prompts."""
    settings = {"until": list(case.manner.stop), "max_gen_toks": case.manner.max_tokens, "do_sample": False}
    requests = [
        Instance("generate_until", {}, (prompt, settings), number) for number, prompt in enumerate(prompts)
    ]
    return model.generate_until(requests, disable_tqdm=True)


def measure(case: Case, folder: Path, rounds: int, batch_sizes: list[int]) -> tuple[str, ...]:
    """A row of the table: best of some rounds, one way after the other in each."""
    llm = LocalLLM(LLMConfig("local", str(case.model), batch_size=None, device="cpu"), str(case.model))
    limit = (llm.context_length or 0) - case.manner.max_tokens
    prompts = [fit_prompt(sample, case.manner.style, llm, limit).text for sample in case.samples]
    tokenizer: Any = AutoTokenizer.from_pretrained(case.model)
    model: Any = AutoModelForCausalLM.from_pretrained(case.model, dtype=torch.float32).eval()
    ways: dict[str, Callable[[], list[str]]] = {"ours": lambda: ours(llm, case, folder / "log.jsonl")}
    for size in batch_sizes:
        other = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=size, max_length=llm.context_length)
        ways[str(size)] = lambda other=other: harness(other, case, prompts)  # type: ignore[misc]
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, list[str]] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            answers[name] = way()
            seconds[name].append(time.perf_counter() - start)
    mine = min(seconds["ours"])
    size = min(batch_sizes, key=lambda size: min(seconds[str(size)]))
    theirs = min(seconds[str(size)])
    pairs = zip(answers["ours"], answers[str(size)], strict=True)
    # Half a character at the end is left off by us.
    same = sum(a.strip().rstrip("\ufffd") == b.strip().rstrip("\ufffd") for a, b in pairs)
    count = len(prompts)
    speeds = f"{count / mine:.1f}", f"{count / theirs:.1f} (batch {size})", f"{theirs / mine:.2f}"
    return case.name, f"{count}", *speeds, f"{same} of {count}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--instances", type=int, default=12, help="of each of the 39 LittleWorld tasks")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-sizes", default="8,16,32,64", help="of the harness; the best counts")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.set_verbosity_error()
    batch_sizes = [int(size) for size in arguments.batch_sizes.split(",")]
    print("| model and prompts | prompts | ours, answers/s | harness, answers/s | ratio | same answers |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for case in cases(Path(name) / "llama", arguments.instances):
            row = measure(case, Path(name), arguments.rounds, batch_sizes)
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
