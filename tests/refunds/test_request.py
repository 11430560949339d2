"""How much may go back, and what is asked of whom before it does."""

import asyncio
import json
from decimal import Decimal

import pytest

from app.core import db
from app.core.ids import new_id
from app.core.money import Money
from app.issues import queries as open_issues
from app.issues.codes import IssueCode
from app.keys import reveal as keys
from app.ledger import service as ledger
from app.orders import service as orders
from app.queue import service as jobs
from app.refunds import queries, service
from app.refunds.service import NoSuchRefund, ReasonNeeded, TooMuch
from tests.builders import VISITOR, count, events, job_names, order, place, rows
from tests.refunds.builders import ADMIN, asked, fulfilled, paid_for, refund, underpaid, usd

HOW_MANY = 50


@pytest.fixture
def kit(app):
    return app.state.kit


async def test_a_refund_is_written_announced_and_mailed_in_one_go(kit, box) -> None:
    order_id = await underpaid(kit, box)
    left = await queries.refundable(order_id)
    made = await asked(order_id)
    assert (made.status, made.amount, made.currency) == ("pending", left.amount, "USD")
    assert (made.reason, made.asked_by) == ("as promised", ADMIN)
    assert made.link_id is not None
    assert (await events(order_id))[-1] == "refund.asked"
    assert await count("mail", "kind = 'refund_asked'") == 1
    assert "fulfillment.return_keys" in await job_names()
    assert await queries.refundable(order_id) == usd("0.00")


@pytest.mark.parametrize("amount", ["0.01", "5.00"])
async def test_a_part_may_go_back_and_leaves_the_rest(kit, box, amount: str) -> None:
    order_id = await paid_for(kit, box)
    before = await queries.refundable(order_id)
    await asked(order_id, usd(amount))
    assert await queries.refundable(order_id) == before - usd(amount)
    assert (await order(order_id)).frozen_at is None


async def test_no_cent_more_than_came_in_and_is_still_there(kit, box) -> None:
    order_id = await paid_for(kit, box)
    left = await queries.refundable(order_id)
    async with orders.changing(order_id):
        await ledger.refunded(order_id, new_id(), usd("1.00"))
        await ledger.credited(order_id, usd("2.00"))
    await asked(order_id, usd("3.00"))
    before = await rows()
    for amount in (left - usd("5.99"), usd("0.00"), usd("-1.00"), Money(Decimal(1), "EUR")):
        with pytest.raises(TooMuch):
            await service.ask(order_id, amount, "", ADMIN)
    with pytest.raises(NoSuchRefund):
        await service.ask(new_id(), usd("1.00"), "", ADMIN)
    assert await rows() == before
    await asked(order_id, left - usd("6.00"))


async def test_an_order_without_money_has_nothing_to_refund(app) -> None:
    order_id = await place()
    before = await rows()
    with pytest.raises(TooMuch):
        await service.ask(order_id, usd("1.00"), "", ADMIN)
    assert await service.ask_for_rest(order_id, "", ADMIN) is None
    assert await rows() == before


async def _ask_without_the_lock(order_id, amount: Money, ready: asyncio.Barrier) -> bool:
    """The service's own look and insert, but for the lock of ``orders.changing``."""
    async with db.transaction():
        left = await queries.refundable(order_id)
        await ready.wait()
        if not amount <= left:
            return False
        await db.fetch(
            """INSERT INTO refund (id, order_id, status, amount, currency, reason, asked_by, created_at)
               VALUES ($1, $2, 'pending', $3, 'USD', '', '', now())""",
            new_id(), order_id, amount.amount,
        )  # fmt: skip
        return True


async def test_without_the_lock_two_at_once_do_exceed_the_cap(kit, box) -> None:
    order_id = await paid_for(kit, box)
    left, ready = await queries.refundable(order_id), asyncio.Barrier(2)
    both = await asyncio.gather(*(_ask_without_the_lock(order_id, left, ready) for _ in range(2)))
    assert both == [True, True]
    assert await db.fetch_value("SELECT sum(amount) FROM refund") == 2 * left.amount


