"""``bitloot admin``"""

import asyncio
import contextlib

import pytest

from app.accounts import service as accounts
from app.accounts import sessions
from app.core import db
from app.core.rate_limit import TooManyAttempts

PASSWORD = "a long enough password"


async def test_an_admin_is_created_and_can_sign_in(app, bitloot) -> None:
    done = await bitloot("admin", "create", "Boss@Shop.test", "--password", PASSWORD)
    assert (done.returncode, done.stdout) == (0, "Boss@Shop.test can sign in at /admin.\n")
    session = await accounts.log_in("boss@shop.test", PASSWORD)
    assert session.role == "admin"
    assert PASSWORD not in str(await db.fetch("SELECT * FROM admin"))


async def test_creating_again_sets_a_new_password_and_ends_the_sessions(app, bitloot) -> None:
    await accounts.create_staff("boss@shop.test", "the old password, long")
    old = await accounts.log_in("boss@shop.test", "the old password, long")
    assert (await bitloot("admin", "create", "boss@shop.test", "--password", PASSWORD)).returncode == 0
    assert not await sessions.stands(old)
    with pytest.raises(accounts.WrongPassword):
        await accounts.log_in("boss@shop.test", "the old password, long")
    assert await sessions.stands(await accounts.log_in("boss@shop.test", PASSWORD))
    assert await db.fetch_value("SELECT count(*) FROM admin") == 1


async def test_the_password_is_asked_for_twice_when_it_is_not_given(app, bitloot) -> None:
    done = await bitloot("admin", "create", "boss@shop.test", input=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.returncode == 0
    assert PASSWORD not in done.stdout + done.stderr
    assert await accounts.log_in("boss@shop.test", PASSWORD)


async def test_a_weak_password_is_refused_and_nobody_is_hired(app, bitloot) -> None:
    tried = (bitloot("admin", "create", "boss@shop.test", "--password", "x" * length) for length in (11, 201))
    for done in await asyncio.gather(*tried):
        assert done.returncode == 1
        assert "12 to 200 characters" in done.stderr
    assert await db.fetch_value("SELECT count(*) FROM admin") == 0


async def test_an_address_nobody_could_type_at_the_login_is_refused(app, bitloot) -> None:
    emails = ("nobody", "a@b@c.de", "x" * 400 + "@shop.test")
    tried = (bitloot("admin", "create", email, "--password", PASSWORD) for email in emails)
    for done in await asyncio.gather(*tried):
        assert done.returncode == 2, done.args
        assert "give an email address" in done.stderr
    assert await db.fetch_value("SELECT count(*) FROM admin") == 0


async def test_words_that_are_missing_are_said(bitloot) -> None:
    done = await bitloot("admin", "create")
    assert done.returncode == 2
    assert "EMAIL" in done.stderr


async def test_an_admin_kept_out_by_strangers_is_let_in_by_the_command_line(app, bitloot) -> None:
    await accounts.create_staff("boss@shop.test", PASSWORD)
    await accounts.log_in("boss@shop.test", PASSWORD, ip="198.51.100.1")
    for number in range(11):
        for ip in (f"192.0.2.{number}", "198.51.100.1"):  # strangers, and somebody on the owner's own network
            with contextlib.suppress(accounts.WrongPassword, TooManyAttempts):
                await accounts.log_in("boss@shop.test", "a wrong password", ip=ip)
    for ip in ("203.0.113.1", "198.51.100.1"):
        with pytest.raises(TooManyAttempts):
            await accounts.log_in("boss@shop.test", PASSWORD, ip=ip)
    done = await bitloot("admin", "unlock", "Boss@Shop.test")
    assert (done.returncode, done.stdout) == (0, "Boss@Shop.test can sign in again.\n")
    for ip in ("203.0.113.1", "198.51.100.1"):
        assert await accounts.log_in("boss@shop.test", PASSWORD, ip=ip)
    line = await db.fetch_one("SELECT action, actor, details FROM audit_line ORDER BY seq DESC LIMIT 1")
    assert line is not None
    assert tuple(line) == ("admin.unlocked", "command line", "boss@shop.test")


async def test_unlocking_somebody_unknown_is_an_error_and_writes_nothing(app, bitloot) -> None:
    done = await bitloot("admin", "unlock", "nobody@shop.test")
    assert done.returncode == 1
    assert "Check its spelling" in done.stderr
    assert await db.fetch_value("SELECT count(*) FROM audit_line") == 0


async def test_an_unknown_admin_is_named_as_such_with_what_to_do(app, bitloot) -> None:
    done = await bitloot("admin", "unlock", "nobody@shop.example")
    assert (done.returncode, done.stderr.strip()) == (1, "No admin has that address. Check its spelling.")
