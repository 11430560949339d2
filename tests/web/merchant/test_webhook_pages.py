"""Endpoints and their deliveries by hand: secrets shown once, each attempt in the log, failed ones sent again."""

import re

from app.core import db
from tests.web.builders import LOG, logged, picture
from tests.web.merchant.builders import URL, endpoint, failed_delivery, paid

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{40,}")


async def test_an_endpoints_secret_is_shown_once_and_again_only_when_it_is_rotated(ann) -> None:
    added = await ann.post("/merchant/endpoints", {"url": URL, "name": "shop", "types": ["order.paid"]})
    first = SECRET.search(added.text)[0]
    row = await db.fetch_one("SELECT * FROM endpoint")
    path = f"/merchant/endpoints/{row['id']}"
    for page in ("/merchant/endpoints", path):
        assert not SECRET.search((await ann.get(page)).text)
    rotated = await ann.post(f"{path}/rotations", {"overlap": "24"})
    second = SECRET.search(rotated.text)[0]
    assert second != first
    assert "also signed with the old secret" in (await ann.get(path)).text
    assert await logged("endpoint.added", "endpoint.rotated") == ["endpoint.added", "endpoint.rotated"]
    written = await db.fetch_value("SELECT string_agg(details, ' ') FROM audit_line")
    assert "whsec_" not in written


async def test_an_endpoint_that_cannot_be_is_told_beside_its_field_and_what_was_typed_stays(ann) -> None:
    before = await picture()
    for url in ("http://shop.example/x", "https://10.0.0.1/x", "ftp://x", "https://user:pw@shop.example", "x" * 2001):
        answer = await ann.post("/merchant/endpoints", {"url": url, "name": "shop"})
        assert answer.status_code == 400, url
        assert 'value="shop"' in answer.text
        assert 'id="url-error"' in answer.text
    unknown = await ann.post("/merchant/endpoints", {"url": URL, "types": ["order.eaten"]})
    assert 'id="types-error"' in unknown.text
    assert await picture() == before


async def test_an_endpoint_is_changed_tested_disabled_enabled_and_removed(ann) -> None:
    found = await endpoint(ann)
    path = f"/merchant/endpoints/{found}"
    moved = f"{URL}/moved"
    changed = await ann.post(path, {"url": moved, "name": "moved", "types": ["order.paid", "refund.failed"]})
    assert changed.status_code == 303
    assert (await db.fetch_one("SELECT url, name FROM endpoint")) == (moved, "moved")
    sent = await ann.post(f"{path}/tests")
    assert "endpoint.test" in (await ann.get(sent.headers["location"])).text
    await ann.post(f"{path}/disablings")
    assert "Nothing is sent here" in (await ann.get(path)).text
    before = await picture()
    assert (await ann.post(f"{path}/tests")).status_code == 409
    assert await picture() == before
    await ann.post(f"{path}/enablings")
    assert "Send a test event" in (await ann.get(path)).text
    assert (await ann.post(f"{path}/removals")).headers["location"] == "/merchant/endpoints"
    assert (await ann.get(path)).status_code == 404
    acts = [f"endpoint.{act}" for act in ("changed", "tested", "disabled", "enabled", "removed")]
    assert await logged(*acts) == acts


async def test_the_log_shows_each_attempt_with_its_request_and_masks_the_signatures(ann, drain) -> None:
    delivery = await failed_delivery(ann, drain)
    page = (await ann.get(f"/merchant/deliveries/{delivery['id']}")).text
    assert page.count('class="attempt"') == 5
    assert f"POST {URL}" in page
    assert "webhook-signature: hidden" in page
    assert "127.0.0.1" in page or "::1" in page
    payload = await db.fetch_value("SELECT payload FROM merchant_event WHERE id = $1", delivery["event_id"])
    assert str(delivery["event_id"]) in page
    assert "&#34;sequence&#34;: 1" in page
    assert payload not in page  # as it is sent, it has no spaces


async def test_deliveries_are_found_by_state_event_endpoint_and_object(ann, drain) -> None:
    delivery = await failed_delivery(ann, drain)
    other = await endpoint(ann, url=f"{URL}/other")
    order = await db.fetch_value("SELECT id FROM customer_order")
    total = await db.fetch_value("SELECT count(*) FROM delivery")
    assert total >= 4
    for query, seen in (
        ("", total), ("?status=failed", total), ("?status=delivered", 0), ("?type=order.paid", 1),
        (f"?endpoint={delivery['endpoint_id']}", total), (f"?endpoint={other}", 0), (f"?q={order}", total),
        (f"?q={delivery['event_id']}", 1), ("?q=nonsense", 0),
    ):  # fmt: skip
        page = await ann.get(f"/merchant/deliveries{query}")
        assert page.text.count('class="row-link mono"') == seen, query


