"""Applying what the provider reports: one report moves one payment, and with it its order."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.ids import new_id, parse_id
from app.core.money import Money, plain
from app.core.settings import settings
from app.core.state_machine import move
from app.history import service as history
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.ledger import uses
from app.ledger.tolerance import tolerance
from app.orders import letters, merchant_orders
from app.orders import service as orders
from app.orders.models import Order
from app.orders.states import OrderStatus
from app.payments import api_status, ledger_posting, models, owed, queries, review
from app.payments.classify import (
    BOUGHT,
    ENDS,
    IN_FLIGHT,
    MONEY_MOVED,
    NEEDS_REVIEW,
    NOTHING,
    OPEN,
    PAYS,
    UNCLEAR,
    Classification,
    Expected,
    OrderMoney,
    Outcome,
    classify,
)
from app.payments.create import given_back
from app.payments.schedule import next_look
from app.payments.states import MOVES, Failure, PaymentStatus
from app.payments.tables import Payment
from app.providers.nowpayments import PaymentReport

TEST_PROVIDER = "test"  # the provider of payments that ``test_processor`` ends: nobody else can be asked about them
FAILURES = {PaymentStatus.FAILED: Failure.PROCESSING_ERROR.value, PaymentStatus.EXPIRED: Failure.EXPIRED.value}


async def handle(report: PaymentReport, *, looked: bool = False) -> str:
    """Move payment and order by one report, in the surrounding transaction. Returns the words for the notice's log.

    ``looked``: it answers a look of ours, so the next look is put off even where it says nothing new. The payment's own
    id decides whose it is, or its parent's; a report that names no order is about the order that we asked for.
    """
    order_id = await _order_of(report)
    if order_id is None:
        return await _orphan(report)
    async with orders.changing(order_id) as order:
        return await _handle(order, report, looked=looked) if order else await _orphan(report)


async def handle_all(reports: Sequence[PaymentReport], *, looked: bool = False) -> list[str]:
    """The reports of one look, in their order: what is about the first one's order is one unit of work.

    See ``handle``.
    """
    order_id = await _order_of(reports[0]) if len(reports) > 1 else None
    if order_id is None:
        return [await handle(report, looked=looked) for report in reports]
    async with orders.changing(order_id):
        return [await handle(report, looked=looked) for report in reports]


async def _order_of(report: PaymentReport) -> UUID | None:
    known = await queries.by_provider_id(report.payment_id)
    if known is None and report.order_id is None and report.parent_payment_id:
        known = await queries.by_provider_id(report.parent_payment_id)
    return known.order_id if known else parse_id(report.order_id or "")


async def _handle(order: Order, report: PaymentReport, *, looked: bool) -> str:
    if not report.order_id:
        report = replace(report, order_id=str(order.id))
    payment = await queries.by_provider_id(report.payment_id, lock=True) or await _adopt(order, report)
    # The provider's answers leave out what its notices say (nowpayments.md, 2 and 6): a deposit stays a further one.
    report = replace(report, parent_payment_id=payment.parent_payment_id)
    before = await money_of_order(order, but=payment.id)
    verdict = classify(before, await _expected(payment), report, await tolerance(order.currency))
    if verdict.outcome not in NOTHING or verdict.to is not None or looked:
        await _note(payment, report, verdict)
        await review.end_doubt(order.id, payment, verdict)
    if verdict.to is not None:
        await move(Payment, payment.id, verdict.to, MOVES)
    await _say(order, payment, verdict)
    if verdict.value is not None and verdict.value != payment.value:
        await ledger_posting.post_receipt(payment, Money(verdict.value, payment.price_currency))
    await _affect(order, payment, report, verdict)
    if payment.tops_up is not None and verdict.to is not None:
        await ledger_posting.end_top_up(order.id)
    return f"{verdict.outcome}: {verdict.why}"


async def _orphan(report: PaymentReport) -> str:
    """Money of ours at the provider that belongs to no order: a person has to find out whose it is.

    An order named otherwise than we name ours is another shop's on the same account.
    """
    if report.order_id and parse_id(report.order_id) is None:
        return "ignored: it names no order of ours"
    if report.status in MONEY_MOVED | IN_FLIGHT:
        paid = f"{plain(report.actually_paid or Decimal(0))} {(report.pay_currency or '').upper()[:16]}"
        named = f"order {report.order_id}, which we don't know" if report.order_id else "no order"
        detail = f"The payment provider holds payment {report.payment_id} ({paid}, {report.status}) for {named}."
        await issues.open_issue(f"payment:{report.payment_id}", IssueCode.PAYMENT_WITHOUT_ORDER, detail)
    return "without an order: it names none of ours"


async def _say(order: Order, payment: models.Payment, verdict: Classification) -> None:
    """To the timeline: the provider's new word; to a merchant's, what it means, and each amount that arrived."""
    named = {"payment": payment.provider_payment_id, "payment_id": str(payment.id)}
    if order.merchant_id is None:
        if verdict.to is not None:
            await history.record(order.id, f"payment.{verdict.to}", **named)
        return
    now = await queries.one(payment.id)
    assert now is not None
    arrived = verdict.value is not None and verdict.value != payment.value
    if api_status.word(now) in api_status.EVENTS and (arrived or api_status.word(now) != api_status.word(payment)):
        await history.record(order.id, api_status.EVENTS[api_status.word(now)], **named)


async def money_of_order(order: Order, *, but: UUID | None = None) -> OrderMoney:
    """How an order stands towards money, one of its payments apart."""
    status = OrderStatus(order.status)
    late = status is OrderStatus.EXPIRED
    if status is OrderStatus.UNDERPAID and order.merchant_id is None:  # a merchant's price stands as it is
        late = not await queries.rate_held(order.id)
    return OrderMoney(
        status=status,
        total=order.total,
        brought=await queries.received(order.id, but=but),
        late=late,
        sellable=not late or await orders.still_sellable(order.id, settings().late_slippage_percent),
        given_back=given_back(order),
    )


async def _expected(payment: models.Payment) -> Expected:
    """What we asked for. A further deposit was asked for in its parent's coin."""
    parent_id = payment.parent_payment_id
    parent = await queries.by_provider_id(parent_id) if parent_id else None
    first = parent or payment
    return Expected(
        order_id=str(payment.order_id), status=PaymentStatus(payment.status),
        price_amount=payment.price_amount, price_currency=payment.price_currency,
        pay_amount=payment.pay_amount, pay_currency=first.pay_currency,
        actually_paid=payment.actually_paid, value=payment.value, top_up=payment.tops_up is not None,
        outcome=payment.outcome, rate=first.price_amount / first.pay_amount if first.pay_amount else None,
    )  # fmt: skip


