"""Bad input to every command: exit code 2, one message (what, where, what to do), nothing changed on disk."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from benchmark_folders import instance, task, write_benchmark
from pyarrow import parquet

from selfinstruct import jsonl
from selfinstruct.llm.base import TINY_MODEL
from selfinstruct.runs import open_run
from selfinstruct.settings import REPOSITORY

COMMANDS = {
    "generate": "scripts/generate.py",
    "train": "finetune/train.py",
    "eval_superni": "scripts/eval_superni.py",
    "reproduce": "scripts/reproduce.py",
    "check_seeds": "scripts/check_seeds.py",
}
# What a good call says; a case adds its own words, which win.
GOOD = {
    "generate": "run_dir=new seed_tasks=seeds.jsonl llm=replay llm.responses=recording num_instructions=3",
    "train": f"run_dir=new data=train.jsonl model={TINY_MODEL} experiment=tiny max_steps=1 threads=1",
    "eval_superni": "run_dir=new superni_dir=benchmark predictions=predictions.jsonl intervals.resamples=100",
    "reproduce": "run_dir=new",
    "check_seeds": "seeds=seeds.jsonl",
}
SEEDS = [
    {
        "id": f"seed_{number}",
        "name": "n",
        "instruction": text,
        "instances": [{"input": "", "output": "Yes, it is."}],
        "is_classification": number == 1,
    }
    for number, text in enumerate(
        ["Name a tree that grows in Norway.", "Say whether the number seven is even.", "Describe fresh snow."]
    )
]
ANSWERS = {
    "instructions": [
        " Tell me why bread rises in the oven.\n5. List four rivers that cross Germany.",
        " Explain how a canal lock keeps water back.",
    ],
    "classification": [" No", " No", " No"],
    "instances": [
        "Output: Yeast makes gas.",
        "Output: Rhine, Elbe, Main, Oder.",
        "Output: By gates." + " And so on." * 2000,  # makes the response log the longest file of the run
    ],
}
TRAINING = [{"prompt": f"Count to {number}.", "completion": f" 1 to {number}"} for number in range(2, 6)]
PREDICTIONS = [{"id": instance("t1", number)["id"], "prediction": "yes"} for number in range(2)]


def lines(records: list[dict[str, Any]], **changes: Any) -> str:
    """JSON Lines, with these fields changed in the second record (a field that is ... is dropped)."""
    second = {key: value for key, value in (records[1] | changes).items() if value is not ...}
    return "".join(f"{jsonl.dumps(record)}\n" for record in [records[0], second, *records[2:]])


def command(name: str, *words: str, limit: int | None = None, cwd: Path) -> tuple[int, str]:
    """Run a command with the good call's words and these; its exit code and stderr."""
    given = {word.partition("=")[0]: word for word in (*GOOD[name].split(), *words)}
    if given.get("llm") != "llm=replay":
        given.pop("llm.responses", None)
    changes = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    limit_files = None
    if limit:
        limit_files = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
        changes["PYTHONDONTWRITEBYTECODE"] = "1"  # Python would leave modules cut off at that length behind
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / COMMANDS[name]), *given.values()],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | changes,
        preexec_fn=limit_files,
        timeout=120,
    )
    return done.returncode, done.stderr


