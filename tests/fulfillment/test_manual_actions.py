"""A person tries a sold-out item again: the same reservation asks once more, at today's price."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.catalog import service as catalog
from app.core import db
from app.core.ids import new_id
from app.fulfillment import failure_reasons, steps
from app.fulfillment.steps import NotRetryable
from app.orders.models import OrderItem
from app.suppliers.kinguin import KinguinSupplier
from tests.builders import buy, delivered, events, order, paid, reservation, rows, supplier_product


async def sold_out(app: Any, box: Any) -> tuple[UUID, OrderItem]:
    """A paid order whose one item the supplier did not have."""
    order_id, (item,) = await paid(app.state.kit, box)
    await box.set_product(await supplier_product(item), stock=0)
    await buy(app.state.kit, item)
    assert (await reservation(item))["status"] == "out_of_stock"
    return order_id, item


async def refused(item_id: UUID) -> None:
    before = await rows()
    with pytest.raises(NotRetryable):
        await steps.retry_item(item_id)
    assert await rows() == before


async def test_once_there_is_stock_again_a_retry_completes_the_order(app, drain, box) -> None:
    order_id, item = await sold_out(app, box)
    first = await reservation(item)
    await box.set_product(await supplier_product(item), stock=5)
    await steps.retry_item(item.id)
    found = await order(order_id)
    assert (found.fulfillment_status, found.reasons, found.items[0].status) == ("processing", [], "pending")
    await drain()
    assert (await order(order_id)).status == "fulfilled"
    assert (await reservation(item))["id"] == first["id"]
    assert [o["orderExternalId"] for o in await box.orders()] == [str(first["id"])]
    assert "supply.retried" in await events(order_id)


async def test_a_retry_without_stock_ends_where_it_began(app, drain, box) -> None:
    order_id, item = await sold_out(app, box)
    await steps.retry_item(item.id)
    await drain()
    assert (await reservation(item))["status"] == "out_of_stock"
    assert (await order(order_id)).reasons == [failure_reasons.SOLD_OUT]
    assert await box.orders() == []


async def test_a_person_who_retries_accepts_todays_price(app, drain, box) -> None:
    order_id, item = await sold_out(app, box)
    product_id = await supplier_product(item)
    await box.set_product(product_id, stock=5, price="99.00")
    await catalog.refresh(product_id, listing=KinguinSupplier(app.state.kit.kinguin))
    await steps.retry_item(item.id)
    assert (await reservation(item))["price_limit"] == Decimal("99.00")
    await drain()
    assert (await order(order_id)).status == "fulfilled"


async def test_a_lower_price_never_lowers_the_limit(app, box) -> None:
    _, item = await sold_out(app, box)
    limit = (await reservation(item))["price_limit"]
    await steps.retry_item(item.id)
    assert (await reservation(item))["price_limit"] == limit


async def test_only_what_was_sold_out_can_be_retried(app, box) -> None:
    _, (waits,) = await paid(app.state.kit, box)
    await refused(waits.id)
    _, (done,) = await delivered(app.state.kit, box)
    await refused(done.id)
    await refused(new_id())


@pytest.mark.parametrize("status", ["refunded", "failed", "cancelled"])
async def test_an_order_that_is_not_paid_any_more_is_not_retried(app, box, status: str) -> None:
    order_id, item = await sold_out(app, box)
    await db.fetch("UPDATE customer_order SET status = $2 WHERE id = $1", order_id, status)
    await refused(item.id)


async def test_a_second_click_changes_nothing(app, box) -> None:
    _, item = await sold_out(app, box)
    await steps.retry_item(item.id)
    await refused(item.id)


async def test_of_two_sold_out_items_each_is_retried_on_its_own(app, drain, box) -> None:
    kit = app.state.kit
    order_id, (first, second) = await paid(kit, box, 1, 1)
    for item in (first, second):
        await box.set_product(await supplier_product(item), stock=0)
        await buy(kit, item)
    await box.set_product(await supplier_product(first), stock=5)
    await steps.retry_item(first.id)
    await drain()
    found = await order(order_id)
    assert (found.status, [i.status for i in found.items]) == ("paid", ["fulfilled", "failed"])
    assert found.reasons != []
    await box.set_product(await supplier_product(second), stock=5)
    await steps.retry_item(second.id)
    await drain()
    assert ((await order(order_id)).status, (await order(order_id)).reasons) == ("fulfilled", [])
