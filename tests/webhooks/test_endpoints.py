"""Endpoints: added, changed, switched off and on, removed; their secrets shown once and sealed by the master keys."""

import re
from datetime import timedelta
from typing import Any

import pytest

from app.core import clock, db
from app.core.crypto import MasterKeyMissing, MasterKeys, SealBroken
from app.core.ids import new_id
from app.core.settings import settings
from app.webhooks import queries, secrets, service
from app.webhooks.service import (
    MOST_ENDPOINTS,
    BadEndpoint,
    EndpointDisabled,
    NoSuchDelivery,
    NoSuchEndpoint,
    Span,
    TooManyEndpoints,
    TooManySecrets,
)
from tests.builders import count, job_names, rows
from tests.webhooks.builders import (
    deliveries,
    endpoint_row,
    genuine,
    happens,
    log,
    merchant,
    order,
    paid,
    simple,
    the_delivery,
)

URL = "http://127.0.0.1:40009/hooks"
OLD = settings().master_keys.get_secret_value()
NEW = MasterKeys.draw("newer")


async def test_a_new_endpoints_secret_is_shown_once_and_kept_sealed(app) -> None:
    row, secret = await service.add(await merchant(), test=True, url=URL, name=" Till ", types=["order.paid"])
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert (row.url, row.name, row.types, row.disabled_at) == (URL, "Till", ["order.paid"], None)
    stored = await rows()
    assert secret.removeprefix("whsec_") not in str(stored)
    assert bytes.hex(secret.encode()) not in str(stored)
    assert secrets.unseal(row.secret, row.id).reveal().decode() == secret


async def test_a_sealed_secret_that_is_moved_to_another_endpoint_does_not_open(app) -> None:
    row, _ = await service.add(await merchant(), test=True, url=URL)
    with pytest.raises(SealBroken):
        secrets.unseal(row.secret, new_id())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://example.com/hooks"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "not a url"}, "url"),
        ({"url": "https://example.com/" + "x" * 2000}, "url"),
        ({"name": "x" * 101}, "name"),
        ({"types": ["order.paid", "order.eaten"]}, "types"),
    ],
)
async def test_what_can_never_work_is_refused_with_its_field(app, change: dict[str, Any], field: str) -> None:
    merchant_id = await merchant()
    row, _ = await service.add(merchant_id, test=True, url=URL)
    before = await rows()
    with pytest.raises(BadEndpoint) as refused:
        await service.add(merchant_id, **({"test": True, "url": URL} | change))
    assert refused.value.field == field
    with pytest.raises(BadEndpoint):
        await service.change(row.id, merchant_id, **change)
    assert await rows() == before


async def test_this_machine_is_an_address_in_test_mode_alone(app) -> None:
    with pytest.raises(BadEndpoint):
        await service.add(await merchant(), test=False, url=URL)
    assert await count("endpoint") == 0


async def test_there_is_an_end_to_endpoints(app) -> None:
    merchant_id = await merchant()
    for _ in range(MOST_ENDPOINTS):
        await service.add(merchant_id, test=True, url=URL)
    with pytest.raises(TooManyEndpoints):
        await service.add(merchant_id, test=True, url=URL)
    await service.add(merchant_id, test=False, url="https://example.com/hooks")
    assert await count("endpoint") == MOST_ENDPOINTS + 1


async def test_another_merchants_and_another_modes_endpoint_are_as_unknown_ones(app, drain) -> None:
    mine, theirs = await merchant("Mine"), await merchant("Theirs")
    row, _ = await service.add(mine, test=True, url=URL)
    await paid(mine)
    await drain(only="webhooks.publish")
    delivery = await the_delivery(row.id)
    before = await rows()
    for endpoint_id, merchant_id, test in [(row.id, theirs, None), (row.id, mine, False), (new_id(), mine, None)]:
        for verb in (service.disable, service.enable, service.remove, service.send_test_event, service.change):
            with pytest.raises(NoSuchEndpoint):
                await verb(endpoint_id, merchant_id, test=test)
        with pytest.raises(NoSuchEndpoint):
            await service.rotate(endpoint_id, merchant_id, timedelta(), test=test)
        with pytest.raises(NoSuchEndpoint):
            await service.resend_all(endpoint_id, merchant_id, Span(clock.now()), test=test)
    for delivery_id, merchant_id, test in [(delivery["id"], theirs, None), (delivery["id"], mine, False)]:
        with pytest.raises(NoSuchDelivery):
            await service.resend(delivery_id, merchant_id, test=test)
        assert await queries.delivery(delivery_id, merchant_id, test) is None
    assert await queries.deliveries(theirs, True, {}, None, 10) == []
    assert await queries.deliveries(mine, False, {}, None, 10) == []
    assert await rows() == before


