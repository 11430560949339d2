"""What pages, answers and letters say when money came otherwise than asked, and what the forms then offer."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.core import clock, db
from app.ledger import service as ledger
from app.web.store.order_texts import HEADLINES
from tests.builders import reasons_of
from tests.web.builders import IPN, picture, place, submit
from tests.web.pages import Page

ASKS = ("pay-address", "pay-qr", "data-expires-in")  # marks of a page that asks for money


async def pay(client: Any, box: Any, order: Any, case: str = "finished", **more: Any) -> None:
    """Play a case on the order's newest attempt, and carry all notices to the shop's door."""
    own = [p for p in await box.payments() if p["order_id"] == order.id and p.get("parent_payment_id") is None]
    newest = max(own, key=lambda p: (p["created_at"], p["payment_id"]))
    await box.pay(str(newest["payment_id"]), case, **more)
    for notice in reversed((await box.http.get("/sandbox/api/webhooks?provider=nowpayments")).json()):
        await client.post(IPN, content=notice["body"].encode(), headers=notice["headers"])


async def waiting(client: Any, drain: Any) -> Any:
    order = await place(client, payCurrency="usdttrc20")
    await drain()
    return order


async def played(client: Any, drain: Any, box: Any, case: str, **more: Any) -> Any:
    order = await waiting(client, drain)
    await pay(client, box, order, case, **more)
    await drain()
    return order


async def row(order: Any) -> dict[str, Any]:
    found = await db.fetch_one("SELECT * FROM customer_order WHERE id = $1", UUID(order.id))
    assert found is not None
    return dict(found) | {"reasons": await reasons_of(found["id"])}


async def page_of(visitor: Any, order: Any, where: str = "") -> str:
    answer = await visitor(**order.bearer).get(f"/orders/{order.id}{where}")
    assert answer.status_code == 200
    assert Page(answer.text).faults == []
    return str(answer.text)


async def told(visitor: Any, order: Any) -> dict[str, Any]:
    answer = await visitor(**order.bearer).get(
        f"/fulfillment/{order.id}/status", headers={"accept": "application/json"}
    )
    return dict(answer.json())


async def letters(order: Any) -> list[str]:
    sql = "SELECT kind FROM mail WHERE subject = $1 ORDER BY created_at, id"
    return [r["kind"] for r in await db.fetch(sql, UUID(order.id))]


async def asks_for_nothing(visitor: Any, order: Any) -> str:
    page = await page_of(visitor, order)
    assert [mark for mark in ASKS if mark in page] == []
    payment = (await told(visitor, order))["payment"]
    assert (payment["payAddress"], payment["memo"], payment["invoiceUrl"]) == (None, None, None)
    return page


async def test_money_that_an_admin_gives_back_is_offered_to_nobody_else(visitor, admin, client, drain, box) -> None:
    order = await played(client, drain, box, "partially_paid", fraction="0.5")
    assert "Keep it as store credit" in await page_of(visitor, order)
    assert (await submit(admin, f"/admin/orders/{order.id}/refunds", {"amount": "", "reason": "as agreed"})).is_redirect
    page = await asks_for_nothing(visitor, order)
    assert HEADLINES["underpaid"][0] not in page
    assert f"/orders/{order.id}/choices" not in page
    assert (await told(visitor, order))["choices"] is None
    before = await picture()
    for choice in ("credit", "refund", "top_up"):
        answer = await submit(visitor(**order.bearer), f"/orders/{order.id}/choices", {"choice": choice})
        assert answer.status_code == 409
        assert "There is nothing to choose" in answer.text
    assert await picture() == before


async def test_a_credit_that_was_taken_can_not_be_refunded_too(visitor, admin, client, drain, box) -> None:
    order = await played(client, drain, box, "partially_paid", fraction="0.5")
    half = (await told(visitor, order))["choices"]["held"]["amount"]
    await submit(visitor(**order.bearer), f"/orders/{order.id}/choices", {"choice": "credit"})
    before = await picture(but=("audit_line", "audit_head"))
    answer = await submit(admin, f"/admin/orders/{order.id}/refunds", {"amount": half, "reason": "as agreed"})
    assert answer.status_code == 409
    assert await picture(but=("audit_line", "audit_head")) == before
    assert "At most $0.00" in answer.text


async def test_a_top_up_that_comes_while_a_refund_waits_is_the_customers_to_decide_on(
    visitor, admin, client, drain, box
) -> None:
    order = await played(client, drain, box, "partially_paid", fraction="0.6")
    held = (await told(visitor, order))["choices"]["held"]["amount"]
    await submit(visitor(**order.bearer), f"/orders/{order.id}/choices", {"choice": "top_up", "payCurrency": "ltc"})
    await drain()
    refused = await submit(admin, f"/admin/orders/{order.id}/refunds", {"amount": held, "reason": "as agreed"})
    assert refused.status_code == 409
    assert "is kept while the customer adds the rest" in refused.text
    await submit(visitor(**order.bearer), f"/orders/{order.id}/choices", {"choice": "refund"})
    await drain()
    await asks_for_nothing(visitor, order)
    await pay(client, box, order)  # the coins were on their way already
    await drain()
    found = await row(order)
    assert (found["status"], "owed back" in str(found["reasons"])) == ("underpaid", True)
    choices = (await told(visitor, order))["choices"]
    assert choices["ways"] == ["refund", "credit"]
    assert Decimal(choices["held"]["amount"]) + Decimal(held) == found["total"]
    assert (await letters(order))[-1] == "money_after_cancel"
    await submit(visitor(**order.bearer), f"/orders/{order.id}/choices", {"choice": "credit"})
    assert (await told(visitor, order))["choices"] is None
    assert (await row(order))["reasons"] == []
    assert await ledger.prove() == []


async def test_an_overpaid_order_tells_its_customer_on_the_key_page_and_the_admin_owes_the_excess_alone(
    visitor, admin, client, drain, box
) -> None:
    order = await played(client, drain, box, "overpaid", fraction="1.25")
    found = await row(order)
    excess = (found["total"] / 4).quantize(Decimal("0.01"))
    assert (found["status"], found["reasons"]) == ("fulfilled", [f"overpaid: ${excess} is owed back"])
    page = await page_of(visitor, order, "/success")
    assert f"${excess} of what you sent is still yours" in page
    assert f"Get a refund of ${excess}" in page
    assert "overpaid" in await letters(order)
    assert f'value="{excess}"' in (await admin.get(f"/admin/orders/{order.id}")).text
    await submit(admin, f"/admin/orders/{order.id}/refunds", {"amount": "", "reason": "too much"})
    assert await db.fetch_value("SELECT amount FROM refund WHERE order_id = $1", UUID(order.id)) == excess
    assert (await row(order))["reasons"] == []
    assert "is still yours" not in await page_of(visitor, order, "/success")


async def test_of_an_order_that_was_paid_twice_the_second_payment_is_its_customers(visitor, client, drain, box) -> None:
    order = await played(client, drain, box, "twice")
    found = await row(order)
    assert (found["status"], found["reasons"]) == (
        "fulfilled", ["a further deposit arrived for this order: it is owed back"]
    )  # fmt: skip
    assert f"Get a refund of ${found['total']}" in await page_of(visitor, order, "/success")
    (written,) = await db.fetch("SELECT context FROM mail WHERE kind = 'overpaid'")
    assert f'"excess": "${found["total"]}"' in written["context"]
    await submit(visitor(**order.bearer), f"/orders/{order.id}/choices", {"choice": "credit"})
    assert await db.fetch_value("SELECT amount FROM credit WHERE from_order = $1", UUID(order.id)) == found["total"]
    page = await page_of(visitor, order, "/success")
    assert ("is still yours" in page, 'id="credit-code"' in page) == (False, True)
    assert ((await row(order))["status"], (await row(order))["reasons"]) == ("fulfilled", [])


def refund_form(page: str) -> dict[str, str]:
    """What the admin's form for a refund is filled with."""
    return dict(re.findall(r'<input[^>]* name="(left|amount)"[^>]* value="([0-9.]+)"', page))


