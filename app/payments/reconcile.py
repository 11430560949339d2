"""Looking for ourselves: notices are hints, and with every one of them lost each paid order still completes."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from app.core import clock, db
from app.core.signing import MalformedJson, parse_strict
from app.history import service as history
from app.inbox import queries as inbox
from app.inbox import service as notices_inbox
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.orders import reasons
from app.orders import service as orders
from app.payments import queries
from app.payments.classify import MONEY_MOVED
from app.payments.handle_report import handle_all
from app.payments.schedule import next_look
from app.payments.states import PaymentStatus
from app.payments.tables import Payment
from app.providers.nowpayments import NowPayments, PaymentReport, PaymentUnknown, ident_of
from app.queue import service as jobs
from app.queue.polling import take_due

Commit = Callable[[], AbstractAsyncContextManager[None]]

CHECKS_A_SWEEP = 20  # payments asked about in one sweep, to stay far below the provider's unpublished limit
RECHECK_LEASE = timedelta(minutes=5)  # a check that got lost is posted again after this long
MOST_DEPOSITS = 10  # further deposits of one payment that are read in one look
FORGOTTEN = timedelta(days=1)  # an order without any payment to wait for is closed after this long
CLOSED_A_TIME = 200  # orders


async def apply_notice(notice_id: UUID, *, nowpayments: NowPayments, commit: Commit) -> None:
    """Apply a stored notice. It is a hint: how the payment stands is asked of the provider before it is believed."""
    payment_id, parent_id = _about(await inbox.body(notice_id))
    if payment_id is None:
        async with commit():
            await _unreadable(notice_id)
        return
    known = await queries.by_provider_id(payment_id)
    confirmed = await _ask(payment_id, nowpayments)
    if confirmed is None:
        async with commit():
            await notices_inbox.applied(notice_id, "ignored: the provider knows no such payment of ours")
        return
    report = replace(confirmed, parent_payment_id=confirmed.parent_payment_id or parent_id)
    parent = await _ask(report.parent_payment_id, nowpayments) if known is None and report.parent_payment_id else None
    deposits = await _deposits(report, nowpayments)
    # What a deposit completes is known by the time that the deposit is weighed.
    before = [parent] if parent is not None and parent.order_id == report.order_id else []
    async with commit():
        outcomes = await handle_all([*before, report, *deposits])
        await notices_inbox.applied(notice_id, outcomes[len(before)])


def _about(body: bytes | None) -> tuple[str | None, str | None]:
    """Which payment a notice is about, and whose further deposit it calls it; None for what can't be read."""
    try:
        read = parse_strict(body or b"")
    except MalformedJson:
        return None, None
    return ident_of(read, "payment_id"), ident_of(read, "parent_payment_id")


async def _unreadable(notice_id: UUID) -> None:
    """A genuine notice that we can't read may be about money: a person looks."""
    why = f"Notice {notice_id} of the payment provider is genuine and can't be read: find its payment in the dashboard."
    await issues.open_issue("payments", IssueCode.NOTICE_UNREADABLE, why)
    await notices_inbox.applied(notice_id, "unreadable: it names no payment of ours")


async def _ask(payment_id: str, nowpayments: NowPayments) -> PaymentReport | None:
    """The provider's own word on a payment; None when it is not one of ours (404 for any other key's)."""
    try:
        return await nowpayments.payment(payment_id)
    except PaymentUnknown:
        return None


async def _deposits(report: PaymentReport, nowpayments: NowPayments) -> list[PaymentReport]:
    """What the provider says of the further deposits that a payment names and that we don't know the end of yet."""
    found = []
    for payment_id in report.extra_ids[:MOST_DEPOSITS]:
        known = await queries.by_provider_id(payment_id)
        if known is None or known.status not in MONEY_MOVED:
            deposit = await _ask(payment_id, nowpayments)
            if deposit is not None and deposit.order_id in {report.order_id, None}:
                found.append(replace(deposit, order_id=report.order_id, parent_payment_id=report.payment_id))
    return found


async def check(payment_id: UUID, *, nowpayments: NowPayments, commit: Commit) -> None:
    """Ask the provider how a payment and its further deposits stand."""
    payment = await queries.one(payment_id)
    if payment is None or payment.provider_payment_id is None:
        return
    report = await _ask(payment.provider_payment_id, nowpayments)
    deposits = await _deposits(report, nowpayments) if report else []
    async with commit():
        if report is None:
            await _put_off(payment_id)
            return
        await handle_all([report, *deposits], looked=True)


async def _put_off(payment_id: UUID) -> None:
    """The provider doesn't know the payment, for now at least: another key of ours may have made it."""
    payment = await queries.one(payment_id)
    assert payment is not None
    now = clock.now()
    later = next_look(PaymentStatus(payment.status), payment.outcome, payment.created_at, now)
    await Payment.update(
        {Payment.next_check_at: later, Payment.checks: payment.checks + 1, Payment.updated_at: now}
    ).where(Payment.id == payment_id)


async def post_due_checks() -> int:
    """Post a check for each payment that is due for one; the clock's sweep. Returns how many."""
    async with db.transaction():
        found = await take_due(Payment, put_off=RECHECK_LEASE, most=CHECKS_A_SWEEP)
        for due in found:
            args = {"payment_id": str(due.id)}
            await jobs.post("payments.check", args, subject=due.order_id, dedupe=f"payments.check:{due.id}")
    return len(found)


async def close_forgotten() -> int:
    """Expire orders that nothing is left to wait for: refused, given up while created, or never answered for.

    One with money in it, on the way or arrived, is put before a person instead. Returns how many were looked at.
    """
    forgotten = await db.fetch_values(
        f"""SELECT id FROM customer_order o WHERE status IN ('created', 'waiting', 'confirming') AND created_at < $1
             AND (merchant_id IS NULL OR status = 'confirming' AND NOT test)  -- a merchant's order waits for ever
             AND NOT EXISTS (SELECT FROM payment p WHERE p.order_id = o.id AND next_check_at IS NOT NULL)
             AND NOT EXISTS (SELECT FROM job j WHERE j.subject = o.id AND j.name = 'payments.create'
                             AND j.status IN ('pending', 'processing'))
             AND NOT {reasons.stands("o", reasons.MONEY)} ORDER BY created_at LIMIT $2""",  # noqa: S608 - our own text
        clock.now() - FORGOTTEN, CLOSED_A_TIME,
    )  # fmt: skip
    for order_id in forgotten:
        await _close(order_id)
    return len(forgotten)


async def _close(order_id: UUID) -> None:
    async with orders.changing(order_id) as order:
        if order is None or await queries.watched(order_id):
            return  # asked for again meanwhile
        if order.status != "confirming" and not await queries.has_money(order_id):
            await orders.expire(order_id)
            return
        why = "its payment was seen but never completed"
        if await orders.open_reason(order_id, IssueCode.PAYMENT_NEVER_COMPLETED, why):
            await history.record(order_id, "payment.parked", why=why)
