"""A budget stops a run before the request that could pass it; what was asked before is not lost."""

import os
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest

from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.llm.base import LLM, Completion, Request
from selfinstruct.llm.budget import BudgetConfig, BudgetedLLM, Price, Spent
from selfinstruct.llm.response_log import LoggedLLM
from selfinstruct.settings import REPOSITORY


class EchoLLM(LLM):
    """Answers every prompt with two tokens; a word is a token."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._waiting: deque[Request] = deque()

    @property
    def description(self) -> dict[str, object]:
        return {"backend": "echo"}

    @property
    def in_flight(self) -> int:
        return 3

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def submit(self, request: Request) -> None:
        self.asked.append(request.prompt)
        self._waiting.append(request)

    def next_completion(self) -> Completion:
        return Completion("a b", "stop", self.count_tokens(self._waiting.popleft().prompt), 2)


def ask(llm: LLM, prompts: list[str], max_tokens: int = 5) -> list[Completion]:
    """Ask for all, three in flight; StoppedEarly comes through with what was answered before in `args`."""
    answers: list[Completion] = []
    waiting = 0
    for prompt in prompts:
        llm.submit(Request(prompt, max_tokens=max_tokens))
        waiting += 1
        if waiting == 3:
            answers.append(llm.next_completion())
            waiting -= 1
    while waiting:
        answers.append(llm.next_completion())
        waiting -= 1
    return answers


def asked_within(prompts: list[str], price: Price | None = None, **limits: float) -> tuple[list[str], str]:
    """What reaches the model under a budget, and the message of the stop."""
    model = EchoLLM()
    llm = BudgetedLLM(model, BudgetConfig(**limits), price, Spent())  # type: ignore[arg-type]
    with pytest.raises(StoppedEarly) as stop:
        ask(llm, prompts)
    return model.asked, str(stop.value)


PROMPTS = [f"one two {number}" for number in range(10)]  # three tokens each, answers of at most 5, really 2


def test_no_more_requests_than_allowed() -> None:
    asked, message = asked_within(PROMPTS, max_requests=4)
    assert asked == PROMPTS[:4]
    assert message.startswith("budget.max_requests=4 would be passed by the next request")
    assert "(4 requests and 20 tokens used so far); raise it and start again" in message


def test_tokens_count_with_the_longest_answer_until_the_answer_is_there() -> None:
    # 8 are reserved for a request, of which its answer gives 3 back: the last one asked must find 8 left.
    assert asked_within(PROMPTS, max_tokens=7)[0] == []
    assert asked_within(PROMPTS, max_tokens=12)[0] == PROMPTS[:1]
    assert asked_within(PROMPTS, max_tokens=13)[0] == PROMPTS[:2]
    assert asked_within(PROMPTS, max_tokens=24)[0] == PROMPTS[:4]


def test_what_was_held_back_goes_out_when_answers_make_room_for_it() -> None:
    model = EchoLLM()
    llm = BudgetedLLM(model, BudgetConfig(max_tokens=24), None, Spent())
    for prompt in PROMPTS[:5]:
        llm.submit(Request(prompt, max_tokens=5))
    assert model.asked == PROMPTS[:3]  # 3 x 8
    for _ in range(3):
        llm.next_completion()  # 3 x 5 are used
    assert model.asked == PROMPTS[:3]
    llm.next_completion()
    assert model.asked == PROMPTS[:4]


def test_cost_is_that_of_prompt_and_answer() -> None:
    price = Price(input=1e6, output=2e6)  # 1 a prompt token, 2 an answer token: at most 13 a request
    # 13 reserved, 7 of them used in the end.
    assert asked_within(PROMPTS, price, max_cost=33)[0] == PROMPTS[:3]
    assert asked_within(PROMPTS, price, max_cost=34)[0] == PROMPTS[:4]


def test_a_budget_of_nothing_asks_nothing() -> None:
    assert asked_within(PROMPTS, max_requests=0)[0] == []


def test_answers_to_what_was_asked_are_kept_and_a_restart_goes_on(tmp_path: Path) -> None:
    def start(limit: int | None) -> tuple[list[str], bool]:
        model = EchoLLM()
        log = tmp_path / "log.jsonl"
        llm = LoggedLLM(model, log, BudgetConfig(max_requests=limit))
        try:
            ask(llm.for_stage("s"), PROMPTS)
            return model.asked, True
        except StoppedEarly:
            return model.asked, False
        finally:
            llm.close()

    assert start(4) == (PROMPTS[:4], False)
    assert start(4) == ([], False)
    assert start(7) == (PROMPTS[4:7], False)
    assert start(None) == (PROMPTS[7:], True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_requests": -1}, "budget.max_requests: -1 must be 0 or more"),
        ({"max_cost": -0.5}, "budget.max_cost: -0.5 must be 0 or more"),
        ({"prices": {"m": {"input": 1}}}, r"budget.prices: m: .* must be \{input: COST, output: COST\}"),
        ({"prices": {"m": {"input": "a", "output": 1}}}, r"budget.prices: m: .* must be"),
    ],
)
def test_a_wrong_budget_is_named(values: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        BudgetConfig(**values)


def test_a_limit_on_cost_needs_a_price() -> None:
    with pytest.raises(UserError, match=r"needs the price of m; give 'budget.prices="):
        BudgetConfig(max_cost=1.0).price_of("m")
    assert BudgetConfig().price_of("m") is None


def test_generate_stops_with_exit_code_3_and_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    def generate(folder: str, *words: str) -> subprocess.CompletedProcess[str]:
        script = str(REPOSITORY / "scripts" / "generate.py")
        command = [sys.executable, script, f"run_dir={tmp_path / folder}", "num_instructions=12", *words]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    stopped = generate("budget", "budget.max_requests=20")
    assert stopped.returncode == 3, stopped.stderr
    assert "budget.max_requests=20 would be passed" in stopped.stderr
    log = (tmp_path / "budget" / "response_log.jsonl").read_text(encoding="utf-8")
    assert len(log.splitlines()) <= 20
    assert generate("budget").returncode == 0
    assert generate("whole").returncode == 0
    for name in ("machine_generated_instructions.jsonl", "finetuning_data/train.jsonl", "rejected.jsonl"):
        assert (tmp_path / "budget" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
