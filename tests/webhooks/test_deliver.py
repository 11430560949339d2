"""What leaves for a receiver, to the byte, and what becomes of its answer."""

import asyncio
import json
from datetime import UTC, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from app.core import clock, db
from app.core.settings import settings
from app.webhooks import deliver, queries, schedule, service
from dev.environment import until
from tests.builders import count, events, job_names, rows
from tests.conftest import free_port
from tests.webhooks.builders import (
    MEMBERS,
    Post,
    deliveries,
    endpoint_row,
    genuine,
    hanging,
    log,
    members,
    merchant,
    paid,
    simple,
    status,
    the_delivery,
    tries_again,
)


async def test_the_bytes_that_arrive_are_the_events_and_both_signatures_are_theirs(app, drain, receiver) -> None:
    merchant_id = await merchant()
    _, secret = await service.add(merchant_id, test=True, url=receiver.url + "?till=2")
    await paid(merchant_id)
    await drain()
    (event,) = await queries.feed(merchant_id, True, 0, 10)
    (post,) = receiver.posts
    assert post.body == event.payload.encode()
    assert post.path == "/hooks?till=2"
    assert post.id == str(event.id) == post.json["id"]
    assert abs(int(post.headers["webhook-timestamp"]) - clock.now().timestamp()) < 5
    assert post.headers["content-type"] == "application/json"
    assert genuine(post, secret)
    assert post.headers["x-webhook-signature"] == simple(post, secret)


async def test_the_official_library_verifies_what_arrives_and_refuses_what_was_changed(app, drain, receiver) -> None:
    merchant_id = await merchant()
    _, secret = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    (post,) = receiver.posts
    assert Webhook(secret).verify(post.body, post.headers) == post.json
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(post.body.replace(b"12.50", b"92.50"), post.headers)
    late = post.headers | {"webhook-timestamp": str(int(post.headers["webhook-timestamp"]) - 600)}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(post.body, late)


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
async def test_any_2xx_is_a_delivery(app, drain, receiver, code: int) -> None:
    receiver.answers = status(code)
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    delivery = await the_delivery(endpoint.id)
    assert (delivery["status"], delivery["attempts"], delivery["next_at"], delivery["lease_until"]) == (
        "delivered", 1, None, None,
    )  # fmt: skip
    (line,) = await log(delivery)
    assert (line.number, line.outcome, line.status, line.address) == (1, "delivered", code, "127.0.0.1")


@pytest.mark.parametrize(
    ("code", "outcome"), [(301, "redirect"), (307, "redirect"), (400, "status"), (404, "status"), (500, "status")]
)
async def test_anything_else_is_a_failure_with_its_reason(app, drain, receiver, code: int, outcome: str) -> None:
    receiver.answers = status(code, Location="/elsewhere")
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    delivery = await the_delivery(endpoint.id)
    assert (delivery["status"], delivery["attempts"]) == ("retrying", 1)
    (line,) = await log(delivery)
    assert (line.outcome, line.status, len(receiver.posts)) == (outcome, code, 1)
    assert line.error


async def test_nobody_there_is_a_failure_too(app, drain) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=f"http://127.0.0.1:{free_port()}/")
    await paid(merchant_id)
    await drain()
    (line,) = await log(await the_delivery(endpoint.id))
    assert (line.outcome, line.status, line.address) == ("connect", None, "127.0.0.1")


