"""Quotas: exact, in windows that begin with the first use, kept where losing Redis lifts nothing."""

import asyncio
from datetime import timedelta

import pytest

from app.core import clock, db
from app.core.rate_limit import TooManyAttempts
from app.core.redis import async_client
from app.quotas import service as quotas
from tests.builders import count, rows

HOUR = timedelta(hours=1)


async def test_the_fourth_use_of_three_is_refused_writes_nothing_and_says_how_long_to_wait(app) -> None:
    for _ in range(3):
        await quotas.take("x", "ann", 3, HOUR)
    before = await rows()
    with pytest.raises(TooManyAttempts) as refused:
        await quotas.take("x", "ann", 3, HOUR)
    assert 3590 <= refused.value.retry_after <= 3601
    assert "60 minutes" in refused.value.detail
    assert not await quotas.is_free("x", "ann", 3, HOUR)
    assert await rows() == before
    await quotas.take("x", "bob", 3, HOUR)
    await quotas.take("y", "ann", 3, HOUR)


async def test_of_fifty_at_once_three_get_through(app) -> None:
    free = await asyncio.gather(*(quotas.is_free("x", "ann", 3, HOUR) for _ in range(50)))
    assert sum(free) == 3


async def test_a_window_ends_an_hour_after_its_first_use(app) -> None:
    await quotas.take("x", "ann", 1, HOUR)
    with clock.travelled(timedelta(minutes=59)):
        assert not await quotas.is_free("x", "ann", 1, HOUR)
    with clock.travelled(timedelta(minutes=61)):
        assert await quotas.is_free("x", "ann", 1, HOUR)
        assert not await quotas.is_free("x", "ann", 1, HOUR)


async def test_a_wiped_redis_lifts_nothing(app) -> None:
    await quotas.take("x", "ann", 1, HOUR)
    async with async_client() as redis:
        await redis.flushall()
    assert not await quotas.is_free("x", "ann", 1, HOUR)


async def test_what_is_given_back_can_be_used_again(app) -> None:
    await quotas.take("x", "ann", 1, HOUR)
    await quotas.give_back("x", "ann")
    await quotas.take("x", "ann", 1, HOUR)
    await quotas.clear("x", "ann")
    await quotas.take("x", "ann", 1, HOUR)


async def test_the_table_names_nobody_and_forgets_what_is_over(app) -> None:
    await quotas.take("x", "ann@shop.test", 1, HOUR)
    await quotas.take("x", "\ud800\x00", 1, HOUR)
    assert "ann" not in str(await db.fetch("SELECT * FROM quota_window"))
    await quotas.forget()
    assert await count("quota_window") == 2
    with clock.travelled(timedelta(days=1, minutes=1)):
        await quotas.forget()
    assert await count("quota_window") == 0
