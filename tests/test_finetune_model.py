"""What is trained, and that padding, micro-batches and processes do not change the loss or its gradients."""

from pathlib import Path

import pytest
import torch
from finetune_small import CORPUS, byte_level_tokenizer, save_small_model
from small_models import random_model

from finetune.batching import collate, untrained
from finetune.config import MethodConfig, TrainConfig
from finetune.examples import Example, TokenisedExample, tokenise
from finetune.model import completion_loss, load_model, trainable

CPU = torch.device("cpu")


def examples() -> list[TokenisedExample]:
    tokenizer = byte_level_tokenizer()
    texts = [text.split("Output:") for text in CORPUS]
    pairs = [Example("f:1", prompt + "Output:", completion) for prompt, completion in texts]
    return tokenise(pairs, tokenizer, tokenizer.eos_token_id, 100)[0]


def loss_and_gradients(
    model: torch.nn.Module, batches: list[list[TokenisedExample]]
) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    total = 0.0
    for batch in batches:
        loss = completion_loss(model, collate(batch, CPU), torch.float32)
        loss.backward()
        total += float(loss.detach())
    return total, {
        name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None
    }


@pytest.mark.parametrize("architecture", ["llama", "lfm2"])
def test_a_padded_batch_has_the_loss_and_gradients_of_its_examples_one_by_one(architecture: str) -> None:
    batch = examples()
    assert len({len(example.ids) for example in batch}) == 3  # so there is padding
    model = random_model(architecture)
    one_by_one, expected = loss_and_gradients(model, [[example] for example in batch])
    padded, found = loss_and_gradients(model, [batch])
    assert padded == pytest.approx(one_by_one, rel=1e-6)
    assert len(found) == len(list(model.parameters()))
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-4, msg=name)


def test_the_loss_is_the_sum_over_trained_tokens_alone() -> None:
    model = random_model("llama")
    example = examples()[0]
    log_probabilities = model(torch.tensor([example.ids])).logits[0].detach().log_softmax(-1)
    positions = range(example.num_prompt, len(example.ids))
    by_hand = -sum(float(log_probabilities[place - 1, example.ids[place]]) for place in positions)
    assert loss_and_gradients(model, [[example]])[0] == pytest.approx(by_hand, rel=1e-5)


def test_a_process_without_examples_adds_nothing() -> None:
    model = random_model("llama")
    loss, gradients = loss_and_gradients(model, [untrained(examples()[:1])])
    assert loss == 0
    assert all(float(gradient.abs().max()) == 0 for gradient in gradients.values())


def config(folder: Path, **settings: object) -> TrainConfig:
    return TrainConfig(run_dir=folder / "run", data="d.jsonl", model=str(folder), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("architecture", ["llama", "lfm2"])
def test_lora_trains_adapters_of_every_linear_layer_but_the_head(tmp_path: Path, architecture: str) -> None:
    save_small_model(tmp_path, architecture)
    model = load_model(config(tmp_path), torch.float32)
    assert all("lora_" in name for name in trainable(model))
    adapted = {name.split(".lora_")[0] for name in trainable(model)}
    linear = {
        name.removesuffix(".base_layer")
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and "lora_" not in name and "lm_head" not in name
    }
    assert adapted == linear
    assert len(linear) == {"llama": 21, "lfm2": 17}[architecture]


def test_the_base_model_is_untouched_by_a_step(tmp_path: Path) -> None:
    save_small_model(tmp_path)
    model = load_model(config(tmp_path), torch.float32)
    before = {name: value.clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=0.1)
    for _ in range(2):
        loss_and_gradients(model, [examples()])
        optimizer.step()
    changed = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert changed == set(trainable(model))


def test_gradient_checkpointing_gives_the_same_gradients(tmp_path: Path) -> None:
    save_small_model(tmp_path)
    plain = load_model(config(tmp_path), torch.float32).train()
    saving = load_model(config(tmp_path, gradient_checkpointing=True), torch.float32).train()
    assert saving.is_gradient_checkpointing
    expected_loss, expected = loss_and_gradients(plain, [examples()])
    loss, found = loss_and_gradients(saving, [examples()])
    assert loss == expected_loss
    assert expected.keys() == found.keys()
    assert all(torch.equal(found[name], gradient) for name, gradient in expected.items())


def test_adapters_are_float32_on_a_bfloat16_model(tmp_path: Path) -> None:
    save_small_model(tmp_path)
    model = load_model(config(tmp_path, method=MethodConfig(r=4)), torch.bfloat16)
    assert {value.dtype for value in trainable(model).values()} == {torch.float32}
    assert model.base_model.model.lm_head.weight.dtype == torch.bfloat16
    loss = completion_loss(model, collate(examples(), CPU), torch.bfloat16)
    assert torch.isfinite(loss)
