"""Colours of a cover, mixed in OKLCH so that each mood is as light to the eye in every hue."""

from dataclasses import dataclass
from math import cos, pi, sin

from app.catalog.covers.dice import Dice


@dataclass(frozen=True)
class Palette:
    """Colours of one cover, from the sky to the nearest thing, then what shines and what is written."""

    sky: str
    glow: str
    far: str
    mid: str
    near: str
    light: str
    spark: str
    scrim: str
    ink: str


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """A colour by what the eye sees (OKLCH, hue in degrees) as sRGB hex, clipped into gamut."""
    a, b = chroma * cos(hue * pi / 180), chroma * sin(hue * pi / 180)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    channels = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{_gamma(channel):02x}" for channel in channels)


def _gamma(linear: float) -> int:
    clipped = min(1.0, max(0.0, linear))
    curved = 12.92 * clipped if clipped <= 0.0031308 else 1.055 * clipped ** (1 / 2.4) - 0.055
    return round(255 * curved)


# Lightness and chroma of sky, glow, far, mid, near, light and spark.
MOODS: dict[str, tuple[tuple[float, float], ...]] = {
    "night": ((0.22, 0.06), (0.42, 0.13), (0.36, 0.1), (0.3, 0.08), (0.2, 0.05), (0.93, 0.04), (0.8, 0.16)),
    "dusk": ((0.38, 0.13), (0.78, 0.14), (0.56, 0.14), (0.4, 0.12), (0.24, 0.07), (0.96, 0.05), (0.84, 0.15)),
    "day": ((0.83, 0.09), (0.95, 0.05), (0.74, 0.11), (0.58, 0.13), (0.4, 0.1), (0.99, 0.01), (0.68, 0.19)),
    "poster": ((0.62, 0.17), (0.7, 0.17), (0.5, 0.15), (0.36, 0.11), (0.22, 0.06), (0.95, 0.06), (0.88, 0.15)),
    "paper": ((0.94, 0.03), (0.97, 0.02), (0.8, 0.08), (0.55, 0.15), (0.3, 0.06), (0.99, 0.01), (0.62, 0.2)),
}


def mix_palette(dice: Dice) -> Palette:
    """One hue, a companion at a pleasing distance, and a mood that says how light and how loud they are."""
    hue = dice.between(130, 450)  # not 90 to 130: dark olive looks like mud
    companion = hue + dice.pick((-45, 40, 75, 120, 165, 190))
    mood = dice.pick(("night", "night", "dusk", "dusk", "day", "poster", "paper"))
    sky, glow, far, mid, near, light, spark = MOODS[mood]
    bright = mood in ("day", "paper")
    return Palette(
        sky=oklch(*sky, hue),
        glow=oklch(*glow, companion if mood == "dusk" else hue + 20),
        far=oklch(*far, hue + 8),
        mid=oklch(*mid, hue),
        near=oklch(*near, hue - 8),
        light=oklch(*light, companion),
        spark=oklch(*spark, companion),
        scrim=oklch(0.96, 0.025, hue) if bright else oklch(0.17, 0.045, hue),
        ink=oklch(0.22, 0.06, hue) if bright else oklch(0.98, 0.015, companion),
    )
