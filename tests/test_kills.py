"""kill -9 at random moments, while the server goes wrong: nothing is lost, nothing is asked twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fake_server
import pytest
from fake_server import KEY, FakeServer
from generation_server import GenerationServer

from selfinstruct import jsonl

ROOT = Path(__file__).parents[1]
FAULT_SHARE = 0.2
# What holds clock times, and says how the run went rather than what came out.
NOT_COMPARED = {"manifest.json", "response_log.jsonl", "run.log"}
STAGES = "stages=[instructions,classification,instances,finetuning_data,regeneration]"
SMALL = ("num_instructions=12", "statistics.figures=false", "instructions.lookahead=4")
WHOLE = ("num_instructions=40", "statistics.figures=true", "instructions.lookahead=12")


@dataclass
class Run:
    """One run folder, started again and again, and what was seen of it."""

    folder: Path
    fake: FakeServer
    words: tuple[str, ...]
    model: GenerationServer = field(default_factory=GenerationServer)
    repeated: list[int] = field(default_factory=list)  # answered before a kill, but not on disk by then
    said: list[str] = field(default_factory=list)

    def start(self, max_concurrency: int, at_operation: int = 0) -> subprocess.Popen[str]:
        self.fake.default = self.model
        script = str(ROOT / "scripts" / "generate.py")
        settings = {
            "base_url": self.fake.url,
            "model": "played",
            "timeout_seconds": 5,
            "first_pause_seconds": 0.01,
            "max_concurrency": max_concurrency,
        }
        words = [
            *("llm=openai", "llm@regeneration.llm=openai", STAGES, *self.words),
            *(f"{llm}.{key}={settings[key]}" for llm in ("llm", "regeneration.llm") for key in settings),
            *("statistics.evaluation_tasks=[]", f"run_dir={self.folder}"),
        ]
        watcher = [str(ROOT / "tests" / "killed_at.py"), str(at_operation), str(self.folder)]
        return subprocess.Popen(
            [sys.executable, *watcher, script, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"OPENAI_API_KEY": KEY},
        )

    def finish(self, max_concurrency: int = 4) -> None:
        logged, asked = self.logged(), len(self.fake.asked)
        process = self.start(max_concurrency)
        said, _ = process.communicate(timeout=300)
        self.said.append(said)
        assert process.returncode == 0, said
        assert not logged & set(self.fake.prompts[asked:]), "asked for what was in the log"

    def kill(self, max_concurrency: int, at_operation: int, at_answer: int, delay: float) -> bool:
        """Start, and kill at that file operation, else when so many answers were given in all, and some
        seconds; True if it was killed and not at its end before.
        """
        logged, asked = self.logged(), len(self.fake.asked)
        before = self.model.answered.copy()
        process = self.start(max_concurrency, at_operation)
        try:
            while not at_operation and process.poll() is None:
                if self.model.answered.total() >= max(at_answer, before.total() + 1):
                    time.sleep(delay)
                    break
                time.sleep(0.001)
            else:
                process.wait(timeout=300)
        finally:
            process.kill()
            said, _ = process.communicate()
        self.said.append(said)
        prompts = self.fake.prompts[asked:]
        assert not logged & set(prompts), "asked for what was in the log"
        if process.returncode == 0:
            return False
        assert process.returncode == -signal.SIGKILL, said
        time.sleep(0.05)  # what was under way at the server is over
        lost = set(self.model.answered - before) - self.logged()
        self.repeated.append(len(lost))
        assert len(lost) <= max_concurrency
        return True

    def logged(self) -> set[str]:
        path = self.folder / "response_log.jsonl"
        if not path.exists():
            return set()
        whole_lines = path.read_bytes().rpartition(b"\n")[0]
        (copy := self.folder.with_suffix(".log")).write_bytes(whole_lines)
        return {record["prompt"] for record in jsonl.read(copy)}

    def files(self) -> dict[str, bytes]:
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        named = {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}
        return {name: content for name, content in named.items() if name not in NOT_COMPARED}

    def answers(self) -> dict[str, str]:
        records = jsonl.read(self.folder / "response_log.jsonl")
        texts = {record["key"]: record["text"] for record in records}
        assert len(texts) == len(records), "an answer is logged twice"
        return texts


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with fake_server.running() as server:
        yield server


def undisturbed(folder: Path, fake: FakeServer, words: tuple[str, ...]) -> tuple[Run, int]:
    """A run without faults or kills, and how many changes of files it made."""
    run = Run(folder, fake, words)
    run.finish()
    return run, int(Path(f"{folder}.operations").read_text())


def killed(whole: Run, operations: int, folder: Path, num_kills: int, max_concurrency: int) -> Run:
    """The same run under faults, killed so many times between its first moment and its last."""
    rng = random.Random(folder.name)
    run = Run(folder, whole.fake, whole.words, GenerationServer(FAULT_SHARE))
    num_answers = whole.model.answered.total()
    places = sorted(rng.random() for _ in range(num_kills))
    while len(run.repeated) < num_kills:
        place = places[len(run.repeated)]
        by_operation = rng.random() < 0.5
        was_killed = run.kill(
            max_concurrency,
            at_operation=1 + int(place * operations) if by_operation else 0,
            at_answer=int(place * num_answers),
            delay=rng.uniform(0.0, 0.05),
        )
        if not was_killed:  # nothing was left to ask: somewhere in what a start does anyway
            run.kill(max_concurrency, rng.randint(1, operations // 2), 0, 0.0)
    run.finish(max_concurrency)
    return run


def assert_same(run: Run, whole: Run) -> None:
    assert run.model.num_faults > 0
    assert run.files() == whole.files()
    # Of the last answers of stage 1 some come too late to be used, others in this run than in that.
    answers, known = run.answers(), whole.answers()
    assert {answers[key] == known[key] for key in answers.keys() & known.keys()} == {True}
    answered = run.model.answered
    assert answered.total() - len(answered) <= sum(run.repeated)
    for path in run.folder.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path
    assert not [said for said in run.said if KEY in said]


def test_three_kills_under_faults_change_no_byte(tmp_path: Path, fake: FakeServer) -> None:
    whole, operations = undisturbed(tmp_path / "whole", fake, SMALL)
    assert_same(killed(whole, operations, tmp_path / "killed", 3, max_concurrency=3), whole)


@pytest.mark.soak
def test_fifty_kills_under_faults_change_no_byte(tmp_path: Path, fake: FakeServer) -> None:
    whole, operations = undisturbed(tmp_path / "whole", fake, WHOLE)
    start = time.monotonic()
    runs = [
        killed(whole, operations, tmp_path / f"killed{number}", 10, max_concurrency)
        for number, max_concurrency in enumerate((1, 2, 4, 8, 16))
    ]
    for run in runs:
        assert_same(run, whole)
    repeated = [count for run in runs for count in run.repeated]
    assert len(repeated) == 50
    print(
        f"50 kills, {sum(run.model.num_faults for run in runs)} faults: at most {max(repeated)} requests "
        f"repeated for a kill, {sum(repeated)} for all, {time.monotonic() - start:.0f} s"
    )
