"""Training on several processes and nodes: launch settings as accelerate reads them, sharding, Slurm."""

import importlib.util
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import (
    prepare_deepspeed_cmd_env,
    prepare_multi_gpu_env,
    prepare_simple_launcher_cmd_env,
)
from finetune_small import write_world
from safetensors.torch import load, load_file

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.processes import refuse_missing_processes, refuse_unknown_sharding

ROOT = Path(__file__).parents[1]
FILES = {path.stem: path for path in (ROOT / "configs" / "accelerate").glob("*.yaml")}
SLURM = ROOT / "scripts" / "train_slurm.sh"
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
HAS_DEEPSPEED = importlib.util.find_spec("deepspeed") is not None
NEEDS_DEEPSPEED = pytest.mark.skipif(not HAS_DEEPSPEED, reason="DeepSpeed is not installed")
SHARDINGS = ["fsdp2", pytest.param("zero3", marks=NEEDS_DEEPSPEED)]


def launched(name: str, *words: str) -> Any:
    """What `accelerate launch --config_file configs/accelerate/<name>.yaml` makes of its words."""
    command = ["--config_file", str(FILES[name]), *words, "finetune/train.py", "run_dir=r", "data=d.jsonl"]
    arguments, _, _ = _validate_launch_command(launch_command_parser().parse_args(command))
    return arguments


def launcher_environment(name: str, *words: str) -> dict[str, str]:
    return prepare_multi_gpu_env(launched(name, *words))


def test_accelerate_knows_each_key_of_each_launch_file() -> None:
    assert set(FILES) == {"cpu", "one_gpu", "several_gpus", "several_nodes", "fsdp2", "zero3"}
    for path in FILES.values():
        load_config_from_file(str(path))  # refuses keys that it does not know


@pytest.mark.parametrize("name", FILES)
def test_the_launcher_passes_our_words_on(name: str) -> None:
    arguments = launched(name)
    assert arguments.training_script == "finetune/train.py"
    assert arguments.training_script_args == ["run_dir=r", "data=d.jsonl"]
    assert arguments.mixed_precision == "no"  # the precision is train.py's own setting


def test_one_gpu_is_one_process() -> None:
    arguments = launched("one_gpu")
    assert (arguments.num_processes, arguments.multi_gpu, arguments.use_cpu) == (1, False, False)


def test_several_gpus_are_data_parallel_and_the_command_line_says_how_many() -> None:
    arguments = launched("several_gpus", "--num_processes", "8")
    assert (arguments.num_processes, arguments.multi_gpu, arguments.use_fsdp) == (8, True, False)


def test_several_nodes_meet_at_the_first() -> None:
    where = ["--main_process_ip", "10.0.0.1", "--main_process_port", "29501", "--machine_rank", "1"]
    arguments = launched("several_nodes", "--num_machines", "4", "--num_processes", "32", *where)
    prepare_multi_gpu_env(arguments)
    assert (arguments.nnodes, arguments.nproc_per_node, arguments.node_rank) == ("4", "8", 1)
    assert (arguments.rdzv_backend, arguments.rdzv_endpoint) == ("static", "10.0.0.1:29501")


def test_fsdp2_shards_layer_by_layer() -> None:
    environment = launcher_environment("fsdp2")
    assert environment["ACCELERATE_USE_FSDP"] == "true"
    assert environment["FSDP_VERSION"] == "2"
    assert environment["FSDP_AUTO_WRAP_POLICY"] == "TRANSFORMER_BASED_WRAP"
    assert environment["FSDP_RESHARD_AFTER_FORWARD"] == "true"


def test_zero3_is_stage_3_without_offloading() -> None:
    assert launched("zero3", "--num_processes", "8").num_processes == 8
    environment = deepspeed_environment()
    assert environment["ACCELERATE_USE_DEEPSPEED"] == "true"
    assert environment["ACCELERATE_DEEPSPEED_ZERO_STAGE"] == "3"
    assert environment["ACCELERATE_DEEPSPEED_ZERO3_INIT"] == "false"


def test_zero3_on_several_nodes_starts_a_launcher_on_each() -> None:
    where = ["--main_process_ip", "10.0.0.1", "--main_process_port", "29501", "--machine_rank", "1"]
    arguments = launched("zero3", "--num_machines", "4", "--num_processes", "32", *where)
    deepspeed_environment(arguments)
    assert (arguments.nnodes, arguments.nproc_per_node, arguments.node_rank) == ("4", "8", 1)


def deepspeed_environment(arguments: Any = None) -> dict[str, str]:
    """As `accelerate launch` makes it; None: of configs/accelerate/zero3.yaml alone."""
    arguments = arguments or launched("zero3")
    arguments.deepspeed_fields_from_accelerate_config = ""
    command, environment = prepare_deepspeed_cmd_env(arguments)
    assert command is None  # DeepSpeed's own launcher, with a list of hosts, is not asked for
    return environment


