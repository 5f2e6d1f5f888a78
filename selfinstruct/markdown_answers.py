"""Chat models put the forms of the prompts into Markdown: here they become the plain forms again.

`9) ...`, `**9.** ...` and an indented `  9. ...` become `9. ...`; `**Output:** ...` and `### Example 1` lose
their asterisks and hashes. Text that has the plain forms already is left as it is.
"""

import re
from functools import lru_cache

from selfinstruct.markers import Markers

_PLAIN_NUMBER = re.compile(r"(\d+)\s?\. ")
_ANY_NUMBER = re.compile(
    r"[ \t]*(?P<bold>\*\*|__)?(?P<number>\d+)[ \t]?[.)](?P<closed>\*\*|__)?[ \t]+(?P<rest>.*)"
)


def plain_list(text: str, first_number: int) -> str:
    """An answer that continues a numbered list, with `10. ` wherever its next number stands otherwise.

    Only the number that is due opens an item (or, at the very beginning, any that the next one follows): a
    list inside an instruction has numbers of its own.
    """
    lines = text.split("\n")
    due = {first_number, first_number + 1}  # it may repeat the number that the prompt ends with
    for place, line in enumerate(lines):
        if plain := _PLAIN_NUMBER.match(line):
            due = {int(plain[1]) + 1}
            continue
        found = _ANY_NUMBER.match(line)
        if found is None:
            continue
        number = int(found["number"])
        if number in due or (_is_blank(lines[:place]) and _has_number(lines[place + 1 :], number + 1)):
            lines[place] = f"{number}. {_unwrapped(found)}"
            due = {number + 1}
    return "\n".join(lines)


def _is_blank(lines: list[str]) -> bool:
    return not any(line.strip() for line in lines)


def _has_number(lines: list[str], number: int) -> bool:
    return any(found and int(found["number"]) == number for found in map(_ANY_NUMBER.match, lines))


def _unwrapped(found: re.Match[str]) -> str:
    """The item's text, of which all may be bold together with its number."""
    rest = found["rest"]
    return rest.rstrip().removesuffix(found["bold"]) if found["bold"] and not found["closed"] else rest


def plain_markers(text: str, markers: Markers) -> str:
    """An answer to an instance prompt with its markers as the prompt has them."""
    if "**" not in text and "__" not in text and "#" not in text:
        return text
    anywhere, example, label, whole_line = _patterns(markers)
    text = anywhere.sub(r"\g<marker>:", text)
    text = example.sub(r"\g<marker>", text)
    text = label.sub(r"\g<marker>:", text)
    return whole_line.sub(r"\g<words>", text)


@lru_cache
def _patterns(markers: Markers) -> tuple[re.Pattern[str], ...]:
    field = "|".join(re.escape(word) for word in (markers.output, markers.input))
    label = f"{field}|{re.escape(markers.class_label)}"
    number, bold = r"(?:[ \t]?\d+)?", r"(?:\*\*|__)"
    colon = rf"(?::[ \t]*{bold}|{bold}[ \t]*:)"
    # One hash alone begins a comment in many a program.
    opened = rf"^[ \t]*(?:#{{2,6}}[ \t]+{bold}?|{bold})"
    return tuple(
        re.compile(pattern, re.MULTILINE)
        for pattern in (
            # **Output:** or **Output**: - the colon is part of it, and it is found inside a line as well.
            rf"{bold}(?P<marker>(?:{field}){number})[ \t]*{colon}",
            # **Example 1**, **Example 1:** or ### Example 1, alone on its line.
            rf"{opened}(?P<marker>{re.escape(markers.example)}{number})[ \t]*[.:)]?{bold}?[ \t]*:?[ \t]*$",
            # **Class label:** active; or **Output** alone on its line, its text below.
            rf"{opened}(?P<marker>(?:{label}){number})[ \t]*(?:{colon}|{bold}[ \t]*$)",
            # **Class label: active** or ### Class label: active, the whole line.
            rf"{opened}(?P<words>(?:{label}){number}[ \t]*:.*?){bold}?[ \t]*$",
        )
    )
