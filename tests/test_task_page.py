"""The page of all of a run's tasks: all is found, choices combine, an entry has an address."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from report_runs import write_demo
from whole_pages import Opened

from eval.report.blocks import Pair, Sample
from eval.report.chains import Run
from eval.report.command import MakeReportConfig, make_report
from eval.report.folders import read_runs
from eval.report.samples import mixed, rejected_browser, task_browser
from eval.report.whole import read_lists, task_page
from selfinstruct import jsonl

HOSTILE = [
    "</script><script>window.pwned = 1</script> closes the script it stands in",
    "<!--<script> opens a comment that never ends",
    '<img src=x onerror="window.pwned = 1"> is a picture (of [nothing]',
    "\u2028 and \x00 and ]]> and &lt;b&gt; and \\u003c are letters as others",
]
TASKS = [*HOSTILE, *(f"Count the letters of word {n}, and say if it is even." for n in range(80))]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tasks")
    demo = write_demo(folder / "demo", instructions=TASKS)
    near = {TASKS[3]: 0.5, "A seed task.": 0.25}
    lines = [{"instruction": text, "most_similar": near if text == TASKS[9] else {}} for text in TASKS]
    jsonl.replace(demo / "seed1" / "generate" / "machine_generated_instructions.jsonl", lines)
    judged = jsonl.read(demo / "seed1" / "review" / "instances.jsonl")
    judged[0] |= {"reason": "right would be: <b>five</b>"}
    judged[5] |= {"valid_task": False, "reason": "no such <i>task</i>"}
    jsonl.replace(demo / "seed1" / "review" / "instances.jsonl", judged)
    make_report(MakeReportConfig(folder / "out", [demo], 5, None))
    return f"file://{folder}/out/tasks.html"


def test_model_text_is_shown_and_never_run(browser: Any, url: str) -> None:
    opened = Opened(browser, url)
    opened.form.get_by_label("Sort").select_option("as in the run")
    opened.page.locator(".samples > li").first.filter(has_text="closes the script").wait_for()
    for text, shown in zip(HOSTILE[:3], opened.shown(), strict=False):
        assert shown.startswith(text)
    assert "right would be: <b>five</b>" in opened.shown()[0]
    assert "no such <i>task</i>" in opened.shown()[5]
    assert opened.page.evaluate("window.pwned === undefined")
    assert opened.page.locator("h1").count() == 1
    assert opened.said == []


def test_every_text_of_the_run_is_found_whatever_is_in_it(browser: Any, url: str) -> None:
    opened = Opened(browser, url)
    opened.said_status("^84 texts")
    for text in TASKS:
        opened.form.get_by_role("searchbox").fill(text.replace("\u2028", " ").replace("\x00", " "))
        letters = max(re.split("[\u2028\x00]", text), key=len)
        opened.page.locator(".samples > li").first.filter(has_text=letters).wait_for(timeout=5000)
    opened.said_status(r"fits?; searched all 84\.")
    opened.form.get_by_role("searchbox").fill("no such text")
    opened.said_status(r"^No text fits; searched all 84\.")
    opened.form.get_by_role("searchbox").fill('"letters of word" EVEN')
    opened.said_status("^80 texts fit")
    assert "letters of word" in opened.page.locator("mark").all_inner_texts()
    assert opened.said == []


def test_more_are_drawn_as_one_scrolls(browser: Any, url: str) -> None:
    opened = Opened(browser, url)
    opened.said_status("^84 texts")
    assert len(opened.shown()) == 30
    for count in (60, 84):
        opened.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        opened.page.wait_for_selector(f".samples > li:nth-child({count})")
    assert len(opened.shown()) == 84
    assert not opened.page.get_by_role("button", name="Show more").is_visible()


def test_choices_combine_and_count_what_is_left(browser: Any, url: str) -> None:
    opened = Opened(browser, url)
    assert opened.offers("Judged") == ["all", "a wrong output (1)", "all right (82)", "no valid task (1)"]
    opened.form.get_by_role("searchbox").fill('"of word 1"')
    opened.said_status("^11 texts fit")
    assert opened.offers("Judged") == ["all", "all right (10)", "no valid task (1)"]
    opened.form.get_by_label("Judged").select_option("no valid task")
    opened.said_status("^1 text fits")
    opened.page.locator("nav").get_by_role("link", name="Rejected (2)").click()
    opened.said_status("^2 texts")
    assert opened.offers("Reason") == ["all", "too similar (1)", "too short (1)"]
    opened.form.get_by_label("Reason").select_option("too short")
    opened.said_status("^1 text fits")
    assert opened.shown()[0].startswith("Short.")
    assert opened.said == []


def test_what_was_searched_for_can_be_sent_as_an_address(browser: Any, url: str) -> None:
    opened = Opened(browser, url)
    opened.form.get_by_role("searchbox").fill("word & 7+")
    opened.form.get_by_label("Sort").select_option("A to Z")
    opened.page.wait_for_timeout(200)
    again = Opened(browser, opened.page.url)
    assert again.form.get_by_role("searchbox").input_value() == "word & 7+"
    assert again.form.get_by_label("Sort").input_value() == "name"
    again.said_status("^No text fits")


def test_an_entry_has_an_address_and_shows_what_it_is_the_nearest_of(browser: Any, url: str) -> None:
    opened = Opened(browser, f"{url}#task-4")
    opened.said_status(r"^task-4, and below it what it is nearest to: 1\.")
    assert ["are letters" in opened.shown()[0], "word 5," in opened.shown()[1]] == [True, True]
    opened.page.locator(".entry:visible", has_text="task-10").click()
    opened.said_status(r"^task-10 alone\.")
    opened.page.locator(".nearest a:visible").click()
    opened.said_status("^task-4,")
    opened.page.get_by_role("link", name="Show all").click()
    opened.said_status("^84 texts")
    opened.page.evaluate("location.hash = 'rejected-2'")
    opened.said_status("^rejected-2 alone")
    opened.page.evaluate("location.hash = 'task-999'")
    opened.said_status("^There is no task-999 here. 84 texts")
    assert opened.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_page_whole(browser: Any, url: str, scheme: str) -> None:
    opened = Opened(browser, url, color_scheme=scheme)
    opened.page.set_viewport_size({"width": 390, "height": 844})
    opened.said_status("^84 texts")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390


def run_of(path: Path) -> Run:
    (run,) = read_runs([path])
    return run


def page_of(folder: Path) -> str | None:
    run = run_of(folder)
    return task_page(run, read_lists([run]).tasks[run.slug])


def test_all_seeds_are_in_it_each_entry_by_a_name_of_its_own(tmp_path: Path) -> None:
    run = run_of(write_demo(tmp_path / "demo", seeds=(1, 2), instructions=TASKS))
    tasks, rejected = task_browser(run), rejected_browser(run)
    assert tasks and rejected
    assert (tasks.total, rejected.total) == (2 * len(TASKS), 4)
    names = [sample.id for sample in (*tasks.samples, *rejected.samples)]
    assert len(set(names)) == len(names)
    assert {"seed1-task-84", "seed2-task-84", "seed2-rejected-2"} <= set(names)
    assert tasks.facets[-1] == "seed"


def test_several_runs_have_a_page_each_and_those_of_an_earlier_report_go(tmp_path: Path) -> None:
    one, two = (write_demo(tmp_path / name) for name in ("one", "two"))
    out = tmp_path / "out"
    for runs, pages in (([one, two], ["tasks_one.html", "tasks_two.html"]), ([two], ["tasks.html"])):
        make_report(MakeReportConfig(out, runs, 300, None))
        assert sorted(path.name for path in out.glob("tasks*")) == pages
        assert all(f'href="{page}#' in (out / "report.html").read_text() for page in pages)


def test_the_data_cannot_end_its_element(tmp_path: Path) -> None:
    page = page_of(write_demo(tmp_path / "demo", instructions=TASKS))
    assert page
    parts = re.findall(r'<script type="application/json" data-of="accepted">(.*?)</script>', page, re.DOTALL)
    assert {row[2] for part in parts for row in json.loads(part)} == set(TASKS)
    assert not any("<" in part for part in parts)
    assert page_of(write_demo(tmp_path / "again" / "demo", instructions=TASKS)) == page


def test_a_stretch_of_a_mixed_list_holds_each_kind_in_proportion() -> None:
    doubtful = [Sample("x", f"task-{n}", n, ("doubtful",)) for n in range(5)]
    fine = [Sample("x", f"task-{n}", n, ("fine",), instances=(Pair("", "y"),)) for n in range(5, 50)]
    order = [sample.facets[0] for sample in mixed([*doubtful, *fine])]
    assert order[:3] == ["fine"] * 3
    assert [order[start : start + 10].count("doubtful") for start in range(0, 50, 10)] == [1] * 5
