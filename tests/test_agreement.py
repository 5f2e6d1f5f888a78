"""Agreement equals the libraries and cases worked by hand, and says so where it is not defined."""

import math
import random
from collections.abc import Callable, Sequence
from fractions import Fraction

import krippendorff
import numpy as np
import pytest
from scipy.stats import binomtest, spearmanr
from sklearn.metrics import cohen_kappa_score

from eval.agreement import (
    KAPPAS,
    PairAgreement,
    doubly_rated,
    krippendorff_alpha,
    mcnemar,
    pair_agreement,
    resampled_kappa,
    share_interval,
)
from eval.intervals import Interval
from eval.ratings import LEVELS, YES_NO

Given = dict[tuple[str, str], str]


def given(levels: Sequence[str]) -> Given:
    return {(f"item {n:03}", "s"): level for n, level in enumerate(levels)}


def agree(one: Sequence[str], two: Sequence[str], levels: Sequence[str] = LEVELS) -> PairAgreement:
    return pair_agreement(("ann", "ben"), given(one), given(two), levels, resamples=200)


def value(interval: Interval | None) -> float:
    assert interval is not None
    return interval.value


def random_levels(count: int, seed: int) -> tuple[list[str], list[str]]:
    generator = random.Random(seed)
    one = [generator.choice(LEVELS) for _ in range(count)]
    two = [level if generator.random() < 0.5 else generator.choice(LEVELS) for level in one]
    return one, two


def test_four_levels_worked_by_hand() -> None:
    found = agree("ABCD", "ABDC")
    # Equal 2 of 4, by chance 1 of 4; mean distance 0.5 against 1.25 by chance, squared 0.5 against 2.5.
    assert value(found.equal) == 50
    assert value(found.kappas["kappa"]) == pytest.approx(1 / 3)
    assert value(found.kappas["kappa_linear"]) == pytest.approx(0.6)
    assert value(found.kappas["kappa_quadratic"]) == pytest.approx(0.8)
    assert value(found.kappas["kappa_halves"]) == pytest.approx(1)
    assert found.spearman == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert (found.n, found.items) == (4, 4)


def test_two_answers_worked_by_hand() -> None:
    one = ["yes"] * 25 + ["no"] * 25
    two = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = agree(one, two, YES_NO)
    assert value(found.equal) == 70
    assert value(found.kappas["kappa"]) == pytest.approx(0.4)  # (0.7 - 0.5) / (1 - 0.5)
    assert list(found.kappas) == ["kappa"]


def test_85_percent_equal_can_be_a_kappa_of_a_half() -> None:
    one = ["yes"] * 162 + ["no"] * 38
    two = ["yes"] * 147 + ["no"] * 15 + ["yes"] * 15 + ["no"] * 23
    found = agree(one, two, YES_NO)
    assert value(found.equal) == 85
    assert value(found.kappas["kappa"]) == pytest.approx(0.51, abs=0.005)


def test_values_are_those_of_the_libraries() -> None:
    one, two = random_levels(120, seed=3)
    found = agree(one, two)
    ranks = [[LEVELS.index(level) for level in levels] for levels in (one, two)]
    expected = {
        "kappa": cohen_kappa_score(one, two),
        "kappa_linear": cohen_kappa_score(one, two, weights="linear"),
        "kappa_quadratic": cohen_kappa_score(one, two, weights="quadratic"),
        "kappa_halves": cohen_kappa_score(*[[level in "AB" for level in levels] for levels in (one, two)]),
    }
    assert {name: value(found.kappas[name]) for name in KAPPAS} == pytest.approx(expected)
    assert found.spearman == pytest.approx(spearmanr(*ranks).statistic)
    alpha = krippendorff.alpha(ranks, level_of_measurement="ordinal", value_domain=range(4))
    assert krippendorff_alpha({"a": given(one), "b": given(two)}, LEVELS) == pytest.approx(alpha)


