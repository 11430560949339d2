"""The simulated processor: ends every payment of test mode, by durable jobs, as a real one would be reported.

What it does follows from what was asked (the magic values below), else from the settings TEST_*. Its report is
classified, booked and published like any provider's.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from app.core.errors import Invalid
from app.core.i18n import _
from app.core.settings import settings
from app.orders import service as orders
from app.orders.models import Order
from app.payments import models, queries
from app.payments.classify import OPEN
from app.payments.handle_report import handle
from app.payments.states import Failure, PaymentStatus
from app.payments.tables import Payment
from app.providers.nowpayments import PaymentReport
from app.queue import service as jobs
from app.queue.service import Posting

Commit = Callable[[], AbstractAsyncContextManager[None]]

SHORTEST, LONGEST = 5_000, 10_000  # milliseconds from asked to ended
MOST_DELAY = 600_000  # milliseconds that a request may ask for
SEEN_AFTER = 0.4  # of that time, until it is seen to be confirming
UNDER_WAY = {PaymentStatus.WAITING, PaymentStatus.CONFIRMING}


class Scenario(StrEnum):
    """How a payment goes. What is no success and moves no money is named like its failure."""

    SUCCESS = "success"
    UNDERPAID = "underpaid"
    OVERPAID = "overpaid"
    EXPIRED = "expired"
    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    PROCESSING_ERROR = "processing_error"
    ORDER_CLOSED = "order_closed"


_P = Scenario
CARDS = {
    "4000000000000002": _P.DECLINED, "4000000000009995": _P.INSUFFICIENT_FUNDS, "4000000000000069": _P.EXPIRED_CARD,
    "4000000000000119": _P.PROCESSING_ERROR, "4242424242424242": _P.SUCCESS, "5555555555554444": _P.SUCCESS,
    "378282246310005": _P.SUCCESS, "6521111111111110": _P.SUCCESS, "6011111111111117": _P.SUCCESS,
}  # fmt: skip
VPAS = {"success@test": _P.SUCCESS, "fail@test": _P.DECLINED, "timeout@test": _P.EXPIRED}
CRYPTO = {  # by ``test`` in the metadata of the payment, else of its order
    "success": _P.SUCCESS, "underpaid": _P.UNDERPAID, "overpaid": _P.OVERPAID, "expired": _P.EXPIRED,
    "failed": _P.PROCESSING_ERROR,
}  # fmt: skip
RATES = {
    "btc": Decimal(96_000), "eth": Decimal(3_200), "ltc": Decimal(95), "xmr": Decimal(180), "sol": Decimal(200),
    "bnbbsc": Decimal(650), "xrp": Decimal("2.20"), "xlm": Decimal("0.42"), "doge": Decimal("0.32"),
    "trx": Decimal("0.24"),
}  # fmt: skip
"""What a coin is worth in test mode, in the order's currency; any other one is a stable coin."""
EIGHT = Decimal("0.00000001")
ARRIVES = {_P.SUCCESS: Decimal(1), _P.UNDERPAID: Decimal("0.5"), _P.OVERPAID: Decimal("1.5")}  # of what was asked
ENDS = {_P.SUCCESS: PaymentStatus.FINISHED, _P.OVERPAID: PaymentStatus.FINISHED,
        _P.UNDERPAID: PaymentStatus.PARTIALLY_PAID, _P.EXPIRED: PaymentStatus.EXPIRED}  # fmt: skip


class BadDelay(Invalid):
    title = "That delay can't be used"


def scenario_of(magic: Scenario | None) -> Scenario:
    """A request's own wish, else what the settings say, else success."""
    unlucky = settings().test_mode and not settings().test_payment_success
    return magic or (_P.DECLINED if unlucky else _P.SUCCESS)


def delay_of(payment_id: UUID, metadata: Mapping[str, Any]) -> int:
    """Milliseconds from asked to ended: ``test_delay`` of the request, else the settings', else 5 to 10 s."""
    asked = metadata.get("test_delay")
    if asked is not None:
        text = str(asked)
        if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= MOST_DELAY):
            raise BadDelay(
                _("test_delay is a number of milliseconds, at most %(most)s.", most=MOST_DELAY), field="metadata"
            )
        return int(text)
    if settings().test_mode:
        return settings().test_processing_delay
    return SHORTEST + payment_id.int % (LONGEST - SHORTEST + 1)


