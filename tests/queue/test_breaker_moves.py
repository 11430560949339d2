"""Every move of a breaker: five failures in a row open it, one probe at a time is let through, an answer closes it."""

import asyncio
from datetime import timedelta

import pytest

from app.core import clock, db, metrics
from app.queue import breaker_queries, breakers
from app.queue.breaker_queries import BreakerStatus
from app.queue.breaker_states import MOVES, BreakerState
from app.queue.breakers import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, PROBE, ROW, after_failure, after_success
from tests.builders import count, rows

SECOND = timedelta(seconds=1)


async def opened(provider: str = "kinguin") -> BreakerStatus:
    for number in range(FAILURES):
        assert await breakers.failed(provider, "500") is (number == FAILURES - 1)
    return await breaker_queries.standing(provider)


async def state(provider: str = "kinguin") -> str:
    return str(await db.fetch_value("SELECT state FROM breaker WHERE provider = $1", provider))


def test_only_these_moves_exist() -> None:
    allowed = {(a.value, b.value) for a in BreakerState for b in BreakerState if MOVES.allows(a, b)}
    assert allowed == {("closed", "open"), ("open", "half_open"), ("half_open", "closed"), ("half_open", "open")}


async def test_a_provider_that_never_failed_is_well_and_leaves_no_row(app) -> None:
    before = await rows()
    assert await breakers.allow("kinguin")
    await breakers.succeeded("kinguin")
    assert await rows() == before


async def test_five_failures_in_a_row_open_it_and_nothing_passes(app) -> None:
    found = await opened()
    assert (found.state, found.failures, found.why) == (BreakerState.OPEN, FAILURES, "500")
    assert not await breakers.allow("kinguin")
    assert timedelta() < await breakers.pause("kinguin") <= FIRST_PAUSE
    assert await breaker_queries.away("kinguin")
    assert await breaker_queries.states() == {"kinguin": BreakerState.OPEN}


async def test_an_answer_between_failures_begins_a_new_row(app) -> None:
    for _ in range(3):
        for _ in range(FAILURES - 1):
            assert not await breakers.failed("kinguin", "500")
        await breakers.succeeded("kinguin")
    assert await breakers.allow("kinguin")
    assert await state() == "closed"


async def test_failures_far_apart_do_not_add_up(app) -> None:
    for number in range(2 * FAILURES):
        with clock.travelled((ROW + SECOND) * number):
            assert not await breakers.failed("kinguin", "500")


async def test_some_failures_need_no_second_opinion(app) -> None:
    assert await breakers.failed("kinguin", "our key is refused", at_once=True)
    assert await state() == "open"


class Asked:
    """A second opinion that counts how often it is asked for."""

    def __init__(self, *, well: bool) -> None:
        self.well, self.times = well, 0

    async def __call__(self) -> bool:
        self.times += 1
        return self.well


async def test_failures_about_one_order_alone_open_nothing_while_the_provider_answers_elsewhere(app) -> None:
    asked = Asked(well=True)
    for _ in range(2 * FAILURES - 1):
        assert not await breakers.failed("kinguin", "500", about="one order", well=asked)
    assert asked.times == 1  # its answer began a new row
    assert await breakers.allow("kinguin")
    assert not await breaker_queries.away("kinguin")


async def test_failures_about_one_order_alone_open_it_if_the_provider_answers_nobody(app) -> None:
    asked = Asked(well=False)
    opened_by = [await breakers.failed("kinguin", "500", about="one order", well=asked) for _ in range(FAILURES)]
    assert opened_by == [False] * (FAILURES - 1) + [True]
    assert asked.times == 1
    assert (await breaker_queries.standing("kinguin")).opened_at is not None


async def test_failures_about_several_orders_need_no_second_opinion(app) -> None:
    asked = Asked(well=True)
    for number in range(FAILURES - 1):
        assert not await breakers.failed("kinguin", "500", about="one order", well=asked), number
    assert await breakers.failed("kinguin", "500", about="another", well=asked)
    assert asked.times == 0


async def test_after_a_second_opinion_one_failure_of_another_order_opens_nothing(app) -> None:
    asked = Asked(well=True)
    for _ in range(FAILURES):
        assert not await breakers.failed("kinguin", "500", about="one order", well=asked)
    assert not await breakers.failed("kinguin", "500", about="another", well=asked)
    assert await breakers.allow("kinguin")
    assert (await breaker_queries.standing("kinguin")).failures == 1


async def test_an_answer_while_the_second_opinion_is_awaited_counts(app) -> None:
    async def meanwhile() -> bool:
        await breakers.succeeded("kinguin")
        return False

    for _ in range(FAILURES):
        assert not await breakers.failed("kinguin", "500", about="one order", well=meanwhile)
    assert await state() == "closed"


async def test_one_provider_does_not_close_the_door_of_another(app) -> None:
    await opened("kinguin")
    assert await breakers.allow("nowpayments")


async def test_when_its_time_has_come_one_of_many_may_probe(app) -> None:
    await opened()
    with clock.travelled(FIRST_PAUSE):
        asked = await asyncio.gather(*(breakers.allow("kinguin") for _ in range(12)))
        assert sorted(asked) == [False] * 11 + [True]
        assert await state() == "half_open"
        assert not await breakers.allow("kinguin")
        assert await breakers.pause("kinguin") == breakers.BETWEEN_LOOKS


