"""Who is in a team: asked by letter, in by the link's button, out at once."""

import re
from urllib.parse import urlsplit

from app.core import db
from tests.web.builders import count, csrf_of, logged, minutes, picture, submit
from tests.web.merchant.conftest import signed_in

DAY = 24 * 60


async def letter_to(box, email: str) -> str:
    """The path of the link in the newest letter to an address."""
    text = next(mail["text"] for mail in await box.mail() if email in mail["to"])
    found = re.search(r"http://\S+/links/[A-Za-z0-9_-]+", text)
    assert found
    return urlsplit(found[0]).path


async def opened(browser, path: str):
    """The invitation's page, from the letter's link."""
    led = await browser.get(path)
    assert led.status_code == 303
    return await browser.get(led.headers["location"])


async def test_an_admin_founds_a_merchant_and_its_first_person_joins_by_the_letter(admin, visitor, drain, box) -> None:
    made = await submit(admin, "/admin/merchants", {"name": "Acme", "email": "Ann@Acme.test"})
    assert made.status_code == 303, made.text
    shown = await admin.get(made.headers["location"])
    assert "ann@acme.test" in shown.text
    assert "Invited" in shown.text
    await drain()
    path, browser = await letter_to(box, "ann@acme.test"), visitor()
    for _ in range(3):  # scanners look too
        page = await opened(browser, path)
        assert "Join Acme" in page.text
    assert (await browser.get("/merchant/team")).status_code == 404
    accepted = await browser.post(str(page.url), data={"_csrf_token": csrf_of(page)})
    assert (accepted.status_code, accepted.headers["location"]) == (303, "/merchant")
    assert "Acme" in (await browser.get("/merchant")).text
    assert await logged("merchant.founded", "member.invited", "member.joined") == [
        "merchant.founded", "member.invited", "member.joined",
    ]  # fmt: skip
    spent = await visitor().get(path)
    assert spent.status_code == 410


async def test_signing_in_leads_a_member_to_the_merchant_and_everybody_else_to_their_orders(
    ann, visitor, drain, box
) -> None:
    for email, home in ((ann.email, "/merchant"), ("someone@else.test", "/orders")):
        browser = visitor()
        await submit(browser, "/login", {"email": email})
        await drain()
        path = await letter_to(box, email)
        used = await browser.post(path, data={"_csrf_token": csrf_of(await browser.get(path))})
        assert (used.status_code, used.headers["location"]) == (303, home)


async def test_an_invitation_ends_with_its_time_with_a_newer_letter_and_when_it_is_taken_back(
    ann, visitor, drain, box
) -> None:
    async def invited(email: str) -> str:
        assert (await ann.post("/merchant/team", {"email": email})).status_code == 303
        await drain()
        return await letter_to(box, email)

    old = await invited("bob@acme.test")
    new = await invited("bob@acme.test")
    assert await count("member") == 2
    with minutes(8 * DAY):
        assert (await visitor().get(new)).status_code == 410
    taken = await invited("cat@acme.test")
    member_id = await db.fetch_value("SELECT id FROM member WHERE email = 'cat@acme.test'")
    assert (await ann.post(f"/merchant/team/{member_id}/removals")).status_code == 303
    browser = visitor()
    for path in (old, taken):
        led = await browser.get(path)
        page = await browser.get(led.headers["location"])
        assert page.status_code == 410
        before = await picture()
        refused = await submit(browser, led.headers["location"])
        assert refused.status_code == 410
        assert "set-cookie" not in refused.headers
        assert await picture() == before
    assert (await opened(browser, new)).status_code == 200


async def test_accepting_as_somebody_else_signs_in_the_invited_one(ann, join_team, visitor, drain, box) -> None:
    await ann.post("/merchant/team", {"email": "bob@acme.test"})
    await drain()
    page = await opened(eve := await signed_in(visitor(), "eve@rival.test"), await letter_to(box, "bob@acme.test"))
    await eve.post(str(page.url), data={"_csrf_token": csrf_of(page)})
    shown = await eve.get("/merchant/team")
    assert 'bob@acme.test</strong> <span class="quiet">(you)' in shown.text
    assert await db.fetch_value("SELECT count(*) FROM member WHERE email = 'eve@rival.test'") == 0


async def test_who_is_removed_is_out_at_once(ann, join_team) -> None:
    bob = await join_team("bob@acme.test", merchant_id=ann.merchant_id)
    assert (await bob.get("/merchant/keys")).status_code == 200
    member_id = await db.fetch_value("SELECT id FROM member WHERE email = 'bob@acme.test'")
    assert (await ann.post(f"/merchant/team/{member_id}/removals")).status_code == 303
    assert (await bob.get("/merchant/keys")).status_code == 404
    assert await logged("member.removed") == ["member.removed"]
    before = await picture()
    assert (await bob.post("/merchant/keys", {"name": "x", "scopes": "orders:read"})).status_code == 404
    assert await picture() == before


async def test_the_last_one_stays(ann) -> None:
    member_id = await db.fetch_value("SELECT id FROM member")
    before = await picture()
    refused = await ann.post(f"/merchant/team/{member_id}/removals")
    assert refused.status_code == 409
    assert "Invite someone first" in refused.text
    assert await picture() == before


async def test_a_wrong_address_and_a_known_colleague_are_told_beside_the_field(ann) -> None:
    before = await picture()
    for email, words in (("nonsense", "name@example.com"), (ann.email, "only need to sign in")):
        answer = await ann.post("/merchant/team", {"email": email})
        assert answer.status_code in {400, 409}
        assert words in answer.text
        assert f'value="{email}"' in answer.text
    assert await picture() == before


async def test_somebody_in_two_teams_chooses_and_it_is_remembered(ann, join_team) -> None:
    await join_team(ann.email, name="Brand")
    other = await db.fetch_value("SELECT id FROM merchant WHERE name = 'Brand'")
    page = await ann.get("/merchant/merchants")
    assert "Brand" in page.text
    await submit(ann.browser, "/merchant/choices", {"merchant": str(other), "mode": "live"})
    for path in ("/merchant", "/merchant/keys", "/merchant/team"):
        text = (await ann.get(path)).text
        assert "<strong>Brand</strong>" in text
        assert "Live mode" in text
