"""What pages and letters say of money and keys is so, in whatever order things happened."""

import json
from typing import Any
from uuid import UUID

import pytest

from app.core import db
from app.mail.service import render
from tests.web.builders import assert_problem, picture, place, submit
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
    assert (found["status"], "sent the money back" in str(found["reasons"])) == ("fulfilled", True)
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
    said = str(found["reasons"])
    assert (found["status"], "failed at the provider after money had arrived" in said) == ("failed", True)
    assert "Your payment was seen, but it did not go through" in page
    assert "If you paid, we will see it" not in page
    assert (await letters(order))[-1] == "payment_failed"
    assert (await told(visitor, order))["choices"] is None


async def _text(order: Any, kind: str) -> str:
    """A letter's text as it would go out, in one line."""
    sql = "SELECT context FROM mail WHERE subject = $1 AND kind = $2"
    context = json.loads(await db.fetch_value(sql, UUID(order.id), kind))
    return " ".join(render(kind, context).text.split())


async def test_an_overpaid_order_that_is_delivered_is_not_said_to_end_by_a_choice(visitor, client, drain, box) -> None:
    order = await played(client, drain, box, "overpaid")
    for where in ("", "/success"):
        page = await page_of(visitor, order, where)
        assert 'data-confirm="Get a refund of $' in page
        assert 'as store credit?"' in page
        assert "This ends the order." not in page
    assert "Your order is not affected." in page


async def test_a_choice_that_ends_an_order_says_so(visitor, client, drain, box) -> None:
    order = await played(client, drain, box, "partially_paid", fraction="0.5")
    assert (await page_of(visitor, order)).count("This ends the order.") == 2


async def test_what_a_refund_needs_to_look_like_one_is_there_before_it_is_chosen(visitor, client, drain, box) -> None:
    order = await played(client, drain, box, "finished")
    for where in ("", "/success"):
        page = await page_of(visitor, order, where)
        assert ("css/refunds.css" in page, "css/order.css" in page) == (True, True)


async def test_the_key_page_says_what_was_not_delivered_and_waits_for_nothing(visitor, client, drain, box) -> None:
    order = await place(client, quantity=2, payCurrency="usdttrc20")
    await drain()
    await pay(client, box, order)
    await drain()
    assert "Your keys are ready" in await page_of(visitor, order, "/success")
    await db.fetch("DELETE FROM sealed_key WHERE id = (SELECT id FROM sealed_key LIMIT 1)")
    assert "The rest will appear here" in await page_of(visitor, order, "/success")
    await db.fetch("UPDATE order_item SET withdrawn = 1")
    page = await page_of(visitor, order, "/success")
    assert "1 of 2 keys was not delivered: you get its money back." in page
    assert "Your key is ready" in page
    untrue = ("The rest will appear here", "has not arrived yet", "is paid in full")
    assert [words for words in untrue if words in page] == []


async def test_an_order_whose_keys_were_all_taken_back_shows_no_key_as_done(visitor, client, drain, box) -> None:
    order = await played(client, drain, box, "finished")
    await db.fetch("DELETE FROM event WHERE kind = 'key.sealed'")
    await db.fetch("DELETE FROM sealed_key")
    await db.fetch("UPDATE order_item SET withdrawn = 1, status = 'withdrawn'")
    page = await page_of(visitor, order)
    assert 'Get key<span class="visually-hidden">: did not work' in page
    assert "You are getting your money back" in page
    assert [words for words in ("Go to your key", "Your key is ready", "data-done") if words in page] == []
    await db.fetch("UPDATE customer_order SET status = 'refunded'")
    page = await page_of(visitor, order)
    assert 'Get key<span class="visually-hidden">: did not work' in page


async def test_a_delivered_order_shows_its_key_as_done_after_a_refund(visitor, client, drain, box) -> None:
    order = await played(client, drain, box, "finished")
    await db.fetch("UPDATE customer_order SET status = 'refunded'")
    assert 'Get key<span class="visually-hidden">: done' in await page_of(visitor, order)


async def test_the_newest_orders_that_need_a_person_are_shown_with_how_many_there_are(admin, client, placed) -> None:
    copied = """INSERT INTO customer_order SELECT (jsonb_populate_record(o, jsonb_build_object(
                  'id', gen_random_uuid(), 'created_at', o.created_at + n * interval '1 minute', 'reference', n
                ))).* FROM customer_order o, generate_series($1::int, $2::int) n WHERE o.id = $3"""
    reason = """INSERT INTO issue (id, subject, code, detail, opened_at)
                SELECT gen_random_uuid(), 'order:' || id, 'order_note', 'reason ' || reference, created_at
                FROM customer_order WHERE reference::int BETWEEN $1 AND $2"""
    await db.fetch(copied, 1, 30, UUID(placed.id))
    await db.fetch(reason, 1, 30)
    page = (await admin.get("/admin")).text
    assert ("Reason 30" in page, "Reason 11" in page, "Reason 10<" in page) == (True, True, False)
    assert 'href="/admin/orders?needs=you">All 30 orders that need you' in page
    await db.fetch(copied, 31, 120, UUID(placed.id))
    await db.fetch(reason, 31, 120)
    assert "All 100+ orders that need you" in (await admin.get("/admin")).text
    listed = [(await admin.get(f"/admin/orders?needs=you&page={n}")).text for n in (1, 2, 3)]
    assert [page.count('class="row-link') for page in listed] == [50, 50, 20]
    assert "needs=you&amp;page=2" in listed[0]
