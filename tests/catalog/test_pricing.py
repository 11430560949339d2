"""Prices: always enough to buy the key and keep the margin, never a float, never below the supplier's."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.pricing import LEAST_MARGIN, most_we_pay, price_for
from app.core.money import CENT

costs = st.decimals("0.01", 500, places=2)
rates = st.decimals("0.5", 2, places=4)


@given(costs, rates)
def test_every_price_leaves_at_least_the_margin_after_buying(cost: Decimal, rate: Decimal) -> None:
    price = price_for(cost, rate, "USD").amount
    assert price - cost * rate >= LEAST_MARGIN * price


@given(costs, rates)
def test_what_we_list_we_are_willing_to_buy(cost: Decimal, rate: Decimal) -> None:
    assert most_we_pay(price_for(cost, rate, "USD").amount, rate) >= cost


@given(st.decimals("0.01", 10_000, places=2), rates)
def test_the_most_we_pay_keeps_the_margin_and_is_the_most(paid: Decimal, rate: Decimal) -> None:
    most = most_we_pay(paid, rate)
    assert most == most.quantize(CENT)
    assert paid - most * rate >= LEAST_MARGIN * paid
    assert paid - (most + CENT) * rate < LEAST_MARGIN * paid


@given(costs, costs, rates)
def test_a_dearer_key_is_never_sold_cheaper(first: Decimal, second: Decimal, rate: Decimal) -> None:
    low, high = sorted((first, second))
    assert price_for(low, rate, "EUR") <= price_for(high, rate, "EUR")


@given(costs, rates)
def test_every_price_ends_in_nine(cost: Decimal, rate: Decimal) -> None:
    assert str(price_for(cost, rate, "EUR").amount).endswith("9")


@pytest.mark.parametrize(
    ("paid", "rate", "most"),
    [("20.00", "1.10", "17.63"), ("13.39", "1.10", "11.80"), ("13.39", "1.25", "10.39"), ("100.00", "1.00", "97.00"),
     ("0.39", "1.00", "0.37")],
)  # fmt: skip
def test_three_percent_of_what_was_paid_is_left_after_buying(paid: str, rate: str, most: str) -> None:
    assert most_we_pay(Decimal(paid), Decimal(rate)) == Decimal(most)


def test_a_price_as_one_would_work_it_out_by_hand() -> None:
    # 10 EUR at 1.10 are 11.00; with 18 % and 0.35 that is 13.33, rounded up to 13.40, less a cent.
    assert str(price_for(Decimal(10), Decimal("1.10"), "USD")) == "$13.39"
