"""Tables and code in the Markdown of cards."""

import json
from collections.abc import Iterable, Sequence


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; numbers have separators of thousands."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def markdown_code(value: object) -> str:
    """A setting as it is, as code that can stand in a table's cell: no Markdown in it works."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{' '.join(text.replace('`', chr(39)).split())}`".replace("|", "\\|") if text.strip() else "-"
