"""Packed rows have the loss and gradients of their examples one by one, or the architecture is refused."""

import random
from pathlib import Path

import pytest
import torch
from small_models import random_model

from finetune.batching import MicroBatch, best_fit, collate, plan_rounds, token_budget
from finetune.config import TrainConfig
from finetune.examples import TokenisedExample
from finetune.model import completion_loss
from finetune.packing import RowPerExample, refuse_if_examples_mix
from selfinstruct.errors import UserError

CPU = torch.device("cpu")
ATTENTION = ["llama", "qwen2", "qwen3", "gpt2", "gpt neox", "sliding window", "gemma2"]
STATEFUL = ["lfm2", "lfm2 with biases", "mamba", "linear attention"]


def examples(lengths: list[int], vocabulary: int = 400) -> list[TokenisedExample]:
    """Random tokens, the last third of each example trained."""
    rng = random.Random(7)
    return [
        TokenisedExample(f"f:{n}", rng.choices(range(vocabulary), k=n), max(1, n - max(1, n // 3)))
        for n in lengths
    ]


def loss_and_gradients(
    model: torch.nn.Module, batches: list[MicroBatch]
) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    total = 0.0
    for batch in batches:
        loss = completion_loss(model, batch, torch.float32)
        if torch.is_grad_enabled():
            loss.backward()
        total += float(loss.detach())
    given = [(name, value.grad) for name, value in model.named_parameters()]
    return total, {name: gradient.clone() for name, gradient in given if gradient is not None}


def smooth_model(architecture: str) -> torch.nn.Module:
    """Without dropout, and with weights small enough that rounding is not magnified."""
    model = random_model(architecture)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.5)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def one_by_one(batch: list[TokenisedExample]) -> list[MicroBatch]:
    return [collate([example], CPU) for example in batch]


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("architecture", [*ATTENTION, *STATEFUL])
def test_a_packed_row_has_the_loss_and_gradients_of_its_examples_one_by_one(
    architecture: str, is_training: bool
) -> None:
    batch = examples([9, 23, 2, 17, 5])
    expected_loss, expected = loss_and_gradients(smooth_model(architecture), one_by_one(batch))
    model = smooth_model(architecture).train(is_training)
    RowPerExample(model)
    refuse_if_examples_mix(model, CPU, torch.float32)
    assert model.training == is_training
    loss, found = loss_and_gradients(model, [collate(batch, CPU, packing=True)])
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    assert_same_gradients(found, expected)


def assert_same_gradients(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    """Each parameter's within 1e-5 of the largest parameter's norm."""
    assert found.keys() == expected.keys()
    scale = max(float(gradient.norm()) for gradient in expected.values())
    for name, gradient in expected.items():
        assert float((found[name] - gradient).norm()) < 1e-5 * scale, name


@pytest.mark.parametrize("architecture", STATEFUL)
def test_gradient_checkpointing_keeps_the_examples_of_a_packed_row_apart(architecture: str) -> None:
    batch = examples([9, 23, 2, 17, 5])
    _, expected = loss_and_gradients(smooth_model(architecture), one_by_one(batch))
    model = smooth_model(architecture).train()
    model.gradient_checkpointing_enable()
    RowPerExample(model)
    _, found = loss_and_gradients(model, [collate(batch, CPU, packing=True)])
    assert_same_gradients(found, expected)


@pytest.mark.parametrize("architecture", STATEFUL)
def test_the_hooks_leave_a_padded_batch_as_it_is(architecture: str) -> None:
    batch = examples([9, 23, 2])
    with torch.no_grad():
        expected, _ = loss_and_gradients(smooth_model(architecture), [collate(batch, CPU)])
        model = smooth_model(architecture)
        RowPerExample(model)
        loss_and_gradients(model, [collate(batch, CPU, packing=True)])
        found, _ = loss_and_gradients(model, [collate(batch, CPU)])
    assert found == expected


@pytest.mark.parametrize("architecture", ["bloom", "rwkv"])
def test_an_architecture_whose_examples_would_mix_is_refused(architecture: str) -> None:
    model = random_model(architecture)
    RowPerExample(model)
    with pytest.raises(UserError, match=rf"packing=true: {architecture}: .*set packing=false"):
        refuse_if_examples_mix(model, CPU, torch.float32)


@pytest.mark.parametrize("architecture", ["lfm2", "mamba", "linear attention"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_without_our_care_the_check_finds_what_convolutions_carry_over(
    architecture: str, dtype: torch.dtype
) -> None:
    with pytest.raises(UserError, match="examples see each other"):
        refuse_if_examples_mix(random_model(architecture), CPU, dtype)


@torch.no_grad()
@pytest.mark.parametrize("architecture", ["llama", "lfm2"])
def test_an_all_ones_mask_would_let_examples_see_each_other_and_is_never_passed(architecture: str) -> None:
    batch = collate(examples([9, 23]), CPU, packing=True)
    assert batch.attention_mask is None
    model = random_model(architecture)
    kept_apart = model(input_ids=batch.input_ids, position_ids=batch.position_ids, use_cache=False).logits
    ones = torch.ones_like(batch.input_ids)
    mixed = model(batch.input_ids, attention_mask=ones, position_ids=batch.position_ids, use_cache=False)
    assert float((mixed.logits - kept_apart).abs().max()) > 0.1  # the trap is still there to be avoided


def test_no_token_predicts_the_next_examples_first_token() -> None:
    trained_whole = [TokenisedExample("f:1", [5, 6, 7], 0), TokenisedExample("f:2", [8, 9], 0)]
    packed = collate(trained_whole, CPU, packing=True)
    assert packed.labels.tolist() == [[-100, 6, 7, -100, 9]]
    assert packed.position_ids is not None and packed.position_ids.tolist() == [[0, 1, 2, 0, 1]]


def test_bins_are_filled_best_fit_and_hold_every_example_once() -> None:
    batch = examples([60, 50, 40, 30, 20, 10, 120])
    bins = [[len(example.ids) for example in part] for part in best_fit(batch, 100)]
    assert bins == [[120], [60, 40], [50, 30, 20], [10]]
    random_lengths = [random.Random(place).randint(5, 90) for place in range(200)]
    parts = best_fit(examples(random_lengths), 256)
    assert sorted(len(example.ids) for part in parts for example in part) == sorted(random_lengths)
    assert max(sum(len(example.ids) for example in part) for part in parts) <= 256
    assert len(parts) == -(-sum(random_lengths) // 256)  # no bin more than the tokens need


def test_a_token_budget_counts_the_padding() -> None:
    parts = token_budget(examples([10, 50, 20, 30, 45, 5]), 100)
    assert [[len(example.ids) for example in part] for part in parts] == [[50, 45], [30, 20, 10], [5]]
    assert [len(part) for part in token_budget(examples([300, 300]), 100)] == [1, 1]


@pytest.mark.parametrize("packing", [True, False])
def test_two_processes_share_the_batch_and_none_idles(packing: bool) -> None:
    config = TrainConfig(Path("r"), "d", "m", packing=packing, micro_batch_tokens=64)
    batch = examples([40, 40, 40, 10, 10, 30])
    rounds = plan_rounds(batch, config, num_processes=2)
    assert all(len(parts) == 2 and all(parts) for parts in rounds)
    where = sorted(example.where for parts in rounds for part in parts for example in part)
    assert where == sorted(example.where for example in batch)
    lonely = plan_rounds(batch[:1], config, num_processes=2)
    assert [[len(part) for part in parts] for parts in lonely] == [[1, 0]]