@pytest.mark.parametrize(
    ("told", "nominal"), [("true", (5, 10, 15, 20)), ("1,2,3,4", (1, 2, 3, 4)), ("false", (60, 300, 1800, 7200))]
)
async def test_five_attempts_are_made_after_the_planned_waits_and_then_it_has_failed(
    app, drain, receiver, monkeypatch, told: str, nominal: tuple[int, ...]
) -> None:
    monkeypatch.setattr(settings(), "webhook_retry_intervals_test", told)
    receiver.answers = status(503)
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    waited = timedelta()
    for number, seconds in enumerate(nominal, 2):
        with clock.travelled(waited):
            wait = await tries_again(drain)
        waited += wait
        assert 0.89 * seconds <= wait.total_seconds() <= 1.11 * seconds
        assert len(receiver.posts) == number
    delivery = await the_delivery(endpoint.id)
    assert (delivery["status"], delivery["attempts"], delivery["next_at"]) == ("failed", 5, None)
    assert delivery["ended_at"] is not None
    assert [line.number for line in await log(delivery)] == [1, 2, 3, 4, 5]
    assert len(set(receiver.ids())) == 1
    with clock.travelled(timedelta(days=2)):
        await service.post_due()
        await drain()
    assert len(receiver.posts) == 5


def test_live_mode_waits_as_promised_whatever_test_mode_says() -> None:
    now = clock.now()
    for attempts, seconds in enumerate((60, 300, 1800, 7200), 1):
        again = schedule.next_try(attempts, now, test=False)
        assert again is not None
        assert 0.9 * seconds <= (again - now).total_seconds() <= 1.1 * seconds
    assert schedule.next_try(5, now, test=False) is None


def test_those_that_failed_together_do_not_come_back_together() -> None:
    now = clock.now()
    assert len({schedule.next_try(1, now, test=False) for _ in range(50)}) > 40


async def test_a_longer_retry_after_is_obeyed_and_a_shorter_one_is_not(app, drain, receiver) -> None:
    wishes = iter(["3600", "1", format_datetime((clock.now() + timedelta(hours=2)).astimezone(UTC), usegmt=True)])
    receiver.answers = lambda _post: web.Response(status=429, headers={"Retry-After": next(wishes)})
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain()
    first = await tries_again(drain)
    assert 3590 < first.total_seconds() <= 3600
    with clock.travelled(first):
        assert 8 < (await tries_again(drain)).total_seconds() < 12
    due = await db.fetch_value("SELECT next_at FROM delivery")
    assert abs((due - clock.now()).total_seconds() - 7200) < 5


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [("99999999", 86400), ("0", 0), ("-5", None), ("soon", None), ("", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
     ("1e3", None), ("٣", None), ("9" * 400, 86400)],
)  # fmt: skip
def test_a_retry_after_is_read_with_care(wish: str, seconds: int | None) -> None:
    found = schedule.wished(wish, clock.now())
    assert (found.total_seconds() if found is not None else None) == seconds


async def test_410_switches_the_endpoint_off_keeps_what_happens_and_tells_its_owners(app, drain, receiver, box) -> None:
    receiver.answers = status(410)
    merchant_id = await merchant()
    await members(merchant_id)
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url, name="The till")
    await paid(merchant_id)
    await drain()
    row = await endpoint_row(endpoint.id)
    assert row["disabled_at"] is not None
    assert "410" in row["disabled_why"]
    await paid(merchant_id)
    await drain()
    assert len(receiver.posts) == 1
    assert sorted(d["status"] for d in await deliveries(endpoint.id)) == ["failed", "pending"]
    assert {d["next_at"] for d in await deliveries(endpoint.id)} == {None}
    letters = await box.mail()
    assert sorted(to for letter in letters for to in letter["to"]) == sorted(MEMBERS)
    assert "The till" in letters[0]["subject"]
    receiver.answers = status(200)
    await service.enable(endpoint.id, merchant_id)
    await drain()
    assert {d["status"] for d in await deliveries(endpoint.id)} == {"delivered", "failed"}


async def test_an_endpoint_is_disabled_after_many_failures_over_a_day_and_not_before(app, drain, receiver) -> None:
    receiver.answers = status(500)
    merchant_id = await merchant()
    await members(merchant_id)
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    for _ in range(25):
        await paid(merchant_id)
    await drain()
    assert (await endpoint_row(endpoint.id))["failures"] == 25
    assert (await endpoint_row(endpoint.id))["disabled_at"] is None
    with clock.travelled(timedelta(hours=25)):
        await service.post_due()
        await drain(only="webhooks.deliver")
    row = await endpoint_row(endpoint.id)
    assert row["disabled_at"] is not None
    assert "in a row failed" in row["disabled_why"]
    assert await count("mail", "kind = 'endpoint_disabled'") == len(MEMBERS)
    assert {d["next_at"] for d in await deliveries(endpoint.id)} == {None}