def test_zero3_without_deepspeed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in deepspeed_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"DeepSpeed, which is not installed; pip install 'selfinstruct\["):
        refuse_unknown_sharding()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    refuse_unknown_sharding()
    monkeypatch.setenv("ACCELERATE_DEEPSPEED_OFFLOAD_OPTIMIZER_DEVICE", "cpu")
    with pytest.raises(UserError, match=r"DeepSpeed otherwise than configs/accelerate/zero3\.yaml"):
        refuse_unknown_sharding()


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        (
            {"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "2"},
            r"DeepSpeed otherwise than configs/accelerate/zero3\.yaml",
        ),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "1"}, "FSDP version 1"),
        ({"ACCELERATE_USE_FSDP": "true"}, "FSDP version 1"),
        ({"ACCELERATE_USE_MEGATRON_LM": "true"}, "MEGATRON_LM"),
    ],
)
def test_other_ways_of_sharding_are_refused_before_anything_is_read(
    environment: dict[str, str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=rf"{kind}, which finetune/train\.py does not support; .*fsdp2\.yaml"):
        refuse_unknown_sharding()


@pytest.mark.parametrize(
    ("name", "words", "is_refused"),
    [
        ("cpu", [], False),
        ("one_gpu", ["--cpu"], False),
        ("cpu", ["--num_processes", "2"], True),
        ("several_gpus", ["--cpu"], True),
        ("fsdp2", ["--cpu"], True),
    ],
)
def test_one_process_where_the_launcher_was_asked_for_several_is_refused(
    name: str, words: list[str], is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = launched(name, *words)
    _, environment = prepare_simple_launcher_cmd_env(arguments)  # what it starts with on CPUs: one process
    for key in ("WORLD_SIZE", "MASTER_ADDR", "ACCELERATE_MIXED_PRECISION"):
        monkeypatch.delenv(key, raising=False)
        if key in environment:
            monkeypatch.setenv(key, environment[key])
    if is_refused:
        with pytest.raises(UserError, match=r"several processes and started one.*torchrun"):
            refuse_missing_processes()
    else:
        refuse_missing_processes()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("cluster"))


def words(world: Path, run_dir: Path, *more: str) -> list[str]:
    given = [f"run_dir={run_dir}", f"data={world}/train.jsonl", f"model={world}/model", "threads=1"]
    given += ["batch_size=8", "micro_batch_size=2", "learning_rate=1e-2", "max_length=64"]
    return [*given, f"eval_data={world}/train.jsonl", "preview=0", "checkpoint_every=2", *more]


def start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    given = os.environ | {"HF_HUB_OFFLINE": "1"} | environment
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=given, stdout=pipe, stderr=pipe, text=True)


