"""What becomes of an order: each verb is one guarded move, with its event and the next job."""

import asyncio
from uuid import UUID

import pytest

from app.core import clock, db
from app.core.ids import new_id
from app.issues.codes import IssueCode
from app.orders import queries
from app.orders import service as orders
from app.orders.service import OrderClosed
from tests.builders import count, events, job_names, order, place, rows, settle, undone

STATES = [
    "created", "waiting", "confirming", "underpaid", "paid", "fulfilled", "expired", "failed", "refunded", "cancelled",
]  # fmt: skip


async def at(status: str, *quantities: int) -> UUID:
    """An order in this state."""
    order_id = await place(*quantities)
    await db.fetch("UPDATE customer_order SET status = $2 WHERE id = $1", order_id, status)
    return order_id


async def state(order_id: UUID) -> tuple[str, str]:
    found = await order(order_id)
    return found.status, found.fulfillment_status


@pytest.mark.parametrize("status", STATES)
async def test_an_order_can_be_cancelled_until_money_is_seen(app, status: str) -> None:
    order_id = await at(status)
    before = await rows()
    if status in {"created", "waiting"}:
        await orders.cancel(order_id)
        assert await state(order_id) == ("cancelled", "pending")
        assert await events(order_id) == ["order.created", "order.cancelled"]
        return
    with pytest.raises(OrderClosed):
        await orders.cancel(order_id)
    assert await rows() == before


@pytest.mark.parametrize("status", STATES)
async def test_money_in_full_pays_what_is_open_and_nothing_that_is_closed(app, status: str) -> None:
    order_id = await at(status, 1, 2)
    before = await rows()
    pays = status in {"waiting", "confirming", "underpaid", "expired"}
    assert await settle(order_id) is pays
    if not pays:
        assert await rows() == before
        return
    assert await state(order_id) == ("paid", "processing")
    assert (await order(order_id)).paid_at is not None
    assert await job_names() == ["fulfillment.reserve"] * 2 + ["mail.send"] * 2 + ["payments.create"]
    assert await count("mail", "kind = 'payment_seen'") == 1


async def test_an_order_settled_by_ten_at_once_is_bought_once(app) -> None:
    order_id = await at("waiting", 1, 1)

    assert sum(await asyncio.gather(*(settle(order_id) for _ in range(10)))) == 1
    assert (await job_names()).count("fulfillment.reserve") == 2
    assert await events(order_id) == ["order.created", "order.paid"]


async def test_paid_and_cancelled_at_once_end_as_one_of_the_two(app) -> None:
    for _ in range(5):
        order_id = await at("waiting")
        await asyncio.gather(settle(order_id), orders.cancel(order_id), return_exceptions=True)
        told = await events(order_id)
        assert told in (["order.created", "order.paid"], ["order.created", "order.cancelled"])
        assert told[-1] == f"order.{(await state(order_id))[0]}"


async def test_an_order_is_fulfilled_with_its_last_item_and_its_customer_told_once(app) -> None:
    order_id = await at("waiting", 1, 1)
    await settle(order_id)
    first, second = (await order(order_id)).items
    await orders.item_fulfilled(order_id, first.id)
    assert await state(order_id) == ("paid", "processing")
    await orders.item_fulfilled(order_id, second.id)
    await orders.item_fulfilled(order_id, second.id)
    assert await state(order_id) == ("fulfilled", "fulfilled")
    assert await count("mail", "kind = 'key_ready'") == 1
    assert await events(order_id) == ["order.created", "order.paid", "order.fulfilled"]


async def test_a_failed_item_puts_the_order_before_a_person(app) -> None:
    order_id = await at("waiting")
    await settle(order_id)
    (item,) = (await order(order_id)).items
    await orders.item_failed(order_id, item.id, IssueCode.SOLD_OUT, "sold out")
    assert await state(order_id) == ("paid", "failed")
    (waits,) = await queries.needing()
    assert (waits.order_id, [(issue.code, issue.detail) for issue in waits.issues]) == (
        order_id, [("sold_out", "sold out")],
    )  # fmt: skip
    assert (await order(order_id)).items[0].status == "failed"


async def test_an_order_with_a_failed_item_left_stays_before_a_person_when_another_is_retried(app) -> None:
    order_id = await at("waiting", 1, 1)
    await settle(order_id)
    first, second = (await order(order_id)).items
    for item in (first, second):
        await orders.item_failed(order_id, item.id, IssueCode.SOLD_OUT, "sold out")
    await orders.item_retried(order_id, first.id)
    assert (await order(order_id)).reasons == ["sold out"]
    await orders.item_retried(order_id, second.id)
    assert await queries.needing() == []
    assert await state(order_id) == ("paid", "processing")


async def test_those_that_need_a_person_come_first_on_the_admins_list_page_by_page(app) -> None:
    made = [await at("paid") for _ in range(5)]
    for order_id in (made[0], made[2]):
        await orders.open_reason(order_id, IssueCode.SOLD_OUT, "x" * 500)
        await orders.open_reason(order_id, IssueCode.OVERPAID, "$1 is owed back")
    wanted = [made[2], made[0], made[4], made[3], made[1]]
    for size in (1, 2, 3, 10):
        pages = [await queries.page(status=None, search=None, limit=size, offset=at * size) for at in range(6)]
        assert [row.id for page in pages for row in page] == wanted, size
    only = await queries.page(status=None, search=None, limit=10, offset=0, needing=True)
    assert [row.id for row in only] == wanted[:2]
    assert await queries.count_needing() == 2
    assert await queries.page(status="waiting", search=None, limit=10, offset=0) == []