async def _adopt(order: Order, report: PaymentReport) -> models.Payment:
    """A payment without a row: made on our hosted invoice, by a repeated deposit, or by a call whose answer was lost.

    The provider itself confirmed that it is ours and for this order (only the key that made it can read it).
    """
    payment_id, now = new_id(), clock.now()
    further = report.parent_payment_id is not None
    completes = None
    if further and order.status in OPEN:
        completes = await queries.incomplete(order.id, report.parent_payment_id, report.pay_currency)
    price = Money((report.price_amount if further else None) or order.total, order.currency).amount
    await queries.insert(
        {
            "id": payment_id, "order_id": order.id, "provider_payment_id": report.payment_id,
            "invoice_id": report.invoice_id, "price_amount": price, "price_currency": order.currency,
            "pay_amount": report.pay_amount, "pay_currency": report.pay_currency or "",
            "pay_address": report.pay_address, "memo": report.payin_extra_id, "network": report.network,
            "tops_up": completes, "parent_payment_id": report.parent_payment_id, "next_check_at": now,
        },
        now,
    )  # fmt: skip
    await history.record(order.id, "payment.adopted", payment=report.payment_id, payment_id=str(payment_id))
    adopted = await queries.one(payment_id)
    assert adopted is not None
    return adopted


async def _note(payment: models.Payment, report: PaymentReport, verdict: Classification) -> None:
    """Keep what was believed of a report, and say when to look next."""
    now = clock.now()
    status = verdict.to or PaymentStatus(payment.status)
    changes: dict[Any, Any] = {Payment.checks: payment.checks + 1, Payment.updated_at: now}
    if verdict.outcome not in NOTHING and not (verdict.value is None and payment.value):  # what has paid stays so
        changes[Payment.outcome] = verdict.outcome.value
        changes[Payment.owed_back] = verdict.owed_back
        changes[Payment.excess] = _excess(verdict)
    if verdict.value is not None:
        changes[Payment.value] = verdict.value
        changes[Payment.doubted] = None
    if verdict.outcome is Outcome.SETTLED_LOW and payment.value:
        changes[Payment.doubted] = report.actually_paid
    # What was believed before stays the measure of what is new: a later look weighs what is unclear now again.
    unclear = verdict.outcome is Outcome.UNBELIEVABLE or (verdict.outcome in UNCLEAR and payment.value)
    if (verdict.to is not None or verdict.value is not None) and not unclear:
        changes[Payment.actually_paid] = report.actually_paid or payment.actually_paid
    outcome = changes.get(Payment.outcome, payment.outcome)
    if payment.provider != TEST_PROVIDER:
        changes[Payment.next_check_at] = next_look(status, outcome, payment.created_at, now)
    if verdict.to is not None or verdict.outcome not in NOTHING:
        wrong = Failure.WRONG_COIN.value if verdict.outcome in {Outcome.WRONG_COIN, Outcome.UNVALUED} else None
        changes[Payment.failure] = wrong or FAILURES.get(status)
    await Payment.update(changes).where(Payment.id == payment.id)


