"""What staff does on a customer's page is asked about first, logged as staff's, and never held against the customer."""

import json
from uuid import UUID

from app.core import db
from app.refunds import queries as refunds
from tests.web.builders import assert_problem, count, logged, picture, serials, submit

REASON = "The customer says that the key is refused"


async def test_staff_is_told_whose_page_it_is_and_asked_why_before_a_key_opens(admin, ready) -> None:
    page = (await admin.get(f"/orders/{ready.id}")).text
    assert "You are viewing this customer’s page as staff" in page
    page = (await admin.get(f"/orders/{ready.id}/success")).text
    assert "Why are you opening this customer’s key?" in page
    assert "Open as staff" in page
    assert "Reveal key" not in page


async def test_the_owner_is_asked_nothing_of_the_kind(visitor, ready) -> None:
    page = (await visitor(**ready.bearer).get(f"/orders/{ready.id}/success")).text
    assert "Reveal key" in page
    assert "staff" not in page


async def test_without_a_reason_staff_is_shown_nothing_and_nothing_changes(admin, ready, box) -> None:
    before = await picture()
    [serial] = await serials(box)
    for reason in ({}, {"reason": ""}, {"reason": "   "}):
        answer = await submit(admin, f"/fulfillment/{ready.id}/reveal", {"item_id": ready.item_id} | reason)
        assert answer.status_code == 400
        assert "Say why you are opening the customer&#39;s key" in answer.text
        assert serial not in answer.text
    assert await picture() == before


async def test_what_staff_opens_is_logged_as_staffs_with_the_reason_and_leaves_the_key_unseen(
    admin, visitor, ready, box
) -> None:
    [serial] = await serials(box)
    fields = {"item_id": ready.item_id, "reason": REASON}
    page = await submit(admin, f"/fulfillment/{ready.id}/reveal", fields)
    assert serial in page.text
    assert "The customer has not revealed it yet" in page.text
    line = await db.fetch_one("SELECT action, actor, details, key_id FROM audit_line ORDER BY seq DESC LIMIT 1")
    assert tuple(line)[:3] == ("key.shown_to_staff", "admin boss@bitloot.test", REASON)
    assert line["key_id"] == await db.fetch_value("SELECT id FROM sealed_key")
    assert await db.fetch_value("SELECT revealed_at FROM sealed_key") is None
    assert await logged("key.revealed") == []
    owner = visitor(**ready.bearer)
    log = (await owner.get(f"/orders/{ready.id}/audit")).text
    assert "Key opened by our team" in log
    assert "Our team" in log
    assert "127.0.0.1" not in log
    twin = (await owner.get(f"/fulfillment/{ready.id}/audit", headers={"accept": "application/json"})).json()
    assert [(entry["actor"], entry["ip"], entry["userAgent"]) for entry in twin["entries"]] == [("Our team", "", "")]
    assert "Reveal key" in (await owner.get(f"/orders/{ready.id}/success")).text


async def test_after_staff_looked_the_customer_can_still_have_the_money_back(admin, ready) -> None:
    await submit(admin, f"/fulfillment/{ready.id}/reveal", {"item_id": ready.item_id, "reason": REASON})
    left = await refunds.refundable(UUID(ready.id))
    assert left.amount > 0
    asked = await submit(admin, f"/admin/orders/{ready.id}/refunds", {"amount": str(left.amount), "reason": ""})
    assert asked.status_code == 303
    evidence = json.loads(await db.fetch_value("SELECT evidence FROM refund"))
    assert evidence["shown"] == []
    assert len(evidence["unseen"]) == 1
    assert await db.fetch_value("SELECT locked_at IS NOT NULL FROM sealed_key")


async def test_by_json_staff_gives_a_reason_too(admin, ready) -> None:
    await admin.get("/login")
    token = {"x-csrf-token": admin.cookies["bitloot_csrf"], "accept": "application/json"}
    path, before = f"/fulfillment/{ready.id}/reveal", await picture()
    assert_problem(
        await admin.post(path, json={"itemId": ready.item_id}, headers=token), 400, "staff_reason_needed", "reason"
    )
    assert await picture() == before
    shown = await admin.post(path, json={"itemId": ready.item_id, "reason": REASON}, headers=token)
    assert shown.json()["keys"][0] | {"keyId": "", "value": ""} == {
        "keyId": "", "type": "text/plain", "value": "", "firstReveal": False, "revealedAt": None,
    }  # fmt: skip


async def test_the_customers_own_reveal_counts_although_staff_looked_before(admin, client, ready) -> None:
    await submit(admin, f"/fulfillment/{ready.id}/reveal", {"item_id": ready.item_id, "reason": REASON})
    shown = await client.post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id}, headers=ready.bearer)
    assert shown.json()["keys"][0]["firstReveal"] is True
    assert await logged("key.shown_to_staff", "key.revealed") == ["key.shown_to_staff", "key.revealed"]


async def test_an_order_that_staff_cancels_on_the_customers_page_says_that_staff_did(admin, placed) -> None:
    assert (await submit(admin, f"/orders/{placed.id}/cancellations")).status_code == 303
    line = await db.fetch_one("SELECT action, actor, details FROM audit_line ORDER BY seq DESC LIMIT 1")
    assert tuple(line) == (
        "order.changed_by_staff", "admin boss@bitloot.test", "POST /orders/{order_id}/cancellations",
    )  # fmt: skip
    assert await count("sealed_key") == 0
