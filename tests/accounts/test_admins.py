"""Admins: a password from a library's hash, and sessions that a person can end."""

import asyncio

import pytest
from argon2 import PasswordHasher

from app.accounts import service as accounts
from app.accounts import sessions
from app.accounts.service import WeakPassword, WrongPassword
from app.core import db
from app.core.settings import settings
from tests.builders import count, rows

ADMIN = "admin@shop.example"
GOOD = "correct horse battery"


async def test_the_right_password_opens_an_admins_session(app) -> None:
    await accounts.create_staff("Admin@Shop.Example", GOOD)
    session = await accounts.log_in(f" {ADMIN.upper()} ", GOOD)
    assert (session.email, session.role) == (ADMIN, "admin")
    assert await sessions.stands(session)
    assert await count("admin", "last_login_at IS NOT NULL") == 1


async def test_a_wrong_password_and_an_unknown_person_get_the_same_answer_and_change_nothing(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    before = await rows(but=["quota_window"])
    said = []
    for email, password in [
        (ADMIN, GOOD + "!"),
        (ADMIN, ""),
        ("nobody@shop.example", GOOD),
        ("", "\x00"),
        ("a\x00b", GOOD),
        (ADMIN, "x" * 9999),
    ]:
        with pytest.raises(WrongPassword) as refused:
            await accounts.log_in(email, password)
        said.append((refused.value.title, refused.value.detail))
    assert len(set(said)) == 1
    assert await rows(but=["quota_window"]) == before


async def test_a_hash_of_another_cost_is_made_anew_by_the_right_password_alone(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    old = PasswordHasher(memory_cost=128).hash(GOOD)
    await db.fetch("UPDATE admin SET password_hash = $1", old)
    with pytest.raises(WrongPassword):
        await accounts.log_in(ADMIN, GOOD + "!")
    assert await db.fetch_value("SELECT password_hash FROM admin") == old
    session = await accounts.log_in(ADMIN, GOOD)
    stored = await db.fetch_value("SELECT password_hash FROM admin")
    assert f"m={settings().password_memory_kib}," in stored
    assert await sessions.stands(session)
    await accounts.log_in(ADMIN, GOOD)
    assert await db.fetch_value("SELECT password_hash FROM admin") == stored


@pytest.mark.parametrize("typed", ["x" * 200 + "y", "x" * 199 + "\ud800"])
async def test_what_is_made_anew_is_the_hash_of_what_was_checked(app, typed: str) -> None:
    good = typed[:200].encode("utf-8", "replace").decode()
    await accounts.create_staff(ADMIN, good)
    await db.fetch("UPDATE admin SET password_hash = $1", PasswordHasher(memory_cost=128).hash(good))
    await accounts.log_in(ADMIN, typed)
    assert await sessions.stands(await accounts.log_in(ADMIN, good))


async def test_the_table_holds_an_argon2_hash_and_no_password(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    stored = await db.fetch_value("SELECT password_hash FROM admin")
    assert stored.startswith("$argon2id$")
    assert GOOD not in "".join((await rows())["admin"])


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 201])
async def test_a_weak_password_is_refused_and_nobody_hired(app, password: str) -> None:
    with pytest.raises(WeakPassword):
        await accounts.create_staff(ADMIN, password)
    assert await count("admin") == 0


async def test_a_new_password_ends_the_old_one_and_its_sessions(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    session = await accounts.log_in(ADMIN, GOOD)
    await accounts.create_staff(ADMIN, "another " + GOOD)
    assert not await sessions.stands(session)
    with pytest.raises(WrongPassword):
        await accounts.log_in(ADMIN, GOOD)
    assert await sessions.stands(await accounts.log_in(ADMIN, "another " + GOOD))


async def test_logging_out_everywhere_ends_every_session_of_that_person_only(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    await accounts.create_staff("other@shop.example", GOOD)
    first, second, other = await asyncio.gather(
        accounts.log_in(ADMIN, GOOD), accounts.log_in(ADMIN, GOOD), accounts.log_in("other@shop.example", GOOD)
    )
    await sessions.end_all(first.email, first.role)
    assert [await sessions.stands(s) for s in (first, second, other)] == [False, False, True]


async def test_the_first_admin_keeps_the_password_on_later_starts(app) -> None:
    await accounts.create_first_staff(ADMIN, GOOD)
    await accounts.create_first_staff(ADMIN, "another " + GOOD)
    assert await sessions.stands(await accounts.log_in(ADMIN, GOOD))
    assert await count("admin") == 1
