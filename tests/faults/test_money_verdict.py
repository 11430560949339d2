"""The judge of chaos' money and merchants' orders is judged: a right picture passes, each planted wrong is found."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from app.core.crypto import Plaintext
from app.webhooks import secrets, signing
from dev.chaos import merchant_verdict, money
from dev.chaos.merchant_orders import MerchantOrder
from dev.chaos.merchant_verdict import Event, Line, Picture, Stored
from dev.chaos.money import Money, OrderMoney, PayoutMoney, RefundMoney
from dev.chaos.receivers import FAILS, WELL, Receipt, Receivers, digest
from dev.chaos.report import Report
from dev.chaos.verdict import RULES, Breach

ORDER = "0192f0c0-0000-7000-8000-000000000001"
PAYMENT = "0192f0c0-0000-7000-8000-000000000002"
THEN = datetime(2026, 11, 28, tzinfo=UTC)
BODY = digest(b"the body")


def right() -> Picture:
    """A merchant's order of test mode that was paid at once, told in four events to one endpoint."""
    kinds = ("order.created", "payment.pending", "payment.finished", "order.paid", "order.fulfilled")
    lines = [Line(n, kind, {"payment_id": PAYMENT}, THEN) for n, kind in enumerate(kinds, 1)]
    told = [("payment.pending", PAYMENT, 1), ("payment.success", PAYMENT, 2), ("order.paid", ORDER, 1),
            ("order.fulfilled", ORDER, 2)]  # fmt: skip
    events = [
        Event(f"event-{n}", True, n, type_, object_id, sequence, ORDER, BODY)
        for n, (type_, object_id, sequence) in enumerate(told, 1)
    ]
    return Picture(
        seen=[MerchantOrder(ORDER, "test", "paid", paid=True)],
        stored={ORDER: Stored(ORDER, "fulfilled", paid=True, waits=False)},
        answered={"key-1": [ORDER, ORDER]},
        made={"key-1": [ORDER]},
        repeated={"key-1": (ORDER, ORDER)},
        timelines={ORDER: lines},
        events=events,
        receipts=[Receipt("steady", event.id, BODY, True, WELL) for event in events],
        living=["steady"],
        wants={"steady": ()},
    )


def found_in(picture: Picture) -> Counter[str]:
    return Counter(code for code, check in merchant_verdict.CHECKS.items() for _ in check(picture))


def test_a_merchants_order_that_went_well_breaks_no_rule() -> None:
    assert found_in(right()) == Counter()
    assert merchant_verdict.counts(right())["delivered"] == (
        "4 events of test mode, 1 living endpoints, 4 requests received"
    )


def stands(picture: Picture, **more: Any) -> None:
    picture.stored[ORDER] = msgspec.structs.replace(picture.stored[ORDER], **more)


def received(picture: Picture, place: int, **more: Any) -> None:
    picture.receipts[place] = msgspec.structs.replace(picture.receipts[place], **more)


