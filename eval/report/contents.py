"""Where the paper's tables and figures stand in the report, or that nothing here makes them."""

from collections.abc import Collection

from eval.tables import Table

# (of the paper, the names that its tables and figures have here begin with, the section they stand in)
_PARTS = (
    ("Table 1: statistics of the data", "statistics", "The generated data"),
    ("Table 2: quality of the data", "quality", "The generated data"),
    ("table of the zero-shot evaluation on SuperNI", "superni", "Scores before and after tuning"),
    ("Table 4: query settings", "settings", "What differs from the paper"),
    ("figure of root verbs and their objects", "verb_objects", "The generated data"),
    ("figure of the nearest seeds", "nearest_seed", "The generated data"),
    ("figure of lengths", "lengths", "The generated data"),
    ("nearness of seeds to evaluation tasks (v2)", "overlap", "The generated data"),
    ("figure of the human evaluation", "ratings", "User-oriented tasks and human evaluation"),
    ("agreement of raters (v2)", "ratings", "User-oriented tasks and human evaluation"),
    ("figure of data size (v2)", "curve", "Data size and data quality"),
    ("examples of generated tasks", "tasks", "Look at the data"),
    ("cost (v2)", "usage", "Cost, time and training"),
)


def contents_table(names: Collection[str]) -> Table:
    """The paper's tables and figures; `names` are those of all tables, figures and lists of the report."""
    rows = []
    for label, begin, section in _PARTS:
        is_here = any(name.startswith(begin) for name in names)
        rows.append((label, section if is_here else "not here: no run holds what it needs"))
    return Table("The paper's tables and figures", ("of the paper", "in this report"), tuple(rows))
