"""A wrong email is put right by whoever holds the order's page, and a refund does not depend on the wrong mailbox."""

from typing import Any
from uuid import UUID

import pytest

from app.core import db
from app.core.tokens import link_token
from app.refunds import queries
from app.refunds.models import Refund
from tests.refunds.builders import ADDRESS, booked
from tests.web import builders
from tests.web.builders import LOG, assert_problem, count, csrf_of, picture, place, submit

WRONG, RIGHT = "delivered+typo@resend.dev", "delivered+right@resend.dev"


@pytest.fixture
async def mistyped(client) -> builders.Bought:
    return await place(client, email=WRONG)


@pytest.fixture
async def refunded(client, box, drain) -> builders.Bought:
    """An order with a mistyped email of which half was paid and is to go back."""
    bought = await place(client, email=WRONG, payCurrency="usdttrc20")
    await drain()
    await builders.pay(client, box, bought, "partially_paid")
    await drain()
    await booked(UUID(bought.id))
    return bought


def holder(visitor: Any, bought: builders.Bought) -> Any:
    """The browser that the order was placed with."""
    browser = visitor()
    browser.cookies.set("bitloot_orders", bought.token, domain="127.0.0.1", path="/")
    return browser


async def links(purpose: str) -> list[UUID]:
    rows = await db.fetch("SELECT id FROM link WHERE purpose = $1 ORDER BY created_at", purpose)
    return [row["id"] for row in rows]


async def letters(kind: str) -> list[str]:
    return [row["recipient"] for row in await db.fetch("SELECT recipient FROM mail WHERE kind = $1", kind)]


async def email_of(order_id: str) -> str:
    return str(await db.fetch_value("SELECT email FROM customer_order WHERE id = $1::text::uuid", order_id))


async def confirm(visitor: Any, link_id: UUID) -> Any:
    return await submit(visitor(), f"/links/{link_token(link_id)}")


async def test_the_orders_page_offers_to_change_a_wrong_address(visitor, mistyped) -> None:
    page = (await holder(visitor, mistyped).get(f"/orders/{mistyped.id}")).text
    assert "Wrong address? Change it" in page
    form = (await holder(visitor, mistyped).get(f"/orders/{mistyped.id}/email")).text
    assert "d•••@resend.dev" in form
    assert WRONG not in form


async def test_the_change_counts_once_the_new_address_has_confirmed_it_and_the_old_one_is_told(
    visitor, mistyped
) -> None:
    browser = holder(visitor, mistyped)
    sent = await submit(browser, f"/orders/{mistyped.id}/email", {"email": RIGHT})
    assert "Check your inbox" in sent.text
    assert await email_of(mistyped.id) == WRONG
    assert await letters("email_confirm") == [RIGHT]
    assert await letters("email_changed") == []
    assert await letters("email_asked") == [WRONG]
    [link] = await links("email")
    assert "Confirm" in (await visitor().get(f"/links/{link_token(link)}")).text
    assert await email_of(mistyped.id) == WRONG
    confirmed = await confirm(visitor, link)
    assert (confirmed.status_code, confirmed.headers["location"]) == (303, f"/orders/{mistyped.id}")
    assert await email_of(mistyped.id) == RIGHT
    assert await letters("email_changed") == [WRONG]
    lines = await db.fetch("SELECT action, details FROM audit_line WHERE action LIKE 'order.email%' ORDER BY seq")
    assert [tuple(line) for line in lines] == [
        ("order.email_asked", "to d•••@resend.dev"),
        ("order.email_changed", "d•••@resend.dev to d•••@resend.dev"),
    ]
    page = (await browser.get(f"/orders/{mistyped.id}/audit")).text
    assert "Email changed" in page


async def test_what_was_mailed_to_the_wrong_address_opens_nothing_any_more(visitor, mistyped) -> None:
    [old] = await links("order")
    await submit(holder(visitor, mistyped), f"/orders/{mistyped.id}/email", {"email": RIGHT})
    await confirm(visitor, (await links("email"))[0])
    stranger = await submit(visitor(), f"/links/{link_token(old)}")
    assert stranger.status_code == 410
    assert "set-cookie" not in stranger.headers


async def test_a_refunds_link_leads_to_the_new_address_and_the_old_one_is_dead(visitor, asked_back) -> None:
    before = await _refund(asked_back.id)
    await submit(holder(visitor, asked_back), f"/orders/{asked_back.id}/email", {"email": RIGHT})
    await confirm(visitor, (await links("email"))[0])
    assert (await visitor().get(f"/refunds/claims/{link_token(before.link_id)}")).status_code == 410
    fresh = await _refund(asked_back.id)
    assert (await visitor().get(f"/refunds/claims/{link_token(fresh.link_id)}")).status_code == 200
    assert (await letters("refund_asked"))[-1] == RIGHT


async def _refund(order_id: str) -> Refund:
    return (await queries.of_order(UUID(order_id)))[-1]


@pytest.fixture
async def asked_back(refunded, visitor, drain) -> builders.Bought:
    await submit(holder(visitor, refunded), f"/orders/{refunded.id}/choices", {"choice": "refund"})
    await drain()
    return refunded


