"""POST /orders over JSON: what a good one answers and stores."""

from decimal import Decimal

from app.core import db
from tests.web.builders import EMAIL, assert_problem, count, csrf_of, picture, place, product


async def test_the_answer_has_the_shape_of_the_design(client) -> None:
    item = await product(client)
    wanted = {"email": EMAIL, "items": [{"productId": item["productId"], "quantity": 2}]}
    answer = await client.post("/orders", json=wanted)
    said = answer.json()
    assert answer.status_code == 201
    assert set(said) == {"orderId", "status", "total", "accessToken", "jobId", "links"}
    assert said["status"] == "created"
    assert said["total"] == {"amount": f"{Decimal(item['price']['amount']) * 2:.2f}", "currency": "USD"}
    assert answer.headers["location"] == f"/orders/{said['orderId']}"
    assert answer.headers["cache-control"] == "no-store"
    assert said["links"]["job"] == f"/payments/jobs/{said['jobId']}/status"


async def test_one_order_stores_its_rows_exactly_once(client) -> None:
    await place(client, quantity=3)
    tables = ("customer_order", "order_item", "job", "mail", "link", "event", "timeline", "payment")
    assert [await count(table) for table in tables] == [1, 1, 2, 1, 1, 1, 1, 0]
    assert [row["name"] for row in await db.fetch("SELECT name FROM job ORDER BY name")] == [
        "mail.send",
        "payments.create",
    ]


async def test_every_link_of_the_answer_opens_with_its_token(client, drain) -> None:
    item = await product(client)
    wanted = {"email": EMAIL, "items": [{"productId": item["productId"], "quantity": 1}]}
    said = (await client.post("/orders", json=wanted)).json()
    await drain()
    client.cookies.clear()
    bearer = {"authorization": f"Bearer {said['accessToken']}"}
    for name in ("order", "status", "job"):
        assert (await client.get(said["links"][name], headers=bearer)).status_code == 200
    job = (await client.get(said["links"]["job"], headers=bearer)).json()
    assert job == {"jobId": said["jobId"], "status": "completed", "progress": 100, "error": None}


async def test_prices_and_sums_in_the_body_change_nothing(client) -> None:
    item = await product(client)
    line = {"productId": item["productId"], "quantity": 1, "price": "0.01", "unitPrice": 0.01, "total": 0}
    money = {"total": {"amount": "0.01", "currency": "USD"}, "discount": 99, "currency": "EUR", "status": "paid"}
    said = (await client.post("/orders", json={"email": EMAIL, "items": [line], **money})).json()
    assert said["total"] == item["price"]
    row = await db.fetch_one("SELECT total::text, discount::text, currency, status FROM customer_order")
    assert tuple(row) == (item["price"]["amount"], "0.00", "USD", "created")


async def test_an_address_is_kept_in_small_letters_and_without_spaces(client) -> None:
    await place(client, email="  Some.One@Shop.IO ")
    assert await db.fetch_value("SELECT email FROM customer_order") == "some.one@shop.io"


async def test_a_coin_whose_minimum_is_not_reached_is_refused_before_anything_is_stored(client) -> None:
    item = await product(client)
    coin = await db.fetch_value("SELECT code FROM coin WHERE active AND minimum IS NOT NULL ORDER BY code LIMIT 1")
    await db.fetch("UPDATE product SET price = 0.02, updated_at = now() WHERE id = $1::text::uuid", item["productId"])
    before = await picture()
    line = {"productId": item["productId"], "quantity": 1}
    answer = await client.post("/orders", json={"email": EMAIL, "items": [line], "payCurrency": coin})
    said = assert_problem(answer, 400, "coin_not_offered", "payCurrency")
    assert "Choose another coin" in said["detail"]
    assert await picture() == before


async def test_more_than_is_left_is_refused_with_what_is_left(client) -> None:
    item = await product(client)
    await db.fetch("UPDATE product SET stock = 2, updated_at = now() WHERE id = $1::text::uuid", item["productId"])
    before = await picture()
    wanted = {"email": EMAIL, "items": [{"productId": item["productId"], "quantity": 3}]}
    said = assert_problem(await client.post("/orders", json=wanted), 409, "out_of_stock", "quantity")
    assert "Only 2 left" in said["detail"]
    assert await picture() == before


async def test_a_browser_keeps_access_to_its_newest_twenty_orders(client, visitor) -> None:
    browser = visitor("application/json")
    token = {"x-csrf-token": csrf_of(await browser.get("/login", headers={"accept": "text/html"}))}
    item = await product(client)
    wanted = {"email": EMAIL, "items": [{"productId": item["productId"], "quantity": 1}]}
    placed = [await browser.post("/orders", json=wanted, headers=token) for _ in range(21)]
    seen = [(await browser.get(answer.headers["location"])).status_code for answer in placed]
    assert seen == [404] + [200] * 20
    assert len((await browser.get("/orders")).json()["items"]) == 20
