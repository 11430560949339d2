"""A flood of posts that are not genuine: counted, sampled, shown, and in nobody's way."""

import asyncio
import itertools

from app.core import db
from app.inbox.refusals import refusals
from dev.bench.load import hammer, request
from dev.environment import until
from tests.web.builders import (
    IPN,
    KINGUIN_SECRET,
    assert_problem,
    compact,
    count,
    pay,
    place,
    sign,
)  # fmt: skip

FLOOD, AT_ONCE, GENUINE = 10_000, 32, 150


def notice(number: int) -> bytes:
    return compact({"payment_id": 700_000 + number, "payment_status": "waiting", "order_id": "x", "updated_at": number})


def post(body: bytes, signature: str | None) -> bytes:
    signed = {"x_nowpayments_sig": signature} if signature else {}
    return request("POST", IPN, body, content_type="application/json", accept="application/json", **signed)


async def refused() -> dict[str, int]:
    rows = await db.fetch("SELECT reason, sum(posts)::int AS posts FROM refused_notice GROUP BY reason")
    return {row["reason"]: row["posts"] for row in rows}


async def test_ten_thousand_badly_signed_posts_hold_up_no_genuine_one_and_are_a_handful_of_rows(
    outside, shop, box, drain
) -> None:
    outside.base_url = shop.url
    order = await place(outside)
    await drain()
    port = outside.base_url.port
    wrong = itertools.cycle([sign(b"another body"), None, "0" * 128])
    flood = [post(notice(number), signature) for number, signature in zip(range(FLOOD), wrong, strict=False)]
    genuine = [post(notice(number), sign(notice(number))) for number in range(GENUINE)]
    false, true, _ = await asyncio.gather(
        hammer(port, flood, AT_ONCE), hammer(port, genuine, 1), pay(outside, box, order)
    )
    assert false.statuses == {401: FLOOD}
    assert true.statuses == {200: GENUINE}

    async def counted() -> bool:
        return sum((await refused()).values()) == FLOOD

    await until(counted, "every refused post is counted")
    assert await refused() == {"wrong signature": 6667, "no signature": 3333}
    assert await count("refused_notice") <= 4, "a row a reason, and twice that where the hour turns"
    stored = "SELECT count(*) FROM inbound_webhook WHERE dedupe LIKE '70____:waiting%'"
    assert await db.fetch_value(stored) == GENUINE
    await drain(most=4 * GENUINE)
    assert await db.fetch_value("SELECT count(*) FROM inbound_webhook WHERE status <> 'applied'") == 0
    assert await db.fetch_value("SELECT status FROM customer_order") == "fulfilled"


async def test_each_kind_of_refusal_is_named(client, strict, admin) -> None:
    large = b"x" * 300_000
    for body, headers in (
        (b"{}", {}), (b"{}", {"x-nowpayments-sig": sign(b"")}), (large, {"x-nowpayments-sig": sign(large)}),
    ):  # fmt: skip
        await client.post(IPN, content=body, headers=headers)
    for secret in ({}, {"x-event-secret": "wrong"}):
        await client.post("/webhooks/kinguin", content=b"{}", headers=secret)
    await refusals.flush()
    rows = await db.fetch("SELECT provider, reason, posts FROM refused_notice ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [
        ("kinguin", "no secret", 1), ("kinguin", "wrong secret", 1), ("nowpayments", "no signature", 1),
        ("nowpayments", "too large", 1), ("nowpayments", "wrong signature", 1),
    ]  # fmt: skip
    known = {"x-event-secret": KINGUIN_SECRET}
    for signature in ({}, {"x-kinguin-signature": "0" * 128}):
        assert_problem(
            await strict.post("/webhooks/kinguin", content=b"{}", headers=known | signature), 401, "bad_signature"
        )

    async def written() -> bool:
        return {"no signature", "wrong signature"} <= {
            r["reason"] for r in await db.fetch("SELECT reason FROM refused_notice WHERE provider = 'kinguin'")
        }

    await until(written, "the process at the door has written its count")


async def test_the_admin_sees_count_and_sample_and_no_secret(client, admin) -> None:
    body, signature = b'{"<script>": "&"}', sign(b"x")
    for _ in range(3):
        await client.post(IPN, content=body, headers={"x-nowpayments-sig": signature, "user-agent": "forger/1.0"})
    await refusals.flush()
    page = (await admin.get("/admin/webhooks")).text
    assert "Wrong signature" in page
    assert "forger/1.0" in page
    assert "&lt;script&gt;" in page
    said = (await admin.get("/admin/webhook-logs", headers={"accept": "application/json"})).json()
    [found] = said["refused"]
    assert (found["provider"], found["reason"], found["posts"]) == ("nowpayments", "wrong signature", 3)
    assert found["sample_body"] == body.decode()
    assert signature not in page + str(said)
