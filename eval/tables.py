"""Tables of values with intervals, as Markdown, LaTeX (booktabs), CSV and HTML; all text in them is escaped.

python scripts/eval_superni.py run_dir=runs/eval   # writes table.md, table.tex and table.csv
"""

import csv
import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.intervals import Interval, PairedDifference
from selfinstruct.jsonl import replace_text

Cell = str | int | float | Interval | PairedDifference | None

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_\[\]|~#$])")
_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",  # behind a row's end it would begin an optional argument
    "]": "{]}",
    **{character: f"\\{character}" for character in "{}$&#_%"},
}

_LATEX_TEXT = r"p{0.14\linewidth}"


@dataclass(frozen=True)
class Table:
    """A title, columns, rows of cells and notes; a note says in one line under what setting values stand.

    `texts` names the columns that hold whole sentences: on the left, and in LaTeX broken into lines.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: a row of {len(row)} cells under {len(self.columns)} columns")

    def markdown(self) -> str:
        """A heading, the notes, and the table with its columns aligned."""
        head = [escape_markdown(column) for column in self.columns]
        body = [[_shown(cell, escape_markdown) for cell in row] for row in self.rows]
        widths = [max(3, *(len(row[i]) for row in [head, *body])) for i in range(len(head))]
        on_left = [i == 0 or column in self.texts for i, column in enumerate(self.columns)]
        rule = [
            "-" * width if left else "-" * (width - 1) + ":"
            for width, left in zip(widths, on_left, strict=True)
        ]
        lines = [f"**{escape_markdown(self.title)}**", ""]
        for note in self.notes:
            lines += [escape_markdown(note), ""]
        for row in (head, rule, *body):
            cells = zip(row, widths, on_left, strict=True)
            padded = [text.ljust(width) if left else text.rjust(width) for text, width, left in cells]
            lines.append(f"| {' | '.join(padded)} |")
        return "\n".join(lines) + "\n"

    def latex(self) -> str:
        """A `table` environment in booktabs style, title and notes in its caption."""
        caption = " ".join(escape_latex(text.rstrip(".")) + "." for text in (self.title, *self.notes))
        rows = [" & ".join(_shown(cell, escape_latex) for cell in row) + r" \\" for row in self.rows]
        kinds = "l" + "".join(_LATEX_TEXT if each in self.texts else "r" for each in self.columns[1:])
        return "\n".join(
            [
                r"\begin{table}",
                r"\centering",
                rf"\caption{{{caption}}}",
                *([r"\footnotesize"] if self.texts else []),
                rf"\begin{{tabular}}{{{kinds}}}",
                r"\toprule",
                " & ".join(escape_latex(column) for column in self.columns) + r" \\",
                r"\midrule",
                *rows,
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{table}",
                "",
            ]
        )

    def html(self) -> str:
        """A `table` element with title and notes in its caption; columns with words have the class `text`."""
        caption = f"<strong>{escape_html(self.title)}</strong>"
        caption += "".join(f"<span>{escape_html(note)}</span>" for note in self.notes)
        are_words = [any(_is_words(row[i]) for row in self.rows) for i in range(len(self.columns))]
        marks = [' class="text"' if is_words else "" for is_words in are_words]
        head = "".join(
            f'<th scope="col"{mark}>{escape_html(column)}</th>'
            for column, mark in zip(self.columns, marks, strict=True)
        )
        rows = [
            f'<tr><th scope="row">{_shown_html(row[0])}</th>'
            + "".join(
                f"<td{mark}>{_shown_html(cell)}</td>" for cell, mark in zip(row[1:], marks[1:], strict=True)
            )
            + "</tr>"
            for row in self.rows
        ]
        return "\n".join(
            [
                "<table>",
                f"<caption>{caption}</caption>",
                f"<thead><tr>{head}</tr></thead>",
                "<tbody>",
                *rows,
                "</tbody>",
                "</table>",
                "",
            ]
        )

    def csv_rows(self) -> list[list[str]]:
        """Header and rows; an interval takes three columns, title and notes stand in every row."""
        spread = [
            any(isinstance(row[i], Interval | PairedDifference) for row in self.rows)
            for i in range(len(self.columns))
        ]
        head = ["table"]
        for column, is_interval in zip(self.columns, spread, strict=True):
            head += [column, f"{column} low", f"{column} high"] if is_interval else [column]
        rows = [[_csv_text(text) for text in [*head, "notes"]]]
        for row in self.rows:
            cells = [_csv_text(self.title)]
            for cell, is_interval in zip(row, spread, strict=True):
                cells += _csv_cells(cell, 3 if is_interval else 1)
            rows.append([*cells, _csv_text(" ".join(self.notes))])
        return rows


def write_tables(folder: Path, tables: Sequence[Table], stem: str = "table") -> None:
    """Write `<stem>.md`, `<stem>.tex` and `<stem>.csv`, each whole or not at all.

    In the CSV, tables with the same columns share one header; another header follows a blank line.
    """
    replace_text(folder / f"{stem}.md", "\n".join(table.markdown() for table in tables))
    packages = "% \\usepackage{booktabs}\n"
    replace_text(folder / f"{stem}.tex", packages + "\n".join(table.latex() for table in tables))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header: list[str] | None = None
    for table in tables:
        first, *rest = table.csv_rows()
        if first != header:
            if header is not None:
                text.write("\n")
            writer.writerow(first)
        header = first
        writer.writerows(rest)
    replace_text(folder / f"{stem}.csv", text.getvalue())


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is: on one line, no markup, no HTML."""
    text = _CONTROL.sub(" ", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN_SPECIAL.sub(r"\\\1", text)


def escape_latex(text: str) -> str:
    """Text that LaTeX sets as it is, on one line."""
    return "".join(_LATEX_SPECIAL.get(character, character) for character in _CONTROL.sub(" ", text))


def escape_html(text: str) -> str:
    """Text that HTML shows as it is, on one line."""
    return html.escape(_CONTROL.sub(" ", text))


def _is_words(cell: Cell) -> bool:
    return isinstance(cell, str) and not cell[:1].isdigit() and cell[:1] not in ("+", "-", "<", "")


def _shown_html(cell: Cell) -> str:
    match cell:
        case Interval() | PairedDifference():
            value, _, interval = _shown(cell, escape_html).partition(" ")
            return f'{value} <span class="interval">{interval}</span>'
        case None:
            return '<span class="none">–</span>'
        case int():
            return f"{cell:,}"
        case _:
            return _shown(cell, escape_html)


def _shown(cell: Cell, escape: Callable[[str], str]) -> str:
    match cell:
        case None:
            return "-"
        case Interval():
            return f"{cell.value:.1f} [{cell.low:.1f}, {cell.high:.1f}]"
        case PairedDifference(difference=found):
            return f"{found.value:+.1f} [{found.low:+.1f}, {found.high:+.1f}]"
        case float():
            return f"{cell:.1f}"
        case _:
            return escape(str(cell))


def _csv_cells(cell: Cell, width: int) -> list[str]:
    match cell:
        case None:
            cells = [""]
        case Interval():
            cells = [f"{number:.4f}" for number in (cell.value, cell.low, cell.high)]
        case PairedDifference():
            return _csv_cells(cell.difference, width)
        case float():
            cells = [f"{cell:.4f}"]
        case int():
            cells = [str(cell)]
        case _:
            cells = [_csv_text(cell)]
    return cells + [""] * (width - len(cells))


def _csv_text(text: str) -> str:
    # A spreadsheet would run a text that begins like a formula.
    text = _CONTROL.sub(" ", text)
    return f"'{text}" if text[:1] in tuple("=+-@") else text


def systems_by_category_table(
    systems: Mapping[str, Mapping[str, Any]], title: str, metric: str = "rougeL", notes: Sequence[str] = ()
) -> Table:
    """One row a category, one column a system (name -> its metrics.json).

    The title names the benchmark, and how much of it was scored where that is not all.
    """
    rows: list[tuple[Cell, ...]] = []
    for key in sorted({key for metrics in systems.values() for key in metrics["categories"]}):
        groups = [metrics["categories"].get(key, {}) for metrics in systems.values()]
        found = next(group for group in groups if group)
        cells = [Interval.of(group[metric]) if group else None for group in groups]
        rows.append((key.replace("_", " "), found["num_tasks"], found["n"], *cells))
    labels = dict.fromkeys(metrics["benchmark"]["label"] for metrics in systems.values())
    columns = ("category", "tasks", "instances", *systems)
    return Table(f"{title} ({' / '.join(labels)})", columns, tuple(rows), tuple(notes))


def comparison_table(
    comparisons: Sequence[Mapping[str, Any]], title: str, counted: str, notes: Sequence[str] = ()
) -> Table:
    """One row a comparison: the second system minus the first, and the tasks it won, lost and tied.

    Args:
        comparisons: as metrics.json holds them: `first, second, metric, n, value, low, high, tasks_won...`.
        counted: what `n` counts, the head of its column.
    """
    rows: list[tuple[Cell, ...]] = []
    for each in comparisons:
        counts = (each["tasks_won"], each["tasks_lost"], each["tasks_tied"])
        paired = PairedDifference(Interval.of(each), *counts)
        name = f"{each['second']} minus {each['first']}, {each['metric']}"
        rows.append((name, each["n"], paired, *counts))
    return Table(title, ("", counted, "difference", "won", "lost", "tied"), tuple(rows), tuple(notes))
