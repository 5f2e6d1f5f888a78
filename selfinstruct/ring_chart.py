"""A chart of rings: wedges with their texts along the radius, and colours that tell neighbours apart."""

import colorsys
from collections.abc import Sequence
from math import cos, radians, sin
from typing import TYPE_CHECKING

from selfinstruct.drawing import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMALLEST_LETTERS = 4.5  # points
_RING_INCHES = 3.5  # of a radius of 1

Colour = tuple[float, float, float]  # red, green, blue, 0 to 1


def draw_ring(
    axes: "Axes",
    parts: Sequence[tuple[str, int, Colour]],
    inside: float,
    outside: float,
    size: float,
) -> None:
    """A ring of wedges, clockwise from the top, each with its text along the radius.

    A narrow wedge has smaller letters; below the smallest it has none.

    Args:
        parts: text, count and colour of each wedge.
        inside, outside: the ring's radii, in the units of the axes.
        size: of the letters, in points.
    """
    from matplotlib.patches import Wedge

    total = sum(count for _, count, _ in parts)
    radius = inside + 0.55 * (outside - inside)
    end = 90.0
    for text, count, colour in parts:
        span = 360 * count / total
        middle = end - span / 2
        wedge = Wedge((0, 0), outside, end - span, end, width=outside - inside)
        wedge.set(facecolor=colour, edgecolor="white")
        axes.add_patch(wedge)
        end -= span
        fits = radians(span) * radius * _RING_INCHES * 72 / 1.1  # points
        if fits < _SMALLEST_LETTERS:
            continue
        axes.text(
            radius * cos(radians(middle)),
            radius * sin(radians(middle)),
            shortened(text, 14),
            rotation=middle if middle >= -90 else middle + 180,  # no text upside down
            rotation_mode="anchor",
            ha="center",
            va="center",
            fontsize=min(size, fits),
            gid=f"inside_{len(axes.texts)}",  # the report's page leaves these letters black in the dark
        )


def hues(number: int) -> list[Colour]:
    """Pale colours all around the circle, neighbours apart from each other."""
    return [colorsys.hls_to_rgb(i / number, 0.72 - 0.1 * (i % 2), 0.62) for i in range(number)]


def paler(colour: Colour, by: float) -> Colour:
    """The colour on its way to white: 0 as it is, 1 white."""
    red, green, blue = (value + (1 - value) * by for value in colour)
    return red, green, blue
