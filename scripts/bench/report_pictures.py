"""Takes the pictures of the demo's report that the docs show: desktop and phone, light and dark.

python scripts/bench/report_pictures.py runs/demo/report/report.html   # needs chromium; writes docs/images/
"""

import argparse
import shutil
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from selfinstruct.settings import REPOSITORY

# Name, width, height, colours, and the part shown (the top where none is named) or the other page.
PICTURES = (
    ("report", 1280, 1000, "light", None),
    ("report_dark", 1280, 1000, "dark", "#controls"),
    ("report_phone", 390, 844, "light", None),
    ("report_phone_dark", 390, 844, "dark", "#scores"),
    ("tasks", 1280, 800, "light", "tasks.html#list=accepted&search=sentence+%22a+fruit%22"),
    ("answers", 1280, 900, "light", "answers.html#list=LittleWorld&left=3&right=6&where=left&sort=loss"),
)


def take(browser: Browser, page_file: Path, width: int, height: int, scheme: str, part: str | None) -> bytes:
    """A picture of a part of the page, as PNG of few colours."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    if part and not part.startswith("#"):
        page.goto(f"{page_file.parent.absolute().as_uri()}/{part}")
    else:
        page.goto(page_file.absolute().as_uri())
    if part and part.startswith("#"):
        page.evaluate(f"document.querySelector('{part}').scrollIntoView({{behavior: 'instant'}})")
    page.wait_for_timeout(300)
    picture = BytesIO()
    Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(128).save(picture, "PNG", optimize=True)
    return picture.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="the report.html of a demo run")
    page_file = parser.parse_args().report
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, width, height, scheme, part in PICTURES:
            picture = take(browser, page_file, width, height, scheme, part)
            (REPOSITORY / "docs" / "images" / f"{name}.png").write_bytes(picture)
        browser.close()


if __name__ == "__main__":
    main()
