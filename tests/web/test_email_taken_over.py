"""Whoever read the wrong mailbox is out once the email is changed, and nobody changes it after being signed out."""

import json
from typing import Any
from uuid import UUID

import pytest

from app.accounts import service as accounts
from app.accounts import sessions
from app.core import clock, db
from app.core.tokens import link_token
from app.refunds import queries
from tests.refunds.builders import ADDRESS
from tests.web.builders import LOG, assert_problem, logged, picture, submit
from tests.web.test_signing_out import signed_in
from tests.web.test_wrong_email import (
    RIGHT,
    WRONG,
    asked_back,  # noqa: F401 - a fixture
    confirm,
    email_of,
    holder,
    letters,
    links,
    mistyped,  # noqa: F401 - a fixture
    refunded,  # noqa: F401 - a fixture
)

THIEF = "delivered+thief@resend.dev"


async def reader_of(visitor: Any, order: Any) -> Any:
    """The browser of whoever reads the wrong mailbox, and has opened the order by its letter."""
    browser = visitor()
    link = await accounts.issue_link(WRONG, "order", UUID(order.id))
    assert (await submit(browser, f"/links/{link_token(link)}")).status_code == 303
    assert (await browser.get(f"/orders/{order.id}")).status_code == 200
    return browser


async def change(visitor: Any, browser: Any, order: Any, email: str = RIGHT) -> Any:
    """The email is changed by this browser; the one that confirms it."""
    assert (await submit(browser, f"/orders/{order.id}/email", {"email": email})).status_code == 200
    confirming = visitor()
    answer = await submit(confirming, f"/links/{link_token((await links('email'))[-1])}")
    assert answer.status_code == 303
    assert await email_of(order.id) == email
    return confirming


async def test_a_stranger_who_opened_the_mailed_link_is_out_once_the_email_is_changed(visitor, mistyped) -> None:  # noqa: F811
    stranger, owner = await reader_of(visitor, mistyped), holder(visitor, mistyped)
    kept = stranger.cookies["bitloot_orders"]
    confirming = await change(visitor, owner, mistyped)
    client = visitor("application/json", authorization=f"Bearer {kept}")
    before = await picture(but=LOG)
    for browser in (stranger, client):
        assert (await browser.get(f"/orders/{mistyped.id}")).status_code == 404
        assert mistyped.id not in (await browser.get("/orders")).text
        assert (await browser.get(f"/orders/{mistyped.id}/events")).status_code == 404
    assert (await submit(stranger, f"/orders/{mistyped.id}/email", {"email": THIEF})).status_code == 404
    assert (await submit(stranger, f"/orders/{mistyped.id}/cancellations")).status_code == 404
    assert await picture(but=LOG) == before
    for browser in (owner, confirming):
        assert (await browser.get(f"/orders/{mistyped.id}")).status_code == 200
        assert mistyped.id in (await browser.get("/orders")).text


async def test_a_stranger_names_no_refund_address_after_the_email_was_changed(visitor, asked_back) -> None:  # noqa: F811
    stranger = await reader_of(visitor, asked_back)
    await change(visitor, holder(visitor, asked_back), asked_back)
    refund = (await queries.of_order(UUID(asked_back.id)))[-1]
    fields = {"coin": "usdttrc20", "address": ADDRESS, "memo": "", "confirmed": "yes"}
    before = await picture(but=LOG)
    answer = await submit(stranger, f"/orders/{asked_back.id}/refunds/{refund.id}/address", fields)
    assert answer.status_code == 404
    assert await picture(but=LOG) == before
    now = await queries.one(refund.id)
    assert now is not None
    assert now.address is None


async def test_the_strangers_other_orders_stay_open_and_this_one_comes_back_by_no_order_of_his(
    visitor,
    client,
    mistyped,  # noqa: F811
) -> None:
    stranger = await reader_of(visitor, mistyped)
    await change(visitor, holder(visitor, mistyped), mistyped)
    slug = await db.fetch_value("SELECT slug FROM product WHERE active AND stock > 3 ORDER BY slug LIMIT 1")
    await submit(stranger, "/cart", {"slug": slug, "quantity": "1"})
    placed = (await submit(stranger, "/orders", {"email": WRONG})).headers["location"]
    assert (await stranger.get(placed)).status_code == 200
    assert (await stranger.get(f"/orders/{mistyped.id}")).status_code == 404


async def test_after_a_second_change_only_the_browsers_of_that_one_are_in(visitor, mistyped) -> None:  # noqa: F811
    owner = holder(visitor, mistyped)
    first = await change(visitor, owner, mistyped)
    assert (await owner.get(f"/orders/{mistyped.id}")).status_code == 200
    second = await change(visitor, first, mistyped, "delivered+second@resend.dev")
    opened = [(await browser.get(f"/orders/{mistyped.id}")).status_code for browser in (owner, first, second)]
    assert opened == [404, 200, 200]


