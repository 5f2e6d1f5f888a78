"""What a model's config decides before its weights are loaded: causal or not, how long, which layers."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from finetune_small import save_small_model, train_config, write_examples
from small_models import random_model

from finetune.architecture import cannot_be_loaded, context_length, empty_model
from finetune.config import MethodConfig, model_digest
from finetune.train import fitted, main
from selfinstruct import jsonl
from selfinstruct.errors import UserError

pytestmark = pytest.mark.usefixtures("same_threads_afterwards")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GPT-2 with 256 learnt positions, as `model`, and its data."""
    folder = tmp_path_factory.mktemp("architecture")
    save_small_model(folder / "model", "gpt2")
    write_examples(folder / "train.jsonl")
    return folder


@pytest.mark.parametrize("is_dry", [True, False])
def test_a_length_beyond_the_models_positions_is_refused(world: Path, tmp_path: Path, is_dry: bool) -> None:
    message = "max_length=257: the model's positions end at 256 tokens; lower max_length to 256 or less"
    with pytest.raises(UserError, match=message):
        main(train_config(world, tmp_path / "run", max_length=257, dry_run=is_dry))
    assert not (tmp_path / "run").exists()


def test_without_a_length_given_it_is_the_models_context_or_1024(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = train_config(world, tmp_path / "run", max_length=None, packing=False, batch_size=2)
    words = "red blue cat dog tree fish moon sun yes no " * 40
    record = {"instruction": "Repeat.", "input": words.strip(), "output": "no"}
    jsonl.replace(tmp_path / "long.jsonl", [record, record])
    main(replace(settings, data=str(tmp_path / "long.jsonl"), max_steps=1))
    said = capsys.readouterr().out
    assert "max_length 256: the model's positions end there" in said
    assert "prompts shortened 2" in said
    card = (tmp_path / "run" / "README.md").read_text()
    assert "| dropout of the base model itself | attn_pdrop 0.1, embd_pdrop 0.1, resid_pdrop 0.1 |\n" in card
    save_small_model(tmp_path / "bloom", "bloom")
    assert fitted(replace(settings, model=str(tmp_path / "bloom"))).max_length == 1024


@pytest.mark.parametrize(
    ("rope", "context"),
    [
        ({"rope_type": "default", "rope_theta": 1e4}, 256),
        ({"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}, 1024),
        (
            {
                "rope_type": "yarn",
                "rope_theta": 1e4,
                "factor": 4.0,
                "original_max_position_embeddings": 128,
            },
            512,
        ),
    ],
)
def test_stretched_positions_reach_further(rope: dict[str, Any], context: int) -> None:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = transformers.LlamaConfig(**sizes, max_position_embeddings=256, rope_parameters=rope)
    with torch.device("meta"):
        assert context_length(transformers.LlamaForCausalLM(config)) == context


def test_a_model_that_counts_distances_has_no_limit(world: Path) -> None:
    assert context_length(random_model("bloom")) is None
    assert context_length(random_model("mamba")) is None


@pytest.mark.parametrize("is_dry", [True, False])
@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (["c_attn", "nope"], "the model has no nope; its linear layers are c_attn, c_fc, c_proj, lm_head"),
        (["attn.nope"], r"the model has no attn\.nope"),
        ("c_attn", r"none matches; .*give a list: method\.target_modules=\[c_attn\]"),
    ],
)
def test_target_modules_that_match_nothing_are_refused(
    world: Path, tmp_path: Path, targets: Any, message: str, is_dry: bool
) -> None:
    method = MethodConfig(target_modules=targets)
    with pytest.raises(UserError, match=message):
        main(train_config(world, tmp_path / "run", method=method, dry_run=is_dry))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("targets", [["c_attn"], ["attn.c_attn"], r".*\.0\..*c_attn"])
def test_target_modules_are_names_their_ends_or_a_pattern(world: Path, tmp_path: Path, targets: Any) -> None:
    config = train_config(world, tmp_path / "run", method=MethodConfig(target_modules=targets))
    assert fitted(config).method.target_modules == targets  # taken, not refused


def test_an_encoder_decoder_is_refused_in_a_line_before_the_data_is_read(world: Path, tmp_path: Path) -> None:
    config = transformers.T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=1, vocab_size=8)
    config.save_pretrained(tmp_path / "t5")
    settings = train_config(world, tmp_path / "run", model=str(tmp_path / "t5"), data="nowhere.jsonl")
    with pytest.raises(UserError, match="t5 is an encoder-decoder; give a causal language model") as caught:
        main(settings)
    assert len(str(caught.value)) < 300


def test_another_kind_of_model_is_refused_with_the_advice_first(world: Path, tmp_path: Path) -> None:
    transformers.ViTConfig().save_pretrained(tmp_path / "vit")
    with pytest.raises(UserError, match=r"cannot be loaded; give the folder or hub id of a causal") as caught:
        empty_model(train_config(world, tmp_path / "run", model=str(tmp_path / "vit")))
    assert len(str(caught.value)) < 600


def test_a_model_with_code_of_its_own_needs_our_key(world: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(world / "model", folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.LM"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text("raise RuntimeError('was run')\n")
    with pytest.raises(UserError, match=r"read it, and give trust_remote_code=true to run it$"):
        main(train_config(world, tmp_path / "run", model=str(folder)))


def test_pickled_weights_are_refused_with_the_way_to_convert_them(world: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(world / "model", folder)
    (folder / "model.safetensors").unlink()
    torch.save(random_model("gpt2").state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pickled .*only safetensors are read.*save_pretrained") as caught:
        model_digest(str(folder))
    code = str(caught.value).partition('-c "')[2].rstrip('"')
    exec(code, {})  # what the message says works
    model_digest(str(folder))


def test_what_transformers_says_is_cut_short(world: Path, tmp_path: Path) -> None:
    refusal = cannot_be_loaded(train_config(world, tmp_path), ValueError("words " * 1000))
    assert len(str(refusal)) < 600
