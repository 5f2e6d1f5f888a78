"""Stage `regeneration`: outputs of another model beside the first one's, and training data of them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_server
import pytest
from fake_server import FakeServer, Handler, answer, prompt_of

from selfinstruct import jsonl

ROOT = Path(__file__).parents[1]
SCRIPT = str(ROOT / "scripts" / "generate.py")
INSTANCES = [
    {"instruction": "Double the number.", "input": "4", "output": "9"},
    {"instruction": "Name a tree.", "input": "", "output": "Oak"},
    {"instruction": "Name a tree.", "input": "", "output": "Ash"},
    {"instruction": "Say nothing.", "input": "", "output": "Well"},
    {"instruction": "Count for ever.", "input": "", "output": "1 2 3"},
]
ANSWERS = {"Double": " 8\n", "Name": " Elm", "Say": " ", "Count": " 1 2 3 4"}


@pytest.fixture
def server() -> Iterator[FakeServer]:
    def speak(handler: Handler, body: dict[str, Any]) -> None:
        word = prompt_of(body).split()[0]
        answer(ANSWERS[word], "length" if word == "Count" else "stop")(handler, body)

    with fake_server.running() as fake:
        fake.default = speak
        yield fake


def run_folder(folder: Path) -> Path:
    """A run folder with instances; of its earlier stages nobody knows."""
    jsonl.replace(folder / "finetuning_data" / "all_generated_instances.jsonl", INSTANCES)
    return folder


def regenerate(folder: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, on a folder with instances; no seeds in the training data."""
    command = [sys.executable, SCRIPT, f"run_dir={folder}", "stages=[regeneration]"]
    model = ["llm@regeneration.llm=openai", f"regeneration.llm.base_url={url}", "regeneration.llm.model=big"]
    settings = ["finetuning_data.include_seeds=false", "statistics.evaluation_tasks=[]"]
    words = (*model, *settings, "statistics.figures=false", *words)
    environment = os.environ | {"OPENAI_API_KEY": ""}
    return subprocess.run([*command, *words], capture_output=True, text=True, env=environment)


def regenerated(folder: Path) -> list[dict[str, Any]]:
    return jsonl.read(folder / "finetuning_data" / "regenerated_instances.jsonl")


def test_both_outputs_are_kept_and_what_is_unusable_is_left_out(server: FakeServer, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "r")
    done = regenerate(folder, server.url)
    assert done.returncode == 0, done.stderr
    assert regenerated(folder) == [
        INSTANCES[0] | {"output": "8", "original_output": "9", "is_regenerated": True},
        INSTANCES[1] | {"output": "Elm", "original_output": "Oak", "is_regenerated": True},
        INSTANCES[2] | {"output": "Elm", "original_output": "Ash", "is_regenerated": True},
    ]
    found = [(line["reason"], line["instruction"]) for line in jsonl.read(folder / "rejected.jsonl")]
    assert found == [("empty_output", "Say nothing."), ("stopped_for_length", "Count for ever.")]
    train = jsonl.read(folder / "finetuning_data" / "train_regenerated.jsonl")
    assert sorted(line["completion"].strip() for line in train) == ["8", "Elm"]
    assert {line["source"] for line in train} == {"regenerated"}
    exported = json.loads((folder / "exports/regenerated_alpaca.json").read_text(encoding="utf-8"))
    assert exported == [{key: line[key] for key in INSTANCES[0]} for line in regenerated(folder)]
    for name in ("regenerated_messages.jsonl", "regenerated_instances.parquet"):
        assert f"exports/{name}" in (folder / "README.md").read_text(encoding="utf-8")
        assert (folder / "exports" / name).stat().st_size > 0
    before = json.loads((folder / "exports/alpaca.json").read_text(encoding="utf-8"))
    assert [line["output"] for line in before] == [line["output"] for line in INSTANCES]


def test_each_instruction_and_input_is_asked_for_once_greedily(server: FakeServer, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "r")
    for _ in range(2):
        assert regenerate(folder, server.url).returncode == 0
    assert sorted(server.prompts) == sorted(
        [
            "Double the number.\n\nInput: 4\nOutput:",
            "Name a tree.\nOutput:",
            "Say nothing.\nOutput:",
            "Count for ever.\nOutput:",
        ]
    )
    assert all(body["temperature"] == 0 and body["max_tokens"] == 1024 for body in server.asked)
    assert not any("stop" in body for body in server.asked)


def test_a_chat_model_is_asked_in_one_turn(server: FakeServer, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "r")
    assert regenerate(folder, server.url, "regeneration.llm.endpoint=chat").returncode == 0
    assert "Double the number.\n\n4" in server.prompts
    assert set(server.paths) == {"/v1/chat/completions"}


