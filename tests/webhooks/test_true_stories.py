"""What a merchant's receiver hears of its own payments and refunds, with nothing written by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.core import clock
from app.payments import create_for_merchants
from app.payments import queries as payments
from app.refunds import create_for_merchants as refunding
from app.webhooks import queries, service
from tests.orders.merchants import asked, charged, completed, merchant, told_payment
from tests.webhooks.builders import Receiver, numbers

DECLINED = {"number": "4000 0000 0000 0002", "expiry": "12/40", "cvv": "123"}


def heard(receiver: Receiver, object_: str) -> list[tuple[int, str, str]]:
    """What arrived about the objects of a kind, by their sequence: webhooks may come in any order."""
    bodies = [post.json for post in receiver.posts if post.json["object"] == object_]
    return sorted((body["sequence"], body["type"], body["data"]["status"]) for body in bodies)


async def test_a_card_payment_is_told_from_asked_to_fulfilled(app, drain, receiver) -> None:
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=receiver.url)
    await completed(drain, await charged(merchant_id))
    await drain(later=True)
    assert heard(receiver, "payment") == [
        (1, "payment.pending", "pending"), (2, "payment.confirming", "confirming"), (3, "payment.success", "success"),
    ]  # fmt: skip
    assert heard(receiver, "order") == [(1, "order.paid", "paid"), (2, "order.fulfilled", "fulfilled")]
    assert await numbers(merchant_id) == [1, 2, 3, 4, 5]


async def test_a_declined_card_and_a_payment_called_off_are_told_as_failed_with_their_reason(
    app, drain, receiver
) -> None:
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=receiver.url, types=["payment.failed"])
    order = await charged(merchant_id)
    await completed(drain, order, **DECLINED)
    called_off = await asked(order)
    await create_for_merchants.cancel(merchant_id, True, called_off.id)
    await drain(later=True)
    assert sorted(post.json["data"]["failure"] for post in receiver.posts) == ["cancelled", "declined"]
    assert {post.json["type"] for post in receiver.posts} == {"payment.failed"}


@pytest.mark.parametrize(
    ("wish", "event", "flags", "amounts"),
    [
        ("overpaid", "payment.overpaid", (True, False), ("30.00", "10.00", "0.00")),
        ("underpaid", "payment.underpaid", (False, True), ("10.00", "0.00", "10.00")),
        ("success", "payment.success", (False, False), ("20.00", "0.00", "0.00")),
    ],
)  # fmt: skip
async def test_too_much_and_too_little_money_have_an_event_and_say_how_much(
    app, drain, receiver, wish: str, event: str, flags: tuple[bool, bool], amounts: tuple[str, str, str]
) -> None:
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=receiver.url, types=[event])
    order = await charged(merchant_id, "20.00")
    payment = await completed(drain, order, "crypto", metadata={"test": wish, "cart": "7"})
    await drain()
    [told] = [post.json for post in receiver.posts]
    found = await payments.of_merchant(merchant_id, True, payment.id)
    assert found is not None
    for data in (told["data"], told_payment(found)):
        assert (data["overpaid"], data["underpaid"]) == flags
        assert (data["captured"], data["excess"], data["missing"]) == amounts
        assert (data["metadata"], data["details"]) == ({"test": wish, "cart": "7"}, {})
    assert (told["type"], told["object_id"]) == (event, str(payment.id))


async def test_money_for_an_order_that_was_paid_already_is_told_as_overpaid(app, drain, receiver) -> None:
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=receiver.url, types=["payment.overpaid"])
    order = await charged(merchant_id, "20.00")
    slow = await asked(order, "crypto", metadata={"test_delay": "600000"})
    await completed(drain, order)
    await drain(later=True)
    [told] = [post.json for post in receiver.posts]
    assert (told["object_id"], told["data"]["excess"], told["data"]["overpaid"]) == (str(slow.id), "20.00", True)


async def test_a_payment_says_that_it_was_changed_when_its_money_went_back(app, drain) -> None:
    merchant_id = await merchant()
    payment = await completed(drain, await charged(merchant_id, "20.00"))
    before = await payments.of_merchant(merchant_id, True, payment.id)
    with clock.travelled(timedelta(minutes=5)):
        await refunding.create(merchant_id, True, payment.id, Decimal("5.00"), "half is broken", None, "key 1")
        await drain(later=True)
    after = await payments.of_merchant(merchant_id, True, payment.id)
    assert before is not None
    assert after is not None
    assert (before.refunded, after.refunded) == (0, Decimal("5.00"))
    assert after.updated_at > before.updated_at


async def test_a_refund_is_told_from_asked_to_paid(app, drain, receiver) -> None:
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=receiver.url)
    payment = await completed(drain, await charged(merchant_id, "20.00"))
    await refunding.create(merchant_id, True, payment.id, Decimal("5.00"), "half is broken", None, "key 1")
    await drain(later=True)
    assert heard(receiver, "refund") == [
        (1, "refund.pending", "pending"), (2, "refund.processing", "processing"), (3, "refund.processed", "processed"),
    ]  # fmt: skip
    last = (await queries.feed(merchant_id, True, 0, 100))[-1]
    assert last.type == "refund.processed"