def worth(asked: models.AskedPayment) -> Decimal:
    """What a simulated payment asks for: coins at the rate of test mode, or the very price; never nothing."""
    return max((asked.price_amount / RATES.get(asked.pay_currency, Decimal(1))).quantize(EIGHT), EIGHT)


def beginning(payment_id: UUID, order_id: UUID, scenario: Scenario, delay: int) -> Posting:
    """The first step, to be written together with the payment; ``delay`` in milliseconds to the end."""
    wait = int(delay * SEEN_AFTER)
    next_ = _step(payment_id, scenario, wait, delay - wait)
    return jobs.posting("payments.simulate", next_.args, subject=order_id, dedupe=next_.dedupe, wait=next_.wait)


async def _post(payment_id: UUID, order_id: UUID, scenario: Scenario, wait: int, remaining_ms: int) -> None:
    next_ = _step(payment_id, scenario, wait, remaining_ms)
    await jobs.post("payments.simulate", next_.args, subject=order_id, dedupe=next_.dedupe, wait=next_.wait)


class Step(NamedTuple):
    """A job of the next step; see ``jobs.post``."""

    args: dict[str, object]
    dedupe: str
    wait: timedelta | None


def _step(payment_id: UUID, scenario: Scenario, wait: int, remaining_ms: int) -> Step:
    """The next step; ``wait`` and ``remaining_ms`` in milliseconds."""
    args: dict[str, object] = {"payment_id": str(payment_id), "scenario": scenario.value, "remaining_ms": remaining_ms}
    return Step(args, f"payments.simulate:{payment_id}", timedelta(milliseconds=wait) if wait else None)


async def step(payment_id: UUID, scenario: Scenario, remaining_ms: int, *, commit: Commit) -> None:
    """Take a payment one step on: seen, then ended ``remaining_ms`` later. One that has ended stays so."""
    found = await queries.one(payment_id)
    async with commit():
        if found is None:
            return
        async with orders.changing(found.order_id) as order:
            payment = await queries.one(payment_id)
            if order is not None and payment is not None and payment.status in UNDER_WAY:
                await _advance(order, payment, scenario, remaining_ms)


async def _advance(order: Order, payment: models.Payment, scenario: Scenario, remaining_ms: int) -> None:
    if payment.method != "crypto" and order.status not in OPEN:
        scenario = _P.ORDER_CLOSED  # a processor is not asked to take money twice; coins can't be stopped
    if payment.status == PaymentStatus.WAITING and scenario is not _P.EXPIRED:
        await handle(_report(payment, PaymentStatus.CONFIRMING, Decimal(0)))
        await _post(payment.id, order.id, scenario, remaining_ms, 0)
    elif payment.status == PaymentStatus.WAITING and remaining_ms:
        await _post(payment.id, order.id, scenario, remaining_ms, 0)
    else:
        await _end(payment, scenario)


async def _end(payment: models.Payment, scenario: Scenario) -> None:
    coins = (payment.pay_amount or Decimal(0)) * ARRIVES.get(scenario, Decimal(0))
    await handle(_report(payment, ENDS.get(scenario, PaymentStatus.FAILED), coins))
    if scenario not in ARRIVES:
        await Payment.update({Payment.failure: Failure(scenario.value).value}).where(Payment.id == payment.id)


def _report(payment: models.Payment, status: PaymentStatus, coins: Decimal) -> PaymentReport:
    """What a provider would say of it."""
    return PaymentReport(
        payment_id=payment.provider_payment_id or "", status=status.value, invoice_id=None, parent_payment_id=None,
        purchase_id=None, order_id=str(payment.order_id), price_amount=payment.price_amount,
        price_currency=payment.price_currency, pay_amount=payment.pay_amount,
        pay_currency=payment.pay_currency, actually_paid=coins, outcome_amount=None, outcome_currency=None,
        pay_address=payment.pay_address, payin_extra_id=None, network=payment.network, expires_at=None,
        valid_until=None, updated_at=None,
    )  # fmt: skip
