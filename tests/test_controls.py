"""Controls: their examples are those of the run, with one thing taken away; the same bytes each time."""

import json
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import jsonl
from selfinstruct.controls import (
    CONTROLS,
    ControlsConfig,
    little_world,
    make_controls,
    seeds_only,
    shuffled_outputs,
)
from selfinstruct.errors import UserError
from selfinstruct.llm.tiny.benchmark import benchmark_pairs
from selfinstruct.llm.tiny.world import is_correct, recognise


def rows(sizes: list[int], seeds: int = 3) -> list[dict[str, Any]]:
    made = [
        {"instruction": f"task {task}", "input": f"in {task} {n}", "output": f"out {task} {n}"}
        for task, size in enumerate(sizes)
        for n in range(size)
    ]
    return [row | {"source": "seed" if i < seeds else "generated"} for i, row in enumerate(made)]


def test_the_seeds_alone_are_the_seeds_alone() -> None:
    examples = seeds_only(rows([1, 1, 1, 4]), seed=1)
    assert [example["instruction"] for example in examples] == ["task 0", "task 1", "task 2"]


@pytest.mark.parametrize("sizes", [[1, 1], [5, 5], [1, 2, 3, 4, 5], [10, 1, 1, 1, 7], [1] * 50])
@pytest.mark.parametrize("seed", range(5))
def test_no_shuffled_output_belongs_to_its_instruction(sizes: list[int], seed: int) -> None:
    given = rows(sizes)
    examples = shuffled_outputs(given, seed)
    for example in examples:
        assert example["output"].split()[1] != example["instruction"].split()[1]
        assert example["input"].split()[1] == example["instruction"].split()[1]
    # nothing is lost or added: the same instructions with inputs, the same outputs
    assert sorted(e["input"] for e in examples) == sorted(r["input"] for r in given)
    assert sorted(e["output"] for e in examples) == sorted(r["output"] for r in given)


def test_outputs_cannot_be_shuffled_where_one_instruction_has_most_examples() -> None:
    with pytest.raises(UserError, match="half of the examples are of one instruction"):
        shuffled_outputs(rows([6, 5]), seed=1)


def test_data_of_the_world_is_right_outside_the_benchmark_and_as_much() -> None:
    examples = little_world(rows([1] * 60 + [5] * 20), seed=1)
    assert len({example["instruction"] for example in examples}) >= 75
    assert 110 <= len(examples) <= 160
    for example in examples:
        task = recognise(example["instruction"])
        assert task and not task.held_out
        assert is_correct(task, example["input"], example["output"])
        assert (example["input"], example["output"]) not in benchmark_pairs()


def config(folder: Path, **changes: Any) -> ControlsConfig:
    values: dict[str, Any] = {"controls": list(CONTROLS), "seed": 1}
    return ControlsConfig(**({"run_dir": folder / "run", "data": folder / "train.jsonl"} | values | changes))


def test_the_command_writes_a_file_a_control_and_the_same_again(tmp_path: Path) -> None:
    jsonl.replace(tmp_path / "train.jsonl", rows([2, 3, 4]))
    make_controls(config(tmp_path))
    first = {name: (tmp_path / "run" / f"{name}.jsonl").read_bytes() for name in CONTROLS}
    make_controls(config(tmp_path, run_dir=tmp_path / "other"))
    for name, content in first.items():
        assert (tmp_path / "other" / f"{name}.jsonl").read_bytes() == content
        assert json.loads(content.splitlines()[0]).keys() == {"instruction", "input", "output"}


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_control_that_is_lost_is_written_again(tmp_path: Path, how: str) -> None:
    jsonl.replace(tmp_path / "train.jsonl", rows([2, 3, 4]))
    make_controls(config(tmp_path))
    path = tmp_path / "run" / "shuffled_outputs.jsonl"
    before = path.read_bytes()
    path.unlink() if how == "gone" else path.write_text("")
    make_controls(config(tmp_path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "train.jsonl: holds no example; give a finetuning_data/train.jsonl"),
        ([{"instruction": "a", "input": "", "output": "b"}], "train.jsonl:1: source: missing or not text"),
        (rows([2, 2], seeds=0), "train.jsonl: gives no example for seeds_only; leave it out of controls="),
    ],
)
def test_data_of_another_kind_is_refused_and_nothing_is_made(
    tmp_path: Path, lines: list[dict[str, Any]], message: str
) -> None:
    jsonl.replace(tmp_path / "train.jsonl", lines)
    with pytest.raises(UserError, match=message):
        make_controls(config(tmp_path))
    assert not (tmp_path / "run").exists()


def test_an_unknown_control_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="controls: 'noise': choose from seeds_only, shuffled_outputs"):
        config(tmp_path, controls=["noise"])