async def test_what_stands_in_line_goes_to_the_changed_address(app, drain, receiver) -> None:
    merchant_id = await merchant()
    row, _ = await service.add(merchant_id, test=True, url=URL)
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    await service.change(row.id, merchant_id, url=receiver.url, name="Till", types=["order.paid"])
    await drain()
    assert len(receiver.posts) == 1
    changed = await service.find(row.id, merchant_id)
    assert (changed.name, changed.types) == ("Till", ["order.paid"])


async def test_a_disabled_endpoint_is_sent_nothing_and_loses_nothing(app, drain, receiver) -> None:
    merchant_id = await merchant()
    row, _ = await service.add(merchant_id, test=True, url=receiver.url)
    order_id = await paid(merchant_id)
    await drain(only="webhooks.publish")
    await service.disable(row.id, merchant_id)
    await happens(order_id, "order.fulfilled")
    await drain()
    with clock.travelled(timedelta(days=3)):
        await service.post_due()
        await drain()
    assert receiver.posts == []
    assert [(d["status"], d["next_at"], d["attempts"]) for d in await deliveries(row.id)] == [("pending", None, 0)] * 2
    await service.enable(row.id, merchant_id)
    await drain()
    assert sorted(post.json["type"] for post in receiver.posts) == ["order.fulfilled", "order.paid"]
    assert {d["status"] for d in await deliveries(row.id)} == {"delivered"}


async def test_a_removed_endpoint_is_forgotten_but_for_its_log(app, drain) -> None:
    merchant_id = await merchant()
    row, _ = await service.add(merchant_id, test=True, url=URL)
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    await service.remove(row.id, merchant_id)
    left = await endpoint_row(row.id)
    assert (left["secret"], left["old_secret"]) == (b"", None)
    assert (await the_delivery(row.id))["status"] == "failed"
    assert await queries.endpoints(merchant_id, True) == []
    assert len(await queries.deliveries(merchant_id, True, {}, None, 10)) == 1
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    assert len(await deliveries(row.id)) == 1
    with pytest.raises(NoSuchEndpoint):
        await service.enable(row.id, merchant_id)


async def test_a_test_event_goes_to_one_endpoint_and_says_what_it_is(app, drain, receiver, other_receiver) -> None:
    merchant_id = await merchant()
    row, secret = await service.add(merchant_id, test=True, url=receiver.url, types=["order.paid"])
    await service.add(merchant_id, test=True, url=other_receiver.url)
    first = await service.send_test_event(row.id, merchant_id)
    await service.send_test_event(row.id, merchant_id)
    await drain()
    assert [post.json["sequence"] for post in receiver.posts] == [1, 2]
    post = receiver.posts[0]
    assert (post.json["id"], post.json["type"], post.json["object"]) == (str(first), "endpoint.test", "endpoint")
    assert genuine(post, secret)
    assert other_receiver.posts == []
    await service.disable(row.id, merchant_id)
    with pytest.raises(EndpointDisabled):
        await service.send_test_event(row.id, merchant_id)
    assert await count("merchant_event") == 2


async def test_a_rotated_secret_is_joined_by_the_old_one_until_the_overlap_ends(app, drain, receiver) -> None:
    merchant_id = await merchant()
    row, old = await service.add(merchant_id, test=True, url=receiver.url)
    new = await service.rotate(row.id, merchant_id, timedelta(hours=1))
    assert new != old
    await service.send_test_event(row.id, merchant_id)
    await drain()
    during = receiver.posts[-1]
    assert genuine(during, new)
    assert genuine(during, old)
    assert during.headers["x-webhook-signature"] == simple(during, new)
    assert during.headers["x-webhook-signature-previous"] == simple(during, old)
    with clock.travelled(timedelta(hours=1, seconds=1)):
        await service.send_test_event(row.id, merchant_id)
        await drain()
    after = receiver.posts[-1]
    assert genuine(after, new)
    assert not genuine(after, old)
    assert "x-webhook-signature-previous" not in after.headers


