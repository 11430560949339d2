"""What pages and letters say of money and keys is so, in whatever order things happened."""

import json
from typing import Any
from uuid import UUID

import pytest

from app.core import db
from app.mail.service import render
from tests.web.builders import assert_problem, picture, submit
from tests.web.test_money_on_pages import letters, page_of, pay, played, row, told, waiting

CANCEL = "Cancel this order"
IN_DOUBT = ("settled_low", "zero", "wrong_coin", "confirming", "partially_paid")


@pytest.mark.parametrize("case", IN_DOUBT)
async def test_an_order_whose_money_was_reported_can_not_be_cancelled(visitor, client, drain, box, case: str) -> None:
    order = await waiting(client, drain)
    assert CANCEL in await page_of(visitor, order)
    await pay(client, box, order, case)
    await drain()
    page = await page_of(visitor, order)
    assert CANCEL not in page
    before = await picture()
    assert_problem(await client.post(f"/orders/{order.id}/cancellations", headers=order.bearer), 409, "order_closed")
    assert await picture() == before
    assert "Nothing was charged" not in page


async def test_an_order_that_nobody_paid_says_that_nothing_was_charged(visitor, client, drain) -> None:
    order = await waiting(client, drain)
    await submit(visitor(**order.bearer), f"/orders/{order.id}/cancellations", {})
    assert "Nothing was charged." in await page_of(visitor, order)


@pytest.mark.parametrize(
    ("case", "said"), [("zero", "Your payment is being checked"), ("confirming", "A payment for it was reported.")]
)
async def test_a_cancelled_order_does_not_say_nothing_was_charged_once_money_was_reported(
    visitor, client, drain, box, case: str, said: str
) -> None:
    order = await waiting(client, drain)
    await submit(visitor(**order.bearer), f"/orders/{order.id}/cancellations", {})
    await pay(client, box, order, case)
    await drain()
    page = await page_of(visitor, order)
    assert (said in page, "Nothing was charged" in page) == (True, False)


async def test_a_payment_sent_back_after_delivery_is_not_called_paid_in_full(visitor, client, drain, box) -> None:
    order = await played(client, drain, box, "finished")
    assert "is paid in full" in await page_of(visitor, order, "/success")
    await pay(client, box, order, "refunded")
    await drain()
    found = await row(order)
    assert (found["status"], "sent the money back" in found["cause"]) == ("fulfilled", True)
    page, keys = await page_of(visitor, order), await page_of(visitor, order, "/success")
    assert "Your payment was sent back to you" in page
    assert ("is paid in full" in keys, "sent it back after this order had counted as paid" in keys) == (False, True)
    letter = await _text(order, "payment_sent_back")
    assert "Your key had been delivered by then" in letter
    assert [w for w in ("nothing was bought", "please order it again") if w in letter] == []


async def test_a_payment_that_fails_after_it_was_seen_is_said_to_have_been_seen(visitor, client, drain, box) -> None:
    order = await waiting(client, drain)
    await pay(client, box, order, "confirming")
    await pay(client, box, order, "failed")
    await drain()
    found, page = await row(order), await page_of(visitor, order)
    assert (found["status"], "failed at the provider after money had arrived" in found["cause"]) == ("failed", True)
    assert "Your payment was seen, but it did not go through" in page
    assert "If you paid, we will see it" not in page
    assert (await letters(order))[-1] == "payment_failed"
    assert (await told(visitor, order))["choices"] is None


async def _text(order: Any, kind: str) -> str:
    """A letter's text as it would go out, in one line."""
    sql = "SELECT context FROM mail WHERE subject = $1 AND kind = $2"
    context = json.loads(await db.fetch_value(sql, UUID(order.id), kind))
    return " ".join(render(kind, context).text.split())
