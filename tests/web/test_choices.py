"""Money that has bought nothing, on the order's page: what is missing, what may be chosen, and what became of it."""

from typing import Any

import pytest

from app.core import clock, db
from app.orders.models import Order
from app.payments import queries
from app.payments import service as payments
from app.web.store import answers
from tests.web.builders import assert_problem, pay, picture, place, submit
from tests.web.pages import Page
from tests.web.test_described_shapes import fits


async def page_of(visitor: Any, order: Any) -> str:
    answer = await visitor(**order.bearer).get(f"/orders/{order.id}")
    assert Page(answer.text).faults == []
    ids = Page(answer.text).ids
    assert len(ids) == len(set(ids))
    return str(answer.text)


@pytest.fixture
async def short(client, drain, box):
    """An order of which six tenths are paid."""
    order = await place(client, payCurrency="usdttrc20")
    await drain()
    await pay(client, box, order, "partially_paid", fraction="0.6")
    await drain()
    return order


@pytest.fixture
async def late(client, drain, box):
    """An order whose money came when it had expired and its game was sold out."""
    order = await place(client, payCurrency="usdttrc20")
    await drain()
    await pay(client, box, order, "expired")
    await drain()
    await db.fetch("UPDATE product SET stock = 0, updated_at = $1", clock.now())
    await pay(client, box, order, "late")
    await drain()
    return order


async def row(order: Any) -> Any:
    return await db.fetch_one("SELECT * FROM customer_order WHERE id = $1", order.id)


async def test_the_page_of_an_underpaid_order_shows_what_is_missing_and_offers_a_top_up(visitor, short) -> None:
    page = await page_of(visitor, short)
    found = await payments.options(db.as_model(Order, await row(short)))
    assert found is not None
    assert "Part of the payment is missing" in page
    assert f"{found.held} has arrived. {found.missing} ({found.missing_coin} USDTTRC20) is missing." in page
    assert "Send the rest" in page
    assert f'action="/orders/{short.id}/choices"' in page
    assert f"Add {found.missing}" in page
    assert f"Get a refund of {found.held}" in page


async def test_the_form_of_a_top_up_leads_back_to_its_address_and_amount(visitor, short, drain, box) -> None:
    browser = visitor(**short.bearer)
    answer = await submit(browser, f"/orders/{short.id}/choices", {"choice": "top_up", "payCurrency": "ltc"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{short.id}")
    await drain()
    top_up = max(await box.payments(), key=lambda p: p["created_at"])
    page = await page_of(visitor, short)
    assert top_up["pay_currency"] == "ltc"
    assert top_up["pay_address"] in page
    assert f"{top_up['pay_amount']}" in page
    assert "Send exactly" in page


async def test_a_missing_rest_below_the_coins_minimum_is_not_asked_for_at_the_old_address(
    visitor, client, drain, box
) -> None:
    order = await place(client, payCurrency="usdttrc20")
    await drain()
    await pay(client, box, order, "partially_paid", fraction="0.98")
    await drain()
    page = await page_of(visitor, order)
    assert "Send the rest" not in page
    assert "or the smallest payment the coin allows" in page
    await submit(visitor(**order.bearer), f"/orders/{order.id}/choices", {"choice": "top_up"})
    await drain()
    page = await page_of(visitor, order)
    assert "That is the smallest payment this coin allows; you get the difference back." in page


async def test_late_money_can_be_had_back_or_kept_and_the_page_says_what_was_chosen(visitor, client, late) -> None:
    page = await page_of(visitor, late)
    assert "Your payment came late" in page
    assert "but the game is sold out" in page
    assert "Add " not in page
    answer = await client.post(f"/orders/{late.id}/choices", json={"choice": "credit"}, headers=late.bearer)
    assert fits(answer, answers.ChoiceMade) == {"orderId": late.id, "choice": "credit", "jobId": None}
    page = await page_of(visitor, late)
    code = await db.fetch_value("SELECT code FROM credit")
    assert "Your money is now store credit" in page
    assert code in page
    before = await picture()
    again = await client.post(f"/orders/{late.id}/choices", json={"choice": "refund"}, headers=late.bearer)
    assert_problem(again, 409, "nothing_to_choose")
    assert await picture() == before


async def test_a_refund_is_asked_for_by_a_form_without_javascript(visitor, late) -> None:
    await submit(visitor(**late.bearer), f"/orders/{late.id}/choices", {"choice": "refund"})
    assert "You are getting a refund" in await page_of(visitor, late)
    assert await db.fetch_value("SELECT count(*) FROM job WHERE name = 'refunds.request'") == 1


async def test_the_choices_are_told_over_json_too(client, short, late) -> None:
    for order, ways in ((short, ["refund", "credit"]), (late, ["refund", "credit"])):
        answer = await client.get(f"/fulfillment/{order.id}/status", headers=order.bearer)
        assert fits(answer, answers.OrderState)["choices"]["ways"][:2] == ways
    answer = await client.post(f"/orders/{late.id}/choices", json={"choice": "top_up"}, headers=late.bearer)
    assert_problem(answer, 400, "not_that_choice", "choice")


async def test_a_coin_that_is_not_offered_is_refused_and_nothing_changes(client, short) -> None:
    before = await picture()
    body = {"choice": "top_up", "payCurrency": "nosuch"}
    answer = await client.post(f"/orders/{short.id}/choices", json=body, headers=short.bearer)
    assert_problem(answer, 400, "coin_not_offered", "payCurrency")
    assert await picture() == before


async def test_an_overpaid_order_tells_its_customer_and_the_admin_what_is_owed(
    visitor, client, admin, drain, box
) -> None:
    order = await place(client, payCurrency="usdttrc20")
    await drain()
    await pay(client, box, order, "overpaid", fraction="1.5")
    await drain()
    (payment,) = await queries.of_order((await row(order))["id"])
    owed = payment.value - payment.price_amount
    assert f"we owe you ${owed:.2f}" in await page_of(visitor, order)
    page = (await admin.get(f"/admin/orders/{order.id}")).text
    assert "overpaid" in page
    assert "too much" in page


async def test_a_credit_is_typed_where_a_discount_is(visitor, client, late, drain) -> None:
    await client.post(f"/orders/{late.id}/choices", json={"choice": "credit"}, headers=late.bearer)
    await db.fetch("UPDATE product SET stock = 50, updated_at = $1", clock.now())
    code, amount = await db.fetch_one("SELECT code, amount FROM credit")
    browser = visitor()
    slug = await db.fetch_value("SELECT slug FROM product WHERE active AND price < $1 ORDER BY slug LIMIT 1", amount)
    await submit(browser, "/cart", {"slug": slug, "quantity": "1"})
    form = await browser.get("/checkout", params={"discount_code": code, "email": late.email})
    assert f"Store credit {code}" in form.text
    stranger = await browser.get("/checkout", params={"discount_code": code, "email": "a@b.example"})
    assert "belongs to a different email" in stranger.text
    fields = {"email": late.email, "pay_currency": "btc", "discount_code": code}
    answer = await submit(browser, "/orders", fields)
    assert answer.status_code == 303
    await drain()
    assert await db.fetch_value("SELECT status FROM customer_order WHERE discount_code = $1", code) == "fulfilled"
