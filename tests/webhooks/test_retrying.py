"""What failed for good is held: sent again by hand, one or all since a time, with its log."""

from datetime import timedelta

import pytest

from app.core import clock, db
from app.webhooks import queries, service
from app.webhooks.service import DeliveryNotFailed
from tests.builders import rows
from tests.webhooks.scenes import deliveries, log, merchant, paid, status, the_delivery


async def all_fail(endpoint_id: object) -> None:
    """Every delivery of the endpoint is out of attempts."""
    await db.fetch(
        """UPDATE delivery SET status = 'failed', attempts = 5, next_at = NULL, ended_at = $2
           WHERE endpoint_id = $1""",
        endpoint_id, clock.now(),
    )  # fmt: skip


async def test_a_failed_delivery_is_sent_again_with_a_new_round_and_its_old_log(app, drain, receiver) -> None:
    receiver.answers = status(500)
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    await all_fail(endpoint["id"])
    delivery = await the_delivery(endpoint["id"])
    receiver.answers = status(200)
    await service.retry(delivery["id"], merchant_id)
    await drain()
    after = await the_delivery(endpoint["id"])
    assert (after["status"], after["attempts"]) == ("delivered", 1)
    assert [(line["number"], line["outcome"]) for line in await log(after)] == [(1, "status"), (2, "delivered")]
    assert len(set(receiver.ids())) == 1


async def test_what_has_not_failed_is_not_sent_again(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    delivery = await the_delivery(endpoint["id"])
    before = await rows()
    with pytest.raises(DeliveryNotFailed):
        await service.retry(delivery["id"], merchant_id)
    await service.remove(endpoint["id"], merchant_id)
    await all_fail(endpoint["id"])
    with pytest.raises(DeliveryNotFailed):
        await service.retry(delivery["id"], merchant_id)
    assert len(receiver.posts) == 1
    assert before["delivery_attempt"] == (await rows())["delivery_attempt"]


async def test_all_that_failed_since_a_time_are_sent_again_and_nothing_else(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    other, _ = await service.add(merchant_id, test=True, url=receiver.url + "/other")
    with clock.travelled(timedelta(hours=-3)):
        await paid(merchant_id)
        await drain(only="webhooks.publish")
    since = clock.now() - timedelta(hours=1)
    fresh = [str(await paid(merchant_id)) for _ in range(3)]
    await drain(only="webhooks.publish")
    await all_fail(endpoint["id"])
    await all_fail(other["id"])
    assert await service.retry_failed(endpoint["id"], merchant_id, since) == 3
    assert await service.retry_failed(endpoint["id"], merchant_id, since) == 0
    await drain()
    assert sorted(post.json["object_id"] for post in receiver.posts) == sorted(fresh)
    assert sorted(d["status"] for d in await deliveries(endpoint["id"])) == ["delivered"] * 3 + ["failed"]
    assert {d["status"] for d in await deliveries(other["id"])} == {"failed"}


async def test_at_a_disabled_endpoint_a_retry_waits_with_the_others(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    await all_fail(endpoint["id"])
    await service.disable(endpoint["id"], merchant_id)
    assert await service.retry_failed(endpoint["id"], merchant_id, clock.now() - timedelta(days=1)) == 1
    await drain()
    assert receiver.posts == []
    await service.enable(endpoint["id"], merchant_id)
    await drain()
    assert len(receiver.posts) == 1


async def test_the_log_is_read_by_pages_and_filters(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    made = [await paid(merchant_id) for _ in range(5)]
    await drain()
    await service.send_test_event(endpoint["id"], merchant_id)
    first = await queries.deliveries(merchant_id, True, {}, None, 4)
    rest = await queries.deliveries(merchant_id, True, {}, first[-1]["id"], 4)
    assert [one["type"] for one in [*first, *rest]] == ["endpoint.test", *["order.paid"] * 5]
    assert [one["tries"] for one in first] == [0, 1, 1, 1]
    by = {
        "status": "delivered", "type": "order.paid", "object_id": made[2], "order_id": made[2],
        "endpoint_id": endpoint["id"], "since": clock.now() - timedelta(hours=1), "until": clock.now(),
    }  # fmt: skip
    (found,) = await queries.deliveries(merchant_id, True, by, None, 10)
    assert (found["object_id"], found["answered"], found["outcome"]) == (made[2], 200, "delivered")
    assert await queries.deliveries(merchant_id, True, by | {"status": "failed"}, None, 10) == []
