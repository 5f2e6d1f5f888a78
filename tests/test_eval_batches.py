"""Which prompts are computed together."""

import random

from eval.batches import plan_batches


def plan(
    lengths: list[int], kin: list[str] | None = None, tokens: int = 1000, rows: int = 99
) -> list[list[int]]:
    names = kin or [str(number) for number in range(len(lengths))]
    return plan_batches(lengths, 10, names, tokens, rows)


def test_every_prompt_is_in_one_batch_and_no_batch_passes_the_budget() -> None:
    rng = random.Random(0)
    lengths = [rng.randint(1, 400) for _ in range(200)]
    kin = [f"task {number // 30}" for number in range(200)]
    batches = plan(lengths, kin)
    assert sorted(number for batch in batches for number in batch) == list(range(200))
    assert all(len(batch) * (max(lengths[n] for n in batch) + 10) <= 1000 for batch in batches)


def test_neighbours_in_length_are_together_longest_first() -> None:
    assert plan([90, 10, 80, 20, 15], tokens=200) == [[0, 2], [3, 4, 1]]


def test_largest_batch_first_so_that_memory_shows_at_once() -> None:
    rng = random.Random(1)
    lengths = [rng.randint(1, 300) for _ in range(100)]
    sizes = [len(batch) * (lengths[batch[0]] + 10) for batch in plan(lengths)]
    assert sizes == sorted(sizes, reverse=True)


def test_a_prompt_larger_than_the_budget_is_alone() -> None:
    assert plan([5000, 10]) == [[0], [1]]


def test_prompts_of_one_task_stay_side_by_side_where_they_are_enough() -> None:
    rng = random.Random(3)
    lengths, kin = [rng.randint(20, 90) for _ in range(100)], ["a", "b", "c", "d"] * 25
    with_kin, without = plan(lengths, kin), plan(lengths)
    assert max(len({kin[number] for number in batch}) for batch in with_kin) == 2
    assert min(len({kin[number] for number in batch}) for batch in without) > 2


def test_no_more_rows_than_allowed_and_the_last_batch_is_not_a_lonely_one() -> None:
    assert sorted(map(len, plan([5] * 33, rows=32))) == [16, 17]


def test_the_plan_is_the_same_each_time() -> None:
    assert plan([7, 7, 7, 3], tokens=40) == plan([7, 7, 7, 3], tokens=40) == [[0, 1], [2, 3]]
