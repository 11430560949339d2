"""What every part of a cover is drawn on and with."""

from collections.abc import Sequence
from math import cos, sin

W, H = 460, 616
"""The canvas scenes are drawn on; other sizes scale it."""


def num(value: float) -> str:
    """As short as a tenth of a unit allows."""
    return f"{value:.1f}".removesuffix(".0")


def points(corners: Sequence[tuple[float, float]]) -> str:
    """For `points` of a polygon or a polyline."""
    return " ".join(f"{num(x)} {num(y)}" for x, y in corners)


def around(x: float, y: float, radius: float, turn: float) -> tuple[float, float]:
    """The point so far from another, at a turn in radians."""
    return x + radius * cos(turn), y + radius * sin(turn)
