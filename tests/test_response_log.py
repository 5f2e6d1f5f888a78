"""`LoggedLLM`: every answer on disk before it is used, and nothing asked twice."""

from pathlib import Path

import pytest

from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly
from selfinstruct.llm.base import LLM, Completion, Request, complete_in_order
from selfinstruct.llm.response_log import LoggedLLM


class CountingLLM(LLM):
    """Answers with the prompt and how many answers it gave before; fails after `allowed` of them."""

    def __init__(self, chunk_size: int = 1, allowed: int = 10**9, in_flight: int | None = None) -> None:
        self.chunk_size = chunk_size
        self.asked: list[str] = []
        self.stages: list[tuple[str, int]] = []
        self._allowed, self._in_flight, self._answered = allowed, in_flight or chunk_size, 0

    @property
    def description(self) -> dict[str, object]:
        return {"model": "counting"}

    @property
    def in_flight(self) -> int:
        return self._in_flight

    def count_tokens(self, text: str) -> int:
        return len(text)

    def for_stage(self, stage: str, start_index: int = 0) -> LLM:
        self.stages.append((stage, start_index))
        return self

    def submit(self, request: Request) -> None:
        self.asked.append(request.prompt)

    def next_completion(self) -> Completion:
        if self._answered >= self._allowed:
            raise StoppedEarly("the budget is used up")
        self._answered += 1
        prompt = self.asked[self._answered - 1]
        return Completion(f"{prompt}#{self._answered}", "stop", len(prompt), 2)


def requests(start: int, end: int) -> list[Request]:
    return [Request(f"p{i}", max_tokens=5, seed=f"s{i}") for i in range(start, end)]