async def test_an_admin_who_gives_the_excess_back_does_not_refund_the_game_when_the_customer_was_faster(
    visitor, admin, client, drain, box
) -> None:
    order = await played(client, drain, box, "twice")
    price = (await row(order))["total"]
    form = refund_form((await admin.get(f"/admin/orders/{order.id}")).text)
    assert form == {"left": str(price * 2), "amount": str(price)}
    await submit(visitor(**order.bearer), f"/orders/{order.id}/choices", {"choice": "credit"})
    before = await picture(but=("audit_line", "audit_head"))
    refused = await submit(admin, f"/admin/orders/{order.id}/refunds", form | {"reason": "paid twice"})
    assert refused.status_code == 409
    assert f"${price} can be refunded now. Reload the page and decide again." in refused.text
    assert await picture(but=("audit_line", "audit_head")) == before
    assert ((await row(order))["status"], (await row(order))["frozen_at"]) == ("fulfilled", None)
    # What the page offers now was decided on as it stands, and goes through.
    form = refund_form((await admin.get(f"/admin/orders/{order.id}")).text)
    assert form == {"left": str(price), "amount": str(price)}
    assert (await submit(admin, f"/admin/orders/{order.id}/refunds", form | {"reason": "as agreed"})).is_redirect
    assert await db.fetch_value("SELECT amount FROM refund WHERE order_id = $1", UUID(order.id)) == price


@pytest.mark.parametrize("minutes", [0, 25])
async def test_a_wrong_coin_is_named_and_no_more_is_asked_for(visitor, client, drain, box, minutes: int) -> None:
    order = await played(client, drain, box, "wrong_coin")
    if minutes:
        await pay(client, box, order, "expired")
        await drain()
    with clock.travelled(timedelta(minutes=minutes)):
        page = await asks_for_nothing(visitor, order)
    total = (await row(order))["total"]
    for words in ("arrived, but this order asked for", f"Your ${total} is safe", f"Get a refund of ${total}"):
        assert words in page
    assert [w for w in ("Send your payment", "came late", "sold out", "has expired") if w in page] == []
    assert (await letters(order)).count("wrong_coin") == 1
    await submit(visitor(**order.bearer), f"/orders/{order.id}/choices", {"choice": "credit"})
    found = await row(order)
    assert (found["status"], found["reasons"]) == ("expired", [])


