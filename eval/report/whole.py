"""All tasks of a run, and all answers of its systems, as HTML pages beside the report, which shows a sample.

Such a page asks for nothing from outside, and its texts are data that its script shows as text: nothing in
them can run. It draws only what is seen, so that tens of thousands of entries stay quick.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from eval.report.answers import answer_browsers
from eval.report.blocks import Answers, Browser, Sample
from eval.report.chains import Run
from eval.report.page import environment_of, hash_of, joined
from eval.report.samples import mixed, rejected_browser, task_browser

ANSWERS = "answers.html"
_ROWS_A_PART = 4000  # the page reads a part at a time, and shows the first before it has read the second
_PARTS_OF_TASKS = (
    ("text", "the instruction or text"),
    ("pairs", "inputs and outputs"),
    ("near", "the nearest text"),
)
_PARTS_OF_ANSWERS = (
    ("text", "the prompt"),
    ("right", "the right answers"),
    ("shown", "the two answers shown"),
)


def page_name(run: Run, runs: Sequence[Run]) -> str:
    """The file name of a run's tasks; of several runs, each has its own."""
    return "tasks.html" if len(runs) == 1 else f"tasks_{run.slug}.html"


@dataclass(frozen=True)
class Lists:
    """All that can be browsed: tasks and rejected texts of each run, by its slug, and all answers."""

    tasks: Mapping[str, Sequence[Browser]]
    answers: Sequence[Browser]


def read_lists(runs: Sequence[Run]) -> Lists:
    """Read once, for the pages of all and for the report's samples of them."""
    tasks = {}
    for run in runs:
        tasks[run.slug] = [browser for browser in (task_browser(run), rejected_browser(run)) if browser]
    return Lists(tasks, answer_browsers(runs))


def task_page(run: Run, lists: Sequence[Browser]) -> str | None:
    """The page of every accepted task and every rejected text; None where the run generated nothing."""
    lead = "Every instruction that was written in this run, and every text not kept. What they were good for:"
    labels = {browser.of: browser.of.capitalize() for browser in lists}
    return _page(f"All tasks of {run.name}", lead, lists, labels, _PARTS_OF_TASKS, "tasks.js")


def answer_page(runs: Sequence[Run], lists: Sequence[Browser]) -> str | None:
    """The page of every prompt, with what any two systems answered; None where nothing was predicted."""
    title = f"All answers of {' and '.join(run.name for run in runs)}"
    lead = "Every prompt, the right answer where it is known, and what any two systems answered. The scores:"
    labels = {browser.of: _label(browser.title) for browser in lists}
    return _page(title, lead, lists, labels, _PARTS_OF_ANSWERS, "answers.js")


def _label(title: str) -> str:
    """What a title says after the name of its run or kind."""
    name = title.split(": ")[-1]
    return name[:1].upper() + name[1:]


def _page(
    title: str,
    lead: str,
    lists: Sequence[Browser],
    labels: Mapping[str, str],
    scopes: Sequence[tuple[str, str]],
    kind: str,
) -> str | None:
    if not lists:
        return None
    style, script = joined("page.css", "whole.css"), joined("narrow.js", kind, "whole.js")
    return (
        environment_of(autoescape=True)
        .get_template("whole.html.j2")
        .render(
            title=title,
            lead=lead,
            lists=lists,
            labels=labels,
            scopes=scopes,
            parts={browser.of: _parts(browser) for browser in lists},
            style=Markup(style),
            script=Markup(script),
            style_hash=hash_of(style),
            script_hash=hash_of(script),
        )
    )


def _parts(browser: Browser) -> Iterator[Markup]:
    """The list in parts, as JSON that can stand inside a script element."""
    samples = browser.samples if browser.systems else mixed(browser.samples)  # type: ignore[arg-type]
    rows = [_answers_row(each) if isinstance(each, Answers) else _row(each) for each in samples]
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


def _answers_row(sample: Answers) -> list[Any]:
    """What `answers.js` reads."""
    return [
        sample.id,
        sample.place,
        sample.text,
        sample.facets,
        sample.references,
        sample.answers,
        sample.prompts,
    ]
