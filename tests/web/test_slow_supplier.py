"""What an order's page says while the supplier is slow, and the button that gets the money back."""

from datetime import timedelta

import pytest

from app.core import clock, db
from app.fulfillment import stuck_orders
from tests.web.builders import assert_problem, count, logged, pay, picture, place, submit
from tests.web.test_supply_outages import supplier_id

LATER = stuck_orders.LATE + timedelta(minutes=10)


@pytest.fixture
async def silent(client, drain, box):
    """A paid order whose supplier says nothing."""
    order = await place(client)
    await drain()
    await box.set_product(await supplier_id(), mode="by_hand")
    await pay(client, box, order)
    await drain()
    return order


async def usual(minutes: int) -> None:
    """Twenty orders of before that had their keys after so many minutes."""
    for _ in range(20):
        await db.fetch(
            """INSERT INTO customer_order (id, email, status, fulfillment_status, currency, subtotal, total, created_at,
                 paid_at, fulfilled_at, published_seq)
               VALUES (gen_random_uuid(), 'a@b.io', 'fulfilled', 'fulfilled', 'USD', 1, 1, now() - interval '1 day',
                 now() - interval '1 day', now() - interval '1 day' + $1, 0)""",
            timedelta(minutes=minutes),
        )


async def test_without_a_record_of_our_own_no_time_is_promised(visitor, silent) -> None:
    with clock.travelled(timedelta(days=2)):  # past what another test has measured
        page = (await visitor(**silent.bearer).get(f"/orders/{silent.id}")).text
    assert "We are buying it from our supplier." in page
    assert "minutes" not in page[page.index('id="order-words"') :][:600]


async def test_the_page_promises_what_our_own_record_says_and_takes_it_back_when_it_is_over(visitor, silent) -> None:
    await usual(4)
    owner = visitor(**silent.bearer)
    with clock.travelled(timedelta(minutes=2)):
        assert "Most keys arrive within 4 minutes." in (await owner.get(f"/orders/{silent.id}")).text
    with clock.travelled(timedelta(minutes=5)):
        page = (await owner.get(f"/orders/{silent.id}")).text
    assert "Paid. This is taking longer than usual" in page
    assert "Most keys arrive within 4 minutes; yours has not arrived yet." in page
    assert "Get a refund" not in page


async def test_a_games_page_names_a_time_only_by_our_own_record(browser_client) -> None:
    slug = await db.fetch_value("SELECT slug FROM product WHERE active ORDER BY slug LIMIT 1")
    with clock.travelled(timedelta(days=4)):
        page = (await browser_client.get(f"/products/{slug}")).text
    assert "Your key appears on your order page" in page
    assert "minute" not in page
    await usual(4)
    with clock.travelled(timedelta(days=6)):
        page = (await browser_client.get(f"/products/{slug}")).text
    assert "Nine of ten orders have their keys within 4 minutes of being paid." in page


async def test_after_forty_silent_minutes_the_page_offers_the_money_back(visitor, client, admin, silent) -> None:
    owner = visitor(**silent.bearer)
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
        page = (await owner.get(f"/orders/{silent.id}")).text
    total = await db.fetch_value("SELECT total FROM customer_order WHERE id = $1::text::uuid", silent.id)
    assert "Paid. Your key is taking longer than it should" in page
    assert f"You can wait, or get a refund of ${total} below." in page
    assert f'action="/orders/{silent.id}/withdrawals"' in page
    assert "seconds, at most" not in page
    assert "The supplier is slow" in (await admin.get("/admin")).text
    given = await submit(owner, f"/orders/{silent.id}/withdrawals")
    assert given.status_code == 303
    page = (await owner.get(f"/orders/{silent.id}")).text
    assert "You are getting your money back" in page
    assert "/withdrawals" not in page
    assert "The supplier is slow" not in (await admin.get("/admin")).text


async def test_money_that_staff_takes_back_on_the_customers_page_is_logged_as_staffs(visitor, admin, silent) -> None:
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
        assert (await submit(admin, f"/orders/{silent.id}/withdrawals")).status_code == 303
    line = await db.fetch_one("SELECT actor, details FROM audit_line WHERE action = 'order.changed_by_staff'")
    assert tuple(line) == ("admin boss@bitloot.test", "POST /orders/{order_id}/withdrawals")
    assert "Order changed by our team" in (await visitor(**silent.bearer).get(f"/orders/{silent.id}/audit")).text


async def test_money_that_the_customer_takes_back_is_not_logged_as_staffs(visitor, silent) -> None:
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
        assert (await submit(visitor(**silent.bearer), f"/orders/{silent.id}/withdrawals")).status_code == 303
    assert await logged("order.changed_by_staff") == []


async def test_the_money_back_by_json(client, silent, drain) -> None:
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
    answer = await client.post(f"/orders/{silent.id}/withdrawals", json={}, headers=silent.bearer)
    assert answer.status_code == 202
    assert answer.json()["orderId"] == silent.id
    total = await db.fetch_value("SELECT total FROM customer_order WHERE id = $1::text::uuid", silent.id)
    assert answer.json()["amount"] == {"amount": str(total), "currency": "USD"}
    await drain(only="refunds.request", later=True)
    assert await count("refund") == 1
    again = await client.post(f"/orders/{silent.id}/withdrawals", json={}, headers=silent.bearer)
    assert again.status_code == 409
    assert await count("refund") == 1


async def test_nobody_else_and_nobody_too_early_gets_it(client, visitor, silent) -> None:
    before = await picture(but=("audit_line", "audit_head"))
    early = await client.post(f"/orders/{silent.id}/withdrawals", json={}, headers=silent.bearer)
    assert_problem(early, 409, "nothing_to_withdraw")
    with clock.travelled(LATER):
        stranger = await client.post(f"/orders/{silent.id}/withdrawals", json={})
    assert stranger.status_code == 404
    assert await picture(but=("audit_line", "audit_head")) == before
