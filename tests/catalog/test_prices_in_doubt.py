"""A price that can't be believed is sold to nobody: it waits for a person, or until the supplier's price is back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.catalog import queries
from app.catalog.listing import MOST_TOLD
from app.core import clock, db
from app.orders import service as orders
from tests.catalog.listing import Supplier, on_sale, ours, row, told

ID = f"{1:024x}"


@pytest.fixture
async def supplier(app) -> AsyncIterator[Supplier]:
    """One product at 12.49 EUR, on sale, and nothing else."""
    await db.fetch("UPDATE product SET active = false, updated_at = now()")
    made = Supplier(row(1, price="12.49"))
    await made.sync()
    yield made
    await db.fetch("DELETE FROM order_item")
    await db.fetch("DELETE FROM product WHERE platform = 'Oddbox'")
    await db.fetch("UPDATE product SET updated_at = now()")


async def product() -> dict[str, Any]:
    return (await ours())[ID]


@pytest.mark.parametrize(
    ("price", "said"),
    [
        (0, "gives no price"), ("0.00", "gives no price"), (None, "gives no price"), ("", "gives no price"),
        (-12, "gives no price"), ("free", "gives no price"), ([12], "gives no price"), (True, "gives no price"),
        ("0.01", "€0.01 for it, before €12.49"), ("1.24", "€1.24"), ("3.12", "€3.12"), ("49.97", "€49.97"),
        (1249, "€1249.00"), (10**30, "€1000000000000000000000000000000"),
    ],
)  # fmt: skip
async def test_a_price_that_cannot_be_meant_is_not_sold_and_a_person_is_asked(supplier, price: Any, said: str) -> None:
    for learn in (supplier.sync, lambda: supplier.refresh(ID)):
        supplier.rows[0]["price"] = price
        await learn()
        found = await product()
        assert (found["active"], found["cost"], str(found["price"])) == (False, Decimal("12.49"), "16.59")
        words = (await told(f"product:{found['id']}"))["price_implausible"]
        assert said in words
        assert "Odd Game 1" in words
        with pytest.raises(orders.BadItems):
            await orders.quote([orders.Wanted(found["id"], 1)])
        supplier.rows[0]["price"] = "12.49"
        await learn()
        assert await on_sale() == [ID], "and it is sold again as soon as its price is back"
        assert await told(f"product:{found['id']}") == {}


@pytest.mark.parametrize(("price", "ours_"), [("3.13", "4.49"), ("49.96", "65.19"), ("12.00", "15.99")])
async def test_a_sale_of_three_quarters_off_and_four_times_the_price_still_sell(
    supplier, price: str, ours_: str
) -> None:
    supplier.rows[0]["price"] = price
    await supplier.sync()
    found = await product()
    assert (found["active"], found["cost"], str(found["price"])) == (True, Decimal(price), ours_)


async def test_many_small_steps_in_a_day_are_a_large_one(supplier) -> None:
    for price, sold in (("8.00", True), ("4.00", True), ("2.00", False)):
        supplier.rows[0]["price"] = price
        await supplier.sync()
        assert (await product())["active"] is sold
    with clock.travelled(timedelta(days=2)):
        supplier.rows[0]["price"] = "4.00"
        await supplier.sync()
        supplier.rows[0]["price"] = "2.00"
        await supplier.sync()
        assert (await product())["active"], "since yesterday it has only halved"


async def test_a_held_product_is_no_other_offer_of_the_same_game_and_tells_what_it_costs(supplier) -> None:
    supplier.rows[0]["price"] = "1.00"
    await supplier.sync()
    found = await product()
    assert await queries.offers(found["id"], most=Decimal(100), quantity=1) == []
    assert (await queries.for_purchase(found["id"])).cost == 1


async def test_hundreds_of_odd_prices_at_once_are_told_once_beside_the_first_ones(supplier) -> None:
    supplier.rows += [row(number, price=10) for number in range(2, 202)]
    await supplier.sync()
    for one in supplier.rows:
        one["price"] = 1000
    await supplier.sync()
    assert await on_sale() == []
    assert await db.fetch_value("SELECT count(*) FROM issue WHERE code = 'price_implausible'") == MOST_TOLD == 50
    assert (await told("catalog:kinguin"))["prices_implausible"].startswith("201 products have a price")
    for one in supplier.rows:
        one["price"] = 10
    await supplier.sync()
    assert len(await on_sale()) == 201
    assert await db.fetch_value("SELECT count(*) FROM issue WHERE resolved_at IS NULL") == 0
