"""The order's pages through its life: what they show, what they answer as JSON, and giving an order up."""

import pytest

from app.core import db
from tests.web.builders import EMAIL, assert_problem, count, pay, picture, place, submit

STATUS = {"orderId", "status", "fulfillmentStatus", "progress", "payment", "items"}
PAYMENT = {
    "paymentId", "status", "payAddress", "payAmount", "payCurrency", "actuallyPaid", "invoiceUrl", "expiresAt",
}  # fmt: skip


@pytest.fixture
async def owner(visitor, placed):
    browser = visitor()
    browser.cookies.set("bitloot_orders", placed.token)
    return browser


async def state_of(client, order) -> dict:
    answer = await client.get(f"/fulfillment/{order.id}/status", headers=order.bearer)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_status_has_the_shape_of_the_design_from_start_to_end(client, placed, drain, box) -> None:
    said = await state_of(client, placed)
    assert set(said) >= STATUS
    assert (said["status"], said["fulfillmentStatus"], said["payment"]) == ("created", "pending", None)
    await drain()
    said = await state_of(client, placed)
    [paid] = await box.payments()
    assert (said["status"], said["progress"]) == ("waiting", 15)
    assert set(said["payment"]) >= PAYMENT
    assert said["payment"]["paymentId"] == str(paid["payment_id"])
    assert isinstance(said["payment"]["payAmount"], str)
    await pay(client, box, placed)
    await drain()
    said = await state_of(client, placed)
    assert (said["status"], said["fulfillmentStatus"], said["progress"]) == ("fulfilled", "fulfilled", 100)
    [item] = said["items"]
    assert set(item) >= {"itemId", "productId", "quantity", "status", "keys"}
    [key] = item["keys"]
    assert set(key) == {"keyId", "revealedAt"}
    assert key["revealedAt"] is None


async def test_every_twin_of_the_status_says_the_same(client, ready) -> None:
    said = await state_of(client, ready)
    for path in (f"/orders/{ready.id}", f"/orders/{ready.id}/status", f"/orders/{ready.id}/success"):
        assert (await client.get(path, headers=ready.bearer)).json() == said


async def test_the_page_shows_amount_address_and_qr_code(owner, placed, drain, box) -> None:
    assert "Preparing your payment" in (await owner.get(f"/orders/{placed.id}")).text
    await drain()
    page = await owner.get(f"/orders/{placed.id}")
    [payment] = await box.payments()
    assert payment["pay_address"] in page.text
    assert f"{payment['pay_amount']}" in page.text
    assert '<svg class="qr"' in page.text or 'class="qr"' in page.text
    assert "Pay on NOWPayments’ page instead" in page.text
    assert "data-expires-in=" in page.text
    assert f"/orders/{placed.id}/events?after=" in page.text
    assert EMAIL not in page.text


async def test_a_coin_with_a_memo_shows_it(client, visitor, drain, box) -> None:
    order = await place(client, payCurrency="xrp")
    await drain()
    [payment] = await box.payments()
    page = await visitor(**order.bearer).get(f"/orders/{order.id}")
    assert "Destination tag" in page.text
    assert str(payment["payin_extra_id"]) in page.text


async def test_the_polled_partial_is_the_moving_part_of_the_page(owner, placed, drain) -> None:
    await drain()
    part = (await owner.get(f"/orders/{placed.id}/status")).text
    page = (await owner.get(f"/orders/{placed.id}")).text
    assert "<html" not in part
    assert part.lstrip().startswith("<div")
    assert 'id="order-state"' in part
    assert page.count('id="order-state"') == 1


async def test_the_success_page_waits_until_a_key_is_there(owner, placed, client, drain, box) -> None:
    early = await owner.get(f"/orders/{placed.id}/success")
    assert (early.status_code, early.headers["location"]) == (303, f"/orders/{placed.id}")
    await drain()
    await pay(client, box, placed)
    await drain()
    page = await owner.get(f"/orders/{placed.id}/success")
    assert page.status_code == 200
    assert f'action="/fulfillment/{placed.id}/reveal"' in page.text


async def test_an_open_order_can_be_given_up_by_form(owner, placed) -> None:
    answer = await submit(owner, f"/orders/{placed.id}/cancellations")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{placed.id}")
    assert await db.fetch_value("SELECT status FROM customer_order") == "cancelled"
    assert "This order is cancelled" in (await owner.get(f"/orders/{placed.id}")).text


async def test_an_open_order_can_be_given_up_over_json_once(client, placed) -> None:
    path = f"/orders/{placed.id}/cancellations"
    answer = await client.post(path, headers=placed.bearer)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    before = await picture()
    assert_problem(await client.post(path, headers=placed.bearer), 409, "order_closed")
    assert await picture() == before


async def test_htmx_gets_the_partial_of_the_cancelled_order(owner, placed) -> None:
    part = await submit(owner, f"/orders/{placed.id}/cancellations", **{"hx-request": "true"})
    assert part.status_code == 200
    assert 'data-phase="cancelled"' in part.text
    assert "<html" not in part.text


async def test_an_order_that_was_paid_can_not_be_given_up(client, ready) -> None:
    before = await picture()
    answer = await client.post(f"/orders/{ready.id}/cancellations", headers=ready.bearer)
    assert_problem(answer, 409, "order_closed")
    assert await picture() == before


async def test_a_cancelled_order_asks_for_no_payment(client, placed, drain, box) -> None:
    await client.post(f"/orders/{placed.id}/cancellations", headers=placed.bearer)
    await drain()
    assert await box.payments() == []
    assert await count("payment") == 0


async def test_the_history_lists_what_this_browser_bought(owner, placed, client) -> None:
    await place(client, email="somebody@else.test")
    page = await owner.get("/orders")
    assert page.text.count('class="row-link') == 1
    assert f'href="/orders/{placed.id}"' in page.text
    said = (await owner.get("/orders", headers={"accept": "application/json"})).json()
    assert [set(item) for item in said["items"]] == [{"orderId", "status", "total", "createdAt"}]


async def test_a_stranger_has_no_history(visitor, placed) -> None:
    assert (await visitor("application/json").get("/orders")).json() == {"items": []}
    assert "No orders here" in (await visitor().get("/orders")).text
