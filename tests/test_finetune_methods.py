"""Ways of training (LoRA and its kin, full), packing in whole runs, and what is said when memory runs out."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from finetune_small import save_small_model, train_config, write_examples, write_world
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file
from small_models import random_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from finetune import checkpoints, train
from finetune.batching import collate
from finetune.config import MethodConfig, TrainConfig
from finetune.examples import TokenisedExample
from finetune.failures import advice_when_memory_runs_out
from finetune.model import completion_loss, load_model, trainable
from finetune.noise import EmbeddingNoise
from finetune.train import learning_rate, main
from finetune.tuning import Tuning
from selfinstruct import jsonl
from selfinstruct.errors import UserError

pytestmark = pytest.mark.usefixtures("same_threads_afterwards")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("methods"))


def losses(run_dir: Path) -> list[float]:
    return [line.get("loss", line.get("eval_loss")) for line in jsonl.read(run_dir / "metrics.jsonl")]


def test_packing_and_token_budgets_change_no_loss_of_a_run(world: Path, tmp_path: Path) -> None:
    held_out = {"eval_data": str(world / "train.jsonl")}
    main(train_config(world, tmp_path / "one_by_one", micro_batch_size=1, packing=False, **held_out))
    main(train_config(world, tmp_path / "packed", packing=True, **held_out))
    main(train_config(world, tmp_path / "budget", packing=False, micro_batch_tokens=90, **held_out))
    expected = losses(tmp_path / "one_by_one")
    assert len(expected) == 7
    assert losses(tmp_path / "packed") == pytest.approx(expected, abs=1e-5)
    assert losses(tmp_path / "budget") == pytest.approx(expected, abs=1e-5)


def test_full_finetuning_leaves_a_model_and_continues_after_a_stop(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"method": MethodConfig("full"), "learning_rate": 1e-3}
    main(train_config(world, tmp_path / "whole", **settings))
    monkeypatch.setattr(train, "learning_rate", fail_at_step_5)
    with pytest.raises(MemoryError):
        main(train_config(world, tmp_path / "cut", **settings))
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "cut" / "checkpoints").iterdir()] != []
    main(train_config(world, tmp_path / "cut", **settings))
    for name in ("model/model.safetensors", "metrics.jsonl", "README.md"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert not (tmp_path / "cut" / "adapter").exists()
    before = load_file(world / "model" / "model.safetensors")
    after = load_file(tmp_path / "whole" / "model" / "model.safetensors")
    assert {name for name in before if torch.equal(before[name], after[name])} == set()
    AutoTokenizer.from_pretrained(tmp_path / "cut" / "model")
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "cut" / "model").config.use_cache
    assert "all weights" in (tmp_path / "cut" / "README.md").read_text()


def fail_at_step_5(settings: TrainConfig, step: int, num_steps: int) -> float:
    if step == 5:
        raise MemoryError("as if killed")
    return learning_rate(settings, step, num_steps)


@pytest.mark.parametrize("architecture", ["lfm2", "gpt2"])
@pytest.mark.parametrize("kind", ["rslora", "dora"])
def test_kin_of_lora_learn_and_leave_an_adapter(tmp_path: Path, architecture: str, kind: str) -> None:
    save_small_model(tmp_path / "model", architecture)
    write_examples(tmp_path / "train.jsonl")
    main(train_config(tmp_path, tmp_path / "run", method=MethodConfig(r=4, alpha=8, **{kind: True})))
    found = losses(tmp_path / "run")
    assert found[-1] < found[0] - 0.3
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    adapter = PeftModel.from_pretrained(base, tmp_path / "run" / "adapter")
    settings = adapter.peft_config["default"]
    assert (settings.use_rslora, settings.use_dora) == (kind == "rslora", kind == "dora")
    saved = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
    assert any("magnitude" in name for name in saved) == (kind == "dora")


def test_rslora_scales_by_the_root_of_the_rank(world: Path, tmp_path: Path) -> None:
    def scales(**kind: bool) -> set[float]:
        model = load_model(
            train_config(world, tmp_path, method=MethodConfig(r=16, alpha=8, **kind)), torch.float32
        )
        return {module.scaling["default"] for module in model.modules() if isinstance(module, LoraLayer)}

    assert (scales(), scales(rslora=True)) == ({0.5}, {2.0})


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "gpt neox", "mamba", "linear attention"])
def test_all_linear_finds_the_modules_of_any_architecture(tmp_path: Path, architecture: str) -> None:
    save_small_model(tmp_path / "model", architecture)
    model = load_model(train_config(tmp_path, tmp_path / "run"), torch.float32)
    adapted = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in trainable(model)}
    assert len(adapted) >= 3
    assert not adapted & {"lm_head", "embed_out"}


def test_4_bits_without_a_gpu_are_refused_before_anything_is_written(world: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(UserError, match=r"method=qlora: .*need a CUDA GPU.*use method=lora"):
        main(train_config(world, tmp_path / "run", method=MethodConfig("qlora")))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("packing", [True, False])
def test_neftune_noise_is_bound_by_the_examples_own_length_and_is_off_in_evaluation(packing: bool) -> None:
    model = random_model("llama").train()
    EmbeddingNoise(model, alpha=5)
    examples = [TokenisedExample(f"f:{n}", list(range(5, 5 + n)), 1) for n in (3, 40)]
    batch = collate(examples, torch.device("cpu"), packing)
    clean = model.model.embed_tokens.weight[batch.input_ids]
    seen: list[torch.Tensor] = []
    model.model.layers[0].register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()))
    completion_loss(model, batch, torch.float32)
    noise = (seen[0] - clean).detach().abs()
    short = noise[0, :3]
    long = noise[0, 3:] if packing else noise[1]
    for part, length in ((short, 3), (long, 40)):
        bound = 5 / math.sqrt(length * 32)
        assert 0.8 * bound < float(part.max()) <= bound * 1.001
    model.eval()
    completion_loss(model, batch, torch.float32)
    assert torch.equal(seen[1], clean)


def test_only_the_logits_of_trained_tokens_are_computed() -> None:
    model = random_model("llama")
    sizes: list[int] = []
    model.lm_head.register_forward_hook(lambda _, args, output: sizes.append(output.numel() // 400))
    examples = [TokenisedExample(f"f:{n}", list(range(n)), n - 4) for n in (30, 50)]
    completion_loss(model, collate(examples, torch.device("cpu"), packing=True), torch.float32)
    assert sizes == [8]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, r"To continue: lower micro_batch_tokens \(now 64\), or set gradient_checkpointing=true\."),
        ({"packing": False}, r"lower micro_batch_size \(now 4\)"),
        (
            {"packing": False, "micro_batch_size": 1, "gradient_checkpointing": True},
            r"\)\. In a new run_dir: lower",
        ),
        ({"method": MethodConfig("full")}, r"lower max_length \(now 64\), or method=lora\.$"),
    ],
)
def test_when_memory_runs_out_the_settings_that_help_are_named(
    world: Path, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with (
        pytest.raises(UserError, match=f"^step 3: out of memory .*{message}"),
        advice_when_memory_runs_out(train_config(world, tmp_path, **settings), "step 3"),
    ):
        torch.empty(2**60)  # the allocator's own refusal
    with (
        pytest.raises(UserError, match="out of memory"),
        advice_when_memory_runs_out(train_config(world, tmp_path), "step 3"),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    with (
        pytest.raises(RuntimeError, match="shape"),
        advice_when_memory_runs_out(train_config(world, tmp_path), ""),
    ):
        raise RuntimeError("shape mismatch")


def test_a_run_out_of_memory_continues_with_the_lower_setting(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backward = Tuning.backward

    def out_of_memory(tuning: Tuning, number: int, batch: list[TokenisedExample]) -> float:
        if number == 4:
            torch.empty(2**60)
        return backward(tuning, number, batch)

    monkeypatch.setattr(Tuning, "backward", out_of_memory)
    with pytest.raises(UserError, match=re.escape("step 4: out of memory")):
        main(train_config(world, tmp_path / "run"))
    monkeypatch.undo()
    main(train_config(world, tmp_path / "run", micro_batch_tokens=32, gradient_checkpointing=True))
    assert "continuing after step 2" in capsys.readouterr().out
    main(train_config(world, tmp_path / "whole"))
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "whole"), abs=1e-5)
    assert checkpoints.newest(tmp_path / "run" / "checkpoints", print)