def texts(llm: LLM, start: int, end: int) -> list[str]:
    return [completion.text for completion in complete_in_order(llm, requests(start, end))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "response_log.jsonl"


def test_an_answer_is_on_disk_when_it_is_handed_out(path: Path) -> None:
    stage = LoggedLLM(CountingLLM(chunk_size=2), path).for_stage("instances")
    for number, _ in enumerate(complete_in_order(stage, requests(0, 5)), start=1):
        assert len(jsonl.read(path)) == number
    record = jsonl.read(path)[3]
    assert isinstance(record.pop("time"), float)
    assert len(record.pop("key")) == 64
    assert record == {
        "stage": "instances",
        "index": 3,
        "prompt": "p3",
        "text": "p3#4",
        "finish_reason": "stop",
        "prompt_tokens": 2,
        "completion_tokens": 2,
    }


@pytest.mark.parametrize("chunk_size", [1, 4])
def test_a_restart_asks_nothing_twice(path: Path, chunk_size: int) -> None:
    first = texts(LoggedLLM(CountingLLM(chunk_size), path).for_stage("instances"), 0, 10)
    model = CountingLLM(chunk_size)
    assert texts(LoggedLLM(model, path).for_stage("instances"), 0, 10) == first
    assert model.asked == []
    assert len(jsonl.read(path)) == 10


def test_a_restart_in_the_middle_asks_for_the_rest(path: Path) -> None:
    first = texts(LoggedLLM(CountingLLM(), path).for_stage("instances"), 0, 3)
    model = CountingLLM()
    assert texts(LoggedLLM(model, path).for_stage("instances"), 0, 5) == [*first, "p3#1", "p4#2"]
    assert model.asked == ["p3", "p4"]


def test_a_chunk_that_lacks_an_answer_is_asked_whole_and_logged_answers_win(path: Path) -> None:
    stage = LoggedLLM(CountingLLM(chunk_size=4), path).for_stage("instances")
    for request in requests(0, 8):
        stage.submit(request)
    first = [stage.next_completion().text for _ in range(6)]  # killed two answers before the end
    model = CountingLLM(chunk_size=4)
    resumed = texts(LoggedLLM(model, path).for_stage("instances"), 0, 8)
    assert model.asked == ["p4", "p5", "p6", "p7"]
    assert resumed == [*first, "p6#3", "p7#4"]
    assert [record["index"] for record in jsonl.read(path)] == list(range(8))


def test_a_line_torn_by_a_kill_is_asked_again(path: Path) -> None:
    whole = texts(LoggedLLM(CountingLLM(), path).for_stage("instances"), 0, 3)
    content = path.read_bytes()
    for torn in (content[:-1], content[:-40]):
        path.write_bytes(torn)
        model = CountingLLM()
        resumed = texts(LoggedLLM(model, path).for_stage("instances"), 0, 3)
        assert model.asked == ["p2"]
        assert resumed == [*whole[:2], "p2#1"]
        assert len(jsonl.read(path)) == 3


def test_a_stage_goes_on_at_its_start_index(path: Path) -> None:
    texts(LoggedLLM(CountingLLM(chunk_size=2), path).for_stage("instances"), 0, 4)
    model = CountingLLM(chunk_size=2)
    stage = LoggedLLM(model, path).for_stage("instances", start_index=2)
    assert model.stages == [("instances", 2)]
    assert texts(stage, 2, 6) == ["p2#3", "p3#4", "p4#1", "p5#2"]
    assert model.asked == ["p4", "p5"]


def test_chunks_are_sent_whole_by_index_and_the_last_one_when_it_is_needed(path: Path) -> None:
    model = CountingLLM(chunk_size=3)
    stage = LoggedLLM(model, path).for_stage("instances")
    sent = []
    for request in requests(0, 5):
        stage.submit(request)
        sent.append(len(model.asked))
    assert sent == [0, 0, 3, 3, 3]
    answers = [stage.next_completion().text for _ in range(5)]
    assert answers == ["p0#1", "p1#2", "p2#3", "p3#4", "p4#5"]


def test_answers_that_do_not_depend_on_each_other_are_asked_for_at_once(path: Path) -> None:
    model = CountingLLM(in_flight=8)
    logged = LoggedLLM(model, path)
    stage = logged.for_stage("instances")
    assert (logged.in_flight, stage.in_flight) == (8, 8)
    next(complete_in_order(stage, requests(0, 20)))
    assert len(model.asked) == 8


@pytest.mark.parametrize(
    "changed",
    [
        Request("p0", max_tokens=6, seed="s0"),
        Request("p0", max_tokens=5, seed="s1"),
        Request("p0", max_tokens=5, seed="s0", stop=("x",)),
        Request("p0", max_tokens=5, seed="s0", temperature=0.5),
    ],
)
def test_a_request_with_any_other_setting_is_another_request(path: Path, changed: Request) -> None:
    texts(LoggedLLM(CountingLLM(), path).for_stage("instances"), 0, 1)
    model = CountingLLM()
    list(complete_in_order(LoggedLLM(model, path).for_stage("instances"), [changed]))
    assert model.asked == ["p0"]


def test_another_stage_or_model_is_asked_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts(LoggedLLM(CountingLLM(), path).for_stage("instances"), 0, 1)
    model = CountingLLM()
    texts(LoggedLLM(model, path).for_stage("classification"), 0, 1)
    assert model.asked == ["p0"]
    monkeypatch.setattr(CountingLLM, "description", {"model": "another"})
    model = CountingLLM()
    texts(LoggedLLM(model, path).for_stage("instances"), 0, 1)
    assert model.asked == ["p0"]


def test_a_failed_call_is_not_stored(path: Path) -> None:
    stage = LoggedLLM(CountingLLM(allowed=2), path).for_stage("instances")
    with pytest.raises(StoppedEarly):
        texts(stage, 0, 5)
    assert [record["text"] for record in jsonl.read(path)] == ["p0#1", "p1#2"]
    model = CountingLLM()
    texts(LoggedLLM(model, path).for_stage("instances"), 0, 5)
    assert model.asked == ["p2", "p3", "p4"]