@pytest.mark.parametrize("way", ["/account/devices/revocations", "/logout"])
async def test_a_change_that_an_ended_session_asked_for_is_void(visitor, ready, way) -> None:
    thief, owner = await signed_in(visitor, ready.email), await signed_in(visitor, ready.email)
    await submit(thief, f"/orders/{ready.id}/email", {"email": THIEF})
    await submit(thief if way == "/logout" else owner, way)
    [link] = await links("email")
    before = await picture(but=LOG)
    assert (await visitor().get(f"/links/{link_token(link)}")).status_code == 410
    assert (await confirm(visitor, link)).status_code == 410
    assert await email_of(ready.id) == ready.email
    assert await picture(but=LOG) == before


async def test_a_change_that_a_signed_out_browser_asked_for_is_void(visitor, mistyped) -> None:  # noqa: F811
    browser = await reader_of(visitor, mistyped)
    await submit(browser, f"/orders/{mistyped.id}/email", {"email": THIEF})
    await submit(browser, "/logout")
    assert (await confirm(visitor, (await links("email"))[0])).status_code == 410
    assert await email_of(mistyped.id) == WRONG


async def test_a_change_asked_for_with_an_access_token_is_void_once_that_browser_signed_out(visitor, mistyped) -> None:  # noqa: F811
    browser = holder(visitor, mistyped)
    await submit(browser, f"/orders/{mistyped.id}/email", {"email": RIGHT})
    await submit(browser, "/logout")
    assert (await confirm(visitor, (await links("email"))[0])).status_code == 410


async def test_a_session_that_merely_ran_out_takes_no_change_back(visitor, admin, mistyped) -> None:  # noqa: F811
    """Staff is signed in for twelve hours, the link works for a day."""
    await submit(admin, f"/orders/{mistyped.id}/email", {"email": RIGHT})
    with clock.travelled(clock.timedelta(hours=13)):
        assert (await confirm(visitor, (await links("email"))[0])).status_code == 303
    assert await email_of(mistyped.id) == RIGHT


async def test_entering_the_current_address_calls_a_change_off(visitor, ready) -> None:
    thief, owner = await signed_in(visitor, ready.email), await signed_in(visitor, ready.email)
    await submit(thief, f"/orders/{ready.id}/email", {"email": THIEF})
    kept = await submit(owner, f"/orders/{ready.id}/email", {"email": ready.email})
    assert (kept.status_code, kept.headers["location"]) == (303, f"/orders/{ready.id}")
    assert (await confirm(visitor, (await links("email"))[0])).status_code == 410
    assert await email_of(ready.id) == ready.email
    assert await logged("order.email_kept") == ["order.email_kept"]
    assert "Email change cancelled" in (await owner.get(f"/orders/{ready.id}/audit")).text
    again = await submit(owner, f"/orders/{ready.id}/email", {"email": ready.email}, accept="application/json")
    assert_problem(again, 400, "same_email", "email")


async def test_by_json_a_change_is_called_off_too(client, mistyped) -> None:  # noqa: F811
    path, headers = f"/orders/{mistyped.id}/email", mistyped.bearer | {"accept": "application/json"}
    asked = await client.post(path, data={"email": RIGHT}, headers=headers)
    assert (asked.status_code, asked.json()) == (202, {"orderId": mistyped.id, "sent": True})
    kept = await client.post(path, data={"email": WRONG}, headers=headers)
    assert (kept.status_code, kept.json()) == (202, {"orderId": mistyped.id, "sent": False})


async def test_the_old_address_is_told_when_the_change_is_asked_for_and_what_to_do(visitor, ready, box, drain) -> None:
    thief = await signed_in(visitor, ready.email)
    await submit(thief, f"/orders/{ready.id}/email", {"email": THIEF})
    assert await letters("email_asked") == [ready.email]
    told = json.loads(await db.fetch_value("SELECT context FROM mail WHERE kind = 'email_asked'"))
    assert (told["email"], told["path"]) == ("d•••@resend.dev", f"/orders/{ready.id}/email")
    await drain()
    [letter] = [m for m in await box.mail() if m["subject"].startswith("Change the email of order")]
    words = " ".join(letter["text"].split())
    assert "open the order and enter this address again: that cancels the change" in words
    assert f"/orders/{ready.id}/email" in words
    assert THIEF not in words


async def test_a_session_is_what_it_was_for_links_that_nobody_in_particular_asked_for(app) -> None:
    """A sign-in link is its mailbox's, whoever is signed out meanwhile."""
    session = await sessions.begin("ann@shop.test", "customer")
    link = await accounts.issue_link("ann@shop.test", "login")
    await sessions.end(session)
    assert (await accounts.consume_link(link_token(link))).email == "ann@shop.test"
