"""The rating page as a rater uses it, in a real browser against a real server process."""

import itertools
import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rating_server import Server, write_systems

from eval.ratings import final_ratings, latest, read_events
from selfinstruct import jsonl

HOSTILE = [
    "<script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 1"> {n}',
    "</pre></section><h1 id=pwned>{n}</h1>",
    "`<b onclick=pwned()>` **<i>bold</i>** [link](javascript:window.pwned=1)",
    "| a | b |\n|---|---|\n| <script>window.pwned = 1</script> | <svg onload=window.pwned=1> |",
    "```html\n<iframe src=javascript:parent.pwned=1></iframe>\n```\n- <style>*{display:none}</style>",
    "\u202etxet desrever\u202c &lt;script&gt; \u2028 {n}",
]


PAGE_ERRORS: list[str] = []


@pytest.fixture(autouse=True)
def no_page_fails() -> Iterator[None]:
    PAGE_ERRORS.clear()
    yield
    assert PAGE_ERRORS == []


def open_page(browser: Any, server: Server, rater: str = "rater", width: int = 1280) -> Any:
    page = browser.new_context(viewport={"width": width, "height": 800}).new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: PAGE_ERRORS.append(str(error)))
    page.goto(server.url(rater))
    page.wait_for_selector(".slot, h1")
    return page


def marked(page: Any) -> str:
    """The text of the marked answer."""
    return str(page.locator(".slot.marked .text").inner_text())


def rate(page: Any, key: str) -> None:
    """Press a key and wait until another answer is marked, or the end is reached."""
    before = marked(page)
    page.keyboard.press(key)
    page.wait_for_function(
        "before => { const m = document.querySelector('.slot.marked .text');"
        " return !m || m.innerText !== before; }",
        arg=before,
        timeout=90_000,  # a server that is killed again and again is away most of the time
    )


def on_disk(server: Server) -> dict[tuple[str, str], str]:
    """(item, system) -> the rating that counts."""
    finals = final_ratings(latest(read_events(server.run_dir / "ratings.jsonl")))
    return {key: final.rating for key, final in finals.items()}


def place_of(text: str) -> tuple[str, str]:
    """The (item, system) of an answer of `write_systems`."""
    words = text.strip().rstrip(".").split()
    return f"task-{words[1]}", {"one": "secretname", "two": "hiddenname"}[words[3]]


def test_twenty_items_by_keyboard_at_no_more_than_3_presses_an_item(browser: Any, tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 20)) as server:
        page = open_page(browser, server)
        pressed: dict[tuple[str, str], str] = {}
        presses = 0
        for key in itertools.cycle(["a", "2", "C", "4"]):
            if page.locator("h1").count():
                break
            pressed[place_of(marked(page))] = {"a": "A", "2": "B", "C": "C", "4": "D"}[key]
            rate(page, key)
            presses += 1
        assert presses <= 3 * 20
        assert "All items are rated" in page.inner_text("main")
        assert len(pressed) == 40
        assert on_disk(server) == pressed
        assert server.stop() == 0
    assert json.loads((server.run_dir / "manifest.json").read_text())["status"] == "complete"


def test_a_reload_goes_on_at_the_first_open_item_in_the_same_order(browser: Any, tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 6)) as server:
        page = open_page(browser, server)
        rate(page, "a")
        rate(page, "b")
        rate(page, "c")  # half of the second item
        texts = page.locator(".slot .text").all_inner_texts()
        page.reload()
        page.wait_for_selector(".slot")
        assert page.locator(".slot .text").all_inner_texts() == texts
        assert marked(page) == texts[1]
        assert page.locator(".slot .rating[aria-pressed=true]").inner_text().split() == [
            "C",
            "Significant",
            "errors",
        ]
        assert "Item 2 of 6 · 1 rated" in page.inner_text("#progress")
        server.kill()
        server.start()
        page.reload()
        page.wait_for_selector(".slot")
        assert page.locator(".slot .text").all_inner_texts() == texts
        assert server.stop() == 3  # resumable


