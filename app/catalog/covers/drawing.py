"""Cover art, drawn from a title alone: the same title always gives the same picture, another title another.

`draw_cover` throws the title's SHA-256 as dice: a scene, a palette, a lettering, then every detail. The answer is a
small, self-contained SVG with presentation attributes only, so it stands under `style-src 'self'` and needs no font
file. Its ids carry a piece of the hash, so several covers may stand inline in one page.
"""

from html import escape

from app.catalog.covers.canvas import H, W, num
from app.catalog.covers.dice import Dice
from app.catalog.covers.palettes import Palette, mix_palette
from app.catalog.covers.scenes import SCENES

MOST_BYTES = 4096
"""No cover is larger, so that a page of 24 stays light. Titles are cut at 60 signs for it."""

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
    spans = "".join(f'<tspan x="36" y="{num(top + k * step)}">{escape(line)}</tspan>' for k, line in enumerate(lines))
    return (
        f'<text fill="{ink.ink}" font-family="{family}" font-weight="{weight}" font-size="{num(size)}" '
        f'letter-spacing="{num(spacing)}">{spans}</text>'
        f'<path d="M36 {num(top - size * 1.05 - 12)}h44" stroke="{ink.spark}" stroke-width="5"/>'
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
