"""Prices and limits as one works them out by hand: no number here comes from the code."""

from decimal import Decimal
from typing import Any

import pytest

from app.catalog.pricing import doubt, most_we_pay, price_for


@pytest.mark.parametrize(
    ("cost", "rate", "price"),
    [
        ("10", "1.10", "$13.39"),  # 11.00, with 18 % and 0.35 13.33
        ("10", "1.20", "$14.59"),  # 12.00, 14.51
        ("12.49", "1.10", "$16.59"),  # 13.739, 16.562
        ("0.05", "1.10", "$0.49"),  # 0.055, 0.4149
        ("59.99", "1.0843", "$77.19"),  # 65.047, 77.106
    ],
)
def test_a_key_costs_what_the_supplier_asks_a_fifth_and_a_third_of_a_dollar_more(cost, rate, price: Any) -> None:
    assert str(price_for(Decimal(cost), Decimal(rate), "USD")) == price


@pytest.mark.parametrize(
    ("paid", "rate", "most"),
    [
        ("13.39", "1.10", "11.80"),  # 97 % are 12.9883 dollars, which are 11.8075 euros
        ("13.39", "1.20", "10.82"),  # 10.8235
        ("12.05", "1.10", "10.62"),  # with a tenth off: 11.6885 dollars, 10.6259 euros
        ("100.00", "1.00", "97.00"),
        ("1.00", "1.25", "0.77"),  # 0.776
    ],
)
def test_three_percent_of_what_was_paid_are_left_and_not_a_cent_less(paid, rate, most: Any) -> None:
    assert str(most_we_pay(Decimal(paid), Decimal(rate))) == most
    assert Decimal(paid) - Decimal(most) * Decimal(rate) >= Decimal(paid) * Decimal("0.03")


@pytest.mark.parametrize(
    ("offered", "usual", "believed"),
    [
        ("12", "12", True), ("3", "12", True), ("2.99", "12", False), ("48", "12", True), ("48.01", "12", False),
        ("0.01", None, True), ("100000", None, True), ("100000.01", None, False), ("0", None, False),
        ("0", "12", False), ("5", "0", True),
    ],
)  # fmt: skip
def test_a_quarter_and_four_times_the_price_are_believed_and_no_more(offered, usual, believed: Any) -> None:
    assert (doubt(Decimal(offered), Decimal(usual) if usual else None) is None) is believed


def test_no_price_at_all_is_not_believed() -> None:
    assert doubt(None, None) == "Our supplier gives no price for it"
