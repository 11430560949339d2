"""Cover art, drawn from a title alone: the same title always gives the same picture, another title another.

`draw_cover` throws the title's SHA-256 as dice: a scene, a palette, a lettering, then every detail. The answer is a
small, self-contained SVG with presentation attributes only, so it stands under `style-src 'self'` and needs no font
file. Its ids carry a piece of the hash, so several covers may stand inline in one page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from itertools import pairwise
from math import cos, pi, sin
from typing import TypeVar

W, H = 460, 616
"""The canvas scenes are drawn on; other sizes scale it."""

MOST_BYTES = 4096
"""No cover is larger, so that a page of 24 stays light. Titles are cut at 60 signs for it."""

T = TypeVar("T")


class Dice:
    """Numbers from a title: as many as wanted, always the same, and tied to no library's generator."""

    def __init__(self, title: str) -> None:
        self.seed = sha256(title.strip().casefold().encode()).digest()
        self._thrown = 0

    def throw(self) -> float:
        """The next number in [0, 1)."""
        block = sha256(self.seed + self._thrown.to_bytes(4, "big")).digest()
        self._thrown += 1
        return int.from_bytes(block[:6], "big") / (1 << 48)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.throw()

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.throw() * len(choices))]


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


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _around(x: float, y: float, radius: float, turn: float) -> tuple[float, float]:
    return x + radius * cos(turn), y + radius * sin(turn)


def _sun(dice: Dice, ink: Palette) -> str:
    """Most landscapes have one; it sets the height of the eye."""
    x, y, radius = dice.between(90, 370), dice.between(100, 250), dice.between(34, 84)
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{dice.pick((ink.light, ink.spark))}"/>'


def orbits(dice: Dice, ink: Palette) -> str:
    x, y, tilt = dice.between(150, 310), dice.between(190, 270), dice.between(-40, 40)
    flat = dice.between(0.28, 0.6)
    parts = [f'<circle r="{_n(dice.between(44, 76))}" fill="{ink.spark}"/>']
    for ring in range(5):
        radius = 100 + ring * dice.between(38, 52)
        px, py = _around(0, 0, radius, dice.between(0, 2 * pi))
        parts.append(
            f'<ellipse rx="{_n(radius)}" ry="{_n(radius * flat)}" fill="none" stroke="{ink.light}" '
            f'stroke-opacity="{_n(0.9 - ring * 0.12)}" stroke-width="{dice.pick((1, 2, 3))}"/>'
            f'<circle cx="{_n(px)}" cy="{_n(py * flat)}" r="{_n(dice.between(5, 17))}" '
            f'fill="{dice.pick((ink.light, ink.far, ink.spark))}"/>'
        )
    return f'<g transform="translate({_n(x)} {_n(y)}) rotate({_n(tilt)})">{"".join(parts)}</g>'


def peaks(dice: Dice, ink: Palette) -> str:
    parts = [_sun(dice, ink)]
    for layer, fill in enumerate((ink.far, ink.mid, ink.near)):
        base = 270 + layer * 85
        ridge: list[tuple[float, float]] = [(0, base)]
        while ridge[-1][0] < W:
            top = dice.between(50, 150) if len(ridge) % 2 else dice.between(-24, 30)
            ridge.append((ridge[-1][0] + dice.between(36, 92), base - top))
        parts.append(f'<path d="M0 {H}L{_points(ridge)}L{W + 90} {H}z" fill="{fill}"/>')
    return "".join(parts)


def city(dice: Dice, ink: Palette) -> str:
    parts = [_sun(dice, ink)]
    for layer, fill in enumerate((ink.far, ink.mid, ink.near)):
        x, outline, windows = -10.0, "", ""
        while x < W:
            wide, top = dice.between(34, 74), dice.between(130, 330) + layer * 75
            outline += f"M{_n(x)} {H}V{_n(top)}h{_n(wide)}V{H}"
            for floor in range(4):
                left = x + 8 + 12 * int(dice.between(0, max(1, (wide - 16) / 12)))
                windows += f"M{_n(left)} {_n(top + 14 + floor * 20)}h6v9h-6z"
            x += wide + dice.between(-4, 16)
        parts.append(f'<path d="{outline}" fill="{fill}"/>')
        if layer:
            parts.append(f'<path d="{windows}" fill="{ink.spark}" fill-opacity=".85"/>')
    return "".join(parts)


