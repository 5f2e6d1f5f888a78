"""The exported tasks run in lm-evaluation-harness itself, and score as ours do."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from benchmark_folders import instance, named, task, write_benchmark
from test_eval_superni_command import predictions_file, settings

from eval.lm_eval_export import ExportLmEvalConfig, export_lm_eval
from eval.superni_run import evaluate_superni
from selfinstruct import jsonl
from selfinstruct.errors import UserError

TEXTS = ["Running dogs!", "", "{{ id }} two\n\nthree", "the cat sat", "a b", "c"]


def config(folder: Path, **changes: Any) -> ExportLmEvalConfig:
    values: dict[str, Any] = {
        "run_dir": folder / "exported",
        "benchmark": named(folder / "benchmark"),
        "superni_dir": None,
        "max_instances_per_task": 100,
        "prompt_style": "tk-def",
        "num_examples": 0,
        "max_tokens": 7,
    }
    return ExportLmEvalConfig(**(values | changes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three tasks of three, two and one instances in two categories, some with several references."""
    references = [["run dog", "dogs"], ["", "none"], ["two three"]]
    one = [instance("t1", n, output, f"Input {{{{ {n} }}}}") for n, output in enumerate(references)]
    two = [instance("t2", n, ["the cats sat", "a"]) for n in range(2)]
    write_benchmark(
        tmp_path / "benchmark",
        {
            "t1": task("t1", category="Data to Text") | {"Instances": one},
            "t2": task("t2") | {"Instances": two},
            "t3": task("t3", instances=1),
        },
    )
    return tmp_path


def harness_results(folder: Path, texts: dict[str, str], group: str) -> dict[str, Any]:
    """Run lm_eval on the exported folder with a model that gives these answers; metric -> value by task."""
    from lm_eval import simple_evaluate
    from lm_eval.api.model import LM
    from lm_eval.tasks import TaskManager

    class Answers(LM):
        """Gives the recorded answer to each prompt, and keeps what it was asked with."""

        def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
            self.kwargs = [request.args[1] for request in requests]
            self.prompts = {request.doc["id"]: request.args[0] for request in requests}
            return [texts[request.doc["id"]] for request in requests]

        def loglikelihood(self, requests: list[Any]) -> list[Any]:
            raise AssertionError("nothing here asks for it")

        loglikelihood_rolling = loglikelihood

    model = Answers()
    found = simple_evaluate(
        model=model,
        tasks=[group],
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        bootstrap_iters=0,
    )
    assert found is not None
    assert model.kwargs[0]["max_gen_toks"] == 7
    assert model.kwargs[0]["until"] == []
    documents = [line for path in sorted(folder.glob("data/*.jsonl")) for line in jsonl.read(path)]
    assert model.prompts == {line["id"]: line["prompt"] for line in documents}
    return {
        name: {key.removesuffix(",none"): value for key, value in values.items()}
        for name, values in (found["results"] | found.get("groups", {})).items()
    }


def test_the_harness_scores_the_same_predictions_as_we_do(folder: Path) -> None:
    export_lm_eval(config(folder))
    moved = Path(shutil.move(folder / "exported", folder / "elsewhere"))
    documents = [line for path in sorted(moved.glob("data/*.jsonl")) for line in jsonl.read(path)]
    texts = dict(zip((line["id"] for line in documents), TEXTS, strict=True))
    ours = evaluate_superni(settings(folder, predictions=predictions_file(folder / "p.jsonl", texts)))
    name = "mini"
    theirs = harness_results(moved, texts, name)
    pairs = {name: ours["overall"]} | {f"{name}_{task}": group for task, group in ours["tasks"].items()}
    assert ours["overall"]["rougeL"]["value"] not in (0.0, 100.0)
    for key, group in pairs.items():
        for metric in ("rougeL", "rouge1", "exact_match"):
            assert round(theirs[key][metric], 4) == group[metric]["value"], (key, metric)


def test_a_category_is_a_group_of_its_own_with_the_mean_over_instances(folder: Path) -> None:
    export_lm_eval(config(folder))
    group = yaml.safe_load((folder / "exported" / "_category_word_analogy.yaml").read_text(encoding="utf-8"))
    assert group["task"] == ["mini_t2", "mini_t3"]
    assert all(metric["weight_by_size"] for metric in group["aggregate_metric_list"])
    assert group["group_alias"] == "Mini: word analogy"


def test_exporting_again_gives_the_same_bytes_and_other_settings_are_refused(folder: Path) -> None:
    def contents() -> dict[str, bytes]:
        paths = [path for path in (folder / "exported").rglob("*") if path.is_file()]
        return {p.name: p.read_bytes() for p in paths if p.name not in ("manifest.json", "run.log")}

    export_lm_eval(config(folder))
    before = contents()
    assert json.loads(before["t3.jsonl"])["prompt"].startswith("Definition: Answer yes.")
    export_lm_eval(config(folder))
    assert contents() == before
    with pytest.raises(UserError, match="max_tokens: was 7, is now 8"):
        export_lm_eval(config(folder, max_tokens=8))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt_style": "best"}, "prompt_style: 'best' is unknown"),
        ({"num_examples": -1}, "num_examples: -1 must be 0 or more"),
        ({"max_tokens": 0}, "max_tokens: 0 must be at least 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        config(tmp_path, **changes)
