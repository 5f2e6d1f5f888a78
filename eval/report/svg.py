"""matplotlib's SVG made fit to stand inside a page: nothing in it can run, and it follows light and dark.

What is not known to be drawing is left out; style attributes become attributes, so that a page whose policy
allows no inline style shows them; ids get a prefix of their own; black, white and our blue become the page's.
Letters on a coloured ground (a group whose id begins with `inside`) keep their colour, black or white.
"""

import re
from collections.abc import Mapping
from xml.etree import ElementTree

from selfinstruct.errors import UserError

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_ELEMENTS = {
    "svg",
    "g",
    "defs",
    "clipPath",
    "path",
    "rect",
    "use",
    "circle",
    "ellipse",
    "line",
    "polygon",
    "polyline",
}
_ATTRIBUTES = {
    *("d", "transform", "x", "y", "width", "height", "cx", "cy", "r", "rx", "ry", "x1", "x2", "y1", "y2"),
    *("points", "clip-path", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity"),
    *(
        "stroke-linejoin",
        "stroke-linecap",
        "stroke-dasharray",
        "stroke-dashoffset",
        "stroke-miterlimit",
        "opacity",
    ),
    *("id", "viewBox", "clip-rule"),
}
_PAGE_COLOURS = {
    "#000000": "currentColor",
    "black": "currentColor",
    "#ffffff": "var(--card)",
    "white": "var(--card)",
    "#2c5f8a": "var(--blue)",
    "#b5472f": "var(--red)",
    "#0072b2": "var(--blue-strong)",
    "#777777": "var(--faint)",
}
_GROUND = {name: _PAGE_COLOURS[name] for name in ("#000000", "black", "#ffffff", "white")}
_SAFE_VALUE = re.compile(r"[\w\s#.,()+\-%]*")


def inline_svg(text: str, prefix: str, label: str, follows_page: bool = True) -> str:
    """The drawing as an `svg` element for a page, described by `label`.

    Args:
        follows_page: our colours become those of the page, light or dark; else black and white alone do.

    Raises:
        UserError: it is no SVG.
    """
    try:
        root = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", text))
    except ElementTree.ParseError as error:
        raise UserError(f"figure {prefix}: no SVG ({error}); draw it anew") from error
    drawing = _cleaned(root, prefix, _PAGE_COLOURS if follows_page else _GROUND)
    if drawing is None or drawing.tag != "svg":
        raise UserError(f"figure {prefix}: no SVG; draw it anew")
    for name in ("width", "height", "id"):
        drawing.attrib.pop(name, None)
    drawing.attrib |= {"role": "img", "aria-label": label, "fill": "currentColor"}
    drawing.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    return ElementTree.tostring(drawing, encoding="unicode")


def width_of(text: str) -> float:
    """The drawing's width in CSS pixels at its natural size."""
    found = re.search(r'viewBox="0 0 ([\d.]+)', text)
    return float(found[1]) * 96 / 72 if found else 640.0


def _cleaned(
    element: ElementTree.Element, prefix: str, colours: Mapping[str, str]
) -> ElementTree.Element | None:
    name = element.tag.removeprefix(_SVG)
    if name not in _ELEMENTS:
        return None
    clean = ElementTree.Element(name)
    styles = dict(part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    for key, value in [*element.attrib.items(), *((k.strip(), v.strip()) for k, v in styles.items())]:
        if key in (_XLINK, "href"):
            if value.startswith("#"):
                clean.set("href", f"#{prefix}-{value[1:]}")
        elif key in _ATTRIBUTES:
            _set(clean, key, value, prefix, colours)
    if element.get("id", "").startswith("inside"):
        clean.set("fill", "#000000")
        colours = {}
    for child in element:
        cleaned = _cleaned(child, prefix, colours)
        if cleaned is not None:
            clean.append(cleaned)
    return clean


def _set(element: ElementTree.Element, key: str, value: str, prefix: str, colours: Mapping[str, str]) -> None:
    if key == "id":
        element.set("id", f"{prefix}-{value}")
    elif found := re.fullmatch(r"url\(#([\w-]+)\)", value):
        element.set(key, f"url(#{prefix}-{found[1]})")
    elif value.lower() in colours:
        element.set(key, colours[value.lower()])
    elif _SAFE_VALUE.fullmatch(value) and "url" not in value:
        element.set(key, value)