async def test_fifty_at_once_never_exceed_the_cap(kit, box) -> None:
    order_id = await paid_for(kit, box)
    left = await queries.refundable(order_id)
    each = usd("1.70")
    fit = int(left.amount // each.amount)

    async def one() -> bool:
        try:
            await service.ask(order_id, each, "", ADMIN)
        except TooMuch:
            return False
        return True

    done = await asyncio.gather(*(one() for _ in range(HOW_MANY)))
    assert 0 < fit < HOW_MANY
    assert sum(done) == fit
    assert await db.fetch_value("SELECT sum(amount) FROM refund") == fit * each.amount
    assert await queries.refundable(order_id) == left - each * fit
    assert await count("mail", "kind = 'refund_asked'") == fit


async def test_a_refund_of_everything_locks_the_keys_that_nobody_saw(kit, box) -> None:
    order_id, items = await fulfilled(kit, box, 2)
    made = await asked(order_id)
    assert await count("sealed_key", "locked_at IS NULL") == 0
    assert (await order(order_id)).frozen_at is not None
    but = ("audit_line", "audit_head")  # the denial is written down
    before = await rows(but=but)
    with pytest.raises(keys.KeyLocked):
        await keys.reveal(order_id, items[0].id, VISITOR, store=kit.store)
    assert await rows(but=but) == before
    assert json.loads(made.evidence)["shown"] == []
    assert len(json.loads(made.evidence)["unseen"]) == 2


async def test_a_refund_of_a_part_leaves_the_keys_alone(kit, box) -> None:
    order_id, items = await fulfilled(kit, box)
    await asked(order_id, usd("1.00"))
    assert len(await keys.reveal(order_id, items[0].id, VISITOR, store=kit.store)) == 1


async def test_a_key_that_was_shown_needs_a_reason_and_is_kept_as_evidence(kit, box) -> None:
    order_id, items = await fulfilled(kit, box)
    [shown] = await keys.reveal(order_id, items[0].id, VISITOR, store=kit.store)
    before = await rows()
    for blank in ("", "   "):
        with pytest.raises(ReasonNeeded):
            await service.ask(order_id, await queries.refundable(order_id), blank, ADMIN)
    assert await rows() == before
    made = await asked(order_id, reason="the key was used before, the supplier says")
    [kept] = json.loads(made.evidence)["shown"]
    assert kept["key"] == str(shown.key_id)
    [seen] = kept["to"]
    assert (seen["ip"], seen["actor"], seen["user_agent"]) == (VISITOR.ip, VISITOR.actor, VISITOR.user_agent)


async def test_nothing_is_bought_for_an_order_whose_money_goes_back(kit, box, drain) -> None:
    order_id = await paid_for(kit, box)
    await asked(order_id)
    await drain(later=True)
    assert await box.orders() == []
    assert (await order(order_id)).status == "paid"


async def test_a_key_that_comes_after_the_refund_was_asked_for_is_locked_on_arrival(kit, box, drain) -> None:
    await box.settings(deliveryDelay=3600)
    order_id = await paid_for(kit, box)
    await drain(only="fulfillment.reserve")
    await asked(order_id)
    [bought] = await box.orders()
    await box.act(bought["orderId"], "deliver")
    await drain(only="fulfillment.check")
    await drain(only="fulfillment.collect")
    [item] = (await order(order_id)).items
    assert await count("sealed_key", "locked_at IS NOT NULL AND revealed_at IS NULL") == 1
    assert await count("mail", "kind = 'key_ready'") == 0
    with pytest.raises(keys.KeyLocked):
        await keys.reveal(order_id, item.id, VISITOR, store=kit.store)


async def test_a_refund_turned_down_lets_the_order_go_on(kit, box, drain) -> None:
    order_id = await paid_for(kit, box)
    made = await asked(order_id)
    await drain(only="fulfillment.reserve")
    assert await box.orders() == []
    await service.fail(made.id, "you got your key", ADMIN)
    await drain(later=True)
    assert (await order(order_id)).status == "fulfilled"
    assert len(await box.orders()) == 1


async def test_a_refund_turned_down_shows_the_keys_again_and_tells_the_customer(kit, box) -> None:
    order_id, items = await fulfilled(kit, box)
    await db.fetch("UPDATE reservation SET return_asked_at = now()")  # too late to give it back
    made = await asked(order_id)
    await service.fail(made.id, "you asked for another game", ADMIN)
    assert (await refund(made.id)).error == "rejected: you asked for another game"
    assert await count("mail", "kind = 'refund_rejected' AND context->>'why' = 'you asked for another game'") == 1
    assert len(await keys.reveal(order_id, items[0].id, VISITOR, store=kit.store)) == 1


async def test_of_two_refunds_turned_down_the_last_releases_the_order(kit, box) -> None:
    order_id = await paid_for(kit, box)
    part = await asked(order_id, usd("1.00"))
    rest = await asked(order_id)
    await service.fail(rest.id, "no", ADMIN)
    assert (await order(order_id)).frozen_at is not None
    await service.fail(part.id, "no", ADMIN)
    assert (await order(order_id)).frozen_at is None


async def test_the_job_asks_for_all_that_is_left_once(kit, box, drain) -> None:
    order_id = await underpaid(kit, box)
    left = await queries.refundable(order_id)
    for _ in range(2):
        await jobs.post("refunds.request", {"order_id": str(order_id), "reason": "paid late"}, subject=order_id)
    await drain(only="refunds.request")
    [made] = await queries.of_order(order_id)
    assert (made.amount, made.reason) == (left.amount, "paid late")
    assert await job_names("failed") == []


async def test_the_job_asks_for_the_amount_it_names(kit, box, drain) -> None:
    order_id = await underpaid(kit, box)
    args = {"order_id": str(order_id), "reason": "the excess", "amount": "1.25", "currency": "USD"}
    await jobs.post("refunds.request", args, subject=order_id)
    await drain(only="refunds.request")
    [made] = await queries.of_order(order_id)
    assert made.amount == Decimal("1.25")


async def test_refunded_needs_all_of_the_money_gone(kit, box) -> None:
    order_id = await underpaid(kit, box)
    part = await asked(order_id, usd("1.00"))
    await service.record(part.id, "f" * 64, ADMIN)
    assert (await order(order_id)).status == "underpaid"
    rest = await asked(order_id)
    await service.record(rest.id, "e" * 64, ADMIN)
    assert (await order(order_id)).status == "refunded"


@pytest.mark.parametrize("status", ["underpaid", "paid", "fulfilled", "expired", "failed", "cancelled"])
async def test_every_state_in_which_money_may_lie_can_end_refunded(app, status: str) -> None:
    order_id = await place()
    await db.fetch("UPDATE customer_order SET status = $2 WHERE id = $1", order_id, status)
    for code in (IssueCode.PAID_LATE, IssueCode.SOLD_OUT, IssueCode.SUPPLIER_SLOW):
        await orders.open_reason(order_id, code, "…")
    async with db.transaction():
        await orders.refunded(order_id)
    found = await order(order_id)
    assert (found.status, await open_issues.open_for(orders.about(order_id))) == ("refunded", [])
