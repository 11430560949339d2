"""What failed for good is held: sent again by hand, one or all since a time, with its log."""

from datetime import timedelta

import pytest

from app.core import clock, db
from app.webhooks import queries, service
from app.webhooks.service import DeliveryInLine, DeliveryUndeliverable, Span
from tests.builders import rows
from tests.webhooks.builders import deliveries, log, merchant, paid, status, the_delivery


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
    await all_fail(endpoint.id)
    delivery = await the_delivery(endpoint.id)
    receiver.answers = status(200)
    await service.resend(delivery["id"], merchant_id)
    await drain()
    after = await the_delivery(endpoint.id)
    assert (after["status"], after["attempts"]) == ("delivered", 1)
    assert [(line.number, line.outcome) for line in await log(after)] == [(1, "status"), (2, "delivered")]
    assert len(set(receiver.ids())) == 1


async def test_a_delivered_one_is_sent_again_to_a_receiver_that_lost_it(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    delivery = await the_delivery(endpoint.id)
    assert delivery["status"] == "delivered"
    await service.resend(delivery["id"], merchant_id)
    waits = await the_delivery(endpoint.id)
    assert (waits["status"], waits["attempts"], waits["ended_at"]) == ("pending", 0, None)
    await drain()
    after = await the_delivery(endpoint.id)
    assert (after["status"], after["attempts"]) == ("delivered", 1)
    assert [line.number for line in await log(after)] == [1, 2]
    assert receiver.ids()[0] == receiver.ids()[1]
    assert receiver.posts[0].body == receiver.posts[1].body


async def test_one_that_waits_for_its_next_try_can_be_sent_right_now(app, drain, receiver) -> None:
    receiver.answers = status(500)
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    delivery = await the_delivery(endpoint.id)
    assert (delivery["status"], delivery["next_at"] > clock.now()) == ("retrying", True)
    receiver.answers = status(200)
    await service.resend(delivery["id"], merchant_id)
    await drain()
    assert ((await the_delivery(endpoint.id))["status"], len(receiver.posts)) == ("delivered", 2)


async def test_what_is_about_to_be_sent_or_has_nowhere_to_go_is_not_sent_again(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    delivery = await the_delivery(endpoint.id)
    before = await rows()
    with pytest.raises(DeliveryInLine):
        await service.resend(delivery["id"], merchant_id)
    assert await rows() == before
    await service.remove(endpoint.id, merchant_id)
    before = await rows()
    with pytest.raises(DeliveryUndeliverable):
        await service.resend(delivery["id"], merchant_id)
    assert await rows() == before
    assert receiver.posts == []


async def test_all_of_an_hour_that_a_receiver_lost_is_sent_again_and_nothing_else(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    made = []
    for hours in (-3, -2, -1):
        with clock.travelled(timedelta(hours=hours)):
            made.append(str(await paid(merchant_id)))
            await drain(only="webhooks.publish")
    await drain()
    assert len(receiver.posts) == 3
    now = clock.now()
    span = (now - timedelta(hours=2, minutes=30), now - timedelta(hours=1, minutes=30))
    before = await rows()
    assert await service.resend_all(endpoint.id, merchant_id, Span(*span)) == 0
    assert await rows() == before
    assert await service.resend_all(endpoint.id, merchant_id, Span(*span, delivered=True)) == 1
    await drain()
    assert [post.json["object_id"] for post in receiver.posts[3:]] == [made[1]]


async def test_after_a_410_the_delivery_has_failed_and_the_others_wait_in_line(app, drain, receiver) -> None:
    receiver.answers = status(500)
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    receiver.answers = status(410)
    await paid(merchant_id)
    await drain()
    first, second = await deliveries(endpoint.id)
    assert (second["status"], second["next_at"], second["ended_at"] is not None) == ("failed", None, True)
    assert (first["status"], first["next_at"]) == ("pending", None)
    receiver.answers = status(200)
    await service.enable(endpoint.id, merchant_id)
    await service.resend(second["id"], merchant_id)
    await drain()
    assert {one["status"] for one in await deliveries(endpoint.id)} == {"delivered"}


async def test_no_delivery_is_called_retrying_with_no_time_to_be_retried_at(app, drain, receiver) -> None:
    receiver.answers = status(500)
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    await service.disable(endpoint.id, merchant_id)
    one = await the_delivery(endpoint.id)
    assert (one["status"], one["attempts"], one["next_at"]) == ("pending", 1, None)


@pytest.mark.parametrize("failures", [1, 2, 3, 4])
async def test_a_job_stands_ready_for_the_very_time_a_test_delivery_is_due(app, drain, receiver, failures: int) -> None:
    """The sweep alone, every two seconds, made 5 s to 7.3: the line is called when the row says, within a tenth."""
    receiver.answers = status(500)
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    for _ in range(failures - 1):
        due_at = await db.fetch_value("SELECT next_at FROM delivery")
        with clock.travelled(due_at - clock.now() + timedelta(seconds=1)):
            await drain(only="webhooks.deliver")
    delivery = await the_delivery(endpoint.id)
    assert delivery["attempts"] == failures
    [tried] = [line.at for line in await log(delivery)][-1:]
    wait = (delivery["next_at"] - tried).total_seconds()
    assert 5 * failures * 0.9 <= wait <= 5 * failures * 1.1 + 1
    due = await db.fetch(
        "SELECT run_at FROM job WHERE name = 'webhooks.deliver' AND status = 'pending' AND dedupe LIKE $1",
        f"%{delivery['id']}",
    )  # fmt: skip
    assert len(due) >= 1
    late = min(abs(row["run_at"] - delivery["next_at"]) for row in due)
    assert late <= timedelta(milliseconds=100)


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
    await all_fail(endpoint.id)
    await all_fail(other.id)
    assert await service.resend_all(endpoint.id, merchant_id, Span(since)) == 3
    assert await service.resend_all(endpoint.id, merchant_id, Span(since)) == 0
    await drain()
    assert sorted(post.json["object_id"] for post in receiver.posts) == sorted(fresh)
    assert sorted(d["status"] for d in await deliveries(endpoint.id)) == ["delivered"] * 3 + ["failed"]
    assert {d["status"] for d in await deliveries(other.id)} == {"failed"}


async def test_at_a_disabled_endpoint_a_retry_waits_with_the_others(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    await all_fail(endpoint.id)
    await service.disable(endpoint.id, merchant_id)
    assert await service.resend_all(endpoint.id, merchant_id, Span(clock.now() - timedelta(days=1))) == 1
    await drain()
    assert receiver.posts == []
    await service.enable(endpoint.id, merchant_id)
    await drain()
    assert len(receiver.posts) == 1


async def test_the_log_is_read_by_pages_and_filters(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    made = [await paid(merchant_id) for _ in range(5)]
    await drain()
    await service.send_test_event(endpoint.id, merchant_id)
    first = await queries.deliveries(merchant_id, True, {}, None, 4)
    rest = await queries.deliveries(merchant_id, True, {}, first[-1].id, 4)
    assert [one.type for one in [*first, *rest]] == ["endpoint.test", *["order.paid"] * 5]
    assert [one.tries for one in first] == [0, 1, 1, 1]
    by = {
        "status": "delivered", "type": "order.paid", "object_id": made[2], "order_id": made[2],
        "endpoint_id": endpoint.id, "since": clock.now() - timedelta(hours=1), "until": clock.now(),
    }  # fmt: skip
    (found,) = await queries.deliveries(merchant_id, True, by, None, 10)
    assert (found.object_id, found.answered, found.outcome) == (made[2], 200, "delivered")
    assert await queries.deliveries(merchant_id, True, by | {"status": "failed"}, None, 10) == []