def _excess(verdict: Classification) -> Decimal:
    """What of a payment's money was not asked for, in the price's currency: all of it, where nothing was."""
    unasked = verdict.outcome in {Outcome.NOT_NEEDED, Outcome.FURTHER_DEPOSIT}
    return (verdict.value or Decimal(0)) if unasked else verdict.excess


async def _affect(order: Order, payment: models.Payment, report: PaymentReport, verdict: Classification) -> None:
    order_id: UUID = order.id
    if verdict.outcome in PAYS | {Outcome.UNDERPAID} and order.status == OrderStatus.CREATED:
        await orders.await_payment(order_id)  # its attempt's answer was lost, and the money came first
    if verdict.outcome is Outcome.SEEN:
        await orders.confirming(order_id)
    elif verdict.outcome in PAYS:
        await _pay(order, payment, verdict)
    elif verdict.outcome is Outcome.UNDERPAID:
        await _short(order, payment, verdict)
    elif order.merchant_id is not None:
        await _merchants_attempt_over(order, payment, verdict)
    elif verdict.outcome in ENDS:
        await _attempt_over(order, payment, verdict)
    if order.merchant_id is not None and verdict.outcome not in PAYS and _excess(verdict):
        await _overpaid(order, payment, verdict)
    if verdict.outcome in NEEDS_REVIEW:
        await _park(order, payment, verdict, report.pay_currency or payment.pay_currency)


async def _pay(order: Order, payment: models.Payment, verdict: Classification) -> None:
    if order.status not in BOUGHT:
        await settle(order, late=verdict.outcome is Outcome.PAID_LATE)
    if verdict.excess:
        await _overpaid(order, payment, verdict)
        await owed.excess(order)


async def _overpaid(order: Order, payment: models.Payment, verdict: Classification) -> None:
    more = Money(_excess(verdict), order.currency).as_json()
    named = {"payment_id": str(payment.id)} if order.merchant_id is not None else {}
    await history.record(order.id, "payment.overpaid", excess=plain(verdict.owed_back), owed=more, **named)


