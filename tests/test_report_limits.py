"""What the report does not claim: of data from elsewhere, of one seed, of models under another name."""

import json
import re
from pathlib import Path

import pytest
from report_runs import INSTRUCTIONS, write_asked, write_demo, write_generated, write_manifest, write_training

from eval.report.chains import Run
from eval.report.claims import CLAIMS
from eval.report.command import MakeReportConfig, make_report
from eval.report.describe import what_was_run
from eval.report.folders import read_runs
from eval.report.headline import Material, headline
from eval.report.outcomes import Outcome
from eval.report.run_tables import training_table, usage_table
from eval.report.sections import build_report, measure_claims
from eval.report.verdicts import IN_MINIATURE, NOT_COMPARABLE
from eval.report.whole import read_lists
from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.jsonl import replace_json
from selfinstruct.llm.base import TINY_MODEL
from selfinstruct.llm.model_folder import folder_weights_digest


def read(*folders: Path) -> Run:
    (run,) = read_runs(folders)
    return run


def outcome(run: Run, key: str) -> Outcome:
    return next(claim for claim in CLAIMS if claim.key == key).outcome(run)


def write_adopted(folder: Path, count: int) -> Path:
    """A run of generate.py in which the first `count` instructions were there before."""
    write_generated(folder, INSTRUCTIONS)
    statistics = json.loads((folder / "statistics.json").read_text())
    asked = statistics["usage"]["by_stage"]
    marks = [{"request_idx": 0, "candidates": None, "accepted": count, "adopted": True}]
    if count == len(INSTRUCTIONS):
        del asked["instructions"]
    else:
        marks.append({"request_idx": 1, "candidates": 6, "accepted": len(INSTRUCTIONS) - count})
    jsonl.replace(folder / "requests.jsonl", marks)
    replace_json(folder / "statistics.json", statistics)
    return folder


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (4, "4 instructions were there before; which model wrote them is not recorded."),
        (1, "Of its 4 instructions 1 was there before; which model wrote it is not recorded."),
    ],
)
def test_instructions_from_elsewhere_are_not_called_the_models_own(
    tmp_path: Path, count: int, said: str
) -> None:
    run = read(write_adopted(tmp_path / "mine", count))
    assert said in what_was_run(run)
    assert not any("itself" in sentence for sentence in what_was_run(run))
    for key in ("amount", "diversity"):
        found = outcome(run, key)
        assert found.verdict.kind == NOT_COMPARABLE
        assert "which model wrote them is not recorded" in found.verdict.because
        assert "embedded" not in found.verdict.because
        assert "seed tasks" not in found.ours
    assert "instructions that were there before are not in them" in outcome(run, "cost").verdict.because


def test_a_model_tuned_on_instructions_from_elsewhere_gets_no_verdict(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "demo")
    assert outcome(read(demo), "gain").verdict.kind == IN_MINIATURE
    marks = [{"request_idx": 0, "candidates": None, "accepted": 4, "adopted": True}]
    jsonl.replace(demo / "seed1" / "generate" / "requests.jsonl", marks)
    for key in ("gain", "quality", "amount"):
        found = outcome(read(demo), key)
        assert found.verdict.kind == NOT_COMPARABLE
        assert "not recorded" in found.verdict.because