async def test_a_probe_that_is_answered_closes_it(app) -> None:
    await opened()
    with clock.travelled(FIRST_PAUSE):
        assert await breakers.allow("kinguin")
        await breakers.succeeded("kinguin")
        assert await breakers.allow("kinguin")
    found = (await breaker_queries.all_standings())["kinguin"]
    assert (found.state, found.failures, found.why, found.opened_at, found.probe_at) == ("closed", 0, "", None, None)


async def test_a_probe_that_fails_opens_it_again_for_longer_and_longer(app) -> None:
    since = (await opened()).opened_at
    passed, pauses = FIRST_PAUSE, []
    for _ in range(6):
        with clock.travelled(passed):
            assert await breakers.allow("kinguin")
            assert await breakers.failed("kinguin", "500")
            found = await breaker_queries.standing("kinguin")
            assert (found.state, found.opened_at) == (BreakerState.OPEN, since)
            assert not await breakers.allow("kinguin")
            pauses.append(round((await breakers.pause("kinguin")).total_seconds()))
            passed += timedelta(seconds=pauses[-1] + 1)
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] == LONGEST_PAUSE.total_seconds()


async def test_a_probe_whose_worker_died_is_given_to_another(app) -> None:
    await opened()
    with clock.travelled(FIRST_PAUSE):
        assert await breakers.allow("kinguin")
    with clock.travelled(FIRST_PAUSE + PROBE - SECOND):
        assert not await breakers.allow("kinguin")
    with clock.travelled(FIRST_PAUSE + PROBE):
        assert sorted(await asyncio.gather(*(breakers.allow("kinguin") for _ in range(5)))) == [False] * 4 + [True]


async def test_a_probe_that_was_not_needed_is_handed_on_at_once(app) -> None:
    await opened()
    with clock.travelled(FIRST_PAUSE):
        assert await breakers.allow("kinguin")
        await breakers.release("kinguin")
        assert await state() == "open"
        assert await breakers.allow("kinguin")


async def test_a_late_answer_or_failure_of_a_call_from_before_moves_nothing(app) -> None:
    before = await opened()
    await breakers.succeeded("kinguin")
    assert await state() == "open"
    await breakers.failed("kinguin", "500")
    assert (await breaker_queries.standing("kinguin")).probe_at == before.probe_at


async def test_another_process_sees_it_within_a_second(app) -> None:
    """This process remembers that the provider is well; the row is changed by somebody else."""
    assert await breakers.allow("kinguin")
    await db.fetch(
        """INSERT INTO breaker (provider, state, opened_at, probe_at, updated_at)
           VALUES ('kinguin', 'open', $1, $2, $1)""",
        clock.now(), clock.now() + timedelta(minutes=1),
    )  # fmt: skip
    with clock.travelled(breaker_queries.REMEMBERED):
        assert not await breakers.allow("kinguin")


async def test_a_well_provider_is_asked_about_once_a_second_not_once_a_job(app) -> None:
    with clock.travelled(timedelta(days=1)):
        assert await breakers.allow("kinguin")
        before = await count_scans()
        for _ in range(100):
            assert await breakers.allow("kinguin")
            await breakers.succeeded("kinguin")
        assert await count_scans() - before <= 5


async def count_scans() -> int:
    await db.fetch("SELECT pg_stat_force_next_flush()")
    return int(
        await db.fetch_value(
            "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'breaker'"
        )
    )


@pytest.fixture
async def broken_tables(app):
    """The breakers' table can't be used."""
    await opened()
    await db.fetch("ALTER TABLE breaker RENAME TO breaker_elsewhere")
    yield
    await db.fetch("ALTER TABLE breaker_elsewhere RENAME TO breaker")


async def test_broken_storage_stops_nobody(broken_tables) -> None:
    assert await breakers.allow("kinguin")
    assert not await breakers.failed("kinguin", "500")
    await breakers.succeeded("kinguin")
    await breakers.release("kinguin")
    assert await breakers.allow("kinguin")
    assert not await breaker_queries.away("kinguin")
    assert await breakers.pause("kinguin") == breakers.BETWEEN_LOOKS


async def test_each_move_is_counted(app) -> None:
    def counted(to: str) -> float:
        return metrics.BREAKER_MOVES.labels("kinguin", to)._value.get()

    before = [counted(to) for to in ("open", "half_open", "closed")]
    await opened()
    with clock.travelled(FIRST_PAUSE):
        await breakers.allow("kinguin")
        await breakers.succeeded("kinguin")
    assert [counted(to) - was for to, was in zip(("open", "half_open", "closed"), before, strict=True)] == [1, 1, 1]


def test_the_decisions_are_pure_and_total() -> None:
    now = clock.now()
    for before in (BreakerStatus(state=state, failures=n, opened_at=now) for state in BreakerState for n in (0, 4, 99)):
        after = after_failure(before, "x" * 999, now)
        assert after.state == before.state or MOVES.allows(before.state, after.state)
        assert len(after.why) == 200
        ended = after_success(before)
        assert ended.state == before.state or MOVES.allows(before.state, ended.state)


async def test_a_breaker_is_one_row_whatever_happens_at_once(app) -> None:
    await asyncio.gather(*(breakers.failed("kinguin", "500") for _ in range(20)))
    assert await count("breaker") == 1
    assert (await breaker_queries.standing("kinguin")).failures == 20
