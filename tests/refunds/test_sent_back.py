"""What the payment provider has sent back by itself is not sent a second time by a refund of ours."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.core import db
from app.ledger import service as ledger
from app.orders.models import Order
from app.payments import handle_report
from app.payments import service as payments
from app.payments.models import MerchantPayment
from app.refunds import claim, create_for_merchants, payout, service
from app.refunds.models import Refund
from app.refunds.service import NotDecidable
from tests.builders import COIN, NOW, look, order, rows
from tests.orders.merchants import CUSTOMER, asked, charged, merchant, payment
from tests.refunds import builders
from tests.refunds.builders import ADDRESS, ADMIN, approved, checked, payouts, refund, underpaid


@pytest.fixture
def kit(app):
    return app.state.kit


async def opened(kit: Any, box: Any, placed: Order, fraction: str = "1.0") -> MerchantPayment:
    made = await asked(placed, "crypto", currency=COIN)
    await payments.open_merchant_payment(made.id, nowpayments=kit.nowpayments, commit=NOW)
    made = await payment(made)
    await box.pay(made.provider_payment_id, "partially_paid" if fraction != "1.0" else "finished", fraction)
    await look(kit, made)
    return await payment(made)


async def sent_back(kit: Any, order_id: Any) -> None:
    """The provider reports that it has sent the order's first payment back."""
    number = await db.fetch_value(
        "SELECT provider_payment_id FROM payment WHERE order_id = $1 ORDER BY attempt LIMIT 1", order_id
    )
    report = await kit.nowpayments.payment(number)
    async with db.transaction():
        await handle_report.handle(replace(report, status="refunded"))


async def ended(made: Refund) -> None:
    done = await refund(made.id)
    assert (done.status, done.error) == ("failed", service.UNCOVERED)
    assert await db.fetch_value("SELECT status FROM money_use WHERE kind = 'refund'") == "released"


@pytest.mark.parametrize("other", [False, True])
async def test_a_merchants_refund_ends_when_its_payment_was_sent_back_before_an_address_was_named(
    kit, box, other: bool
) -> None:
    placed = await charged(await merchant(), "40.00", test=False, email=CUSTOMER)
    paid = await opened(kit, box, placed, "0.5")
    made = await create_for_merchants.create(paid.merchant_id, False, paid.id, None, "", None, "key Till 3")
    await sent_back(kit, paid.order_id)
    if other:  # the order has money of another payment, which is not this refund's to give back
        assert (await opened(kit, box, await order(placed.id))).value == Decimal(40)
    await claim.claim(builders.token(made), await claim.parse(COIN, ADDRESS, ""))
    await claim.check_address(made.id, payouts=kit.payouts, commit=NOW)
    await ended(made)
    assert await payouts(box) == []
    assert await ledger.prove() == []


async def test_an_admin_approves_no_refund_of_what_was_sent_back(kit, box) -> None:
    order_id = await underpaid(kit, box)
    made = await checked(kit, await builders.asked(order_id))
    await sent_back(kit, order_id)
    before = await rows()
    with pytest.raises(NotDecidable, match="sent this money back itself"):
        await service.approve(made.id, ADMIN)
    assert await rows() == before


async def test_an_approved_payout_is_not_asked_for_when_its_money_was_sent_back(kit, box) -> None:
    order_id = await underpaid(kit, box)
    made = await approved(kit, await builders.asked(order_id))
    await sent_back(kit, order_id)
    await payout.follow(made.id, payouts=kit.payouts, commit=NOW)
    await ended(made)
    assert await payouts(box) == []
    assert await ledger.prove() == []
