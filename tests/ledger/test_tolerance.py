"""What may be missing of a price: both bounds hold, to the last digit, and what is paid by it is written off."""

from decimal import Decimal

import pytest

from app.core.money import Money
from app.ledger import accounts
from app.ledger.accounts import Account
from app.ledger.tolerance import Tolerance

SHOP = Tolerance(Decimal(1), Decimal("0.50"))
EDGES = [  # price → the most that may be missing of it
    ("0.01", "0.0001"),
    ("20.00", "0.20"),
    ("49.99", "0.4999"),
    ("50.00", "0.50"),
    ("50.01", "0.50"),
    ("9000", "0.50"),
]
HAIR = Decimal("1e-18")  # of a coin's worth


@pytest.mark.parametrize(("price", "most"), EDGES)
def test_a_shortfall_counts_as_paid_up_to_both_bounds_and_not_a_hair_beyond(price: str, most: str) -> None:
    assert SHOP.most(Decimal(price)) == Decimal(most)
    for short, taken in ((Decimal(0), True), (Decimal(most), True), (Decimal(most) + HAIR, False)):
        assert SHOP.takes(short, Decimal(price)) is taken, short


@pytest.mark.parametrize("nothing", [Tolerance(Decimal(0), Decimal(5)), Tolerance(Decimal(5), Decimal(0))])
def test_where_either_is_zero_nothing_may_be_missing(nothing: Tolerance) -> None:
    assert (nothing.takes(Decimal(0), Decimal(20)), nothing.takes(HAIR, Decimal(20))) == (True, False)


@pytest.mark.parametrize(("price", "most"), EDGES)
def test_whatever_is_paid_by_it_is_written_off_and_a_cent_more_than_rounding_makes_is_not(
    price: str, most: str
) -> None:
    total, allowed = Decimal(price), SHOP.written_off(Money(Decimal(price), "USD"))
    rounded = (total - Decimal(most)).quantize(Decimal("0.01"))
    for brought, waived in ((rounded, total - rounded), (rounded - Decimal("0.02"), Decimal(0))):
        posting = accounts.charge({Account.CUSTOMER: -brought}, total, allowed)
        assert posting[Account.TOLERANCE] == waived, brought


@pytest.mark.parametrize(("currency", "unit"), [("USD", "0.01"), ("JPY", "1"), ("KWD", "0.001")])
def test_rounding_is_allowed_for_by_one_of_the_currencys_own_units(currency: str, unit: str) -> None:
    price = Money(Decimal(20), currency)
    assert SHOP.written_off(price) - SHOP.most(price.amount) == Decimal(unit)
