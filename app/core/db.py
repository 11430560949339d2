"""Postgres through Piccolo: the pool, transactions with work to do after the commit, and plain SQL for hot paths."""

import contextvars
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

import asyncpg
import msgspec
from msgspec import inspect
from piccolo.engine import engine_finder

from app.core import clock, log, pools, postgres
from app.core.batch_writer import BatchWriter
from app.core.database_url import Address, parse
from app.core.pools import Role
from app.core.postgres import AWAY as AWAY
from app.core.postgres import DatabaseAway as DatabaseAway
from app.core.settings import settings

T = TypeVar("T")
MOST_COUNTED = 10_000  # rows of one kind that ``count_each`` counts: a count of all would grow with the shop

_after_commit: contextvars.ContextVar[list[Callable[[], None]] | None] = contextvars.ContextVar(
    "after_commit", default=None
)
Closing = Callable[[Sequence[Any]], Awaitable[None]]
_before_commit: contextvars.ContextVar[dict[Closing, list[Any]] | None] = contextvars.ContextVar(
    "before_commit", default=None
)


@lru_cache(maxsize=1)
def engine() -> postgres.Engine:
    """Piccolo's engine, found once: looking it up costs more than a short query."""
    return cast(postgres.Engine, engine_finder())


@lru_cache(maxsize=1)
def address() -> Address:
    """Where this process's database is. What its URL asks for and our driver lacks is named once, in the log."""
    found = parse(settings().database_url.get_secret_value())
    if found.dropped:
        log.get("bitloot.database").info("database.url_parameters_dropped", names=list(found.dropped))
    return found


async def open_pool(size: int, *, patience: float | None = pools.COMMAND.patience) -> None:
    """Open this process's pool of at most ``size`` connections, on the running loop. ``patience``: seconds.

    Nothing here may set session state (SET without LOCAL, session locks, LISTEN): it would leak to the next user.
    """
    server = await postgres.measure(address())
    engine().pool = await postgres.open_pool(address(), server, size, patience)


async def open_pool_of(role: Role) -> int:
    """Open the pool of one of the long-running processes, as large as its share of what there is. Returns its size."""
    server = await postgres.measure(address())
    size = settings().pools(server.room)[role] - role.apart
    engine().pool = await postgres.open_pool(address(), server, size, role.patience)
    log.get("bitloot.database").info("database.pool", role=role.name, size=size, room=server.room, pooled=server.pooled)
    return size


async def spare_pool(size: int, *, patience: float) -> postgres.Pool:
    """A further pool on the running loop, for who must not wait behind others. Whoever opens it closes it."""
    return await postgres.open_pool(address(), await postgres.measure(address()), size, patience)


async def close_pool() -> None:
    await engine().close_connection_pool()


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """One transaction: commits at the end, rolls back on any exception. Nested uses join the outermost.

    No network call may be awaited inside. What must happen after the commit is given to ``after_commit``.
    """
    if _after_commit.get() is not None:
        yield
        return
    callbacks: list[Callable[[], None]] = []
    closing: dict[Closing, list[Any]] = {}
    token, closing_token = _after_commit.set(callbacks), _before_commit.set(closing)
    try:
        async with _begin():
            yield
            for work, items in closing.items():
                await work(items)
    finally:
        _before_commit.reset(closing_token)
        _after_commit.reset(token)
    for callback in callbacks:
        callback()


@asynccontextmanager
async def _begin() -> AsyncIterator[None]:
    """Piccolo's own context manager keeps the connection when COMMIT itself fails; this one always gives it back."""
    unit, pool = engine().transaction(), engine().pool
    connection: Any = await (pool.acquire() if pool else postgres.connect(address()))
    unit.connection = connection
    try:
        async with connection.transaction():
            token = engine().current_transaction.set(unit)
            try:
                yield
            finally:
                engine().current_transaction.reset(token)
    except asyncpg.InterfaceError as error:
        # The connection was given up in the middle: that is said, not that it can't be rolled back any more.
        if isinstance(error.__context__, DatabaseAway):
            raise error.__context__ from None
        if _closed(connection):
            raise DatabaseAway("the connection was closed") from error
        raise
    finally:
        await (pool.release(connection) if pool else connection.close())


