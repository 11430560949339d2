"""An item that the supplier did not have: it waits for a person, whose button buys it after all."""

import pytest

from app.core import db
from app.issues import queries as open_issues
from tests.web.builders import pay, picture, place, submit


@pytest.fixture
async def stuck(client, drain, box) -> dict:
    """A paid order whose only item is sold out at the supplier."""
    order = await place(client)
    await drain()
    supplier_id = await db.fetch_value(
        "SELECT supplier_product_id FROM product p JOIN order_item i ON i.product_id = p.id"
    )
    await box.set_product(supplier_id, stock=0, textStock=0)
    await pay(client, box, order)
    await drain()
    assert await db.fetch_value("SELECT status FROM reservation") == "out_of_stock"
    return {"order": order, "supplier_id": supplier_id}


def button(order) -> str:
    return f"/admin/orders/{order.id}/items/{order.item_id}/retries"


async def test_the_dashboard_and_the_order_say_that_a_person_is_needed(admin, stuck, visitor) -> None:
    dashboard = (await admin.get("/admin")).text
    page = (await admin.get(f"/admin/orders/{stuck['order'].id}")).text
    assert dashboard.count('class="need"') == 1
    assert f'action="{button(stuck["order"])}"' in page
    customer = await visitor(**stuck["order"].bearer).get(f"/orders/{stuck['order'].id}")
    assert "Paid. Our team is on it" in customer.text


async def test_the_button_buys_it_once_it_is_there_again(admin, stuck, drain, box) -> None:
    await box.set_product(stuck["supplier_id"], stock=5, textStock=5)
    answer = await submit(admin, button(stuck["order"]))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/orders/{stuck['order'].id}")
    await drain()
    row = await db.fetch_one("SELECT status, fulfillment_status FROM customer_order")
    assert (*row, await open_issues.count_open()) == ("fulfilled", "fulfilled", 0)
    assert len(await box.orders()) == 1
    assert "All is well" in (await admin.get("/admin")).text


async def test_still_sold_out_it_waits_for_a_person_again(admin, stuck, drain, box) -> None:
    await submit(admin, button(stuck["order"]))
    await drain()
    assert await db.fetch_value("SELECT status FROM reservation") == "out_of_stock"
    assert await db.fetch_value("SELECT code FROM issue WHERE resolved_at IS NULL") == "sold_out"
    assert await box.orders() == []


async def test_what_was_delivered_can_not_be_bought_again(admin, ready) -> None:
    before = await picture()
    assert (await submit(admin, button(ready))).status_code == 409
    assert await picture() == before


async def test_an_item_of_another_order_is_not_found(admin, stuck, client) -> None:
    other = await place(client)
    before = await picture()
    for item_id in (stuck["order"].item_id, "01234567-89ab-7def-8123-456789abcdef", "x", "%00"):
        path = f"/admin/orders/{other.id}/items/{item_id}/retries"
        assert (await submit(admin, path)).status_code == 404
    assert await picture() == before
