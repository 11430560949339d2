"""Following a purchase to its keys: asked for, fetched when there, each key once, to the end or before a person."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core import clock, db
from app.core.settings import settings
from app.fulfillment import steps
from app.fulfillment.steps import CHECKS_A_SWEEP, LONGEST_CHECK, RECHECK_LEASE, SILENCE
from app.keys import reveal as keys
from app.orders.models import OrderItem
from app.providers.kinguin import Kinguin
from app.suppliers.kinguin import KinguinSupplier
from app.suppliers.port import Suppliers
from app.suppliers.registry import open_suppliers
from tests.builders import (
    NOW,
    VISITOR,
    Undone,
    buy,
    check,
    collect,
    count,
    delivered,
    events,
    job_names,
    order,
    overtaken,
    paid,
    reservation,
    rows,
    supplier_product,
    torn,
)  # fmt: skip

SECOND = timedelta(seconds=1)
DUE = timedelta(seconds=5)
Bought = tuple[UUID, OrderItem, dict[str, Any]]


async def bought(app: Any, box: Any, quantity: int = 1, where: str | None = None, **set_product: Any) -> Bought:
    """An order, its item, and its reservation at the supplier, whose product is set so before."""
    order_id, (item,) = await paid(app.state.kit, box, quantity, **({"where": where} if where else {}))
    if set_product:
        await box.set_product(await supplier_product(item), **set_product)
    return order_id, item, await buy(app.state.kit, item)


async def status(item: OrderItem) -> str:
    return str((await reservation(item))["status"])


async def shown(app: Any, order_id: UUID, item: OrderItem) -> list[str]:
    found = await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    return [key.value.reveal().decode() for key in found]


async def test_keys_that_are_there_are_fetched_sealed_and_the_customer_written_to(app, box) -> None:
    order_id, item, found = await bought(app, box, 2)
    await check(app.state.kit, found)
    assert await status(item) == "ready"
    await collect(app.state.kit, found)
    done = await order(order_id)
    assert (await status(item), done.status, done.items[0].status) == ("delivered", "fulfilled", "fulfilled")
    assert await count("sealed_key") == 2
    assert await count("mail", "kind = 'key_ready'") == 1
    assert (await events(order_id))[-3:] == ["supply.ready", "key.sealed", "order.fulfilled"]


async def test_each_step_again_changes_nothing(app, box) -> None:
    _, _, found = await bought(app, box, 2)
    for step in (check, collect):
        await step(app.state.kit, found)
        before = await rows()
        await check(app.state.kit, found)
        await collect(app.state.kit, found) if step is collect else None
        assert await rows(but=["job"]) == {n: lines for n, lines in before.items() if n != "job"}


async def test_several_units_of_several_items_get_distinct_keys(app, box) -> None:
    order_id, items = await delivered(app.state.kit, box, 2, 3, 1)
    found = [key for item in items for key in await shown(app, order_id, item)]
    assert len(found) == len(set(found)) == 6
    assert len(await box.orders()) == 3


async def test_a_delivery_that_takes_its_time_is_asked_for_again_and_again(app, box) -> None:
    order_id, item, found = await bought(app, box, mode="by_hand")
    waits = []
    for _ in range(3):
        await check(app.state.kit, found)
        waits.append(((await reservation(item))["next_check_at"] - clock.now()).total_seconds())
    assert waits == sorted(waits)
    assert waits[-1] <= LONGEST_CHECK
    assert (await status(item), await count("sealed_key")) == ("reserved", 0)
    await box.act(found["supplier_order_id"], "deliver")
    await check(app.state.kit, found)
    await collect(app.state.kit, found)
    assert (await order(order_id)).status == "fulfilled"


async def test_a_partial_delivery_is_kept_and_the_rest_fetched_later(app, box) -> None:
    order_id, item, found = await bought(app, box, 3, partial=1)
    await check(app.state.kit, found)
    await collect(app.state.kit, found)
    assert (await status(item), await count("sealed_key")) == ("reserved", 1)
    assert (await order(order_id)).status == "paid"
    first = await shown(app, order_id, item)
    for _ in range(2):
        await box.act(found["supplier_order_id"], "deliver_one")
        await check(app.state.kit, found)
        await collect(app.state.kit, found)
    everything = await shown(app, order_id, item)
    assert (await order(order_id)).status == "fulfilled"
    assert (everything[:1], len(set(everything))) == (first, 3)
    ordinals = await db.fetch("SELECT ordinal FROM sealed_key ORDER BY ordinal")
    assert [r["ordinal"] for r in ordinals] == [0, 1, 2]


async def test_image_keys_are_kept_as_the_images_they_are(app, box) -> None:
    order_id, item, found = await bought(app, box, 2, where="NOT text_keys")
    await check(app.state.kit, found)
    await collect(app.state.kit, found)
    found_keys = await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    assert {k.media_type for k in found_keys} == {"image/png"}
    assert len({k.value.reveal() for k in found_keys}) == 2


@pytest.mark.parametrize(("act", "said"), [("cancel", "canceled"), ("refund", "refunded")])
async def test_an_order_the_supplier_ends_goes_before_a_person(app, box, act: str, said: str) -> None:
    order_id, item, found = await bought(app, box, mode="by_hand")
    await box.act(found["supplier_order_id"], act)
    await check(app.state.kit, found)
    done = await order(order_id)
    assert (await reservation(item))["next_check_at"] is None
    assert (done.status, done.fulfillment_status, done.items[0].status) == ("paid", "failed", "failed")
    assert done.reasons == [f"the supplier has {said} our order"]
    assert await status(item) == {"canceled": "cancelled", "refunded": "refunded"}[said]


async def test_what_was_delivered_before_the_supplier_ended_the_order_is_kept(app, box) -> None:
    order_id, item, found = await bought(app, box, 2, partial=1)
    await box.act(found["supplier_order_id"], "cancel")
    await check(app.state.kit, found)
    await collect(app.state.kit, found)
    await check(app.state.kit, found)
    assert (await status(item), len(await shown(app, order_id, item))) == ("cancelled", 1)
    assert (await order(order_id)).fulfillment_status == "failed"


async def test_what_was_ready_and_is_taken_back_before_it_is_fetched_goes_before_a_person(app, box) -> None:
    order_id, item, found = await bought(app, box)
    await check(app.state.kit, found)
    assert await status(item) == "ready"
    await box.act(found["supplier_order_id"], "refund")
    await collect(app.state.kit, found)
    assert await count("sealed_key") == 0
    await check(app.state.kit, found)
    assert await status(item) == "refunded"
    assert (await order(order_id)).reasons == ["the supplier has refunded our order"]


async def test_keys_that_were_sealed_by_a_process_that_died_are_sealed_anew(app, box) -> None:
    order_id, item, found = await bought(app, box, 2)
    await check(app.state.kit, found)
    with pytest.raises(Undone):
        await steps.collect(found["id"], suppliers=open_suppliers(app.state.kit), store=app.state.store, commit=torn)
    assert await count("sealed_key") == 0
    await collect(app.state.kit, found)
    assert len(set(await shown(app, order_id, item))) == 2


class Repeating(httpx.AsyncBaseTransport):
    """A supplier that gives one key's text under two ids; ``mended`` gives the second unit its own."""

    mended = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        rows = [{"id": f"key-{n}", "serial": "AAAA-BBBB", "type": "text/plain"} for n in (1, 2)]
        if self.mended:
            rows[1]["serial"] = "CCCC-DDDD"
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(rows).encode()), request=request)


