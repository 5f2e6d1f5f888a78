"""A folder of good input and good calls of the commands, which a test spoils in one place."""

import os
import resource
import subprocess
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow
from benchmark_folders import instance, task, write_benchmark
from pyarrow import parquet

from selfinstruct import jsonl
from selfinstruct.llm.base import TINY_MODEL
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


def write_world(folder: Path) -> Path:
    """Good input, and a finished run of each phase (`generated`, `trained`, `scored`)."""
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
