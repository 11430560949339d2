"""Two at once: first the race as it is without its guard, on the same tables and the same supplier, then the guard.

Without the first half the second would prove nothing: it might pass because the two never met.
"""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from actors.job import attempt
from app.catalog import queries as catalog
from app.core import clock, db
from app.fulfillment import failure_reasons, steps
from app.fulfillment.steps import TooEarly
from app.orders import service as orders
from app.providers.kinguin import Kinguin
from app.queue import queries as job_rows
from app.queue import service as jobs
from app.suppliers.port import Suppliers
from app.suppliers.registry import open_suppliers
from dev.environment import until
from tests.builders import EMAIL, NOW, ask, count, look, order, paid, products, reservation, supplier_product
from tests.conftest import Box

WORKERS = 8  # workers that want one job


@pytest.fixture
async def trusting(box: Box) -> Box:
    """A supplier that sells again to who asks again under the same id: that nobody does is our own doing."""
    await box.settings(duplicateMode="accept")
    return box


async def met(box: Box, callers: int, *, path: str) -> None:
    """Until so many callers are at the same point, all answered and none of them told yet."""

    async def waiting() -> bool:
        holds = (await box.http.get("/sandbox/api/holds")).json()
        return any(hold["path"] == path and hold["held"] == callers for hold in holds)

    await until(waiting, f"{callers} callers meet at {path}")
    await box.http.post("/sandbox/api/holds/release", json={})


async def hold(box: Box, *, path: str, method: str) -> None:
    body = {"provider": "kinguin", "phase": "after", "path": path, "method": method}
    assert (await box.http.post("/sandbox/api/holds", json=body)).status_code == 201


# One job, many workers.


async def careless_claim(job_id: UUID, everyone: asyncio.Barrier) -> bool:
    """Look whether it is there to be had, then take it."""
    pending = await db.fetch_value("SELECT status = 'pending' FROM job WHERE id = $1", job_id)
    await everyone.wait()
    if pending:
        await db.fetch("UPDATE job SET status = 'processing', attempt = attempt + 1 WHERE id = $1", job_id)
    return bool(pending)


async def test_workers_that_look_and_then_take_all_get_the_same_job(app) -> None:
    job_id = await jobs.post("maintenance.purge", {})
    assert job_id is not None
    everyone = asyncio.Barrier(WORKERS)
    assert sum(await asyncio.gather(*(careless_claim(job_id, everyone) for _ in range(WORKERS)))) == WORKERS


async def test_of_workers_that_want_one_job_at_once_one_does_it_and_does_it_once(app, box) -> None:
    order_id, (item,) = await paid(app.state.kit, box)
    job_id = await db.fetch_value("SELECT id FROM job WHERE subject = $1 AND name = 'fulfillment.reserve'", order_id)
    done = await asyncio.gather(*(attempt(job_id, app.state.kit) for _ in range(WORKERS)))
    assert done.count(True) == 1
    found = await job_rows.one(job_id)
    assert found is not None
    assert (found.status, found.attempt) == ("completed", 1)
    assert [o["orderExternalId"] for o in await box.orders()] == [str((await reservation(item))["id"])]


# One item, two buyers of it on our side: a job that was taken back while its first worker lives on.

SEARCH = "*/v1/order"


async def careless_purchase(kinguin: Kinguin, reserved: dict[str, Any], product: str) -> None:
    """Look for it, and buy it if it is not there."""
    if await kinguin.find(str(reserved["id"])) is None:
        await kinguin.reserve(
            external_id=str(reserved["id"]), product_id=product, quantity=reserved["quantity"],
            max_unit_price=reserved["price_limit"], text_only=True,
        )  # fmt: skip


async def test_two_that_look_and_then_buy_are_both_charged(app, trusting: Box) -> None:
    _, (item,) = await paid(app.state.kit, trusting)
    with pytest.raises(Exception):  # noqa: B017 - only its reservation is wanted
        await steps.reserve(item.id, suppliers=Suppliers([]), commit=NOW)
    reserved, product = await reservation(item), await supplier_product(item)
    await hold(trusting, path=SEARCH, method="GET")
    buying = [careless_purchase(app.state.kit.kinguin, reserved, product) for _ in range(2)]
    await asyncio.gather(met(trusting, 2, path=SEARCH), *buying)
    assert len(await trusting.orders()) == 2


async def test_of_two_workers_that_both_found_nothing_one_buys_and_the_other_looks_again(app, trusting: Box) -> None:
    _, (item,) = await paid(app.state.kit, trusting, 2)
    await hold(trusting, path=SEARCH, method="GET")
    buying = [steps.reserve(item.id, suppliers=open_suppliers(app.state.kit), commit=NOW) for _ in range(2)]
    _, *ended = await asyncio.gather(met(trusting, 2, path=SEARCH), *buying, return_exceptions=True)
    assert sorted(type(it) for it in ended if it is not None) == [TooEarly]
    (bought,) = await trusting.orders()
    assert bought["products"][0]["qty"] == 2
    with clock.travelled(steps.SEARCH_LAG):
        await steps.reserve(item.id, suppliers=open_suppliers(app.state.kit), commit=NOW)
    assert len(await trusting.orders()) == 1
    assert (await reservation(item))["supplier_order_id"] == bought["orderId"]


# One unit left, two customers. We hold no stock between order and purchase: the supplier's own count is the guard.


@pytest.fixture
async def last_one(app: Any, box: Box) -> dict[str, Any]:
    """A product of which the supplier has one unit, and we know it."""
    (product,) = await products()
    await box.set_product(product["supplier_product_id"], stock=1)
    await db.fetch("UPDATE product SET stock = 1, updated_at = now() WHERE id = $1", product["id"])
    return product


async def checked_out(kit: Any, box: Box, product: dict[str, Any]) -> UUID:
    """An order of one unit, paid for."""
    price = await orders.quote([orders.Wanted(product["id"], 1)])
    order_id = (await orders.place(EMAIL, price, pay_currency="usdttrc20")).order_id
    payment = await ask(kit, order_id)
    await box.pay(payment.provider_payment_id)
    await look(kit, payment)
    return order_id


async def test_two_buyers_can_both_pay_for_the_last_unit(app, box, last_one) -> None:
    """The race as it is at checkout: what the shelf says is no promise."""
    found = await asyncio.gather(*(checked_out(app.state.kit, box, last_one) for _ in range(2)))
    assert [(await order(order_id)).status for order_id in found] == ["paid", "paid"]
    assert (await catalog.for_purchase(last_one["id"])).stock == 1


async def test_of_two_buyers_of_the_last_unit_one_gets_it_and_the_other_is_owed_a_refund(app, box, last_one) -> None:
    found = await asyncio.gather(*(checked_out(app.state.kit, box, last_one) for _ in range(2)))
    items = [(await order(order_id)).items[0].id for order_id in found]
    await asyncio.gather(*(steps.reserve(item, suppliers=open_suppliers(app.state.kit), commit=NOW) for item in items))
    assert len(await box.orders()) == 1, "one unit, one sale"
    ended = [await order(order_id) for order_id in found]
    assert sorted(it.reasons for it in ended) == [[], [failure_reasons.SOLD_OUT]]
    assert sorted(it.fulfillment_status for it in ended) == ["failed", "processing"]
    assert await count("reservation", "status = 'reserved'") == 1
    assert failure_reasons.TROUBLES[failure_reasons.SOLD_OUT].kind is failure_reasons.Kind.REFUND
