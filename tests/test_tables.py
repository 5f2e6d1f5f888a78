"""Tables as Markdown, LaTeX and CSV: their cells, and texts that try to break out of them."""

import csv
import io
from pathlib import Path

import pytest

from eval.intervals import Interval, PairedDifference
from eval.tables import Table, escape_latex, escape_markdown, systems_by_category_table, write_tables

NASTY = 'a|b_c & 50% $x$ #1 \\cmd{y} ~ ^ <script> "q" [l](u) `c`\nnext\u2028line'
INTERVAL = Interval(39.91, 38.02, 41.79)


def small() -> Table:
    rows = (("GPT-3", 100, INTERVAL), ("T0 | 11B", 2, None))
    return Table("Systems (partial, 1 of 119 tasks)", ("system", "instances", "ROUGE-L"), rows, ("Greedy.",))


def test_markdown_shows_title_notes_and_aligned_columns() -> None:
    assert small().markdown() == (
        "**Systems (partial, 1 of 119 tasks)**\n"
        "\n"
        "Greedy.\n"
        "\n"
        "| system    | instances |           ROUGE-L |\n"
        "| --------- | --------: | ----------------: |\n"
        "| GPT-3     |       100 | 39.9 [38.0, 41.8] |\n"
        "| T0 \\| 11B |         2 |                 - |\n"
    )


def test_latex_is_a_booktabs_table_with_title_and_notes_in_its_caption() -> None:
    text = small().latex()
    assert r"\caption{Systems (partial, 1 of 119 tasks). Greedy.}" in text
    assert "\\begin{tabular}{lrr}\n\\toprule\nsystem & instances & ROUGE-L \\\\\n\\midrule\n" in text
    assert "GPT-3 & 100 & 39.9 [38.0, 41.8] \\\\\n" in text
    assert text.index(r"\midrule") < text.index("GPT-3") < text.index(r"\bottomrule")


def test_csv_holds_4_decimals_an_interval_in_three_columns_and_the_notes_in_each_row() -> None:
    rows = small().csv_rows()
    head = ["table", "system", "instances", "ROUGE-L", "ROUGE-L low", "ROUGE-L high", "notes"]
    title = "Systems (partial, 1 of 119 tasks)"
    assert rows[0] == head
    assert rows[1] == [title, "GPT-3", "100", "39.9100", "38.0200", "41.7900", "Greedy."]
    assert rows[2] == [title, "T0 | 11B", "2", "", "", "", "Greedy."]


def test_a_difference_shows_its_sign() -> None:
    found = PairedDifference(Interval(3.04, -1.0, 7.0), 3, 1, 0)
    table = Table("t", ("pair", "difference"), (("b - a", found),))
    assert "+3.0 [-1.0, +7.0]" in table.markdown()
    assert table.csv_rows()[1][2:5] == ["3.0400", "-1.0000", "7.0000"]


def test_markdown_text_cannot_leave_its_cell() -> None:
    escaped = escape_markdown(NASTY)
    assert escaped == (
        'a\\|b\\_c &amp; 50% \\$x\\$ \\#1 \\\\cmd{y} \\~ ^ &lt;script&gt; "q" \\[l\\](u) \\`c\\` next line'
    )
    row = Table("t", ("system",), ((NASTY,),)).markdown().splitlines()[-1]
    assert row == f"| {escaped} |"


def test_latex_text_cannot_leave_its_cell() -> None:
    assert escape_latex(NASTY) == (
        r"a\textbar{}b\_c \& 50\% \$x\$ \#1 \textbackslash{}cmd\{y\} \textasciitilde{} \textasciicircum{} "
        r"\textless{}script\textgreater{} \textquotedbl{}q\textquotedbl{} {[}l{]}(u) `c` next line"
    )


def test_titles_columns_and_notes_are_escaped_too() -> None:
    table = Table("a_b", ("c|d",), (), ("e_f",))
    assert "**a\\_b**" in table.markdown()
    assert "| c\\|d |" in table.markdown()
    assert r"\caption{a\_b. e\_f.}" in table.latex()
    assert r"c\textbar{}d \\" in table.latex()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@sum"])
def test_a_csv_text_is_no_formula_for_a_spreadsheet(text: str) -> None:
    assert Table("t", ("system",), ((text,),)).csv_rows()[1][1] == f"'{text}"


def test_a_negative_number_in_csv_stays_a_number() -> None:
    assert Table("t", ("x",), ((-1.5,),)).csv_rows()[1][1] == "-1.5000"


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells under 2 columns"):
        Table("t", ("a", "b"), (("x",),))


def test_tables_with_the_same_columns_share_one_csv_header(tmp_path: Path) -> None:
    other = Table("Other", ("x",), (("a, b",),))
    write_tables(tmp_path, [small(), small(), other])
    text = (tmp_path / "table.csv").read_text(encoding="utf-8")
    first, second = text.split("\n\n")
    assert [row[0] for row in csv.reader(io.StringIO(first))] == ["table"] + [small().title] * 4
    assert list(csv.reader(io.StringIO(second)))[1][1] == "a, b"
    assert (tmp_path / "table.tex").read_text(encoding="utf-8").count(r"\begin{tabular}") == 3


def test_categories_stand_in_rows_and_systems_in_columns_under_the_benchmarks_label() -> None:
    group = {"rougeL": {"value": 1.0, "low": 0.0, "high": 2.0}, "n": 4, "num_tasks": 2}
    benchmark = {"label": "SuperNI (partial, 2 of 119 tasks)"}
    systems = {
        "first": {"categories": {"word_analogy": group, "data_to_text": group}, "benchmark": benchmark},
        "second": {"categories": {"word_analogy": group}, "benchmark": benchmark},
    }
    table = systems_by_category_table(systems, "ROUGE-L by category")
    assert table.title == "ROUGE-L by category (SuperNI (partial, 2 of 119 tasks))"
    assert table.columns == ("category", "tasks", "instances", "first", "second")
    assert table.rows == (
        ("data to text", 2, 4, Interval(1.0, 0.0, 2.0), None),
        ("word analogy", 2, 4, Interval(1.0, 0.0, 2.0), Interval(1.0, 0.0, 2.0)),
    )
