"""Whole runs of finetune/train.py on a small model: the loss, restarts, several processes, refusals."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from finetune_small import train_config, write_examples, write_world
from peft import PeftModel
from process_groups import run_group
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from finetune import checkpoints
from finetune.batching import plan_steps
from finetune.config import MethodConfig, TrainConfig
from finetune.examples import Example, tokenise
from finetune.model import load_model, trainable
from finetune.train import learning_rate, main
from selfinstruct import jsonl
from selfinstruct.errors import UserError

pytestmark = pytest.mark.usefixtures("same_threads_afterwards")
ROOT = Path(__file__).parents[1]
TORCHRUN = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc_per_node", "2"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("finetune"))


def words(world: Path, run_dir: Path, *more: str) -> list[str]:
    """The command line of `train_config`, twelve steps."""
    given = [f"run_dir={run_dir}", f"data={world}/train.jsonl", f"model={world}/model", "epochs=4"]
    given += ["batch_size=8", "micro_batch_size=4", "learning_rate=1e-2", "max_length=64", "threads=1"]
    return [
        str(ROOT / "finetune/train.py"),
        *given,
        "checkpoint_every=2",
        "method.r=4",
        "method.alpha=8",
        *more,
    ]


def result(run_dir: Path) -> dict[str, bytes]:
    """The bytes that the same run must reproduce."""
    adapter = {file.name: file.read_bytes() for file in (run_dir / "adapter").iterdir()}
    return adapter | {name: (run_dir / name).read_bytes() for name in ("metrics.jsonl", "README.md")}


def manifest(run_dir: Path) -> dict[str, Any]:
    return json.loads((run_dir / "manifest.json").read_text())


def losses(run_dir: Path) -> list[float]:
    return [line["loss"] for line in jsonl.read(run_dir / "metrics.jsonl") if "loss" in line]


def test_the_losses_are_those_of_a_loop_written_by_hand(world: Path, tmp_path: Path) -> None:
    settings = train_config(world, tmp_path / "run", weight_decay=0.1, max_grad_norm=0.5, schedule="linear")
    main(settings)

    tokenizer = AutoTokenizer.from_pretrained(world / "model")
    records = jsonl.read(world / "train.jsonl")
    texts = [Example("", record["prompt"], record["completion"]) for record in records]
    examples, _ = tokenise(texts, tokenizer, tokenizer.eos_token_id, 64)
    lengths = [len(example.ids) for example in examples]
    steps = plan_steps(lengths, batch_size=8, epochs=2, seed=1)
    model = load_model(settings, torch.float32)
    optimizer = torch.optim.AdamW(trainable(model).values(), weight_decay=0.1)
    expected, norms = [], []
    for number, step in enumerate(steps, start=1):
        terms = []
        for example in (examples[index] for index in step.batch):
            logits = model(torch.tensor([example.ids])).logits[0].log_softmax(-1)
            places = range(example.num_prompt, len(example.ids))
            terms += [-logits[place - 1, example.ids[place]] for place in places]
        loss = torch.stack(terms).mean()
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(trainable(model).values(), 0.5)))
        optimizer.param_groups[0]["lr"] = 1e-2 * [1, 1, 0.8, 0.6, 0.4, 0.2][number - 1]  # one step of warm-up
        optimizer.step()
        expected.append(loss.item())
    assert losses(tmp_path / "run") == pytest.approx(expected, abs=2e-5)
    found = [line["grad_norm"] for line in jsonl.read(tmp_path / "run" / "metrics.jsonl")]
    assert found == pytest.approx(norms, rel=1e-3)  # AdamW hides a wrong scale, this does not
    assert expected[-1] < expected[0] - 0.5  # it learns


def test_a_run_leaves_an_adapter_that_peft_loads_and_a_card(world: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    main(train_config(world, run_dir, eval_data=str(world / "train.jsonl")))
    base = AutoModelForCausalLM.from_pretrained(world / "model")
    adapted = PeftModel.from_pretrained(base, run_dir / "adapter")
    saved = load_file(run_dir / "adapter" / "adapter_model.safetensors")
    assert len(saved) == 2 * 17  # two matrices for each linear layer of the small Lfm2
    assert any(float(value.abs().max()) > 0 for name, value in saved.items() if "lora_B" in name)
    assert adapted.peft_config["default"].base_model_name_or_path == str(world / "model")
    state = manifest(run_dir)
    assert state["status"] == "complete"
    assert (state["num_processes"], state["device"], state["dtype"]) == (1, "cpu", "float32")
    counts = state["steps"]["train"]["counts"]
    assert counts["examples"] == 24
    evaluation = jsonl.read(run_dir / "metrics.jsonl")[-1]
    assert evaluation == {"step": 6, "eval_loss": counts["eval_loss"]}
    assert counts["eval_loss"] < losses(run_dir)[0]
    card = (run_dir / "README.md").read_text()
    assert "24 | 24 |" in card and f"{counts['final_loss']:.4f}" in card and "licence" in card
    assert [path.name for path in (run_dir / "checkpoints").iterdir()] == ["step_00000006"]


@pytest.mark.parametrize("packing", [True, False])
def test_dropout_and_micro_batches_come_out_the_same_after_a_restart_in_the_middle(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: bool
) -> None:
    settings = {"method": MethodConfig(r=4, dropout=0.2), "eval_data": str(world / "train.jsonl")}
    settings |= {"packing": packing, "neftune_alpha": 5.0}
    main(train_config(world, tmp_path / "whole", **settings))
    save = checkpoints.save

    def save_and_die(folder: Path, step: int, *rest: Any) -> None:
        save(folder, step, *rest)
        if step == 4:
            raise MemoryError("as if killed")

    monkeypatch.setattr(checkpoints, "save", save_and_die)
    with pytest.raises(MemoryError):
        main(train_config(world, tmp_path / "cut", **settings))
    monkeypatch.undo()
    main(train_config(world, tmp_path / "cut", **settings))
    assert result(tmp_path / "cut") == result(tmp_path / "whole")


@pytest.fixture(scope="module")
def whole(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing has stopped."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    done = run_group(sys.executable, *words(world, folder), PYTHONHASHSEED="1")
    assert done.returncode == 0, done.stderr
    return folder


def signal_after(
    command: list[str], run_dir: Path, num_lines: int, number: signal.Signals, **environment: str
) -> tuple[int, str, int]:
    """Start the command and signal its last process when it has written so many steps.

    Returns its exit code, what it said to stderr, and how many steps stand there.
    """
    metrics = run_dir / "metrics.jsonl"
    given, quiet, pipe = (
        os.environ | {"HF_HUB_OFFLINE": "1"} | environment,
        subprocess.DEVNULL,
        subprocess.PIPE,
    )
    process = subprocess.Popen(command, stdout=quiet, stderr=pipe, env=given, text=True)
    try:
        while process.poll() is None:
            if metrics.exists() and metrics.read_bytes().count(b"\n") >= num_lines:
                family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
                family[-1].send_signal(number)
                break
            time.sleep(0.01)
        _, said = process.communicate(timeout=200)
    finally:
        process.kill()
        process.wait()
    return process.returncode, said, metrics.read_bytes().count(b"\n")


def kill_after(command: list[str], run_dir: Path, num_lines: int) -> int:
    """Start the command, kill -9 it when it has written so many steps; returns how many stand there."""
    code, _, num_steps = signal_after(command, run_dir, num_lines, signal.SIGKILL)
    assert code == -signal.SIGKILL
    return num_steps


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)])
def test_told_to_end_it_saves_the_running_step_and_goes_on_from_there(
    world: Path, whole: Path, tmp_path: Path, number: signal.Signals
) -> None:
    run_dir = tmp_path / "cut"
    cut = [sys.executable, *words(world, run_dir, "checkpoint_every=null")]
    code, said, num_steps = signal_after(cut, run_dir, 3, number)
    assert (code, 3 <= num_steps < 12) == (3, True)
    message = f"interrupted, and saved after step {num_steps} of 12; start again with the same words to go on"
    assert f"stopped: {message}" in said and message in (run_dir / "run.log").read_text()
    assert [path.name for path in (run_dir / "checkpoints").iterdir()] == [f"step_{num_steps:08d}"]
    assert manifest(run_dir)["status"] == "stopped"
    assert run_group(*cut).returncode == 0
    assert result(run_dir) == result(whole)


def test_one_of_two_processes_told_to_end_both_stop_after_the_same_step(world: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "cut"
    command = [*TORCHRUN, *words(world, run_dir, "checkpoint_every=null")]
    _, said, num_steps = signal_after(command, run_dir, 3, signal.SIGTERM, ACCELERATE_USE_CPU="true")
    assert said.count(f"stopped: interrupted, and saved after step {num_steps} of 12") == 1
    assert [path.name for path in (run_dir / "checkpoints").iterdir()] == [f"step_{num_steps:08d}"]
    again = run_group(*command, ACCELERATE_USE_CPU="true")
    assert again.returncode == 0, again.stderr
    assert f"continuing after step {num_steps}" in again.stdout
    assert len(losses(run_dir)) == 12


def test_killed_twice_and_started_again_it_ends_with_the_same_bytes(
    world: Path, whole: Path, tmp_path: Path
) -> None:
    cut = [sys.executable, *words(world, tmp_path / "cut")]
    assert 3 <= kill_after(cut, tmp_path / "cut", 3) < 12
    assert 7 <= kill_after(cut, tmp_path / "cut", 7) < 12
    assert manifest(tmp_path / "cut")["steps"]["train"]["status"] == "running"
    last = run_group(*cut, PYTHONHASHSEED="2")
    assert last.returncode == 0, last.stderr
    assert "continuing after step" in last.stdout
    assert len(losses(tmp_path / "cut")) == 12
    assert result(tmp_path / "cut") == result(whole)
    again = run_group(*cut)
    assert (again.returncode, "complete already" in again.stdout) == (0, True)


@pytest.mark.parametrize(
    "parts",
    [
        ["packing=false", "micro_batch_size=2"],
        ["packing=true", "micro_batch_tokens=64"],
    ],
)
def test_two_processes_have_the_losses_of_one(world: Path, tmp_path: Path, parts: list[str]) -> None:
    main(train_config(world, tmp_path / "one", epochs=4, packing=False))
    # Small micro-batches: each process accumulates over two rounds before gradients are exchanged.
    command = [*TORCHRUN, *words(world, tmp_path / "two", *parts)]
    two = run_group(*command, ACCELERATE_USE_CPU="true")
    assert two.returncode == 0, two.stderr
    assert manifest(tmp_path / "two")["num_processes"] == 2
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-5)
    assert two.stdout.count("12 steps") == 1  # one voice
    again = run_group(*command, ACCELERATE_USE_CPU="true")
    assert (again.returncode, again.stdout.count("complete already")) == (0, 1)


def test_bad_data_ends_two_processes_with_one_message(world: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"prompt": "p"}\n')
    done = run_group(*TORCHRUN, *words(world, tmp_path / "run", f"data={bad}"), ACCELERATE_USE_CPU="true")
    assert done.returncode != 0
    assert done.stderr.count("error: ") == 1
    assert f'{bad}:1: "completion" is missing' in done.stderr
    assert not (tmp_path / "run").exists()


def test_bad_data_ends_with_2_and_one_message_without_waiting_for_torch(world: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"prompt": "p", "completion": "c"}\n{"prompt": 1, "completion": "c"}\n')
    spy = "import runpy, sys\ntry: runpy.run_path(sys.argv[0], run_name='__main__')\n"
    spy += "finally: assert 'torch' not in sys.modules\n"
    command = words(world, tmp_path / "run", f"data={bad}")
    done = run_group(sys.executable, "-c", f"import sys; sys.argv = {command}\n{spy}")
    assert done.returncode == 2
    assert done.stderr == f'error: {bad}:2: "prompt" is a int; it must be text\n'


def test_other_settings_are_refused_and_named(world: Path, tmp_path: Path) -> None:
    main(train_config(world, tmp_path / "run", max_steps=1))
    main(train_config(world, tmp_path / "run", max_steps=1, checkpoint_every=7, preview=2))  # decide nothing
    with pytest.raises(UserError, match=r"learning_rate: was 0\.01, is now 0\.02"):
        main(train_config(world, tmp_path / "run", max_steps=1, learning_rate=0.02))
    changed = write_examples(tmp_path / "train.jsonl", count=25)
    with pytest.raises(UserError, match=r"data\.0\.sha256: was '[0-9a-f]{64}', is now"):
        main(train_config(world, tmp_path / "run", max_steps=1, data=str(changed)))
    with pytest.raises(UserError, match=rf"data\.0 is {changed}: what it holds is not what it was$"):
        main(train_config(world, tmp_path / "run", max_steps=1, data=str(changed)))
    moved = shutil.copy(world / "train.jsonl", tmp_path / "moved.jsonl")
    main(train_config(world, tmp_path / "run", max_steps=1, data=str(moved)))  # the same bytes


@pytest.mark.parametrize(("file", "kept"), [("weights.safetensors", -1), ("optimizer.safetensors", -100)])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    world: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    kept: int,
) -> None:
    main(train_config(world, tmp_path / "whole"))
    run_dir = tmp_path / "cut"
    monkeypatch.setattr("finetune.train.learning_rate", _fail_at_step_6)
    with pytest.raises(MemoryError):
        main(train_config(world, run_dir))
    monkeypatch.undo()
    damaged = run_dir / "checkpoints" / "step_00000004" / file
    damaged.write_bytes(damaged.read_bytes()[:kept])
    capsys.readouterr()
    main(train_config(world, run_dir))
    said = capsys.readouterr().out
    assert f"step_00000004: damaged ({file} is not what was written)" in said
    assert "passed over for the one before" in said and "continuing after step 2" in said
    assert f"step_00000004: damaged ({file}" in (run_dir / "run.log").read_text()
    assert result(run_dir) == result(tmp_path / "whole")


def test_where_every_checkpoint_is_damaged_it_says_that_training_begins_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in (2, 4):
        (tmp_path / f"step_{step:08d}").mkdir()
    assert checkpoints.newest(tmp_path, print) is None
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("passed over for the one before")
    assert "step_00000002: damaged" in second and second.endswith("none is before it: training begins anew")


def test_a_checkpoint_holds_weights_and_optimizer_by_name_and_nothing_pickled(
    world: Path, tmp_path: Path
) -> None:
    main(train_config(world, tmp_path / "run", max_steps=1))
    (folder,) = (tmp_path / "run" / "checkpoints").iterdir()
    files = {"weights.safetensors", "optimizer.safetensors", "metrics.jsonl", "checkpoint.json"}
    assert {path.name for path in folder.iterdir()} == files
    weights, state = load_file(folder / "weights.safetensors"), load_file(folder / "optimizer.safetensors")
    kinds = ("step", "exp_avg", "exp_avg_sq")
    assert state.keys() == {f"{name}.{kind}" for name in weights for kind in kinds}
    for name, value in weights.items():
        assert float(state[f"{name}.step"]) == 1
        assert state[f"{name}.exp_avg"].shape == state[f"{name}.exp_avg_sq"].shape == value.shape


def test_a_checkpoint_of_an_earlier_version_is_refused_and_not_started_over(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = tmp_path / "run"
    monkeypatch.setattr("finetune.train.learning_rate", _fail_at_step_6)
    with pytest.raises(MemoryError):
        main(train_config(world, run_dir))
    monkeypatch.undo()
    checkpoint = run_dir / "checkpoints" / "step_00000004"
    (checkpoint / "optimizer.safetensors").rename(checkpoint / "optimizer.pt")
    seal = (checkpoint / "checkpoint.json").read_text()
    (checkpoint / "checkpoint.json").write_text(seal.replace("optimizer.safetensors", "optimizer.pt"))
    message = rf"step_00000004: .*earlier version.*remove {run_dir / 'checkpoints'} to train from the first"
    with pytest.raises(UserError, match=message):
        main(train_config(world, run_dir))
    assert checkpoint.exists() and len(losses(run_dir)) == 5  # nothing is lost
    shutil.rmtree(run_dir / "checkpoints")
    main(train_config(world, run_dir))
    assert len(losses(run_dir)) == 6


def _fail_at_step_6(settings: TrainConfig, step: int, num_steps: int) -> float:
    if step == 6:
        raise MemoryError("as if killed")
    return learning_rate(settings, step, num_steps)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_batch(world: Path, tmp_path: Path) -> None:
    file = tmp_path / "run" / "not_finite_step_2.jsonl"
    message = rf"step 2: loss (nan|inf).*lower learning_rate in a new run_dir.*train\.jsonl:\d+ on, in {file}"
    with pytest.raises(UserError, match=message):
        main(train_config(world, tmp_path / "run", learning_rate=1e30, max_grad_norm=1e30))
    assert len(losses(tmp_path / "run")) == 1
    assert manifest(tmp_path / "run")["status"] == "stopped"
    batch = jsonl.read(file)
    assert len(batch) == 8
    lines = (world / "train.jsonl").read_text().splitlines()
    for record in batch:
        original = json.loads(lines[int(record["where"].rsplit(":", 1)[1]) - 1])
        assert (record["prompt"], record["completion"]) == (
            original["prompt"],
            original["completion"] + "<end>",
        )


def test_the_learning_rate_warms_up_and_decays() -> None:
    settings = TrainConfig(Path("r"), "d", "m", learning_rate=1.0, warmup_share=0.2)
    rates = [learning_rate(settings, step, 10) for step in range(1, 11)]
    assert rates[:3] == [0.5, 1.0, 1.0]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[6] == pytest.approx(0.5)
    assert 0 < rates[9] < 0.05


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "./nowhere"}, "no such folder"),
        ({"method": MethodConfig(target_modules=["nothing"])}, "method.target_modules"),
        ({"max_length": 2}, "nothing is left to train on"),
        ({"data": "nowhere.jsonl"}, "nowhere.jsonl: cannot be read"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    world: Path, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        main(train_config(world, tmp_path / "run", **settings))


@pytest.mark.parametrize(
    "settings",
    [{"epochs": 0}, {"dtype": "fp16"}, {"schedule": "step"}, {"warmup_share": 1.0}, {"learning_rate": 0.0}],
)
def test_a_value_out_of_range_is_refused_by_its_key(settings: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"{next(iter(settings))}=.*must be"):
        TrainConfig(Path("r"), "d", "m", **settings)


@pytest.mark.parametrize("name", ["cpu", "one_gpu", "several_gpus"])
def test_accelerate_reads_its_config_files(name: str) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    settings = load_config_from_file(str(ROOT / "configs" / "accelerate" / f"{name}.yaml"))
    assert settings.use_cpu == (name == "cpu")
    assert settings.num_processes == (2 if name == "several_gpus" else 1)
