"""docs/troubleshooting.md quotes messages that exist: what does not vary in them stands in the source."""

import ast
import re
from functools import cache

import pytest
from doc_commands import ROOT, read

PAGE = "docs/troubleshooting.md"
SOURCES = ("selfinstruct", "finetune", "eval", "scripts")
LEAST = 8  # characters: a shorter piece says nothing


@cache
def said() -> str:
    """The text of the source's strings, a line each, what varies as `...`."""
    texts = []
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.JoinedStr):
                    parts = [v.value if isinstance(v, ast.Constant) else "..." for v in node.values]
                    texts.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(node.value)
    return "\n".join(" ".join(text.split()) for text in texts)


def quoted() -> list[str]:
    """The messages of the page: inline code in the first column of its tables, but of the last section."""
    text = read(PAGE).partition("## Not from here")[0]
    cells = re.findall(r"^\| (.*?) \| ", text, re.M)
    return [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


def pieces(message: str) -> list[str]:
    """What is fixed in a message: reason and advice are often strings of their own, joined by a semicolon."""
    parts = [part.strip(" ():;,") for part in re.split(r"\.\.\.|; ", message)]
    return [part for part in parts if len(part) >= LEAST]


@pytest.mark.parametrize("message", quoted())
def test_a_quoted_message_is_what_the_code_says(message: str) -> None:
    missing = [piece for piece in pieces(message) if piece not in said()]
    assert missing == []
    assert pieces(message) or message in FORMS


# Messages of which next to nothing is fixed, with what the source says.
FORMS = {
    "...: was ..., is now ...": "...: was ..., is now ...",
    "...: Definition: ...": "Definition",
    "...: ... to mend": "to mend",
    "...: id: missing (...)": "id: missing (...)",
}


@pytest.mark.parametrize("form", FORMS.values())
def test_the_short_ones_too(form: str) -> None:
    assert form in said()


def test_there_are_many() -> None:
    assert len(quoted()) > 80
