"""The reveal: a deliberate POST by the owner, shown once in the answer, written to the audit log in the same moment."""

import base64
from datetime import datetime, timedelta

import pytest

from app.core import clock, db
from tests.web.builders import LOG, assert_problem, csrf_of, logged, minutes, picture, place, product, serials, submit
from tests.web.builders import ready as make_ready


@pytest.fixture
def owner(visitor, ready):
    """The buyer's browser."""
    browser = visitor()
    browser.cookies.set("bitloot_orders", ready.token)
    return browser


async def test_json_has_the_shape_of_the_design(client, ready, box) -> None:
    answer = await client.post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id}, headers=ready.bearer)
    said, [serial] = answer.json(), await serials(box)
    assert answer.status_code == 200
    assert set(said) == {"itemId", "keys"}
    [key] = said["keys"]
    assert set(key) == {"keyId", "type", "value", "firstReveal", "revealedAt"}
    assert (key["value"], key["type"], key["firstReveal"]) == (serial, "text/plain", True)
    assert "no-store" in answer.headers["cache-control"]


async def test_a_second_reveal_shows_the_same_key_and_says_so(client, ready) -> None:
    path, body = f"/fulfillment/{ready.id}/reveal", {"itemId": ready.item_id}
    first = (await client.post(path, json=body, headers=ready.bearer)).json()["keys"][0]
    with minutes(90):
        second = (await client.post(path, json=body, headers=ready.bearer)).json()["keys"][0]
    assert second == first | {"firstReveal": False, "revealedAt": second["revealedAt"]}
    assert second["revealedAt"][:19] == first["revealedAt"][:19]
    assert await logged() == ["key.revealed"] * 2
    assert await db.fetch_value("SELECT count(*) FROM event WHERE kind = 'key.revealed'") == 1


async def test_a_browser_without_javascript_gets_a_page(owner, ready, box) -> None:
    [serial] = await serials(box)
    success = await owner.get(f"/orders/{ready.id}/success")
    assert serial not in success.text
    fields = {"_csrf_token": csrf_of(success), "item_id": ready.item_id}
    page = await owner.post(f"/fulfillment/{ready.id}/reveal", data=fields)
    assert page.status_code == 200
    assert "<!doctype html>" in page.text
    assert page.text.count(serial) == 1
    assert "Revealed just now for the first time" in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_htmx_gets_the_key_alone(owner, ready, box) -> None:
    [serial] = await serials(box)
    htmx = {"hx-request": "true"}
    part = await submit(owner, f"/fulfillment/{ready.id}/reveal", {"item_id": ready.item_id}, **htmx)
    assert part.status_code == 200
    assert "<html" not in part.text
    assert part.text.count(serial) == 1
    assert "no-store" in part.headers["cache-control"]
    again = await submit(owner, f"/fulfillment/{ready.id}/reveal", {"item_id": ready.item_id}, **htmx)
    assert "First revealed" in again.text


async def test_each_reveal_is_written_down_with_who_when_and_from_where(client, ready, visitor) -> None:
    headers = {**ready.bearer, "user-agent": "Tester/1.0 <b>"}
    body = {"itemId": ready.item_id}
    before = clock.now()
    key = (await client.post(f"/fulfillment/{ready.id}/reveal", json=body, headers=headers)).json()["keys"][0]
    said = (await client.get(f"/fulfillment/{ready.id}/audit", headers=ready.bearer)).json()
    [entry] = said["entries"]
    assert set(said) == {"entries"}
    assert set(entry) == {"at", "action", "keyId", "actor", "ip", "userAgent"}
    assert (entry["action"], entry["keyId"]) == ("key.revealed", key["keyId"])
    assert (entry["ip"], entry["userAgent"]) == ("127.0.0.1", "Tester/1.0 <b>")
    assert entry["actor"] == "Your order link, another browser"
    assert abs(datetime.fromisoformat(entry["at"]) - before) < timedelta(seconds=30)
    page = await visitor(**ready.bearer).get(f"/orders/{ready.id}/audit")
    assert "Tester/1.0 &lt;b&gt;" in page.text


async def test_all_keys_of_an_item_are_shown_and_each_is_audited(client, box, drain) -> None:
    order = await make_ready(client, box, drain, quantity=3)
    body = {"itemId": order.item_id}
    said = (await client.post(f"/fulfillment/{order.id}/reveal", json=body, headers=order.bearer)).json()
    assert sorted(key["value"] for key in said["keys"]) == sorted(await serials(box))
    assert await logged() == ["key.revealed"] * 3


