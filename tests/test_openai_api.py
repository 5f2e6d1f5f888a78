"""`llm=openai`: against a server that goes wrong on purpose, and against a real one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from random import Random
from typing import Any

import fake_server
import pytest
from fake_server import FakeServer, answer, error, prompt_of, raw, text_of
from transformers import AutoTokenizer

from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.llm.base import (
    LLM,
    TINY_MODEL,
    Completion,
    LLMConfig,
    Request,
    complete_in_order,
    make_llm,
)
from selfinstruct.llm.response_log import LoggedLLM
from selfinstruct.queries import Query

ROOT = Path(__file__).parents[1]
KEY = "sk-a-very-secret-key-1234567890"
ASK = Request("Name a river.", max_tokens=50)
SAMPLED = replace(ASK, temperature=0.7, top_p=0.5)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with fake_server.running() as fake:
        yield fake


@pytest.fixture
def opened() -> Iterator[list[LLM]]:
    llms: list[LLM] = []
    yield llms
    for llm in llms:
        llm.close()


@pytest.fixture
def connect(server: FakeServer, opened: list[LLM]) -> Any:
    """Opens the backend on the server, with settings that do not keep a test waiting."""

    def connect_with(**settings: Any) -> LLM:
        quick = {"base_url": server.url, "first_pause_seconds": 0.01, "timeout_seconds": 10.0}
        opened.append(make_llm(LLMConfig("openai", "some-model", **(quick | settings))))
        return opened[-1]

    return connect_with


def ask(llm: LLM, *requests: Request) -> list[Completion]:
    return list(complete_in_order(llm, requests))


# ---- what is sent


def test_greedy_is_sent_in_a_form_that_every_server_takes(connect: Any, server: FakeServer) -> None:
    ask(connect(), replace(ASK, top_p=0.5, stop=("\n\n", "16.")))
    assert server.asked == [
        {
            "model": "some-model",
            "prompt": "Name a river.",
            "max_tokens": 50,
            "temperature": 0.0,
            "stop": ["\n\n", "16."],
        }
    ]
    assert server.paths == ["/v1/completions"]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_sampling_settings_are_sent_as_they_are(connect: Any, server: FakeServer) -> None:
    ask(connect(), replace(SAMPLED, presence_penalty=2.0, frequency_penalty=0.5))
    sent = {"temperature": 0.7, "top_p": 0.5, "presence_penalty": 2.0, "frequency_penalty": 0.5}
    assert server.asked[0].items() >= sent.items()


def test_a_chat_endpoint_gets_one_user_turn(connect: Any, server: FakeServer) -> None:
    llm = connect(endpoint="chat", max_tokens_name="max_completion_tokens")
    assert llm.is_chat
    assert ask(llm, ASK)[0].text == text_of("Name a river.")
    assert server.paths == ["/v1/chat/completions"]
    assert server.asked[0]["messages"] == [{"role": "user", "content": "Name a river."}]
    assert server.asked[0]["max_completion_tokens"] == 50
    assert {"max_tokens", "prompt"}.isdisjoint(server.asked[0])


def test_what_a_server_refuses_can_be_left_out_and_stop_sequences_still_hold(
    connect: Any, server: FakeServer
) -> None:
    server.default = answer("one\ntwo END three", "length")
    llm = connect(left_out=["stop", "temperature"])
    assert ask(llm, replace(SAMPLED, stop=("END", "three")))[0] == Completion("one\ntwo ", "stop", 3, 4)
    assert {"stop", "temperature"}.isdisjoint(server.asked[0])


def test_a_seed_is_sent_only_when_asked_for(connect: Any, server: FakeServer) -> None:
    requests = [replace(SAMPLED, seed=seed) for seed in ("1:a", "1:b", "1:a")]
    ask(connect(), *requests)
    assert all("seed" not in body for body in server.asked)
    server.asked.clear()
    ask(connect(send_seed=True, max_concurrency=1), *requests)
    seeds = [body["seed"] for body in server.asked]
    assert seeds[0] == seeds[2] != seeds[1]
    assert all(0 <= seed < 2**31 for seed in seeds)


# ---- answers


@pytest.mark.parametrize("endpoint", ["completions", "chat"])
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        (None, "stop"),
        ("eos", "stop"),
    ],
)
def test_why_an_answer_ended(connect: Any, server: FakeServer, endpoint: str, said: str, meant: str) -> None:
    server.default = answer("some text", said)
    assert ask(connect(endpoint=endpoint), ASK) == [Completion("some text", meant, 3, 2)]  # type: ignore[arg-type]


def test_a_filtered_chat_answer_without_content_is_an_empty_answer(connect: Any, server: FakeServer) -> None:
    choice = {"message": {"content": None}, "finish_reason": "content_filter"}
    server.default = raw(json.dumps({"choices": [choice], "usage": None}))
    completion = ask(connect(endpoint="chat"), ASK)[0]
    assert (completion.text, completion.finish_reason) == ("", "content_filter")


def test_tokens_are_estimated_where_the_server_does_not_count(connect: Any, server: FakeServer) -> None:
    server.default = raw('{"choices": [{"text": "abcdefg", "finish_reason": "stop"}]}')
    assert ask(connect(), ASK) == [Completion("abcdefg", "stop", 5, 3)]  # 13 and 7 bytes, a token for 3


def test_half_a_surrogate_pair_does_not_reach_a_file(connect: Any, server: FakeServer) -> None:
    server.default = raw('{"choices": [{"text": "a \\ud83d b", "finish_reason": "stop"}]}')
    assert ask(connect(), ASK)[0].text == "a ? b"


def test_answers_keep_their_order_whichever_comes_first(connect: Any, server: FakeServer) -> None:
    rng = Random(1)
    server.script.extend(answer(after=rng.choice([0.0, 0.02, 0.1])) for _ in range(40))
    requests = [Request(f"prompt {number}", max_tokens=5) for number in range(40)]
    completions = ask(connect(max_concurrency=8), *requests)
    assert [completion.text for completion in completions] == [
        text_of(request.prompt) for request in requests
    ]


def test_as_many_requests_as_allowed_are_in_flight_and_no_more(connect: Any, server: FakeServer) -> None:
    server.default = answer(after=0.2)
    llm = connect(max_concurrency=4)
    assert (llm.in_flight, llm.chunk_size) == (4, 1)
    for number in range(12):  # all at once: more than it has places for
        llm.submit(Request(f"prompt {number}", max_tokens=5))
    start = time.monotonic()
    assert [llm.next_completion().text for _ in range(12)] == [text_of(f"prompt {n}") for n in range(12)]
    assert server.most_at_once == 4
    assert time.monotonic() - start < 2.0  # one after the other it would be 2.4


# ---- what may pass


FAULTS = {
    "429": error(429, "slow down"),
    "500": error(500),
    "503": error(503),
    "408": error(408),
    "503 in HTML": raw("<html>Service Unavailable</html>", "text/html", 503),
    "connection reset": fake_server.connection_reset,
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


@pytest.mark.parametrize(("status", "code"), [(429, "insufficient_quota"), (402, None)])
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


def test_an_answer_that_comes_before_an_older_one_is_kept_at_once(
    connect: Any, server: FakeServer, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"

    def wait_for_the_others(handler: fake_server.Handler, body: dict[str, Any]) -> None:
        deadline = time.monotonic() + 20
        while prompt_of(body) == "prompt 0" and time.monotonic() < deadline:
            if len(jsonl.read_if_there(path)) == 3:
                break
            time.sleep(0.01)
        answer()(handler, body)

    server.default = wait_for_the_others
    stage = LoggedLLM(connect(max_concurrency=2), path).for_stage("instances")
    for number in range(4):
        stage.submit(Request(f"prompt {number}", max_tokens=5))
    assert [stage.next_completion().text for _ in range(4)] == [text_of(f"prompt {n}") for n in range(4)]
    assert sorted(record["index"] for record in jsonl.read(path)[:3]) == [1, 2, 3]


# ---- too long for the context


def context_of(words: int, message: str, status: int = 400, code: str | None = None) -> Any:
    """A server whose prompts and answers together have so many words."""

    def behave(handler: Any, body: dict[str, Any]) -> None:
        fits = len(prompt_of(body).split()) + body["max_tokens"] <= words
        (answer() if fits else error(status, message, code))(handler, body)

    return behave


OVERFLOWS = [
    (400, "too much", "context_length_exceeded"),
    (400, "This model's maximum context length is 20 tokens. However, you requested 50 tokens", None),
    (400, "the request exceeds the available context size, try increasing it", None),
    (422, "`inputs` tokens + `max_new_tokens` must be <= 20. Given: 40 `inputs` tokens", None),
    (400, "The input (50 tokens) is longer than the model's context length (20 tokens).", None),
    (400, "The decoder prompt (length 50) is longer than the maximum model length of 20.", None),
    (422, "Input validation error: `inputs` must have less than 20 tokens. Given: 50", None),
    (500, "prompt is too long: 50 tokens > 20 maximum", None),
]


def words_request(num_demonstrations: int, max_tokens: int) -> Request:
    query = Query(0.0, 1.0, 0.0, 0.0, max_tokens, [])
    return query.request_with(lambda number: " ".join(["word"] * (5 + 10 * number)), num_demonstrations, "s")


@pytest.mark.parametrize(("status", "message", "code"), OVERFLOWS)
def test_demonstrations_are_dropped_when_the_server_says_too_long(
    connect: Any, server: FakeServer, status: int, message: str, code: str | None
) -> None:
    server.default = context_of(30, message, status, code)
    llm = connect()
    completion = ask(llm, words_request(4, max_tokens=10))[0]
    assert (completion.prompt_tokens, completion.dropped_demonstrations) == (15, 3)
    assert [len(prompt.split()) for prompt in server.prompts] == [45, 35, 25, 15]
    assert llm.traffic["context overflows"] == 3


def test_then_the_answer_is_made_shorter_and_then_the_server_has_the_last_word(
    connect: Any, server: FakeServer
) -> None:
    server.default = context_of(12, "maximum context length is 12")
    assert ask(connect(), words_request(1, max_tokens=20))[0].dropped_demonstrations == 1
    assert [(len(prompt_of(b).split()), b["max_tokens"]) for b in server.asked] == [
        (15, 20),
        (5, 20),
        (5, 10),
        (5, 5),
    ]
    server.default = context_of(4, "maximum context length is 4")
    with pytest.raises(UserError, match=r"maximum context length is 4 .*the prompt begins 'word word"):
        ask(connect(), words_request(1, max_tokens=20))


def test_a_shortened_answer_is_logged_as_such_and_not_asked_again(
    connect: Any, server: FakeServer, tmp_path: Path
) -> None:
    server.default = context_of(30, "maximum context length is 30")
    path = tmp_path / "log.jsonl"
    stage = LoggedLLM(connect(), path).for_stage("instances")
    first = ask(stage, words_request(2, max_tokens=10), words_request(0, max_tokens=10))
    lines = {record["index"]: record.get("dropped_demonstrations") for record in jsonl.read(path)}
    assert lines == {0: 1, 1: None}
    num_asked = len(server.asked)
    again = LoggedLLM(connect(), path).for_stage("instances")
    assert ask(again, words_request(2, max_tokens=10), words_request(0, max_tokens=10)) == first
    assert len(server.asked) == num_asked


def test_a_known_context_length_lowers_max_tokens_without_asking(connect: Any, server: FakeServer) -> None:
    llm = connect(context_length=20, max_concurrency=1)
    ask(llm, ASK, Request("a", max_tokens=5), Request("much too long " * 10, max_tokens=5))
    # 5 tokens of prompt by the estimate leave 15; where none would be left, the server may know better.
    assert [body["max_tokens"] for body in server.asked] == [15, 5, 5]
    assert llm.room_for(12) == 8


def test_tokens_can_be_counted_with_a_tokenizer(connect: Any) -> None:
    text = "Name a river."
    ids = AutoTokenizer.from_pretrained(TINY_MODEL)(text)["input_ids"]
    assert connect(tokenizer=str(TINY_MODEL)).count_tokens(text) == len(ids) > 1
    with pytest.raises(UserError, match=r"llm\.tokenizer=/no/such/folder: cannot be loaded"):
        connect(tokenizer="/no/such/folder")


# ---- settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base_url": None}, "llm.base_url is missing"),
        ({"model": None}, "llm.model is missing"),
        ({"adapter": "some/folder"}, "llm.adapter: with llm=openai the server loads it"),
        ({"base_url": "localhost:8000"}, "llm.base_url=localhost:8000: must look like"),
        ({"base_url": "http://me:secret@host/v1"}, "llm.base_url: must hold no user"),
        ({"base_url": "http://host/v1?key=secret"}, "llm.base_url: must hold no user"),
        ({"api_key_env": "sk-secret"}, "llm.api_key_env: give the name"),
        ({"max_concurrency": 0}, "llm.max_concurrency: 0"),
        ({"requests_per_minute": 0}, "llm.requests_per_minute: 0"),
        ({"timeout_seconds": 0.0}, "llm.timeout_seconds: 0"),
        ({"max_failures": -1}, "llm.max_failures: -1"),
        ({"max_tokens_name": "n"}, "llm.max_tokens_name: 'n'"),
        ({"left_out": ["prompt"]}, r"llm.left_out: \['prompt'\]"),
    ],
)
def test_a_wrong_setting_is_named_and_a_secret_in_it_is_not(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        LLMConfig("openai", **({"base_url": "http://localhost/v1", "model": "m"} | settings))
    assert "secret" not in str(caught.value)


def test_a_key_is_needed_except_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, server: FakeServer, opened: list[LLM]
) -> None:
    monkeypatch.setenv("MY_KEY", "")
    for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
        opened.append(make_llm(LLMConfig("openai", "m", base_url=url, api_key_env="MY_KEY")))
        assert ask(opened[-1], ASK)[0].text == text_of("Name a river.")
    with pytest.raises(
        UserError, match=r"MY_KEY, which is to hold the key for api\.example\.org, is not set"
    ):
        make_llm(LLMConfig("openai", "m", base_url="https://api.example.org/v1", api_key_env="MY_KEY"))


# ---- a run of the four stages


def pipeline_text(prompt: str) -> str:
    """What a model could write: the same to the same prompt, new words to another."""
    rng = Random(prompt)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(40)]
    if prompt.endswith("Is it classification?"):
        return " No"
    if prompt.startswith("Write worked examples"):
        return f"Example 1\n{words[0]}\nOutput: {words[1]}\n\nExample 2\n{words[2]}\nOutput: {words[3]}\n"
    lines = [f"Explain {' '.join(words[i : i + 6])} now." for i in (0, 8, 16)]
    return f" {lines[0]}\n10. {lines[1]}\n11. {lines[2]}"


def writes_like_a_model(handler: Any, body: dict[str, Any]) -> None:
    answer(pipeline_text(prompt_of(body)), after=0.01)(handler, body)


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


# ---- a real server


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`transformers serve` with the embedded model; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(TINY_MODEL)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = tmp_path_factory.mktemp("serve") / "serve.log"
    with log.open("w") as output:
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "passive"}
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).read()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.2)
        else:
            pytest.fail(f"transformers serve does not come up: {log.read_text()}")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("endpoint", ["completions", "chat"])
def test_a_real_server_answers_as_the_model_itself_does(
    real_server: str, opened: list[LLM], endpoint: str
) -> None:
    prompts = ["1. Name three animals.\n2.", "Please judge if this is a fruit: apple.", "Sort the drinks."]
    requests = [Request(prompt, max_tokens=12, stop=("\n\n",)) for prompt in prompts]
    opened.append(make_llm(LLMConfig("openai", str(TINY_MODEL), base_url=real_server, endpoint=endpoint)))
    opened.append(make_llm(LLMConfig("local", str(TINY_MODEL), endpoint=endpoint, batch_size=1)))
    served, local = (ask(llm, *requests) for llm in opened)
    assert [completion.text.strip() for completion in served] == [c.text.strip() for c in local]
    assert [completion.prompt_tokens for completion in served] == [c.prompt_tokens for c in local]
    assert all(0 < completion.completion_tokens <= 12 for completion in served)


def test_a_real_server_that_does_not_know_the_model_says_so(real_server: str, opened: list[LLM]) -> None:
    opened.append(make_llm(LLMConfig("openai", "no-such-model", base_url=real_server)))
    with pytest.raises(UserError, match="no-such-model"):
        ask(opened[0], ASK)
