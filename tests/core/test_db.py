"""Transactions: all or nothing, nested ones join, and what waits for the commit runs after it or never; typed rows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import asyncpg
import msgspec
import pytest

from app.core import db
from app.core.db import Write
from app.core.ids import new_id
from tests.builders import Undone, count, undone


@pytest.fixture
async def shelf(app) -> AsyncIterator[None]:
    """A table whose numbers must be unique, which is checked only at the commit."""
    await db.fetch("CREATE TABLE shelf (number int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    yield
    await db.fetch("DROP TABLE shelf")


async def put(*numbers: int) -> None:
    for number in numbers:
        await db.fetch("INSERT INTO shelf VALUES ($1)", number)


async def fail(*numbers: int) -> None:
    """A transaction that ends with an exception."""
    async with db.transaction():
        await put(*numbers)
        raise Undone


async def clash(seen: list[object] | None = None) -> None:
    """A transaction whose COMMIT fails."""
    async with db.transaction():
        if seen is not None:
            db.after_commit(lambda: seen.append(1))
        await put(1, 1)


async def lost() -> None:
    """A transaction with a statement that can't be run."""
    async with db.transaction():
        await db.fetch("SELECT * FROM no_such_table")


async def test_a_transaction_keeps_all_of_it(shelf) -> None:
    async with db.transaction():
        await put(1, 2)
    assert await count("shelf") == 2


async def test_an_exception_is_passed_on_and_keeps_nothing_of_it(shelf) -> None:
    with pytest.raises(Undone):
        await fail(1, 2)
    assert await count("shelf") == 0


async def test_nobody_else_sees_it_before_the_commit(shelf) -> None:
    async with db.transaction():
        await put(1)
        pool = db.engine().pool
        assert pool is not None
        async with pool.acquire() as other:
            assert await other.fetchval("SELECT count(*) FROM shelf") == 0
    assert await count("shelf") == 1


async def test_a_nested_transaction_joins_and_falls_with_its_parent(shelf) -> None:
    async def nested() -> None:
        async with db.transaction():
            await put(1)

    await undone(nested())
    assert await count("shelf") == 0


async def test_a_failing_nested_transaction_takes_its_parent_along(shelf) -> None:
    async def parent() -> None:
        async with db.transaction():
            await put(1)
            await fail(2)

    with pytest.raises(Undone):
        await parent()
    assert await count("shelf") == 0


async def test_what_waits_for_the_commit_runs_after_it_in_order(shelf) -> None:
    seen: list[object] = []
    async with db.transaction():
        db.after_commit(lambda: seen.append(1))
        async with db.transaction():
            db.after_commit(lambda: seen.append(2))
        assert seen == []
    assert seen == [1, 2]


async def test_what_waits_for_the_commit_never_runs_after_a_rollback(shelf) -> None:
    seen: list[object] = []

    async def work() -> None:
        db.after_commit(lambda: seen.append(1))

    await undone(work())
    async with db.transaction():
        await put(1)
    assert seen == []


async def test_what_waits_for_the_commit_never_runs_after_a_commit_that_failed(shelf) -> None:
    seen: list[object] = []
    with pytest.raises(asyncpg.UniqueViolationError):
        await clash(seen)
    assert seen == []
    assert await count("shelf") == 0


async def test_outside_a_transaction_there_is_nothing_to_wait_for(app) -> None:
    seen: list[object] = []
    db.after_commit(lambda: seen.append(1))
    assert seen == [1]


def taken() -> int:
    """How many of the pool's connections are in use."""
    pool = db.engine().pool
    assert pool is not None
    return pool.get_size() - pool.get_idle_size()


async def test_a_connection_is_given_back_also_when_its_commit_fails(shelf) -> None:
    before = taken()
    with pytest.raises(asyncpg.UniqueViolationError):
        await clash()
    assert taken() == before
    assert await count("shelf") == 0


async def test_a_connection_is_given_back_clean_after_a_statement_that_failed(shelf) -> None:
    before = taken()
    for _ in range(5):
        with pytest.raises(asyncpg.UndefinedTableError):
            await lost()
        assert taken() == before
    async with db.transaction():
        await put(1)
    assert await count("shelf") == 1


async def test_a_connection_that_ends_inside_a_transaction_is_the_database_being_away(shelf) -> None:
    async def stays() -> None:
        """Ends without another statement: the commit itself fails."""

    async def asks() -> None:
        await put(2)

    async def refuses() -> None:
        raise Undone

    async def cut_off(then: Callable[[], Awaitable[None]]) -> None:
        async with db.transaction():
            await put(1)
            db.engine().current_transaction.get().connection.terminate()
            await then()

    for then in (stays, asks, refuses):
        with pytest.raises(db.DatabaseAway):
            await cut_off(then)
        assert await count("shelf") == 0