async def test_the_same_key_twice_is_one_key_and_the_other_unit_waits_for_its_own(app, box) -> None:
    order_id, item, found = await bought(app, box, 2)
    line = Repeating()
    twice = Kinguin("https://supplier.example/esa/api", "key", transport=line)
    await steps.collect(found["id"], suppliers=Suppliers([KinguinSupplier(twice)]), store=app.state.store, commit=NOW)
    assert await count("sealed_key") == 1
    assert (await order(order_id)).status == "paid"
    assert (await reservation(item))["next_check_at"] is not None
    line.mended = True
    await steps.collect(found["id"], suppliers=Suppliers([KinguinSupplier(twice)]), store=app.state.store, commit=NOW)
    assert sorted(await shown(app, order_id, item)) == ["AAAA-BBBB", "CCCC-DDDD"]
    assert (await order(order_id)).status == "fulfilled"


async def test_a_supplier_that_answers_at_once_leaves_keys_that_can_be_revealed_at_once(app, box, drain) -> None:
    """All is there with the answer to the buy: nothing waits for a notice that came before we knew the order."""
    order_id, (item,) = await paid(app.state.kit, box, 2)
    await box.settings(deliveryDelay=0)
    await drain()
    assert (await order(order_id)).status == "fulfilled"
    assert len(set(await shown(app, order_id, item))) == 2