def waves(dice: Dice, ink: Palette) -> str:
    parts = [_sun(dice, ink)]
    length, slope = dice.between(110, 240), dice.between(-0.18, 0.18)
    fills = (ink.far, ink.spark, ink.mid, ink.far, ink.near)
    for layer, fill in enumerate(fills):
        y, high, start = 215 + layer * 66, dice.between(16, 44), -dice.between(0, length)
        bend = f"Q{_n(start + length / 4)} {_n(y - high)} {_n(start + length / 2)} {_n(y)}"
        more = "".join(f"T{_n(start + length / 2 * k)} {_n(y + slope * k * 30)}" for k in range(2, 14))
        parts.append(f'<path d="M{_n(start)} {_n(y)}{bend}{more}V{H + 99}H{_n(start)}z" fill="{fill}"/>')
    return "".join(parts)


def shards(dice: Dice, ink: Palette) -> str:
    x, y = dice.between(140, 320), dice.between(170, 300)
    turns = [2 * pi * k / 13 + dice.between(-0.16, 0.16) for k in range(13)]
    parts = []
    for turn, following in pairwise([*turns, turns[0] + 2 * pi]):
        tip = _around(x, y, dice.between(14, 120), (turn + following) / 2)
        corners = (tip, _around(x, y, 640, turn), _around(x, y, 640, following))
        fill = dice.pick((ink.far, ink.mid, ink.near, ink.spark, ink.glow, ink.mid))
        parts.append(f'<path d="M{_points(corners)}z" fill="{fill}" fill-opacity="{_n(dice.between(0.6, 1))}"/>')
    return "".join(parts)


def maze(dice: Dice, ink: Palette) -> str:
    size = dice.pick((46, 57.5, 76.7))
    turned = straight = ""
    for row in range(int(H / size) + 1):
        for column in range(int(W / size + 0.5)):
            x, y = column * size, row * size
            if dice.throw() < 0.5:
                straight += f"M{_n(x)} {_n(y)}l{_n(size)} {_n(size)}"
            else:
                turned += f"M{_n(x + size)} {_n(y)}l{_n(-size)} {_n(size)}"
    wide = _n(size * dice.between(0.2, 0.36))
    return (
        f'<g fill="none" stroke-width="{wide}" stroke-linecap="round"><path d="{straight}" stroke="{ink.mid}"/>'
        f'<path d="{turned}" stroke="{dice.pick((ink.spark, ink.light))}"/></g>'
    )


def horizon(dice: Dice, ink: Palette) -> str:
    y, x, radius = dice.between(300, 350), dice.between(170, 290), dice.between(110, 165)
    bars = "".join(f"M0 {_n(y - k * k * 4.2)}H{W}v{_n(-15 + k * 2.2)}H0z" for k in range(1, 6))
    rays = "".join(f"M{_n(x)} {_n(y)}L{_n(x + (k - 7) * 110)} {H}" for k in range(15))
    rungs = "".join(f"M0 {_n(y + 5 * 1.62**k)}H{W}" for k in range(1, 10))
    return (
        f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{ink.spark}"/>'
        f'<path d="{bars}" fill="{ink.sky}"/><path d="M0 {_n(y)}H{W}V{H}H0z" fill="{ink.near}"/>'
        f'<path d="{rays}{rungs}" fill="none" stroke="{ink.far}" stroke-width="2"/>'
    )


def rings(dice: Dice, ink: Palette) -> str:
    size = dice.pick((115.0, 153.4))
    parts = []
    for row in range(int(H / size) + 1):
        for column in range(round(W / size)):
            x, y = column * size, row * size
            cx, cy = x + size * int(dice.between(0, 2)), y + size * int(dice.between(0, 2))
            quarter = f"M{_n(cx)} {_n(cy)}V{_n(2 * y + size - cy)}A{_n(size)} {_n(size)} 0 0 "
            sweep = int((cx > x) != (cy > y)) ^ 1
            fill = dice.pick((ink.far, ink.mid, ink.near, ink.spark, ink.light))
            parts.append(f'<path d="{quarter}{1 - sweep} {_n(2 * x + size - cx)} {_n(cy)}z" fill="{fill}"/>')
    return "".join(parts)


