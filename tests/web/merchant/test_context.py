"""To whoever is in no team nothing is here; a member works in one mode at a time and sees which."""

import pytest

from app.core import db
from tests.web.builders import LOG, picture, session_of, submit
from tests.web.intruders import cookie

PAGES = ("/merchant/merchants", "/merchant/team", "/merchant/keys", "/merchant/guide")
ACTS = {
    "/merchant/team": {"email": "x@y.test"},
    "/merchant/keys": {"name": "x", "scopes": "orders:read"},
    "/merchant/origins": {"origins": "https://evil.example"},
    "/merchant/guide/keys": {},
    "/merchant/choices": {"mode": "live"},
}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_a_stranger_and_a_customer_are_answered_as_if_nothing_was_here(ann, visitor, accept: str) -> None:
    nobody, customer = visitor(accept), visitor(accept)
    customer.cookies.set("bitloot_session", await session_of("buyer@else.test"), domain="127.0.0.1")
    unknown = await nobody.get("/merchant-of-nothing")
    assert unknown.status_code == 404
    before = await picture()
    for browser in (nobody, customer):
        for path in PAGES:
            answer = await browser.get(path)
            assert answer.status_code == 404, path
            if accept == "application/json":
                assert answer.json() == unknown.json()
        for path, fields in ACTS.items():
            answer = await submit(browser, path, {"merchant_context": ann.ctx, **fields})
            assert answer.status_code == 404, path
    assert (await customer.get("/merchant")).status_code == 404
    assert (await nobody.get("/merchant")).headers["location"] == "/login"
    assert await picture() == before


async def test_an_admin_is_no_member(ann, admin) -> None:
    assert (await admin.get("/merchant/keys")).status_code == 404


async def test_an_ended_admin_session_of_a_members_address_opens_nothing(ann, visitor) -> None:
    browser = visitor()
    headers = cookie("session", await session_of(ann.email, "admin", epoch=7))
    assert (await browser.get("/merchant/keys", headers=headers)).status_code == 404


async def test_the_cookie_that_remembers_the_context_opens_nothing(ann, eve) -> None:
    eve.browser.cookies.set("bitloot_context", ann.ctx, domain="127.0.0.1", path="/")
    text = (await eve.get("/merchant/team")).text
    assert "<strong>Rival</strong>" in text
    assert ann.email not in text
    for wanted in (str(ann.merchant_id), "", "nonsense"):
        refused = await submit(eve.browser, "/merchant/choices", {"merchant": wanted or "x", "mode": "test"})
        assert refused.status_code == 404


async def test_the_mode_is_remembered_and_in_view_on_every_page(ann) -> None:
    for mode, words in (("test", "Test mode"), ("live", "Live mode"), ("test", "Test mode")):
        await ann.switch(mode)
        for path in ("/merchant", *PAGES):
            text = (await ann.get(path)).text
            assert words in text, path
            assert f'class="mode mode-{mode}"' in text


async def test_a_form_of_a_page_opened_before_a_switch_changes_nothing(ann) -> None:
    await ann.switch("live")
    before = await picture()
    for path, fields in ACTS.items():
        if path == "/merchant/choices":
            continue
        for ctx in (f"{ann.merchant_id}.test", "", "x"):
            answer = await submit(ann.browser, path, {"merchant_context": ctx, **fields})
            assert answer.status_code == 409, (path, ctx)
            assert "You switched in another window" in answer.text
    assert await picture() == before


async def test_a_closed_merchants_pages_are_shut(ann, admin) -> None:
    answer = await submit(admin, f"/admin/merchants/{ann.merchant_id}/closings")
    assert answer.status_code == 303
    assert (await ann.get("/merchant")).status_code == 404
    assert (await ann.get("/merchant/keys")).status_code == 404
    before = await picture(but=LOG)
    assert (await ann.post("/merchant/keys", {"name": "x", "scopes": "orders:read"})).status_code == 404
    assert (await submit(admin, f"/admin/merchants/{ann.merchant_id}/closings")).status_code == 404
    invited = await submit(admin, f"/admin/merchants/{ann.merchant_id}/invitations", {"email": "x@y.test"})
    assert invited.status_code == 404
    assert await picture(but=LOG) == before
    assert await db.fetch_value("SELECT closed_at IS NOT NULL FROM merchant")
