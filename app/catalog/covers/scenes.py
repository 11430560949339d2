"""The scenes a cover may show: SVG elements on the canvas, their details thrown with the dice."""

from collections.abc import Callable
from itertools import pairwise
from math import pi

from app.catalog.covers.canvas import H, W, around, num, points
from app.catalog.covers.dice import Dice
from app.catalog.covers.palettes import Palette


def _sun(dice: Dice, ink: Palette) -> str:
    """Most landscapes have one; it sets the height of the eye."""
    x, y, radius = dice.between(90, 370), dice.between(100, 250), dice.between(34, 84)
    return f'<circle cx="{num(x)}" cy="{num(y)}" r="{num(radius)}" fill="{dice.pick((ink.light, ink.spark))}"/>'


def orbits(dice: Dice, ink: Palette) -> str:
    x, y, tilt = dice.between(150, 310), dice.between(190, 270), dice.between(-40, 40)
    flat = dice.between(0.28, 0.6)
    parts = [f'<circle r="{num(dice.between(44, 76))}" fill="{ink.spark}"/>']
    for ring in range(5):
        radius = 100 + ring * dice.between(38, 52)
        px, py = around(0, 0, radius, dice.between(0, 2 * pi))
        parts.append(
            f'<ellipse rx="{num(radius)}" ry="{num(radius * flat)}" fill="none" stroke="{ink.light}" '
            f'stroke-opacity="{num(0.9 - ring * 0.12)}" stroke-width="{dice.pick((1, 2, 3))}"/>'
            f'<circle cx="{num(px)}" cy="{num(py * flat)}" r="{num(dice.between(5, 17))}" '
            f'fill="{dice.pick((ink.light, ink.far, ink.spark))}"/>'
        )
    return f'<g transform="translate({num(x)} {num(y)}) rotate({num(tilt)})">{"".join(parts)}</g>'


def peaks(dice: Dice, ink: Palette) -> str:
    parts = [_sun(dice, ink)]
    for layer, fill in enumerate((ink.far, ink.mid, ink.near)):
        base = 270 + layer * 85
        ridge: list[tuple[float, float]] = [(0, base)]
        while ridge[-1][0] < W:
            top = dice.between(50, 150) if len(ridge) % 2 else dice.between(-24, 30)
            ridge.append((ridge[-1][0] + dice.between(36, 92), base - top))
        parts.append(f'<path d="M0 {H}L{points(ridge)}L{W + 90} {H}z" fill="{fill}"/>')
    return "".join(parts)


def city(dice: Dice, ink: Palette) -> str:
    parts = [_sun(dice, ink)]
    for layer, fill in enumerate((ink.far, ink.mid, ink.near)):
        x, outline, windows = -10.0, "", ""
        while x < W:
            wide, top = dice.between(34, 74), dice.between(130, 330) + layer * 75
            outline += f"M{num(x)} {H}V{num(top)}h{num(wide)}V{H}"
            for floor in range(4):
                left = x + 8 + 12 * int(dice.between(0, max(1, (wide - 16) / 12)))
                windows += f"M{num(left)} {num(top + 14 + floor * 20)}h6v9h-6z"
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
        bend = f"Q{num(start + length / 4)} {num(y - high)} {num(start + length / 2)} {num(y)}"
        more = "".join(f"T{num(start + length / 2 * k)} {num(y + slope * k * 30)}" for k in range(2, 14))
        parts.append(f'<path d="M{num(start)} {num(y)}{bend}{more}V{H + 99}H{num(start)}z" fill="{fill}"/>')
    return "".join(parts)


def shards(dice: Dice, ink: Palette) -> str:
    x, y = dice.between(140, 320), dice.between(170, 300)
    turns = [2 * pi * k / 13 + dice.between(-0.16, 0.16) for k in range(13)]
    parts = []
    for turn, following in pairwise([*turns, turns[0] + 2 * pi]):
        tip = around(x, y, dice.between(14, 120), (turn + following) / 2)
        corners = (tip, around(x, y, 640, turn), around(x, y, 640, following))
        fill = dice.pick((ink.far, ink.mid, ink.near, ink.spark, ink.glow, ink.mid))
        parts.append(f'<path d="M{points(corners)}z" fill="{fill}" fill-opacity="{num(dice.between(0.6, 1))}"/>')
    return "".join(parts)


def maze(dice: Dice, ink: Palette) -> str:
    size = dice.pick((46, 57.5, 76.7))
    turned = straight = ""
    for row in range(int(H / size) + 1):
        for column in range(int(W / size + 0.5)):
            x, y = column * size, row * size
            if dice.throw() < 0.5:
                straight += f"M{num(x)} {num(y)}l{num(size)} {num(size)}"
            else:
                turned += f"M{num(x + size)} {num(y)}l{num(-size)} {num(size)}"
    wide = num(size * dice.between(0.2, 0.36))
    return (
        f'<g fill="none" stroke-width="{wide}" stroke-linecap="round"><path d="{straight}" stroke="{ink.mid}"/>'
        f'<path d="{turned}" stroke="{dice.pick((ink.spark, ink.light))}"/></g>'
    )