def blossom(dice: Dice, ink: Palette) -> str:
    x, y, petals = dice.between(170, 290), dice.between(200, 270), dice.pick((6, 8, 9, 12))
    parts = []
    for ring, fill in enumerate((ink.far, ink.mid, ink.spark)):
        long, wide = 125 - ring * 37, 37 - ring * 9
        petal = f'<ellipse cy="{-long}" rx="{wide}" ry="{long}" transform="rotate('
        turns = (ring * 180 / petals + k * 360 / petals for k in range(petals))
        leaves = "".join(f'{petal}{_n(turn)})"/>' for turn in turns)
        parts.append(f'<g fill="{fill}" fill-opacity=".82">{leaves}</g>')
    heart = f'<circle r="{_n(dice.between(20, 34))}" fill="{ink.light}"/>'
    return f'<g transform="translate({_n(x)} {_n(y)})">{"".join(parts)}{heart}</g>'


def forest(dice: Dice, ink: Palette) -> str:
    parts = [_sun(dice, ink)]
    for layer, fill in enumerate((ink.far, ink.mid, ink.near)):
        x, trees = -20.0, ""
        base = 350 + layer * 90
        while x < W + 20:
            wide, high = dice.between(34, 60) + layer * 12, dice.between(110, 200) + layer * 30
            trees += f"M{_n(x - wide / 2)} {base}L{_n(x)} {_n(base - high)}L{_n(x + wide / 2)} {base}z"
            x += wide * dice.between(0.45, 0.8)
        parts.append(f'<path d="{trees}M0 {base - 2}H{W}V{H}H0z" fill="{fill}"/>')
    return "".join(parts)


def tunnel(dice: Dice, ink: Palette) -> str:
    x, y, corners = dice.between(170, 290), dice.between(190, 290), dice.pick((3, 4, 5, 6, 8))
    twist = dice.between(0.06, 0.22) * dice.pick((-1, 1))
    fills = (ink.near, ink.mid, ink.far, ink.spark)
    parts = []
    for depth in range(11):
        radius = 560 * 0.74**depth
        frame = [_around(x, y, radius, depth * twist + 2 * pi * k / corners) for k in range(corners)]
        fill = ink.light if depth == 10 else fills[depth % 4]
        parts.append(f'<path d="M{_points(frame)}z" fill="{fill}"/>')
    return "".join(parts)


def stars(dice: Dice, ink: Palette) -> str:
    dots = "".join(f"M{_n(dice.between(0, W))} {_n(dice.between(0, 460))}h0" for _ in range(60))
    chain = [(dice.between(40, 420), 70 + k * dice.between(48, 60)) for k in range(7)]
    joints = "".join(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(dice.between(5, 11))}"/>' for x, y in chain)
    return (
        f'<path d="{dots}" stroke="{ink.light}" stroke-width="3" stroke-linecap="round" stroke-opacity=".7"/>'
        f'<path d="M{_points(chain)}" fill="none" stroke="{ink.spark}" stroke-width="2"/>'
        f'<g fill="{ink.light}">{joints}</g>{_sun(dice, ink)}'
    )


def beams(dice: Dice, ink: Palette) -> str:
    x, y, count = dice.between(120, 340), dice.between(330, 420), dice.pick((9, 11, 14))
    rays = ""
    for ray in range(count):
        turn = pi + pi * (ray + 0.2) / count
        edges = (_around(x, y, 720, turn), _around(x, y, 720, turn + 0.5 * pi / count))
        rays += f"M{_n(x)} {_n(y)}L{_points(edges)}z"
    return (
        f'<path d="{rays}" fill="{ink.glow}" fill-opacity=".75"/><path d="M0 {_n(y)}H{W}V{H}H0z" fill="{ink.near}"/>'
        f'<g transform="translate({_n(x)} {_n(y)})"><path d="M-92 0a92 92 0 0 1 184 0z" fill="{ink.spark}"/>'
        f'<g fill="{ink.near}">{_landmark(dice, ink)}</g></g>'
    )


def _landmark(dice: Dice, ink: Palette) -> str:
    """What stands before the sun: a lighthouse, a mountain, a tree or a house. Its foot is the origin."""
    high = _n(dice.between(120, 210))
    return dice.pick(
        (
            f'<path d="M-26 0l12-{high}h28l12 {high}z"/><path d="M-20-{high}v-26h40v26z" fill="{ink.light}"/>',
            f'<path d="M-110 1l60-{high} 34 50 26-40 100 {high}z"/>',
            f'<path d="M-7 0v-{high}h14v{high}z"/><circle cy="-{high}" r="58"/>',
            '<path d="M-74 0v-70l74-76 74 76v70z"/>',
        )
    )


