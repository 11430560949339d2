"""Addresses at the doors: as typed on the pages, in the form mail carries on the wire, one mailbox in any spelling."""

import pytest

from app.core import db
from tests.web.builders import csrf_of, place, product, submit
from tests.web.test_account import links_to

CARRIED = "info@xn--bcher-kva.de"
SPELLINGS = ["info@bücher.de", "Info@BÜCHER.de", CARRIED, "INFO@XN--BCHER-KVA.DE", " info@bücher.de\u200b"]


@pytest.mark.parametrize("typed", SPELLINGS)
async def test_every_spelling_of_a_domain_gets_its_letters_at_the_form_mail_carries(
    client, drain, box, typed: str
) -> None:
    made = await place(client, email=typed)
    await drain(only="mail.send")
    assert [letter["to"] for letter in await box.mail()] == [[CARRIED]]
    row = await db.fetch_one("SELECT p.email, m.status FROM mail m JOIN customer_order p ON p.id = m.subject")
    assert (row["email"], row["status"]) == (CARRIED, "sent")
    assert made.id


@pytest.mark.parametrize(("typed", "shown"), [("info@bücher.de", "i•••@bücher.de"), (CARRIED, f"i•••@{CARRIED[5:]}")])
async def test_the_orders_page_shows_the_address_as_it_was_typed(browser_client, client, typed, shown) -> None:
    item = await product(client)
    await submit(browser_client, "/cart", {"slug": item["slug"], "quantity": "1"})
    token = csrf_of(await browser_client.get("/checkout"))
    fields = {"_csrf_token": token, "email": typed, "pay_currency": "btc", "discount_code": ""}
    placed = await browser_client.post("/orders", data=fields)
    assert shown in (await browser_client.get(placed.headers["location"])).text


@pytest.mark.parametrize("typed", SPELLINGS)
async def test_signing_in_with_another_spelling_finds_the_order(client, browser_client, drain, box, typed: str) -> None:
    made = await place(client, email="info@bücher.de")
    await submit(browser_client, "/login", {"email": typed})
    await drain()
    path = (await links_to(box, CARRIED))[0]
    await browser_client.post(path, data={"_csrf_token": csrf_of(await browser_client.get(path))})
    assert made.id in (await browser_client.get("/orders")).text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("buyer@example.com", "Enter your own email address: email does not reach example.com."),
        ("buyer@test.com", "Enter your own email address: email does not reach test.com."),
        ("käufer@shop.io", "Enter an address with only English letters before the @"),
        ('"a b"@shop.io', "Enter an email address like name@example.com."),
    ],
)
async def test_an_address_we_could_never_mail_is_refused_at_the_form_and_writes_nothing(
    client, typed: str, says: str
) -> None:
    item = {"productId": (await product(client))["productId"], "quantity": 1}
    answer = await client.post("/orders", json={"email": typed, "items": [item]})
    assert answer.status_code == 400
    assert says in answer.json()["detail"]
    assert answer.json()["field"] == "email"
    assert await db.fetch_value("SELECT count(*) FROM customer_order") == 0
    assert await db.fetch_value("SELECT count(*) FROM mail") == 0
