"""Behaviour of the step from composed config to dataclass, and of fingerprints."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from selfinstruct.errors import UserError
from selfinstruct.settings import digest, flatten, folder_digest, from_dict


@dataclass
class Inner:
    threshold: float
    name: str | None = None


@dataclass
class Outer:
    run_dir: Path
    inner: Inner
    stages: list[str] = field(default_factory=list)
    count: int = 1
    on: bool = False


GOOD = {"run_dir": "a", "inner": {"threshold": 1}}


def test_nested_values_become_dataclasses_of_the_declared_types() -> None:
    assert from_dict(Outer, GOOD) == Outer(Path("a"), Inner(1.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"inner": {"threshold": 1, "treshold": 2}},
            r"inner\.treshold: no such setting; known here: thr",
        ),
        ({"inner": {}}, r"inner\.threshold is missing"),
        ({"inner": 3}, r"inner: 3 must be a group"),
        ({"count": "x"}, r"count: 'x' must be a whole number"),
        ({"count": True}, r"count: True must be a whole number"),
        ({"count": 1.5}, r"count: 1\.5 must be a whole number"),
        ({"on": 1}, r"on: 1 must be a true or false"),
        ({"stages": "a"}, r"stages: 'a' must be a list; write \[a\]"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        from_dict(Outer, GOOD | change)


def test_a_number_where_text_is_meant_becomes_text() -> None:
    assert from_dict(Inner, {"threshold": 0.5, "name": 2024}).name == "2024"


def test_settings_flatten_to_dotted_keys() -> None:
    assert flatten({"a": {"b": 1, "c": {}}, "d": [1]}) == {"a.b": 1, "a.c": {}, "d": [1]}


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})


def test_a_folder_digest_depends_on_names_and_bytes_not_on_the_place(tmp_path: Path) -> None:
    for folder, text in (("one", "x"), ("two", "x"), ("three", "y")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.json").write_text(text)
    one, two, three = (folder_digest(tmp_path / name, ("*.json",)) for name in ("one", "two", "three"))
    assert one == two != three
