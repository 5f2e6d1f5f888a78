"""`llm=openai`: what is sent, what comes of an answer, settings; against a fake server and a real one."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import served_model
from fake_server import KEY, FakeServer, answer, raw, text_of
from openai_requests import ASK, SAMPLED, ask

from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, TINY_MODEL, Completion, LLMConfig, Request, make_llm

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
    assert (llm.in_flight, llm.chunk_size) == (16, 1)  # taken, for the sake of order; four are sent
    for number in range(12):  # all at once: more than it has places for
        llm.submit(Request(f"prompt {number}", max_tokens=5))
    start = time.monotonic()
    assert [llm.next_completion().text for _ in range(12)] == [text_of(f"prompt {n}") for n in range(12)]
    assert server.most_at_once == 4
    assert time.monotonic() - start < 2.0  # one after the other it would be 2.4


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


# ---- a real server


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `transformers serve` with the embedded model."""
    with served_model.served(tmp_path_factory.mktemp("serve") / "serve.log") as address:
        yield address


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