def test_nothing_is_called_saved_while_the_server_is_dead(browser: Any, tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 3)) as server:
        page = open_page(browser, server)
        first = marked(page)
        server.kill()
        page.keyboard.press("d")
        page.wait_for_selector("#alert:not([hidden])")
        assert "NOT saved" in page.inner_text("#alert")
        assert "Saved" not in page.inner_text("#saved")
        page.keyboard.press("b")  # pressed blindly: not taken
        assert marked(page) == first
        server.start()
        page.wait_for_function("() => document.getElementById('alert').hidden")
        page.wait_for_function("() => document.getElementById('saved').innerText.startsWith('Saved')")
        page.wait_for_timeout(300)
        assert marked(page) != first
        assert on_disk(server) == {place_of(first): "D"}
        assert len(server.events()) == 1
        rate(page, "b")
        assert "Item 2 of 3" in page.inner_text("#progress")


def test_two_raters_at_once_never_meet(browser: Any, tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 4), raters="[annika,benedikt]") as server:
        pages = {rater: open_page(browser, server, rater) for rater in ("annika", "benedikt")}
        for _ in range(8):
            for page, key in zip(pages.values(), "ad", strict=True):
                rate(page, key)
        events = server.events()
        assert [event["rater"] for event in events] == ["annika", "benedikt"] * 8
        assert {(event["rater"], event["rating"]) for event in events} == {("annika", "A"), ("benedikt", "D")}
        for rater, other in (("annika", "benedikt"), ("benedikt", "annika")):
            assert other not in pages[rater].content()
            pages[rater].keyboard.press("p")
            pages[rater].wait_for_selector(".slot")
            chosen = "A" if rater == "annika" else "D"
            assert pages[rater].locator(f".rating.{chosen}[aria-pressed=true]").count() == 2
            assert pages[rater].locator(".rating[aria-pressed=true]").count() == 2


def test_no_name_of_a_system_or_task_reaches_the_browser(browser: Any, tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 4)) as server:
        page = browser.new_context().new_page()
        seen: list[str] = []
        page.on("response", lambda r: seen.append(f"{r.url} {r.headers} {r.text() if r.ok else ''}"))
        page.goto(server.url("rater"))
        page.wait_for_selector(".slot")
        for key in "acbd":
            rate(page, key)
        page.keyboard.press("u")
        page.wait_for_function("() => document.getElementById('saved').innerText.startsWith('Undone')")
        assert len([text for text in seen if "/api/" in text]) > 5
        for name in ("secretname", "hiddenname", "task-"):
            assert not [text for text in seen if name in text]


@pytest.mark.parametrize("view", ["formatted", "plain"])
def test_a_model_s_text_stays_text(browser: Any, tmp_path: Path, view: str) -> None:
    systems = write_systems(tmp_path, 2, **{f"s{n}": text for n, text in enumerate(HOSTILE)})
    for path in map(Path, systems):
        lines = [line | {"instruction": line["instruction"] + HOSTILE[1]} for line in jsonl.read(path)]
        jsonl.replace(path, [line | {"input": HOSTILE[0], "target": HOSTILE[2]} for line in lines])
    with Server(tmp_path, systems) as server:
        page = open_page(browser, server)
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        if view == "plain":
            page.keyboard.press("v")
        page.keyboard.press("t")
        for _ in range(2):
            assert page.locator("main :is(script, img, iframe, svg, style, a, i, h1)").count() == 0
            shown = page.inner_text("main")
            assert "<script>window.pwned = 1</script>" in shown
            assert "<iframe src=javascript:parent.pwned=1></iframe>" in shown
            assert '<img src=x onerror="window.pwned = 1">' in shown
            page.keyboard.press("n")
            page.wait_for_timeout(200)
        assert page.evaluate("window.pwned") is None
        assert problems == []