WRONG: dict[str, tuple[str, Callable[[Picture], Any]]] = {
    "paid and forgotten": ("merchants", lambda p: stands(p, status="paid")),
    "paid for and not on record as paid": ("merchants", lambda p: stands(p, status="waiting", paid=False)),
    "answered and not on record": ("merchants", lambda p: p.stored.clear()),
    "one key, two orders on record": ("idempotency", lambda p: p.made["key-1"].append("order-2")),
    "one key, two answers": ("idempotency", lambda p: p.answered["key-1"].append("order-2")),
    "answered with another's order": ("idempotency", lambda p: p.made.update({"key-1": ["order-2"]})),
    "answered with 201 and not made": ("idempotency", lambda p: p.made.update({"key-1": []})),
    "a repeat makes another": ("idempotency", lambda p: p.repeated.update({"key-1": (ORDER, "order-2")})),
    "an event too few": ("published", lambda p: p.events.pop()),
    "an event twice": ("published", lambda p: p.events.append(msgspec.structs.replace(p.events[3], id="e", number=5))),
    "an event of nothing that happened": ("published", lambda p: p.timelines[ORDER].pop()),
    "events of a stranger's order": ("published", lambda p: p.timelines.clear()),
    "a gap in the feed": (
        "published", lambda p: p.events.append(msgspec.structs.replace(p.events.pop(), number=9)),
    ),
    "never delivered": ("delivered", lambda p: p.receipts.pop()),
    "answered 500, and not sent again": ("delivered", lambda p: received(p, 2, answer=FAILS)),
    "a wrong signature": ("delivered", lambda p: received(p, 0, signed=False)),
    "another body than published": ("delivered", lambda p: received(p, 0, digest=digest(b"other"))),
    "not asked for": ("delivered", lambda p: p.wants.update(steady=("order.paid",))),
    "an event of nobody": ("delivered", lambda p: p.receipts.append(Receipt("steady", "event-9", BODY, True, WELL))),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_each_planted_wrong_of_a_merchants_order_is_found(wrong: str) -> None:
    rule, plant = WRONG[wrong]
    picture = right()
    plant(picture)
    assert found_in(picture)[rule]


def test_what_was_answered_again_or_waits_for_a_person_is_no_wrong() -> None:
    picture = right()
    picture.receipts = [msgspec.structs.replace(picture.receipts[0], answer=FAILS), *picture.receipts]
    picture.receipts.append(picture.receipts[1])  # delivered twice: at least once is promised
    stands(picture, status="paid", waits=True)
    assert found_in(picture) == Counter()


def test_an_endpoint_is_owed_what_it_registered_for_and_no_more() -> None:
    picture = right()
    picture.wants, picture.receipts = {"steady": ("order.paid",)}, [picture.receipts[2]]
    assert found_in(picture) == Counter()
    picture.receipts = []
    assert found_in(picture) == Counter(delivered=1)


def test_an_endpoint_that_is_switched_off_is_owed_nothing() -> None:
    picture = right()
    picture.receipts, picture.living = [], []
    assert found_in(picture) == Counter()


def test_events_of_live_mode_are_published_and_not_sent_to_test_endpoints() -> None:
    picture = right()
    picture.events = [msgspec.structs.replace(event, test=False) for event in picture.events]
    assert set(found_in(picture)) == {"delivered"}
    picture.receipts = []
    assert found_in(picture) == Counter()


def books() -> Money:
    """One order of 30.00 that was delivered, 10.00 more than asked came in, sent back in one payout."""
    cents = [Decimal(text) for text in ("40.00", "40.00", "10.00", "30.00")]
    return Money(
        orders=[OrderMoney("order-1", False, *cents)],
        refunds=[RefundMoney("refund-1", "processed", Decimal("10.00"), Decimal("10.00"), True, True)],
        payouts=[
            PayoutMoney("refund-1-1", "REJECTED", Decimal(10)),
            PayoutMoney("refund-1-2", "FINISHED", Decimal(10)),
        ],
    )


def broken_in(it: Money) -> set[str]:
    return {code for code, check in money.CHECKS.items() if list(check(it))}


def changed(rows: list[Any], place: int = 0, **more: Any) -> None:
    rows[place] = msgspec.structs.replace(rows[place], **more)


def test_money_that_is_used_once_breaks_no_rule() -> None:
    assert broken_in(books()) == set()
    assert money.counts(books())["uses"] == "1 orders with uses, 0 of them merchants': 40.00 used of 40.00"
    assert money.counts(books())["refunds"] == "1 refunds (1 processed), 1 sent by payout"


WRONG_MONEY: dict[str, tuple[str, Callable[[Money], Any]]] = {
    "one cent more used than came in": ("uses", lambda m: changed(m.orders, used=Decimal("40.01"))),
    "refund and credit of one sum, the uses silent": ("uses", lambda m: changed(m.orders, going_back=Decimal(20))),
    "sent twice": ("refunds", lambda m: changed(m.payouts, 0, status="FINISHED")),
    "sent under another name": ("refunds", lambda m: changed(m.payouts, 1, name="refund-2-1")),
    "more sent than reserved": ("refunds", lambda m: changed(m.payouts, 1, worth=Decimal("10.02"))),
    "called sent, and it was not": ("refunds", lambda m: m.payouts.pop()),
    "sent by hand and by payout": ("refunds", lambda m: changed(m.refunds, by_provider=False)),
    "sent, and waiting still": ("refunds", lambda m: changed(m.refunds, status="pending", spent=False)),
    "sent, and turned down": (
        "refunds", lambda m: changed(m.refunds, status="failed", reserved=Decimal(0), spent=False),
    ),
    "nothing reserved for it": ("refunds", lambda m: changed(m.refunds, reserved=Decimal(0))),
    "turned down, and its money held": (
        "refunds", lambda m: (m.payouts.clear(), changed(m.refunds, status="failed", spent=False)),
    ),
    "its money is not spent": ("refunds", lambda m: changed(m.refunds, spent=False)),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_MONEY)
def test_each_planted_second_use_of_one_sum_is_found(wrong: str) -> None:
    rule, plant = WRONG_MONEY[wrong]
    it = books()
    plant(it)
    assert rule in broken_in(it)


def test_a_refund_whose_payout_was_just_sent_is_no_wrong() -> None:
    it = books()
    changed(it.refunds, status="processing", spent=False)
    assert broken_in(it) == set()


def test_the_report_says_what_each_rule_was_checked_on() -> None:
    text = Report({}, Counter(), [Breach("uses", "order-1: 2 used, 1 came in")], {"uses": "5 orders"}).text()
    assert f"| {RULES['uses']} | **broken 1 times** | 5 orders |" in text
    assert f"| {RULES['delivered']} | holds |  |" in text
    assert f"order-1: 2 used, 1 came in  ({RULES['uses']})" in text


def test_a_receiver_knows_a_forged_request_from_ours() -> None:
    receivers, secret = Receivers(1), secrets.fresh()
    receivers.secrets["steady"] = secrets.shown(secret)
    forger = secrets.fresh()
    try:
        for signer in (secret, forger):
            _sent(receivers, signer)
        assert [receipt.signed for receipt in receivers.receipts] == [True, False]
        assert {receipt.event_id for receipt in receivers.receipts} == {"event-1"}
    finally:
        receivers.close()


def _sent(receivers: Receivers, secret: Plaintext) -> None:
    headers = signing.headers("event-1", datetime.now(UTC), b"{}", [secret])
    assert httpx.post(f"{receivers.url}/steady", content=b"{}", headers=headers).status_code == 200
