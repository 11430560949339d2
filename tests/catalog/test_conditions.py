"""What a buyer is told before paying: where a key doesn't work, and what it needs besides."""

from typing import Any

import pytest

from app.catalog.conditions import Conditions, of_item
from app.catalog.countries import NAMES, name_of
from app.providers import kinguin_answers
from app.providers.shapes import WrongShape

PLAIN = {"productId": "f" * 24, "kinguinId": 9, "name": "Game", "price": 10, "qty": 5, "textQty": 5}


def read(**change: Any) -> kinguin_answers.Product:
    return kinguin_answers.product(PLAIN | change)


@pytest.mark.parametrize(
    ("known", "where", "lines"),
    [
        (Conditions("Steam", "Region Free"), "Region Free", []),
        (Conditions("Steam", "Global"), "Global", []),
        (
            Conditions("Steam", "Region Free", ("DE",)), "Region Free, except Germany",
            ["Can’t be activated in Germany."],
        ),
        (
            Conditions("Steam", "Region Free", ("RU", "DE", "BY")), "Region Free, except 3 countries",
            ["Can’t be activated in Belarus, Germany and Russia."],
        ),
        (
            Conditions("Steam", "Europe"), "Europe", ["Region: Europe. It may not work in other regions."],
        ),
        (Conditions("Steam", ""), "Region not stated", ["Our supplier doesn’t say in which region this key works."]),
        (
            Conditions("Steam", "Region Free", (), True), "Region Free",
            ["This is an add-on (DLC). You need the base game on Steam to use it."],
        ),
        (
            Conditions("GOG", "Europe", ("CH", "Atlantis"), True), "Europe, except 2 countries",
            [
                "This is an add-on (DLC). You need the base game on GOG to use it.",
                "Region: Europe. It may not work in other regions.", "Can’t be activated in Atlantis and Switzerland.",
            ],
        ),
        (
            Conditions("Steam", "Region Free", tuple(c for c in NAMES if c not in {"DE", "AT"})),
            "Region Free, except 248 countries", ["Can be activated only in Austria and Germany."],
        ),
        (
            Conditions("Steam", "Region Free", tuple(NAMES)), "Region Free, except 250 countries",
            ["Can’t be activated in any country."],
        ),
    ],
)  # fmt: skip
def test_a_buyer_reads_where_it_works(known: Conditions, where: str, lines: list[str]) -> None:
    assert (known.where, known.lines) == (where, lines)


def test_a_long_list_of_countries_is_told_whole() -> None:
    blocked = tuple(list(NAMES)[:60])
    (said,) = Conditions("Steam", "Region Free", blocked).lines
    assert said.startswith("Can’t be activated in these 60 countries: ")
    assert all(name_of(country) in said for country in blocked)


@pytest.mark.parametrize(
    ("said", "read_"),
    [
        (["DE", "AT"], ("DE", "AT")), (["de", " at "], ("DE", "AT")), (["DE", "DE"], ("DE",)), ([], ()), (None, ()),
        ("", ()), ({}, ()), ("DE, AT;CH", ("DE", "AT", "CH")), (["Germany"], ("Germany",)),
        ([{"code": "DE"}, {"name": "Austria"}], ("DE", "Austria")), (["C&ocirc;te"], ("Côte",)), ([""], ()),
    ],
)  # fmt: skip
def test_every_spelling_of_a_limit_is_understood(said: Any, read_: tuple[str, ...]) -> None:
    assert read(countryLimitation=said).blocked_countries == read_


@pytest.mark.parametrize("said", [{"DE": True}, 7, True, ["DE", None], [7], [["DE"]], [{"iso": "DE"}]])
def test_a_limit_that_cannot_be_understood_is_not_read_as_none(said: Any) -> None:
    with pytest.raises(WrongShape, match="countryLimitation"):
        read(countryLimitation=said)


@pytest.mark.parametrize(
    ("said", "tags"),
    [
        (["dlc"], ("dlc",)),
        (["DLC", "Base"], ("dlc", "base")),
        ("dlc, base", ("dlc", "base")),
        (None, ()),
        (7, ()),
    ],
)
def test_tags_are_read_in_any_case(said: Any, tags: tuple[str, ...]) -> None:
    assert read(tags=said).tags == tags


def test_texts_come_without_entities_and_tags() -> None:
    found = read(
        name="Tom Clancy&#039;s <b>Game</b>", originalName="R&amp;D", description="<p>One &amp; two</p><p>three</p>",
        activationDetails="1. Open&nbsp;it<br>2. Go", platform="EA&nbsp;App", regionalLimitations="REGION&nbsp;FREE",
        genres=["Hack &amp; Slash"], developers=["O&#39;Neil"],
    )  # fmt: skip
    assert (found.name, found.original_name, found.platform) == ("Tom Clancy's Game", "R&D", "EA App")
    assert (found.region, found.genres, found.developers) == ("REGION FREE", ("Hack & Slash",), ("O'Neil",))
    assert (found.description, found.activation) == ("One & two\nthree", "1. Open it\n2. Go")


def test_an_item_sold_before_conditions_were_kept_claims_none() -> None:
    assert of_item({}) is None


def test_names_are_those_of_all_countries_there_are_codes_for() -> None:
    assert (len(NAMES), NAMES["DE"], NAMES["CI"], name_of("ZZ")) == (250, "Germany", "Côte d’Ivoire", "ZZ")
    assert all(len(code) == 2 and code.isupper() and name for code, name in NAMES.items())
