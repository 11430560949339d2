"""What has ended asks for no money: no address, memo or pay link of it in the API, the events or the pages."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.contract.event import as_it_was
from app.contract.payment import Payment
from app.contract.refund import Refund
from app.core import clock, db
from app.orders.models import Order
from app.payments import create_for_merchants as paying
from app.payments import service as payments
from app.payments.models import MerchantPayment
from app.refunds import claim, create_for_merchants
from app.webhooks import publish
from tests.builders import COIN, NOW, look, order
from tests.orders.merchants import CUSTOMER, asked, charged, merchant, payment, told_payment
from tests.refunds.builders import ADDRESS, token

NOWHERE = (None, None, None)


def where(told: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    return told["crypto"]["address"], told["crypto"]["memo"], told["crypto"]["invoice_url"]


def then(row: MerchantPayment, status: str) -> dict[str, Any]:
    """A payment as it was told when it had this status."""
    return dict(msgspec.to_builtins(as_it_was(Payment.from_row(row, test=row.test), {"status": status})))


@pytest.fixture
def kit(app):
    return app.state.kit


async def opened(kit: Any, placed: Order | None = None) -> MerchantPayment:
    placed = placed or await charged(await merchant(), "40.00", test=False, email=CUSTOMER)
    made = await asked(placed, "crypto", currency=COIN)
    await payments.open_merchant_payment(made.id, nowpayments=kit.nowpayments, commit=NOW)
    return await payment(made)


async def paid(kit: Any, box: Any, made: MerchantPayment, case: str, fraction: str = "1.0") -> MerchantPayment:
    await box.pay(made.provider_payment_id, case, fraction)
    await look(kit, made)
    return await payment(made)


async def events_of(made: MerchantPayment) -> dict[str, dict[str, Any]]:
    """What the payment's or refund's events say of it, by type."""
    await publish.publish(made.order_id, commit=NOW)
    found = await db.fetch("SELECT payload FROM merchant_event WHERE object_id = $1 ORDER BY number", made.id)
    told = [json.loads(row["payload"]) for row in found]
    return {one["type"]: one["data"] for one in told}


async def test_an_address_is_named_while_it_waits_for_money(kit, box) -> None:
    made = await opened(kit)
    told = told_payment(made)
    assert (told["crypto"]["address"], told["crypto"]["invoice_url"]) == (made.pay_address, made.invoice_url)
    assert None not in (made.pay_address, made.invoice_url)
    seen = await paid(kit, box, made, "confirming")
    assert where(told_payment(seen))[0] == made.pay_address
    assert where((await events_of(made))["payment.pending"])[0] == made.pay_address


@pytest.mark.parametrize("case", ["finished", "expired", "failed", "settled_low", "wrong_coin", "refunded", "overpaid"])
async def test_a_payment_that_ended_or_is_in_doubt_names_no_address_and_no_link(kit, box, case: str) -> None:
    done = await paid(kit, box, await opened(kit), case)
    told = told_payment(done)
    assert where(told) == NOWHERE
    assert told["crypto"]["amount"] == f"{done.pay_amount.normalize():f}"
    for data in (await events_of(done)).values():
        assert where(data) == NOWHERE, data["status"]


async def test_a_payment_that_is_called_off_names_no_address(kit) -> None:
    made = await opened(kit)
    done = await paying.cancel(made.merchant_id, False, made.id)
    assert (told_payment(done)["status"], where(told_payment(done))) == ("cancelled", NOWHERE)
    assert where((await events_of(done))["payment.failed"]) == NOWHERE


async def test_a_waiting_payment_of_an_order_that_another_paid_names_no_address(kit, box) -> None:
    first = await opened(kit)
    second = await opened(kit, await order(first.order_id))
    await paid(kit, box, second, "finished")
    first = await payment(first)
    assert (first.word, where(told_payment(first))) == ("pending", NOWHERE)


async def test_what_is_missing_of_an_underpaid_one_can_be_sent_to_it_until_its_order_is_paid(kit, box) -> None:
    first = await paid(kit, box, await opened(kit), "partially_paid", "0.5")
    assert where(told_payment(first))[0] == first.pay_address
    whose = await order(first.order_id)
    await paid(kit, box, await opened(kit, whose), "finished")
    first = await payment(first)
    assert (first.word, where(told_payment(first))) == ("underpaid", NOWHERE)


async def test_an_event_of_a_past_state_offers_nothing_that_came_back(kit) -> None:
    made = await opened(kit)
    assert where(then(made, "expired")) == NOWHERE
    assert where(then(made, "pending"))[0] == made.pay_address


async def test_the_event_of_a_refund_says_what_the_api_says_its_claim_link_too(kit, box, tills) -> None:
    made = await paid(kit, box, await opened(kit), "finished")
    till = await tills(of=made.merchant_id, test=False)
    answer = await till.post(f"/payments/{made.id}/refunds", {"amount": "8.00", "reason": "one broke"}, "a-key")
    assert answer.status_code == 201, answer.text
    said = answer.json()
    refund = await create_for_merchants.queries.of_merchant(made.merchant_id, False, UUID(said["id"]))
    assert refund is not None
    told = (await events_of(refund))["refund.pending"]
    assert told == said == (await till.get(f"/refunds/{said['id']}")).json()
    assert told["claim_url"].endswith(token(refund))
    await claim.claim(token(refund), await claim.parse(COIN, ADDRESS, ""))
    assert (await till.get(f"/refunds/{said['id']}")).json()["claim_url"] is None
    past = as_it_was(Refund.from_row(refund, test=refund.test), {"status": "failed"})
    assert isinstance(past, Refund)
    assert past.claim_url is None


async def test_coins_have_their_minimum_in_any_currency_that_is_asked_for(till) -> None:
    for currency, rate in (("USD", "1.10"), ("EUR", "1"), ("JPY", "165.50"), ("GBP", "0.8250")):
        await db.fetch(
            """INSERT INTO exchange_rate (id, currency, day, rate, fetched_at)
               VALUES (gen_random_uuid(), $1, $2, $3, now())
               ON CONFLICT (currency, day) DO UPDATE SET rate = excluded.rate""",
            currency, clock.now().date(), Decimal(rate),
        )  # fmt: skip
    said = {}
    for currency in ("USD", "EUR", "JPY", "GBP", "KWD"):
        rows = (await till.get("/coins", currency=currency)).json()["data"]
        said[currency] = next(row["minimum"] for row in rows if row["code"] == COIN)
        assert {row["currency"] for row in rows} == {currency}
    # 2.10 / 1.10 = 1.909…, × 165.5 = 315.95, × 0.825 = 1.575: never below what the coin takes.
    assert said == {"USD": "2.10", "EUR": "1.91", "JPY": "316", "GBP": "1.58", "KWD": None}


async def test_a_rate_of_last_month_tells_no_minimum(till) -> None:
    await db.fetch("UPDATE exchange_rate SET day = day - 30")
    rows = (await till.get("/coins", currency="EUR")).json()["data"]
    assert rows
    assert {row["minimum"] for row in rows} == {None}