@pytest.mark.parametrize("status", STATES)
async def test_a_payment_can_be_asked_for_while_none_is_needed_to_be_seen(app, status: str) -> None:
    order_id = await at(status)
    before = await rows()
    if status in {"created", "waiting"}:
        assert await orders.ask_payment(order_id, "ltc") is not None
        assert (await order(order_id)).pay_currency == "ltc"
        return
    with pytest.raises(OrderClosed):
        await orders.ask_payment(order_id, "ltc")
    assert await rows() == before


async def test_asking_for_a_payment_of_an_unknown_order_is_refused_alike(app) -> None:
    with pytest.raises(OrderClosed):
        await orders.ask_payment(new_id(), None)
    assert await count("job") == 0


async def test_a_payment_that_is_pending_already_is_not_asked_for_twice(app) -> None:
    order_id = await place()
    asked = await asyncio.gather(*(orders.ask_payment(order_id, "ltc") for _ in range(8)))
    placed = await db.fetch_value("SELECT id FROM job WHERE name = 'payments.create'")
    assert set(asked) == {placed}
    assert (await order(order_id)).pay_currency == "ltc"


@pytest.mark.parametrize("change", ["stock = 1", "price = price + 0.01", "active = false"])
async def test_what_is_sold_out_dearer_or_gone_could_not_be_sold_again(app, change: str) -> None:
    order_id = await place(2)
    assert await orders.still_sellable(order_id)
    product_id = (await order(order_id)).items[0].product_id
    await db.fetch(f"UPDATE product SET {change}, updated_at = $2 WHERE id = $1", product_id, clock.now())
    assert not await orders.still_sellable(order_id)


async def test_a_move_in_a_transaction_that_fails_leaves_no_event_no_job_and_no_letter(app) -> None:
    order_id = await at("waiting")
    before = await rows()
    await undone(settle(order_id))
    assert await rows() == before


REASONS = {
    IssueCode.SOLD_OUT: "sold out",
    IssueCode.SUPPLY_UNFUNDED: "no balance",
    IssueCode.FURTHER_DEPOSIT: "a further deposit arrived",
    IssueCode.LEDGER_DIFFERS: "ledger: off by 0.01",
    IssueCode.PAYOUT_STUCK: "refund: look",
    IssueCode.KEY_BROKEN: "A key does not open: x",
}


async def test_a_reason_beside_others_erases_none_and_ends_by_its_own_matter_alone(app) -> None:
    order_id = await at("paid")
    for code, said in REASONS.items():
        assert await orders.open_reason(order_id, code, said)
        assert not await orders.open_reason(order_id, code, said), "it stands already"
    assert (await order(order_id)).reasons == list(REASONS.values())
    await orders.resolve_reasons(order_id, orders.SUPPLY)
    assert (await order(order_id)).reasons == list(REASONS.values())[2:]
    assert await orders.open_reason(order_id, IssueCode.LEDGER_DIFFERS, "ledger: off by 0.02"), "it is another amount"
    for code in (IssueCode.PAYOUT_STUCK, IssueCode.KEY_BROKEN, IssueCode.FURTHER_DEPOSIT):
        await orders.resolve_reasons(order_id, {code})
    assert (await order(order_id)).reasons == ["ledger: off by 0.02"]


async def test_what_is_said_beside_is_kept_whole_each_once_and_the_newest_where_not_all_fits(app) -> None:
    order_id, code = await place(), IssueCode.WRONG_COIN
    said = [f"deposit {number} {'x' * 100}" for number in range(30)]
    for one in (*said[:9], said[3]):
        await orders.open_reason(order_id, code, one, beside=True)
    (kept,) = (await order(order_id)).reasons
    assert kept.split("\n") == said[:9]
    for one in said[9:]:
        assert await orders.open_reason(order_id, code, one, beside=True)
    (kept,) = (await order(order_id)).reasons
    assert (kept.split("\n")[-1], len(kept) <= 2000, set(kept.split("\n")) < set(said)) == (said[-1], True, True)


async def test_a_delivered_order_needs_nobody_for_its_supply_any_more(app) -> None:
    order_id = await at("waiting")
    await settle(order_id)
    for code, said in REASONS.items():
        await orders.open_reason(order_id, code, said)
    (item,) = (await order(order_id)).items
    await orders.item_fulfilled(order_id, item.id)
    assert await state(order_id) == ("fulfilled", "fulfilled")
    assert (await order(order_id)).reasons == list(REASONS.values())[2:]


async def test_counts_by_state_end_where_they_would_grow_with_the_shop_and_read_an_index(app) -> None:
    order_id = await at("expired")
    for _ in range(5):
        await db.fetch(
            """INSERT INTO customer_order SELECT r.* FROM customer_order o, generate_series(1, $2::int) n,
                 LATERAL jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(), 'reference', n)) r
               WHERE o.id = $1""",
            order_id, db.MOST_COUNTED // 5 + 4,
        )  # fmt: skip
    await at("paid")
    assert await queries.counts() == {"expired": db.MOST_COUNTED, "paid": 1}
    await db.fetch("ANALYZE customer_order")
    sql = "EXPLAIN SELECT count(*) FROM (SELECT FROM customer_order WHERE status = 'failed' LIMIT 10000) AS found"
    plan = "\n".join(row[0] for row in await db.fetch(sql))
    assert ("customer_order_newest_in_status" in plan, "Seq Scan" in plan) == (True, False)