async def settle(order: Order, *, late: bool) -> None:
    """The price is there: what the order waited for has come, it buys, and the ledger takes the price."""
    order_id: UUID = order.id
    if await orders.settle(order, late=late):
        await ledger_posting.post_sale(order_id, Money(order.total, order.currency))
        await orders.resolve_reasons(order_id, orders.ONCE_PAID)
        if await orders.has_reason(order_id, orders.OWED) and not (await uses.funds(order_id)).undecided.amount:
            await orders.resolve_reasons(order_id, orders.OWED)


async def _short(order: Order, payment: models.Payment, verdict: Classification) -> None:
    """Part of the price is there: page and letter say what is missing, and how to add it; or its merchant does."""
    order_id: UUID = order.id
    missing, coin = plain(verdict.missing_coin), payment.pay_currency
    money = Money(verdict.missing, order.currency)
    if not await orders.underpaid(order_id, missing=missing, coin=coin, money=money.as_json()):
        await history.record(order_id, "payment.short", missing=missing, coin=coin, money=money.as_json())
    if order.merchant_id is not None:
        return
    said = f"underpaid: {missing} {coin.upper()} is missing ({money})"
    await orders.open_reason(order_id, IssueCode.UNDERPAID, said)
    await orders.resolve_reasons(order_id, {IssueCode.PAYMENT_NEVER_COMPLETED})
    await letters.write(order, "payment_short", missing=str(money), missing_coin=f"{missing} {coin.upper()}")


async def _attempt_over(order: Order, payment: models.Payment, verdict: Classification) -> None:
    """An attempt's end is the order's end only when no other attempt can bring or has brought money."""
    order_id: UUID = order.id
    if await queries.others_open(order_id, payment.id):
        have = await queries.received(order_id)
        if order.status == OrderStatus.CONFIRMING and have and not await queries.others_in_flight(order_id, payment.id):
            money = Money(order.total - have, order.currency)
            await orders.underpaid(order_id, money=money.as_json())
    elif verdict.outcome is Outcome.EXPIRED and order.status != OrderStatus.CONFIRMING:
        await orders.expire(order_id)
    elif verdict.outcome is Outcome.SENT_BACK and order.status == OrderStatus.UNDERPAID:
        if not await queries.received(order_id):
            await orders.refunded(order_id)
    else:
        await orders.resolve_reasons(order_id, {IssueCode.PAYMENT_NEVER_COMPLETED})
        await orders.payment_failed(order_id)


async def _merchants_attempt_over(order: Order, payment: models.Payment, verdict: Classification) -> None:
    """No attempt's end is the end of a merchant's order: it can be paid by another."""
    under_way = verdict.to is None or verdict.to in IN_FLIGHT or order.status != OrderStatus.CONFIRMING
    if under_way or await queries.others_in_flight(order.id, payment.id):
        return
    if have := await queries.received(order.id):
        await orders.underpaid(order.id, money=Money(order.total - have, order.currency).as_json())
    else:
        await merchant_orders.payable_again(order.id)


async def _park(order: Order, payment: models.Payment, verdict: Classification, sent: str) -> None:
    """Before a person with it; money that waits before its customer, too, who says what becomes of it.

    No person is asked about money that is none: of a test order, the timeline alone tells.
    """
    order_id: UUID = order.id
    late = verdict.outcome is Outcome.LATE
    new = not order.test and await orders.open_reason(
        order_id, review.REASON[verdict.outcome], verdict.why, beside=not late
    )
    told = verdict.to is not None or verdict.value is not None
    if new or told:
        said = {"why": verdict.why, "outcome": verdict.outcome.value}
        await history.record(order_id, "payment.late" if late else "payment.parked", **said)
    if told:
        await owed.tell(order, payment, verdict.outcome, sent)