def blocks(dice: Dice, ink: Palette) -> str:
    size = dice.pick((46, 58))
    rise = round(size * 0.577)
    tops = lefts = rights = ""
    for row in range(9):
        for column in range(5):
            if dice.throw() < 0.42:
                continue
            x, y = (2 * column + row % 2) * size, 60 + row * rise * 2 + dice.pick((0, 0, -rise))
            tops += f"M{x} {y}l{size}-{rise} {size} {rise}-{size} {rise}z"
            lefts += f"M{x} {y}l{size} {rise}v{rise * 2}l-{size}-{rise}z"
            rights += f"M{x + 2 * size} {y}l-{size} {rise}v{rise * 2}l{size}-{rise}z"
    pieces = ((lefts, ink.mid), (rights, ink.near), (tops, dice.pick((ink.spark, ink.light, ink.far))))
    return "".join(f'<path d="{path}" fill="{fill}"/>' for path, fill in pieces)


SCENES: tuple[Callable[[Dice, Palette], str], ...] = (
    orbits, peaks, city, waves, shards, maze, horizon, rings, blossom, forest, tunnel, stars, beams, blocks,
)  # fmt: skip

LETTERINGS = (
    ("Inter,Helvetica,Arial,sans-serif", 800, 0.0, True, 0.72),
    ("Georgia,'Times New Roman',serif", 700, 0.5, False, 0.6),
    ("Menlo,Consolas,'Liberation Mono',monospace", 700, -0.5, True, 0.64),
    ("'Arial Narrow','Liberation Sans Narrow',Arial,sans-serif", 700, 3.0, True, 0.72),
    ("Inter,Helvetica,Arial,sans-serif", 300, 1.0, False, 0.6),
)
"""Font family, weight, letter spacing, capitals, and the width of a wide sign in ems (measured generously)."""


def _lines(title: str, most: int = 4) -> list[str]:
    """The title in at most four lines, broken between words."""
    words = title.split()
    wide = max(8, max(map(len, words), default=1), len(title) // 3 + 1)
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= wide:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [*lines[: most - 1], " ".join(lines[most - 1 :])] if len(lines) > most else lines


def lettering(title: str, dice: Dice, ink: Palette) -> str:
    """The title, as large as its longest line allows."""
    family, weight, spacing, capitals, wide = dice.pick(LETTERINGS)
    lines = _lines(title.upper() if capitals else title)
    longest = max(map(len, lines), default=1)
    size = min(60.0, (W - 72 - spacing * longest) / (longest * wide))
    step = size * 1.08
    top = H - 44 - step * (len(lines) - 1)
    spans = "".join(f'<tspan x="36" y="{_n(top + k * step)}">{escape(line)}</tspan>' for k, line in enumerate(lines))
    return (
        f'<text fill="{ink.ink}" font-family="{family}" font-weight="{weight}" font-size="{_n(size)}" '
        f'letter-spacing="{_n(spacing)}">{spans}</text>'
        f'<path d="M36 {_n(top - size * 1.05 - 12)}h44" stroke="{ink.spark}" stroke-width="5"/>'
    )


def draw_cover(title: str, *, width: int = W, height: int = H) -> str:
    """An SVG cover for a title. Pure: same title, same bytes; at most `MOST_BYTES` of them."""
    shown = "".join(sign for sign in " ".join(title.split()) if sign.isprintable())[:60] or "Untitled"
    dice = Dice(title)
    mark = dice.seed.hex()[:8]
    scene, ink = dice.pick(SCENES), mix_palette(dice)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {W} {H}" '
        f'preserveAspectRatio="xMidYMid slice" role="img" aria-label="{escape(shown)}"><defs>'
        f'<linearGradient id="s{mark}" x2="0" y2="1"><stop stop-color="{ink.sky}"/>'
        f'<stop offset=".8" stop-color="{ink.glow}"/></linearGradient>'
        f'<linearGradient id="t{mark}" x2="0" y2="1"><stop offset=".45" stop-color="{ink.scrim}" stop-opacity="0"/>'
        f'<stop offset=".8" stop-color="{ink.scrim}" stop-opacity=".9"/>'
        f'<stop offset="1" stop-color="{ink.scrim}"/></linearGradient></defs>'
        f'<path d="M0 0h{W}v{H}H0z" fill="url(#s{mark})"/>{scene(dice, ink)}'
        f'<path d="M0 0h{W}v{H}H0z" fill="url(#t{mark})"/>{lettering(shown, dice, ink)}</svg>'
    )