async def test_a_second_rotation_inside_the_overlap_keeps_every_secret_that_still_counts(app, drain, receiver) -> None:
    merchant_id = await merchant()
    row, first = await service.add(merchant_id, test=True, url=receiver.url)
    second = await service.rotate(row.id, merchant_id, timedelta(hours=2))
    third = await service.rotate(row.id, merchant_id, timedelta(hours=1))
    await service.send_test_event(row.id, merchant_id)
    await drain()
    during = receiver.posts[-1]
    assert [genuine(during, one) for one in (third, second, first)] == [True] * 3
    assert during.headers["x-webhook-signature"] == simple(during, third)
    previous = during.headers["x-webhook-signature-previous"].split(" ")
    assert previous == [simple(during, second), simple(during, first)]
    with clock.travelled(timedelta(hours=1, minutes=30)):
        await service.send_test_event(row.id, merchant_id)
        await drain()
    after = receiver.posts[-1]
    assert [genuine(after, one) for one in (third, second, first)] == [True, False, True]
    assert after.headers["x-webhook-signature-previous"] == simple(after, first)
    await service.rotate(row.id, merchant_id, timedelta())
    await service.send_test_event(row.id, merchant_id)
    await drain()
    assert not any(genuine(receiver.posts[-1], one) for one in (third, second, first))


async def test_rotations_without_end_are_refused_before_they_sign_a_request_a_hundred_times(app) -> None:
    merchant_id = await merchant()
    row, _ = await service.add(merchant_id, test=True, url=URL)
    for _ in range(8):
        await service.rotate(row.id, merchant_id, timedelta(days=1))
    before = await rows()
    with pytest.raises(TooManySecrets):
        await service.rotate(row.id, merchant_id, timedelta(days=1))
    assert await rows() == before
    await service.rotate(row.id, merchant_id, timedelta())


async def test_without_an_overlap_the_old_secret_is_gone_at_once(app, drain, receiver) -> None:
    merchant_id = await merchant()
    row, old = await service.add(merchant_id, test=True, url=receiver.url)
    await service.rotate(row.id, merchant_id, timedelta())
    assert (await endpoint_row(row.id))["old_secret"] is None
    await service.send_test_event(row.id, merchant_id)
    await drain()
    assert not genuine(receiver.posts[0], old)
    for overlap in (timedelta(days=8), timedelta(seconds=-1)):
        with pytest.raises(BadEndpoint):
            await service.rotate(row.id, merchant_id, overlap)


@pytest.mark.processes
async def test_rotated_master_keys_seal_the_secrets_anew_and_the_old_one_may_go(app, bitloot) -> None:
    merchant_id = await merchant()
    row, first = await service.add(merchant_id, test=True, url=URL)
    second = await service.rotate(row.id, merchant_id, timedelta(days=1))
    gone, _ = await service.add(merchant_id, test=True, url=URL)
    await service.remove(gone.id, merchant_id)
    both = {"MASTER_KEYS": f"{NEW},{OLD}"}
    said = await bitloot("vault", "status", env=both)
    assert "2 webhook secrets: `bitloot vault rotate` moves them" in said.stdout
    done = await bitloot("vault", "rotate", env=both)
    assert done.returncode == 0, done.stderr
    assert "Secrets of 1 webhook endpoints moved to newer." in done.stdout
    moved, keys = await endpoint_row(row.id), MasterKeys.parse(NEW)
    owner = f"endpoint {row.id}"
    assert keys.open(moved["secret"], owner=owner).reveal().decode() == second
    assert keys.open(moved["old_secret"], owner=owner).reveal().decode() == first
    with pytest.raises(MasterKeyMissing):
        MasterKeys.parse(OLD).open(moved["secret"], owner=owner)
    assert await count("audit_line", "action = 'vault.rewrapped'") == 1
    said = await bitloot("vault", "status", env=both)
    assert "you can remove it" in said.stdout


async def test_a_secret_that_does_not_open_sends_nothing_unsigned_and_says_so(app, drain, receiver) -> None:
    merchant_id = await merchant()
    row, _ = await service.add(merchant_id, test=True, url=receiver.url)
    await db.fetch("UPDATE endpoint SET secret = $2 WHERE id = $1", row.id, b"\x05test1nonsense")
    await paid(merchant_id)
    await drain()
    assert receiver.posts == []
    delivery = await the_delivery(row.id)
    assert delivery["status"] == "retrying"
    assert [one.outcome for one in await log(delivery)] == ["unsigned"]
    assert (await endpoint_row(row.id))["failures"] == 0


async def test_an_endpoint_that_is_switched_off_and_on_while_events_come_keeps_every_one(app, drain, receiver) -> None:
    merchant_id = await merchant()
    row, _ = await service.add(merchant_id, test=True, url=receiver.url)
    made = [await order(merchant_id) for _ in range(12)]
    for number, order_id in enumerate(made):
        await happens(order_id, "order.paid")
        await (service.disable if number % 2 else service.enable)(row.id, merchant_id)
        await drain(only="webhooks.publish")
    await service.enable(row.id, merchant_id)
    await drain()
    assert sorted(post.json["object_id"] for post in receiver.posts) == sorted(map(str, made))
    assert await job_names() == []
