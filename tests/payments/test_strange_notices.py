"""Notices that are not what they seem: they change nothing that the provider's own word does not back."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.core import db
from app.core.signing import verify_ipn
from app.payments import handle_report, queries
from app.payments.models import Payment
from app.payments.states import PaymentStatus
from app.providers.http import ProviderDown
from tests.builders import (
    IPN_SECRET,
    count,
    events,
    ipn,
    job_names,
    offered,
    order,
    place,
    report,
    rows,
    sent_notices,
    signature,
    tell,
)
from tests.samples import sample

LOG = ["inbound_webhook", "job"]  # where a notice is kept, and the job that would apply it
WORDS = [status.value for status in PaymentStatus if status is not PaymentStatus.WAITING]


async def unmoved(app: Any, body: bytes) -> str:
    """The notice is logged and leads to nothing; returns the words in its log."""
    before = await rows(but=LOG)
    said = await tell(app.state.kit, body)
    assert await rows(but=LOG) == before
    assert "fulfillment.reserve" not in await job_names()
    return said


async def at_provider(app: Any, **change: Any) -> Payment:
    """A payment made there with our key, though not by us; as a report."""
    made = await app.state.kit.nowpayments.create_payment(
        **{"price_amount": Decimal(20), "price_currency": "usd", "pay_currency": "ltc", "order_id": "x",
           "order_description": "by hand", "ipn_callback_url": "http://127.0.0.1:9/ipn"} | change
    )  # fmt: skip
    return sample(Payment, provider_payment_id=made.payment_id)


async def test_the_builders_signature_is_the_one_we_take(app, box) -> None:
    _, payment = await offered(app.state.kit)
    body = ipn(await report(box, payment))
    assert verify_ipn(body, signature(body), IPN_SECRET.decode())
    assert not verify_ipn(body.replace(b"waiting", b"finished"), signature(body), IPN_SECRET.decode())


@pytest.mark.parametrize("word", WORDS)
async def test_a_notice_for_another_order_moves_neither(app, box, word: str) -> None:
    _, payment = await offered(app.state.kit)
    other = await place()
    said = await unmoved(app, ipn(await report(box, payment), order_id=str(other), payment_status=word))
    assert said.startswith(("ignored: ", "repeated: "))  # of money, the provider says which payment it is


@pytest.mark.parametrize("change", [{"price_amount": 0.01}, {"price_currency": "eur"}, {"price_amount": 10**9}])
@pytest.mark.parametrize("word", ["confirming", "failed"])
async def test_a_notice_for_another_amount_moves_nothing(app, box, word: str, change: dict[str, Any]) -> None:
    _, payment = await offered(app.state.kit)
    said = await unmoved(app, ipn(await report(box, payment), payment_status=word, **change))
    assert said == "repeated: the payment is already waiting"


@pytest.mark.parametrize("word", [word for word in WORDS if word not in {"finished", "partially_paid"}])
async def test_a_signed_word_that_the_provider_does_not_back_moves_nothing_and_a_later_payment_pays(
    app, box, word: str
) -> None:
    order_id, payment = await offered(app.state.kit)
    assert await unmoved(app, ipn(await report(box, payment), payment_status=word)) == (
        "repeated: the payment is already waiting"
    )
    await box.pay(payment.provider_payment_id)
    await tell(app.state.kit, (await sent_notices(box))[-1])
    assert (await order(order_id)).status == "paid"


@pytest.mark.parametrize(
    "claim",
    [
        {},
        {"actually_paid": 1000},
        {"pay_currency": "btc", "actually_paid": 1},
        {"price_amount": 0.01, "actually_paid": 1},
        {"payment_status": "partially_paid", "actually_paid": 1},
        {"parent_payment_id": 77},
        {"order_id": "another shop's"},
    ],
)
async def test_money_is_asked_of_the_provider_before_it_is_believed(app, box, claim: dict[str, Any]) -> None:
    """All of these are signed well and say that money came; at the provider the payment is still waiting."""
    _, payment = await offered(app.state.kit)
    said = await unmoved(app, ipn(await report(box, payment), **{"payment_status": "finished"} | claim))
    assert said == "repeated: the payment is already waiting"


@pytest.mark.parametrize("word", WORDS)
async def test_a_payment_that_was_never_made_moves_nothing(app, box, word: str) -> None:
    _, payment = await offered(app.state.kit)
    body = ipn(await report(box, payment), payment_id=1234567890, payment_status=word, actually_paid=99)
    assert await unmoved(app, body) == "ignored: the provider knows no such payment of ours"


async def test_a_payment_of_another_shop_on_our_account_moves_nothing(app, box) -> None:
    await offered(app.state.kit)
    foreign = await at_provider(app, order_id="WC-1042")
    await box.pay(foreign.provider_payment_id)
    assert await unmoved(app, ipn(await report(box, foreign))) == "ignored: it names no order of ours"


async def test_money_for_an_order_that_we_do_not_know_is_an_issue_and_moves_nothing(app, box) -> None:
    await offered(app.state.kit)
    foreign = await at_provider(app, order_id="01a1fd91-a772-7252-8711-1eff3ff94e9d")
    await box.pay(foreign.provider_payment_id)
    before = await rows(but=[*LOG, "issue"])
    assert await tell(app.state.kit, ipn(await report(box, foreign))) == "without an order: it names none of ours"
    assert await rows(but=[*LOG, "issue"]) == before
    (found,) = await db.fetch("SELECT subject, code, detail FROM issue WHERE resolved_at IS NULL")
    assert found["subject"] == f"payment:{foreign.provider_payment_id}"
    assert (found["code"], "01a1fd91" in found["detail"]) == ("payment_without_order", True)


@pytest.mark.parametrize("order_id", [None, "", "null", 12.5, [], {}])
async def test_a_notice_that_names_no_order_is_about_the_order_that_we_asked_for(app, box, order_id: Any) -> None:
    found, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, "finished")
    await tell(app.state.kit, ipn(await report(box, payment), order_id=order_id))
    assert (await order(found)).status == "paid"


async def test_a_payment_made_by_hand_for_our_order_at_another_price_pays_nothing(app, box) -> None:
    order_id, _ = await offered(app.state.kit)
    cheap = await at_provider(app, order_id=str(order_id), price_amount=Decimal(5))
    await box.pay(cheap.provider_payment_id)
    assert "for 5 USD instead of" in await tell(app.state.kit, ipn(await report(box, cheap)))
    found = await order(order_id)
    assert (found.status, "for 5 USD instead of" in str(found.reasons)) == ("waiting", True)
    assert "fulfillment.reserve" not in await job_names()


async def test_an_unknown_word_puts_the_order_before_a_person_once(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    said = await app.state.kit.nowpayments.payment(payment.provider_payment_id)
    for _ in range(3):
        async with db.transaction():
            assert "on_the_moon" in await handle_report.handle(replace(said, status="on_the_moon"))
    found = await order(order_id)
    assert (found.status, "on_the_moon" in str(found.reasons)) == ("waiting", True)
    assert (await events(order_id)).count("payment.parked") == 1
    assert (await queries.of_order(order_id))[0].status == "waiting"


NO_REPORTS = [
    b"", b"{", b"[]", b"null", b'{"payment_status":"finished"}', b'{"payment_id":[1]}',
    b'{"payment_id":1,"payment_status":"finished","actually_paid":NaN}', b"[" * 10_000,
]  # fmt: skip


async def test_a_notice_that_can_not_be_read_moves_nothing_and_a_person_is_told_once(app) -> None:
    before = await rows(but=[*LOG, "issue"])
    said = {await tell(app.state.kit, body) for body in NO_REPORTS}
    assert said == {"unreadable: it names no payment of ours"}
    assert await rows(but=[*LOG, "issue"]) == before
    assert await count("issue", "subject = 'payments' AND code = 'notice_unreadable'") == 1


async def test_of_a_notice_that_is_half_readable_the_provider_is_asked(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, "finished")
    broken = {"payment_id": int(payment.provider_payment_id), "payment_status": None, "actually_paid": "a lot"}
    await tell(app.state.kit, json.dumps(broken).encode())
    assert (await order(order_id)).status == "paid"


async def test_a_provider_that_can_not_be_asked_leaves_the_notice_for_later(app, drain, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, "finished")
    body = ipn(await report(box, payment))
    await box.fault("nowpayments", "error500", count=1, path="/payment")
    before = await rows(but=LOG)
    with pytest.raises(ProviderDown):
        await tell(app.state.kit, body)
    assert await rows(but=LOG) == before
    assert await drain(only="payments.apply_notice") == 1
    assert (await order(order_id)).status == "paid"
