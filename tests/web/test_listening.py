"""``bitloot webhooks listen`` against a shop on a real port: what happens there arrives here, as it was published."""

from typing import Any

from standardwebhooks import Webhook

from app.core import db
from app.merchants import api_keys
from tests.cli.test_receivers import listening
from tests.webhooks import builders, receivers


async def test_what_happens_in_test_mode_arrives_signed_and_as_the_feed_has_it(app: Any, drain: Any, shop: Any) -> None:
    merchant_id = await builders.merchant()
    issued = await api_keys.issue(merchant_id, test=True, name="listen", scopes=["events:read"])
    await builders.paid(merchant_id)
    await drain(only="webhooks.publish")
    with receivers.receiving() as receiver:
        given = ("--key", issued.key, "--secret", issued.secret)
        words = ("--url", shop.url, "--to", receiver.url, "--signing-secret", receivers.SECRET)
        async with listening(*words, keys=given) as run:
            assert await run.until(lambda lines: len(lines) >= 1) == [
                f"Forwarding events after number 1 to {receiver.url}"
            ]
            live, order_id = await builders.paid(merchant_id, test=False), await builders.paid(merchant_id)
            await drain(only="webhooks.publish")
            await run.until(lambda lines: len(lines) >= 2)
    [(headers, body)] = receiver.seen
    event = Webhook(receivers.SECRET).verify(body, headers)
    assert (event["type"], event["mode"], event["object_id"]) == ("order.paid", "test", str(order_id))
    assert body.decode() == await db.fetch_value("SELECT payload FROM merchant_event WHERE object_id = $1", order_id)
    assert str(live) not in body.decode()


async def test_a_key_without_the_scope_is_told_so(app: Any, shop: Any) -> None:
    issued = await api_keys.issue(await builders.merchant(), test=True, name="no events", scopes=["orders:read"])
    async with listening(
        "--url", shop.url, "--to", "http://127.0.0.1:9000/", keys=("--key", issued.key, "--secret", issued.secret)
    ) as run:
        code, said = await run.ended()
    assert (code, "It lacks the scope events:read." in said, "Traceback" in said) == (1, True, False)
