"""Who may see an order. Whoever may not gets the answer of an order that does not exist, and changes nothing."""

import re

import pytest

from app.audit import samples
from tests.web.builders import LOG, assert_problem, csrf_of, logged, picture, place, serials, session_of, submit
from tests.web.intruders import ACTS, DOORS, JOB, MALFORMED, PAGES, UNKNOWN, bearer, cookie, fill, intruders

JSON = {"accept": "application/json"}


@pytest.fixture
async def other(client, ready):
    """Another customer's order, placed after ``ready``."""
    return await place(client, email="somebody@else.test")


async def knock(client, door, order, headers, order_id=None):
    """Try a door. What rides on cookies brings a good form token, so that the order itself has to refuse."""
    path, body = fill(door.path, order, order_id), fill(door.body, order, order_id).encode()
    sent = dict(headers)
    if door.method == "POST" and "cookie" in sent:
        client.cookies.clear()
        token = csrf_of(await client.get("/login", headers={"accept": "text/html"}))
        sent["cookie"] = f"{sent['cookie']}; bitloot_csrf={client.cookies['bitloot_csrf']}"
        sent["x-csrf-token"] = token
    client.cookies.clear()
    kind = {"content-type": "application/json"} if door.method == "POST" else {}
    return await client.request(door.method, path, content=body, headers={**JSON, **kind, **sent})


async def test_every_intruder_gets_the_answer_of_an_unknown_order(visitor, ready, other) -> None:
    client = visitor()
    unknown = {door: await knock(client, door, ready, {}, UNKNOWN) for door in DOORS}
    for answer in unknown.values():
        assert_problem(answer, 404, "order_not_found")
    assert len({answer.content for answer in unknown.values()}) == 1
    found = await intruders(ready, other)
    before = await picture(but=LOG)
    for name, headers in found.items():
        for door in DOORS:
            answer = await knock(client, door, ready, headers)
            assert (answer.status_code, answer.content) == (404, unknown[door].content), (name, door)
    assert await picture(but=LOG) == before
    assert set(await logged()) == {"order.denied"}
    # Two hours, where one began in between; and the hundredth of each may be written again.
    assert len(await logged()) <= 2 * samples.EACH + 4


async def test_every_intruder_gets_the_answer_of_an_unknown_job(visitor, ready, other) -> None:
    client = visitor()
    unknown = await client.get(f"/payments/jobs/{UNKNOWN}/status", headers=JSON)
    assert_problem(unknown, 404, "job_not_found")
    for name, headers in (await intruders(ready, other)).items():
        answer = await knock(client, JOB, ready, headers)
        assert (answer.status_code, answer.content) == (404, unknown.content), name


async def test_a_malformed_id_is_answered_like_an_unknown_one(visitor, ready) -> None:
    client = visitor(**ready.bearer)
    before = await picture(but=LOG)
    for door in (door for door in DOORS if "{id}" in door.path):
        unknown = await knock(client, door, ready, {}, UNKNOWN)
        for order_id in MALFORMED:
            answer = await knock(client, door, ready, {}, order_id)
            assert (answer.status_code, answer.content) == (404, unknown.content), (door, order_id)
    assert (await client.get("/payments/jobs/nonsense/status", headers=JSON)).status_code == 404
    assert await picture(but=LOG) == before


async def test_the_pages_for_people_tell_an_intruder_no_more(visitor, ready, other) -> None:
    client = visitor(**other.bearer)
    for door in PAGES:
        mine = await client.get(fill(door.path, ready), headers={"accept": "text/html"})
        unknown = await client.get(fill(door.path, ready, UNKNOWN), headers={"accept": "text/html"})
        assert mine.status_code == unknown.status_code == 404
        blank = re.compile(r"[0-9a-f]{128}")
        assert blank.sub("", mine.text) == blank.sub("", unknown.text)
        assert 'href="/orders/lookup"' in mine.text


async def test_a_form_for_someone_elses_order_is_not_found_either(visitor, ready, other) -> None:
    browser = visitor()
    browser.cookies.set("bitloot_orders", other.token)
    before = await picture(but=LOG)
    for order_id in (ready.id, UNKNOWN, "nonsense", ""):
        assert (await submit(browser, "/payments/create", {"orderId": order_id})).status_code == 404
        path = f"/fulfillment/{order_id or 'x'}/reveal"
        assert (await submit(browser, path, {"item_id": ready.item_id})).status_code == 404
    assert await picture(but=LOG) == before


async def test_another_orders_item_can_not_be_reached_through_ones_own(visitor, ready, other) -> None:
    client = visitor("application/json", **other.bearer)
    before = await picture(but=LOG)
    revealed = await client.post(f"/fulfillment/{other.id}/reveal", json={"itemId": ready.item_id})
    assert_problem(revealed, 404, "not_found")
    linked = await client.get(f"/fulfillment/{other.id}/download-link?itemId={ready.item_id}")
    assert linked.status_code in {404, 409}
    unknown = await client.get(f"/fulfillment/{other.id}/download-link?itemId={UNKNOWN}")
    assert (linked.status_code, linked.content) == (unknown.status_code, unknown.content)
    assert await picture(but=LOG) == before


async def owners(order) -> dict[str, dict[str, str]]:
    session = await session_of(order.email)
    return {
        "bearer": order.bearer,
        "cookie": cookie("orders", order.token),
        "session": cookie("session", session),
        "bearer session": bearer(session),
    }


async def test_an_owner_may_see_everything(visitor, ready) -> None:
    for kind, headers in (await owners(ready)).items():
        for door in (*(d for d in PAGES if "events" not in d.path), JOB):
            answer = await visitor(**headers).get(fill(door.path, ready), headers=JSON)
            assert answer.status_code == 200, (kind, door, answer.text)


async def test_an_admin_may_see_every_order(admin, ready) -> None:
    for door in (*(d for d in PAGES if "events" not in d.path), JOB):
        answer = await admin.get(fill(door.path, ready), headers=JSON)
        assert answer.status_code == 200, (door, answer.text)


async def test_looking_reveals_and_uses_up_nothing(visitor, ready, box) -> None:
    client, [serial] = visitor(**ready.bearer), await serials(box)
    before = await picture(but=LOG)
    for accept in ("text/html", "application/json", "*/*"):
        for door in (d for d in PAGES if "events" not in d.path):
            answer = await client.get(fill(door.path, ready), headers={"accept": accept})
            assert serial not in answer.text, door
    after = await picture(but=LOG)
    assert after == before
    assert set(await logged()) == {"key.link_issued"}  # the links that were asked for


async def test_only_a_post_acts(visitor, ready) -> None:
    client = visitor(**ready.bearer)
    before = await picture(but=LOG)
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        for door in ACTS:
            answer = await client.request(method, fill(door.path, ready), headers={"content-type": "application/json"})
            assert answer.status_code == 405, (method, door)
    assert await picture(but=LOG) == before
