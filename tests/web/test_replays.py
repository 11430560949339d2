"""A notice from the log applied again: at any time, any number of times, in any order, without harm."""

import asyncio
import random

import pytest

from app.core import db
from tests.cli.conftest import bitloot as bitloot
from tests.web.builders import KINGUIN_SECRET, assert_problem, count, pay, picture, place, ready, submit

JSON = {"accept": "application/json"}
MOVES_WITH_EVERY_REPLAY = ("job", "inbound_webhook", "audit_line", "audit_head")


async def settled() -> dict[str, str]:
    return {name: state for name, state in (await picture()).items() if name not in MOVES_WITH_EVERY_REPLAY}


async def notices() -> list[str]:
    return [str(row["id"]) for row in await db.fetch("SELECT id FROM inbound_webhook ORDER BY received_at, id")]


@pytest.fixture
async def fulfilled(client, box, drain) -> list[str]:
    """All notices of a fulfilled order, of both providers."""
    order = await place(client, quantity=2)
    await drain()
    await pay(client, box, order, "reordered")
    await drain()
    told = (await box.http.get("/sandbox/api/webhooks?provider=kinguin")).json()
    for notice in told:
        headers = {"x-event-secret": KINGUIN_SECRET, "x-event-name": notice["headers"].get("X-Event-Name", "")}
        await client.post("/webhooks/kinguin", content=notice["body"].encode(), headers=headers)
    await drain(later=True)
    assert await db.fetch_value("SELECT status FROM customer_order") == "fulfilled"
    assert await db.fetch_value("SELECT count(DISTINCT provider) FROM inbound_webhook") == 2
    return await notices()


async def test_every_notice_of_a_fulfilled_order_replayed_many_times_and_shuffled_changes_nothing(
    admin, box, drain, fulfilled
) -> None:
    before, books, letters = await settled(), await box.orders(), len(await box.mail())
    for seed in range(4):
        order = fulfilled * 3
        random.Random(seed).shuffle(order)
        for notice in order:
            answer = await admin.post(f"/admin/webhook-logs/{notice}/replays", headers=JSON | await token(admin))
            assert answer.status_code == 202, answer.text
        await drain(later=True)
    assert await settled() == before
    assert await box.orders() == books
    assert len(await box.mail()) == letters
    assert await count("inbound_webhook") == len(fulfilled)
    assert await db.fetch_value("SELECT count(*) FROM job WHERE status <> 'completed'") == 0


async def token(admin) -> dict[str, str]:
    if "bitloot_csrf" not in admin.cookies:
        await admin.get("/login")
    return {"x-csrf-token": admin.cookies["bitloot_csrf"]}


async def test_what_a_notice_led_to_first_stays_on_record(admin, drain, fulfilled) -> None:
    first = {row["id"]: row["outcome"] for row in await db.fetch("SELECT id, outcome FROM inbound_webhook")}
    for _ in range(3):
        for notice in fulfilled:
            await submit(admin, f"/admin/webhooks/{notice}/replays")
        await drain(later=True)
    for row in await db.fetch("SELECT id, outcome FROM inbound_webhook"):
        assert row["outcome"].startswith(first[row["id"]])
        assert row["outcome"].count("; replayed: ") == 1
    page = (await admin.get(f"/admin/webhooks/{fulfilled[0]}")).text
    assert "Last replay" in page


async def test_a_replay_pays_an_order_whose_notice_came_to_nothing(admin, client, box, drain) -> None:
    order = await place(client)
    await drain()
    await pay(client, box, order)
    await db.fetch("DELETE FROM job WHERE name = 'payments.apply_notice'")
    await drain()
    assert await db.fetch_value("SELECT status FROM customer_order") == "waiting"
    [finished] = [
        str(row["id"])
        for row in await db.fetch("SELECT id FROM inbound_webhook WHERE convert_from(body, 'utf8') LIKE '%finished%'")
    ]
    answer = await submit(admin, f"/admin/webhooks/{finished}/replays")
    job = await db.fetch_value("SELECT id FROM job ORDER BY created_at DESC LIMIT 1")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/jobs/{job}")
    await drain()
    assert await db.fetch_value("SELECT status FROM customer_order") == "fulfilled"
    assert len(await box.orders()) == 1


async def test_twenty_presses_at_once_wait_as_one_job_and_are_twenty_lines_of_the_audit_log(admin, fulfilled) -> None:
    headers = JSON | await token(admin)
    pressed = [admin.post(f"/admin/webhook-logs/{fulfilled[0]}/replays", headers=headers) for _ in range(20)]
    answers = await asyncio.gather(*pressed)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["jobId"] for answer in answers}) == 1
    assert await db.fetch_value("SELECT count(*) FROM job WHERE status = 'pending'") == 1
    assert await db.fetch_value("SELECT count(*) FROM audit_line WHERE action = 'webhook.replayed'") == 20


async def test_the_log_is_readable_as_json(admin, fulfilled) -> None:
    listed = (await admin.get("/admin/webhook-logs", headers=JSON)).json()["items"]
    assert sorted(item["id"] for item in listed) == sorted(fulfilled)
    one = (await admin.get(f"/admin/webhook-logs/{fulfilled[0]}", headers=JSON)).json()
    assert one["provider"] in {"nowpayments", "kinguin"}
    assert one["body"].startswith("{")
    assert KINGUIN_SECRET not in str(one)


async def test_only_an_admin_replays_and_only_what_is_there(admin, visitor, client, box, drain) -> None:
    order = await ready(client, box, drain)
    [*_, notice] = await notices()
    before = await picture()
    stranger = visitor("application/json", **order.bearer)
    assert_problem(await stranger.post(f"/admin/webhook-logs/{notice}/replays"), 401, "login_needed")
    headers = JSON | await token(admin)
    for unknown in ("01234567-89ab-7def-8123-456789abcdef", "x", "%00"):
        answer = await admin.post(f"/admin/webhook-logs/{unknown}/replays", headers=headers)
        assert_problem(answer, 404, "no_such_notice")
    without = await admin.post(f"/admin/webhook-logs/{notice}/replays", headers=JSON)
    assert without.status_code == 403, "no form of ours was sent"
    assert await picture() == before


async def test_the_command_line_replays_lists_and_shows(drain, fulfilled, bitloot) -> None:
    before = await settled()
    unknown = "01234567-89ab-7def-8123-456789abcdef"
    asked = {
        ("list", "--provider", "kinguin"): "kinguin",
        ("show", fulfilled[0]): '"provider": "nowpayments"',
        ("refused",): "",
        ("replay", *fulfilled): f"{fulfilled[-1]}: job ",
    }
    *answers, refused = await asyncio.gather(
        *(bitloot("webhooks", *words) for words in asked), bitloot("webhooks", "replay", unknown)
    )
    for done, said in zip(answers, asked.values(), strict=True):
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    assert await drain() == len(fulfilled)
    assert await settled() == before
    assert refused.returncode == 1
    assert "may have been deleted" in refused.stderr