async def test_few_failures_over_days_do_not_disable_it_and_a_success_starts_the_count_anew(
    app, drain, receiver
) -> None:
    receiver.answers = status(500)
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    for day in range(3):
        with clock.travelled(timedelta(days=2 * day)):
            await paid(merchant_id)
            await drain()
    row = await endpoint_row(endpoint.id)
    assert (row["failures"] >= 3, row["disabled_at"]) == (True, None)
    receiver.answers = status(200)
    with clock.travelled(timedelta(days=8)):
        await paid(merchant_id)
        await drain()
    row = await endpoint_row(endpoint.id)
    assert (row["failures"], row["failing_since"], row["disabled_at"]) == (0, None, None)


async def test_the_log_keeps_the_beginning_of_an_answer_and_no_secret(app, drain, receiver) -> None:
    receiver.answers = lambda post: web.Response(
        status=500, text=json.dumps(dict(post.headers)) + "\x00" + "x" * 9000,
        headers={"Set-Cookie": "session=abc", "X-Api-Key": "k-123", "X-Request-Id": "r-1", "X-Long": "y" * 2000},
    )  # fmt: skip
    merchant_id = await merchant()
    endpoint, secret = await service.add(merchant_id, test=True, url=receiver.url)
    await service.rotate(endpoint.id, merchant_id, timedelta(hours=1))
    await paid(merchant_id)
    await drain()
    (line,) = await log(await the_delivery(endpoint.id))
    (post,) = receiver.posts
    assert line.headers["request"]["webhook-id"] == post.id
    for name in ("webhook-signature", "x-webhook-signature", "x-webhook-signature-previous"):
        assert line.headers["request"][name] == "hidden"
    assert line.headers["response"]["set-cookie"] == line.headers["response"]["x-api-key"] == "hidden"
    assert line.headers["response"]["x-request-id"] == "r-1"
    assert len(line.headers["response"]["x-long"]) <= 300
    assert len(line.response) <= 2048
    stored = str(await rows())
    for said in (*post.headers["webhook-signature"].split(), simple(post, secret), "session=abc", "k-123"):
        assert said not in stored


async def test_while_one_endpoint_hangs_every_other_is_served(app, drain, receiver, other_receiver) -> None:
    release = asyncio.Event()
    receiver.answers = lambda _post: hanging(release)
    merchant_id = await merchant()
    slow, _ = await service.add(merchant_id, test=True, url=receiver.url)
    quick, _ = await service.add(merchant_id, test=True, url=other_receiver.url)
    for _ in range(8):
        await paid(merchant_id)
    await drain(only="webhooks.publish")
    http = app.state.kit.merchants
    stuck = asyncio.create_task(deliver.drain_endpoint(slow.id, http=http))
    try:
        await receiver.has(5)
        await deliver.drain_endpoint(quick.id, http=http)
        assert len(other_receiver.posts) == 8
        assert {d["status"] for d in await deliveries(quick.id)} == {"delivered"}
        assert receiver.open == 5
    finally:
        release.set()
        await stuck
    assert {d["status"] for d in await deliveries(slow.id)} == {"delivered"}
    assert len(receiver.posts) == 8