def test_an_unusable_answer_can_leave_the_output_as_it_was(server: FakeServer, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "r")
    assert regenerate(folder, server.url, "regeneration.unusable=keep_original").returncode == 0
    records = regenerated(folder)
    assert [record["is_regenerated"] for record in records] == [True, True, True, False, False]
    assert records[3]["output"] == records[3]["original_output"] == "Well"


def test_statistics_and_card_tell_of_it(server: FakeServer, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "r")
    prices = "budget.prices={big: {input: 1000, output: 0}}"
    assert regenerate(folder, server.url, prices).returncode == 0
    statistics = json.loads((folder / "statistics.json").read_text(encoding="utf-8"))
    found = statistics["regeneration"]
    assert (found["count"], found["equal_to_original"]) == (3, 0)
    usage = statistics["usage"]
    assert usage["by_stage"]["regeneration"]["requests"] == 4
    assert usage["cost"] == pytest.approx(usage["total"]["prompt_tokens"] / 1000)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "`big`, behind an OpenAI-compatible server" in card
    assert "| outputs written anew | 3 |" in card
    assert "| unusable answers, whose instances are left out | 2 |" in card


def test_the_published_instances_are_read_from_their_file(server: FakeServer, tmp_path: Path) -> None:
    jsonl.replace(tmp_path / "all_instances_82K.jsonl", INSTANCES)
    folder = tmp_path / "r"
    words = f"regeneration.instances={tmp_path}/all_instances_82K.jsonl"
    done = regenerate(folder, server.url, words)
    assert done.returncode == 0, done.stderr
    assert len(regenerated(folder)) == 3
    assert "## Prompts" not in (folder / "README.md").read_text(encoding="utf-8")


def test_a_budget_stops_it_and_the_rest_is_asked_later(server: FakeServer, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "r")
    stopped = regenerate(folder, server.url, "budget.max_requests=3")
    assert stopped.returncode == 3
    assert "budget.max_requests=3 would be passed" in stopped.stderr
    assert len(server.asked) == 3
    assert regenerate(folder, server.url).returncode == 0
    assert len(server.asked) == 4


def test_a_dry_run_counts_the_requests_and_asks_nothing(server: FakeServer, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "r")
    prices = "budget.prices={big: {input: 1, output: 2}}"
    done = regenerate(folder, server.url, "dry_run=true", prices)
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()][2] == ["regeneration", "4"]
    assert "cost: about" in done.stdout
    assert server.asked == []
    assert not (folder / "manifest.json").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["regeneration.llm=null"], "regeneration.llm is missing"),
        (["regeneration.llm.base_url=null"], "regeneration.llm.base_url is missing"),
        (["regeneration.unusable=guess"], "choose drop or keep_original"),
        (["regeneration.temperature=-1"], "regeneration.temperature: -1.0 must be 0"),
        (["regeneration.instances=nowhere.jsonl"], "nowhere.jsonl: not there"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    words: list[str], message: str, server: FakeServer, tmp_path: Path
) -> None:
    done = regenerate(tmp_path / "r", server.url, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "r").exists()


def test_other_seeds_than_the_training_datas_are_refused(server: FakeServer, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    jsonl.replace(folder / "is_clf_or_not.jsonl", [{"instruction": "Add.", "is_classification": "No"}])
    answers = [{"instruction": "Add.", "raw_instances": "Input: 1 1\nOutput: 2"}]
    jsonl.replace(folder / "machine_generated_instances.jsonl", answers)
    assert regenerate(folder, server.url, "stages=[finetuning_data]").returncode == 0
    done = regenerate(folder, server.url, "finetuning_data.include_seeds=true")
    assert done.returncode == 2
    assert "finetuning_data.include_seeds: was False, is now True" in done.stderr
    assert server.asked == []


def test_the_embedded_model_writes_the_outputs_in_the_same_forms(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    words = ["llm=tiny", "num_instructions=8", "statistics.figures=false", "statistics.evaluation_tasks=[]"]
    stages = "stages=[instructions,classification,instances,finetuning_data,regeneration]"
    words += [stages, "llm@regeneration.llm=tiny", "regeneration.unusable=keep_original"]
    words += ['regeneration.stop=["\n"]', f"run_dir={folder}"]
    done = subprocess.run([sys.executable, SCRIPT, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    train, again = (
        jsonl.read(folder / "finetuning_data" / name) for name in ("train.jsonl", "train_regenerated.jsonl")
    )
    assert regenerated(folder) and any(record["is_regenerated"] for record in regenerated(folder))
    seeds = [line["prompt"] for line in train if line["source"] == "seed"]
    assert sorted(seeds) == sorted(line["prompt"] for line in again if line["source"] == "seed")
    # Each instance has the form it has in train.jsonl; only equal ones are there once.
    assert {line["prompt"] for line in again} == {line["prompt"] for line in train}
