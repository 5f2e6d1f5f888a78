"""`llm=openai` against a server that goes wrong on purpose: what may pass, and what does not."""

import socket
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import fake_server
import pytest
from fake_server import KEY, FakeServer, answer, error, prompt_of, raw, text_of
from openai_requests import ASK, ask

from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.llm.base import Completion, Request
from selfinstruct.llm.budget import BudgetConfig
from selfinstruct.llm.response_log import LoggedLLM

# ---- what may pass


FAULTS = {
    "429": error(429, "slow down"),
    "500": error(500),
    "503": error(503),
    "408": error(408),
    "503 in HTML": raw("<html>Service Unavailable</html>", "text/html", 503),
    "connection reset": fake_server.connection_reset,
    "connection closed": fake_server.connection_closed,
    "not HTTP": fake_server.not_http,
    "half a chunk": fake_server.half_a_chunk,
    "not in the encoding it says": fake_server.no_gzip,
    "time-out": fake_server.hang,
    "stall mid-answer": fake_server.stall_in_the_middle,
    "trickle": fake_server.trickle,
    "truncated JSON": fake_server.truncated_json,
    "body cut off": fake_server.body_cut_off,
    "empty choices": raw('{"choices": []}'),
    "no choices": raw('{"object": "list"}'),
    "null": raw("null"),
    "no text": raw('{"choices": [{"finish_reason": "stop"}]}'),
    "finish reason error": answer("half", "error"),
    "wrong content type": raw("<html>please log in</html>", "text/html"),
    "empty body": raw(""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_that_may_pass_the_request_is_sent_again(
    connect: Any, server: FakeServer, fault: str
) -> None:
    server.script.extend([FAULTS[fault], FAULTS[fault]])
    llm = connect(timeout_seconds=0.3 if fault in ("time-out", "stall mid-answer", "trickle") else 10)
    assert ask(llm, ASK)[0].text == text_of("Name a river.")
    assert server.asked == [server.asked[0]] * 3
    kinds = {"failures": 0, "rate limits": 2} if fault == "429" else {"failures": 2, "rate limits": 0}
    assert llm.traffic == {"requests": 3, "answers": 1, "context overflows": 0} | kinds


def test_json_under_another_content_type_is_taken(connect: Any, server: FakeServer) -> None:
    server.default = raw('{"choices": [{"text": "fine", "finish_reason": "stop"}]}', "text/plain")
    assert ask(connect(), ASK)[0].text == "fine"


def test_a_server_that_is_not_there_stops_the_run_and_can_be_tried_again(connect: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(StoppedEarly, match=r"Connection error.*start again with the same words"):
        ask(connect(base_url=url, max_failures=1), ASK)


def test_after_the_last_failure_the_run_stops_with_the_servers_words(
    connect: Any, server: FakeServer
) -> None:
    server.default = error(500, "the GPU fell off the bus")
    with pytest.raises(StoppedEarly, match=r"3 times.*the GPU fell off the bus \(HTTP 500\)"):
        ask(connect(max_failures=2), ASK)
    assert len(server.asked) == 3


def test_rate_limits_are_counted_apart_from_failures(connect: Any, server: FakeServer) -> None:
    server.script.extend([error(429)] * 3)
    assert ask(connect(max_failures=0), ASK)[0].text == text_of("Name a river.")
    server.script.extend([error(500)])
    assert ask(connect(max_rate_limits=0), ASK)[0].text == text_of("Name a river.")
    server.script.extend([error(429, "3 requests a day")] * 3)
    with pytest.raises(StoppedEarly, match=r"llm.max_rate_limits=2.*3 requests a day"):
        ask(connect(max_rate_limits=2), ASK)


@pytest.mark.parametrize("header", ["Retry_After", "retry_after_ms"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(connect: Any, server: FakeServer, header: str, status: int) -> None:
    wait = {"Retry_After": "0.4", "retry_after_ms": "400"}[header]
    server.script.append(error(status, **{header: wait}))
    ask(connect(), ASK)
    waited = server.times[1] - server.times[0]
    assert 0.4 <= waited < 3.0


def test_retry_after_may_be_a_date(connect: Any, server: FakeServer) -> None:
    server.script.append(error(429, Retry_After=formatdate(time.time() + 2, usegmt=True)))
    ask(connect(), ASK)
    assert 0.9 <= server.times[1] - server.times[0] < 3.0  # a date has whole seconds


def test_a_rate_limit_holds_back_every_request(connect: Any, server: FakeServer) -> None:
    server.script.extend([error(429, Retry_After="0.5"), answer(after=0.3)])
    llm = connect(max_concurrency=2)
    ask(llm, *[Request(f"prompt {number}", max_tokens=5) for number in range(4)])
    # Two are in flight when the server says so; the others start after the pause.
    assert [moment - server.times[0] >= 0.5 for moment in server.times] == [False, False, True, True, True]


def test_a_wait_beyond_all_patience_stops_the_run(connect: Any, server: FakeServer) -> None:
    server.default = error(429, "daily limit", Retry_After="86400")
    with pytest.raises(StoppedEarly, match=r"asks to wait 86\d{3} seconds: daily limit"):
        ask(connect(), ASK)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(429, "insufficient_quota"), (402, None), (400, "billing_not_active")]
)
def test_a_used_up_account_stops_the_run_at_once(
    connect: Any, server: FakeServer, status: int, code: str | None
) -> None:
    server.default = error(status, "You exceeded your current quota", code)
    with pytest.raises(StoppedEarly, match="You exceeded your current quota"):
        ask(connect(), ASK)
    assert len(server.asked) == 1


def test_requests_per_minute_are_kept(connect: Any, server: FakeServer) -> None:
    requests = [Request(f"prompt {number}", max_tokens=5) for number in range(5)]
    llm = connect(requests_per_minute=600)
    ask(llm, ASK)  # connecting takes a while of its own
    ask(llm, *requests)
    assert len(server.times) == 6
    assert server.times[5] - server.times[1] >= 0.35  # 4 times 0.1 s, less what differs on the way


def test_tokens_per_minute_are_kept(connect: Any, server: FakeServer) -> None:
    # 4 tokens of prompt (11 bytes), 96 of answer: 100 a request are 0.1 s of 60,000 a minute.
    requests = [Request(f"prompt {number:04}", max_tokens=96) for number in range(5)]
    llm = connect(tokens_per_minute=60_000)
    ask(llm, ASK)
    ask(llm, *requests)
    assert len(server.times) == 6
    assert server.times[5] - server.times[1] >= 0.35


# ---- what does not pass


@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        (401, f"Incorrect API key provided: {KEY}", "environment variable OPENAI_API_KEY"),
        (403, f"{KEY} may not use this", "environment variable OPENAI_API_KEY"),
        (404, "The model `some-model` does not exist", "check llm.model"),
        (400, "Unsupported value: 'temperature'", "llm.left_out"),
        (422, "presence_penalty is not known", "llm.left_out"),
    ],
)
def test_a_refusal_stops_at_once_with_the_servers_words(
    connect: Any, server: FakeServer, status: int, message: str, advice: str
) -> None:
    server.default = error(status, message)
    with pytest.raises(UserError) as caught:
        ask(connect(), ASK)
    assert message.replace(KEY, "[key]") in str(caught.value)
    assert advice in str(caught.value)
    assert KEY not in str(caught.value)
    assert len(server.asked) == 1


def test_after_a_refusal_nothing_more_is_sent_and_nobody_is_waited_for(
    connect: Any, server: FakeServer
) -> None:
    server.script.extend([fake_server.hang, error(401, "no such key")])
    start = time.monotonic()
    with pytest.raises(UserError, match="no such key"):
        ask(connect(max_concurrency=2), *[Request(f"prompt {n}", max_tokens=5) for n in range(8)])
    assert sorted(server.prompts) == ["prompt 0", "prompt 1"]
    assert time.monotonic() - start < 8  # the first would hang for 10 s


def test_after_a_failure_nothing_more_is_sent_and_what_is_on_its_way_is_kept(
    connect: Any, server: FakeServer, tmp_path: Path
) -> None:
    def behave(handler: Any, body: dict[str, Any]) -> None:
        is_first = prompt_of(body) == "prompt 0"
        (answer(after=0.3) if is_first else error(500, "broken"))(handler, body)

    server.default = behave
    stage = LoggedLLM(connect(max_concurrency=2, max_failures=1), tmp_path / "log.jsonl").for_stage("s")
    with pytest.raises(StoppedEarly, match="broken"):
        ask(stage, *[Request(f"prompt {n}", max_tokens=5) for n in range(8)])
    assert set(server.prompts) == {"prompt 0", "prompt 1"}
    assert [record["prompt"] for record in jsonl.read(tmp_path / "log.jsonl")] == ["prompt 0"]


@pytest.mark.parametrize("code", ["content_filter", "content_policy_violation"])
def test_a_prompt_that_the_server_filters_has_an_empty_answer(
    connect: Any, server: FakeServer, code: str
) -> None:
    server.default = error(400, "The prompt triggered the content management policy.", code)
    assert ask(connect(), ASK) == [Completion("", "content_filter", 5, 0)]
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "said",
    [
        '{"detail": "no such model"}',
        '{"detail": [{"loc": ["body"], "msg": "no such model"}]}',
        '{"error": "no such model"}',
        '{"message": "no such model"}',
        "no such model",
        "",
    ],
)
def test_the_servers_words_are_found_in_any_form(connect: Any, server: FakeServer, said: str) -> None:
    server.default = raw(said, status=404)
    with pytest.raises(UserError, match="no such model" if said else r"\(no message\)"):
        ask(connect(), ASK)