async def test_a_refund_address_is_given_on_the_page_without_any_letter(visitor, asked_back, drain) -> None:
    browser = holder(visitor, asked_back)
    refund = await _refund(asked_back.id)
    action = f"/orders/{asked_back.id}/refunds/{refund.id}/address"
    page = (await browser.get(f"/orders/{asked_back.id}")).text
    assert f'href="{action}">' in page
    assert "Enter your wallet address" in page
    assert "Your wallet address" in (await browser.get(action)).text
    fields = {"coin": "usdttrc20", "address": ADDRESS, "memo": ""}
    looked = await submit(browser, action, fields)
    assert "Is this your wallet?" in looked.text
    assert (await _refund(asked_back.id)).address is None
    kept = await submit(browser, action, fields | {"confirmed": "yes"})
    assert (kept.status_code, kept.headers["location"]) == (303, f"/orders/{asked_back.id}")
    assert (await _refund(asked_back.id)).address == ADDRESS
    assert await db.fetch_value("SELECT count(*) FROM audit_line WHERE action = 'refund.address_named'") == 1
    await drain()
    assert (await _refund(asked_back.id)).checked_at is not None
    mailed = await visitor().get(f"/refunds/claims/{link_token(refund.link_id)}")
    assert mailed.status_code == 410


async def test_a_second_address_for_the_same_refund_is_not_taken(visitor, asked_back) -> None:
    browser = holder(visitor, asked_back)
    action = f"/orders/{asked_back.id}/refunds/{(await _refund(asked_back.id)).id}/address"
    fields = {"coin": "usdttrc20", "address": ADDRESS, "memo": "", "confirmed": "yes"}
    await submit(browser, action, fields)
    other = fields | {"address": ADDRESS[:-1] + "y"}
    answer = await submit(browser, action, other, accept="application/json")
    assert_problem(answer, 410, "link_spent")
    assert (await _refund(asked_back.id)).address == ADDRESS


async def test_strangers_change_neither_email_nor_refund_address(visitor, asked_back) -> None:
    refund = await _refund(asked_back.id)
    before = await picture(but=LOG)
    for path, fields in (
        (f"/orders/{asked_back.id}/email", {"email": RIGHT}),
        (f"/orders/{asked_back.id}/refunds/{refund.id}/address", {"coin": "usdttrc20", "address": ADDRESS}),
    ):
        assert (await submit(visitor(), path, fields)).status_code == 404
        assert (await visitor().get(path)).status_code == 404
    assert await picture(but=LOG) == before


@pytest.mark.parametrize("email", ["", "nobody", WRONG, "a@b.test\r\nBcc: c@d.test"])
async def test_an_email_that_cant_be_used_is_refused_beside_its_field(visitor, mistyped, email) -> None:
    before = await picture(but=LOG)
    answer = await submit(holder(visitor, mistyped), f"/orders/{mistyped.id}/email", {"email": email})
    assert answer.status_code == 400
    assert 'id="email-error"' in answer.text
    assert await picture(but=LOG) == before


async def test_a_later_wish_ends_the_link_of_the_earlier_one(visitor, mistyped) -> None:
    browser = holder(visitor, mistyped)
    await submit(browser, f"/orders/{mistyped.id}/email", {"email": "delivered+first@resend.dev"})
    await submit(browser, f"/orders/{mistyped.id}/email", {"email": RIGHT})
    first, second = await links("email")
    assert (await confirm(visitor, first)).status_code == 410
    assert await email_of(mistyped.id) == WRONG
    assert (await confirm(visitor, second)).status_code == 303
    assert await email_of(mistyped.id) == RIGHT


async def test_one_order_writes_to_five_new_addresses_a_day_and_no_more(visitor, mistyped) -> None:
    browser = holder(visitor, mistyped)
    for n in range(5):
        answer = await submit(browser, f"/orders/{mistyped.id}/email", {"email": f"delivered+n{n}@resend.dev"})
        assert answer.status_code == 200, n
    mails = await count("mail")
    assert (await submit(browser, f"/orders/{mistyped.id}/email", {"email": RIGHT})).status_code == 429
    assert await count("mail") == mails
    assert csrf_of(await browser.get(f"/orders/{mistyped.id}/email"))


async def test_credit_of_the_order_moves_to_the_new_address(visitor, refunded) -> None:
    browser = holder(visitor, refunded)
    await submit(browser, f"/orders/{refunded.id}/choices", {"choice": "credit"})
    await submit(browser, f"/orders/{refunded.id}/email", {"email": RIGHT})
    await confirm(visitor, (await links("email"))[0])
    assert await db.fetch_value("SELECT email FROM credit") == RIGHT


async def test_changing_an_orders_email_counts_the_caller_as_every_door_does(visitor, refunded) -> None:
    owner = holder(visitor, refunded)
    await submit(owner, f"/orders/{refunded.id}/email", {"email": RIGHT})
    assert await db.fetch_value("SELECT used FROM quota_window WHERE key LIKE 'mail_links_caller:%'") == 1
