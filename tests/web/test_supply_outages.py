"""What pages say while supply is in trouble: on the product, in the catalog, on the order, on the admin's list."""

import pytest

from app.core import db
from app.fulfillment import failure_reasons, steps
from app.queue import breakers
from tests.web.builders import count, minutes, pay, picture, place, submit


async def opened(provider: str) -> None:
    await breakers.failed(provider, "ProviderDown: 503", at_once=True)


async def supplier_id() -> str:
    return str(
        await db.fetch_value("SELECT supplier_product_id FROM product p JOIN order_item i ON i.product_id = p.id")
    )


async def test_goods_say_that_the_supplier_is_away_and_stop_saying_so(browser_client, client) -> None:
    slug = (await client.get("/")).json()["items"][0]["slug"]
    for path in ("/", f"/products/{slug}"):
        assert "Our supplier can’t be reached" not in (await browser_client.get(path)).text
    await opened("kinguin")
    for path in ("/", f"/products/{slug}"):
        assert "be reached right now. " in (await browser_client.get(path)).text
    await db.fetch("DELETE FROM breaker")
    for path in ("/", f"/products/{slug}"):
        assert "Our supplier can’t be reached" not in (await browser_client.get(path)).text


async def test_a_paid_order_says_that_it_waits_and_the_dashboard_why(visitor, client, admin, drain, box) -> None:
    order = await place(client)
    await drain()
    await opened("kinguin")
    await pay(client, box, order)
    await drain()
    page = (await visitor(**order.bearer).get(f"/orders/{order.id}")).text
    assert "Paid. Our supplier can&#39;t be reached right now" in page
    assert "The order continues by itself" in page
    assert "Kinguin can’t be reached" in (await admin.get("/admin")).text
    assert 'bitloot_breaker_open{provider="kinguin"} 1.0' in (await client.get("/metrics")).text


async def test_an_order_without_a_payment_says_that_the_payment_provider_is_away(visitor, client, drain) -> None:
    await opened("nowpayments")
    order = await place(client)
    await drain()
    page = (await visitor(**order.bearer).get(f"/orders/{order.id}")).text
    assert "The payment provider can&#39;t be reached right now" in page


async def test_part_of_the_keys_can_be_revealed_while_the_rest_is_awaited(visitor, client, drain, box) -> None:
    order = await place(client, quantity=3)
    await drain()
    await box.set_product(await supplier_id(), partial=1)
    await pay(client, box, order)
    await drain()
    owner = visitor(**order.bearer)
    page = (await owner.get(f"/orders/{order.id}")).text
    assert "1 of 3 keys ready" in page
    assert f'href="/orders/{order.id}/success"' in page
    shown = await client.post(f"/fulfillment/{order.id}/reveal", json={"itemId": order.item_id}, headers=order.bearer)
    assert len(shown.json()["keys"]) == 1
    [bought] = await box.orders()
    await box.act(bought["orderId"], "cancel")
    with minutes(10):
        await steps.post_due_checks()
        await drain()
    page = (await owner.get(f"/orders/{order.id}")).text
    assert "1 of 3 keys is ready: you can reveal it now." in page
    assert "elsewhere or refunds you" in page


@pytest.fixture
async def cancelled(client, drain, box):
    """A paid order that the supplier cancelled before any key came."""
    order = await place(client)
    await drain()
    await box.set_product(await supplier_id(), mode="cancel")
    await pay(client, box, order)
    await drain(later=True)
    assert await db.fetch_value("SELECT status FROM reservation") == "cancelled"
    await box.set_product(await supplier_id(), mode="normal")
    return order


async def test_a_person_may_buy_again_what_the_supplier_cancelled(admin, cancelled, drain, box) -> None:
    page = (await admin.get(f"/admin/orders/{cancelled.id}")).text
    assert "Buy again" in page
    assert "Give up and refund" in page
    answer = await submit(admin, f"/admin/orders/{cancelled.id}/items/{cancelled.item_id}/retries")
    assert answer.status_code == 303
    await drain(later=True)
    assert await db.fetch_value("SELECT status FROM customer_order") == "fulfilled"
    assert len({o["orderExternalId"] for o in await box.orders()}) == 2
    page = (await admin.get(f"/admin/orders/{cancelled.id}")).text
    assert "Buy again" not in page
    assert "Give up and refund" not in page


async def test_a_person_may_give_it_up_and_the_customer_is_told_of_the_money(admin, visitor, cancelled, drain) -> None:
    answer = await submit(admin, f"/admin/orders/{cancelled.id}/write-offs")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/orders/{cancelled.id}")
    row = await db.fetch_one("SELECT status, detail FROM customer_order, issue")
    assert row["status"] == "failed"
    assert failure_reasons.CANCELLED in row["detail"]
    owner = visitor(**cancelled.bearer)
    page = (await owner.get(f"/orders/{cancelled.id}")).text
    assert "We could not get your key" in page
    assert "You get all your money back" in page
    assert "Payment failed" not in page
    assert "Money due back" in (await owner.get("/orders")).text
    assert await db.fetch_value("SELECT count(*) FROM audit_line WHERE action = 'order.given_up'") == 1
    await drain(only="refunds.request")
    assert await count("refund") == 1


async def test_giving_up_is_refused_to_everybody_and_where_a_key_is_there(
    admin, browser_client, cancelled, ready
) -> None:
    before = await picture()
    assert (await submit(browser_client, f"/admin/orders/{cancelled.id}/write-offs")).status_code in {303, 401}
    for order_id, status in ((ready.id, 409), ("x", 404), ("01234567-89ab-7def-8123-456789abcdef", 404)):
        assert (await submit(admin, f"/admin/orders/{order_id}/write-offs")).status_code == status
    assert await picture() == before
