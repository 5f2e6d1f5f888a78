"""The report as one HTML page and as Markdown, from the templates beside this file.

Everything in the page is inside it: no request leaves it, its style and its script are allowed by their hash
alone, and all text is escaped.
"""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from eval.report.blocks import Figure, Report
from eval.report.figures import COLOURED
from eval.report.svg import inline_svg, width_of
from eval.report.verdicts import KINDS
from eval.tables import escape_markdown

TEMPLATES = Path(__file__).parent / "templates"
SHOWN_FIRST = 8  # samples of a list that stand there without its script
MARKDOWN_SAMPLES = 6


def html_page(report: Report, figures: Mapping[str, str]) -> str:
    """The whole page; `figures` holds the SVG text of each figure by its name."""
    environment = environment_of(autoescape=True)
    environment.finalize = _unbroken
    style = joined("page.css")
    script = joined("narrow.js", "page.js")

    def drawing(figure: Figure) -> Markup:
        prefix = figure.stem.replace("_", "-")
        return Markup(inline_svg(figures[figure.stem], prefix, figure.caption, not is_coloured(figure)))

    def is_coloured(figure: Figure) -> bool:
        return figure.stem.startswith(COLOURED)

    def drawing_class(figure: Figure) -> str:
        width = width_of(figures[figure.stem])
        size = "small" if width < 560 else "narrow" if width < 800 else "wide"
        return f"{size} coloured" if is_coloured(figure) else size

    return environment.get_template("page.html.j2").render(
        report=report,
        style=Markup(style),
        script=Markup(script),
        style_hash=hash_of(style),
        script_hash=hash_of(script),
        drawing=drawing,
        drawing_class=drawing_class,
        kind_class={kind: kind.replace(" ", "-") for kind in KINDS},
        shown_first=SHOWN_FIRST,
    )


def markdown_page(report: Report, images: str, prefix: str = "") -> str:
    """The report in Markdown; its figures are `<images>/<prefix><name>.png`."""
    environment = environment_of(autoescape=False)
    environment.filters["md"] = escape_markdown
    environment.filters["anchor"] = _anchor
    text = environment.get_template("page.md.j2").render(
        report=report, images=images, prefix=prefix, num_samples=MARKDOWN_SAMPLES
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def joined(*names: str) -> str:
    """The text of these templates, one after the other."""
    return "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)


def environment_of(autoescape: bool) -> Environment:
    """jinja2 over the templates beside this file; a name that is not there is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["table"] = lambda table: Markup(table.html())
    environment.filters["plural"] = lambda number, word: f"{number:,} {word}{'' if number == 1 else 's'}"
    return environment


def _unbroken(value: object) -> object:
    """A number and its per cent sign stay on one line."""
    return value.replace(" %", "\N{NO-BREAK SPACE}%") if type(value) is str else value


def hash_of(text: str) -> str:
    """What a page's policy calls a script or style of this text by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", html.unescape(title).lower()).replace(" ", "-")
