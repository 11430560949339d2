"""A merchant gives money of one payment back: capped under its order's lock, and allowed by the asking itself.

Coins go to the address given, or to one that the customer names by the claim link, in test and live mode alike; in test
mode they are sent back by ``test_processor``, and so is the money of cards and VPAs.
"""

from decimal import Decimal
from uuid import UUID

from app.core import clock, db
from app.core.errors import Conflict, Invalid
from app.core.i18n import _
from app.core.ids import new_id
from app.core.money import Money, decimals, smallest
from app.core.settings import settings
from app.core.tokens import link_token
from app.history import service as history
from app.ledger import uses
from app.ledger.states import UseKind
from app.orders import service as orders
from app.orders.models import Order
from app.payments import queries as payments
from app.payments.create_for_merchants import NoSuchPayment
from app.queue import service as jobs
from app.refunds import queries, service, test_processor
from app.refunds.addresses import Target
from app.refunds.models import MerchantRefund, Refund
from app.refunds.service import REASON, TooMuch

MOST = 10**10  # of any currency: where our columns end


class BadAmount(Invalid):
    title = "That amount can't be refunded"


class PaymentNotCaptured(Conflict):
    """Nothing of the payment is ours yet; it may still be, so this answer is not for good."""

    title = "Nothing of this payment has arrived yet"


class BadReason(Invalid):
    title = "That reason can't be used"


async def create(
    merchant_id: UUID,
    test: bool,
    payment_id: UUID,
    amount: Decimal | None,
    reason: str,
    target: Target | None,
    by: str,
) -> MerchantRefund:
    """Make a refund, pending, of what is left of a payment unless an ``amount`` is named. Returns its row.

    ``target``: where coins go, as ``claim.parse`` reads it; None lets the customer say. Raises NoSuchPayment,
    BadAmount, BadReason, PaymentNotCaptured or TooMuch.
    """
    if len(reason) > REASON or "\x00" in reason:
        raise BadReason(_("Give a reason of at most %(longest)s characters.", longest=REASON), field="reason")
    if amount is not None and not (amount.is_finite() and 0 < amount < MOST):
        raise BadAmount("Send an amount above zero.", field="amount")
    found = await payments.of_merchant(merchant_id, test, payment_id)
    if found is None:
        raise NoSuchPayment
    async with orders.changing(found.order_id) as order:
        if order is None:
            raise NoSuchPayment
        money = await within(amount, order.id, payment_id)
        coins = found.method == "crypto"
        refund_id = await _write(order, payment_id, money, reason.strip(), by, target if coins else None)
        await history.record(
            order.id, "refund.pending", refund=str(refund_id), refund_id=str(refund_id), amount=money.as_json()
        )
        if not coins:
            await test_processor.begin(refund_id, order.id)  # a card's or a VPA's money goes back to where it came from
        elif target is None:
            await service.invite(refund_id, order, "refund_asked")
        else:
            await jobs.post("refunds.check_address", {"refund_id": str(refund_id)}, subject=order.id)
        made = await queries.of_merchant(merchant_id, test, refund_id)
    assert made is not None
    return made


async def left(order_id: UUID, payment_id: UUID) -> Money:
    """Captured by the payment, less what went back of it or is on its way back; at most what the order can give."""
    of_order, of_payment = await queries.refundable(order_id), await queries.left_of_payment(payment_id)
    return min(of_order, Money(of_payment, of_order.currency))


async def within(amount: Decimal | None, order_id: UUID, payment_id: UUID) -> Money:
    """The amount if that much can go back, or all that can. Raises PaymentNotCaptured, BadAmount or TooMuch."""
    payment, most = await payments.one(payment_id), await left(order_id, payment_id)
    if payment is None or not payment.value:
        raise PaymentNotCaptured("No money has arrived yet, so there is nothing to refund. Wait for payment.success.")
    if not most.amount:
        raise TooMuch("All of this payment has been refunded or is being refunded.", field="amount")
    wanted = most if amount is None else _exact(amount, most.currency)
    if not wanted <= most:
        raise TooMuch(_("At most %(most)s of this payment can still be refunded.", most=most), field="amount")
    return wanted


def _exact(amount: Decimal, currency: str) -> Money:
    if amount != amount.quantize(smallest(currency)):
        digits = decimals(currency)
        if not digits:
            raise BadAmount(_("Write the amount as digits, with no decimals."), field="amount")
        raise BadAmount(
            _("Write the amount as digits, with at most %(digits)s decimals.", digits=digits), field="amount"
        )
    return Money(amount, currency)


async def _write(order: Order, payment_id: UUID, money: Money, reason: str, by: str, target: Target | None) -> UUID:
    refund_id, now = new_id(), clock.now()
    await uses.reserve(order.id, UseKind.REFUND, money, service.reference(refund_id))
    coin = await db.fetch_value("SELECT pay_currency FROM payment WHERE id = $1 AND method = 'crypto'", payment_id)
    await db.fetch(
        """INSERT INTO refund (id, order_id, payment_id, status, amount, currency, reason, asked_by, evidence, coin,
             address, memo, claimed_at, created_at)
           VALUES ($1, $2, $3, 'pending', $4, $5, $6, $7, '{}', $8, $9, $10, $11, $12)""",
        refund_id, order.id, payment_id, money.amount, money.currency, reason, by[:340],
        target.coin if target else coin, target.address if target else None, target.memo if target else None,
        now if target else None, now,
    )  # fmt: skip
    return refund_id


def claim_url(refund: Refund) -> str | None:
    """Where the customer names an address, while one is to be named: for the merchant to hand on."""
    if refund.status != "pending" or refund.claimed_at is not None or refund.link_id is None:
        return None
    return f"{settings().frontend_url}/refunds/claims/{link_token(refund.link_id)}"
