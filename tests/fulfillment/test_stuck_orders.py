"""The last net: no paid order stays where nobody works on it."""

from datetime import timedelta

import pytest

import actors
from app.core import clock, db
from app.fulfillment import stuck_orders
from app.queue import service as jobs
from app.queue.hooks import hooks
from tests.builders import buy, check, count, events, job_names, order, paid, rows

assert actors.broker  # registers who hears of dead letters
LATER = stuck_orders.PATIENCE + timedelta(minutes=1)


async def lose_the_jobs() -> None:
    await db.fetch("UPDATE job SET status = 'completed' WHERE status IN ('pending', 'processing')")


async def test_a_paid_order_whose_jobs_are_all_gone_is_taken_up_again(app, box, drain) -> None:
    order_id, _ = await paid(app.state.kit, box, 1)
    await lose_the_jobs()
    with clock.travelled(LATER):
        assert await stuck_orders.resume() == 1
        assert "supply.picked_up" in await events(order_id)
        await drain()
    assert (await order(order_id)).status == "fulfilled"
    assert len(await box.orders()) == 1


async def test_a_bought_order_that_nobody_follows_is_asked_about_and_not_bought_again(app, box, drain) -> None:
    order_id, (item,) = await paid(app.state.kit, box, 1)
    await buy(app.state.kit, item)
    await lose_the_jobs()
    await db.fetch("UPDATE reservation SET next_check_at = NULL")
    with clock.travelled(LATER):
        assert await stuck_orders.resume() == 1
        assert await job_names() == ["fulfillment.check"]
        await drain()
    assert (await order(order_id)).status == "fulfilled"
    assert len(await box.orders()) == 1


async def test_an_order_whose_job_gave_up_is_put_before_a_person_once(app, box) -> None:
    order_id, _ = await paid(app.state.kit, box, 1)
    await db.fetch("UPDATE job SET status = 'completed' WHERE status IN ('pending', 'processing')")
    await db.fetch("UPDATE job SET status = 'failed' WHERE name = 'fulfillment.reserve'")
    with clock.travelled(LATER):
        assert await stuck_orders.resume() == 1
        assert (await order(order_id)).reasons == ["given up by its job: fulfillment.reserve"]
        assert await stuck_orders.resume() == 0


@pytest.mark.parametrize(("job", "cause"), [
    ("fulfillment.reserve", "given up by its job: fulfillment.reserve"), ("fulfillment.check", None),
])  # fmt: skip
async def test_an_order_is_put_before_a_person_as_soon_as_the_job_that_gets_its_keys_is_given_up(
    app, box, job: str, cause: str | None
) -> None:
    order_id, _ = await paid(app.state.kit, box, 1)
    await db.fetch("UPDATE job SET name = $1 WHERE name = 'fulfillment.reserve'", job)
    assert stuck_orders.given_up == hooks.on_dead_letter
    lease = await jobs.claim(await db.fetch_value("SELECT id FROM job WHERE name = $1", job))
    assert lease is not None
    assert (await order(order_id)).reasons == []
    assert await jobs.dead_letter(lease, "refused") is True
    assert (await order(order_id)).reasons == ([cause] if cause else [])


async def test_an_order_that_needs_no_key_any_more_is_left_alone_when_its_job_is_given_up(app, box) -> None:
    order_id, _ = await paid(app.state.kit, box, 1)
    await db.fetch("UPDATE customer_order SET frozen_at = now()")
    before = await rows()
    await stuck_orders.given_up(order_id, "fulfillment.reserve")
    assert await rows() == before


async def test_orders_that_are_worked_on_or_young_are_left_alone(app, box) -> None:
    _, (item,) = await paid(app.state.kit, box, 1)
    with clock.travelled(LATER):
        before = await rows()
        assert await stuck_orders.resume() == 0  # its job is pending
        assert await rows() == before
    found = await buy(app.state.kit, item)
    await check(app.state.kit, found)
    await lose_the_jobs()
    before = await rows()
    assert await stuck_orders.resume() == 0  # young
    assert await rows() == before
    assert await count("event", "kind = 'supply.picked_up'") == 0