def horizon(dice: Dice, ink: Palette) -> str:
    y, x, radius = dice.between(300, 350), dice.between(170, 290), dice.between(110, 165)
    bars = "".join(f"M0 {num(y - k * k * 4.2)}H{W}v{num(-15 + k * 2.2)}H0z" for k in range(1, 6))
    rays = "".join(f"M{num(x)} {num(y)}L{num(x + (k - 7) * 110)} {H}" for k in range(15))
    rungs = "".join(f"M0 {num(y + 5 * 1.62**k)}H{W}" for k in range(1, 10))
    return (
        f'<circle cx="{num(x)}" cy="{num(y)}" r="{num(radius)}" fill="{ink.spark}"/>'
        f'<path d="{bars}" fill="{ink.sky}"/><path d="M0 {num(y)}H{W}V{H}H0z" fill="{ink.near}"/>'
        f'<path d="{rays}{rungs}" fill="none" stroke="{ink.far}" stroke-width="2"/>'
    )


def rings(dice: Dice, ink: Palette) -> str:
    size = dice.pick((115.0, 153.4))
    parts = []
    for row in range(int(H / size) + 1):
        for column in range(round(W / size)):
            x, y = column * size, row * size
            cx, cy = x + size * int(dice.between(0, 2)), y + size * int(dice.between(0, 2))
            quarter = f"M{num(cx)} {num(cy)}V{num(2 * y + size - cy)}A{num(size)} {num(size)} 0 0 "
            sweep = int((cx > x) != (cy > y)) ^ 1
            fill = dice.pick((ink.far, ink.mid, ink.near, ink.spark, ink.light))
            parts.append(f'<path d="{quarter}{1 - sweep} {num(2 * x + size - cx)} {num(cy)}z" fill="{fill}"/>')
    return "".join(parts)


def blossom(dice: Dice, ink: Palette) -> str:
    x, y, petals = dice.between(170, 290), dice.between(200, 270), dice.pick((6, 8, 9, 12))
    parts = []
    for ring, fill in enumerate((ink.far, ink.mid, ink.spark)):
        long, wide = 125 - ring * 37, 37 - ring * 9
        petal = f'<ellipse cy="{-long}" rx="{wide}" ry="{long}" transform="rotate('
        turns = (ring * 180 / petals + k * 360 / petals for k in range(petals))
        leaves = "".join(f'{petal}{num(turn)})"/>' for turn in turns)
        parts.append(f'<g fill="{fill}" fill-opacity=".82">{leaves}</g>')
    heart = f'<circle r="{num(dice.between(20, 34))}" fill="{ink.light}"/>'
    return f'<g transform="translate({num(x)} {num(y)})">{"".join(parts)}{heart}</g>'


def forest(dice: Dice, ink: Palette) -> str:
    parts = [_sun(dice, ink)]
    for layer, fill in enumerate((ink.far, ink.mid, ink.near)):
        x, trees = -20.0, ""
        base = 350 + layer * 90
        while x < W + 20:
            wide, high = dice.between(34, 60) + layer * 12, dice.between(110, 200) + layer * 30
            trees += f"M{num(x - wide / 2)} {base}L{num(x)} {num(base - high)}L{num(x + wide / 2)} {base}z"
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
        frame = [around(x, y, radius, depth * twist + 2 * pi * k / corners) for k in range(corners)]
        fill = ink.light if depth == 10 else fills[depth % 4]
        parts.append(f'<path d="M{points(frame)}z" fill="{fill}"/>')
    return "".join(parts)


def stars(dice: Dice, ink: Palette) -> str:
    dots = "".join(f"M{num(dice.between(0, W))} {num(dice.between(0, 460))}h0" for _ in range(60))
    chain = [(dice.between(40, 420), 70 + k * dice.between(48, 60)) for k in range(7)]
    joints = "".join(f'<circle cx="{num(x)}" cy="{num(y)}" r="{num(dice.between(5, 11))}"/>' for x, y in chain)
    return (
        f'<path d="{dots}" stroke="{ink.light}" stroke-width="3" stroke-linecap="round" stroke-opacity=".7"/>'
        f'<path d="M{points(chain)}" fill="none" stroke="{ink.spark}" stroke-width="2"/>'
        f'<g fill="{ink.light}">{joints}</g>{_sun(dice, ink)}'
    )


def beams(dice: Dice, ink: Palette) -> str:
    x, y, count = dice.between(120, 340), dice.between(330, 420), dice.pick((9, 11, 14))
    rays = ""
    for ray in range(count):
        turn = pi + pi * (ray + 0.2) / count
        edges = (around(x, y, 720, turn), around(x, y, 720, turn + 0.5 * pi / count))
        rays += f"M{num(x)} {num(y)}L{points(edges)}z"
    return (
        f'<path d="{rays}" fill="{ink.glow}" fill-opacity=".75"/><path d="M0 {num(y)}H{W}V{H}H0z" fill="{ink.near}"/>'
        f'<g transform="translate({num(x)} {num(y)})"><path d="M-92 0a92 92 0 0 1 184 0z" fill="{ink.spark}"/>'
        f'<g fill="{ink.near}">{_landmark(dice, ink)}</g></g>'
    )


def _landmark(dice: Dice, ink: Palette) -> str:
    """What stands before the sun: a lighthouse, a mountain, a tree or a house. Its foot is the origin."""
    high = num(dice.between(120, 210))
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
