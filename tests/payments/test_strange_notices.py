"""Notices that are not what they seem: they change nothing that the provider's own word does not back."""

from decimal import Decimal
from typing import Any

import pytest

from app.core.signing import verify_ipn
from app.payments import queries
from app.payments.states import PaymentStatus
from app.providers.http import ProviderDown
from tests.builders import IPN_SECRET, events, ipn, job_names, offered, order, place, report, rows, signature, tell

LOG = ["inbound_webhook", "job"]  # where a notice is kept, and the job that would apply it
WORDS = [status.value for status in PaymentStatus if status is not PaymentStatus.WAITING]


async def unmoved(app: Any, body: bytes) -> str:
    """The notice is logged and leads to nothing; returns the words in its log."""
    before = await rows(but=LOG)
    said = await tell(app.state.kit, body)
    assert await rows(but=LOG) == before
    assert "fulfillment.reserve" not in await job_names()
    return said


async def at_provider(app: Any, **change: Any) -> dict[str, Any]:
    """A payment made there with our key, though not by us; as a report."""
    made = await app.state.kit.nowpayments.create_payment(
        **{"price_amount": Decimal(20), "price_currency": "usd", "pay_currency": "ltc", "order_id": "x",
           "order_description": "by hand", "ipn_callback_url": "http://127.0.0.1:9/ipn"} | change
    )  # fmt: skip
    return {"provider_payment_id": made.payment_id}


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
    assert "another amount" in said


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


@pytest.mark.parametrize("order_id", ["WC-1042", "", None, "01a1fd91-a772-7252-8711-1eff3ff94e9d"])
async def test_a_payment_of_another_shop_on_our_account_moves_nothing(app, box, order_id: str | None) -> None:
    await offered(app.state.kit)
    foreign = await at_provider(app, order_id=order_id or "x")
    await box.pay(foreign["provider_payment_id"])
    said = await unmoved(app, ipn(await report(box, foreign), order_id=order_id))
    assert said == "ignored: it names no order of ours"


async def test_a_payment_made_by_hand_for_our_order_at_another_price_pays_nothing(app, box) -> None:
    order_id, _ = await offered(app.state.kit)
    cheap = await at_provider(app, order_id=str(order_id), price_amount=Decimal(5))
    await box.pay(cheap["provider_payment_id"])
    assert "another amount" in await tell(app.state.kit, ipn(await report(box, cheap)))
    assert (await order(order_id))["status"] == "waiting"
    assert "fulfillment.reserve" not in await job_names()


async def test_an_unknown_word_puts_the_order_before_a_person_once(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    for moment in (1, 2, 3):
        body = ipn(await report(box, payment), payment_status="on_the_moon", updated_at=moment)
        assert "on_the_moon" in await tell(app.state.kit, body)
    found = await order(order_id)
    assert (found["status"], "on_the_moon" in found["cause"]) == ("waiting", True)
    assert (await events(order_id)).count("payment.parked") == 1
    assert (await queries.of_order(order_id))[0]["status"] == "waiting"


NO_REPORTS = [
    b"", b"{", b"[]", b"null", b'{"payment_id":1}', b'{"payment_status":"finished"}', b'{"payment_id":[1]}',
    b'{"payment_id":1,"payment_status":"finished","actually_paid":NaN}', b"[" * 10_000,
]  # fmt: skip


async def test_what_is_no_report_is_logged_and_ignored(app) -> None:
    assert {await unmoved(app, body) for body in NO_REPORTS} == {"ignored: not a payment report"}


async def test_a_provider_that_can_not_be_asked_leaves_the_notice_for_later(app, drain, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment["provider_payment_id"], "finished")
    body = ipn(await report(box, payment))
    await box.fault("nowpayments", "error500", count=1, path="/payment")
    before = await rows(but=LOG)
    with pytest.raises(ProviderDown):
        await tell(app.state.kit, body)
    assert await rows(but=LOG) == before
    assert await drain(only="payments.apply_notice") == 1
    assert (await order(order_id))["status"] == "paid"