def test_code_tables_and_lists_are_shown_as_such(browser: Any, tmp_path: Path) -> None:
    text = (
        "# Title\n\nUse `x`:\n```py\nif a:\n    b | c\n```\n1. one\n2. two\n\n| k | v |\n|--|--|\n| p | q |"
    )
    with Server(tmp_path, write_systems(tmp_path, 1, one=text, two="  - deep\n plain *text* ")) as server:
        page = open_page(browser, server)
        assert page.locator(".slot pre.code").inner_text() == "if a:\n    b | c"
        assert page.locator(".slot ol li").all_inner_texts() == ["one", "two"]
        assert page.locator(".slot table tr").all_inner_texts() == ["k\tv", "p\tq"]
        page.keyboard.press("v")
        assert text in page.locator(".slot .plain").all_text_contents()


def test_a_long_input_says_that_it_is_cut_and_a_key_shows_all_of_it(browser: Any, tmp_path: Path) -> None:
    paths = write_systems(tmp_path, 2)
    long = "\n".join(f"Line {n}" for n in range(60)) + "\nTHE END"
    for path in map(Path, paths):
        jsonl.replace(path, [line | {"input": long} for line in jsonl.read(path)])
    with Server(tmp_path, paths) as server:
        page = open_page(browser, server)
        height = "() => document.querySelector('.input .text').clientHeight"
        cut = page.evaluate(height)
        assert cut < 400
        assert page.locator(".whole").inner_text() == "L Show all of it"
        assert page.locator(".slot.marked").bounding_box()["y"] < 800  # the answers are near
        page.keyboard.press("l")
        assert page.evaluate(height) == page.evaluate(
            "() => document.querySelector('.input .text').scrollHeight"
        )
        assert page.evaluate(height) > 60 * 15
        rate(page, "a")  # within the item it stays so
        assert page.evaluate(height) > 60 * 15
        rate(page, "a")
        assert page.evaluate(height) == cut


def test_a_newcomer_is_pointed_to_the_rubric(browser: Any, tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 2)) as server:
        page = open_page(browser, server)
        page.wait_for_function("() => document.getElementById('saved').innerText.includes('rubric')")
        rate(page, "a")
        rate(page, "a")
        page.reload()
        page.wait_for_selector(".slot")
        page.wait_for_timeout(200)
        assert page.inner_text("#saved") == ""


def test_note_skip_back_and_undo_by_keyboard(browser: Any, tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 3)) as server:
        page = open_page(browser, server)
        first = page.locator(".task").inner_text()
        page.keyboard.press("m")
        page.keyboard.type("a b c d: not ratings")
        page.keyboard.press("Escape")
        page.wait_for_function("() => document.getElementById('saved').innerText === 'Note saved.'")
        assert [(event["rating"], event["note"]) for event in server.events()] == [
            (None, "a b c d: not ratings")
        ]
        page.keyboard.press("s")
        page.wait_for_function("text => document.querySelector('.task').innerText !== text", arg=first)
        page.keyboard.press("p")
        page.wait_for_function("text => document.querySelector('.task').innerText === text", arg=first)
        rate(page, "a")
        page.keyboard.press("u")
        page.wait_for_function("() => document.querySelectorAll('.rating[aria-pressed=true]').length === 0")
        assert page.locator("textarea").first.input_value() == "a b c d: not ratings"
        assert on_disk(server) == {}
        page.keyboard.press("r")
        assert page.locator("#rubric").is_visible()
        page.keyboard.press("a")  # nothing is rated behind the rubric
        page.keyboard.press("r")
        assert not page.locator("#rubric").is_visible()
        for _ in range(6):
            rate(page, "b")
        assert "All items are rated" in page.inner_text("main")


def test_skipped_items_come_again_at_the_end(browser: Any, tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 2)) as server:
        page = open_page(browser, server)
        first = page.locator(".task").inner_text()
        page.keyboard.press("s")
        page.wait_for_function("text => document.querySelector('.task').innerText !== text", arg=first)
        page.reload()
        page.wait_for_selector(".slot")
        assert page.locator(".task").inner_text() != first
        rate(page, "a")
        rate(page, "a")
        assert page.locator(".task").inner_text() == first


def test_a_key_held_down_rates_one_answer(browser: Any, tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 3)) as server:
        page = open_page(browser, server)
        for _ in range(8):
            page.keyboard.down("a")  # the second and later ones are repeats
        page.keyboard.up("a")
        page.wait_for_timeout(300)
        assert len(server.events()) == 1


