"""Guessing an admin's password: per account and per address, whatever becomes of Redis, and at a bounded cost."""

import asyncio
import threading
from datetime import timedelta

import pytest

from app.accounts import logins
from app.accounts import service as accounts
from app.accounts.service import WrongPassword
from app.core import clock, db
from app.core.rate_limit import TooManyAttempts
from app.core.redis import async_client
from tests.builders import count

ADMIN, GOOD = "boss@shop.test", "correct horse battery"


async def guesses(number: int, *, email: str = ADMIN, ips=lambda n: "192.0.2.1") -> list[type]:
    """What became of so many wrong passwords, one after the other."""
    ended = []
    for n in range(number):
        try:
            await accounts.log_in(email, "a wrong password", ip=ips(n))
        except (WrongPassword, TooManyAttempts) as error:
            ended.append(type(error))
    return ended


async def test_sixty_wrong_passwords_from_one_ipv6_net_reach_the_check_ten_times(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    ended = await guesses(60, ips=lambda n: f"2001:db8::{n:x}")
    assert ended == [WrongPassword] * 10 + [TooManyAttempts] * 50


async def test_sixty_from_sixty_addresses_reach_the_check_ten_times(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    assert (await guesses(60, ips=lambda n: f"192.0.2.{n}")).count(WrongPassword) == 10
    with clock.travelled(timedelta(minutes=16)):
        assert await accounts.log_in(ADMIN, GOOD, ip="192.0.2.7")


async def test_one_address_that_tries_many_accounts_is_stopped_at_twenty(app) -> None:
    ended = [(await guesses(1, email=f"person{n}@shop.test"))[0] for n in range(30)]
    assert ended == [WrongPassword] * 20 + [TooManyAttempts] * 10


async def test_sixty_at_once_reach_the_check_no_more_often(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    tries = (accounts.log_in(ADMIN, "a wrong password", ip=f"192.0.2.{n}") for n in range(60))
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(e, WrongPassword) for e in ended) == 10
    assert sum(isinstance(e, TooManyAttempts) for e in ended) == 50


async def test_an_unknown_account_is_limited_alike_and_losing_redis_lifts_nothing(app) -> None:
    assert (await guesses(12, email="nobody@shop.test", ips=lambda n: f"192.0.2.{n}"))[10:] == [TooManyAttempts] * 2
    async with async_client() as redis:
        await redis.flushall()
    assert await guesses(1, email=" NOBODY@shop.test", ips=lambda n: "192.0.2.99") == [TooManyAttempts]


async def test_a_strangers_guessing_does_not_lock_the_owner_out_at_home(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    await accounts.log_in(ADMIN, GOOD, ip="198.51.100.1")
    await guesses(30, ips=lambda n: f"192.0.2.{n}")
    with pytest.raises(TooManyAttempts):
        await accounts.log_in(ADMIN, GOOD, ip="203.0.113.1")
    assert await accounts.log_in(ADMIN, GOOD, ip="198.51.100.1")


async def test_the_right_password_uses_nothing_up(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    for _ in range(25):
        assert await accounts.log_in(ADMIN, GOOD, ip="192.0.2.1")


async def test_two_passwords_are_checked_at_a_time_and_the_rest_are_sent_away() -> None:
    running, most, go = 0, 0, threading.Event()
    lock = threading.Lock()

    def check() -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        go.wait(20)
        with lock:
            running -= 1
        return True

    tries = [asyncio.create_task(logins.in_turn(check)) for _ in range(50)]
    refused, _ = await asyncio.wait(tries, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    while len(refused) < 50 - logins.AT_ONCE - logins.MOST_WAITING:
        refused, _ = await asyncio.wait(tries, timeout=0.01)
    assert all(isinstance(task.exception(), logins.SignInBusy) for task in refused)
    go.set()
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert ended.count(True) == 18
    assert most <= 2
    assert await logins.in_turn(check), "the next one gets its turn"


async def test_many_attempts_at_once_use_up_none_of_the_owners_tries(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    go = threading.Event()
    attempts = [asyncio.create_task(logins.in_turn(go.wait, 20)) for _ in range(logins.AT_ONCE + logins.MOST_WAITING)]
    await asyncio.sleep(0)
    for _ in range(25):
        with pytest.raises(logins.SignInBusy):
            await accounts.log_in(ADMIN, GOOD, ip="192.0.2.1")
    assert await count("quota_window", "used > 0") == 0
    go.set()
    await asyncio.gather(*attempts)
    assert await guesses(11) == [WrongPassword] * 10 + [TooManyAttempts]


async def test_where_an_admin_signed_in_from_is_found_by_an_index(app) -> None:
    async with db.transaction():
        await db.fetch("SET LOCAL enable_seqscan = off")
        plan = await db.fetch(
            f"""EXPLAIN SELECT ip FROM login_session WHERE email = '{ADMIN}' AND role = 'admin'
                ORDER BY last_seen_at DESC LIMIT 50"""
        )
    assert any("login_session_latest" in row[0] for row in plan)


@pytest.mark.parametrize("blank", [" ", "\n", "\t", "\u00a0"])
async def test_a_stranger_who_types_an_address_and_a_network_locks_nobody_out_at_home(app, blank: str) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    await accounts.log_in(ADMIN, GOOD, ip="198.51.100.1")
    for typed in (f"{ADMIN}{blank}198.51.100.1", f"198.51.100.1{blank}{ADMIN}"):
        assert await guesses(12, email=typed, ips=lambda n: f"192.0.2.{n}") == [WrongPassword] * 12
    assert await accounts.log_in(ADMIN, GOOD, ip="198.51.100.1")


@pytest.mark.parametrize("typed", ["", "boss", "a b@shop.test", "a@b@shop.test", "@shop.test"])
async def test_text_that_is_no_address_is_counted_by_where_it_comes_from_alone(app, typed: str) -> None:
    assert await guesses(22, email=typed) == [WrongPassword] * 20 + [TooManyAttempts] * 2
    assert await count("quota_window") == 1


async def test_at_home_too_the_guesses_are_counted_and_unlocking_forgets_them(app) -> None:
    await accounts.create_staff(ADMIN, GOOD)
    await accounts.log_in(ADMIN, GOOD, ip="198.51.100.1")
    assert await guesses(12, ips=lambda n: "198.51.100.1") == [WrongPassword] * 10 + [TooManyAttempts] * 2
    await accounts.unlock(ADMIN)
    assert await accounts.log_in(ADMIN, GOOD, ip="198.51.100.1")
