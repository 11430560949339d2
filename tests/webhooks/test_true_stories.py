"""What a merchant's receiver hears of its own payments and refunds, with nothing written by hand."""

from decimal import Decimal

from app.payments import asking
from app.refunds import asking as refunding
from app.webhooks import queries, service
from tests.orders.merchants import asked, charged, merchant, played
from tests.webhooks.scenes import Receiver, numbers

DECLINED = {"number": "4000 0000 0000 0002", "expiry": "12/40", "cvv": "123"}


def heard(receiver: Receiver, object_: str) -> list[tuple[int, str, str]]:
    """What arrived about the objects of a kind, by their sequence: webhooks may come in any order."""
    bodies = [post.json for post in receiver.posts if post.json["object"] == object_]
    return sorted((body["sequence"], body["type"], body["data"]["status"]) for body in bodies)


async def test_a_card_payment_is_told_from_asked_to_fulfilled(app, drain, receiver) -> None:
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=receiver.url)
    await played(drain, await charged(merchant_id))
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
    await played(drain, order, **DECLINED)
    called_off = await asked(order)
    await asking.cancel(merchant_id, True, called_off["id"])
    await drain(later=True)
    assert sorted(post.json["data"]["failure"] for post in receiver.posts) == ["cancelled", "declined"]
    assert {post.json["type"] for post in receiver.posts} == {"payment.failed"}


async def test_a_refund_is_told_from_asked_to_paid(app, drain, receiver) -> None:
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=receiver.url)
    payment = await played(drain, await charged(merchant_id, "20.00"))
    await refunding.ask(merchant_id, True, payment["id"], Decimal("5.00"), "half is broken", None, "key 1")
    await drain(later=True)
    assert heard(receiver, "refund") == [(1, "refund.pending", "pending"), (2, "refund.processed", "processed")]
    last = (await queries.feed(merchant_id, True, 0, 100))[-1]
    assert last["type"] == "refund.processed"
