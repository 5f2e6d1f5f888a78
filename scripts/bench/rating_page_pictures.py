"""Takes the pictures of the rating page that the docs show, and draws the figure from made-up ratings.

python scripts/bench/rating_page_pictures.py   # needs chromium; writes docs/images/
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from selfinstruct import jsonl
from selfinstruct.settings import REPOSITORY

IMAGES = REPOSITORY / "docs/images"
TASKS = [
    {
        "instruction": "Write a Python function that returns the words of a text in reverse, and a call.",
        "input": "",
        "target": "```python\ndef backwards(text):\n    return ' '.join(reversed(text.split()))\n```",
        "first": "Here is a function:\n\n```python\ndef backwards(text: str) -> str:\n"
        '    """The words of a text, last first."""\n    return " ".join(text.split()[::-1])\n\n'
        'print(backwards("one two three"))  # three two one\n```\n\n'
        "1. `split()` cuts at white space;\n2. `[::-1]` turns the list round;\n3. `join` puts it together.",
        "second": "def backwards(text):\n    return text[::-1]\n\nbackwards('one two three')",
    },
    {
        "instruction": "Make a table of the cities with their country and whether they lie at the sea.",
        "input": "Lisbon, Vienna, Oslo",
        "target": "| City | Country | At the sea |\n|---|---|---|\n| Lisbon | Portugal | yes |",
        "first": "| City | Country | At the sea |\n|---|---|---|\n| Lisbon | Portugal | yes |\n"
        "| Vienna | Austria | no |\n| Oslo | Norway | yes |",
        "second": "Lisbon is a city. Vienna is a city. Oslo is a city.",
    },
]
SHARES = {"vanilla": (4, 14, 28, 54), "public data": (24, 26, 27, 23), "self-instruct": (44, 28, 17, 11)}


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for system in ("first", "second"):
            lines = [
                {"id": str(n), **{key: task[key] for key in ("instruction", "input", "target")}}
                | {"response": task[system]}
                for n, task in enumerate(TASKS)
            ]
            jsonl.replace(folder / f"{system}.jsonl", lines)
        page_pictures(folder)
        figure(folder)
    for path in sorted(IMAGES.glob("rat*.png")):
        print(f"{path.relative_to(REPOSITORY)}: {path.stat().st_size // 1000} kB")


def page_pictures(folder: Path) -> None:
    files = f"predictions=[{folder}/first.jsonl,{folder}/second.jsonl]"
    words = ["scripts/annotate.py", f"run_dir={folder}/run", files, "repeats=0", "port=0"]
    server = subprocess.Popen(
        [sys.executable, *words], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert server.stdout is not None
        address = next(found for line in server.stdout if (found := re.search(r"http://\S+", line))).group()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = opened(browser, address, width=1280, height=760)
            go_to(page, "Python")
            page.keyboard.press("a")
            time.sleep(0.5)
            page.screenshot(path=IMAGES / "rating_page.png")
            page.keyboard.press("r")
            time.sleep(0.5)
            page.locator("#rubric").screenshot(path=IMAGES / "rating_rubric.png")
            phone = opened(browser, address, width=390, height=760, color_scheme="dark", is_mobile=True)
            go_to(phone, "cities")
            phone.screenshot(path=IMAGES / "rating_phone.png")
            browser.close()
    finally:
        server.terminate()
        server.wait()


def opened(browser: Browser, address: str, width: int, height: int, **more: Any) -> Page:
    page = browser.new_context(viewport={"width": width, "height": height}, **more).new_page()
    page.goto(address)
    page.wait_for_selector(".slot")
    return page


def go_to(page: Page, word: str) -> None:
    for key in ("ArrowRight", "ArrowLeft", "ArrowLeft"):
        if word in page.inner_text(".task"):
            return
        page.keyboard.press(key)
        time.sleep(0.3)


def figure(folder: Path) -> None:
    generator = Random(1)
    lines = [
        {"rater": "ann", "item": str(item), "system": system, "rating": level, "note": "", "time": ""}
        for system, shares in SHARES.items()
        for item, level in enumerate(generator.choices("ABCD", shares, k=252))
    ]
    jsonl.replace(folder / "ratings.jsonl", lines)
    words = ["scripts/report_ratings.py", f"ratings={folder}/ratings.jsonl", f"run_dir={folder}/report"]
    subprocess.run([sys.executable, *words], cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    shutil.copyfile(folder / "report/ratings.png", IMAGES / "ratings_made_up.png")


if __name__ == "__main__":
    main()
