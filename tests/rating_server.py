"""A rating page of real processes for the tests: prediction files, and a server to start and to kill."""

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit
from types import TracebackType
from typing import Any

from selfinstruct import jsonl
from selfinstruct.settings import REPOSITORY


def write_systems(folder: Path, number: int, **texts: str) -> list[str]:
    """A prediction file a system over `number` tasks; a text may hold {n}, the task's number."""
    texts = texts or {"secretname": "Answer {n} of one.", "hiddenname": "Answer {n} of two."}
    for system, text in texts.items():
        jsonl.replace(
            folder / f"{system}.jsonl",
            (
                {
                    "id": f"task-{n}",
                    "motivation_app": "App",
                    "instruction": f"Do task {n}.",
                    "input": "" if n % 2 else f"Input {n}",
                    "response": text.replace("{n}", str(n)),
                    "target": f"Reference {n}",
                }
                for n in range(number)
            ),
        )
    return [str(folder / f"{system}.jsonl") for system in texts]


class Server:
    """`scripts/annotate.py` as a process of its own; on the same port when it is started again."""

    def __init__(
        self, folder: Path, predictions: list[str] | None, largest_file: int | None = None, **settings: Any
    ) -> None:
        self.run_dir = folder / "run"
        self.port = 0
        given = {"predictions": f"[{','.join(predictions)}]"} if predictions else {}
        self._settings = given | {"repeats": 0} | settings
        self._limit = (largest_file, largest_file) if largest_file else None
        self._log = folder / "server.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Server":
        words = [f"{key}={value}" for key, value in self._settings.items()]
        script = str(REPOSITORY / "scripts/annotate.py")
        self._log.write_bytes(b"")
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, script, f"run_dir={self.run_dir}", f"port={self.port}", *words],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
                preexec_fn=partial(setrlimit, RLIMIT_FSIZE, self._limit) if self._limit else None,
            )
        end = time.monotonic() + 60
        while "Ctrl-C stops" not in self.output:
            assert self._process.poll() is None, self.output
            assert time.monotonic() < end, self.output
            time.sleep(0.02)
        self.port = int(re.findall(r"http://\S+?:(\d+)/#", self.output)[0])
        return self

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def url(self, rater: str) -> str:
        return f"http://127.0.0.1:{self.port}/#{rater}"

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=20)

    def events(self) -> list[dict[str, Any]]:
        return jsonl.read(self.run_dir / "ratings.jsonl")

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