def test_the_embedded_model_is_known_by_its_weights_whatever_it_was_called(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    write_generated(folder, INSTRUCTIONS, **{"llm.weights": folder_weights_digest(TINY_MODEL)})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["config"]["llm"] = {"backend": "local", "model": "/elsewhere/model"}
    replace_json(folder / "manifest.json", manifest)
    run = read(folder)
    assert outcome(run, "amount").verdict.kind == IN_MINIATURE
    assert what_was_run(run)[0].startswith("Model: the embedded toy model (")


@pytest.mark.parametrize(
    ("asked", "said"), [(4, "0.0 % of the paper's number were asked"), (9, "stopped at")]
)
def test_only_a_run_that_stopped_is_said_to_have_stopped(tmp_path: Path, asked: int, said: str) -> None:
    folder = tmp_path / "mine"
    write_generated(folder, INSTRUCTIONS)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["config"] |= {"llm": {"backend": "local", "model": "big"}, "num_instructions": asked}
    replace_json(folder / "manifest.json", manifest)
    because = outcome(read(folder), "amount").verdict.because
    assert said in because
    assert ("stopped" in because) == (asked > 4)


def test_what_was_tuned_on_is_counted_in_the_training_file(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "demo")
    data = demo / "seed1" / "generate" / "finetuning_data" / "train.jsonl"
    seed = {"prompt": "p", "completion": "c", "instruction": "Seed.", "source": "seed"}
    own = [{**seed, "instruction": text, "source": "generated"} for text in ("One.", "One.", "Two.")]
    jsonl.replace(data, [*own, seed])
    write_training(demo / "seed1" / "train", data)
    write_asked(demo / "seed1" / "self_instruct", str(demo / "seed1" / "train" / "adapter"))
    said = "itself, then was tuned on the 3 instances of 2 of them and the 72 seed tasks."
    assert said in " ".join(what_was_run(read(demo)))


def test_figures_of_several_seeds_are_sums_or_say_of_which_seed(tmp_path: Path) -> None:
    run = read(write_demo(tmp_path / "demo", seeds=(1, 2, 3)))
    found = outcome(run, "cost")
    assert found.ours == "90 prompt and 45 completion tokens"  # three stages a seed
    assert found.n == "9 requests, 3 generations of 3 seeds"
    assert "12 models were tuned by LoRA (4 a seed), controls among them." in what_was_run(run)
    assert outcome(run, "diversity").ours.startswith("3 of 4, 3 of 4, 3 of 4 with root verb and object")
    usage = usage_table([run])
    assert usage is not None
    assert usage.rows[-1] == ("demo, 3 seeds together: all", 9, 90, 45, None)
    training = training_table(run)
    assert training is not None
    assert training.title == "demo: finetuning (seed 1)"


def box(*runs: Run, heading: str = "How far it agrees") -> str:
    material = Material(runs, [], measure_claims(runs))
    return " ".join(dict(headline(material).boxes)[heading])


def section(key: str, *runs: Run) -> str:
    """The text of a section's paragraphs, captions and tables."""
    sections = build_report(runs, measure_claims(runs), [], read_lists(runs), 1).sections
    return str(next(each for each in sections if each.key == key).blocks)


def test_of_one_seed_the_top_and_the_claims_say_what_no_interval_holds(tmp_path: Path) -> None:
    one = read(write_demo(tmp_path / "one"))
    three = read(write_demo(tmp_path / "three", seeds=(1, 2, 3)))
    said = "of this one run: they hold nothing of what another seed of generation and training would change"
    assert said in box(one)
    assert said in section("claims", one)
    assert "another seed" not in box(three) + section("claims", three)
    assert "of one seed (one): they hold nothing" in box(one, three)


def test_the_first_sentence_names_a_control_that_is_ahead(tmp_path: Path) -> None:
    run = read(write_demo(tmp_path / "demo", seeds_only=(90, 95, 90, 95)))
    verdict = outcome(run, "gain").verdict
    assert verdict.kind == IN_MINIATURE
    first, _, rest = verdict.because.partition("; ")
    assert first.endswith("(interval above 0), but tuning on the seed tasks alone scores higher")
    assert rest.startswith("below tuning on the seed tasks alone, -")
    assert f"The main claim, in miniature: {first}. " in box(run)
    assert "higher" not in outcome(read(write_demo(tmp_path / "plain")), "gain").verdict.because


def test_an_experiment_without_a_claim_says_what_each_of_its_differences_is(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "demo", little_world=(20, 22, 24, 36), seeds_only=(70, 82, 73, 85))
    path = demo / "seed1" / "manifest.json"
    manifest = json.loads(path.read_text())
    systems = manifest["config"]["systems"]
    manifest["config"]["systems"] = {"whole": systems["self_instruct"]} | {
        name: systems[name] for name in ("little_world", "seeds_only")
    }
    manifest["config"]["differences"] = [["whole", "little_world"], ["whole", "seeds_only"]]
    replace_json(path, manifest)
    said = box(read(demo))
    less = r"Tuned on right data of the world, against self-instruct: -52.0 points \(-.*\), less\. "
    assert re.search(
        less + r"Tuned on the seeds only, .*: \+0.0 points \(.*\), not told apart from 0\. ", said
    )
    assert "which sign" not in said  # no effect of the paper's was tested
    assert "which sign" in box(read(write_demo(tmp_path / "other")))


def make(folder: Path, run: Path, markdown: Path | None = None) -> None:
    make_report(MakeReportConfig(folder, [run], samples=3, markdown=markdown))


def test_no_page_of_someone_else_is_overwritten(tmp_path: Path) -> None:
    demo, page = write_demo(tmp_path / "demo"), tmp_path / "README.md"
    page.write_text("# My project\n")
    with pytest.raises(UserError, match=r"README\.md is there and is no report of this command; choose"):
        make(tmp_path / "report", demo, page)
    assert page.read_text() == "# My project\n"
    assert not (tmp_path / "report").exists()
    page.unlink()
    for _ in range(2):  # our own is replaced
        make(tmp_path / "report", demo, page)
    assert page.read_text().startswith("# Self-Instruct: ")


def test_the_last_line_names_what_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "report", write_demo(tmp_path / "demo"))
    pages = "report.md, all tasks (tasks.html), all answers (answers.html), tables/ and figures/ beside it"
    assert pages in capsys.readouterr().out
    write_user_oriented(tmp_path / "user", "mine")
    make(tmp_path / "second", tmp_path / "user")
    assert "(report.md and tables/ beside it)" in capsys.readouterr().out


def write_user_oriented(folder: Path, system: str) -> None:
    write_manifest(folder, "eval_user_oriented", {})
    share = {"value": 50.0, "low": 40.0, "high": 60.0}
    group = {"n": 2, "rougeL": share, "rouge1": share, "exact_match": share}
    group |= {"mean_words": 3.0, "mean_words_reference": 4.0, "empty": 0}
    scores = {"overall": group, "forms": {}, "applications": {}}
    replace_json(folder / "metrics.json", {"systems": {system: scores}, "comparisons": [], "setting": {}})


def test_user_oriented_runs_stand_in_one_table(tmp_path: Path) -> None:
    for name in ("before", "after"):
        write_user_oriented(tmp_path / name, name)
    run = read(tmp_path / "before", tmp_path / "after")
    text = section("human", run)
    assert text.count("User-oriented tasks: automatic scores") == 1
    assert "('before', 2, " in text
    assert "('after', 2, " in text
    assert "No answers were rated by people." in text
