"""The report in a real browser: its lists can be searched, model text is inert, a phone shows it whole."""

from pathlib import Path
from typing import Any

import pytest
import whole_pages
from report_runs import write_demo, write_regenerated

from eval.report.command import MakeReportConfig, make_report
from eval.report.page import SHOWN_FIRST

HOSTILE = [
    "<script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 1"> picture',
    "</li></ul></div></section><h1 id=pwned>title</h1>",
    "<style>*{display:none}</style> \u202etxet desrever\u202c &lt;script&gt;",
    "averyveryverylongwordwithoutanyplacetobreakit" * 8,
]
TASKS = [*HOSTILE, *(f"Count the letters of word {number}, and say if it is even." for number in range(40))]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    demo = write_demo(folder / "demo", instructions=TASKS)
    again = [("<b>before</b>", "<b>after</b>"), ("same", "same "), *[("old", "new")] * 3]
    write_regenerated(folder / "again", again)
    make_report(MakeReportConfig(folder / "out", [demo, folder / "again"], 300, None))
    return f"file://{folder}/out/report.html"


class Opened(whole_pages.Opened):
    """The report."""

    def shown(self, name: str = "tasks-demo") -> list[str]:
        return [str(text) for text in self.page.locator(f"#{name} .samples > li:visible").all_inner_texts()]


def test_the_page_is_silent_asks_for_nothing_and_runs_no_model_text(browser: Any, report: str) -> None:
    opened = Opened(browser, report)
    assert opened.page.evaluate("window.pwned === undefined && !document.getElementById('pwned')")
    assert opened.page.locator("h1").count() == 1
    opened.page.locator("#tasks-demo").get_by_label("Sort").select_option("as in the run")
    for text, shown in zip(HOSTILE[:2], opened.shown(), strict=False):
        assert text in shown
    assert opened.said == []


def test_search_and_choice_narrow_the_list_and_more_are_shown_on_demand(browser: Any, report: str) -> None:
    opened = Opened(browser, report)
    tasks = opened.page.locator("#tasks-demo")
    assert len(opened.shown()) == SHOWN_FIRST
    tasks.get_by_role("button", name="Show more").click()
    assert len(opened.shown()) == SHOWN_FIRST + 20
    tasks.get_by_role("searchbox").fill("WORD 37")
    assert len(opened.shown()) == 1
    assert "word 37," in opened.shown()[0]
    status = tasks.get_by_role("status")
    assert status.inner_text() == "1 of 1 texts that fit shown; searched all 45."
    tasks.get_by_role("searchbox").fill("no such text")
    assert opened.shown() == []
    assert status.inner_text() == "No text fits; searched all 45."
    tasks.get_by_role("searchbox").fill("")
    tasks.get_by_label("Judged").select_option("a wrong output")
    assert len(opened.shown()) == 1
    tasks.get_by_label("Judged").select_option("all right")
    tasks.get_by_label("Kind").select_option("no classification")
    assert opened.shown() and all("classification" not in text.splitlines() for text in opened.shown())
    opened.page.locator("#rejected-demo").get_by_label("Reason").select_option("too short")
    assert opened.shown("rejected-demo")[0].startswith("Short.")
    assert len(opened.shown("rejected-demo")) == 1
    opened.page.locator("#rejected-demo").get_by_label("Reason").select_option("")
    opened.page.locator("#rejected-demo").get_by_label("Sort").select_option("most similar first")
    assert opened.shown("rejected-demo")[-1].startswith("Short.")
    assert opened.said == []


def test_a_search_of_a_sample_says_so_and_leads_to_the_page_of_all(browser: Any, tmp_path: Path) -> None:
    demo = write_demo(
        tmp_path / "demo", instructions=[f"Say what number {n} is good for." for n in range(90)]
    )
    make_report(MakeReportConfig(tmp_path / "out", [demo], 30, None))
    opened = Opened(browser, f"file://{tmp_path}/out/report.html")
    tasks = opened.page.locator("#tasks-demo")
    assert "8 of 30 texts shown, a sample of the 90 in the run." in tasks.locator(".status").inner_text()
    tasks.get_by_role("searchbox").fill("number 88 ")
    assert tasks.get_by_role("status").inner_text() == "No text fits; searched the sample of 30 out of 90."
    opened.said.clear()
    tasks.get_by_role("link", name="Search all 90 in tasks.html").click()
    opened.page.get_by_text("1 text fits; searched all 90.").wait_for()
    assert [text for text in opened.shown("list-accepted") if "number 88 " in text]
    opened.page.go_back()
    tasks.locator(".entry").first.click()
    opened.page.get_by_text("task-4 alone.").wait_for()


def test_choices_offer_only_what_the_others_leave(browser: Any, report: str) -> None:
    opened = Opened(browser, report)
    rejected, tasks = opened.page.locator("#rejected-demo"), opened.page.locator("#tasks-demo")
    offers = "select => [...select.options].map(option => option.text)"
    reason = rejected.get_by_label("Reason")
    assert reason.evaluate(offers) == ["all", "too similar (1)", "too short (1)"]
    rejected.get_by_role("searchbox").fill("short")
    assert reason.evaluate(offers) == ["all", "too short (1)"]
    judged = tasks.get_by_label("Judged")
    assert judged.evaluate(offers) == ["all", "all right (44)", "a wrong output (1)"]
    tasks.get_by_label("Kind").select_option("classification")
    assert judged.evaluate(offers) == ["all", "all right (40)"]
    judged.select_option("all right")
    assert judged.evaluate(offers) == ["all", "all right (40)"]
    judged.select_option("")
    tasks.get_by_label("Kind").select_option("")
    assert judged.evaluate(offers) == ["all", "all right (44)", "a wrong output (1)"]


