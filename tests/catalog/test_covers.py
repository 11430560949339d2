"""Covers: pure, small, valid, and different for different games."""

from collections import Counter
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.covers.dice import Dice
from app.catalog.covers.drawing import MOST_BYTES, draw_cover
from app.catalog.covers.palettes import oklch
from app.catalog.covers.scenes import SCENES

GAMES = [
    f"{first} {second}"
    for first in ("Ashfall", "Copper", "Hollow", "Lantern", "Nocturne", "Quiet", "Salt", "Tidebreaker")
    for second in ("Couriers", "Dispatch", "Kingdom", "Meridian", "Orchard", "Protocol", "Tactics", "Uprising")
]
SVG = "{http://www.w3.org/2000/svg}"


def test_the_same_title_always_gives_the_same_cover() -> None:
    assert draw_cover("Ashfall Meridian") == draw_cover("Ashfall Meridian")


def test_games_look_like_different_games() -> None:
    """No two share scene, palette and lettering at once; no scene takes the shelf over; each is used."""
    looks = []
    for title in GAMES:
        root = ElementTree.fromstring(draw_cover(title))
        scene = Dice(title).pick(SCENES).__name__
        stops = tuple(stop.get("stop-color") for stop in root.iter(f"{SVG}stop"))
        looks.append((scene, stops))
    assert all(one != other for one, other in combinations(looks, 2))
    scenes = Counter(scene for scene, _ in looks)
    assert len(scenes) >= 8
    assert max(scenes.values()) <= len(GAMES) // 4


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_every_scene_fits_its_budget_whatever_the_dice_say(scene: object) -> None:
    titles = (f"{name} {number}" for number in range(60) for name in ("Vexel Runners", "Obsidian Tea House"))
    drawn = [draw_cover(title) for title in titles if Dice(title).pick(SCENES) is scene]
    assert drawn
    assert max(len(svg.encode()) for svg in drawn) <= MOST_BYTES


@given(st.text(max_size=400))
def test_any_text_gives_a_small_valid_svg(title: str) -> None:
    svg = draw_cover(title)
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert len(svg.encode()) <= MOST_BYTES


def test_markup_in_a_title_is_only_text() -> None:
    title = '<script>alert("1")</script> & Daughter'
    root = ElementTree.fromstring(draw_cover(title))
    assert {node.tag.removeprefix(SVG) for node in root.iter()} <= {
        "svg", "defs", "linearGradient", "stop", "path", "g", "circle", "ellipse", "text", "tspan",
    }  # fmt: skip
    assert root.get("aria-label") == title


def test_nothing_needs_a_style_a_script_or_another_file() -> None:
    for title in GAMES:
        svg = draw_cover(title)
        for node in ElementTree.fromstring(svg).iter():
            assert not [name for name in node.attrib if name in ("style", "href") or name.startswith("on")]
        assert svg.count("http") == 1  # the namespace


def test_covers_may_stand_inline_in_one_page() -> None:
    ids = [node.get("id") for title in GAMES for node in ElementTree.fromstring(draw_cover(title)).iter()]
    named = [found for found in ids if found]
    assert len(named) == len(set(named)) == 2 * len(GAMES)


def test_the_size_can_be_chosen_and_the_proportions_stay() -> None:
    root = ElementTree.fromstring(draw_cover("Emberline", width=230, height=308))
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("230", "308", "0 0 460 616")


def test_colours_are_what_oklch_says() -> None:
    assert oklch(0, 0, 0) == "#000000"
    assert oklch(1, 0, 0) == "#ffffff"
    assert oklch(0.628, 0.2577, 29.23) == "#ff0000"
