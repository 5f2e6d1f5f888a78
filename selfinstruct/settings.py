"""From Hydra's composed config to a plain dataclass, and from settings to a fingerprint."""

import difflib
import hashlib
import json
import types
import typing
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from selfinstruct.errors import UserError

REPOSITORY = Path(__file__).resolve().parents[1]

T = TypeVar("T")


def from_dict(cls: type[T], values: dict[str, Any], where: str = "") -> T:
    """Make a (nested) config dataclass out of plain values.

    Raises:
        UserError: a key that the dataclass lacks, a missing key, or a value of the wrong type, by its
            dotted name.
    """
    if not isinstance(values, dict):
        raise UserError(f"{where.removesuffix('.')}: {values!r} must be a group of settings")
    hints = typing.get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            listed = f"known here: {', '.join(known)}{did_you_mean(key, known)}"
            raise UserError(f"{where}{key}: no such setting; {listed}")
    arguments = {}
    for name, field in known.items():
        if name in values:
            arguments[name] = _convert(hints[name], values[name], f"{where}{name}")
            if name == "seed" and isinstance(values[name], int) and values[name] < 0:
                raise UserError(f"{where}seed: {values[name]} must be 0 or more")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise UserError(f"{where}{name} is missing; give it as {where}{name}=VALUE")
    return cls(**arguments)


def _convert(kind: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        options = typing.get_args(kind)
        if value is None and type(None) in options:
            return None
        return _first_that_fits([option for option in options if option is not type(None)], value, where)
    if is_dataclass(kind):
        return from_dict(typing.cast(type, kind), value, f"{where}.")
    if origin in (list, tuple):
        if not isinstance(value, (list, tuple)):
            raise UserError(f"{where}: {value!r} must be a list; write [{value}]")
        item = typing.get_args(kind)[0]
        return origin(_convert(item, entry, f"{where}[{i}]") for i, entry in enumerate(value))
    if origin is dict and not isinstance(value, dict):
        raise UserError(f"{where}: {value!r} must be a group of settings")
    if kind is Any or origin is dict:
        return value
    if kind is Path and isinstance(value, str):
        if not value.strip():  # an unset shell variable; Path("") would be the folder one stands in
            raise UserError(f"{where} is empty; give a path")
        return Path(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)  # a folder or model called 2024 arrives from YAML as a number
    if (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
        raise UserError(f"{where}: {value!r} must be a {_name(kind)}")
    return value


def _first_that_fits(options: list[Any], value: Any, where: str) -> Any:
    # Exact types first, so that a number given where text or number is allowed stays a number.
    for option in options:
        if typing.get_origin(option) is None and type(value) is option:
            return value
    error: UserError | None = None
    for option in options:
        try:
            return _convert(option, value, where)
        except UserError as failed:
            error = error or failed
    raise error or UserError(f"{where}: {value!r} is not allowed")


def _name(kind: Any) -> str:
    names = {int: "whole number", float: "number", bool: "true or false", str: "text", Path: "path"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean X?)` with the most similar of the known words; empty where none is similar."""
    found = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {found[0]}?)" if found else ""


def flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level of dotted keys, so that differences can be named."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def digest(value: Any) -> str:
    """sha256 (hex) of a JSON value, independent of the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """sha256 (hex) of a file's bytes.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def folder_digest(path: Path, patterns: tuple[str, ...]) -> str:
    """sha256 (hex) over names and bytes of a folder's files that match; names relative to the folder."""
    names = sorted({file for pattern in patterns for file in path.glob(pattern) if file.is_file()})
    return digest([[file.relative_to(path).as_posix(), file_digest(file)] for file in names])
