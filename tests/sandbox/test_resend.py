"""Resend takes a mail at most once per idempotency key, and refuses what the genuine one refuses."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.sandbox.config import Config
from tests.sandbox.conftest import Sandbox, Shop, opened, parsed

MAIL = {
    "from": "Shop <no-reply@shop.example>",
    "to": ["delivered+o1@resend.dev"],
    "subject": "Your order o-1",
    "html": "<p>Ready &amp; waiting</p>",
    "tags": [{"name": "order", "value": "o_1"}],
}


async def send(sandbox: Sandbox, key: str | None = None, **changes: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return await sandbox.resend.post("/emails", json=MAIL | changes, headers=headers)


async def test_a_mail_is_kept_with_all_that_is_in_it(sandbox: Sandbox) -> None:
    mail_id = parsed(await send(sandbox, key="k-1", headers={"X-Entity": "7"}))["id"]
    mail = parsed(await sandbox.control.get("/mail"))[0]
    assert (mail["id"], mail["to"], mail["subject"]) == (mail_id, MAIL["to"], MAIL["subject"])
    assert (mail["html"], mail["text"], mail["idempotencyKey"]) == (MAIL["html"], "Ready & waiting", "k-1")
    assert (mail["headers"], mail["tags"]) == ({"X-Entity": "7"}, MAIL["tags"])
    seen = parsed(await sandbox.resend.get(f"/emails/{mail_id}"))
    assert (seen["object"], seen["last_event"], seen["created_at"][-3:]) == ("email", "delivered", "+00")
    listed = parsed(await sandbox.resend.get("/emails"))
    assert ([it["id"] for it in listed["data"]], listed["has_more"]) == ([mail_id], False)


async def test_the_same_key_and_payload_sends_once(sandbox: Sandbox) -> None:
    first, second = await send(sandbox, key="k-1"), await send(sandbox, key="k-1")
    assert (second.status_code, parsed(second)) == (200, parsed(first))
    assert len(parsed(await sandbox.control.get("/mail"))) == 1


async def test_the_same_key_with_another_payload_is_refused(sandbox: Sandbox) -> None:
    await send(sandbox, key="k-1")
    answer = await send(sandbox, key="k-1", subject="Another")
    assert (answer.status_code, parsed(answer)["name"]) == (409, "invalid_idempotent_request")
    assert len(parsed(await sandbox.control.get("/mail"))) == 1


async def test_a_refused_call_is_not_remembered(sandbox: Sandbox) -> None:
    assert (await send(sandbox, key="k-1", to="not an address")).status_code == 422
    assert (await send(sandbox, key="k-1")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "name"),
    [
        ({"to": "buyer@example.com"}, 422, "validation_error"),
        ({"to": ["Buyer <buyer@test.com>"]}, 422, "validation_error"),
        ({"to": "info@bücher.de"}, 422, "validation_error"),
        ({"to": "käufer@shop.io"}, 422, "validation_error"),
        ({"to": []}, 422, "missing_required_field"),
        ({"to": ["a@b.co"] * 51}, 422, "validation_error"),
        ({"to": "a@b.co\nBcc: x@y.co"}, 422, "validation_error"),
        ({"subject": None}, 422, "missing_required_field"),
        ({"subject": "a\nb"}, 422, "validation_error"),
        ({"html": None}, 422, "missing_required_field"),
        ({"from": "nobody"}, 422, "invalid_from_address"),
        ({"from": "onboarding@resend.dev", "to": "a@b.co"}, 403, "validation_error"),
        ({"tags": [{"name": "order", "value": "o 1"}]}, 422, "validation_error"),
        ({"headers": {"X": 1}}, 422, "validation_error"),
    ],
)
async def test_a_bad_mail_is_refused(sandbox: Sandbox, changes: dict[str, Any], status: int, name: str) -> None:
    answer = await send(sandbox, **changes)
    assert (answer.status_code, parsed(answer)["name"], parsed(answer)["statusCode"]) == (status, name, status)
    assert parsed(await sandbox.control.get("/mail")) == []


async def test_callers_are_checked(sandbox: Sandbox) -> None:
    for header, status, name in (
        ({"Authorization": ""}, 401, "missing_api_key"),
        ({"Authorization": "Bearer another"}, 403, "invalid_api_key"),
        ({"User-Agent": ""}, 403, "validation_error"),
    ):
        answer = await sandbox.resend.post("/emails", json=MAIL, headers=header)
        assert (answer.status_code, parsed(answer)["name"]) == (status, name)
    assert parsed(await send(sandbox, key="k" * 257))["name"] == "invalid_idempotency_key"
    assert parsed(await sandbox.resend.get("/emails/none"))["name"] == "not_found"
    assert parsed(await sandbox.resend.put("/emails", json={}))["name"] == "method_not_allowed"


async def test_a_batch_is_all_or_nothing_unless_permissive(sandbox: Sandbox) -> None:
    batch = [MAIL, MAIL | {"to": "x@example.com"}]
    assert (await sandbox.resend.post("/emails/batch", json=batch)).status_code == 422
    assert parsed(await sandbox.control.get("/mail")) == []
    headers = {"x-batch-validation": "permissive"}
    answer = parsed(await sandbox.resend.post("/emails/batch", json=batch, headers=headers))
    assert (len(answer["data"]), [error["index"] for error in answer["errors"]]) == (1, [1])


async def test_the_rate_limit_is_off_until_it_is_set(sandbox: Sandbox) -> None:
    for _ in range(20):
        assert (await send(sandbox)).status_code == 200
    await sandbox.control.post("/settings", json={"mailsPerSecond": 2})
    answers = [await send(sandbox) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert parsed(answers[2])["name"] == "rate_limit_exceeded"
    assert {"retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"} <= set(answers[2].headers)


async def test_events_are_signed_by_svix_and_follow_the_recipient(config: Config, tmp_path: Path) -> None:
    own = replace(config, resend_webhook_secret="whsec_c2VjcmV0", books_path=tmp_path / "books")
    shop = Shop()
    async with opened(own, shop) as mailing:
        await send(mailing)
        await send(mailing, to="bounced@resend.dev")
        await shop.hears(4)
    events = {it.json["type"]: it for it in shop.heard}
    assert set(events) == {"email.sent", "email.delivered", "email.bounced"}
    event = events["email.bounced"]
    assert event.json["data"]["tags"] == {"order": "o_1"}
    text = f"{event.headers['svix-id']}.{event.headers['svix-timestamp']}.".encode() + event.body
    expected = base64.b64encode(hmac.new(b"secret", text, hashlib.sha256).digest()).decode()
    assert event.headers["svix-signature"] == f"v1,{expected}"


async def test_no_events_without_a_webhook_secret(sandbox: Sandbox) -> None:
    await send(sandbox)
    assert parsed(await sandbox.control.get("/webhooks")) == []


async def test_what_becomes_of_a_mail_is_played_and_an_address_that_bounced_is_suppressed(
    config: Config, tmp_path: Path
) -> None:
    own = replace(config, resend_webhook_secret="whsec_c2VjcmV0", books_path=tmp_path / "books")
    shop = Shop()
    async with opened(own, shop) as mailing:
        await send(mailing, to="ann@shop.io")
        (mail,) = parsed(await mailing.control.get("/mail"))
        assert (await mailing.control.post(f"/mail/{mail['id']}", json={"event": "bounced"})).status_code == 200
        await send(mailing, to="Ann@shop.io")
        await send(mailing, to="bob@shop.io")
        assert (await mailing.control.post(f"/mail/{mail['id']}", json={"event": "eaten"})).status_code == 400
        assert (await mailing.control.post("/mail/none", json={"event": "bounced"})).status_code == 404
        await shop.hears(6)
    heard = [(it.json["type"], it.json["data"]["to"][0]) for it in shop.heard]
    assert sorted(heard) == sorted(
        [
            ("email.sent", "ann@shop.io"), ("email.delivered", "ann@shop.io"), ("email.bounced", "ann@shop.io"),
            ("email.suppressed", "Ann@shop.io"), ("email.sent", "bob@shop.io"), ("email.delivered", "bob@shop.io"),
        ]
    )  # fmt: skip
