"""The live line of the stages that ask a model, on a terminal and in a log, and the bill at the end."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import fake_server
import pytest
from fake_server import FakeServer

from selfinstruct.asking import AskingBar
from selfinstruct.llm.base import Completion
from selfinstruct.llm.budget import Bill, Price, Spent
from selfinstruct.settings import REPOSITORY

COLUMNS = 130


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with fake_server.running() as fake:
        fake.default = fake_server.writes_like_a_model
        yield fake


def command(server: FakeServer, run_dir: Path, *more: str) -> list[str]:
    words = [f"run_dir={run_dir}", "llm=openai", f"llm.base_url={server.url}", "llm.model=m"]
    words += ["num_instructions=40", "llm.max_concurrency=4", "statistics.figures=false"]
    words += ["budget.prices={m: {input: 100, output: 200}}", "filters.keywords=[a, b]"]
    return [sys.executable, str(REPOSITORY / "scripts/generate.py"), *words, *more]


def shown_on_a_terminal(words: list[str]) -> str:
    """What a command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    process = subprocess.Popen(words, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # how Linux says that the other side is closed
    finally:
        os.close(ours)
        process.kill()
    assert process.wait() == 0, shown.decode()
    return shown.decode()


def test_a_terminal_shows_one_live_line_a_stage(server: FakeServer, tmp_path: Path) -> None:
    server.default = fake_server.answer_with(fake_server.pipeline_text, after=0.1)
    shown = shown_on_a_terminal(command(server, tmp_path / "run"))
    lines = shown.replace("\r\n", "\n").split("\n")
    stages = [line for line in lines if line.lstrip("\r").startswith(("instr", "class", "instances"))]
    assert len(stages) == 3
    for line, what_is_projected in zip(stages, ("run ~", "run ~", "stage ~"), strict=True):
        states = [state for state in line.split("\r") if state.strip()]
        assert len(states) > 3
        assert all(len(state) <= COLUMNS for state in states)
        assert all(" requests/s, " in state and " tokens/s, cost " in state for state in states[1:])
        assert " left" in states[1] and what_is_projected in states[-2]


def test_a_log_gets_plain_lines_and_the_bill(server: FakeServer, tmp_path: Path) -> None:
    words = command(server, tmp_path / "run")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "\r" not in done.stderr
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        stage for stage in ("instructions", "classification", "instances") for _ in range(2)
    ]
    last = done.stderr.splitlines()[-1]
    assert last.startswith("instances: 100%, ") and " requests/s, " in last and ", cost " in last
    *_, counted, bill = done.stdout.splitlines()
    used = json.loads((tmp_path / "run" / "statistics.json").read_text(encoding="utf-8"))["usage"]["total"][
        "requests"
    ]
    assert f"the card counts the {used:,} answers that the data were made from" in counted
    now, total = bill.removeprefix("asked in this start: ").split("; in all: ")
    assert now == total
    assert int(now.split(" requests")[0]) >= 14 + 40 + 40
    again = subprocess.run(words, capture_output=True, text=True, check=True)
    nothing = "asked in this start: 0 requests, 0 tokens, cost 0.0000; in all: "
    assert again.stdout.splitlines()[-1] == nothing + total
    assert nothing + total in (tmp_path / "run" / "run.log").read_text(encoding="utf-8")


def test_a_run_that_stops_says_what_it_has_used(server: FakeServer, tmp_path: Path) -> None:
    words = command(server, tmp_path / "run", "budget.max_requests=10")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    *_, bill, stopped = done.stderr.splitlines()
    assert bill.startswith("asked in this start: 10 requests, ")
    assert stopped.startswith("stopped: budget.max_requests=10 would be passed")


def test_the_line_names_the_most_frequent_reasons_and_what_it_will_cost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    price = Price(input=1e6, output=1e6)
    bill = Bill(price, Spent.on([(Completion("", "stop", 4, 4), price)] * 5), later=100.0)
    rejected = Counter({"a": 1, "b": 5, "c: one": 3, "c: two": 4, "d": 1000})
    with AskingBar("instructions", 10, 2, bill, rejected) as bar:
        bill.now.requests, bill.now.prompt_tokens, bill.now.completion_tokens = 1, 4, 4
        bar.update(2)
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("instructions: 40%, 4 of 10, ")
    # 40 before, 8 for two, six to come, then other stages
    assert "cost 48.00, stage ~72.00, run ~172.00, " in line
    assert line.endswith("1,013 rejected: d 1,000, c 7, b 5")


def test_more_than_asked_for_is_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    with AskingBar("instructions", 10, 9, None) as bar:
        bar.update(3)
    assert capsys.readouterr().err.splitlines()[-1].startswith("instructions: 100%, 10 of 10, ")
