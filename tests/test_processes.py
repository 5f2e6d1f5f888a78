"""Several processes of one run: how they end when all went well, and when one did not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TORCHRUN = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc_per_node", "2"]
# A thread of gloo that lets go of a tensor while Python shuts down aborts the process, now and then: none may
# be left. (Training wraps its model as here.)
PROGRAM = """
import os, sys
from selfinstruct import processes

def gloo_threads():
    names = [open(f"/proc/self/task/{number}/comm").read() for number in os.listdir("/proc/self/task")]
    return sum("gloo" in name for name in names) or "no"

def say(line):  # in one piece: both write to the same pipe
    os.write(1, f"{processes.index()}{line}\\n".encode())

with processes.main_speaks_first():
    word = processes.decide(lambda: "told")
    if sys.argv[1] == "fail" and not processes.is_main():
        raise RuntimeError("a process alone")
    from torch import nn
    nn.parallel.DistributedDataParallel(nn.Linear(1, 1))
    say(f" {word}")
say(f": {gloo_threads()} thread of gloo")
"""


def start(tmp_path: Path, word: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [*TORCHRUN, str(tmp_path / "program.py"), word]
    given = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_processes_leave_the_group_before_they_end(tmp_path: Path) -> None:
    done = start(tmp_path, "well")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [
        "0 told",
        "0: no thread of gloo",
        "1 told",
        "1: no thread of gloo",
    ]


def test_a_process_that_fails_alone_does_not_leave_the_main_one_waiting(tmp_path: Path) -> None:
    done = start(tmp_path, "fail")
    assert done.returncode == 1
    assert "RuntimeError: a process alone" in done.stderr
