"""`llm=openai` where prompt and answer are too long for the server's model."""

from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer, answer, error, prompt_of
from openai_requests import ASK, ask
from transformers import AutoTokenizer

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.llm.base import TINY_MODEL, Request
from selfinstruct.llm.response_log import LoggedLLM
from selfinstruct.queries import Query


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
    records = sorted(jsonl.read(path), key=lambda record: record["index"])
    lines = [record.get("dropped_demonstrations") for record in records]
    assert lines == [1, None]
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
