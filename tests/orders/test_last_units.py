"""Last units: whoever is seen paying for them is not raced by the next one, and no more are sold than can be bought."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.catalog import service as catalog
from app.core import clock, db
from app.orders import service as orders
from app.orders.service import OutOfStock, Wanted
from app.suppliers.kinguin import KinguinSupplier
from app.web.store import order_view
from tests.builders import EMAIL, ask, look, order, products, rows


@pytest.fixture
async def last(app, box) -> AsyncIterator[dict[str, Any]]:
    """A product of which so many are left."""
    (mine,) = await products()
    await box.set_product(mine["supplier_product_id"], stock=2, textStock=2)
    await catalog.sync(listing=KinguinSupplier(app.state.kit.kinguin))
    yield mine
    await db.fetch("UPDATE product SET updated_at = now() WHERE id = $1", mine["id"])


async def bought(mine: dict[str, Any], quantity: int) -> UUID:
    placed = await orders.place(EMAIL, await orders.quote([Wanted(mine["id"], quantity)]), pay_currency="usdttrc20")
    return placed.order_id


async def test_what_somebody_is_seen_paying_for_is_not_offered_to_the_next(app, box, last) -> None:
    first = await bought(last, 2)
    assert (await orders.quote([Wanted(last["id"], 1)])).total.amount == last["price"], "nothing is paid yet"
    payment = await ask(app.state.kit, first)
    await box.pay(payment.provider_payment_id, "confirming")
    await look(app.state.kit, payment)
    assert (await order(first)).status == "confirming"
    before = await rows()
    with pytest.raises(OutOfStock, match="someone is paying for the last one right now"):
        await orders.quote([Wanted(last["id"], 1)])
    assert await rows() == before


async def test_what_is_left_beside_it_is_still_sold(app, box, last) -> None:
    payment = await ask(app.state.kit, await bought(last, 1))
    await box.pay(payment.provider_payment_id)
    await look(app.state.kit, payment)
    assert (await orders.quote([Wanted(last["id"], 1)])).total.amount == last["price"]
    with pytest.raises(OutOfStock, match="only 1 left"):
        await orders.quote([Wanted(last["id"], 2)])


async def test_a_payment_that_came_to_nothing_gives_them_back(app, box, last) -> None:
    first = await bought(last, 2)
    payment = await ask(app.state.kit, first)
    await box.pay(payment.provider_payment_id, "confirming")
    await look(app.state.kit, payment)
    with pytest.raises(OutOfStock):
        await orders.quote([Wanted(last["id"], 1)])
    with clock.travelled(timedelta(days=1, minutes=1)):
        assert (await orders.quote([Wanted(last["id"], 1)])).lines, "a hold ends by itself"
    await box.pay(payment.provider_payment_id, "failed")
    await look(app.state.kit, payment)
    assert (await orders.quote([Wanted(last["id"], 2)])).lines


async def test_of_ten_of_which_two_are_text_two_are_sold(app, box) -> None:
    (mine,) = await products()
    await box.set_product(mine["supplier_product_id"], stock=10, textStock=2)
    await catalog.sync(listing=KinguinSupplier(app.state.kit.kinguin))
    with pytest.raises(OutOfStock, match="Only 2 left"):
        await orders.quote([Wanted(mine["id"], 5)])
    assert (await orders.quote([Wanted(mine["id"], 2)])).lines


async def test_whoever_waits_with_an_address_is_told_that_another_one_pays_for_the_last(app, box, last) -> None:
    first, second = await bought(last, 2), await bought(last, 1)
    payment = await ask(app.state.kit, first)
    await ask(app.state.kit, second)
    assert await orders.taken_meanwhile(second) is None
    await box.pay(payment.provider_payment_id, "confirming")
    await look(app.state.kit, payment)
    assert await orders.taken_meanwhile(second) == last["name"]
    shown = await order_view.build(await order(second))
    assert (shown.taken, shown.to_pay) == (last["name"], True)
    await box.pay(payment.provider_payment_id, "failed")
    await look(app.state.kit, payment)
    assert (await order_view.build(await order(second))).taken is None
