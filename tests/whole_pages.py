"""A page of all tasks or all answers, opened in a real browser."""

import re
from typing import Any


class Opened:
    """A page, and what its console said and which other addresses it asked for."""

    def __init__(self, browser: Any, url: str, width: int = 1280, **context: Any) -> None:
        self.page = browser.new_context(viewport={"width": width, "height": 800}, **context).new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        asked = url.partition("#")[0]
        self.page.on("request", lambda r: self.said.append(r.url) if r.url.split("#")[0] != asked else None)
        self.page.goto(url)
        self.form = self.page.locator("form:visible")
        self.status = self.page.locator("[role=status]:visible")

    def said_status(self, text: str) -> None:
        """Wait until the page says so."""
        self.status.filter(has_text=re.compile(text)).wait_for(timeout=5000)

    def shown(self) -> list[str]:
        return [str(text) for text in self.page.locator(".samples > li:visible").all_inner_texts()]

    def offers(self, label: str) -> list[str]:
        options = "select => [...select.options].map(option => option.text)"
        return list(self.form.get_by_label(label).evaluate(options))
