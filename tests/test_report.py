"""The report: verdicts by rule, what runs show of the claims, its tables, figures and pages on disk."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from report_runs import (
    INSTRUCTIONS,
    MODEL,
    write_demo,
    write_evaluation,
    write_generated,
    write_manifest,
    write_training,
)

from eval.experiment.config import ReproduceConfig
from eval.experiment.steps import make_report as experiment_report
from eval.intervals import Interval, IntervalsConfig
from eval.rating_report import ReportRatingsConfig, report_ratings
from eval.report.chains import Run
from eval.report.claims import CLAIMS
from eval.report.command import MakeReportConfig, make_report
from eval.report.contents import contents_table
from eval.report.controls import control_readings
from eval.report.folders import read_runs
from eval.report.headline import Material, headline
from eval.report.outcomes import Outcome
from eval.report.sections import measure_claims
from eval.report.svg import inline_svg
from eval.report.verdicts import (
    IN_MINIATURE,
    NOT_COMPARABLE,
    NOT_REPRODUCED,
    NOT_RUN,
    NOT_SEEN,
    REPRODUCED,
    Scale,
    amount,
    effect,
    levels_off,
    mostly_valid,
    nearly_as_good,
)
from selfinstruct import entry, jsonl
from selfinstruct.errors import UserError
from selfinstruct.jsonl import replace_json
from selfinstruct.llm.model_folder import folder_weights_digest
from selfinstruct.paper_numbers import published
from selfinstruct.settings import from_dict

ROOT = Path(__file__).parents[1]
ABOVE, AROUND, BELOW = Interval(9, 5, 12), Interval(1, -2, 4), Interval(-9, -12, -5)
TOY = Scale(True, "LittleWorld", False)
TOY_ON_SUPERNI = Scale(True, "SuperNI")
REAL_ON_OURS = Scale(False, "LittleWorld", False)
REAL = Scale(False, "SuperNI")
PARTIAL = Scale(False, "SuperNI", True, "12 of 119 tasks")


@pytest.mark.parametrize(
    ("difference", "scale", "kind"),
    [
        *((ABOVE, TOY, IN_MINIATURE), (AROUND, TOY, NOT_SEEN), (BELOW, TOY, NOT_SEEN)),
        *((ABOVE, TOY_ON_SUPERNI, IN_MINIATURE), (ABOVE, REAL_ON_OURS, IN_MINIATURE)),
        *((ABOVE, REAL, REPRODUCED), (AROUND, REAL, NOT_REPRODUCED), (BELOW, REAL, NOT_REPRODUCED)),
        *((ABOVE, PARTIAL, NOT_COMPARABLE), (BELOW, PARTIAL, NOT_COMPARABLE)),
    ],
)
def test_only_a_real_model_on_the_whole_of_superni_can_reproduce_an_effect(
    difference: Interval, scale: Scale, kind: str
) -> None:
    assert effect(difference, scale).kind == kind


def test_an_effect_of_the_opposite_sign_is_not_called_unclear() -> None:
    assert "opposite" in effect(BELOW, TOY).because
    assert "cannot be told from 0" in effect(AROUND, TOY).because


@pytest.mark.parametrize(
    ("gap", "gain", "kind", "words"),
    [
        (Interval(3, 1, 5), 70, IN_MINIATURE, "ahead"),
        (Interval(-1, -6, 3), 70, IN_MINIATURE, "close: .* 9 % of what tuning gained"),
        (Interval(-5, -8, -2), 70, IN_MINIATURE, "close"),
        (Interval(-1, -30, 28), 70, NOT_SEEN, "too wide"),
        (Interval(-40, -45, -35), 70, NOT_SEEN, r"behind \(interval below 0\)"),
        (Interval(-1, -6, 3), -2, NOT_SEEN, "gained nothing"),
    ],
)
def test_close_is_what_even_the_worst_end_of_the_interval_says(
    gap: Interval, gain: float, kind: str, words: str
) -> None:
    verdict = nearly_as_good(gap, gain, TOY)
    assert verdict.kind == kind
    assert re.search(words, verdict.because)


def test_levelling_off_needs_a_rise_before_it() -> None:
    assert levels_off([ABOVE, AROUND], ABOVE, TOY).kind == IN_MINIATURE
    assert levels_off([AROUND, AROUND], AROUND, TOY).kind == NOT_SEEN
    assert levels_off([ABOVE, ABOVE], ABOVE, TOY).kind == NOT_SEEN
    assert levels_off([ABOVE, AROUND], ABOVE, REAL).kind == REPRODUCED


def test_the_review_of_a_toy_is_a_miniature_and_of_a_model_beside_the_papers_54() -> None:
    assert mostly_valid(Interval(84, 79, 88), 54, TOY, "rules").kind == IN_MINIATURE
    assert mostly_valid(Interval(52, 46, 58), 54, TOY, "rules").kind == NOT_SEEN
    assert mostly_valid(Interval(52, 46, 58), 54, REAL, "people").kind == REPRODUCED
    assert mostly_valid(Interval(40, 33, 47), 54, REAL, "people").kind == NOT_REPRODUCED


def test_as_many_instructions_as_the_paper_by_a_real_model_count() -> None:
    assert amount(300, 52445, TOY).kind == IN_MINIATURE
    assert amount(300, 52445, REAL).kind == NOT_COMPARABLE
    assert amount(52445, 52445, REAL).kind == REPRODUCED


def outcomes(run: Run) -> dict[str, Outcome]:
    return {claim.key: claim.outcome(run) for claim in CLAIMS}


def read_one(path: Path) -> Run:
    (run,) = read_runs([path])
    return run


def test_a_demo_shows_claims_in_miniature_with_figure_interval_n_and_commands(tmp_path: Path) -> None:
    found = outcomes(read_one(write_demo(tmp_path / "demo")))
    gain = found["gain"]
    assert gain.verdict.kind == IN_MINIATURE
    assert gain.ours == "3.8 to 77.5: +73.8"
    assert gain.interval.startswith("+7")
    assert gain.n == "20 instances, 4 tasks of LittleWorld"
    scripts = [command.split("run_dir")[0].split()[-1] for command in gain.commands]
    assert scripts == [
        *("scripts/generate.py", "finetune/train.py"),
        *("scripts/eval_superni.py", "scripts/eval_superni.py"),
    ]
    assert not any(str(tmp_path) in command for command in gain.commands)
    assert {key for key, outcome in found.items() if outcome.verdict.kind == NOT_RUN} == {
        *("public_data", "human", "agreement", "data_size", "data_quality"),
    }


def test_a_demo_whose_tuning_hurts_does_not_show_the_effect(tmp_path: Path) -> None:
    run = read_one(write_demo(tmp_path / "demo", vanilla=(60, 60, 60, 60), self_instruct=(10, 20, 10, 20)))
    assert outcomes(run)["gain"].verdict.kind == NOT_SEEN


def test_several_seeds_are_one_column_with_their_mean(tmp_path: Path) -> None:
    run = read_one(write_demo(tmp_path / "demo", seeds=(1, 2, 10)))
    assert run.seeds == [1, 2, 10]
    assert outcomes(run)["gain"].n == "60 instances, 4 tasks of LittleWorld, 3 seeds"


def test_a_seed_under_way_is_left_out_beside_whole_ones(tmp_path: Path) -> None:
    folder = write_demo(tmp_path / "demo", seeds=(1, 2))
    manifest = json.loads((folder / "seed2" / "manifest.json").read_text())
    replace_json(folder / "seed2" / "manifest.json", manifest | {"status": "interrupted"})
    assert read_one(folder).seeds == [1]


def test_a_control_is_read_by_the_interval_of_its_difference(tmp_path: Path) -> None:
    strong = write_demo(tmp_path / "strong")
    equal = write_demo(tmp_path / "equal", seeds_only=(80, 70, 85, 75))
    answers = []
    for path in (strong, equal):
        readings = control_readings(read_one(path))
        answers.append(next(text for reading, _, text in readings if reading.is_at_top))
    assert answers[0].startswith("No:")
    assert answers[1].startswith("It may:")


def test_what_puts_the_main_claim_in_doubt_stands_at_the_top(tmp_path: Path) -> None:
    runs = read_runs(
        [write_demo(tmp_path / "sure"), write_demo(tmp_path / "doubt", shuffled_outputs=(85, 75, 80, 80))]
    )
    sure, doubt = (headline(Material([run], [], measure_claims([run]))).boxes[2][1] for run in runs)
    assert not any("Is it the form" in sentence for sentence in sure)
    assert any("Is it the form of the data alone (answer, then stop)? It may be" in text for text in doubt)


def test_the_guide_to_the_papers_tables_says_what_is_not_here(tmp_path: Path) -> None:
    table = contents_table(["statistics", "curve_demo"])
    here = {str(label): str(place) for label, place in table.rows}
    assert here["Table 1: statistics of the data"] == "The generated data"
    assert here["figure of data size (v2)"] == "Data size and data quality"
    assert here["Table 2: quality of the data"].startswith("not here")


def test_sizes_are_drawn_and_listed_for_one_seed_and_for_several(tmp_path: Path) -> None:
    for name, seeds in (("one", (1,)), ("three", (1, 2, 3))):
        demo = write_demo(tmp_path / name, seeds=seeds)
        for seed in seeds:
            edit_systems(demo, f"seed{seed}", self_instruct=160, shuffled_outputs=20, seeds_only=80)
        make(tmp_path / f"report_{name}", demo)
        assert (tmp_path / f"report_{name}" / "figures" / f"curve_{name}.svg").exists()
        table = (tmp_path / f"report_{name}" / "tables" / f"curve_{name}.md").read_text()
        assert re.search(r"^\| 80 +\| +55\.0 \[.*\| +\+48\.8 \[", table, re.MULTILINE), table
        assert ("both drawn anew" in table) == (len(seeds) > 1)


def test_a_report_leaves_nothing_of_the_one_before_it(tmp_path: Path) -> None:
    first = write_demo(tmp_path / "first")
    make(tmp_path / "report", first)
    folder = make(tmp_path / "report", write_demo(tmp_path / "second"))
    assert not [path.name for path in folder.rglob("*first*")]
    assert (folder / "figures" / "systems_second.svg").exists()


def test_single_folders_are_taken_together_and_their_roles_found(tmp_path: Path) -> None:
    write_generated(tmp_path / "mine", INSTRUCTIONS)
    write_training(tmp_path / "tuned", tmp_path / "mine" / "finetuning_data" / "train.jsonl")
    adapter = tmp_path / "tuned" / "adapter"
    for name, place, digest, levels in (
        ("before", None, None, (5, 5, 5, 5)),
        ("after", str(adapter), folder_weights_digest(adapter), (40, 50, 40, 50)),
    ):
        folder = tmp_path / name
        config = {"model": "some/model", "adapter": place, "llm": {"backend": "local"}}
        asked = {"score": {"settings": MODEL | {"llm.adapter": digest}}}
        write_manifest(folder, "eval_superni", config, asked)
        write_evaluation(folder, levels, name="SuperNI", label="SuperNI", tasks_found=119, tasks_of=119)
    (run,) = read_runs([tmp_path / name for name in ("mine", "tuned", "before", "after")])
    gain = outcomes(run)["gain"]
    assert gain.verdict.kind == REPRODUCED
    assert gain.ours == "5.0 to 45.0: +40.0"


def edit_systems(folder: Path, seed: str = "seed1", **places: float) -> Path:
    """Put systems of a demo on an axis, as the experiment on data size has them."""
    path = folder / seed / "manifest.json"
    manifest = json.loads(path.read_text())
    for name, x in places.items():
        manifest["config"]["systems"][name]["x"] = x
    replace_json(path, manifest)
    return folder


def test_sizes_on_an_axis_are_compared_step_by_step_from_the_smallest(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "demo")
    edit_systems(demo, self_instruct=160, shuffled_outputs=20, seeds_only=80, little_world=320)
    found = outcomes(read_one(demo))["data_size"]
    assert (
        found.ours
        == "tuned on shuffled outputs to tuned on right data of the world: +71.8; the last step +0.5"
    )
    assert found.verdict.kind == IN_MINIATURE
    assert "last step adds nothing" in found.verdict.because


def write_ratings(folder: Path) -> Path:
    """What report_ratings leaves of two raters and two systems."""
    events = [
        {"rater": rater, "item": f"t{n}", "system": system, "rating": rating, "note": "", "time": "t"}
        for rater in ("one", "two")
        for n in range(8)
        for system, rating in (("vanilla", "CD"[n % 2]), ("tuned", "AB"[n % 2]))
    ]
    jsonl.replace(folder.parent / "rated" / "ratings.jsonl", events)
    report_ratings(ReportRatingsConfig(folder, [str(folder.parent / "rated")], IntervalsConfig(200, 0)))
    return folder


def test_ratings_of_people_are_shown_and_compared_with_nothing_they_cannot_be(tmp_path: Path) -> None:
    demo, ratings = write_demo(tmp_path / "demo"), write_ratings(tmp_path / "ratings")
    _, rated = read_runs([demo, ratings])
    found = outcomes(rated)
    assert found["human"].verdict.kind == NOT_COMPARABLE
    assert found["human"].ours == "vanilla minus tuned, rated A or B: -100.0 points"
    assert found["agreement"].ours == "kappa 1.00"
    folder = make(tmp_path / "report", demo, ratings)
    assert (folder / "figures" / "ratings_ratings.svg").exists()
    assert "Not run. The paper has experts" not in (folder / "report.md").read_text()


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, r"runs: .*nothing holds no manifest.json and no folder seed1; give folders of"),
        ({"command": "annotate"}, r"runs: .* belongs to 'annotate', which the report does not show"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, manifest: Any, message: str) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    if manifest:
        replace_json(folder / "manifest.json", manifest)
    with pytest.raises(UserError, match=message):
        read_runs([folder])


def test_a_refused_run_leaves_nothing_behind(tmp_path: Path) -> None:
    words = [f"runs=[{tmp_path / 'nowhere'}]", f"run_dir={tmp_path / 'report'}"]
    script = str(ROOT / "scripts" / "make_report.py")
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert "nowhere is no folder; check the path" in done.stderr
    assert list(tmp_path.iterdir()) == []


def make(folder: Path, *runs: Path, markdown: Path | None = None) -> Path:
    make_report(MakeReportConfig(folder, list(runs), 300, markdown))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    names = [path for path in folder.rglob("*") if path.is_file()]
    skipped = ("manifest.json", "run.log", ".lock")
    return {str(p.relative_to(folder)): p.read_bytes() for p in names if p.name not in skipped}


def test_an_experiment_ends_with_the_report_of_its_folder(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "a, b's demo")
    config = json.loads((demo / "seed1" / "manifest.json").read_text())["config"]
    experiment_report(from_dict(ReproduceConfig, {k: v for k, v in config.items() if k != "hydra"}))
    assert "Self-Instruct" in (demo / "report" / "report.html").read_text()


def test_equal_runs_give_equal_bytes_and_a_second_report_replaces_the_first(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "demo", seeds=(1, 2))
    first = files(make(tmp_path / "one", demo))
    assert first == files(make(tmp_path / "two", demo))
    assert first == files(make(tmp_path / "one", demo))
    assert {"report.html", "report.md", "tables/superni.tex", "tables/statistics.csv"} <= first.keys()
    assert {"figures/systems_demo.png", "figures/systems_demo.svg"} <= first.keys()
    assert json.loads((tmp_path / "one" / "manifest.json").read_text())["status"] == "complete"


def test_two_runs_stand_side_by_side(tmp_path: Path) -> None:
    runs = [write_demo(tmp_path / name) for name in ("first", "second")]
    text = (make(tmp_path / "report", *runs) / "report.md").read_text()
    assert re.search(r"\| system +\| +first \| +second \|", text)
    assert re.search(r"\| +\| paper \| first \| second \|", text)


def test_two_runs_are_compared_in_one_table_and_one_paragraph_each(tmp_path: Path) -> None:
    first = write_demo(tmp_path / "first")
    second = write_demo(tmp_path / "second", self_instruct=(60, 70, 65, 75), seeds_only=(80, 90, 80, 90))
    text = (make(tmp_path / "report", first, second) / "report.md").read_text()
    assert re.search(r"\| system +\| +first \| +second \| +second minus first \|", text)
    assert re.search(r"\| self-instruct +\| 77.5 .*\| 67.5 .*\| -10.0 \[-10.0, -10.0\] \|", text)
    assert re.search(r"\| self-instruct minus vanilla +\| \+73.8 .*\| \+63.8 .*\|\n", text)
    agrees = re.search(r"\*\*How far it agrees.\*\* (.*)", text)
    assert agrees
    assert agrees[1].startswith(
        "The main claim: in miniature in first and second. first: ROUGE-L 3.8 to 77.5"
    )
    assert agrees[1].count("second:") == 1
    assert "| no run |" in text
    assert "| Here |" not in text


def test_runs_of_other_instances_stand_in_one_table_without_a_difference(tmp_path: Path) -> None:
    runs = [write_demo(tmp_path / "one"), write_demo(tmp_path / "three", seeds=(1, 2, 3))]
    table = make(tmp_path / "report", *runs) / "tables" / "side_by_side.md"
    assert re.search(r"\| system +\| +one \| +three \|\n", table.read_text())
    assert (
        "The runs have different numbers of seeds (1 and 3), so no difference is taken." in table.read_text()
    )


def test_the_main_claims_row_says_what_its_controls_say(tmp_path: Path) -> None:
    weak = write_demo(tmp_path / "demo", seeds_only=(90, 95, 90, 95))
    because = outcomes(read_one(weak))["gain"].verdict.because
    assert "below tuning on the seed tasks alone, -15.0 points (" in because
    assert "above two examples shown to the untuned model (first paragraph), +75.0 points (" in because


def test_trained_tokens_are_those_of_all_steps(tmp_path: Path) -> None:
    table = make(tmp_path / "report", write_demo(tmp_path / "demo")) / "tables" / "training_demo.md"
    assert re.search(r"^\| train +\| +lora \| +9 \| +29 \| +90 \| +290 \|", table.read_text(), re.MULTILINE)


def test_model_text_stays_text_in_html_and_markdown(tmp_path: Path) -> None:
    hostile = ["<script>window.pwned = 1</script>", "a | b\n\n# Heading\n![x](http://x.org/p.png)"]
    folder = make(tmp_path / "report", write_demo(tmp_path / "demo", instructions=hostile))
    page, text = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    assert "<script>window.pwned" not in page
    assert "&lt;script&gt;window.pwned" in page
    assert "&lt;script&gt;window.pwned" in text
    assert "<script" not in text
    assert "\n# Heading" not in text
    assert "![x]" not in text


def test_the_page_asks_for_nothing_from_outside(tmp_path: Path) -> None:
    page = (make(tmp_path / "report", write_demo(tmp_path / "demo")) / "report.html").read_text()
    assert "default-src 'none'" in page
    assert not re.findall(r'(?:src|href)="(?!#|(?:tasks|answers)\.html#)[^"]*"', page)
    assert " style=" not in page  # the policy would leave it out


def test_a_drawing_from_elsewhere_cannot_run_anything() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="x()" '
        'viewBox="0 0 9 9"><script>x()</script><foreignObject><b/></foreignObject>'
        '<g id="a" style="fill: #000000; background: url(http://x.org)"><use xlink:href="http://x.org/#a"/>'
        '<use xlink:href="#a" clip-path="url(#c)" fill="url(http://x.org/f)"/></g></svg>'
    )
    drawn = inline_svg(svg, "p", 'a "label"')
    assert "x()" not in drawn
    assert "foreignObject" not in drawn
    assert "x.org" not in drawn
    assert '<g id="p-a" fill="currentColor">' in drawn
    assert '<use href="#p-a" clip-path="url(#p-c)" />' in drawn
    with pytest.raises(UserError, match="figure p: no SVG"):
        inline_svg("<svg", "p", "label")


def test_every_claim_names_a_place_in_the_paper_and_figures_of_it() -> None:
    for claim in CLAIMS:
        assert claim.source == published(claim.group)
        assert re.search(r"\d", claim.paper)
        assert "{" not in claim.says + claim.paper


def check_command(line: str) -> None:
    """It can be pasted into bash and zsh, and its command knows every setting in it."""
    unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", line)
    assert not re.search(r"[][{}*?;&|<>$()]", unquoted), f"a shell would read it otherwise: {line}"
    words = shlex.split(line)
    script = next(word for word in words if word.endswith(".py"))
    assert (ROOT / script).exists(), line
    assert words[: words.index(script)] in (["python"], ["accelerate", "launch"]) or "--config_file" in words
    given = [entry._experiment(word, Path(script).stem) for word in words[words.index(script) + 1 :]]
    with initialize_config_dir(str(entry.CONFIGS), version_base="1.3"):
        compose(Path(script).stem, given)


@pytest.mark.parametrize("line", sorted({line for claim in CLAIMS for line in claim.how}))
def test_the_commands_that_would_test_a_claim_are_commands(line: str) -> None:
    check_command(line)


def test_every_command_in_a_report_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    demos = [write_demo(tmp_path / "demo", seeds=(1, 2)), write_demo(tmp_path / "it's [mine], new")]
    text = (make(tmp_path / "report", *demos) / "report.md").read_text()
    blocks = re.findall(r"^ *```\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = {line.strip() for block in blocks for line in block.splitlines()}
    assert any("s [mine], new/seed1" in line for line in lines)
    assert len(lines) > 30
    for line in sorted(lines):
        check_command(line)


def form(markdown: str) -> dict[str, list[str]]:
    """What does not depend on the figures of a run: headings, claims, tables and their columns."""
    lines = markdown.splitlines()
    tables = [number for number, line in enumerate(lines) if re.match(r"\| -{3,}", line)]
    heads = [[cell.strip() for cell in lines[number - 1].split("|")[1:-1]] for number in tables]
    first = tables[0]
    end = next(number for number in range(first, len(lines)) if not lines[number].startswith("|"))
    return {
        "headings": [line for line in lines if line.startswith("#")],
        "titles": re.findall(r"^\*\*(.*)\*\*$", markdown, re.MULTILINE),
        "columns": [" | ".join(head) for head in heads],
        "claims": [" | ".join(re.split(r"(?<!\\)\|", line)[1:3]) for line in lines[first + 1 : end]],
    }


def test_the_page_in_docs_has_the_form_that_the_report_writes_now(tmp_path: Path) -> None:
    written = make(tmp_path / "report", write_demo(tmp_path / "demo"), markdown=tmp_path / "docs" / "R.md")
    assert (written / "report.html").exists()
    now = form((tmp_path / "docs" / "R.md").read_text())
    kept = (ROOT / "docs" / "REPRODUCTION.md").read_text()
    advice = "make it anew: python scripts/make_report.py 'runs=[runs/demo]' markdown=docs/REPRODUCTION.md"
    assert form(kept) == now, advice
    for image in re.findall(r"\]\((images/[^)]*)\)", kept):
        assert (ROOT / "docs" / image).stat().st_size < 300_000
