"""What went wrong with keys in a comparable shop when it was probed."""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.core import db
from app.core.redis import async_client
from app.keys import reveal as keys
from tests.builders import VISITOR, delivered, rows
from tests.keys.conftest import Behind
from tests.keys.conftest import behind as behind
from tests.keys.conftest import s3_url as s3_url
from tests.web.builders import assert_problem, pay, place, product, serials

REVEAL = "/fulfillment/{}/reveal"


async def bought_at_once(client, box, drain, *, quantity: int = 1):
    """An order whose keys the supplier hands out in the answer to the purchase; no webhook of it ever comes."""
    item = await product(client)
    supplier_id = await db.fetch_value(
        "SELECT supplier_product_id FROM product WHERE id = $1::text::uuid", item["productId"]
    )
    await box.set_product(supplier_id, delay=0)
    await box.fault("kinguin", "drop_webhooks")
    order = await place(client, quantity=quantity)
    await drain()
    await pay(client, box, order)
    await drain(only="payments.apply_notice")
    await drain(only="payments.check")
    await drain(only="fulfillment.reserve")
    (supplied,) = await box.orders()
    assert supplied["status"] == "completed"
    return order


async def test_a_key_the_supplier_hands_out_at_once_is_not_ready_until_it_is_sealed_and_then_revealed(
    client, box, drain
) -> None:
    order = await bought_at_once(client, box, drain, quantity=2)
    body = {"itemId": order.item_id}
    early = await client.post(REVEAL.format(order.id), json=body, headers=order.bearer)
    assert_problem(early, 409, "key_not_ready")
    await drain()
    shown = await client.post(REVEAL.format(order.id), json=body, headers=order.bearer)
    assert shown.status_code == 200
    assert sorted(key["value"] for key in shown.json()["keys"]) == sorted(await serials(box))


async def everything() -> bytes:
    """All tables and all of Redis."""
    stored = [line for lines in (await rows()).values() for line in lines]
    async with async_client() as redis:
        cached = [key + b" " + (await redis.dump(key)) for key in await redis.keys("*")]
    return b"\n".join([*(line.encode() for line in stored), *cached])


async def test_presigned_links_are_kept_nowhere(app, box, behind: Behind) -> None:
    order_id, (item,) = await delivered(behind.kit, box, 2)
    found = await keys.links(order_id, item.id, VISITOR, store=behind.kit.store)
    queries = [parse_qs(urlsplit(link.url).query) for link in found]
    signatures = [(query.get("signature") or query["X-Amz-Signature"])[0] for query in queries]
    assert len(set(signatures)) == 2
    assert all(len(signature) == 64 for signature in signatures)
    kept = await everything()
    assert b"key.link_issued" in kept
    assert not [signature for signature in signatures if signature.encode() in kept]
    await db.fetch("UPDATE audit_line SET details = $1", f"…{signatures[1]}…")
    assert signatures[1].encode() in await everything()  # it would be found


@pytest.mark.parametrize("mode", ["latency", "timeout_after_effect"])
async def test_with_the_mail_provider_hanging_an_order_is_answered_at_once(client, box, mode: str) -> None:
    await box.fault("resend", mode, seconds=60)
    item = {"productId": (await product(client))["productId"], "quantity": 1}
    answer = await client.post("/orders", json={"email": "delivered+slow@resend.dev", "items": [item]})
    assert answer.status_code == 201  # while the letter has not been sent, nor been asked for
    assert await db.fetch_value("SELECT count(*) FROM job WHERE name = 'mail.send' AND status = 'pending'") == 1
    assert await box.mail() == []


async def test_with_the_mail_provider_hanging_a_login_link_is_answered_at_once(client, box) -> None:
    await box.fault("resend", "latency", seconds=60)
    answer = await client.post("/login", json={"email": "delivered+slow@resend.dev"})
    assert answer.status_code == 202
    assert await db.fetch_value("SELECT count(*) FROM job WHERE queue = 'mail' AND status = 'pending'") == 1
    assert await box.mail() == []