async def test_transactions_at_once_do_not_mix(shelf) -> None:
    async def one(number: int) -> None:
        async with db.transaction():
            await put(number)
            if number % 2:
                raise Undone

    ended = await asyncio.gather(*(one(n) for n in range(40)), return_exceptions=True)
    assert sum(isinstance(e, Undone) for e in ended) == 20
    assert await count("shelf", "number % 2 = 0") == await count("shelf") == 20


async def test_a_cancelled_transaction_keeps_nothing(shelf) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with db.transaction():
            await put(1)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await count("shelf") == 0


async def test_parameters_are_never_taken_for_sql(app) -> None:
    text = f"'; DROP TABLE job; -- {new_id()}"
    assert await db.fetch_value("SELECT $1::text", text) == text
    assert await count("job") == 0


class Book(msgspec.Struct, frozen=True):
    number: int
    tags: list[str]
    more: dict[str, object] | None


BOOKS = """SELECT n AS number, '["new"]'::jsonb AS tags, NULL::jsonb AS more, 'unread' AS other
           FROM generate_series(1, $1) AS n"""


async def test_rows_are_read_as_a_type_inside_a_transaction_and_out_of_it(app) -> None:
    found = [Book(1, ["new"], None), Book(2, ["new"], None)]
    assert await db.fetch_as(Book, BOOKS, 2) == found
    async with db.transaction():
        assert await db.fetch_as(Book, BOOKS, 2) == found
    assert (await db.fetch_one_as(Book, BOOKS, 2), await db.fetch_one_as(Book, BOOKS, 0)) == (found[0], None)


@pytest.mark.parametrize("column", ["NULL", "'1'", "1.5"])
async def test_a_row_that_does_not_fit_its_type_is_refused(app, column: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        await db.fetch_as(Book, f"SELECT {column} AS number, '[]'::jsonb AS tags, NULL::jsonb AS more")
    with pytest.raises(msgspec.ValidationError):
        await db.fetch_as(Book, "SELECT 1 AS number")


async def test_values_are_the_first_column_of_all_rows(app) -> None:
    assert await db.fetch_values(BOOKS, 3) == [1, 2, 3]
    assert await db.fetch_values(BOOKS, 0) == []
    async with db.transaction():
        assert await db.fetch_values(BOOKS, 1) == [1]


def adding(number: int, seen: list[int]) -> Write:
    return Write("INSERT INTO shelf VALUES ($1)", (number,), after=lambda: seen.append(number))


async def test_writes_of_several_rooms_run_together_and_what_follows_runs_after_them(shelf) -> None:
    seen: list[int] = []
    double = Write("INSERT INTO shelf SELECT $2 + n FROM generate_series(1, $1) AS n WHERE n <= $1", (3, 100))
    await db.write(adding(1, seen), double, adding(2, seen))
    assert [r["number"] for r in await db.fetch("SELECT number FROM shelf ORDER BY 1")] == [1, 2, 101, 102, 103]
    assert seen == [1, 2]


async def test_of_writes_that_run_together_all_are_kept_or_none(shelf) -> None:
    seen: list[int] = []
    with pytest.raises(asyncpg.PostgresError):
        await db.write(adding(1, seen), Write("INSERT INTO shelf VALUES ($1 / 0)", (2,)), adding(3, seen))
    assert (await count("shelf"), seen) == (0, [])


async def test_writes_inside_a_transaction_fall_with_it(shelf) -> None:
    await undone(db.write(adding(1, []), adding(2, [])))
    assert await count("shelf") == 0


class Register:
    """Notes what it is given, and fails when told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.given: list[list[int]] = []
        self._fails = fails

    async def close(self, items: Sequence[int]) -> None:
        await put(*items)
        self.given.append(list(items))
        if self._fails:
            raise Undone


async def test_what_waits_for_the_end_is_done_once_with_all_of_it_as_the_last_thing_before_the_commit(shelf) -> None:
    register = Register()
    async with db.transaction():
        await db.before_commit(register.close, 1)
        async with db.transaction():
            await db.before_commit(register.close, 2)
        assert await count("shelf") == 0
        await put(3)
    assert register.given == [[1, 2]]
    assert await count("shelf") == 3


async def test_what_waits_for_the_end_falls_with_its_transaction_and_takes_it_along(shelf) -> None:
    never, failing = Register(), Register(fails=True)

    async def both() -> None:
        await db.before_commit(never.close, 1)
        raise Undone

    with pytest.raises(Undone):
        async with db.transaction():
            await both()
    assert never.given == []

    async def doomed() -> None:
        async with db.transaction():
            await put(5)
            await db.before_commit(failing.close, 6)

    with pytest.raises(Undone):
        await doomed()
    assert await count("shelf") == 0


async def test_without_a_transaction_the_end_is_now(shelf) -> None:
    register = Register()
    await db.before_commit(register.close, 1)
    assert (register.given, await count("shelf")) == ([[1]], 1)
