"""Parts of a YAML file that know where they stand, so that an error can name the key."""

from collections.abc import Mapping
from typing import Any

from selfinstruct.errors import UserError


class Node:
    """A mapping of the file and where it stands; reading a key that is wrong raises a UserError naming it."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise UserError(f"{where}: is {_shown(value)}; it must be a mapping of keys")
        self._value = value
        self.where = where

    def only(self, *keys: str) -> None:
        """Refuse any other key."""
        for key in self._value:
            if key not in keys:
                raise UserError(f"{self.where}.{key}: no such key; known are {', '.join(keys)}")

    def at(self, key: str) -> "Node":
        """The mapping below a key."""
        return Node(self._get(key), f"{self.where}.{key}")

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._value

    def texts(self, key: str) -> list[str]:
        """A list of texts, none of them empty."""
        value = self._get(key)
        if not isinstance(value, list | tuple) or not all(isinstance(text, str) and text for text in value):
            raise UserError(f"{self.where}.{key}: is {_shown(value)}; it must be a list of texts")
        return list(value)

    def nodes(self, key: str) -> "list[Node]":
        """A list of mappings."""
        value = self._get(key)
        if not isinstance(value, list | tuple):
            raise UserError(f"{self.where}.{key}: is {_shown(value)}; it must be a list")
        return [Node(item, f"{self.where}.{key}[{position}]") for position, item in enumerate(value)]

    def text(self, key: str, may_be_empty: bool = False) -> str:
        """A text, without the line breaks at its ends."""
        value = self._get(key)
        if not isinstance(value, str):
            raise UserError(f"{self.where}.{key}: is {_shown(value)}; it must be text (put it in quotes)")
        # Line breaks at either end come from YAML block scalars and would break the prompt's form.
        if not (value := value.strip("\n")) and not may_be_empty:
            raise UserError(f"{self.where}.{key}: is empty; write its text")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise UserError(f"{self.where}.{key}: is {_shown(value)}; it must be true or false")
        return value

    def _get(self, key: str) -> Any:
        if key not in self._value:
            raise UserError(f"{self.where}.{key}: is missing")
        return self._value[key]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
