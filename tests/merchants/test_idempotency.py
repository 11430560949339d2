"""A repeat is answered as the first time: the answer is kept with its effect, or neither is."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from app.core import clock, db
from app.core.errors import Conflict, Invalid, Problem, TooMany, Unavailable
from app.core.redis import async_client
from app.merchants import idempotency, service
from app.merchants.idempotency import (
    IdempotencyKeyReused,
    IdempotencyKeyUnusable,
    Reply,
    RequestInProgress,
)
from tests.builders import count, rows

KEY = "0b54b4d8-7a3c-4e2b-9d3f-1c2b3a4d5e6f"


@pytest.fixture
async def shop(app) -> UUID:
    return await service.create_merchant("Games & Co")


async def sell() -> tuple[int, bytes]:
    """An effect that can be counted: each makes another merchant."""
    made = await service.create_merchant("effect")
    return 201, b'{"id":"%s"}' % str(made).encode()


async def effects() -> int:
    return await count("merchant", "name = 'effect'")


class NeverPossible(Invalid):
    """A refusal of the kind that is kept."""


def final(problem: Problem) -> Reply | None:
    return Reply(problem.status, problem.code.encode()) if isinstance(problem, NeverPossible) else None


def ask(shop: UUID, effect: Callable[[], Awaitable[tuple[int, bytes]]] = sell, **change) -> Awaitable[Reply]:
    given = {"test": True, "key": KEY, "asked": b"POST /x {}"} | change
    return idempotency.once(shop, effect=effect, refused=final, **given)


async def test_a_repeat_gets_the_same_bytes_and_does_nothing(shop) -> None:
    first = await ask(shop)
    before = await rows()
    again = await ask(shop)
    assert (again.status, again.body, again.replayed, first.replayed) == (201, first.body, True, False)
    assert await rows() == before
    assert await effects() == 1


async def test_of_200_at_once_one_takes_effect_and_no_other_answer_is_given(shop) -> None:
    ended = await asyncio.gather(*(ask(shop) for _ in range(200)), return_exceptions=True)
    assert await effects() == 1
    bodies = {e.body for e in ended if isinstance(e, Reply)}
    assert len(bodies) == 1
    assert sum(isinstance(e, Reply) and not e.replayed for e in ended) == 1
    assert {type(e) for e in ended} <= {Reply, RequestInProgress}
    assert (await ask(shop)).body in bodies


async def test_without_the_lock_many_would_take_effect(shop) -> None:
    """The race is there: the same calls with a key each."""
    await asyncio.gather(*(ask(shop, key=f"key-{n}") for n in range(10)))
    assert await effects() == 10


async def test_while_the_first_is_under_way_a_repeat_is_told_to_wait(shop) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> tuple[int, bytes]:
        inside.set()
        await go_on.wait()
        return await sell()

    first = asyncio.create_task(ask(shop, slow))
    await inside.wait()
    with pytest.raises(RequestInProgress) as told:
        await ask(shop)
    assert (told.value.status, told.value.retry_after, told.value.code) == (409, 1, "request_in_progress")
    go_on.set()
    done = await first
    assert (await ask(shop)).body == done.body
    assert await effects() == 1


async def test_the_same_key_with_another_request_is_refused(shop) -> None:
    first = await ask(shop)
    before = await rows()
    with pytest.raises(IdempotencyKeyReused) as told:
        await ask(shop, asked=b"POST /x {} ")
    assert told.value.status == 422
    assert await rows() == before
    assert (await ask(shop)).body == first.body


async def test_merchants_and_modes_have_keys_of_their_own(shop) -> None:
    other = await service.create_merchant("Other")
    replies = [await ask(shop), await ask(other), await ask(shop, test=False)]
    assert not any(reply.replayed for reply in replies)
    assert await effects() == 3


async def test_a_final_refusal_is_kept_and_what_it_had_done_is_not(shop) -> None:
    async def refuse() -> tuple[int, bytes]:
        await sell()
        raise NeverPossible("No.")

    first = await ask(shop, refuse)
    assert first == Reply(400, b"never_possible")
    assert await effects() == 0
    assert await ask(shop) == Reply(400, b"never_possible", replayed=True)
    assert await effects() == 0


class Broken(Exception):
    pass


@pytest.mark.parametrize("error", [Unavailable(), TooMany(), Broken(), Problem(), Conflict()])
async def test_what_hangs_on_a_state_failed_on_our_side_or_came_too_often_is_not_kept(shop, error: Exception) -> None:
    async def fail() -> tuple[int, bytes]:
        await sell()
        raise error

    before = await rows()
    with pytest.raises(type(error)):
        await ask(shop, fail)
    assert await rows() == before
    assert (await ask(shop)).status == 201
    assert await effects() == 1


async def test_a_refused_request_leaves_no_work_behind(shop) -> None:
    seen: list[int] = []

    async def refuse() -> tuple[int, bytes]:
        db.after_commit(lambda: seen.append(1))
        raise NeverPossible

    await ask(shop, refuse)
    assert seen == []


async def test_after_a_day_the_key_is_free_again(shop) -> None:
    first = await ask(shop)
    with clock.travelled(idempotency.KEPT - timedelta(seconds=1)):
        assert (await ask(shop)).replayed
    with clock.travelled(idempotency.KEPT):
        again = await ask(shop, asked=b"another")
        assert not again.replayed
        assert (await ask(shop, asked=b"another")).body == again.body != first.body
    assert await effects() == 2


async def test_old_answers_are_deleted_and_young_ones_kept(shop) -> None:
    await ask(shop)
    with clock.travelled(timedelta(hours=1)):
        await ask(shop, key="younger")
    assert await idempotency.forget() == 0
    with clock.travelled(idempotency.KEPT + timedelta(minutes=1)):
        assert await idempotency.forget() == 1
        assert (await ask(shop, key="younger")).replayed


async def test_a_lost_redis_loses_no_answer(shop) -> None:
    first = await ask(shop)
    async with async_client() as redis:
        await redis.flushall()
    assert await ask(shop) == Reply(201, first.body, replayed=True)


async def test_what_is_kept_shows_neither_the_answer_nor_the_request(shop) -> None:
    async def tell() -> tuple[int, bytes]:
        return 201, b'{"secret":"whsec_shown_once"}'

    await ask(shop, tell, asked=b"POST /x 4242424242424242")
    stored = "".join((await rows())["idempotency_record"])
    for text in (b"whsec_shown_once", b"4242424242424242", KEY.encode()):
        assert text.hex() not in stored
        assert text.decode() not in stored
    assert (await ask(shop, tell, asked=b"POST /x 4242424242424242")).body == b'{"secret":"whsec_shown_once"}'


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ä", "a\x00", "a\n"])
async def test_a_key_that_no_header_could_hold_is_refused(shop, key: str) -> None:
    with pytest.raises(IdempotencyKeyUnusable):
        await ask(shop, key=key)
    assert await effects() == 0
