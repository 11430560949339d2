"""Rate limits: so many a minute for each, no more; a full bucket of one never touches another's."""

import asyncio
import itertools

from app.core import rate_limit
from app.core.ids import new_id
from app.core.rate_limit import TooManyAttempts

MOST = 5


async def spend(bucket: str, who: str, times: int) -> list[BaseException | None]:
    return await asyncio.gather(*(rate_limit.acquire(bucket, who, MOST) for _ in range(times)), return_exceptions=True)


async def spend_all(who: str) -> int:
    """Spend until turned away; returns how often one got through."""
    for passed in itertools.count():
        try:
            await rate_limit.acquire("orders", who, MOST)
        except TooManyAttempts:
            return passed
    raise AssertionError


async def test_the_next_one_too_many_is_turned_away_with_the_time_to_wait(app) -> None:
    who = str(new_id())
    # A minute may end in between: each of the two windows lets MOST through.
    assert MOST <= await spend_all(who) <= 2 * MOST
    refused = next(e for e in await spend("orders", who, MOST + 1) if e)
    assert isinstance(refused, TooManyAttempts)
    assert 1 <= refused.retry_after <= rate_limit.WINDOW
    assert refused.status == 429


async def test_those_that_come_at_once_are_counted_exactly(app) -> None:
    ended = await spend("orders", str(new_id()), 40)
    assert MOST <= sum(e is None for e in ended) <= 2 * MOST
    assert {type(e) for e in ended if e} == {TooManyAttempts}


async def test_a_full_bucket_leaves_other_people_and_other_buckets_alone(app) -> None:
    who = str(new_id())
    await spend("orders", who, MOST + 10)
    await rate_limit.acquire("orders", str(new_id()), MOST)
    await rate_limit.acquire("reveals", who, MOST)