def kill_all(process: subprocess.Popen[str]) -> None:
    """kill -9, torchrun's children first: each has a process group of its own."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
    process.kill()
    process.communicate()


def finish(command: list[str], environment: dict[str, str]) -> str:
    process = start(command, environment)
    try:
        out, errors = process.communicate(timeout=250)
    finally:
        kill_all(process)
    assert process.returncode == 0, errors[-3000:]
    return out


def curve(run_dir: Path) -> list[float]:
    lines = jsonl.read(run_dir / "metrics.jsonl")
    return [line[key] for line in lines for key in ("loss", "grad_norm", "eval_loss") if key in line]


def adapter(run_dir: Path) -> bytes:
    return (run_dir / "adapter" / "adapter_model.safetensors").read_bytes()


def one_process(world: Path, run_dir: Path, *more: str) -> None:
    finish([sys.executable, str(ROOT / "finetune/train.py"), *words(world, run_dir, *more)], {})


def sharded(kind: str, world: Path, run_dir: Path, *more: str) -> tuple[list[str], dict[str, str]]:
    """The command of two processes and the environment of the launch file, on a CPU."""
    given = words(world, run_dir, *more)
    if kind == "fsdp2":
        script, launch = ROOT / "finetune" / "train.py", launcher_environment("fsdp2")
    else:
        script, launch = ROOT / "tests" / "zero3_in_parts.py", deepspeed_environment()
    own = {key: value for key, value in launch.items() if "FSDP" in key or "DEEPSPEED" in key}
    environment = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return [*TORCHRUN, str(script), *given], own | environment


@pytest.mark.parametrize("kind", SHARDINGS)
def test_sharded_over_two_processes_training_is_that_of_one(world: Path, tmp_path: Path, kind: str) -> None:
    small = ["method.r=4", "batch_size=9"]  # micro-batches of unequal number
    one_process(world, tmp_path / "one", *small)
    said = finish(*sharded(kind, world, tmp_path / "two", *small))
    assert "2 process(es) on cpu, float32, sharded" in said
    assert len(curve(tmp_path / "two")) == 2 * 6 + 1
    assert curve(tmp_path / "two") == pytest.approx(curve(tmp_path / "one"), rel=1e-5)
    one, two = load(adapter(tmp_path / "one")), load(adapter(tmp_path / "two"))
    assert one.keys() == two.keys()
    assert all(float((one[name] - two[name]).abs().max()) < 1e-3 for name in one)


def test_4_bits_are_refused_where_weights_lie_in_parts_whatever_the_device(
    world: Path, tmp_path: Path
) -> None:
    command, environment = sharded("fsdp2", world, tmp_path / "run", "method=qlora")
    given = os.environ | environment
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode != 0
    assert "method=qlora: 4-bit weights lie whole on each GPU, and the launcher asks for fsdp2" in done.stderr
    assert not (tmp_path / "run").exists()


@NEEDS_DEEPSPEED
def test_all_weights_in_parts_by_deepspeed_are_trained_as_in_one_process(world: Path, tmp_path: Path) -> None:
    full = ["method=full", "learning_rate=1e-3", "packing=false"]
    one_process(world, tmp_path / "one", *full)
    finish(*sharded("zero3", world, tmp_path / "two", *full))
    assert curve(tmp_path / "two") == pytest.approx(curve(tmp_path / "one"), rel=1e-5)
    one, two = (load_file(tmp_path / name / "model/model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert all(float((one[name] - two[name]).abs().max()) < 1e-4 for name in one)


@pytest.mark.soak
@pytest.mark.parametrize("kind", SHARDINGS)
def test_sharded_training_killed_and_started_again_ends_with_the_same_bytes(
    world: Path, tmp_path: Path, kind: str
) -> None:
    finish(*sharded(kind, world, tmp_path / "whole"))
    command, environment = sharded(kind, world, tmp_path / "cut")
    process = start(command, environment)
    metrics = tmp_path / "cut" / "metrics.jsonl"
    while process.poll() is None and not (metrics.exists() and metrics.read_bytes().count(b"\n") >= 3):
        time.sleep(0.01)
    kill_all(process)
    assert metrics.read_bytes().count(b"\n") < 6
    assert "continuing after step" in finish(command, environment)
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")
    assert adapter(tmp_path / "cut") == adapter(tmp_path / "whole")


@pytest.fixture
def cluster(tmp_path: Path) -> dict[str, str]:
    """Two nodes of a job: stand-ins for Slurm's commands, and a launcher that prints its words."""
    stand_ins = {
        "scontrol": "printf 'node7\\nnode8\\n'",
        "srun": 'shift; for SLURM_NODEID in 0 1; do export SLURM_NODEID; "$@"; done',
        "accelerate": 'echo "$@"',
    }
    (tmp_path / "bin").mkdir()
    for name, text in stand_ins.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    for name in ("configs", "finetune"):
        (tmp_path / name).symlink_to(ROOT / name)
    job = {"SLURM_JOB_ID": "41234", "SLURM_JOB_NODELIST": "node[7-8]", "SLURM_JOB_NUM_NODES": "2"}
    job |= {"SLURM_GPUS_ON_NODE": "4", "SLURM_SUBMIT_DIR": str(tmp_path)}
    return {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"} | job


def submit(environment: dict[str, str], *given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(SLURM), *given], env=environment, capture_output=True, text=True, check=False)


def test_a_slurm_job_starts_one_launcher_a_node_with_its_number(cluster: dict[str, str]) -> None:
    done = submit(cluster, "run_dir=r", "data=[a.jsonl, b.jsonl]")
    assert done.returncode == 0, done.stderr
    nodes = done.stdout.splitlines()
    assert [line.split()[:3] for line in nodes] == [["launch", "--machine_rank", n] for n in "01"]
    for line in nodes:
        assert "--num_machines 2 --num_processes 8 --main_process_ip node7 --main_process_port 21234 " in line
        assert line.endswith("finetune/train.py run_dir=r data=[a.jsonl, b.jsonl]")
        assert "--config_file configs/accelerate/several_nodes.yaml" in line
    parsed = launch_command_parser().parse_args(nodes[1].split()[1:])
    assert (parsed.machine_rank, parsed.training_script) == (1, "finetune/train.py")


def test_a_slurm_job_takes_the_launch_file_asked_for(cluster: dict[str, str]) -> None:
    assert (
        "configs/accelerate/fsdp2.yaml" in submit(cluster | {"ACCELERATE_CONFIG": "fsdp2"}, "data=d").stdout
    )
    done = submit(cluster | {"ACCELERATE_CONFIG": "none"}, "data=d")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no configs/accelerate/none.yaml" in done.stderr


def test_outside_of_slurm_it_says_what_to_do(cluster: dict[str, str]) -> None:
    assert submit(cluster).stderr.startswith("usage: sbatch")
    done = submit({"PATH": cluster["PATH"]}, "data=d")
    assert done.returncode == 2 and "submit it with sbatch" in done.stderr
