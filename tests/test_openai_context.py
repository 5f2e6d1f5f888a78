"""`llm=openai` where prompt and answer are too long for the server's model."""

from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer, answer, error, prompt_of
from openai_requests import ASK, ask
from transformers import AutoTokenizer

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.fitting import FewShot
from selfinstruct.llm.base import TINY_MODEL, Request
from selfinstruct.llm.response_log import LoggedLLM
from selfinstruct.prompts import PromptTooLong
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


def question(num_demonstrations: int, max_tokens: int, may_show_none: bool = True) -> FewShot:
    query = Query(0.0, 1.0, 0.0, 0.0, max_tokens, [])

    def render(number: int) -> str:
        return " ".join(["word"] * (5 + 10 * number))

    return FewShot(query, render, num_demonstrations, "s", may_show_none=may_show_none)


def words_request(num_demonstrations: int, max_tokens: int, may_show_none: bool = True) -> Request:
    return question(num_demonstrations, max_tokens, may_show_none).request(num_demonstrations, max_tokens)


def sent(server: FakeServer) -> list[tuple[int, int]]:
    """Words of the prompt and tokens to write of each request."""
    return [(len(prompt_of(body).split()), body["max_tokens"]) for body in server.asked]


@pytest.mark.parametrize(("status", "message", "code"), OVERFLOWS)
def test_demonstrations_are_dropped_when_the_server_says_too_long(
    connect: Any,
    server: FakeServer,
    capsys: pytest.CaptureFixture[str],
    status: int,
    message: str,
    code: str | None,
) -> None:
    server.default = context_of(35, message, status, code)
    llm = connect()
    completion = ask(llm, words_request(4, max_tokens=10))[0]
    assert (completion.prompt_tokens, completion.dropped_demonstrations) == (25, 2)
    assert [len(prompt.split()) for prompt in server.prompts] == [45, 35, 25]
    assert llm.traffic["context overflows"] == 2
    length = "20" if "20" in message else "TOKENS"
    assert f"llm.context_length={length} in a new run_dir saves such refusals" in capsys.readouterr().err


def test_two_demonstrations_stay_and_the_answer_is_made_shorter_then_the_server_has_the_last_word(
    connect: Any, server: FakeServer
) -> None:
    request = words_request(4, max_tokens=20, may_show_none=False)
    server.default = context_of(30, "maximum context length is 30")
    assert ask(connect(), request)[0].dropped_demonstrations == 2
    assert sent(server) == [(45, 20), (35, 20), (25, 20), (25, 10), (25, 5)]
    server.asked.clear()
    server.default = context_of(19, "maximum context length is 19")
    with pytest.raises(UserError, match=r"maximum context length is 19 .*the prompt begins 'word word"):
        ask(connect(), request)
    assert sent(server)[-2:] == [(25, 5), (15, 5)]  # one stays, for long tasks; the list is never empty


def test_a_long_instruction_is_asked_about_without_demonstrations_rather_than_not(
    connect: Any, server: FakeServer
) -> None:
    server.default = context_of(12, "maximum context length is 12")
    assert ask(connect(), words_request(2, max_tokens=8))[0].dropped_demonstrations == 2
    assert sent(server) == [(25, 8), (25, 4), (25, 2), (15, 2), (5, 2)]
    server.default = context_of(4, "maximum context length is 4")
    with pytest.raises(UserError, match=r"maximum context length is 4 .*the prompt begins 'word word"):
        ask(connect(), words_request(2, max_tokens=8))


@pytest.mark.parametrize(
    ("context", "number", "number_or_fewer"),
    [
        (45 + 20, 4, 4),
        (35 + 20, 3, 3),
        (25 + 20, 2, 2),
        (25 + 5, 2, 2),
        (15 + 20, 2, 2),
        (29, 1, 0),
        (19, None, 0),
    ],
)
def test_a_small_context_keeps_two_demonstrations_and_shortens_the_answer(
    connect: Any, server: FakeServer, context: int, number: int | None, number_or_fewer: int
) -> None:
    llm = connect(context_length=context)
    llm.count_tokens = lambda text: len(text.split())
    if number is None:
        with pytest.raises(PromptTooLong, match=rf"llm\.context_length={context}: 15 tokens .* 5 of an ans"):
            question(4, 20, may_show_none=False).fitted(llm)
    else:
        assert question(4, 20, may_show_none=False).fitted(llm)[1] == number
    request, shown = question(4, 20).fitted(llm)
    assert shown == number_or_fewer
    assert ask(llm, request)[0].prompt_tokens == 5 + 10 * shown
    assert sent(server)[0][1] == min(20, context - 5 - 10 * shown)


def test_a_shortened_answer_is_logged_as_such_and_not_asked_again(
    connect: Any, server: FakeServer, tmp_path: Path
) -> None:
    server.default = context_of(36, "maximum context length is 36")
    path = tmp_path / "log.jsonl"
    stage = LoggedLLM(connect(), path).for_stage("instances")
    first = ask(stage, words_request(3, max_tokens=10), words_request(0, max_tokens=10))
    records = sorted(jsonl.read(path), key=lambda record: record["index"])
    lines = [record.get("dropped_demonstrations") for record in records]
    assert lines == [1, None]
    num_asked = len(server.asked)
    again = LoggedLLM(connect(), path).for_stage("instances")
    assert ask(again, words_request(3, max_tokens=10), words_request(0, max_tokens=10)) == first
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