@pytest.mark.parametrize("name", KAPPAS)
def test_the_resampled_kappa_is_the_library_s(name: str) -> None:
    confusions = []
    expected = []
    for seed in range(5):
        one, two = random_levels(60, seed)
        confusion = np.zeros((4, 4))
        for a, b in zip(one, two, strict=True):
            confusion[LEVELS.index(a), LEVELS.index(b)] += 1
        confusions.append(confusion)
        expected.append(value(agree(one, two).kappas[name]))
    assert resampled_kappa(name, np.array(confusions)).tolist() == pytest.approx(expected)


def test_an_interval_holds_its_value_and_narrows_with_n() -> None:
    few, many = (agree(*random_levels(count, seed=1)).kappas["kappa"] for count in (30, 400))
    assert few is not None
    assert many is not None
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_answers_to_one_item_are_resampled_together() -> None:
    one, two = random_levels(100, seed=5)
    alone = agree(one, two).kappas["kappa"]

    # Four systems that answer alike: no more is known than from one.
    def tied(levels: Sequence[str]) -> Given:
        return {(f"item {n:03}", f"s{k}"): level for n, level in enumerate(levels) for k in range(4)}

    together = pair_agreement(("a", "b"), tied(one), tied(two), LEVELS, resamples=200)
    assert (together.n, together.items) == (400, 100)
    assert together.kappas["kappa"] == alone


def test_krippendorff_s_published_example() -> None:
    rows = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
    ratings = {
        f"rater {row}": {(str(unit), "s"): str(level) for unit, level in enumerate(levels) if level}
        for row, levels in enumerate(rows)
    }
    assert krippendorff_alpha(ratings, "12345") == pytest.approx(0.815, abs=0.0005)
    assert doubly_rated(ratings) == 11  # the last unit has one rating


def test_all_on_one_level_is_full_agreement_and_no_kappa() -> None:
    found = agree("AAAA", "AAAA")
    assert value(found.equal) == 100
    assert found.kappas == dict.fromkeys(KAPPAS)
    assert found.spearman is None
    assert krippendorff_alpha({"a": given("AAAA"), "b": given("AAAA")}, LEVELS) is None


def test_one_rater_on_one_level_has_a_kappa_of_0_and_no_rho() -> None:
    found = agree("AAAA", "ABCD")
    assert value(found.kappas["kappa"]) == 0
    assert found.spearman is None


def test_a_rater_who_misses_items_is_compared_on_the_others() -> None:
    one, two = given("ABCDA"), given("ABCDB")
    for key in list(two)[:2]:
        del two[key]
    found = pair_agreement(("a", "b"), one, two, LEVELS, resamples=100)
    assert found.n == 3
    assert found == pair_agreement(("a", "b"), dict(list(one.items())[2:]), two, LEVELS, resamples=100)
    assert krippendorff_alpha({"a": one, "b": two}, LEVELS) == krippendorff_alpha(
        {"a": dict(list(one.items())[2:]), "b": two}, LEVELS
    )


def test_nothing_in_common_is_no_agreement_at_all() -> None:
    one, two = {("1", "s"): "A"}, {("2", "s"): "B"}
    found = pair_agreement(("a", "b"), one, two, LEVELS)
    assert (found.n, found.equal, found.spearman) == (0, None, None)
    assert found.kappas == dict.fromkeys(KAPPAS)
    assert krippendorff_alpha({"a": one, "b": two}, LEVELS) is None
    assert krippendorff_alpha({}, LEVELS) is None


def test_two_answers_give_values_with_their_n_and_no_false_certainty() -> None:
    found = agree("AD", "AD")
    assert found.n == 2
    assert value(found.kappas["kappa"]) == 1
    assert found.equal is not None
    assert found.equal.low < 40  # Wilson: two of two say little
    assert agree("A", "A").spearman is None