async def test_an_image_key_comes_as_a_picture(client, visitor, box, drain) -> None:
    item = await product(client)
    supplier_id = await db.fetch_value(
        "SELECT supplier_product_id FROM product WHERE id = $1::text::uuid", item["productId"]
    )
    await db.fetch("UPDATE product SET text_keys = false, updated_at = now() WHERE slug = $1", item["slug"])
    await box.set_product(supplier_id, image=True)
    order = await make_ready(client, box, drain)
    body = {"itemId": order.item_id}
    [key] = (await client.post(f"/fulfillment/{order.id}/reveal", json=body, headers=order.bearer)).json()["keys"]
    assert key["type"].startswith("image/")
    assert base64.b64decode(key["value"], validate=True)
    browser = visitor()
    browser.cookies.set("bitloot_orders", order.token)
    page = await submit(browser, f"/fulfillment/{order.id}/reveal", {"item_id": order.item_id})
    assert f'src="data:{key["type"]};base64,{key["value"][:40]}' in page.text


async def test_a_key_that_is_not_there_yet_is_said_and_the_denial_written_down(client) -> None:
    order = await place(client)
    before = await picture(but=LOG)
    body = {"itemId": order.item_id}
    answer = await client.post(f"/fulfillment/{order.id}/reveal", json=body, headers=order.bearer)
    assert_problem(answer, 409, "key_not_ready")
    assert await picture(but=LOG) == before
    assert await logged() == ["key.denied"]


async def test_a_refunded_order_reveals_nothing_any_more(client, ready) -> None:
    await db.fetch("UPDATE customer_order SET status = 'refunded'")
    before = await picture(but=LOG)
    body = {"itemId": ready.item_id}
    answer = await client.post(f"/fulfillment/{ready.id}/reveal", json=body, headers=ready.bearer)
    assert_problem(answer, 409, "key_not_ready")
    assert await picture(but=LOG) == before
    assert await logged() == ["key.denied"]


async def test_a_deleted_key_is_gone(client, ready) -> None:
    await db.fetch("UPDATE sealed_key SET deleted_at = now()")
    before = await picture(but=LOG)
    body = {"itemId": ready.item_id}
    answer = await client.post(f"/fulfillment/{ready.id}/reveal", json=body, headers=ready.bearer)
    assert_problem(answer, 410, "key_gone")
    assert await picture(but=LOG) == before
    assert await logged() == ["key.denied"]


async def test_a_blob_that_was_tampered_with_is_not_shown_not_counted_and_put_before_a_person(
    client, ready, app, admin
) -> None:
    name = await db.fetch_value("SELECT blob FROM sealed_key")
    blob = await app.state.store.get(name)
    await app.state.store.delete(name)
    await app.state.store.put(name, blob[:-1] + bytes([blob[-1] ^ 1]))
    body = {"itemId": ready.item_id}
    answer = await client.post(f"/fulfillment/{ready.id}/reveal", json=body, headers=ready.bearer)
    said = assert_problem(answer, 503, "key_broken")
    assert said["detail"] == "Your key is not lost. Our team has been told and is working on it."
    assert await logged("key.revealed", "key.broken") == ["key.broken"]
    assert await db.fetch_value("SELECT count(*) FROM sealed_key WHERE revealed_at IS NOT NULL") == 0
    page = (await admin.get("/admin")).text
    assert "A key does not open: its blob is not the one we put there" in page
    assert f'href="/admin/orders/{ready.id}"' in page


async def test_a_reveal_that_names_no_item_is_refused(client, ready) -> None:
    before = await picture()
    headers = {**ready.bearer, "content-type": "application/json"}
    for body in ("", "{}", "[]", '{"itemId": 5}', '{"itemId": "x"}', '{"itemId": null}', "{", "NaN"):
        answer = await client.post(f"/fulfillment/{ready.id}/reveal", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body"), body
    assert await picture() == before


async def test_a_form_that_names_no_item_is_refused(owner, ready) -> None:
    before = await picture()
    for fields in ({}, {"item_id": ""}, {"item_id": "x"}, {"item_id": "\x00"}):
        assert (await submit(owner, f"/fulfillment/{ready.id}/reveal", fields)).status_code == 400
    assert await picture() == before