async def test_one_request_that_hangs_leaves_the_endpoints_other_places_to_the_others(app, drain, receiver) -> None:
    release, first = asyncio.Event(), list[str]()

    def answer(post: Post) -> object:
        if not first:
            first.append(post.id)
        return hanging(release) if post.id == first[0] else web.Response()

    receiver.answers = answer
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    for _ in range(20):
        await paid(merchant_id)
    await drain(only="webhooks.publish")
    stuck = asyncio.create_task(deliver.drain_endpoint(endpoint.id, http=app.state.kit.merchants))
    try:
        await until(lambda: len(receiver.posts) == 20, "all others arrive")
        await until(lambda: count("delivery", "status = 'delivered'"), "they are noted")
        late = await paid(merchant_id)
        await drain()  # a second worker on the same line
        assert str(late) in {post.json["object_id"] for post in receiver.posts}
        assert receiver.open == 1
    finally:
        release.set()
        await stuck
    assert {d["status"] for d in await deliveries(endpoint.id)} == {"delivered"}
    assert len(receiver.posts) == 21


async def test_no_more_requests_than_agreed_are_open_at_one_endpoint_however_many_work_on_it(
    app, drain, receiver
) -> None:
    release = asyncio.Event()
    receiver.answers = lambda _post: hanging(release)
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    for _ in range(30):
        await paid(merchant_id)
    await drain(only="webhooks.publish")
    lines = [asyncio.create_task(deliver.drain_endpoint(endpoint.id, http=app.state.kit.merchants)) for _ in range(6)]
    await receiver.has(5)
    await until(lambda: sum(line.done() for line in lines) >= 1, "those that find no room end")
    release.set()
    await asyncio.gather(*lines)
    assert receiver.most == settings().webhook_concurrency == 5
    assert sorted(receiver.ids()) == sorted({*receiver.ids()})
    assert len(receiver.posts) == 30


async def test_a_line_that_is_longer_than_a_turn_calls_the_next(app, drain, receiver, monkeypatch) -> None:
    monkeypatch.setattr(deliver, "TURN", 0.0)
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    await db.fetch("DELETE FROM job")
    await deliver.drain_endpoint(endpoint.id, http=app.state.kit.merchants)
    assert receiver.posts == []
    assert await job_names() == ["webhooks.deliver"]


async def test_an_attempt_that_died_is_made_again_under_the_same_id_and_counts_once(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    (claimed,) = await deliver.claim(endpoint.id)
    await deliver.attempt(claimed, app.state.kit.merchants)  # received, and then the worker dies
    await drain()
    assert len(receiver.posts) == 1
    with clock.travelled(deliver.LEASE + timedelta(seconds=1)):
        assert await service.post_due() == 1
        await drain()
    assert receiver.ids() == [receiver.ids()[0]] * 2
    delivery = await the_delivery(endpoint.id)
    assert (delivery["status"], delivery["attempts"], len(await log(delivery))) == ("delivered", 1, 1)


async def test_a_worker_that_comes_back_from_the_dead_notes_nothing(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    (old,) = await deliver.claim(endpoint.id)
    with clock.travelled(deliver.LEASE + timedelta(seconds=1)):
        (new,) = await deliver.claim(endpoint.id)
        before = await rows()
        failed = deliver.AttemptResult(clock.now(), {}, "status", status=500)
        await deliver._not_delivered(old, failed)
        await deliver._delivered(old, deliver.AttemptResult(clock.now(), {}))
        assert await rows() == before
        await deliver._delivered(new, deliver.AttemptResult(clock.now(), {}))
    assert (await the_delivery(endpoint.id))["status"] == "delivered"


async def test_an_answer_that_comes_after_the_endpoint_was_switched_off_is_noted_and_nothing_more_is_sent(
    app, drain, receiver
) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    (claimed,) = await deliver.claim(endpoint.id)
    await service.disable(endpoint.id, merchant_id)
    await deliver._not_delivered(claimed, deliver.AttemptResult(clock.now(), {}, "status", status=500))
    delivery = await the_delivery(endpoint.id)
    assert (delivery["status"], delivery["next_at"], delivery["attempts"]) == ("pending", None, 1)
    assert (await endpoint_row(endpoint.id))["failures"] == 0


async def test_sending_writes_nothing_on_the_orders_timeline(app, drain, receiver) -> None:
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=receiver.url)
    order_id = await paid(merchant_id)
    await drain()
    assert len(receiver.posts) == 1
    assert await events(order_id) == ["order.paid"]