async def test_one_failed_delivery_is_sent_again_and_so_are_all_since_a_time(ann, drain) -> None:
    delivery = await failed_delivery(ann, drain)
    total = await db.fetch_value("SELECT count(*) FROM delivery")
    assert (await ann.post(f"/merchant/deliveries/{delivery['id']}/retries")).status_code == 303
    assert await db.fetch_value("SELECT count(*) FROM delivery WHERE status = 'pending'") == 1
    before = await picture()
    assert (await ann.post(f"/merchant/deliveries/{delivery['id']}/retries")).status_code == 409
    path = f"/merchant/endpoints/{delivery['endpoint_id']}/resends"
    for bad in ({"from": "yesterday"}, {"hours": "5"}, {}):
        assert (await ann.post(path, bad)).status_code == 400
    assert await picture() == before
    assert (await ann.post(path, {"from": "2999-01-01T00:00"})).status_code == 303
    assert await db.fetch_value("SELECT count(*) FROM delivery WHERE status = 'pending'") == 1
    assert (await ann.post(path, {"hours": "24"})).status_code == 303
    assert await db.fetch_value("SELECT count(*) FROM delivery WHERE status = 'pending'") == total
    assert await logged("delivery.retried") == ["delivery.retried"] * 3


async def test_a_removed_endpoints_failures_are_not_what_needs_somebody(ann, drain) -> None:
    delivery = await failed_delivery(ann, drain)
    href = f"/merchant/deliveries/{delivery['id']}"
    assert href in (await ann.get("/merchant")).text
    assert "/retries" in (await ann.get(href)).text
    await ann.post(f"/merchant/endpoints/{delivery['endpoint_id']}/removals")
    assert href not in (await ann.get("/merchant")).text
    page = (await ann.get(href)).text
    assert "/retries" not in page


async def test_a_delivered_delivery_has_a_button_to_send_it_again(ann, drain) -> None:
    delivery = await failed_delivery(ann, drain)
    await db.fetch("UPDATE delivery SET status = 'delivered' WHERE id = $1", delivery["id"])
    page = (await ann.get(f"/merchant/deliveries/{delivery['id']}")).text
    assert "Send it again if your receiver lost it" in page
    assert (await ann.post(f"/merchant/deliveries/{delivery['id']}/retries")).status_code == 303
    assert await db.fetch_value("SELECT status FROM delivery WHERE id = $1", delivery["id"]) == "pending"


async def test_another_merchants_things_are_answered_as_unknown_ones(ann, eve, drain) -> None:
    delivery = await failed_delivery(ann, drain)
    payment = await paid(ann, drain)
    await ann.post(f"/merchant/payments/{payment.id}/refunds", {"amount": "1.00", "reason": "x"})
    refund = await db.fetch_value("SELECT id FROM refund")
    member = await db.fetch_value("SELECT id FROM member WHERE email = $1", ann.email)
    ids = {
        "endpoints": delivery["endpoint_id"], "deliveries": delivery["id"], "payments": payment.id,
        "orders": payment.order_id, "refunds": refund,
    }  # fmt: skip
    acts = {
        f"endpoints/{ids['endpoints']}": {"url": URL}, f"endpoints/{ids['endpoints']}/tests": {},
        f"endpoints/{ids['endpoints']}/rotations": {"overlap": "0"}, f"endpoints/{ids['endpoints']}/disablings": {},
        f"endpoints/{ids['endpoints']}/enablings": {}, f"endpoints/{ids['endpoints']}/removals": {},
        f"endpoints/{ids['endpoints']}/resends": {"hours": "24"}, f"deliveries/{ids['deliveries']}/retries": {},
        f"payments/{ids['payments']}/refunds": {"amount": "1.00", "reason": "x"}, f"team/{member}/removals": {},
    }  # fmt: skip
    before = await picture(but=LOG)
    for part, found in ids.items():
        theirs, unknown = (
            await eve.get(f"/merchant/{part}/{found}"),
            await eve.get(f"/merchant/{part}/{eve.merchant_id}"),
        )
        assert theirs.status_code == unknown.status_code == 404, part
        assert re.sub(r"[0-9a-f]{128}", "", theirs.text) == re.sub(r"[0-9a-f]{128}", "", unknown.text), part
        assert str(found) not in (await eve.get(f"/merchant/{part}")).text
    assert (await eve.get(f"/merchant/payments/{payment.id}/refund?amount=1&reason=x")).status_code == 404
    assert (await eve.get(f"/merchant/try?order={payment.order_id}")).status_code == 404
    for path, fields in acts.items():
        assert (await eve.post(f"/merchant/{path}", fields)).status_code == 404, path
    assert await picture(but=LOG) == before
