"""The last net: a paid order that nobody works on, and no person was told of, is brought to one of both."""

from datetime import datetime, timedelta
from uuid import UUID

from app.core import clock, db, log
from app.fulfillment import customer_letters, withdrawal
from app.fulfillment.models import MissingItem
from app.fulfillment.track import post_check
from app.history import queries as timelines
from app.history import service as history
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.orders import promised_times, reasons
from app.orders import service as orders
from app.orders.models import Order
from app.queue import aliases
from app.queue import queries as job_rows
from app.queue import service as jobs

PATIENCE = timedelta(minutes=10)  # an order that is worked on has a job, or a look at the supplier that is due
STUCK = "given up by its job: "  # how the reason begins; the dead letter has the details
GETS_KEYS = {"fulfillment.reserve", *aliases.names("fulfillment.collect")}  # jobs without which no key comes
MOST = 100  # orders a round
LATE = timedelta(minutes=30)  # after payment: then the owner hears, and the customer may take the money back
SLOW_EVENT = "supply.slow"  # past the time in which nine of ten have their keys

# An order that waits for supply, or that a person has to check, is not forgotten.
_WAITS = reasons.stands("p", reasons.SUPPLY | {IssueCode.KEYS_WENT_BACK, IssueCode.ORDER_NOTE})
_IDLE = f"""p.status = 'paid' AND p.frozen_at IS NULL AND NOT {_WAITS} AND p.paid_at < $1
  AND NOT EXISTS (SELECT FROM job j WHERE j.subject = p.id AND j.status IN ('pending', 'processing'))
  AND NOT EXISTS (SELECT FROM reservation r WHERE r.order_id = p.id AND r.next_check_at IS NOT NULL)"""  # noqa: S608 - our own text


async def resume() -> int:
    """Bring every forgotten order back to work, or before a person where its work was given up. Returns how many."""
    before = clock.now() - PATIENCE
    sql = f"SELECT p.id FROM customer_order p WHERE {_IDLE} ORDER BY p.paid_at LIMIT {MOST}"  # noqa: S608 - our words
    found = await db.fetch_values(sql, before)
    for order_id in found:
        await _pick_up(order_id, before)
    return len(found)


async def _pick_up(order_id: UUID, before: datetime) -> None:
    async with orders.changing(order_id):
        if await db.fetch_one(f"SELECT FROM customer_order p WHERE {_IDLE} AND p.id = $2", before, order_id) is None:
            return
        if dead := sorted(set(await job_rows.dead_for(order_id))):
            await orders.open_reason(order_id, IssueCode.JOB_GIVEN_UP, f"{STUCK}{', '.join(dead)}")
        else:
            await _resume(order_id)
    log.get("bitloot.fulfillment").error("order.forgotten", order_id=str(order_id), dead=dead)


async def given_up(order_id: UUID, job: str) -> None:
    """A job of an order was given up for good: where that keeps a paid order from its keys, a person hears at once."""
    if job not in GETS_KEYS:
        return
    async with orders.changing(order_id) as order:
        waits = order is not None and order.status == "paid" and order.frozen_at is None
        if waits and not await orders.has_reason(order_id, orders.SUPPLY):
            await orders.open_reason(order_id, IssueCode.JOB_GIVEN_UP, f"{STUCK}{job}")


async def report_slow() -> int:
    """Say on each paid order's timeline once that its key takes longer than usual, and, past LATE, that it is late.

    Late, its owner hears, its customer is written to and may take the money back. Returns how many are late now.
    """
    usual, now = await promised_times.key_time(), clock.now()
    if usual is not None and usual < LATE:
        for order_id in await _waiting(now - usual, SLOW_EVENT):
            await _tell(order_id, SLOW_EVENT)
    late = await _waiting(now - LATE, withdrawal.LATE)
    for order_id in late:
        await _tell(order_id, withdrawal.LATE)
    return len(late)


_RETRIED = "SELECT max(seq) AS seq, max(at) AS at FROM event WHERE subject = p.id AND kind = 'supply.retried'"


async def _waiting(since: datetime, event: str) -> list[UUID]:
    """The shop's orders that wait for their keys since before then, and whose timeline does not say ``event`` yet.

    An order waits since it was paid, or since a person last asked the supplier anew.
    """
    return await db.fetch_values(
        f"""SELECT p.id FROM customer_order p, LATERAL ({_RETRIED}) r
           WHERE p.status = 'paid' AND p.merchant_id IS NULL AND p.frozen_at IS NULL
             AND p.fulfillment_status = 'processing' AND greatest(p.paid_at, r.at) < $1 AND p.paid_at < $1
             AND NOT EXISTS (SELECT FROM event e WHERE e.subject = p.id AND e.kind = $2 AND e.seq > coalesce(r.seq, 0))
           ORDER BY p.paid_at LIMIT $3""",  # noqa: S608
        since, event, MOST,
    )  # fmt: skip


async def _tell(order_id: UUID, event: str) -> None:
    async with orders.changing(order_id) as order:
        waits = order and order.status == "paid" and order.frozen_at is None
        if order is None or not waits:
            return
        retried = int(
            await db.fetch_value(
                f"SELECT coalesce(r.seq, 0) FROM customer_order p, LATERAL ({_RETRIED}) r WHERE p.id = $1",  # noqa: S608
                order_id,
            )
        )
        if await timelines.has(order_id, event, after=retried):
            return
        await history.record(order_id, event)
        if event == withdrawal.LATE:
            await _late(order, retried)


async def _late(order: Order, retried: int) -> None:
    order_id, usual = order.id, await promised_times.key_time()
    measured = f" Keys usually arrive within {promised_times.in_words(usual)}." if usual else ""
    ago = promised_times.in_words(LATE)
    said = f"Paid {ago} ago, and not all of its keys have arrived.{measured} The customer can take "
    detail = f"{said}the money back. Ask the supplier's support."
    await issues.open_issue(orders.about(order_id), IssueCode.SUPPLIER_SLOW, detail)
    await customer_letters.supplier_silent(order_id, str(retried))


async def _resume(order_id: UUID) -> None:
    """Ask again for each item that is not there: buying looks at the supplier first, so nothing is bought twice."""
    items = await db.fetch_as(
        MissingItem,
        """SELECT i.id, r.id AS reservation_id FROM order_item i
           LEFT JOIN reservation r ON r.item_id = i.id AND r.status IN ('reserved', 'ready')
           WHERE i.order_id = $1 AND i.status <> 'fulfilled'""",
        order_id,
    )
    for item in items:
        if item.reservation_id:
            await post_check(item.reservation_id, order_id)
        else:
            args = {"item_id": str(item.id)}
            await jobs.post("fulfillment.reserve", args, subject=order_id, dedupe=f"reserve:{item.id}")
    await history.record(order_id, "supply.picked_up")
