"""The report in a real browser: its lists can be searched, model text is inert, a phone shows it whole."""

from typing import Any

import pytest
from report_runs import write_demo

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
    make_report(MakeReportConfig(folder / "out", [demo], 300, None))
    return f"file://{folder}/out/report.html"


class Opened:
    """A page, and what its console said and which other addresses it asked for."""

    def __init__(self, browser: Any, url: str, width: int = 1280, **context: Any) -> None:
        self.page = browser.new_context(viewport={"width": width, "height": 800}, **context).new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.said.append(request.url) if request.url != url else None)
        self.page.goto(url)

    def shown(self, kind: str = "tasks") -> list[str]:
        return [str(t) for t in self.page.locator(f"#{kind}-demo .samples > li:visible").all_inner_texts()]


def test_the_page_is_silent_asks_for_nothing_and_runs_no_model_text(browser: Any, report: str) -> None:
    opened = Opened(browser, report)
    assert opened.page.evaluate("window.pwned === undefined && !document.getElementById('pwned')")
    assert opened.page.locator("h1").count() == 1
    assert any(HOSTILE[0] in text for text in opened.shown())
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
    assert "1 of 1 texts that fit" in tasks.get_by_role("status").inner_text()
    tasks.get_by_role("searchbox").fill("no such text")
    assert opened.shown() == []
    assert tasks.get_by_role("status").inner_text() == "No text fits."
    tasks.get_by_role("searchbox").fill("")
    tasks.get_by_label("Only").select_option("a wrong output")
    assert len(opened.shown()) == 1
    opened.page.locator("#rejected-demo").get_by_label("Only").select_option("too short")
    assert opened.shown("rejected")[0].startswith("Short.")
    assert len(opened.shown("rejected")) == 1
    assert opened.said == []


def test_without_its_script_the_first_of_each_list_stand_there(browser: Any, report: str) -> None:
    opened = Opened(browser, report, java_script_enabled=False)
    assert len(opened.shown()) == SHOWN_FIRST
    assert opened.page.locator(".browser form:visible, .browser button:visible").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_never_wider_than_the_screen(browser: Any, report: str, width: int) -> None:
    opened = Opened(browser, report, width)
    opened.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


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
    assert opened.page.locator(".drawing.on-white").first.evaluate(colour) == "rgb(29, 31, 34)"
    bar = opened.page.locator('#scores svg [stroke="var(--blue)"]').first
    assert bar.evaluate("element => getComputedStyle(element).stroke") == "rgb(125, 178, 220)"
