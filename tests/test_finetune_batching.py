"""Batches: every example once an epoch, order by seed and epoch alone, fair shares for the processes."""

from pathlib import Path

import pytest

from finetune.batching import plan_steps, share
from finetune.config import TrainConfig, decisive_settings
from finetune.examples import TokenisedExample
from finetune.train import plan

LENGTHS = [5 + number * 7 % 90 for number in range(203)]


def test_each_epoch_holds_every_example_once() -> None:
    steps = plan_steps(LENGTHS, batch_size=16, epochs=3, seed=1)
    for epoch in (1, 2, 3):
        seen = [index for step in steps if step.epoch == epoch for index in step.batch]
        assert sorted(seen) == list(range(203))
    assert len(steps) == 3 * 13


def test_order_is_decided_by_seed_and_epoch_alone() -> None:
    one_epoch = plan_steps(LENGTHS, batch_size=16, epochs=1, seed=1)
    steps = plan_steps(LENGTHS, batch_size=16, epochs=2, seed=1)
    assert steps[:13] == one_epoch
    assert [step.batch for step in steps[13:]] != [step.batch for step in one_epoch]
    assert plan_steps(LENGTHS, batch_size=16, epochs=1, seed=2) != one_epoch


def test_a_batch_holds_similar_lengths_and_batches_come_in_random_order() -> None:
    batches = [
        step.batch for step in plan_steps(LENGTHS, batch_size=16, epochs=1, seed=1, group_by_length=True)
    ]
    longest = [max(LENGTHS[index] for index in batch) for batch in batches]
    spread = [top - min(LENGTHS[i] for i in batch) for top, batch in zip(longest, batches, strict=True)]
    assert max(spread) <= 10  # of 90
    assert longest != sorted(longest)


def test_not_grouped_each_batch_holds_all_lengths_and_each_epoch_other_batches() -> None:
    steps = plan_steps(LENGTHS, batch_size=16, epochs=2, seed=1, group_by_length=False)
    for epoch in (1, 2):
        seen = [index for step in steps if step.epoch == epoch for index in step.batch]
        assert sorted(seen) == list(range(203))
        means = [sum(LENGTHS[i] for i in s.batch) / len(s.batch) for s in steps if s.epoch == epoch]
        assert max(means[:-1]) - min(means[:-1]) < 45  # grouped: 85
    batches = [frozenset(step.batch) for step in steps]
    assert len(set(batches)) == len(batches)
    assert steps[:13] == plan_steps(LENGTHS, batch_size=16, epochs=1, seed=1, group_by_length=False)


@pytest.mark.parametrize(
    ("asked", "grouped"),
    [({}, False), ({"group_by_length": True}, True), ({"group_by_length": False}, False)],
)
@pytest.mark.parametrize("packing", [True, False])
def test_batches_are_grouped_only_where_that_is_asked_for(
    tmp_path: Path, packing: bool, asked: dict[str, bool], grouped: bool
) -> None:
    (tmp_path / "config.json").write_text("{}")
    config = TrainConfig(tmp_path, "d", str(tmp_path), packing=packing, **asked)
    examples = [TokenisedExample("f:1", [1] * length, 1) for length in LENGTHS]
    assert plan(config, examples) == plan_steps(LENGTHS, 64, 2, 1, group_by_length=grouped)
    # Folders of before there was the key were grouped, and continue where they still are.
    decisive = decisive_settings(config, lambda source: "sha256")
    assert decisive.get("group_by_length", True) == grouped
    assert ("group_by_length" in decisive) != grouped


def test_shares_cover_the_batch_in_equal_rounds() -> None:
    rounds = share(list(range(10)), num_processes=2, micro_batch_size=2)
    assert rounds == [[[0], [1, 2]], [[3, 4], [5]], [[6, 7], [8, 9]]]


def test_one_and_two_processes_compute_the_same_micro_batches() -> None:
    def parts(num_processes: int) -> list[object]:
        return [part for turn in share(list(range(16)), num_processes, 4) for part in turn]

    assert parts(1) == parts(2)


def test_a_process_without_an_example_still_takes_part() -> None:
    assert share([7], num_processes=3, micro_batch_size=4) == [[[], [], [7]]]