@pytest.mark.parametrize("case", ["refunded", "failed", "expired", "zero"])
async def test_an_attempt_that_has_ended_shows_no_address(visitor, client, drain, box, case: str) -> None:
    order = await played(client, drain, box, case)
    page = await asks_for_nothing(visitor, order)
    words = {
        "refunded": "Your payment was sent back to you", "failed": "The payment did not go through",
        "expired": "This payment has expired", "zero": "Your payment is being checked",
    }  # fmt: skip
    assert words[case] in page
    assert ("payment_sent_back" in await letters(order)) == (case == "refunded")


async def test_a_cancelled_order_shows_no_address_and_offers_what_arrives_after_it(visitor, client, drain, box) -> None:
    order = await waiting(client, drain)
    await submit(visitor(**order.bearer), f"/orders/{order.id}/cancellations", {})
    await asks_for_nothing(visitor, order)
    await pay(client, box, order)
    await drain()
    page, total = await asks_for_nothing(visitor, order), (await row(order))["total"]
    assert f"This order is cancelled, and ${total} arrived for it." in page
    assert f"Get a refund of ${total}" in page
    assert (await letters(order))[-1] == "money_after_cancel"


async def test_of_two_attempts_the_one_that_still_waits_is_shown_when_the_newer_has_ended(
    visitor, client, drain, box
) -> None:
    order = await waiting(client, drain)
    first = (await told(visitor, order))["payment"]
    await submit(visitor(**order.bearer), "/payments/create", {"orderId": order.id, "payCurrency": "ltc"})
    await drain()
    second = (await told(visitor, order))["payment"]
    assert second["payAddress"] != first["payAddress"]
    await pay(client, box, order, "failed")
    await drain()
    assert (await told(visitor, order))["payment"]["payAddress"] == first["payAddress"]
    assert first["payAddress"] in await page_of(visitor, order)
    assert second["payAddress"] not in await page_of(visitor, order)


async def test_a_payment_of_which_we_are_credited_with_a_dollar_waits_for_a_person_who_accepts_it(
    visitor, admin, client, drain, box
) -> None:
    order = await played(client, drain, box, "settled_low")
    found = await row(order)
    assert (found["status"], found["reasons"]) == (
        "waiting", [f"only 1 USDTTRC20 of {found['total']} USD is credited to us"]
    )  # fmt: skip
    page = await asks_for_nothing(visitor, order)
    assert "Your payment is being checked" in page
    assert (await told(visitor, order))["choices"] is None
    assert (await admin.get("/admin")).text.count("is credited to us") == 1
    payment_id = await db.fetch_value("SELECT id FROM payment WHERE order_id = $1", UUID(order.id))
    where = f"/admin/payments/{payment_id}/acceptances"
    assert where in (await admin.get(f"/admin/orders/{order.id}")).text
    before = await picture(but=("audit_line", "audit_head"))
    assert (await submit(visitor(**order.bearer), where)).status_code in {303, 403, 404}
    assert await picture(but=("audit_line", "audit_head")) == before
    assert (await submit(admin, where)).is_redirect
    await drain()
    assert ((await row(order))["status"], (await row(order))["reasons"]) == ("fulfilled", [])
    before = await picture(but=("audit_line", "audit_head"))
    assert (await submit(admin, where)).status_code == 409
    assert await picture(but=("audit_line", "audit_head")) == before
    assert await ledger.prove() == []


async def test_an_admin_counts_only_what_was_credited_and_the_customer_may_have_it_back(
    visitor, admin, client, drain, box
) -> None:
    order = await played(client, drain, box, "settled_low")
    payment_id = await db.fetch_value("SELECT id FROM payment WHERE order_id = $1", UUID(order.id))
    where = f"/admin/payments/{payment_id}/part-acceptances"
    assert where in (await admin.get(f"/admin/orders/{order.id}")).text
    before = await picture(but=("audit_line", "audit_head"))
    assert (await submit(visitor(**order.bearer), where, {"amount": "1"})).status_code in {303, 403, 404}
    for wrong in ({}, {"amount": "0"}, {"amount": "x"}, {"amount": "999"}):
        assert (await submit(admin, where, wrong)).status_code == 400, wrong
    assert await picture(but=("audit_line", "audit_head")) == before
    assert (await submit(admin, where, {"amount": "1.00"})).is_redirect
    assert (await row(order))["status"] == "underpaid"
    assert "$1.00" in await page_of(visitor, order)
    page = (await admin.get(f"/admin/orders/{order.id}")).text
    assert ("Refund this order?" in page, where in page) == (True, False)
