"""Mail at the doors: the signed webhook, the overview and its resend button, true words on pages and in the API."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from app.core import clock, db
from app.core.settings import settings
from tests.web.builders import pay, picture, place, submit

DOOR = "/webhooks/resend"


def signed(
    body: bytes, *, ident: str = "msg_1", shift: int = 0, secret: str = "", name: str = "svix"
) -> dict[str, str]:
    """The headers that Svix sends with a body."""
    given = secret or settings().resend_webhook_secret.get_secret_value()
    key, stamp = base64.b64decode(given.removeprefix("whsec_")), int(clock.now().timestamp()) + shift
    mac = hmac.new(key, f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1a,other v1,{base64.b64encode(mac).decode()}"
    return {f"{name}-id": ident, f"{name}-timestamp": str(stamp), f"{name}-signature": signature}


def about(letter: object, name: str = "bounced", **more: Any) -> bytes:
    data = {"email_id": "x", "tags": {"letter": str(letter)}, "bounce": {"message": "no such mailbox"}, **more}
    return json.dumps({"type": f"email.{name}", "data": data}).encode()


@pytest.fixture
async def bought(client, drain, box):
    """A fulfilled order, and the id of the letter that its key is ready."""
    order = await place(client)
    await drain()
    await pay(client, box, order)
    await drain()
    letter = await db.fetch_value("SELECT id FROM mail WHERE kind = 'key_ready'")
    return order, letter


@pytest.mark.parametrize("name", ["svix", "webhook"])
async def test_a_signed_notice_is_kept_once_and_moves_its_letter(client, drain, bought, name: str) -> None:
    _, letter = bought
    body = about(letter)
    for _ in range(2):
        assert (await client.post(DOOR, content=body, headers=signed(body, name=name))).status_code == 200
    assert await db.fetch_value("SELECT count(*) FROM inbound_webhook WHERE provider = 'resend'") == 1
    await drain()
    assert await db.fetch_value("SELECT status FROM mail WHERE id = $1", letter) == "bounced"


async def test_a_misspelt_content_type_does_not_matter(client, bought) -> None:
    body = about(bought[1])
    for kind in ("aplication/json", "", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = signed(body) | {"content-type": kind}
        assert (await client.post(DOOR, content=body, headers=headers)).status_code == 200, kind
    assert await db.fetch_value("SELECT count(*) FROM inbound_webhook WHERE provider = 'resend'") == 1


@pytest.mark.parametrize(
    "change",
    [{"secret": "whsec_b3RoZXI="}, {"shift": -301}, {"shift": 301}, {"name": "other"}],
)
async def test_a_notice_that_is_not_genuine_changes_nothing(client, bought, change: dict[str, Any]) -> None:
    _, letter = bought
    body, before = about(letter), await picture()
    assert (await client.post(DOOR, content=body, headers=signed(body, **change))).status_code == 401
    assert (await client.post(DOOR, content=body)).status_code == 401
    tampered = await client.post(DOOR, content=body.replace(b"bounced", b"delivered"), headers=signed(body))
    assert tampered.status_code == 401
    assert await picture() == before


async def test_the_owner_sees_what_became_of_each_letter_and_sends_it_again(client, admin, drain, box, bought) -> None:
    order, letter = bought
    body = about(letter)
    await client.post(DOOR, content=body, headers=signed(body))
    await drain()
    assert "An email did not arrive" in (await admin.get("/admin")).text
    page = (await admin.get(f"/admin/orders/{order.id}")).text
    assert "Bounced" in page
    assert "no such mailbox" in page
    before = len(await box.mail())
    done = await submit(admin, f"/admin/orders/{order.id}/letters/{letter}/resends")
    assert done.status_code == 303
    await drain()
    sent = await box.mail()
    assert len(sent) == before + 1
    assert sent[0]["subject"].startswith("Your key is ready")
    body = about(await db.fetch_value("SELECT id FROM mail ORDER BY created_at DESC LIMIT 1"), "delivered")
    await client.post(DOOR, content=body, headers=signed(body, ident="msg_2"))
    await drain()
    assert "An email did not arrive" not in (await admin.get("/admin")).text


async def test_a_letter_of_another_order_is_not_sent_again(client, admin, drain, bought) -> None:
    _, letter = bought
    other = await place(client)
    await drain()
    before = await db.fetch_value("SELECT count(*) FROM mail")
    assert (await submit(admin, f"/admin/orders/{other.id}/letters/{letter}/resends")).status_code == 404
    assert (await submit(client, f"/admin/orders/{bought[0].id}/letters/{letter}/resends")).status_code in {
        401,
        403,
        404,
    }
    assert await db.fetch_value("SELECT count(*) FROM mail") == before


async def test_a_page_promises_no_email_to_an_address_that_takes_none(visitor, client, drain, bought) -> None:
    order, letter = bought
    owner = visitor(**order.bearer)
    assert "don&#39;t arrive" not in (await owner.get(f"/orders/{order.id}")).text
    body = about(letter)
    await client.post(DOOR, content=body, headers=signed(body))
    await drain()
    await db.fetch("UPDATE customer_order SET status = 'paid', fulfillment_status = 'processing'")
    page = (await owner.get(f"/orders/{order.id}")).text
    assert "Our emails to d•••@resend.dev don&#39;t arrive." in page
    assert "we email you" not in page[page.index('id="order-words"') : page.index('id="order-mail"')]


async def test_health_is_degraded_while_letters_wait_for_the_quota(client, drain, box) -> None:
    await place(client)
    await box.fault("resend", "quota", count=1)
    await drain(only="mail.send")
    with clock.travelled(timedelta()):
        said = (await client.get("/health")).json()["components"]["mail"]
    assert (said["status"], said["error"]) == ("unhealthy", "emails are waiting for the mail quota")


async def test_a_letter_whose_job_has_given_up_is_called_stuck(client, admin, drain) -> None:
    order = await place(client)
    await db.fetch("UPDATE job SET status = 'failed', error = 'ApiKeyRejected' WHERE name = 'mail.send'")
    assert "Stuck: its job has failed" in (await admin.get(f"/admin/orders/{order.id}")).text
    letter = await db.fetch_value("SELECT id FROM mail")
    await submit(admin, f"/admin/orders/{order.id}/letters/{letter}/resends")
    await drain(only="mail.send")
    assert await db.fetch_value("SELECT count(*) FROM mail WHERE status = 'sent'") == 1
