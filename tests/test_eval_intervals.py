"""Bootstrap intervals over tasks against a plain slow reference, and the paired comparison."""

import random

import numpy as np
import pytest

from eval.intervals import cluster_draws, mean_interval, paired_difference


def slow_interval(clusters: dict[str, list[float]], resamples: int) -> tuple[float, float]:
    """One resample at a time: tasks drawn with replacement, the mean of all their instances."""
    generator = random.Random(1)
    means = []
    for _ in range(resamples):
        drawn = generator.choices(list(clusters.values()), k=len(clusters))
        scores = [score for task in drawn for score in task]
        means.append(sum(scores) / len(scores))
    means.sort()
    return means[int(0.025 * resamples)], means[int(0.975 * resamples)]


def uneven_clusters() -> dict[str, list[float]]:
    generator = random.Random(0)
    return {
        f"task{i}": [100.0 * (generator.random() < i / 12) for _ in range(generator.randint(3, 30))]
        for i in range(12)
    }


def test_the_value_is_the_mean_over_instances_not_over_tasks() -> None:
    assert mean_interval({"a": [0.0], "b": [100.0, 100.0, 100.0]}).value == 75.0


def test_the_interval_is_that_of_the_slow_reference() -> None:
    clusters = uneven_clusters()
    found = mean_interval(clusters)
    low, high = slow_interval(clusters, 10_000)
    assert found.low == pytest.approx(low, abs=0.7)
    assert found.high == pytest.approx(high, abs=0.7)
    assert found.high - found.low > 20


def test_tasks_are_resampled_whole() -> None:
    # Within a task all instances agree: 200 instances are no more than 2 draws.
    found = mean_interval({"a": [0.0] * 100, "b": [100.0] * 100})
    assert (found.value, found.low, found.high) == (50.0, 0.0, 100.0)


def test_a_single_task_resamples_its_instances() -> None:
    found = mean_interval({"a": [0.0, 100.0] * 50})
    assert found.value == 50.0
    assert found.low == pytest.approx(40.0, abs=1.0)  # 50 +- 1.96 * sqrt(50 * 50 / 100)
    assert found.high == pytest.approx(60.0, abs=1.0)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    clusters = uneven_clusters()
    assert mean_interval(clusters, seed=3) == mean_interval(dict(clusters), seed=3)
    assert mean_interval(clusters, seed=3) != mean_interval(clusters, seed=4)


def test_every_resample_draws_as_many_clusters_as_there_are() -> None:
    drawn = cluster_draws(7, 500, 0)
    assert drawn.shape == (500, 7)
    assert set(drawn.sum(axis=1)) == {7.0}
    assert np.allclose(drawn.mean(axis=0), 1.0, atol=0.2)


@pytest.mark.parametrize("clusters", [{}, {"a": []}, {"a": [1.0], "b": []}])
def test_nothing_has_no_mean(clusters: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError, match=r"no instance|without instances"):
        mean_interval(clusters)


def test_values_are_rounded_to_4_decimals_without_a_negative_zero() -> None:
    rounded = mean_interval({"a": [-0.00001, 0.0], "b": [100 / 3]}).rounded()
    assert rounded["value"] == 11.1111
    assert str(mean_interval({"a": [-0.00001]}).rounded()["value"]) == "0.0"


def test_a_paired_difference_is_second_minus_first_with_tasks_won_lost_and_tied() -> None:
    first = {"a": [0.0, 0.0], "b": [50.0], "c": [100.0], "d": [10.0, 30.0]}
    second = {"a": [100.0, 50.0], "b": [70.0], "c": [0.0], "d": [30.0, 10.0]}
    found = paired_difference(first, second)
    assert found.difference.value == pytest.approx((100 + 50 + 20 - 100 + 20 - 20) / 6)
    assert (found.tasks_won, found.tasks_lost, found.tasks_tied) == (2, 1, 1)


def test_pairing_takes_out_what_both_systems_find_hard() -> None:
    first = uneven_clusters()
    second = {task: [score + 5.0 for score in scores] for task, scores in first.items()}
    difference = paired_difference(first, second).difference
    assert (difference.low, difference.high) == (pytest.approx(5.0), pytest.approx(5.0))
    assert difference.excludes_zero


def test_the_tasks_order_does_not_matter_to_the_pairing() -> None:
    first = {"a": [1.0, 2.0], "b": [3.0]}
    assert paired_difference(first, {"b": [3.0], "a": [1.0, 2.0]}).difference.high == 0.0


@pytest.mark.parametrize(
    ("second", "message"),
    [({"a": [1.0]}, "not the same tasks in both: b"), ({"a": [], "b": [1.0]}, "1 inst")],
)
def test_other_instances_cannot_be_paired(second: dict[str, list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_difference({"a": [1.0], "b": [1.0]}, second)