async def test_what_a_process_that_died_put_into_the_store_goes_when_it_is_old(app, box) -> None:
    order_id, _, found = await bought(app, box)
    with pytest.raises(Undone):
        await steps.collect(found["id"], suppliers=open_suppliers(app.state.kit), store=app.state.store, commit=torn)
    folder = settings().bitloot_var / "blobs" / "keys" / str(order_id)
    assert len(list(folder.iterdir())) == 1
    await keys.retire(clock.now() - timedelta(hours=1), store=app.state.store)
    assert len(list(folder.iterdir())) == 1
    await keys.retire(clock.now() + timedelta(days=2), store=app.state.store)
    assert not folder.exists() or not list(folder.iterdir())


async def test_two_who_collect_at_once_leave_one_key_a_unit(app, drain, box) -> None:
    order_id, item, found = await bought(app, box, 2)
    await check(app.state.kit, found)
    await asyncio.gather(*(collect(app.state.kit, found) for _ in range(4)), return_exceptions=True)
    await drain(only="fulfillment.collect", later=True)
    assert len(set(await shown(app, order_id, item))) == 2
    assert (await events(order_id)).count("order.fulfilled") == 1
    assert await count("mail", "kind = 'key_ready'") == 1


async def test_who_collects_second_fails_nothing_and_adds_nothing(app, box) -> None:
    """Two looks at one order may each post a collection: the second is no failed attempt that alerts somebody."""
    order_id, (item,) = await paid(app.state.kit, box, 2)
    found = await buy(app.state.kit, item)
    await check(app.state.kit, found)
    first = overtaken(lambda: collect(app.state.kit, found))
    await steps.collect(found["id"], suppliers=open_suppliers(app.state.kit), store=app.state.kit.store, commit=first)
    assert await count("sealed_key") == 2
    assert (await events(order_id)).count("key.sealed") == 1
    assert (await order(order_id)).status == "fulfilled"


async def test_two_who_check_at_once_tell_it_once(app, box) -> None:
    order_id, _, found = await bought(app, box)
    await asyncio.gather(*(check(app.state.kit, found) for _ in range(4)))
    assert (await events(order_id)).count("supply.ready") == 1
    assert (await job_names()).count("fulfillment.collect") == 1


async def test_a_look_that_is_overtaken_by_the_delivery_disturbs_nothing(app, box) -> None:
    order_id, item, found = await bought(app, box, mode="by_hand")

    async def deliver() -> None:
        await box.act(found["supplier_order_id"], "deliver")
        await check(app.state.kit, found)
        await collect(app.state.kit, found)

    await steps.check(found["id"], suppliers=open_suppliers(app.state.kit), commit=overtaken(deliver))
    assert ((await order(order_id)).status, (await reservation(item))["next_check_at"]) == ("fulfilled", None)


async def test_a_day_of_silence_puts_the_order_before_a_person_and_is_still_asked_about(app, box) -> None:
    order_id, item, found = await bought(app, box, mode="by_hand")
    with clock.travelled(SILENCE - SECOND):
        await check(app.state.kit, found)
    assert (await order(order_id)).reasons == []
    with clock.travelled(SILENCE + SECOND):
        await check(app.state.kit, found)
        assert (await reservation(item))["next_check_at"] > clock.now()
    assert (await order(order_id)).reasons == ["the supplier has not delivered for a day"]
    assert await status(item) == "reserved"


async def test_the_sweep_asks_about_what_is_due_once(app, box) -> None:
    await bought(app, box, mode="by_hand")
    await db.fetch("DELETE FROM job")
    assert await steps.post_due_checks() == 0
    with clock.travelled(DUE):
        assert sum(await asyncio.gather(*(steps.post_due_checks() for _ in range(5)))) == 1
    with clock.travelled(DUE + RECHECK_LEASE):
        assert await steps.post_due_checks() == 1
    assert await job_names() == ["fulfillment.check"]
    assert CHECKS_A_SWEEP >= 1


async def test_what_is_finished_is_not_asked_about_any_more(app, box) -> None:
    await delivered(app.state.kit, box)
    with clock.travelled(timedelta(days=30)):
        assert await steps.post_due_checks() == 0


async def test_a_supplier_that_is_down_leaves_everything_as_it_is(app, box) -> None:
    _, _, found = await bought(app, box)
    before = await rows()
    for step in (steps.check, steps.collect):
        await box.fault("kinguin", "error500", count=1)
        more = {"store": app.state.store} if step is steps.collect else {}
        with pytest.raises(Exception, match="500"):
            await step(found["id"], suppliers=open_suppliers(app.state.kit), commit=NOW, **more)
    assert await rows() == before
