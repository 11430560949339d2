"""Sessions are rows: seen, listed, ended one by one or all at once, and forgotten long after."""

from datetime import timedelta

from app.accounts import service as accounts
from app.accounts import sessions
from app.accounts.tokens import STAFF_LIFETIME
from app.core import clock, db
from tests.builders import EMAIL, count, rows

SECOND = timedelta(seconds=1)


async def test_an_ended_session_stands_no_more_and_the_others_do(app) -> None:
    ended, kept = await sessions.begin(EMAIL, "customer"), await sessions.begin(EMAIL, "customer")
    assert await sessions.find(ended.id) == ended
    assert await sessions.end(ended)
    assert await sessions.find(ended.id) is None
    assert await sessions.find(kept.id) == kept
    assert not await sessions.end(ended), "nothing is left to end"


async def test_nobody_ends_anothers_session(app) -> None:
    mine, other = await sessions.begin(EMAIL, "customer"), await sessions.begin("eve@else.test", "customer")
    staff = await sessions.begin(EMAIL, "admin")
    before = await rows()
    assert [await sessions.end(other, session.id) for session in (mine, staff)] == [False, False]
    assert not await sessions.end(mine, staff.id), "a customer's sign-in ends no staff session of the same address"
    assert await rows() == before


async def test_signing_out_everywhere_ends_all_of_one_person_in_one_role(app) -> None:
    await accounts.create_staff(EMAIL, "a long enough password")
    customer, again = await sessions.begin(EMAIL, "customer"), await sessions.begin(EMAIL, "customer")
    staff, other = await sessions.begin(EMAIL, "admin"), await sessions.begin("eve@else.test", "customer")
    await sessions.end_all(EMAIL, "customer")
    assert [await sessions.stands(s) for s in (customer, again, staff, other)] == [False, False, True, True]
    await sessions.end_all(EMAIL, "admin")
    assert not await sessions.stands(staff)


async def test_a_sign_in_that_was_checked_against_the_old_password_is_over_once_there_is_a_new_one(app) -> None:
    await accounts.create_staff(EMAIL, "a long enough password")
    await accounts.create_staff(EMAIL, "another long password")
    late = await sessions.begin(EMAIL, "admin", epoch=0)
    assert not await sessions.stands(late)


async def test_being_seen_is_written_once_in_five_minutes(app) -> None:
    session = await sessions.begin(EMAIL, "customer", ip="192.0.2.1")
    before = await rows()
    for _ in range(3):
        assert await sessions.find(session.id, ip="192.0.2.2")
    assert await rows() == before
    with clock.travelled(timedelta(minutes=5, seconds=1)):
        assert await sessions.find(session.id, ip="192.0.2.2")
        then = await rows()
        assert await sessions.find(session.id, ip="192.0.2.3")
        assert await rows() == then
    (device,) = await sessions.devices(session)
    assert device.ip == "192.0.2.2"
    assert timedelta(minutes=5) < device.last_seen_at - device.created_at < timedelta(minutes=6)


async def test_the_list_shows_open_sessions_the_latest_seen_first(app) -> None:
    first = await sessions.begin(EMAIL, "customer", user_agent="one\x00\ud800", ip="2001:db8::1")
    ended = await sessions.begin(EMAIL, "customer")
    await sessions.begin("eve@else.test", "customer")
    with clock.travelled(timedelta(minutes=1)):
        second = await sessions.begin(EMAIL, "customer", user_agent="two" * 400)
    await sessions.end(ended)
    listed = await sessions.devices(first)
    assert [device.id for device in listed] == [second.id, first.id]
    assert [len(device.user_agent) for device in listed] == [400, 4]


async def test_an_admins_session_ends_after_twelve_hours(app) -> None:
    await accounts.create_staff(EMAIL, "a long enough password")
    session = await accounts.log_in(EMAIL, "a long enough password", user_agent="x", ip="192.0.2.1")
    with clock.travelled(STAFF_LIFETIME - SECOND):
        assert await sessions.stands(session)
    with clock.travelled(STAFF_LIFETIME + SECOND):
        assert not await sessions.stands(session)
        assert await sessions.devices(session) == []


async def test_what_ended_long_ago_is_forgotten_and_nothing_else(app) -> None:
    revoked, kept = await sessions.begin(EMAIL, "customer"), await sessions.begin(EMAIL, "customer")
    await sessions.end(revoked)
    await sessions.end_browser(kept.id)
    await sessions.forget()
    assert await count("login_session") == 2
    with clock.travelled(timedelta(days=31)):
        await sessions.forget()
        await sessions.forget_browsers()
    assert await db.fetch_value("SELECT id FROM login_session") == kept.id
    assert await count("ended_browser") == 1
    with clock.travelled(timedelta(days=181)):
        await sessions.forget()
        await sessions.forget_browsers()
    assert await count("login_session") == await count("ended_browser") == 0
