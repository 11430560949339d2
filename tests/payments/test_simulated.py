"""Payments of test mode: asked for, played by jobs, told by the timeline, booked like any other."""

from app.ledger import queries as books
from app.ledger import service as ledger
from tests.builders import events, order
from tests.orders.merchants import asked, charged, merchant, payment


async def test_a_good_card_pays_and_fulfils_the_order(drain) -> None:
    placed = await charged(await merchant())
    made = await asked(placed)
    assert (made["word"], made["value"], made["method"]) == ("pending", 0, "card")
    await drain(later=True, only="payments.simulate")
    done, paid = await payment(made), await order(placed["id"])
    assert (done["word"], done["value"]) == ("success", placed["total"])
    assert (paid["status"], paid["fulfillment_status"]) == ("fulfilled", "fulfilled")
    assert await events(placed["id"]) == [
        "order.created", "payment.pending", "order.waiting", "payment.confirming", "order.confirming",
        "payment.finished", "order.paid", "order.fulfilled",
    ]  # fmt: skip
    assert str(await books.received(placed["id"])) == "$20.00"
    assert await ledger.prove() == []
