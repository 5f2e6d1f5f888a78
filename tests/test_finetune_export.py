"""What a run leaves behind: a merged model that answers as the adapter does, curves, scores in the card."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from finetune_small import train_config, write_world
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from finetune.config import MethodConfig, TrainConfig
from finetune.curves import draw_curves
from finetune.train import main
from selfinstruct import jsonl
from selfinstruct.errors import UserError

pytestmark = pytest.mark.usefixtures("same_threads_afterwards")
SCORE = {"value": 12.34, "low": 10.0, "high": 14.06}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("export"))


def greedy(model: Any, tokenizer: Any, prompt: str) -> str:
    ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
    written = model.generate(ids, max_new_tokens=12, do_sample=False, pad_token_id=0)
    return tokenizer.decode(written[0])


def test_the_merged_model_answers_as_base_and_adapter_do_and_can_be_asked_for_afterwards(
    world: Path, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    main(train_config(world, run_dir))
    assert not (run_dir / "model").exists()
    main(train_config(world, run_dir, export="merged"))  # complete already: merges, trains nothing
    tokenizer = AutoTokenizer.from_pretrained(run_dir / "model")
    merged = AutoModelForCausalLM.from_pretrained(run_dir / "model")
    base = AutoModelForCausalLM.from_pretrained(world / "model")
    prompts = [record["prompt"] for record in jsonl.read(world / "train.jsonl")]
    plain = [greedy(base, tokenizer, prompt) for prompt in prompts]
    adapted = PeftModel.from_pretrained(base, run_dir / "adapter")
    answers = [greedy(adapted, tokenizer, prompt) for prompt in prompts]
    assert [greedy(merged, tokenizer, prompt) for prompt in prompts] == answers != plain

    main(train_config(world, tmp_path / "at_once", export="merged"))
    names = [path.name for path in (run_dir / "model").iterdir()]
    assert "model.safetensors" in names
    for name in names:
        assert (tmp_path / "at_once" / "model" / name).read_bytes() == (run_dir / "model" / name).read_bytes()
    assert 'from_pretrained("model")' in (tmp_path / "at_once" / "README.md").read_text()


@pytest.mark.parametrize(("method", "output"), [("lora", "adapter"), ("full", "model")])
def test_a_result_that_was_removed_is_made_again_with_the_same_bytes(
    world: Path, tmp_path: Path, method: str, output: str
) -> None:
    settings = train_config(world, tmp_path / "run", max_steps=1, method=MethodConfig(method, r=4))
    main(settings)
    folder = tmp_path / "run" / output
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o666 & ~umask()}
    shutil.rmtree(folder)
    main(settings)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    for path in folder.glob("*.safetensors"):  # the folder is there, its weights are not
        path.unlink()
    main(settings)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    shutil.rmtree(folder)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    with pytest.raises(UserError, match=rf"run/{output}: is gone.*train in a new run_dir"):
        main(settings)


def test_the_card_of_a_merged_run_names_both(world: Path, tmp_path: Path) -> None:
    main(train_config(world, tmp_path / "run", max_steps=1, export="merged"))
    card = (tmp_path / "run" / "README.md").read_text()
    assert f"# `{world / 'model'}` and its LoRA adapter, tuned on instructions" in card


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_curves_are_drawn_with_equal_bytes_and_shown_in_the_card(world: Path, tmp_path: Path) -> None:
    main(train_config(world, tmp_path / "run"))
    figure = tmp_path / "run" / "figures" / "training"
    assert "](figures/training.svg)" in (tmp_path / "run" / "README.md").read_text()
    draw_curves(tmp_path / "again", jsonl.read(tmp_path / "run" / "metrics.jsonl"))
    for kind in (".svg", ".png"):
        assert figure.with_suffix(kind).read_bytes() == (tmp_path / "again").with_suffix(kind).read_bytes()
    other = [line | {"loss": 1.0} for line in jsonl.read(tmp_path / "run" / "metrics.jsonl")]
    draw_curves(tmp_path / "other", other)
    assert (tmp_path / "other.svg").read_bytes() != (tmp_path / "again.svg").read_bytes()


def test_tensorboard_has_each_step_once_also_after_a_restart(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from finetune import train

    settings = train_config(world, tmp_path / "run", tracker="tensorboard", checkpoint_every=2)
    rate = train.learning_rate

    def fail_at_step_4(settings: TrainConfig, step: int, num_steps: int) -> float:
        if step == 4:
            raise MemoryError("as if killed")
        return rate(settings, step, num_steps)

    monkeypatch.setattr(train, "learning_rate", fail_at_step_4)
    with pytest.raises(MemoryError):
        main(settings)
    monkeypatch.undo()
    main(settings)
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    lines = jsonl.read(tmp_path / "run" / "metrics.jsonl")
    for key in ("loss", "learning_rate", "grad_norm"):
        found = [(event.step, event.value) for event in events.Scalars(key)]
        assert [step for step, _ in found] == [1, 2, 3, 4, 5, 6]
        assert [value for _, value in found] == pytest.approx([line[key] for line in lines], rel=1e-6)


def test_a_tracker_that_is_not_installed_is_refused_before_anything_is_written(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="tracker=wandb: the package is not installed; pip install wandb"):
        main(train_config(world, tmp_path / "run", tracker="wandb"))
    assert not (tmp_path / "run").exists()


def write_scores(folder: Path, label: str) -> str:
    folder.mkdir()
    overall = {"rougeL": SCORE, "exact_match": {"value": 1.0}, "n": 100}
    (folder / "metrics.json").write_text(json.dumps({"overall": overall, "benchmark": {"label": label}}))
    return str(folder)


def test_scores_of_evaluations_come_into_the_card_also_afterwards(world: Path, tmp_path: Path) -> None:
    first, second = (write_scores(tmp_path / name, f"{name} benchmark") for name in ("one", "two"))
    card = tmp_path / "run" / "README.md"
    main(train_config(world, tmp_path / "run", max_steps=1, evaluations=[first]))
    assert "| one benchmark |" in card.read_text()
    assert "| 100 | 12.3 [10.0, 14.1] | 1.0 |" in card.read_text()
    before = card.read_text()
    main(train_config(world, tmp_path / "run", max_steps=1, evaluations=[second]))
    assert "one benchmark" not in card.read_text() and "| two benchmark |" in card.read_text()
    main(train_config(world, tmp_path / "run", max_steps=1, evaluations=[first]))
    assert card.read_text() == before
    with pytest.raises(UserError, match=r"evaluations: .*nothing.*holds no scores"):
        main(train_config(world, tmp_path / "run", max_steps=1, evaluations=[str(tmp_path / "nothing")]))
