"""A dry run says what is still to be asked, and asks for nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from selfinstruct import jsonl
from selfinstruct.entry import CONFIGS
from selfinstruct.errors import UserError
from selfinstruct.forecast import (
    Expected,
    StageForecast,
    forecast,
    forecast_text,
    over_budget,
    read_forecasts,
)
from selfinstruct.llm.budget import BudgetConfig, Price
from selfinstruct.prompts import Prompts
from selfinstruct.queries import Queries
from selfinstruct.settings import REPOSITORY, from_dict
from selfinstruct.tasks import read_seed_tasks

SEEDS = read_seed_tasks(REPOSITORY / "seeds" / "seed_tasks.jsonl")
STAGES = ("instructions", "classification", "instances")


def made(
    folder: Path, num_instructions: int = 1000, stages: tuple[str, ...] = STAGES, **more: int
) -> dict[str, StageForecast]:
    prompts = Prompts.from_dict(yaml.safe_load((CONFIGS / "prompts" / "default.yaml").read_text("utf-8")))
    queries = from_dict(Queries, yaml.safe_load((CONFIGS / "queries" / "tiny.yaml").read_text("utf-8")))
    found = forecast(folder, stages, num_instructions, 8, SEEDS, prompts, queries, False, **more)
    return {each.stage: each for each in found}


def test_each_instruction_costs_two_more_requests(tmp_path: Path) -> None:
    stages = made(tmp_path)
    assert stages["classification"].requests == stages["instances"].requests == 1000
    assert 125 <= stages["instructions"].requests <= 1000
    assert stages["classification"].most_completion_tokens == 3000


def test_only_the_stages_asked_for_are_counted(tmp_path: Path) -> None:
    assert list(made(tmp_path, stages=("instances",))) == ["instances"]


def test_what_the_folder_holds_is_not_asked_again_and_its_figures_are_used(tmp_path: Path) -> None:
    jsonl.replace(tmp_path / "machine_generated_instructions.jsonl", [{"instruction": "x"}] * 400)
    jsonl.replace(tmp_path / "requests.jsonl", [{"request_idx": n} for n in range(200)])
    jsonl.replace(tmp_path / "is_clf_or_not.jsonl", [{"instruction": "x"}] * 300)
    jsonl.replace(tmp_path / "response_log.jsonl", [{"stage": "instances", "completion_tokens": 40}] * 2)
    stages = made(tmp_path)
    assert stages["instructions"].requests == 300  # 600 more, two of them a request as so far
    assert stages["classification"].requests == 700
    assert stages["instances"].completion_tokens == 1000 * 40


def test_what_may_be_on_its_way_when_stage_1_has_enough_is_counted_while_it_has_not(tmp_path: Path) -> None:
    plain, ahead = made(tmp_path), made(tmp_path, overshoot=127)
    assert ahead["instructions"].requests == plain["instructions"].requests + 127
    assert ahead["instances"] == plain["instances"]
    jsonl.replace(tmp_path / "machine_generated_instructions.jsonl", [{"instruction": "x"}] * 1000)
    assert made(tmp_path, overshoot=127)["instructions"].requests == 0


def test_a_small_context_is_reckoned_with(tmp_path: Path) -> None:
    plain, small = made(tmp_path), made(tmp_path, context_length=200)
    for stage in STAGES:
        assert small[stage].prompt_tokens < plain[stage].prompt_tokens
        a_request = small[stage].prompt_tokens + small[stage].most_completion_tokens
        assert a_request <= 200 * small[stage].requests
    with pytest.raises(UserError, match=r"llm\.context_length=60: .* do not fit"):
        made(tmp_path, context_length=60)


def test_the_cost_is_the_price_of_the_sum(tmp_path: Path) -> None:
    stages = [StageForecast("a", 1, 1_000_000, 500_000, 2_000_000), StageForecast("b", 1, 1_000_000, 0, 0)]
    text = forecast_text(stages, "m", Price(input=1.0, output=4.0))
    assert "cost: about 4.00, at most 10.00" in text
    assert "budget.prices={m: {input: 1, output: 2}}" in forecast_text(stages, "m", None)


def test_the_sums_are_read_back_from_the_text() -> None:
    stages = [StageForecast("a", 1, 1_000_000, 500_000, 2_000_000), StageForecast("b", 2, 1_000_000, 0, 0)]
    text = forecast_text(stages, "m", Price(input=1.0, output=4.0))
    unpriced = forecast_text(stages[1:], "n", None)
    assert read_forecasts(f"found\n{text}\n\n{unpriced}\nmore") == [
        Expected(3, 2_000_000, 500_000, 2_000_000, 4.0, 10.0),
        Expected(2, 1_000_000, 0, 0, None, None),
    ]
    assert read_forecasts("error") == []


def test_a_limit_below_what_the_whole_run_takes_is_said(tmp_path: Path) -> None:
    answer = {"stage": "a", "prompt_tokens": 60, "completion_tokens": 40}
    jsonl.replace(tmp_path / "response_log.jsonl", [answer] * 5)
    asked = [([StageForecast("a", 5, 300, 200, 500)], Price(input=1e6, output=1e6))]

    def said(**limits: float) -> list[str]:
        return over_budget(from_dict(BudgetConfig, dict(limits)), tmp_path, asked)

    assert said(max_requests=10, max_tokens=1000, max_cost=1000.0) == []
    assert "budget.max_requests=9 is less than the 10 requests" in said(max_requests=9)[0]
    assert "budget.max_tokens=999 is less than the about 1,000 tokens" in said(max_tokens=999)[0]
    assert "budget.max_cost=999 is less than the cost of about 1,000.00" in said(max_cost=999.0)[0]


@pytest.mark.parametrize("words", [[], ["llm=openai", "llm.base_url=http://localhost:9/v1", "llm.model=m"]])
def test_a_dry_run_writes_nothing_and_needs_no_server(tmp_path: Path, words: list[str]) -> None:
    script = str(REPOSITORY / "scripts" / "generate.py")
    done = subprocess.run(
        [sys.executable, script, "dry_run=true", f"run_dir={tmp_path / 'run'}", *words],
        capture_output=True,
        text=True,
        env=os.environ,
        check=True,
    )
    assert done.stdout.startswith("dry run: nothing is sent.")
    assert not (tmp_path / "run").exists()
