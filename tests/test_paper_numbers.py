"""The paper's numbers stand in one file, each with its place, its version and how certain it is."""

from typing import Any

import pytest
import yaml

from eval.rating_tables import PAPER_AGREEMENT, PAPER_QUALITY
from selfinstruct.paper_numbers import CERTAINTIES, PAPER_NUMBERS, published
from selfinstruct.statistics import PAPER

GROUPS = list(yaml.safe_load(PAPER_NUMBERS.read_text(encoding="utf-8")))


def numbers(values: Any) -> list[float | None]:
    """Every number below a group's values, text left out."""
    if isinstance(values, dict):
        return [number for value in values.values() for number in numbers(value)]
    if isinstance(values, list):
        return [number for value in values for number in numbers(value)]
    return [] if isinstance(values, str) else [values]


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_says_where_it_stands_and_how_certain_it_is(group: str) -> None:
    found = published(group)
    assert found.where
    assert found.version in ("v1, v2", "v2")
    assert found.certainty in CERTAINTIES
    assert numbers(found.values)
    assert all((number is None) == (found.certainty == "unknown") for number in numbers(found.values))


def test_numbers_that_belong_together_fit() -> None:
    claims, statistics = published("claims").values, published("statistics").values
    assert claims["instructions"] == statistics["instructions"]["count"] == 52445
    assert statistics["instructions"]["classification"] + statistics["instructions"]["other"] == 52445
    assert claims["instances"] == statistics["instances"]["count"]
    rows = {row["system"]: row["rougeL"] for row in published("superni").values}
    assert claims["superni_rougeL_vanilla"] == rows["GPT-3"]
    assert claims["superni_rougeL_self_instruct"] == rows["GPT-3 self-instruct"]
    assert claims["superni_rougeL_instructgpt_001"] == rows["InstructGPT-001"]
    gain = claims["superni_rougeL_self_instruct"] - claims["superni_rougeL_vanilla"]
    assert round(gain, 1) == claims["superni_rougeL_gain"]


def test_what_stands_beside_our_figures_comes_from_the_file() -> None:
    assert PAPER["instructions"]["mean_words"] == 15.9
    assert PAPER["leaks"] == {
        "seeds_mean_nearest_superni": 0.21,
        "seeds_mean_nearest_user_oriented": 0.34,
    }
    assert PAPER_QUALITY == {
        "valid_task": 92,
        "appropriate_input": 79,
        "acceptable_output": 58,
        "all_three": 54,
    }
    assert PAPER_AGREEMENT == (
        "The paper's two raters: kappa 0.58 on four levels, 0.75 on A/B against C/D, rho 0.81."
    )
