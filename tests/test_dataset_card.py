"""The card of a generated data set: what it says of the model, and that hubs' tools can read it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import load_dataset
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from selfinstruct import jsonl
from selfinstruct.dataset_card import write_dataset_card
from selfinstruct.entry import CONFIGS
from selfinstruct.exports import EXPORTS, write_exports
from selfinstruct.prompts import Prompts

INSTANCES = [{"instruction": "Name a tree.", "input": "", "output": "Oak"}]
STATISTICS: dict[str, Any] = {
    "instructions": {"count": 52445, "mean_words": 4.0},
    "rejected": {"instructions": {"too_similar": 7}},
    "leaks": [
        {
            **{"evaluation": "a|b.jsonl", "tasks": 2, "tasks_of": 119, "leaks": 3},
            **{"mean_nearest": 0.31, "seeds_mean_nearest": 0.21},
        }
    ],
    "usage": {
        "by_stage": {"instructions": {"requests": 1, "prompt_tokens": 1234, "completion_tokens": 5}},
        "total": {"requests": 1, "prompt_tokens": 1234, "completion_tokens": 5},
        "cost": 0.25,
    },
}


def card(
    folder: Path, *overrides: str, statistics: dict[str, Any] = STATISTICS, model_license: str | None = None
) -> str:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        composed = compose("generate", overrides=[f"run_dir={folder}", *overrides])
        config: Any = OmegaConf.to_container(composed, resolve=True)
    config["llm"] = {"adapter": None, "model": None, "responses": None} | config["llm"]
    write_dataset_card(
        folder, config, Prompts.from_dict(config["prompts"]), statistics, ["lengths"], model_license
    )
    return (folder / "README.md").read_text(encoding="utf-8")


def test_it_names_model_settings_prompts_filters_counts_cost_and_limits(tmp_path: Path) -> None:
    text = card(tmp_path)
    for heading in "Model Settings Prompts Filters Counts Rejected Cost Limits Figures".split():
        assert f"\n## {heading}\n" in text
    assert "| instructions | 52,445 | 52,445 |" in text
    assert "| instructions | 1 | 1,234 | 5 |" in text
    assert "0.25 in their currency" in text
    assert "| `a\\|b.jsonl` | 2 of 119 | 3 | 0.31 | 0.21 |" in text
    assert "](figures/lengths.png)" in text
    assert str(tmp_path) not in text


def test_datasets_reads_the_folder_by_its_card(tmp_path: Path) -> None:
    jsonl.replace(tmp_path / "finetuning_data" / "all_generated_instances.jsonl", INSTANCES)
    jsonl.replace(
        tmp_path / "finetuning_data" / "train.jsonl", [{"prompt": "Name a tree.", "completion": " Oak"}]
    )
    jsonl.replace(tmp_path / "rejected.jsonl", [{"stage": "instructions"}])
    write_exports(tmp_path, INSTANCES, {}, list(EXPORTS))
    card(tmp_path)
    rows = {
        name: load_dataset(str(tmp_path), name, cache_dir=tmp_path / "cache")["train"].to_list()
        for name in ("default", "alpaca", "messages", "training")
    }
    assert rows["default"] == rows["alpaca"] == INSTANCES
    assert rows["messages"][0]["messages"][1] == {"role": "assistant", "content": "Oak"}
    assert rows["training"] == [{"prompt": "Name a tree.", "completion": " Oak"}]


def test_the_models_licence_is_what_its_folder_says_or_the_user(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "mine"
    jsonl.replace_text(folder / "README.md", "---\nlicense: mit\n---\n# Mine\n")
    words = ("llm=local", f"llm.model={folder}")
    text = card(tmp_path, *words)
    assert yaml.safe_load(text.split("---\n")[1])["license"] == "mit"
    assert "`mine`, through transformers. Licence: mit." in text
    assert str(folder) not in text
    assert "Licence: Mine alone 2.0." in card(tmp_path, *words, model_license="Mine alone 2.0")
    assert "license" not in yaml.safe_load((tmp_path / "README.md").read_text().split("---\n")[1])


@pytest.mark.parametrize("content", ["---\nlicense: [\n---\n", "no head", "---\n", "---\n- list\n---\n"])
def test_a_model_folder_without_a_readable_licence_leaves_it_open(tmp_path: Path, content: str) -> None:
    jsonl.replace_text(tmp_path / "mine" / "README.md", content)
    assert "Licence: not known here" in card(tmp_path, "llm=local", f"llm.model={tmp_path / 'mine'}")


def test_replayed_answers_are_those_of_the_recorded_model(tmp_path: Path) -> None:
    recorded = {"backend": "openai", "model": "some-model", "adapter": None}
    jsonl.replace_json(tmp_path / "old" / "manifest.json", {"config": {"llm": recorded}})
    text = card(tmp_path, "llm=replay", f"llm.responses={tmp_path / 'old'}")
    assert "`some-model`, behind an OpenAI-compatible server; its recorded answers were used again" in text
    assert "Recorded answers (`older`)" in card(tmp_path, "llm=replay", "llm.responses=/somewhere/older")


def test_a_setting_with_markup_stays_text(tmp_path: Path) -> None:
    text = card(tmp_path, "llm=local", "llm.model='a`|b\n# c'")
    assert "\n# c" not in text
    assert "`a'\\|b # c`" in text


def test_a_folder_with_the_first_stage_only_has_a_card(tmp_path: Path) -> None:
    text = card(tmp_path, statistics={"instructions": {"count": 2, "mean_words": 4.0}, "rejected": {}})
    assert "| instructions | 2 | 52,445 |" in text
    assert "configs" not in yaml.safe_load(text.split("---\n")[1])
