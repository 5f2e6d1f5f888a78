"""The recipes in configs/experiment/train/: each is composed and rehearsed on small files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from finetune_small import write_superni
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue

from finetune.config import TrainConfig
from finetune.train import main
from selfinstruct.entry import CONFIGS
from selfinstruct.settings import from_dict

RECIPES = sorted(path.stem for path in (CONFIGS / "experiment" / "train").glob("*.yaml"))


def config(*words: str) -> TrainConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        composed = compose("train", overrides=list(words))
    values = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    return from_dict(TrainConfig, values)  # type: ignore[arg-type]


def pairs(folder: Path) -> str:
    """As the released files: {prompt, completion} with the released end text."""
    path = folder / "pairs.jsonl"
    record = {"prompt": "Say red.\n\n", "completion": " red<|endoftext|>"}
    path.write_text(f"{json.dumps(record)}\n" * 3)
    return str(path)


def generated(folder: Path) -> str:
    """As phase 1 writes it: {prompt, completion} and what they came from; two instances an instruction."""
    path = folder / "train.jsonl"
    lines = []
    for number in range(10):
        record = {"instruction": f"Say {number // 2}.", "input": f"{number}", "output": "x"}
        lines.append(record | {"prompt": f"Say {number // 2}.\n{number}\n\n", "completion": "x"})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def clone(folder: Path) -> str:
    return str(write_superni(folder / "ni"))


Words = Callable[[Path], list[str]]
CASES: dict[str, tuple[str, Words, list[int]]] = {
    "self_instruct": ("self_instruct", lambda f: [f"data.self_instruct.path={generated(f)}"], [10]),
    "a subset": (
        "self_instruct",
        lambda f: [f"data.self_instruct.path={generated(f)}", "data_size=3"],
        [6],
    ),
    "t0_50k": ("t0_50k", lambda f: [f"data.t0.path={pairs(f)}"], [3]),
    "superni_50k, the released file": (
        "superni_50k",
        lambda f: [f"data.superni.path={pairs(f)}", "data.superni.sample=null"],
        [3],
    ),
    "superni_50k, a clone": (
        "superni_50k",
        lambda f: [f"data.superni.path={clone(f)}", "data.superni.sample=9"],
        [9],
    ),
    "self_instruct_superni": (
        "self_instruct_superni",
        lambda f: [
            f"data.self_instruct.path={generated(f)}",
            f"data.superni.path={clone(f)}",
            "data.superni.sample=9",
        ],
        [10, 9],
    ),
    "tiny": ("tiny", lambda f: [f"data={generated(f)}"], [10]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_recipe_is_rehearsed_and_writes_nothing(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, words, sizes = CASES[case]
    settings = config(
        f"experiment/train={recipe}", f"run_dir={tmp_path}/run", "dry_run=true", *words(tmp_path)
    )
    main(settings)
    said = capsys.readouterr().out
    used = [f"{source.path}: {size} of " for source, size in zip(settings.sources, sizes, strict=True)]
    assert all(line in said for line in used)
    copies = settings.template.templates_per_example
    assert f"examples {sum(sizes) * copies}," in said
    assert said.count("trained tokens in [[ ]]:") == 3
    assert "<|endoftext|>]]" in said and "<|endoftext|>]][[" not in said  # the model's end token, once
    assert not (tmp_path / "run").exists()


def test_every_recipe_has_a_case() -> None:
    assert {recipe for recipe, _, _ in CASES.values()} == set(RECIPES)


@pytest.mark.parametrize("recipe", [recipe for recipe in RECIPES if recipe != "tiny"])
def test_a_recipe_says_which_data_it_needs(recipe: str) -> None:
    with pytest.raises(MissingMandatoryValue, match=r"data\.\w+\.path"):
        config(f"experiment/train={recipe}")


def test_comparison_models_differ_in_their_data_alone() -> None:
    def others(recipe: str) -> TrainConfig:
        settings = config(f"experiment/train={recipe}", "data=some.jsonl")
        return settings

    assert len({repr(others(recipe)) for recipe in RECIPES if recipe != "tiny"}) == 1
