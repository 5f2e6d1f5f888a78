"""The contract of `selfinstruct.llm.base.LLM`, over every backend."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import fake_server
import pytest
from small_models import save_model

from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, TINY_MODEL, Completion, LLMConfig, Request, complete_in_order, make_llm
from selfinstruct.llm.response_log import LoggedLLM

PROMPTS = [
    "Write a short poem about the sea",
    "1. Name three animals.\n2.",
    "Task: sort the list",
    "The quick brown fox jumps over the lazy dog, again and again. " * 3,
    "a",
]
GREEDY = [Request(prompt, max_tokens=n) for prompt, n in zip(PROMPTS, (12, 3, 20, 7, 16), strict=True)]
SAMPLED = [replace(r, temperature=1.0, top_p=0.9, seed=f"s{i}") for i, r in enumerate(GREEDY)]


@pytest.fixture(scope="session")
def model_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "local": save_model(folder / "base"),
        "chat": save_model(folder / "chat", chat=True),
    }


def open_model(name: str, folders: dict[str, Path]) -> LLM:
    match name:
        case "tiny":
            return make_llm(LLMConfig("tiny", batch_size=4))
        case "chat":
            model = str(folders["chat"])
            return make_llm(LLMConfig("local", model, endpoint="chat", batch_size=4))
        case _:
            return make_llm(LLMConfig("local", str(folders["local"]), batch_size=4))


def needs_tiny(name: str) -> None:
    if name == "tiny" and not (TINY_MODEL / "config.json").exists():
        pytest.skip("the embedded model is not there")


@pytest.fixture(scope="session", params=["local", "chat", "tiny"])
def model(request: pytest.FixtureRequest, model_folders: dict[str, Path]) -> LLM:
    needs_tiny(request.param)
    return open_model(request.param, model_folders)


@pytest.fixture(params=["local", "chat", "tiny", "openai", "openai chat", "replay", "logged"])
def llm(request: pytest.FixtureRequest, model_folders: dict[str, Path], tmp_path: Path) -> Iterator[LLM]:
    """Any backend; the replayed one has the answers to GREEDY."""
    needs_tiny(request.param)
    if request.param.startswith("openai"):
        with fake_server.running() as server:
            endpoint = "chat" if "chat" in request.param else "completions"
            opened = make_llm(LLMConfig("openai", "some-model", base_url=server.url, endpoint=endpoint))
            yield opened
            opened.close()
    else:
        yield open_backend(request.param, model_folders, tmp_path)


def open_backend(name: str, model_folders: dict[str, Path], tmp_path: Path) -> LLM:
    if name not in ("replay", "logged"):
        return open_model(name, model_folders)
    logged = LoggedLLM(open_model("local", model_folders), tmp_path / "response_log.jsonl")
    if name == "logged":
        return logged
    answers(logged.for_stage("instructions"), GREEDY)
    return make_llm(LLMConfig("replay", responses=str(tmp_path)))


def answers(llm: LLM, requests: list[Request]) -> list[Completion]:
    return list(complete_in_order(llm, requests))


def ask_all_at_once(llm: LLM, requests: list[Request]) -> list[Completion]:
    for request in requests:
        llm.submit(request)
    return [llm.next_completion() for _ in requests]


# ---- every backend


def test_answers_come_in_the_order_asked_whatever_is_in_flight(llm: LLM) -> None:
    together = ask_all_at_once(llm.for_stage("instructions"), GREEDY)
    stage = llm.for_stage("instructions")
    assert [ask_all_at_once(stage, [request])[0] for request in GREEDY] == together
    assert answers(llm.for_stage("instructions"), GREEDY) == together
    assert len({completion.text for completion in together}) == len(GREEDY)


def test_asking_for_an_answer_to_nothing_is_a_lookup_error(llm: LLM) -> None:
    with pytest.raises(LookupError):
        llm.next_completion()
    answers(llm, GREEDY[:1])
    with pytest.raises(LookupError):
        llm.next_completion()


def test_a_new_stage_drops_what_an_earlier_one_left_behind(llm: LLM) -> None:
    stage = llm.for_stage("instructions")
    expected = answers(stage, GREEDY[:1])
    stage = llm.for_stage("instructions")
    for request in GREEDY:
        stage.submit(request)
    assert stage.next_completion() == expected[0]
    assert answers(llm.for_stage("instructions"), GREEDY[:1]) == expected


def test_the_description_names_no_path(llm: LLM) -> None:
    assert llm.description
    assert "/" not in str(llm.description)


def test_closing_twice_is_no_error_and_leaves_nothing_running(llm: LLM) -> None:
    for request in GREEDY:
        llm.for_stage("instructions").submit(request)
    llm.close()
    llm.close()
    assert "llm" not in {thread.name for thread in threading.enumerate()}


# ---- every model


def test_tokens_are_counted(model: LLM) -> None:
    for request, completion in zip(GREEDY, answers(model, GREEDY), strict=True):
        assert completion.prompt_tokens == model.count_tokens(request.prompt)
        assert 1 <= completion.completion_tokens <= request.max_tokens


def test_max_tokens_ends_an_answer_with_length(model: LLM) -> None:
    whole = answers(model, [Request(PROMPTS[0], max_tokens=20)])[0]
    short = answers(model, [Request(PROMPTS[0], max_tokens=2)])[0]
    assert (short.finish_reason, short.completion_tokens) == ("length", 2)
    assert whole.completion_tokens > 2
    assert whole.text.startswith(short.text)


def test_a_stop_sequence_ends_the_text_and_is_not_part_of_it(model: LLM) -> None:
    whole = answers(model, [Request(PROMPTS[0], max_tokens=20)])[0]
    stop = whole.text[5:7]
    cut = answers(model, [Request(PROMPTS[0], max_tokens=20, stop=("no such text", stop))])[0]
    assert (cut.text, cut.finish_reason) == (whole.text[: whole.text.index(stop)], "stop")
    assert cut.completion_tokens < whole.completion_tokens


def test_greedy_answers_repeat_and_do_not_depend_on_the_seed(model: LLM) -> None:
    first = answers(model, GREEDY)
    assert answers(model, GREEDY) == first
    assert answers(model, [replace(request, seed="other") for request in GREEDY]) == first


def test_the_seed_decides_a_sampled_answer(model: LLM) -> None:
    request = replace(SAMPLED[0], max_tokens=20, top_p=1.0, temperature=1.5)
    by_seed = {s: answers(model, [replace(request, seed=s)])[0].text for s in ("a", "b", "c", "d")}
    assert answers(model, [replace(request, seed="b")])[0].text == by_seed["b"]
    assert len(set(by_seed.values())) > 1


@pytest.mark.parametrize("requests", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_an_answer_does_not_depend_on_its_batch_mates(model: LLM, requests: list[Request]) -> None:
    alone = [answers(model, [request])[0] for request in requests]
    assert answers(model, requests) == alone
    assert answers(model, requests[::-1]) == alone[::-1]


# ---- the configuration


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: LLMConfig("gpt"), "llm.backend: 'gpt'"),
        (lambda: LLMConfig("local"), "llm.model is missing"),
        (lambda: LLMConfig("replay"), "llm.responses is missing"),
        (lambda: LLMConfig("tiny", endpoint="talk"), "llm.endpoint: 'talk'"),
        (lambda: LLMConfig("tiny", batch_size=0), "llm.batch_size: 0"),
    ],
)
def test_a_wrong_setting_is_named(make: Callable[[], LLMConfig], part: str) -> None:
    with pytest.raises(UserError, match=part):
        make()
