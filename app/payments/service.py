"""Money in: asking for a payment, and applying what the provider reports of it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import clock, db
from app.core.backoff import growing
from app.core.errors import Invalid
from app.core.ids import new_id, parse_id
from app.core.machine import move
from app.core.money import Money, plain
from app.core.settings import settings
from app.core.signing import MalformedJson, parse_strict
from app.history import service as history
from app.inbox import queries as inbox
from app.inbox import service as notices_inbox
from app.jobs import service as jobs
from app.orders import queries as order_rows
from app.orders import service as orders
from app.payments import queries
from app.payments.notices import MONEY_MOVED, Effect, Expected, Verdict, judge
from app.payments.states import MOVES, PaymentStatus
from app.payments.tables import Payment
from app.providers.http import KeyRefused, ProviderConfused, ProviderRefused
from app.providers.nowpayments import NowPayments, PaymentReport, PaymentUnknown, read_report

Commit = Callable[[], AbstractAsyncContextManager[None]]

FIRST_CHECK, CHECK_FACTOR, LONGEST_CHECK = (
    30.0,
    1.5,
    3600.0,
)  # seconds: how ever more slowly a payment is looked at
MOST_CHECKS = 200  # with the intervals above a week and more: as long as an address stays good (nowpayments.md, 5)
CHECKS_A_SWEEP = 20  # payments asked about in one sweep, to stay far below the provider's unpublished limit
RECHECK_LEASE = timedelta(minutes=5)  # a check that got lost is posted again after this long
UNDERPAID = "underpaid"  # how the cause of an order that waits for the rest of its money begins
SETTLED = {PaymentStatus.FINISHED, PaymentStatus.FAILED, PaymentStatus.REFUNDED}


class CoinNotOffered(Invalid):
    title = "That coin can't be used here"


async def choose_coin(code: str | None, total: Money) -> str:
    """The coin to pay ``total`` in: the one named, else the first whose minimum it reaches. Raises CoinNotOffered."""
    offered = await queries.coins()
    if not code:
        fitting = [c for c in offered if c["minimum"] is None or c["minimum"] <= total.amount]
        if not fitting:
            raise CoinNotOffered("This order is too small to be paid in any coin.", field="pay_currency")
        return str(fitting[0]["code"])
    coin = next((c for c in offered if c["code"] == code.lower().strip()), None)
    if coin is None:
        raise CoinNotOffered("Choose one of the coins listed.", field="pay_currency")
    if coin["minimum"] is not None and coin["minimum"] > total.amount:
        least = Money(coin["minimum"], total.currency)
        detail = f"{coin['name']} takes {least} or more; this order is {total}. Choose another coin."
        raise CoinNotOffered(detail, field="pay_currency")
    return str(coin["code"])


async def open_payment(order_id: UUID, *, nowpayments: NowPayments, commit: Commit) -> None:
    """Ask the provider for an invoice and a payment on it, so that both an address and a hosted page exist."""
    order = await order_rows.one(order_id)
    if order is None or order["status"] not in {"created", "waiting"}:
        return
    total = Money(order["total"], order["currency"])
    try:
        coin = await choose_coin(order["pay_currency"], total)
        payment_id = await _begin_attempt(order, coin)
        invoice = await nowpayments.create_invoice(
            price_amount=total.amount, price_currency=total.currency.lower(), order_id=str(order_id), pay_currency=coin,
            order_description=f"{settings().shop_name} order {orders.short(order_id)}",
            ipn_callback_url=f"{settings().webhook_base_url}/webhooks/nowpayments/ipn",
            success_url=f"{settings().frontend_url}/orders/{order_id}",
            cancel_url=f"{settings().frontend_url}/orders/{order_id}", is_fixed_rate=True,
        )  # fmt: skip
        report = await nowpayments.pay_invoice(invoice.id, coin)
    except KeyRefused:
        raise  # our own account is at fault, no coin and no amount: the job is buried, and retried once that is healed
    except (CoinNotOffered, ProviderRefused) as refused:
        why = (
            refused.detail
            if isinstance(refused, CoinNotOffered)
            else "The payment provider refused this coin or amount."
        )
        async with commit():
            await history.record(order_id, "payment.refused", why=why)
        return
    async with commit():
        await orders.lock(order_id)
        await _opened(payment_id, report, invoice.id, invoice.url)
        await orders.await_payment(order_id, coin=coin, amount=plain(report.pay_amount or Decimal(0)))


async def _begin_attempt(order: dict[str, Any], coin: str) -> UUID:
    """Write our own row before asking: the provider has no idempotency, so each question is an attempt of its own.

    An attempt whose answer was lost is closed; nobody was shown its address, and should money reach it all the same,
    its notice is adopted.
    """
    payment_id, now = new_id(), clock.now()
    async with db.transaction():
        await orders.lock(order["id"])
        await db.fetch(
            """UPDATE payment SET status = 'expired', updated_at = $2 WHERE order_id = $1 AND status = 'waiting'
               AND provider_payment_id IS NULL""",
            order["id"], now,
        )  # fmt: skip
        await db.fetch(
            """INSERT INTO payment (id, order_id, provider, attempt, status, price_amount, price_currency, pay_currency,
                 created_at, updated_at)
               SELECT $1, $2, 'nowpayments', coalesce(max(attempt), 0) + 1, 'waiting', $3, $4, $5, $6, $6
               FROM payment WHERE order_id = $2""",
            payment_id, order["id"], order["total"], order["currency"], coin, now,
        )  # fmt: skip
    return payment_id


async def _opened(payment_id: UUID, report: PaymentReport, invoice_id: str, invoice_url: str) -> None:
    if not report.pay_address or not report.pay_amount:
        raise ProviderConfused("nowpayments", "invoice-payment", "no address or amount in the answer")
    await Payment.update(
        {
            Payment.provider_payment_id: report.payment_id,
            Payment.invoice_id: invoice_id,
            Payment.invoice_url: invoice_url,
            Payment.pay_amount: report.pay_amount,
            Payment.pay_currency: report.pay_currency,
            Payment.pay_address: report.pay_address,
            Payment.memo: report.payin_extra_id,
            Payment.network: report.network,
            Payment.expires_at: report.expires_at,
            Payment.next_check_at: clock.now() + timedelta(seconds=FIRST_CHECK),
            Payment.updated_at: clock.now(),
        }
    ).where(Payment.id == payment_id)


async def apply_notice(notice_id: UUID, *, nowpayments: NowPayments, commit: Commit) -> None:
    """Apply a stored notice. It is a hint: what moves money is asked of the provider before it is believed."""
    report = _read(await inbox.body(notice_id))
    if report is None:
        async with commit():
            await notices_inbox.applied(notice_id, "ignored: not a payment report")
        return
    known = await queries.by_provider_id(report.payment_id)
    if known is None or report.status in MONEY_MOVED:
        confirmed = await _confirm(report.payment_id, nowpayments)
        if confirmed is None:
            async with commit():
                await notices_inbox.applied(notice_id, "ignored: the provider knows no such payment of ours")
            return
        report = confirmed
    async with commit():
        outcome = await _apply(report)
        await notices_inbox.applied(notice_id, outcome)


def _read(body: bytes | None) -> PaymentReport | None:
    try:
        return read_report(parse_strict(body or b""))
    except (MalformedJson, ProviderConfused):
        return None


async def _confirm(payment_id: str, nowpayments: NowPayments) -> PaymentReport | None:
    """The provider's own word on a payment; None when it is not one of ours (404 for any other key's)."""
    try:
        return await nowpayments.payment(payment_id)
    except PaymentUnknown:
        return None


async def check(payment_id: UUID, *, nowpayments: NowPayments, commit: Commit) -> None:
    """Ask the provider how a payment stands: with every notice lost, this alone completes the order."""
    payment = await queries.one(payment_id)
    if payment is None or payment["provider_payment_id"] is None:
        return
    report = await _confirm(payment["provider_payment_id"], nowpayments)
    if report is None:
        return
    async with commit():
        await _apply(report, looked=True)


async def _apply(report: PaymentReport, *, looked: bool = False) -> str:
    """Move payment and order by one report, in the surrounding transaction. Returns the words for the notice's log.

    ``looked``: it answers a look of ours, so the next look is put off even where it says nothing new.
    """
    order_id = parse_id(report.order_id or "")
    order = await orders.lock(order_id) if order_id else None
    if order is None:
        return "ignored: it names no order of ours"
    payment = await queries.by_provider_id(report.payment_id, lock=True) or await _adopt(order, report)
    expected = Expected(
        order_id=str(payment["order_id"]), status=PaymentStatus(payment["status"]),
        price_amount=payment["price_amount"], price_currency=payment["price_currency"],
        pay_amount=payment["pay_amount"], pay_currency=payment["pay_currency"], actually_paid=payment["actually_paid"],
        top_up=payment["tops_up"] is not None,
    )  # fmt: skip
    verdict = judge(expected, report, settings().underpaid_tolerance_percent)
    believed = verdict.to is not None or verdict.effect is not Effect.NONE
    if believed or looked:
        await _note(payment, report, verdict, believed=believed)
    if verdict.to is not None:
        await move(Payment, payment["id"], verdict.to, MOVES)
        await history.record(order["id"], f"payment.{verdict.to}", payment=report.payment_id)
    await _affect(order, payment, verdict)
    return f"{verdict.effect}: {verdict.why}"


async def _adopt(order: dict[str, Any], report: PaymentReport) -> dict[str, Any]:
    """A payment without a row: made on our hosted invoice, by a repeated deposit, or by a call whose answer was lost.

    The provider itself confirmed that it is ours and for this order (only the key that made it can read it).
    """
    payment_id, now = new_id(), clock.now()
    partial = await queries.partial(order["id"], report.parent_payment_id, report.pay_currency)
    await db.fetch(
        """INSERT INTO payment (id, order_id, provider, attempt, status, provider_payment_id, invoice_id, price_amount,
             price_currency, pay_amount, pay_currency, pay_address, memo, network, tops_up, next_check_at, created_at,
             updated_at)
           SELECT $1, $2, 'nowpayments', coalesce(max(attempt), 0) + 1, 'waiting', $3, $4, $5, $6, $7, $8, $9, $10, $11,
             $12, $13, $13, $13 FROM payment WHERE order_id = $2""",
        payment_id, order["id"], report.payment_id, report.invoice_id, order["total"], order["currency"],
        partial["missing"] if partial else report.pay_amount, report.pay_currency or "", report.pay_address,
        report.payin_extra_id, report.network, partial["id"] if partial else None, now,
    )  # fmt: skip
    await history.record(order["id"], "payment.adopted", payment=report.payment_id)
    adopted = await queries.one(payment_id)
    assert adopted is not None
    return adopted


async def _note(payment: dict[str, Any], report: PaymentReport, verdict: Verdict, *, believed: bool) -> None:
    """Keep the amounts of a report that was believed, and say when to look next."""
    status = verdict.to or PaymentStatus(payment["status"])
    wait = growing(payment["checks"], first=FIRST_CHECK, factor=CHECK_FACTOR, longest=LONGEST_CHECK)
    again = status not in SETTLED and payment["checks"] < MOST_CHECKS
    await Payment.update(
        {
            Payment.actually_paid: max(report.actually_paid or Decimal(0), payment["actually_paid"])
            if believed
            else payment["actually_paid"],
            Payment.owed_back: verdict.owed_back if believed else payment["owed_back"],
            Payment.next_check_at: clock.now() + wait if again else None,
            Payment.checks: payment["checks"] + 1,
            Payment.updated_at: clock.now(),
        }
    ).where(Payment.id == payment["id"])


async def _affect(order: dict[str, Any], payment: dict[str, Any], verdict: Verdict) -> None:
    order_id: UUID = order["id"]
    if verdict.effect is Effect.CONFIRMING:
        await orders.confirming(order_id)
    elif verdict.effect is Effect.PAID:
        await _pay(order, verdict)
    elif verdict.effect is Effect.UNDERPAID:
        missing = plain(verdict.missing)
        await orders.underpaid(order_id, missing=missing, coin=payment["pay_currency"])
        await orders.park(order_id, f"{UNDERPAID}: {missing} {payment['pay_currency'].upper()} is missing")
    elif verdict.effect is Effect.PARK and (verdict.to is not None or order["cause"] != verdict.why):
        await history.record(order_id, "payment.parked", why=verdict.why)
        await orders.park(order_id, verdict.why)
    elif verdict.effect in {Effect.EXPIRED, Effect.FAILED} and not await queries.others_open(order_id, payment["id"]):
        # An attempt's end is the order's end only when no other attempt is still open.
        await (orders.expire(order_id) if verdict.effect is Effect.EXPIRED else orders.payment_failed(order_id))


async def _pay(order: dict[str, Any], verdict: Verdict) -> None:
    order_id: UUID = order["id"]
    if order["status"] == "expired" and not await orders.still_sellable(order_id):
        await history.record(order_id, "payment.late", why="sold out or dearer since")
        await orders.park(order_id, "paid late, and no longer sold at this price: refund due")
        return
    if not await orders.settle(order_id, owed_back=plain(verdict.owed_back)):
        why = f"paid, but the order was already {order['status']}: the money is owed back"
        await history.record(order_id, "payment.parked", why=why)
        await orders.park(order_id, why)
        return
    if (order["cause"] or "").startswith(UNDERPAID):
        await orders.unpark(order_id)
    if verdict.owed_back:
        await history.record(order_id, "payment.overpaid", excess=plain(verdict.owed_back))


async def post_due_checks() -> int:
    """Post a check for each payment that is due for one; the clock's sweep. Returns how many."""
    now = clock.now()
    async with db.transaction():
        rows = await db.fetch(
            """WITH due AS MATERIALIZED (
                 SELECT id FROM payment WHERE next_check_at <= $1
                 ORDER BY next_check_at LIMIT $3 FOR UPDATE SKIP LOCKED)
               UPDATE payment SET next_check_at = $2 FROM due WHERE payment.id = due.id
               RETURNING payment.id, order_id""",
            now, now + RECHECK_LEASE, CHECKS_A_SWEEP,
        )  # fmt: skip
        for row in rows:
            args = {"payment_id": str(row["id"])}
            await jobs.post("payments.check", args, subject=row["order_id"], dedupe=f"payments.check:{row['id']}")
    return len(rows)
