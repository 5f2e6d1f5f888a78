"""A run of the four stages with `llm=openai`, as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import fake_server
import pytest
from fake_server import KEY, FakeServer, answer, error, pipeline_text, prompt_of, writes_like_a_model
from openai_requests import ASK

from selfinstruct import jsonl
from selfinstruct.llm import openai_api

ROOT = Path(__file__).parents[1]


def writes_like_a_chat_model(handler: Any, body: dict[str, Any]) -> None:
    words, _, suffix = prompt_of(body).rpartition("\n\n")
    text = pipeline_text(words)
    answer(f"9.{text}" if suffix.startswith("Continue") else text.strip())(handler, body)


def generate(server: FakeServer, run_dir: Path, *more: str) -> subprocess.Popen[str]:
    words = [f"run_dir={run_dir}", "llm=openai", f"llm.base_url={server.url}", "llm.model=some-model"]
    words += ["num_instructions=40", "llm.max_concurrency=4", "llm.first_pause_seconds=0.05", *more]
    return subprocess.Popen(
        [sys.executable, str(ROOT / "scripts/generate.py"), *words],
        env=os.environ | {"OPENAI_API_KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stage_files(run_dir: Path) -> dict[str, bytes]:
    names = ["machine_generated_instructions", "is_clf_or_not", "machine_generated_instances", "requests"]
    names += ["finetuning_data/train"]
    return {name: (run_dir / f"{name}.jsonl").read_bytes() for name in names}


def files_with_the_key(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if KEY.encode() in path.read_bytes()]


def test_a_killed_run_goes_on_without_asking_twice_and_the_key_is_nowhere(
    server: FakeServer, tmp_path: Path
) -> None:
    server.default = writes_like_a_model
    whole = generate(server, tmp_path / "whole")
    assert whole.wait(120) == 0, whole.communicate()[1]
    num_asked = len(server.asked)
    assert num_asked >= 14 + 40 + 40

    server.asked.clear()
    server.script.extend([error(429, f"slow down, {KEY}"), fake_server.truncated_json, error(503)])
    killed = generate(server, tmp_path / "killed")
    while len(server.asked) < num_asked // 2 and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    logged = [record["prompt"] for record in jsonl.read(tmp_path / "killed/response_log.jsonl")]
    assert len(logged) > 10
    server.asked.clear()
    resumed = generate(server, tmp_path / "killed")
    out, err = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, err
    assert server.asked
    assert set(server.prompts).isdisjoint(logged)
    assert stage_files(tmp_path / "killed") == stage_files(tmp_path / "whole")
    assert files_with_the_key(tmp_path) == []
    assert KEY not in out + err
    assert " requests, " in (tmp_path / "whole/run.log").read_text()


def test_a_chat_model_gets_prompts_of_its_own_and_the_same_kind_of_files_come_out(
    server: FakeServer, tmp_path: Path
) -> None:
    server.default = writes_like_a_chat_model
    run = generate(server, tmp_path / "run", "llm.endpoint=chat", "num_instructions=6")
    _, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    assert set(server.paths) == {"/v1/chat/completions"}
    ends = {prompt.rsplit("\n", 1)[1] for prompt in server.prompts}
    assert len(ends) == 3  # instructions, classification, input-first instances
    assert all(end.startswith(("Continue the", "Answer the last", "Write up to")) for end in ends)
    lines = jsonl.read(tmp_path / "run/machine_generated_instructions.jsonl")
    assert len(lines) >= 6
    assert all(line["instruction"].startswith("Explain ") for line in lines)
    assert len(jsonl.read(tmp_path / "run/finetuning_data/all_generated_instances.jsonl")) >= 12


def test_the_stages_show_fewer_demonstrations_where_the_server_says_too_long(
    server: FakeServer, tmp_path: Path
) -> None:
    def behave(handler: Any, body: dict[str, Any]) -> None:
        fits = len(prompt_of(body).split()) <= 400
        (writes_like_a_model if fits else error(400, "maximum context length"))(handler, body)

    server.default = behave
    run = generate(server, tmp_path / "run", "num_instructions=2")
    _, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    dropped: dict[str, set[int]] = {"instructions": set(), "classification": set(), "instances": set()}
    for record in jsonl.read(tmp_path / "run/response_log.jsonl"):
        dropped[record["stage"]].add(record.get("dropped_demonstrations", 0))
    assert dropped["instructions"] == {0}
    assert min(dropped["classification"] | dropped["instances"]) > 0
    assert len(jsonl.read(tmp_path / "run/machine_generated_instances.jsonl")) >= 2


def test_an_interrupt_while_the_server_is_silent_ends_the_run_soon(
    server: FakeServer, tmp_path: Path
) -> None:
    server.default = fake_server.hang
    run = generate(server, tmp_path / "run")
    while not server.asked and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=20)
    assert run.returncode == 3, err
    assert "interrupted; start again" in err


def test_an_interrupt_that_comes_while_nothing_is_waited_for_is_known_to_the_end(
    server: FakeServer, connect: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(openai_api, "_SECONDS_BEFORE_A_WORD", 0.1)
    monkeypatch.setattr(openai_api, "_PATIENCE_SECONDS", 0.1)
    server.default = fake_server.hang
    llm = connect(timeout_seconds=60.0)
    llm.submit(ASK)
    while not server.asked:
        time.sleep(0.01)
    try:
        raise KeyboardInterrupt  # as if the signal had come between two requests
    except KeyboardInterrupt:
        llm.close()
    assert "waiting for 1 answers that are on their way; for at most 0.1 seconds" in capsys.readouterr().err


@pytest.mark.parametrize("stop", ["budget", "interrupt"])
def test_what_the_server_was_asked_before_a_stop_is_in_the_log_and_on_the_bill(
    server: FakeServer, tmp_path: Path, stop: str
) -> None:
    server.default = fake_server.answer_with(pipeline_text, after=0.2)
    limit = ["budget.max_requests=24"] if stop == "budget" else []
    # Enough after some twelve requests: stage 1 leaves others on their way.
    run = generate(server, tmp_path / "run", "num_instructions=30", "llm.max_concurrency=8", *limit)
    if stop == "interrupt":
        while len(server.asked) < 20 and run.poll() is None:
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 3, err
    logged = [record["prompt"] for record in jsonl.read(tmp_path / "run/response_log.jsonl")]
    assert sorted(logged) == sorted(server.prompts)
    assert len(logged) == 24 if stop == "budget" else len(logged) >= 20
    assert f"in all: {len(logged)} requests," in err
    assert f"in all: {len(logged)} requests," in (tmp_path / "run/run.log").read_text()


@pytest.mark.parametrize(
    ("behaviour", "code", "message"),
    [(error(401, f"wrong key {KEY}"), 2, "wrong key [key] (HTTP 401)"), (error(500, "broken"), 3, "broken")],
    ids=["bad key", "failing"],
)
def test_a_run_that_cannot_go_on_ends_with_one_message(
    server: FakeServer, tmp_path: Path, behaviour: Any, code: int, message: str
) -> None:
    server.default = behaviour
    run = generate(server, tmp_path / "run", "llm.max_failures=1")
    out, err = run.communicate(timeout=120)
    assert run.returncode == code, err
    assert message in err
    assert "Traceback" not in err
    assert KEY not in out + err
    assert files_with_the_key(tmp_path) == []
