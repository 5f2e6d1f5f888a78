"""The page of all answers: any two systems are compared, nothing a model wrote runs."""

from pathlib import Path
from typing import Any

import pytest
from report_runs import write_demo, write_manifest, write_regenerated
from whole_pages import Opened

from eval.report.command import MakeReportConfig, make_report
from selfinstruct import jsonl

HOSTILE = [
    "</script><script>window.pwned = 1</script> closes the script it stands in",
    "<!--<script> opens a comment that never ends",
    '<img src=x onerror="window.pwned = 1"> is a picture (of [nothing]',
    "a" * 2000,  # longer than a text of the report
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a demo (the untuned model is better in one task of four) and of outputs made anew."""
    folder = tmp_path_factory.mktemp("answers")
    demo = write_demo(folder / "demo", instructions=HOSTILE, vanilla=(0, 100, 0, 10))
    asked = demo / "seed1" / "vanilla_2_examples" / "predictions.jsonl"
    lines = [line | {"prompt": f"Two <i>examples</i>.\n\n{line['prompt']}"} for line in jsonl.read(asked)]
    jsonl.replace(asked, lines)
    write_user_oriented(folder)
    write_regenerated(folder / "again", [("<b>before</b>", "<b>after</b>"), *[("old", "new")] * 40])
    make_report(
        MakeReportConfig(
            folder / "out", [demo, *(folder / name for name in ("again", "before", "after"))], 2, None
        )
    )
    return folder / "out"


def write_user_oriented(folder: Path) -> None:
    """Two runs of eval_user_oriented.py on a set of two tasks."""
    for name in ("before", "after"):
        write_manifest(folder / name, "eval_user_oriented", {"llm": {"backend": "tiny"}})
        tasks = [{"id": f"let ter/{n}", "instruction": f"Answer {n}.", "input": "in"} for n in range(2)]
        answer = {"motivation_app": "E-mail", "response": f" {name} <b>"}
        lines = [
            task | answer | {"prompt": f"{task['instruction']} in", "target": f"the author's {number}"}
            for number, task in enumerate(tasks)
        ]
        jsonl.replace(folder / name / "predictions.jsonl", lines)
        scores = [{"system": "model", "id": task["id"], "rougeL": 12.5} for task in tasks]
        jsonl.replace(folder / name / "scores.jsonl", scores)
        (folder / name / "metrics.json").write_text('{"systems": {}}')


@pytest.fixture
def opened(browser: Any, folder: Path) -> Opened:
    page = Opened(browser, f"{(folder / 'answers.html').as_uri()}#list=LittleWorld")
    page.said_status("^20 texts")
    return page


def test_model_text_is_shown_whole_and_never_run(opened: Opened) -> None:
    assert opened.shown()[0].startswith(HOSTILE[0])
    assert f"self_instruct answers {HOSTILE[0]}" in opened.shown()[0]
    assert HOSTILE[3] in opened.shown()[3]
    assert opened.page.evaluate("window.pwned === undefined")
    assert opened.said == []


def test_any_two_systems_are_compared_where_one_is_better_by_most(opened: Opened) -> None:
    whose = opened.page.locator(".whose:visible")
    assert whose.all_inner_texts()[:2] == ["vanilla 0", "self-instruct 70"]
    opened.form.get_by_label("Where").select_option("the left is better")
    opened.said_status("^5 texts fit")
    assert opened.offers("Task") == ["all", "b (5)"]
    opened.form.get_by_label("Where").select_option("the right is better")
    opened.said_status("^15 texts fit")
    opened.form.get_by_label("Sort").select_option("the right's gain first")
    opened.page.locator(".whose:visible").nth(1).filter(has_text="self-instruct 75").wait_for()
    opened.form.locator("[name=left]").select_option("tuned on the seeds only")
    opened.said_status("^20 texts.|^20 texts fit")
    assert [text.rsplit(" ", 1)[1] for text in whose.all_inner_texts()[:2]] == ["50", "75"]
    opened.form.get_by_label("Sort").select_option("the right's loss first")
    opened.page.locator(".whose:visible").nth(1).filter(has_text="self-instruct 70").wait_for()
    assert opened.said == []


def test_a_search_can_be_of_one_part_of_an_entry(opened: Opened) -> None:
    for part, words, found in (
        ("the prompt", '"input: 3"', 4),
        ("the right answers", '"right 3"', 4),
        ("the prompt", '"right 3"', 0),
        ("the two answers shown", "self_instruct", 20),
        ("the two answers shown", "seeds_only", 0),
        ("everything", "seeds_only", 20),
    ):
        opened.form.locator("[name=in]").select_option(part)
        opened.form.get_by_role("searchbox").fill(words)
        opened.said_status(f"^{found or 'No'} texts?( fits?;|\\.)")
    assert opened.said == []


def test_what_is_shown_can_be_sent_as_an_address(opened: Opened, browser: Any) -> None:
    opened.form.locator("[name=left]").select_option("tuned on the seeds only")
    opened.form.get_by_label("Task").select_option("c")
    opened.said_status("^5 texts fit")
    again = Opened(browser, opened.page.url)
    again.said_status("^5 texts fit")
    assert again.page.locator(".whose:visible").first.inner_text().startswith("tuned on the seeds only")
    opened.page.locator(".entry:visible").nth(1).click()
    opened.said_status("^c1 alone")
    opened.form.locator("[name=right]").select_option("tuned on shuffled outputs")
    opened.page.locator(".whose:visible").nth(1).filter(has_text="tuned on shuffled outputs").wait_for()
    entry = Opened(browser, opened.page.url)
    entry.said_status("^c1 alone")
    assert len(entry.shown()) == 1
    assert [text.rsplit(" ", 1)[0] for text in entry.page.locator(".whose:visible").all_inner_texts()] == [
        "tuned on the seeds only",
        "tuned on shuffled outputs",
    ]
    entry.page.get_by_role("link", name="Show all").click()
    entry.said_status("^20 texts")
    assert opened.said + again.said + entry.said == []


def test_what_a_system_was_asked_otherwise_is_told_beside_its_answer(opened: Opened) -> None:
    opened.form.locator("[name=left]").select_option("vanilla, 2 examples in the prompt")
    details = opened.page.locator(".answer:visible details").first
    details.get_by_text("asked with another prompt").click()
    assert details.locator("p").inner_text().startswith("Two <i>examples</i>.")
    opened.form.get_by_role("searchbox").fill('"two <i>exam')  # the second of the quotes is not typed yet
    opened.said_status("^20 texts")
    assert opened.page.locator("mark").first.inner_text() == "Two <i>exam"
    assert opened.said == []


def test_answers_to_user_oriented_tasks_have_a_list_of_their_own(browser: Any, folder: Path) -> None:
    opened = Opened(browser, f"{(folder / 'answers.html').as_uri()}#list=user-oriented")
    opened.said_status("^2 texts")
    shown = opened.shown()[1]
    for text in ("Answer 1. in", "right: the author's 1", "after <b>", "before <b>", "before 13"):
        assert text in shown
    opened.page.locator(".entry:visible").nth(1).click()
    opened.said_status("^let ter/1 alone")
    again = Opened(browser, opened.page.url)
    again.said_status("^let ter/1 alone")
    report = Opened(browser, (folder / "report.html").as_uri())
    link = report.page.locator("#answers-user-oriented .entry").first.get_attribute("href")
    assert link == "answers.html#let%20ter/0"
    Opened(browser, f"{folder.as_uri()}/{link}").said_status("^let ter/0 alone")
    assert opened.said + again.said == []


def test_on_paper_a_long_answer_is_whole(opened: Opened) -> None:
    opened.page.emulate_media(media="print")
    cut = (
        "[...document.querySelectorAll('.samples p')].filter(p => p.scrollHeight > p.clientHeight + 1).length"
    )
    assert opened.page.evaluate(cut) == 0


def test_outputs_made_anew_have_a_list_of_their_own(opened: Opened) -> None:
    opened.page.locator("nav").get_by_role("link", name="Outputs before and after regeneration (41)").click()
    opened.said_status("^41 texts")
    assert opened.shown()[0].index("<b>before</b>") < opened.shown()[0].index("<b>after</b>")
    assert opened.said == []


def test_the_report_shows_a_sample_and_names_the_page_and_the_entry(browser: Any, folder: Path) -> None:
    report = Opened(browser, (folder / "report.html").as_uri()).page.locator("#answers-LittleWorld")
    assert report.locator(".samples > li").count() == 2
    link = report.get_by_role("link", name="Search all 20 in answers.html")
    assert link.get_attribute("href").startswith("answers.html#list=")
    assert [entry.get_attribute("href") for entry in report.locator(".entry").all()] == [
        "answers.html#a0",
        "answers.html#b0",
    ]
    asked = Opened(browser, f"{folder.as_uri()}/{link.get_attribute('href')}")
    asked.said_status("^20 texts")


def test_a_report_without_answers_leaves_no_page_of_an_earlier_one(tmp_path: Path) -> None:
    demo, out = write_demo(tmp_path / "demo"), tmp_path / "out"
    make_report(MakeReportConfig(out, [demo], 300, None))
    assert (out / "answers.html").exists()
    make_report(MakeReportConfig(out, [demo / "seed1" / "generate"], 300, None))
    assert not (out / "answers.html").exists() and (out / "tasks.html").exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_page_whole(browser: Any, folder: Path, scheme: str) -> None:
    page = Opened(browser, f"{(folder / 'answers.html').as_uri()}#list=LittleWorld", color_scheme=scheme)
    page.page.set_viewport_size({"width": 390, "height": 844})
    page.said_status("^20 texts")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390