def test_250_items_at_phone_width(browser: Any, tmp_path: Path) -> None:
    wide = (
        "| a | b |\n|---|---|\n| "
        + "x" * 300
        + " | y |\n\n"
        + "long" * 100
        + "\n```\n"
        + "c" * 400
        + "\n``` {n}"
    )
    with Server(tmp_path, write_systems(tmp_path, 250, one=wide, two="Answer {n}.")) as server:
        start = time.monotonic()
        page = open_page(browser, server, width=360)
        assert time.monotonic() - start < 10
        assert "of 250 · 0 rated" in page.inner_text("#progress")
        for _ in range(3):
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            before = page.inner_text("#progress")
            for slot in (0, 1):
                page.locator(".slot").nth(slot).locator(".rating.B").click()
                page.wait_for_function(
                    "([text, n]) => document.getElementById('progress').innerText !== text"
                    " || document.querySelectorAll('.rating[aria-pressed=true]').length === n",
                    arg=[before, slot + 1],
                )
        assert len(on_disk(server)) == 6


def test_the_review_of_generated_data_takes_3_presses_an_item(browser: Any, tmp_path: Path) -> None:
    lines = [{"instruction": f"Do {n}.", "input": "", "output": f"Done {n}."} for n in range(20)]
    jsonl.replace(tmp_path / "generated.jsonl", lines)
    with Server(tmp_path, None, generated=str(tmp_path / "generated.jsonl")) as server:
        page = open_page(browser, server)
        for position in range(20):
            assert "(no input)" in page.inner_text(".task")
            for key in "yn2":
                page.keyboard.press(key)
            page.wait_for_function(
                "n => document.querySelector('h1')"
                " || document.getElementById('progress').innerText.startsWith(`Item ${n} `)",
                arg=position + 2,
            )
        answers = {event["question"]: event["rating"] for event in server.events()}
        assert answers == {"valid_task": "yes", "appropriate_input": "no", "acceptable_output": "no"}
        assert len(server.events()) == 60


def test_disagreements_are_decided_afterwards(browser: Any, tmp_path: Path) -> None:
    predictions = write_systems(tmp_path, 3)
    with Server(tmp_path, predictions, raters="[ann,ben]") as server:
        pages = [open_page(browser, server, rater) for rater in ("ann", "ben")]
        for page in pages:
            for _ in range(6):
                is_odd_one = page is pages[1] and marked(page) == "Answer 1 of two."
                rate(page, "d" if is_odd_one else "b")
        assert server.stop() == 0
    with Server(tmp_path, predictions, raters="[ann,ben]", adjudicate="eve") as server:
        page = open_page(browser, server, "eve")
        assert "Item 1 of 1 · 0 decided" in page.inner_text("#progress")
        page.wait_for_function("() => document.getElementById('saved').innerText.includes('you decide')")
        assert page.locator(".given").inner_text().split() == ["Given:", "B", "D"]
        page.keyboard.press("c")
        page.wait_for_selector("h1")
        assert on_disk(server)["task-1", "hiddenname"] == "C"
        assert server.stop() == 0


@pytest.mark.soak
def test_nothing_is_lost_in_20_kills(browser: Any, tmp_path: Path) -> None:
    generator = random.Random(1)
    with Server(tmp_path, write_systems(tmp_path, 250)) as server:
        page = open_page(browser, server)
        pressed: dict[tuple[str, str], str] = {}
        killed = threading.Event()

        def kill_and_start() -> None:
            for _ in range(20):
                time.sleep(generator.uniform(0.05, 1.5))  # the page tries once a second: some get through
                server.kill()
                server.start()
            killed.set()

        thread = threading.Thread(target=kill_and_start)
        thread.start()
        try:
            while not page.locator("h1").count() and not (killed.is_set() and len(pressed) > 40):
                place, key = place_of(marked(page)), generator.choice("ABCD")
                rate(page, key)
                pressed[place] = key
        finally:
            thread.join()
        assert killed.is_set()
        assert on_disk(server) == pressed
        ids = [event["id"] for event in server.events()]
        assert len(ids) == len(set(ids)) == len(pressed)
