"""Jobs before an open breaker: they wait, lose no attempt, say so on the timeline, and all go on when it closes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from actors.clock import sweep
from actors.job import NEEDS, attempt
from actors.retries import AttemptFailed, decide
from app.breakers import queries, service
from app.breakers.service import FAILURES
from app.core import clock, db
from app.jobs import service as jobs
from app.jobs.queries import dead_for
from tests.builders import count, events, job_names, order, paid, place, supplier_product

SECOND = timedelta(seconds=1)


async def opened(provider: str = "kinguin") -> None:
    for _ in range(FAILURES):
        await service.failed(provider, "500")


async def rounds(app: Any, seconds: float, *, step: float = 2) -> None:
    """The house for so long from now: a sweep, then all that is due, every two seconds of the clock."""
    passed = 0.0
    while passed < seconds:
        with clock.travelled(timedelta(seconds=passed)):
            await sweep()
            for job_id, _ in await jobs.due(clock.now(), 500):
                try:
                    await attempt(job_id, app.state.kit)
                except AttemptFailed as failed:
                    await decide(failed)
        passed += step


async def test_a_job_that_finds_it_open_waits_and_uses_up_no_attempt(app, box, drain) -> None:
    await paid(app.state.kit, box)
    await opened()
    assert await drain(only="fulfillment.reserve") == 1
    row = await db.fetch_one("SELECT * FROM job WHERE name = 'fulfillment.reserve'")
    assert row is not None
    assert (row["status"], row["attempt"] - row["forgiven"]) == ("pending", 0)
    assert row["run_at"] > clock.now()
    assert "kinguin is away" in row["error"]
    assert await count("job_attempt") == 0
    assert await box.orders() == []


async def test_the_timeline_says_once_that_the_order_waits_and_once_that_it_goes_on(app, box) -> None:
    order_id, _ = await paid(app.state.kit, box)
    await opened()
    await box.fault("kinguin", "error500")
    await rounds(app, 60)
    assert [e for e in await events(order_id) if "supply" in e] == ["supply.waiting", "supply.probed"]
    await box.no_faults()
    with clock.travelled(timedelta(seconds=60)):
        await rounds(app, 120)
    said = [e for e in await events(order_id) if "supply" in e]
    assert said == ["supply.waiting", "supply.probed", "supply.reserved", "supply.resumed", "supply.ready"]
    assert (await order(order_id))["status"] == "fulfilled"


async def orders_that_complete(app: Any, box: Any, down: float, *, count_of: int) -> Sequence[UUID]:
    """Orders paid for while the supplier is down for so many seconds; all are fulfilled within three minutes after."""
    await box.fault("kinguin", "error500")
    found = [(await paid(app.state.kit, box))[0] for _ in range(count_of)]
    await rounds(app, down)
    assert {(await order(o))["status"] for o in found} == {"paid"}
    assert await box.orders() == []
    await box.no_faults()
    with clock.travelled(timedelta(seconds=down)):
        await rounds(app, 180)
    assert {(await order(o))["status"] for o in found} == {"fulfilled"}
    assert await job_names("failed") == []
    assert len(await box.orders()) == count_of
    return found


async def test_a_supplier_down_for_22_seconds_costs_no_order(app, box) -> None:
    await orders_that_complete(app, box, 22, count_of=6)


async def test_a_supplier_down_for_10_minutes_costs_no_order_and_is_not_hammered(app, box) -> None:
    await orders_that_complete(app, box, 600, count_of=6)
    failed = await db.fetch_value("SELECT count(*) FROM job_attempt WHERE outcome = 'failed'")
    assert failed <= 6 + FAILURES + 600 / service.LONGEST_PAUSE.total_seconds() + 5


async def test_a_payment_provider_down_for_10_minutes_costs_no_order(app, box) -> None:
    await box.fault("nowpayments", "error500")
    order_id = await place()
    await rounds(app, 600, step=5)
    assert (await order(order_id))["status"] == "created"
    assert "payment.waiting" in await events(order_id)
    await box.no_faults()
    with clock.travelled(timedelta(seconds=600)):
        await rounds(app, 90)
    assert (await order(order_id))["status"] == "waiting"
    assert await job_names("failed") == []


@pytest.fixture
async def other_key(app):
    """Our key at the supplier is not taken any more."""
    kinguin = app.state.kit.kinguin
    mine = kinguin._headers["x-api-key"]
    kinguin._headers["x-api-key"] = "expired"
    yield lambda: kinguin._headers.update({"x-api-key": mine})
    kinguin._headers["x-api-key"] = mine


async def test_a_key_the_supplier_refuses_opens_it_at_once_and_makes_no_dead_letters(app, box, other_key) -> None:
    found = [(await paid(app.state.kit, box))[0] for _ in range(3)]
    await rounds(app, 900, step=5)
    assert await job_names("failed") == []
    assert (await queries.standing("kinguin")).why.startswith("KeyRefused")
    refused = await db.fetch_value("SELECT count(*) FROM job_attempt WHERE error LIKE 'KeyRefused%'")
    assert refused <= 2 + 900 / service.LONGEST_PAUSE.total_seconds() + 5
    other_key()
    with clock.travelled(timedelta(seconds=900)):
        await rounds(app, 120)
    assert {(await order(o))["status"] for o in found} == {"fulfilled"}


async def test_a_refusal_of_one_order_is_an_answer_and_opens_nothing(app, box, drain) -> None:
    for _ in range(FAILURES + 1):
        _, (item,) = await paid(app.state.kit, box)
        await box.set_product(await supplier_product(item), stock=0)
        await drain(only="fulfillment.reserve", later=True)
        await box.set_product(await supplier_product(item), stock=50)
    assert (await queries.standing("kinguin")).closed


async def test_a_probe_by_a_job_with_nothing_left_to_ask_is_handed_on(app, box, drain) -> None:
    """A doubled check of an order that is done calls nobody, so it proves nothing."""
    order_id, _ = await paid(app.state.kit, box)
    await drain(later=True)
    reservation_id = await db.fetch_value("SELECT id FROM reservation")
    await opened()
    with clock.travelled(service.FIRST_PAUSE + SECOND):
        await jobs.post("fulfillment.check", {"reservation_id": str(reservation_id)}, subject=order_id)
        await drain(only="fulfillment.check")
        assert (await queries.standing("kinguin")).state == "open"
        assert await service.allow("kinguin")


async def test_with_the_breakers_table_broken_orders_are_fulfilled_all_the_same(app, box, drain) -> None:
    order_id, _ = await paid(app.state.kit, box)
    await db.fetch("ALTER TABLE breaker RENAME TO breaker_elsewhere")
    try:
        with clock.travelled(timedelta(seconds=2)):
            await drain(later=True)
    finally:
        await db.fetch("ALTER TABLE breaker_elsewhere RENAME TO breaker")
    assert (await order(order_id))["status"] == "fulfilled"


def test_every_job_that_works_on_an_order_outside_knows_whom_it_needs() -> None:
    needs = {name: found for name, found in NEEDS.items() if found}
    assert needs["fulfillment.reserve"] == needs["fulfillment.check"] == ("kinguin",)
    assert needs["keys.collect"] == ("kinguin", "storage")
    assert needs["payments.create"] == needs["payments.check"] == ("nowpayments",)
    # A letter's idempotency key is forgotten after 24 hours (resend.md, 4): its patience must end before.
    assert NEEDS["mail.send"] == ()


async def test_an_order_that_alone_fails_at_a_provider_reaches_a_person_within_a_day_or_two(app, box) -> None:
    """The supplier fails this one buy for ever (kinguin.md, 8: #55), and nobody else asks it anything."""
    order_id, _ = await paid(app.state.kit, box)
    await box.fault("kinguin", "error500", path="/v2/order")
    for hour in range(36):
        with clock.travelled(timedelta(hours=hour)):
            await rounds(app, 120, step=30)
    assert await dead_for(order_id) == ["fulfillment.reserve"]
