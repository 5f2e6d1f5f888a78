"""Tokenizer and training of the embedded model; `build.py` is the command."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import distributed
from torch.nn import functional
from tqdm import tqdm
from transformers import Lfm2Config, Lfm2ForCausalLM, PreTrainedTokenizerFast

from selfinstruct.llm.tiny.documents import Document, write_document

END, PAD = "<|endoftext|>", "<|pad|>"
CONTEXT = 512
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}"
    "{{ eos_token if message['role'] == 'assistant' else '' }}\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)


@dataclass(frozen=True)
class Recipe:
    """Everything the trained weights depend on, beside the code and the library versions."""

    seed: int = 0
    steps: int = 7000
    rows_per_step: int = 4
    answer_weight: float = 3.0  # loss weight of answers against all other tokens
    peak_lr: float = 0.015  # Muon, for the matrices
    warmup_steps: int = 100
    adam_lr: float = 0.006  # AdamW, for embeddings, norms and convolutions
    hidden_size: int = 128
    intermediate_size: int = 320
    layer_types: tuple[str, ...] = (
        "conv",
        "full_attention",
        "conv",
        "full_attention",
        "conv",
        "full_attention",
    )
    processes: int = 2

    def to_json(self) -> dict[str, object]:
        return asdict(self) | {"layer_types": list(self.layer_types)}


def build_tokenizer(sample: Iterable[str]) -> PreTrainedTokenizerFast:
    """A tokenizer in which each word of the sample is one token; any other text falls back to bytes."""
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    counts: Counter[str] = Counter()
    for text in sample:
        counts.update(piece for piece, _ in byte_level.pre_tokenize_str(text))
    for number in range(31):
        counts.update((str(number), f"Ġ{number}"))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = sorted(piece for piece in counts if piece not in set(alphabet))
    vocabulary = [
        (END, 0.0),
        (PAD, 0.0),
        *((byte, -10.0) for byte in alphabet),
        *((piece, -1.0) for piece in pieces),
    ]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=None, byte_fallback=False))
    tokenizer.pre_tokenizer = byte_level
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([END, PAD])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        pad_token=PAD,
        model_max_length=CONTEXT,
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def build_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> Lfm2ForCausalLM:
    """A fresh model; a small convolution hands every token its predecessors, so copying is learned early."""
    torch.manual_seed(recipe.seed)
    return Lfm2ForCausalLM(
        Lfm2Config(
            vocab_size=len(tokenizer),
            hidden_size=recipe.hidden_size,
            intermediate_size=recipe.intermediate_size,
            num_hidden_layers=len(recipe.layer_types),
            layer_types=list(recipe.layer_types),
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=CONTEXT,
            block_auto_adjust_ff_dim=False,
            rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def encode_document(
    document: Document,
    tokenizer: PreTrainedTokenizerFast,
    answer_weight: float,
) -> tuple[list[int], list[float]]:
    """Token ids of a document and its end, and the loss weight of each."""
    encoded = tokenizer(document.text, return_offsets_mapping=True)
    answers = iter(document.answers)
    span = next(answers, None)
    weights: list[float] = []
    for start, end in encoded["offset_mapping"]:
        while span and start >= span[1]:
            span = next(answers, None)
        weights.append(answer_weight if span and end > span[0] else 1.0)
    return [*encoded["input_ids"], tokenizer.eos_token_id], [*weights, 1.0]


class Row(NamedTuple):
    """CONTEXT + 1 tokens of training text, the loss weight of each, and the documents read so far."""

    ids: list[int]
    weights: list[float]
    documents_read: int


def rows_of(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> Iterator[Row]:
    """Rows of training text, for ever; each begins with the start of a document, as a prompt does."""
    ids: list[int] = []
    weights: list[float] = []
    index = 0
    while True:
        while len(ids) < CONTEXT + 1:
            more, their_weights = encode_document(
                write_document(recipe.seed, index), tokenizer, recipe.answer_weight
            )
            ids, weights, index = ids + more, weights + their_weights, index + 1
        yield Row(ids[: CONTEXT + 1], weights[: CONTEXT + 1], index)
        ids, weights = [], []


def _lr_share(step: int, recipe: Recipe) -> float:
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    done = (step - recipe.warmup_steps) / max(1, recipe.steps - recipe.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * done)) * 0.99 + 0.01


def train(
    recipe: Recipe, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> tuple[Lfm2ForCausalLM, dict[str, float]]:
    """Train from scratch for a fixed number of steps; returns the model and what the training was.

    `recipe.processes` processes of one thread share the rows of a step: matrices this small gain nothing
    from more threads. `folder` must exist; the processes meet in it, and the weights pass through it.
    """
    torch.multiprocessing.spawn(
        _train_rows_of_process, args=(recipe, tokenizer, folder), nprocs=recipe.processes
    )
    model = build_model(recipe, tokenizer)
    model.load_state_dict(torch.load(folder / _WEIGHTS, weights_only=True))
    return model.eval(), json.loads((folder / _FACTS).read_text(encoding="utf-8"))


_WEIGHTS, _FACTS = "weights.pt", "training.json"


def _train_rows_of_process(
    rank: int, recipe: Recipe, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> None:
    """The whole training in one of the processes; all hold the same weights after every step."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # Filling fresh memory, part of the deterministic mode, costs a tenth of the time and hides nothing here.
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010 (unknown to mypy)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=recipe.processes
    )
    model = build_model(recipe, tokenizer)
    parameters = list(model.parameters())
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    optimizers = [
        torch.optim.Muon(matrices, lr=recipe.peak_lr, weight_decay=0.01),
        torch.optim.AdamW(others, lr=recipe.adam_lr, betas=(0.9, 0.99), weight_decay=0.0),
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(o, lambda step: _lr_share(step, recipe)) for o in optimizers
    ]
    rows = rows_of(recipe, tokenizer)
    recent: list[float] = []
    progress = tqdm(range(recipe.steps), desc="training", unit="step", mininterval=2, disable=rank > 0)
    for _ in progress:
        batch = [next(rows) for _ in range(recipe.rows_per_step)]
        total_weight = sum(sum(row.weights[1:]) for row in batch)
        mine = batch[rank :: recipe.processes]
        ids = torch.tensor([row.ids for row in mine])
        weights = torch.tensor([row.weights for row in mine])[:, 1:].flatten()
        logits = model(ids[:, :-1], use_cache=False).logits.flatten(0, 1)
        losses = functional.cross_entropy(logits, ids[:, 1:].flatten(), reduction="none")
        loss = (losses * weights).sum() / total_weight
        loss.backward()
        gradients = [p.grad for p in parameters if p.grad is not None]
        summed = torch.cat([loss.detach()[None], *(gradient.flatten() for gradient in gradients)])
        distributed.all_reduce(summed)
        recent = [*recent[-99:], summed[0].item()]
        parts = summed[1:].split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        progress.set_postfix(loss=f"{sum(recent) / len(recent):.3f}", refresh=False)
    if rank == 0:
        torch.save(model.state_dict(), folder / _WEIGHTS)
        facts = {
            "final_loss": round(sum(recent) / len(recent), 4),
            "training_tokens": recipe.steps * recipe.rows_per_step * CONTEXT,
            "training_documents": batch[-1].documents_read,
        }
        (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
    distributed.destroy_process_group()


def vocabulary_sample(seed: int, documents: int = 12_000) -> Iterator[str]:
    """Text that holds every word of the world."""
    for index in range(documents):
        yield write_document(seed, index).text
