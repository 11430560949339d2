"""Jobs before an open breaker: they wait, lose no attempt, say so on the timeline, and all go on when it closes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from actors.clock import sweep
from actors.job import NEEDS, attempt
from app.core import clock, db
from app.core.ids import new_id
from app.queue import breaker_queries, breakers
from app.queue import service as jobs
from app.queue.breakers import FAILURES
from app.queue.circuit_breaker import SPREAD
from app.queue.queries import dead_for
from app.queue.retry_policy import AttemptFailed, decide
from app.queue.service import Lease
from tests.builders import buy, count, events, job_names, order, paid, place, supplier_product
from tests.conftest import VAR

SECOND = timedelta(seconds=1)


async def opened(provider: str = "kinguin") -> None:
    for _ in range(FAILURES):
        await breakers.failed(provider, "500")


async def needed(kit: Any, name: str, args: dict[str, str]) -> tuple[str, ...]:
    """What a job of that name with these arguments needs, where that is found out by them."""
    needs: Any = NEEDS[name]
    found: tuple[str, ...] = await needs(Lease(new_id(), name, args, None, 1, 1), kit)
    return found


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
    assert (row["status"], row["attempt"] - row["uncounted_attempts"]) == ("pending", 0)
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
    assert (await order(order_id)).status == "fulfilled"


async def orders_that_complete(app: Any, box: Any, down: float, *, count_of: int) -> Sequence[UUID]:
    """Orders paid for while the supplier is down for so many seconds; all are fulfilled within three minutes after."""
    await box.fault("kinguin", "error500")
    found = [(await paid(app.state.kit, box))[0] for _ in range(count_of)]
    await rounds(app, down)
    assert {(await order(o)).status for o in found} == {"paid"}
    assert await box.orders() == []
    await box.no_faults()
    with clock.travelled(timedelta(seconds=down)):
        await rounds(app, 180)
    assert {(await order(o)).status for o in found} == {"fulfilled"}
    assert await job_names("failed") == []
    assert len(await box.orders()) == count_of
    return found


async def test_a_supplier_down_for_22_seconds_costs_no_order(app, box) -> None:
    await orders_that_complete(app, box, 22, count_of=6)


async def test_a_supplier_down_for_10_minutes_costs_no_order_and_is_not_hammered(app, box) -> None:
    await orders_that_complete(app, box, 600, count_of=6)
    failed = await db.fetch_value("SELECT count(*) FROM job_attempt WHERE outcome = 'failed'")
    assert failed <= 6 + FAILURES + 600 / breakers.LONGEST_PAUSE.total_seconds() + 5


async def test_a_payment_provider_down_for_10_minutes_costs_no_order(app, box) -> None:
    await box.fault("nowpayments", "error500")
    order_id = await place()
    await rounds(app, 600, step=5)
    assert (await order(order_id)).status == "created"
    assert "payment.waiting" in await events(order_id)
    await box.no_faults()
    with clock.travelled(timedelta(seconds=600)):
        await rounds(app, 90)
    assert (await order(order_id)).status == "waiting"
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
    assert (await breaker_queries.standing("kinguin")).why.startswith("ApiKeyRejected")
    refused = await db.fetch_value("SELECT count(*) FROM job_attempt WHERE error LIKE 'ApiKeyRejected%'")
    assert refused <= 2 + 900 / breakers.LONGEST_PAUSE.total_seconds() + 5
    other_key()
    with clock.travelled(timedelta(seconds=900)):
        await rounds(app, 120)
    assert {(await order(o)).status for o in found} == {"fulfilled"}


async def test_a_refusal_of_one_order_is_an_answer_and_opens_nothing(app, box, drain) -> None:
    for _ in range(FAILURES + 1):
        _, (item,) = await paid(app.state.kit, box)
        await box.set_product(await supplier_product(item), stock=0)
        await drain(only="fulfillment.reserve", later=True)
        await box.set_product(await supplier_product(item), stock=50)
    assert (await breaker_queries.standing("kinguin")).closed


async def test_a_probe_by_a_job_with_nothing_left_to_ask_is_handed_on(app, box, drain) -> None:
    """A doubled check of an order that is done calls nobody, so it proves nothing."""
    order_id, _ = await paid(app.state.kit, box)
    await drain(later=True)
    reservation_id = await db.fetch_value("SELECT id FROM reservation")
    await opened()
    with clock.travelled(breakers.FIRST_PAUSE + SECOND):
        await jobs.post("fulfillment.check", {"reservation_id": str(reservation_id)}, subject=order_id)
        await drain(only="fulfillment.check")
        assert (await breaker_queries.standing("kinguin")).state == "open"
        assert await breakers.allow("kinguin")


async def test_with_the_breakers_table_broken_orders_are_fulfilled_all_the_same(app, box, drain) -> None:
    order_id, _ = await paid(app.state.kit, box)
    await db.fetch("ALTER TABLE breaker RENAME TO breaker_elsewhere")
    try:
        with clock.travelled(timedelta(seconds=2)):
            await drain(later=True)
    finally:
        await db.fetch("ALTER TABLE breaker_elsewhere RENAME TO breaker")
    assert (await order(order_id)).status == "fulfilled"


async def test_every_job_that_works_on_an_order_outside_knows_whom_it_needs(app, box) -> None:
    needs = {name: found for name, found in NEEDS.items() if found}
    order_id, (item,) = await paid(app.state.kit, box)
    about_item, about_order = {"item_id": str(item.id)}, {"order_id": str(order_id)}
    assert await needed(app.state.kit, "fulfillment.reserve", about_item) == ("kinguin",)
    about_reservation = {"reservation_id": str((await buy(app.state.kit, item))["id"])}
    for name in ("fulfillment.check", "fulfillment.check_return"):
        assert await needed(app.state.kit, name, about_reservation) == ("kinguin",)
    assert await needed(app.state.kit, "fulfillment.collect", about_reservation) == ("kinguin", "storage")
    assert await needed(app.state.kit, "fulfillment.return_keys", about_order) == ("kinguin",)
    for name in ("catalog.sync", "catalog.refresh"):
        assert await needed(app.state.kit, name, {}) == ("kinguin",)
    assert needs["payments.create"] == needs["payments.check"] == ("nowpayments",)
    # A letter's idempotency key is forgotten after 24 hours (resend.md, 4): its patience must end before.
    assert NEEDS["mail.send"] == ()


async def test_an_order_that_alone_fails_at_a_provider_reaches_a_person_within_two_hours(app, box) -> None:
    """The supplier fails this one buy for ever (kinguin.md, 8: #55), and nobody else asks it anything."""
    order_id, _ = await paid(app.state.kit, box)
    await box.fault("kinguin", "error500", path="/v2/order")
    await rounds(app, 2 * 3600, step=60)
    assert await dead_for(order_id) == ["fulfillment.reserve"]
    assert (await breaker_queries.standing("kinguin")).closed


async def test_an_order_that_alone_fails_at_a_provider_holds_up_no_other(app, box, drain) -> None:
    stuck, (item,) = await paid(app.state.kit, box)
    await box.set_product(await supplier_product(item), mode="by_hand")
    await drain(only="fulfillment.reserve")
    (bought,) = await box.orders()
    reservation_id = await db.fetch_value("SELECT id FROM reservation")
    await box.set_product(await supplier_product(item), mode="normal")
    await box.fault("kinguin", "error500", path=bought["orderId"])
    for _ in range(2):  # a notice and a sweep, each unseen by the other
        await jobs.post("fulfillment.check", {"reservation_id": str(reservation_id)}, subject=stuck)
    await rounds(app, 20)
    assert await dead_for(stuck) == ["fulfillment.check"]
    assert await db.fetch_value("SELECT sum(attempt) FROM job WHERE status = 'failed'") >= FAILURES
    assert (await breaker_queries.standing("kinguin")).closed
    other, _ = await paid(app.state.kit, box)
    with clock.travelled(timedelta(seconds=20)):
        await rounds(app, 20)
    assert (await order(other)).status == "fulfilled"
    assert "supply.waiting" not in await events(stuck) + await events(other)


async def test_whose_probe_failed_waits_behind_all_who_wait_for_the_next(app, box) -> None:
    """Else an order that fails for ever could take every probe, and nobody would learn that the supplier is back."""
    await paid(app.state.kit, box)
    await opened()
    await box.fault("kinguin", "error500")
    with clock.travelled(breakers.FIRST_PAUSE + SECOND):
        job_id = await db.fetch_value("SELECT id FROM job WHERE name = 'fulfillment.reserve'")
        with pytest.raises(AttemptFailed) as failed:
            await attempt(job_id, app.state.kit)
        await decide(failed.value)
    probe_at = (await breaker_queries.standing("kinguin")).probe_at
    assert probe_at is not None
    assert await db.fetch_value("SELECT run_at FROM job WHERE id = $1", job_id) >= probe_at + timedelta(seconds=SPREAD)


@pytest.mark.parametrize("provider", ["kinguin", "nowpayments"])
async def test_a_provider_that_fails_one_path_answers_elsewhere_and_one_that_fails_all_does_not(
    app, box, provider
) -> None:
    assert await app.state.kit.answers(provider)
    await box.fault(provider, "error500", path="/v2/order")
    assert await app.state.kit.answers(provider)
    await box.fault(provider, "html_garbage")
    assert not await app.state.kit.answers(provider)


async def test_a_store_answers_while_it_can_be_written_to(app) -> None:
    blobs, aside = VAR / "blobs", VAR / "blobs-aside"
    assert await app.state.kit.answers("storage")
    blobs.rename(aside)
    blobs.write_text("a file where the folder was")
    try:
        assert not await app.state.kit.answers("storage")
    finally:
        blobs.unlink()
        aside.rename(blobs)