def _closed(connection: Any) -> bool:
    """Whether it came to its end inside its transaction; the pool has taken it back then."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


async def ask_the_time() -> None:
    """Measure Postgres' clock, for ``clock.now``."""
    asked = time.monotonic()
    at = await fetch_value("SELECT clock_timestamp()")
    clock.measured(at, asked, time.monotonic())


def after_commit(callback: Callable[[], None]) -> None:
    """Run ``callback`` once the surrounding transaction has committed; at once where there is none.

    It must be quick and must not fail: what it does is best effort, the truth is in the tables.
    """
    callbacks = _after_commit.get()
    if callbacks is None:
        callback()
    else:
        callbacks.append(callback)


async def before_commit(work: Callable[[Sequence[T]], Awaitable[None]], item: T) -> None:
    """Hand ``item`` to ``work`` as the last thing in the surrounding transaction, with all others it was given there.

    For what every transaction queues up for: its lock is taken last and held for the commit alone. What ``work``
    raises undoes the transaction. Where there is none, ``work`` gets one of its own, now.
    """
    closing = _before_commit.get()
    if closing is None:
        async with transaction():
            await work([item])
    else:
        closing.setdefault(work, []).append(item)


@asynccontextmanager
async def connection() -> AsyncIterator[asyncpg.Connection]:
    """The surrounding transaction's connection, else one from the pool (autocommit)."""
    current = engine().current_transaction.get()
    if current is not None:
        yield current.connection
        return
    pool = engine().pool
    if pool is None:
        own = await postgres.connect(address())
        try:
            yield own
        finally:
            await own.close()
        return
    async with pool.acquire() as pooled:
        yield pooled


def encode(value: Mapping[str, Any]) -> str:
    """A JSON text for a jsonb parameter; ids, times and Decimals become strings."""
    return msgspec.json.encode(dict(value)).decode()


async def fetch(sql: str, *args: Any) -> list[Mapping[str, Any]]:
    """Rows of a statement with ``$1`` parameters."""
    return cast(list[Mapping[str, Any]], await _fetch(sql, args))


async def _fetch(sql: str, args: Sequence[Any]) -> list[asyncpg.Record]:
    pool = engine().pool
    if pool is not None and engine().current_transaction.get() is None:
        return cast(list[asyncpg.Record], await pool.fetch(sql, *args))
    async with connection() as conn:
        return cast(list[asyncpg.Record], await conn.fetch(sql, *args))


async def fetch_as(model: type[T], sql: str, *args: Any) -> list[T]:
    """Rows of a statement as ``model``, a frozen Struct or dataclass whose fields are among the statement's columns.

    Raises msgspec.ValidationError where a column is missing or of another type.
    """
    return [as_model(model, row) for row in await fetch(sql, *args)]


async def fetch_one_as(model: type[T], sql: str, *args: Any) -> T | None:
    """The first row of a statement as ``model``, see ``fetch_as``; None where there is none."""
    row = await fetch_one(sql, *args)
    return as_model(model, row) if row is not None else None


def as_model(model: type[T], row: Mapping[str, Any]) -> T:
    """One row, a Record or a mapping, as ``model``. A field that is a dict, list or Struct is read from JSON text.

    Converting checks every value and costs about 1 µs for 25 columns, 0.4 µs more than an unchecked constructor.
    """
    values = dict(row)
    for name in _json_fields(model):  # type: ignore[arg-type]
        if isinstance(values.get(name), str):
            values[name] = msgspec.json.decode(values[name])
    return msgspec.convert(values, model)


@lru_cache(maxsize=256)
def _json_fields(model: type[Any]) -> tuple[str, ...]:
    """The fields of a Struct that a jsonb column fills: asyncpg hands those over as text."""
    found = inspect.type_info(model)
    assert isinstance(found, inspect.StructType | inspect.DataclassType)
    return tuple(field.name for field in found.fields if _is_json(field.type))