def test_two_systems_answers_to_a_prompt_stand_side_by_side(browser: Any, report: str) -> None:
    opened = Opened(browser, report)
    answers = opened.page.locator("#answers-LittleWorld")
    assert [text.split()[0] for text in answers.locator(".whose:visible").all_inner_texts()[:2]] == [
        *("vanilla", "self-instruct"),
    ]
    assert HOSTILE[0] in opened.shown("answers-LittleWorld")[0]
    answers.get_by_label("Task").select_option("b")
    answers.locator("[data-side='0']").select_option("tuned on the seeds only")
    assert all("seeds_only answers" in text for text in opened.shown("answers-LittleWorld"))
    assert len(opened.shown("answers-LittleWorld")) == 5
    boxes = [answers.locator(".answer:visible").nth(side).bounding_box() for side in (0, 1)]
    assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] < boxes[1]["x"]
    answers.locator("[data-side='0']").select_option("vanilla, 2 examples, first paragraph only")
    assert [text.split()[-1] for text in answers.locator(".whose:visible").all_inner_texts()] == [
        "2",
        "80",
    ] * 5
    answers.locator("[data-side='0']").select_option("tuned on the seeds only")
    answers.get_by_label("Where").select_option("the left is better")
    assert opened.shown("answers-LittleWorld") == []  # self-instruct is better in every task of the demo
    answers.locator("[data-side='1']").select_option("vanilla")
    assert len(opened.shown("answers-LittleWorld")) == 5
    assert opened.said == []


def test_outputs_before_and_after_regeneration_stand_side_by_side(browser: Any, report: str) -> None:
    opened = Opened(browser, report)
    first = opened.shown("regenerated-again")[0]
    assert first.index("<b>before</b>") < first.index("<b>after</b>")
    opened.page.locator("#regenerated-again [data-facet]").select_option("the same")
    assert [text.splitlines()[0] for text in opened.shown("regenerated-again")] == ["Task 1."]
    assert opened.said == []


def test_a_list_of_thousands_answers_at_once_and_holds_in_the_page_only_what_it_shows(
    browser: Any, tmp_path: Any
) -> None:
    tasks = [f"Say what the number {number} is good for." for number in range(4000)]
    make_report(
        MakeReportConfig(tmp_path, [write_demo(tmp_path.parent / "demo", instructions=tasks)], 4000, None)
    )
    opened = Opened(browser, f"file://{tmp_path}/report.html")
    opened.page.locator("#tasks-demo").get_by_role("searchbox").fill("number 3999 ")
    assert len(opened.shown()) == 1
    assert opened.page.locator("#tasks-demo .samples > li").count() == 1


def test_without_its_script_the_first_of_each_list_stand_there(browser: Any, report: str) -> None:
    opened = Opened(browser, report, java_script_enabled=False)
    assert len(opened.shown()) == SHOWN_FIRST
    assert opened.page.locator(".browser form:visible, .browser button:visible").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_never_wider_than_the_screen(browser: Any, report: str, width: int) -> None:
    opened = Opened(browser, report, width)
    opened.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_goes_on_at_the_side_fades_out_there(browser: Any, report: str) -> None:
    opened = Opened(browser, report, 390)
    table = opened.page.locator("#scores div.wide:not(.drawing)").first
    sides = "box => [...box.classList].filter(name => name.startsWith('more-'))"
    opened.page.locator("#scores div.wide.more-right").first.wait_for()
    assert table.evaluate(sides) == ["more-right"]
    table.evaluate("box => box.scrollTo(box.scrollWidth, 0)")
    opened.page.locator("#scores div.wide.more-left").first.wait_for()
    assert table.evaluate(sides) == ["more-left"]
    opened.page.set_viewport_size({"width": 1280, "height": 800})
    opened.page.wait_for_timeout(200)
    assert table.evaluate(sides) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Any, report: str, scheme: str) -> None:
    """WCAG AA: a contrast of 4.5 for every text colour that the page has, figures' labels among them."""
    opened = Opened(browser, report, color_scheme=scheme)
    low = opened.page.evaluate(CONTRAST)
    assert low == []


CONTRAST = """() => {
  const light = c => {
    const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => Number(v) / 255)
      .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$|transparent/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
  const seen = {};
  const named = 'p, a, b, span, h1, h2, h3, td, th, dt, summary, code, pre, .drawing';
  for (const e of document.querySelectorAll(named)) {
    const [front, back] = [getComputedStyle(e).color, ground(e)];
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) seen[`${front} on ${back}`] = `${e.tagName}.${e.className} ${ratio.toFixed(2)}`;
  }
  return Object.entries(seen);
}"""


def test_drawings_follow_the_dark_page_but_for_those_with_colours_of_their_own(
    browser: Any, report: str
) -> None:
    opened = Opened(browser, report, color_scheme="dark")
    colour = "element => getComputedStyle(element).color"
    drawn = opened.page.locator("#scores .drawing").first
    assert drawn.evaluate(colour) == opened.page.locator("body").evaluate(colour)
    ring = opened.page.locator(".drawing.coloured").first
    assert ring.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(29, 32, 36)"
    fill = "element => getComputedStyle(element).fill"
    on_a_colour = ring.locator('g[id*="inside_"]').first
    assert on_a_colour.evaluate(fill) == on_a_colour.locator("use").first.evaluate(fill) == "rgb(0, 0, 0)"
    on_the_ground = ring.locator('g[id*="-text_"] use').last
    assert on_the_ground.evaluate(fill) == opened.page.locator("body").evaluate(colour)
    bar = opened.page.locator('#scores svg [stroke="var(--blue)"]').first
    assert bar.evaluate("element => getComputedStyle(element).stroke") == "rgb(125, 178, 220)"