def snapshot(folder: Path) -> dict[str, str]:
    """Every path below a folder with the digest of its bytes ("" for a folder)."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of good input, and a finished run of each phase (`generated`, `trained`, `scored`)."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "seeds.jsonl").write_text(lines(SEEDS), encoding="utf-8")
    (folder / "train.jsonl").write_text(lines(TRAINING), encoding="utf-8")
    (folder / "predictions.jsonl").write_text(lines(PREDICTIONS), encoding="utf-8")
    parquet.write_table(pyarrow.Table.from_pylist(TRAINING), folder / "train.parquet")
    write_benchmark(folder / "benchmark", {"t1": task("t1"), "t2": task("t2")})
    counts = {"finish_reason": "stop", "prompt_tokens": 1, "completion_tokens": 1, "time": 0}
    recorded = [
        {"stage": stage, "index": index, "key": f"{stage}{index}", "prompt": "", "text": text} | counts
        for stage, answers in ANSWERS.items()
        for index, text in enumerate(answers)
    ]
    jsonl.replace(folder / "recording" / "response_log.jsonl", recorded)
    for name, run_dir in (("generate", "generated"), ("train", "trained"), ("eval_superni", "scored")):
        code, stderr = command(name, f"run_dir={run_dir}", cwd=folder)
        assert code == 0, stderr
    return folder


@dataclass(frozen=True)
class Case:
    """A bad call: what is changed before it, its words, and what its message must say."""

    kind: str
    command: str
    words: str  # split at blanks
    parts: tuple[str, ...]
    change: Callable[[Path], object] | None = None
    limit: int | None = None  # bytes a file may grow to: how an almost full disk looks to a process
    busy: str | None = None  # a run folder in which another process works


def write(name: str, content: str | bytes) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return change


def cut(name: str) -> Callable[[Path], object]:
    """The file loses its second half, as after a copy that broke off."""

    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return change


def copy_of_model(name: str, cut_off: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        shutil.copytree(TINY_MODEL, folder / name)
        cut(f"{name}/{cut_off}")(folder)

    return change


def seeds(kind: str, content: str | bytes, *parts: str) -> Case:
    return Case(f"seeds {kind}", "generate", "", ("seeds.jsonl", *parts), write("seeds.jsonl", content))


def training(kind: str, content: str | bytes, *parts: str, name: str = "train.jsonl") -> Case:
    return Case(f"training data {kind}", "train", f"data={name}", (name, *parts), write(name, content))


def predictions(kind: str, content: str | bytes, *parts: str) -> Case:
    change = write("predictions.jsonl", content)
    return Case(f"predictions {kind}", "eval_superni", "", ("predictions.jsonl", *parts), change)


def benchmark(kind: str, name: str, content: str, *parts: str) -> Case:
    change = write(f"benchmark/{name}", content)
    return Case(f"benchmark {kind}", "eval_superni", "", (f"benchmark/{name}", *parts), change)


def setting(name: str, words: str, *parts: str) -> Case:
    return Case(f"{name} {words}", name, words, parts)


MODEL_CALL = "llm=local predictions=null llm.model="
TASK = json.dumps(task("t1"), indent=1)

CASES = [
    # Seed tasks
    Case("seeds missing", "generate", "seed_tasks=no.jsonl", ("no.jsonl: cannot be read", "check the path")),
    Case("seeds a folder", "generate", "seed_tasks=benchmark", ("benchmark: cannot be read (Is a dir",)),
    seeds("empty", "", "holds no seed task; give at least one line"),
    seeds("not JSON", lines(SEEDS).replace("{", "", 1), ":1: not valid JSON", "one JSON object"),
    seeds("torn last line", lines(SEEDS)[:-30], ":3: not valid JSON", "one JSON object"),
    seeds(
        "not UTF-8", lines(SEEDS).replace("even", "ev\xebn").encode("latin-1"), ":2: not valid JSON", "UTF-8"
    ),
    seeds("without a field", lines(SEEDS, instances=...), ':2: "instances" is missing', "needs instances"),
    seeds(
        "with a wrong type", lines(SEEDS, is_classification="no"), ':2: "is_classification" is a str', "bool"
    ),
    seeds("without instances", lines(SEEDS, instances=[]), ':2: "instances" is empty', "at least one"),
    seeds("wrong instance", lines(SEEDS, instances=[{"input": ""}]), ':2: "instances"[0] must be', "output"),
    seeds(
        "with an id twice", lines(SEEDS, id="seed_0"), ":2: \"id\": 'seed_0' is also in line 1", "of its own"
    ),
    seeds("with half a character", lines(SEEDS).replace("seven", "\\ud800"), ":2: instruction: holds half"),
    seeds("nested too deeply", lines(SEEDS) + "[" * 100_000, ":4: not valid JSON (maximum recursion"),
    Case("seeds checked, missing", "check_seeds", "seeds=no.jsonl", ("no.jsonl: cannot be read", "check")),
    Case(
        "seeds checked, several problems",
        "check_seeds",
        "",
        (
            "seeds.jsonl: 2 problems to mend",
            "seeds.jsonl:2: id: ",
            "must be unique",
            "seeds.jsonl:3: ",
            "JSON",
        ),
        write("seeds.jsonl", lines(SEEDS, id="seed_0")[:-30]),
    ),
    # Settings
    setting("generate", "run_dirs=x", "lists those there are (did you mean run_dir?)"),
    setting(
        "generate", "llm.bakend=x", "llm.bakend: no such setting; --help lists those there are (did you mean"
    ),
    setting("generate", "zzz=x", "zzz: no such setting; --help lists those there are\n"),
    setting("generate", "llm=opnai", "openai, replay, tiny (did you mean openai?)"),
    setting("generate", "seed=-1", "seed: -1 must be 0 or more"),
    setting("eval_superni", "intervals.seed=-3", "intervals.seed: -3 must be 0 or more"),
    setting("train", "method.rank=3", "method.rank: no such setting; --help"),
    setting("generate", "llm=gpt", "llm=gpt: no such option; choose from local"),
    setting("reproduce", "experiment=no", "experiment=no: no such option; choose from"),
    setting("generate", "run_dir", "run_dir: cannot be read as a setting", "write KEY=VALUE"),
    setting("train", "data=???", "data is missing; give it as data=VALUE"),
    setting("eval_superni", "superni_dir=${no}", "superni_dir: Interpolation key 'no' not found", "mend it"),
    setting("generate", "num_instructions=-1", "num_instructions: -1 must be at least 1"),
    setting("generate", "num_instructions=many", "num_instructions: 'many' must be a whole number"),
    setting("generate", "novelty.threshold=7", "novelty.threshold: 7.0 must be above 0 and at most 1"),
    setting("generate", "stages=[all]", "stages: ['all']; choose from instructions, classification"),
    setting("generate", "filters.min_words=few", "filters.min_words: is 'few'; it must be a number"),
    setting(
        "generate", "queries.instances.max_tokens=-5", "queries.instances.max_tokens: -5 must be at least 1"
    ),
    setting("generate", "llm=tiny llm.batch_size=0", "llm.batch_size: 0 is not a positive whole number"),
    setting("train", "data=[]", "data=[]: must be one file, folder or hub id at least"),
    setting("train", "batch_size=-8", "batch_size=-8: must be at least 1"),
    setting("train", "learning_rate=nan", "learning_rate=nan: must be above 0"),
    setting("train", "weight_decay=-1", "weight_decay=-1.0: must be at least 0"),
    setting("eval_superni", "prompt_style=best", "prompt_style: 'best' is unknown; choose from"),
    setting("eval_superni", "max_instances_per_task=0", "max_instances_per_task: 0 must be at least 1"),
    setting("eval_superni", "model=x", "predictions and model are both given"),
    setting("check_seeds", "max_similarity=50", "max_similarity is 50.0; it must be a ROUGE-L, 0 to 1"),
    setting("reproduce", "data_step=no", "data_step: there is no step 'no'; choose from generate"),
    setting("reproduce", "+steps.train.comand=x", "steps.train.comand: no such setting; known here: command"),
    setting("generate", "filters=null", "filters=null: ", "give each group one of the options"),
    # Training data
    Case("training data missing", "train", "data=no.jsonl", ("no.jsonl: cannot be read", "check the path")),
    Case("training data a folder", "train", "data=benchmark", ("benchmark is a folder without splits/",)),
    Case("held-out data missing", "train", "eval_data=no.jsonl", ("no.jsonl: cannot be read", "check")),
    training("empty", "", "holds no example; a row needs"),
    training("not JSON", lines(TRAINING).replace("{", "", 1), ":1: not valid JSON", "one JSON object"),
    training("torn last line", lines(TRAINING)[:-9], ":4: not valid JSON", "one JSON object"),
    training("without a field", lines(TRAINING, completion=...), ':2: "completion" is missing', "needs"),
    training("with a wrong type", lines(TRAINING, prompt=3), ':2: "prompt" is a int; it must be text'),
    training(
        "list cut off", '[{"prompt": "a", "comple', ":1: not valid JSON", "list of objects", name="data.json"
    ),
    Case(
        "training data Parquet cut off",
        "train",
        "data=train.parquet",
        ("train.parquet: cannot be read as Parquet", "copy it again"),
        cut("train.parquet"),
    ),
    setting(
        "train", "data=[{path:train.jsonl,sample:9}]", "train.jsonl: sample=9 is more than its 4 examples"
    ),
    # Predictions and benchmarks
    Case("predictions missing", "eval_superni", "predictions=no", ("no: cannot be read", "check the path")),
    predictions("empty", "", "holds no prediction; each line must be"),
    predictions("torn last line", lines(PREDICTIONS)[:-9], ":2: not valid JSON", "one JSON object"),
    predictions("without a field", lines(PREDICTIONS, prediction=...), ":2: prediction: missing; each line"),
    predictions(
        "with a wrong type", lines(PREDICTIONS, prediction=None), ":2: prediction: null instead of text"
    ),
    predictions(
        "with an id twice", lines(PREDICTIONS, id=PREDICTIONS[0]["id"]), ":2: id: ", "is also in line 1"
    ),
    predictions(
        "of other tasks", '{"id": "x", "prediction": "y"}\n', "none of its 1 ids is in", "superni_dir"
    ),
    setting(
        "eval_superni", "superni_dir=no", "no/splits/default/test_tasks.txt: cannot be read", "folder holds"
    ),
    benchmark("task cut off", "tasks/t1.json", TASK[: len(TASK) // 2], ":12: not valid JSON"),
    benchmark("task without output", "tasks/t1.json", TASK.replace("output", "out"), "Instances[0].output"),
    benchmark(
        "with a task twice", "splits/default/test_tasks.txt", "t1\nt1\n", ":2: names t1 again", "remove"
    ),
    # Models and recordings
    Case("model missing", "generate", "llm=local llm.model=./no", ("llm.model=./no: no such folder; check",)),
    Case("model not there to tune", "train", "model=./no", ("model=./no: no such folder; give",)),
    Case(
        "model cut off",
        "eval_superni",
        f"{MODEL_CALL}model",
        ("model/model.safetensors: is cut off", "copy it again"),
        copy_of_model("model", "model.safetensors"),
    ),
    Case(
        "model to tune cut off",
        "train",
        "model=model",
        ("model/model.safetensors: is cut off", "copy it again"),
        copy_of_model("model", "model.safetensors"),
    ),
    Case("adapter missing", "generate", "llm=tiny llm.adapter=./no", ("llm.adapter=./no: no such folder",)),
    Case(
        "adapter cut off",
        "eval_superni",
        "llm=tiny predictions=null adapter=trained/adapter",
        ("adapter_model.safetensors: is cut off", "copy it again"),
        cut("trained/adapter/adapter_model.safetensors"),
    ),
    setting("generate", "llm.responses=no", "llm.responses=no: no such file or folder; give a run folder"),
    Case(
        "recording with a broken line",
        "generate",
        "",
        ("recording/response_log.jsonl:2: not a recorded answer", "give a run folder"),
        write(
            "recording/response_log.jsonl",
            '{"key": "a", "stage": "x"}\n{"key": "b", "stage": "instructions"}',
        ),
    ),
    # Run folders
    Case(
        "run folder below a file",
        "generate",
        "run_dir=seeds.jsonl/new",
        ("seeds.jsonl/new", "choose another"),
    ),
    Case(
        "run folder where none can be", "train", "run_dir=/proc/new", ("run_dir: /proc/new cannot be made",)
    ),
    Case(
        "run folder of another command",
        "reproduce",
        "seed_dir=generated",
        ("belongs to 'generate', not 'rep",),
    ),
    Case(
        "run folder of another run: generate",
        "generate",
        "run_dir=generated seed=2",
        (
            "generated: its 'instructions' was made with other",
            "seed: was 1, is now 2",
            "choose another run_dir",
        ),
    ),
    Case(
        "run folder of another run: train",
        "train",
        "run_dir=trained learning_rate=0.5",
        ("learning_rate: was 0.", "is now 0.5", "choose another run_dir"),
    ),
    Case(
        "run folder of another run: eval_superni",
        "eval_superni",
        "run_dir=scored intervals.seed=9",
        ("intervals.seed: was 0, is now 9", "choose another run_dir"),
    ),
    Case(
        "run folder with more than asked for",
        "generate",
        "run_dir=generated num_instructions=1",
        ("num_instructions: 1 is less than", "already holds 3", "give at least as many"),
    ),
    Case(
        "run folder in use",
        "generate",
        "run_dir=generated",
        ("generated: another process (pid ", "wait for it"),
        busy="generated",
    ),
    Case(
        "manifest cut off",
        "train",
        "run_dir=trained",
        ("trained/manifest.json: not readable", "move the folder away"),
        cut("trained/manifest.json"),
    ),
    Case(
        "instructions with a broken line",
        "generate",
        "run_dir=generated",
        ("generated/machine_generated_instructions.jsonl:1: not valid JSON", "one JSON object"),
        write("generated/machine_generated_instructions.jsonl", '{"instruction"\n{}\n'),
    ),
    Case(
        "instructions without a field",
        "generate",
        "run_dir=generated",
        ('generated/machine_generated_instructions.jsonl:1: "request_idx" (int) is needed', "mend the line"),
        write("generated/machine_generated_instructions.jsonl", '{"instruction": "a"}\n'),
    ),
    Case(
        "classification of other instructions",
        "generate",
        "run_dir=generated",
        ("generated/is_clf_or_not.jsonl:1: not the instruction of line 1", "choose another run_dir"),
        write("generated/is_clf_or_not.jsonl", '{"instruction": "a", "is_classification": "No"}\n'),
    ),
    Case(
        "response log without a field",
        "generate",
        "run_dir=generated",
        ("generated/response_log.jsonl:1: text is missing", "delete the line"),
        write("generated/response_log.jsonl", '{"key": "a", "prompt_tokens": 1, "completion_tokens": 1}\n'),
    ),
    setting("generate", "stages=[instances]", "not there; run the", "stage first"),
    Case(
        "disk full: generate",
        "generate",
        "",
        ("run_dir: new: the disk is full", "free some space, then start again"),
        limit=1,
    ),
    Case(
        "run folder of somebody else",
        "generate",
        "run_dir=mine",
        ("mine holds 'README.md' but no manifest.json", "choose a new or an empty one"),
        write("mine/README.md", "my own notes"),
    ),
    setting("generate", "run_dir=", "run_dir is empty; give a path"),
    Case("disk full at the manifest", "generate", "", ("new: the disk is full", "then start"), limit=9000),
    Case(
        "disk full: train",
        "train",
        "",
        ("run_dir: new: the disk is full", "free some space, then start again"),
        limit=1,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.kind for case in CASES])
def test_bad_input_is_refused_with_one_message_and_changes_nothing(
    case: Case, world: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(world, tmp_path / "world")
    if case.change:
        case.change(folder)
    with ExitStack() as stack:
        if case.busy:
            stack.enter_context(open_run(folder / case.busy, case.command, {}))
        before = snapshot(folder)
        code, stderr = command(case.command, *case.words.split(), limit=case.limit, cwd=folder)
        after = snapshot(folder)
    assert code == 2, stderr
    assert [line[:7] for line in stderr.splitlines() if "error: " in line] == ["error: "]
    assert "Traceback" not in stderr
    for part in case.parts:
        assert part in stderr
    assert after == before


def test_every_kind_stands_in_the_table_once() -> None:
    assert len({case.kind for case in CASES}) == len(CASES) >= 35
    assert {case.command for case in CASES} == set(COMMANDS)


def test_a_disk_that_fills_up_loses_nothing_and_the_run_goes_on(world: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(world, tmp_path / "world")
    limit = (folder / "generated" / "response_log.jsonl").stat().st_size - 1000  # tears its last line
    code, stderr = command("generate", limit=limit, cwd=folder)
    assert code == 2, stderr
    assert stderr.count("error: ") == 1
    assert "the disk is full" in stderr
    assert "what was complete is safe: free some space, then start again" in stderr
    code, stderr = command("generate", cwd=folder)
    assert code == 0, stderr
    for name in ("response_log.jsonl", "machine_generated_instances.jsonl", "finetuning_data/train.jsonl"):
        assert len(jsonl.read(folder / "new" / name)) == len(jsonl.read(folder / "generated" / name))
    name = "finetuning_data/train.jsonl"
    assert (folder / "new" / name).read_bytes() == (folder / "generated" / name).read_bytes()


def test_the_launcher_shows_one_message_and_nothing_is_changed(world: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(world, tmp_path / "world")
    write("train.jsonl", lines(TRAINING)[:-9])(folder)
    before = snapshot(folder)
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file"]
    settings = REPOSITORY / "configs" / "accelerate" / "cpu.yaml"
    words = [*launch, str(settings), str(REPOSITORY / COMMANDS["train"]), *GOOD["train"].split()]
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == 1  # the launcher makes 1 of every failure
    messages = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(messages) == 1
    assert messages[0].startswith("error: train.jsonl:4: not valid JSON")
    assert snapshot(folder) == before