def test_answers_before_a_refusal_are_kept_and_the_refusal_is_not(
    connect: Any, server: FakeServer, tmp_path: Path
) -> None:
    server.script.extend([answer(), answer(), error(400, "no")])
    stage = LoggedLLM(connect(max_concurrency=1), tmp_path / "log.jsonl").for_stage("instances")
    requests = [Request(f"prompt {number}", max_tokens=5) for number in range(4)]
    with pytest.raises(UserError):
        ask(stage, *requests)
    assert [record["prompt"] for record in jsonl.read(tmp_path / "log.jsonl")] == ["prompt 0", "prompt 1"]


def test_an_answer_is_on_disk_before_its_turn_comes_and_its_place_is_free(
    connect: Any, server: FakeServer, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    unlogged = []

    def behave(handler: Any, body: dict[str, Any]) -> None:
        with server.lock:
            unlogged.append(len(server.asked) - (len(jsonl.read(log)) if log.exists() else 0))
        if prompt_of(body) == "prompt 0":
            fake_server.hang(handler, body)
        answer()(handler, body)

    server.default = behave
    llm = connect(max_concurrency=2)
    stage = LoggedLLM(llm, log).for_stage("instances")
    for number in range(8):
        stage.submit(Request(f"prompt {number}", max_tokens=5))
    deadline = time.monotonic() + 20
    while not (log.exists() and len(log.read_bytes().splitlines()) == 7) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(record["index"] for record in jsonl.read(log)) == [1, 2, 3, 4, 5, 6, 7]
    assert max(unlogged) <= 2  # what a kill would have asked again, at any moment


def test_what_one_stage_leaves_behind_counts_against_the_budget_if_it_was_sent(
    connect: Any, server: FakeServer, tmp_path: Path
) -> None:
    server.default = answer(after=0.3)
    log = tmp_path / "log.jsonl"
    llm = LoggedLLM(connect(max_concurrency=2), log, BudgetConfig(max_requests=5))
    first = llm.for_stage("instructions")
    for number in range(5):
        first.submit(Request(f"prompt {number}", max_tokens=5))
    while len(server.asked) < 2:
        time.sleep(0.01)
    with pytest.raises(StoppedEarly, match=r"max_requests=5 would be passed"):
        ask(llm.for_stage("instances"), *[Request(f"task {number}", max_tokens=5) for number in range(5)])
    assert [prompt[:4] for prompt in server.prompts] == ["prom"] * 2 + ["task"] * 3
    assert {record["prompt"] for record in jsonl.read(log)} == set(server.prompts)
    assert llm.bill.now.requests == 5


def test_what_is_on_its_way_at_the_end_of_a_stage_is_waited_for_and_nothing_else_is_sent(
    connect: Any, server: FakeServer, tmp_path: Path
) -> None:
    special = {"prompt 0": answer(), "prompt 1": error(500, "busy", retry_after="30")}
    server.default = lambda handler, body: special.get(prompt_of(body), answer(after=0.3))(handler, body)
    llm = LoggedLLM(connect(max_concurrency=4), tmp_path / "log.jsonl")
    stage = llm.for_stage("instructions")
    for number in range(12):
        stage.submit(Request(f"prompt {number}", max_tokens=5))
    stage.next_completion()
    while len(server.asked) < 5:
        time.sleep(0.01)
    llm.close()
    assert sorted(server.prompts) == [f"prompt {number}" for number in range(5)]
    logged = {record["prompt"] for record in jsonl.read(tmp_path / "log.jsonl")}
    assert logged == set(server.prompts) - {"prompt 1"}  # which was to be tried again later
