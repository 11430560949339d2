"""What can be bought as we buy it: text keys where we ask for text, at the price that we go by, and no image."""

from decimal import Decimal
from typing import Any

import pytest

from app.providers import kinguin_answers
from app.suppliers.kinguin_supply import Supply, supply_of

PLAIN = {"productId": "f" * 24, "kinguinId": 9, "name": "Game", "price": 10, "qty": 10, "textQty": 10}


def of(**change: Any) -> tuple[str, int, bool]:
    found: Supply = supply_of(kinguin_answers.product(PLAIN | change))
    return str(found.cost), found.stock, found.text


def offer(price: Any, text: Any, every: Any = None, **more: Any) -> dict[str, Any]:
    return {"offerId": "a", "price": price, "availableQty": text if every is None else every,
            "availableTextQty": text} | more  # fmt: skip


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, ("10.00", 10, True)),
        ({"textQty": 2}, ("10.00", 2, True)),
        ({"textQty": 0}, ("10.00", 10, False)),
        ({"textQty": None}, ("10.00", 10, False)),
        ({"qty": 3, "textQty": 9}, ("10.00", 3, True)),
        ({"qty": 0, "textQty": 0}, ("10.00", 0, False)),
        ({"qty": None, "totalQty": 4, "textQty": None}, ("10.00", 4, False)),
        ({"price": "10.001"}, ("10.01", 10, True)),
        ({"price": "0.01"}, ("0.01", 10, True)),
        ({"price": "0.009"}, ("None", 10, True)),
        ({"price": "1e-30"}, ("None", 10, True)),
        ({"price": 0}, ("None", 10, True)),
        ({"price": None}, ("None", 10, True)),
        ({"offers": [offer(10, 2, 10)]}, ("10.00", 2, True)),
        ({"offers": [offer(10, 6), offer(10, 3)]}, ("10.00", 9, True)),
        ({"offers": [offer(10, 0, 8), offer(14, 5)]}, ("14.00", 5, True)),
        ({"offers": [offer(10, 4), offer(25, 90)]}, ("10.00", 4, True)),
        ({"offers": [offer(10, 9), offer(10, 9, isPreorder=True)]}, ("10.00", 9, True)),
        ({"offers": [offer(10, None, None)]}, ("10.00", 10, True)),
        ({"offers": [offer(0, 7), offer(10, 5)]}, ("10.00", 5, True)),
        ({"offers": [{"offerId": ["odd"]}, offer(10, 5)]}, ("10.00", 5, True)),
        ({"offers": "odd"}, ("10.00", 10, True)),
        ({"offers": [offer(10, 0, 3)], "textQty": 0}, ("10.00", 3, False)),
        ({"price": 1, "offers": [offer(13, 8)]}, ("13.00", 8, True)),
    ],
)
def test_so_many_are_sold_as_can_be_bought(said: dict[str, Any], found: tuple[str, int, bool]) -> None:
    assert of(**said) == found


def test_a_part_of_a_cent_is_rounded_to_our_harm() -> None:
    assert supply_of(kinguin_answers.product(PLAIN | {"price": "12.4901"})).cost == Decimal("12.50")