def test_a_single_item_has_no_interval() -> None:
    one = {("1", "x"): "A", ("1", "y"): "C"}
    kappa = pair_agreement(("a", "b"), one, one, LEVELS).kappas["kappa"]
    assert kappa is not None
    assert math.isnan(kappa.low)
    assert pair_agreement(("a", "b"), one, one, LEVELS).as_json()["kappa"] == {
        "value": 1.0,
        "low": None,
        "high": None,
    }


def test_mcnemar_worked_by_hand() -> None:
    first = [True] * 1 + [False] * 9 + [True] * 30
    second = [False] * 1 + [True] * 9 + [True] * 30
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (1, 9)
    assert found.p == pytest.approx(2 * (1 + 10) / 2**10)
    assert found.p == pytest.approx(binomtest(1, 10).pvalue)
    assert mcnemar([True, False], [True, False]).p == 1
    with pytest.raises(ValueError, match="shorter"):
        mcnemar([True], [])


def test_a_share_of_none_or_all_still_has_an_interval() -> None:
    square = 1.959964**2
    assert share_interval(0, 10).high == pytest.approx(100 * square / (10 + square), abs=1e-4)
    assert share_interval(10, 10).low == pytest.approx(100 - share_interval(0, 10).high)
    assert share_interval(5, 10).value == 50


def exact_kappa(one: Sequence[int], two: Sequence[int], distance: Callable[[int, int], int]) -> float | None:
    seen = Fraction(sum(map(distance, one, two)), len(one))
    chance = Fraction(sum(distance(a, b) for a in one for b in two), len(one) ** 2)
    return float(1 - seen / chance) if chance else None


def exact_alpha(units: Sequence[Sequence[int]]) -> float | None:
    """Krippendorff's ordinal alpha from its definition; `units`: the levels that each answer got."""
    units = [unit for unit in units if len(unit) > 1]
    count = [sum(unit.count(level) for unit in units) for level in range(4)]

    def distance(a: int, b: int) -> Fraction:
        low, high = sorted((a, b))
        return (sum(count[low : high + 1]) - Fraction(count[low] + count[high], 2)) ** 2

    seen = sum(
        distance(a, b) / (len(unit) - 1)
        for unit in units
        for one, a in enumerate(unit)
        for two, b in enumerate(unit)
        if one != two
    )
    chance = sum(count[a] * count[b] * distance(a, b) for a in range(4) for b in range(4))
    return float(1 - seen * (sum(count) - 1) / chance) if chance else None


def test_few_ratings_with_gaps_give_what_exact_arithmetic_gives() -> None:
    generator = random.Random(5)
    distances = {
        "kappa": lambda a, b: int(a != b),
        "kappa_linear": lambda a, b: abs(a - b),
        "kappa_quadratic": lambda a, b: (a - b) ** 2,
        "kappa_halves": lambda a, b: int(a // 2 != b // 2),
    }
    undefined = 0
    for _ in range(200):
        levels, number = LEVELS[: generator.choice([1, 2, 4])], generator.choice([2, 3, 9])
        ratings: dict[str, Given] = {
            rater: {
                (str(n), "s"): generator.choice(levels) for n in range(number) if generator.random() < 0.8
            }
            for rater in ("ann", "ben", "eve")
        }
        shared = sorted(ratings["ann"].keys() & ratings["ben"].keys())
        one, two = ([LEVELS.index(ratings[rater][key]) for key in shared] for rater in ("ann", "ben"))
        found = pair_agreement(("ann", "ben"), ratings["ann"], ratings["ben"], LEVELS, resamples=2)
        for name, distance in distances.items():
            exact = exact_kappa(one, two, distance) if shared else None
            mine = found.kappas[name]
            assert (mine.value if mine else None) == (None if exact is None else pytest.approx(exact))
            undefined += exact is None
        units = [
            [LEVELS.index(given[str(n), "s"]) for given in ratings.values() if (str(n), "s") in given]
            for n in range(number)
        ]
        exact = exact_alpha(units)
        assert krippendorff_alpha(ratings, LEVELS) == (None if exact is None else pytest.approx(exact))
    assert 100 < undefined < 700  # both kinds were met
