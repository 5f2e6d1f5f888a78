"""All tasks of a run as one HTML page beside the report: every accepted one and every rejected text.

The page asks for nothing from outside, and its texts are data that its script shows as text: nothing in them
can run. It draws only what is seen, so that tens of thousands of tasks stay quick.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from eval.report.blocks import Browser, Sample
from eval.report.chains import Run
from eval.report.page import environment_of, hash_of, joined
from eval.report.samples import mixed, rejected_browser, task_browser

_ROWS_A_PART = 4000  # the page reads a part at a time, and shows the first before it has read the second


def page_name(run: Run, runs: Sequence[Run]) -> str:
    """The page's file name; of several runs, each has its own."""
    return "tasks.html" if len(runs) == 1 else f"tasks_{run.slug}.html"


def task_page(run: Run) -> str | None:
    """The page; None where the run generated nothing."""
    lists = [browser for browser in (task_browser(run), rejected_browser(run)) if browser]
    if not lists:
        return None
    style, script = joined("page.css", "tasks.css"), joined("narrow.js", "tasks.js")
    return (
        environment_of(autoescape=True)
        .get_template("tasks.html.j2")
        .render(
            run=run,
            lists=lists,
            parts={browser.of: _parts(browser) for browser in lists},
            style=Markup(style),
            script=Markup(script),
            style_hash=hash_of(style),
            script_hash=hash_of(script),
        )
    )


def _parts(browser: Browser) -> Iterator[Markup]:
    """The list in parts, as JSON that can stand inside a script element."""
    rows = [_row(sample) for sample in mixed(browser.samples)]  # type: ignore[arg-type]
    for start in range(0, len(rows), _ROWS_A_PART):
        text = json.dumps(rows[start : start + _ROWS_A_PART], ensure_ascii=False, separators=(",", ":"))
        # Without "<" there is neither an end tag nor a comment in it.
        yield Markup(text.replace("<", "\\u003c"))


def _row(sample: Sample) -> list[Any]:
    """What `tasks.js` reads: a neighbour that has an entry of its own is named, not repeated."""
    text, score = sample.nearest or ("", None)
    near = [sample.nearest_id, "" if sample.nearest_id else text, score]
    return [
        sample.id,
        sample.place,
        sample.text,
        sample.facets,
        sample.flags,
        sample.why,
        sample.instances,
        near,
    ]
