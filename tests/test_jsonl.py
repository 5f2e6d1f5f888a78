"""Behaviour of the project's JSON Lines files."""

from pathlib import Path

import pytest

from selfinstruct import jsonl
from selfinstruct.errors import UserError


def test_a_torn_last_line_is_cut_off_when_writing_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2')
    with jsonl.Appender(path) as out:
        out.write({"a": 3})
    assert path.read_bytes() == b'{"a": 1}\n{"a": 3}\n'


def test_a_file_that_is_one_torn_line_becomes_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1')
    jsonl.Appender(path).close()
    assert path.read_bytes() == b""


def test_a_torn_line_longer_than_a_block_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n' + b"x" * 200_000)
    jsonl.Appender(path).close()
    assert path.read_bytes() == b'{"a": 1}\n'


def test_lines_end_at_newline_only(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    records = [{"text": "one\u2028two\u0085three\x1cfour"}, {"text": "next"}]
    jsonl.replace(path, records)
    assert jsonl.read(path) == records


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b'{"a": ', "not valid JSON"), (b"[1]", "a list instead of"), (b'{"a": "\xff"}', "not valid JSON")],
)
def test_a_bad_line_is_named_by_file_and_line(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n\n' + line + b"\n")
    with pytest.raises(UserError, match=reason) as raised:
        jsonl.read(path)
    assert str(raised.value).startswith(f"{path}:3: ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.jsonl: cannot be read"):
        jsonl.read(tmp_path / "none.jsonl")


def test_a_byte_order_mark_does_not_hurt(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n')
    assert jsonl.read(path) == [{"a": 1}]


def test_replace_leaves_no_other_file(tmp_path: Path) -> None:
    jsonl.replace_json(tmp_path / "m.json", {"a": 1})
    assert [file.name for file in tmp_path.iterdir()] == ["m.json"]