def _is_json(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(_is_json(one) for one in kind.types)
    return isinstance(kind, inspect.DictType | inspect.ListType | inspect.VarTupleType | inspect.StructType)


async def fetch_one(sql: str, *args: Any) -> Mapping[str, Any] | None:
    async with connection() as conn:
        return cast(Mapping[str, Any] | None, await conn.fetchrow(sql, *args))


async def fetch_value(sql: str, *args: Any) -> Any:
    async with connection() as conn:
        return await conn.fetchval(sql, *args)


async def fetch_values(sql: str, *args: Any) -> list[Any]:
    """The first column of all rows."""
    return [row[0] for row in await _fetch(sql, args)]


async def count_each(table: str, column: str, values: Sequence[str]) -> dict[str, int]:
    """How many rows of a table hold each of these values, MOST_COUNTED at the most; what none holds is left out.

    For a column with an index: each count then reads so many entries of it at the most, however large the table is.
    ``table`` and ``column`` are our own words.
    """
    each = f"(SELECT count(*) FROM (SELECT FROM {table} WHERE {column} = wanted LIMIT $2) AS found)"  # noqa: S608
    rows = await fetch(f"SELECT wanted, {each} AS n FROM unnest($1::text[]) AS wanted", list(values), MOST_COUNTED)  # noqa: S608
    return {value: number for value, number in (row.values() for row in rows) if number}


@dataclass(frozen=True, slots=True)
class Write:
    """A data-changing statement as a value: rooms hand theirs over, and the caller runs them all in one round trip.

    ``after`` is called once the statement has run, like code that would stand behind it.
    """

    sql: str
    args: tuple[Any, ...]
    after: Callable[[], None] | None = None


async def write(*writes: Write) -> list[Mapping[str, Any]]:
    """Run independent writes as one statement, all or nothing. None of them sees what the others write.

    Gives what the last one returns.
    """
    rows = await fetch(_joined(tuple(w.sql for w in writes)), *(arg for w in writes for arg in w.args))
    for done in writes:
        if done.after is not None:
            done.after()
    return rows


async def write_together(*writes: Write) -> None:
    """Like ``write``, for busy doors: those who come while one is being written share the next round trip and commit.

    Each still gets its own error, and only it. Not for use inside a transaction.
    """
    args = tuple(arg for w in writes for arg in w.args)
    fault = await _together((_joined(tuple(w.sql for w in writes)), args))
    if fault is not None:
        raise fault
    for done in writes:
        if done.after is not None:
            done.after()


async def _write_each(given: Sequence[tuple[str, tuple[Any, ...]]]) -> list[asyncpg.PostgresError | None]:
    faults: dict[int, asyncpg.PostgresError] = {}
    for sql in dict.fromkeys(sql for sql, _ in given):
        numbers = [number for number, (text, _) in enumerate(given) if text == sql]
        async with connection() as conn:
            try:
                await conn.executemany(sql, [given[number][1] for number in numbers])  # all or nothing
            except asyncpg.PostgresError:
                # One of them was refused, and with it all. Alone, each meets its own fate.
                for number in numbers:
                    try:
                        await conn.execute(sql, *given[number][1])
                    except asyncpg.PostgresError as error:
                        faults[number] = error
    return [faults.get(number) for number in range(len(given))]


_together = BatchWriter(_write_each, most=16)


@lru_cache(maxsize=256)
def _joined(statements: tuple[str, ...]) -> str:
    """``WITH w0 AS (…), w1 AS (…) …``, the parameters numbered through."""
    parts, used = [], 0
    for sql in statements:
        numbers = [int(number) for number in re.findall(r"\$(\d+)", sql)]
        pieces = re.split(r"\$\d+", sql)
        marks = [f"${number + used}" for number in numbers] + [""]
        parts.append("".join(piece + mark for piece, mark in zip(pieces, marks, strict=True)))
        used += max(numbers, default=0)
    heads = ", ".join(f"w{number} AS ({part})" for number, part in enumerate(parts[:-1]))
    return f"WITH {heads} {parts[-1]}" if heads else parts[-1]
