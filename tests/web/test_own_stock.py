"""The owner's pages for own keys: a product is made, keys go in and are never seen again; nobody else may do it."""

import base64
from typing import Any

import httpx
import pytest

from app.core import db
from tests.web.builders import csrf_of, logged, picture, submit

PATH = "/admin/own-stock"
GAME = {"name": "Attic Game", "platform": "Steam", "region": "Worldwide", "price": "12.50", "low_at": "3"}
KEY = "SECRET-ATTIC-0001"


async def made(admin: httpx.AsyncClient, **change: str) -> str:
    """The path of a new product's page."""
    answer = await submit(admin, PATH, GAME | change)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def imported(admin: httpx.AsyncClient, path: str, keys: str, *files: tuple[str, bytes, str]) -> httpx.Response:
    token = csrf_of(await admin.get(path))
    sent = [("files", file) for file in files]
    return await admin.post(f"{path}/imports", data={"keys": keys, "_csrf_token": token}, files=sent or None)


async def test_an_owner_makes_a_product_imports_keys_and_the_shop_sells_it(admin: Any, visitor: Any) -> None:
    path = await made(admin)
    file = ("more.csv", b"Key\nSECRET-ATTIC-0003\n", "text/csv")
    answer = await imported(admin, path, f"{KEY}\nSECRET-ATTIC-0002", file)
    assert answer.status_code == 303, answer.text
    page = (await admin.get(path)).text
    assert "SECRET-ATTIC" not in page
    row = await db.fetch_one("SELECT * FROM product WHERE supplier = 'own_stock'")
    assert (row["stock"], str(row["price"]), row["active"]) == (3, "12.50", True)
    assert f"{PATH}/{row['id']}" in (await admin.get(PATH)).text
    assert "Attic Game" in (await visitor().get(f"/products/{row['slug']}")).text
    assert {"stock.product_created", "stock.imported"} <= set(await logged())
    assert (await admin.get(f"/admin/products/{row['id']}")).headers["location"] == path


async def test_an_image_of_a_key_is_a_key(admin: Any) -> None:
    path, image = await made(admin), b"\x89PNG\r\n\x1a\n picture of a key"
    assert (await imported(admin, path, "", ("card.png", image, "image/png"))).status_code == 303
    row = await db.fetch_one("SELECT media_type, sealed FROM own_stock_key")
    assert row["media_type"] == "image/png"
    assert b"picture" not in row["sealed"]
    assert base64.b64encode(image) not in row["sealed"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [("", "Paste at least one key"), (f"{KEY}\n{'X' * 600}", "line 2 is longer"), (f"{KEY}\x01", "can’t be shown")],
)
async def test_what_can_not_be_read_changes_nothing_and_is_not_shown_again(admin: Any, keys: str, said: str) -> None:
    path = await made(admin)
    before = await picture()
    answer = await imported(admin, path, keys)
    assert (answer.status_code, said in answer.text, KEY in answer.text) == (400, True, False)
    assert await picture() == before


async def test_a_form_that_is_too_large_changes_nothing(admin: Any) -> None:
    path = await made(admin)
    before = await picture()
    answer = await imported(admin, path, "", ("big.txt", b"K" * 1_100_000, "text/plain"))
    assert answer.status_code == 413
    assert await picture() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [({"price": "12,50"}, "Enter a price"), ({"price": "0"}, "Enter a price"), ({"low_at": "x"}, "whole number"),
     ({"name": " "}, "Enter a name"), ({"platform": ""}, "Enter where the key is redeemed")],
)  # fmt: skip
async def test_a_product_that_makes_no_sense_is_refused_beside_its_field(admin: Any, change: Any, said: str) -> None:
    before = await picture()
    answer = await submit(admin, PATH, GAME | change)
    assert (answer.status_code, said in answer.text) == (400, True)
    assert await picture() == before


async def test_price_number_and_sale_are_the_owners(admin: Any) -> None:
    path = await made(admin)
    assert (await submit(admin, path, {"price": "9.99", "low_at": "0"})).status_code == 303
    row = await db.fetch_one("SELECT price, active FROM product WHERE supplier = 'own_stock'")
    assert (str(row["price"]), row["active"]) == ("9.99", False)
    before = await picture()
    assert (await submit(admin, path, {"price": "-1", "low_at": "0"})).status_code == 400
    assert await picture() == before


async def test_nobody_else_sees_or_changes_anything_of_it(admin: Any, visitor: Any) -> None:
    path, stranger = await made(admin), visitor()
    before = await picture()
    for sent in (stranger.get(PATH), stranger.get(path)):
        assert "Attic Game" not in (await sent).text
    for where in (PATH, path, f"{path}/imports"):
        answer = await submit(stranger, where, GAME | {"keys": KEY})
        assert answer.status_code in {303, 401, 403}, where
    assert await picture() == before
