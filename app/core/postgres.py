"""Connections to Postgres: no state of a session, every wait bounded, and what stands in between measured.

A host may put a pooler between us and the server, which gives each transaction another connection of the server's.
Nothing here relies on more than a transaction, and named prepared statements are used only where nothing is in between.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import asyncpg
from asyncpg import connect_utils
from asyncpg.pool import Pool as AsyncpgPool
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from app.core import clock, log
from app.core.database_url import Address

T = TypeVar("T")

CONNECT = 5.0  # seconds for one connection
FULL_AGAIN = 0.05  # seconds between attempts at a server that has no connection left
START = 20.0  # seconds that a process waits for its first one
AT_ONCE = 1.0  # seconds in which work that was let down is let down again without another wait
CANCEL = 1.0  # seconds in which a server may take the word that nobody waits any more
IDLE = 300.0  # seconds after which a connection that nobody needs is closed
STATEMENTS = 100  # prepared ones kept by a connection that nothing stands before
# Where the line is cut without a word the server ends what we began: no transaction of ours waits for the outside.
IDLE_TRANSACTION = "60s"
FULL = (asyncpg.TooManyConnectionsError, asyncpg.CannotConnectNowError)
UNKNOWN_SETTING = (
    asyncpg.ProtocolViolationError, asyncpg.UndefinedObjectError, asyncpg.CantChangeRuntimeParamError,
    asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError,
)  # fmt: skip


class DatabaseAway(ConnectionError):
    """Postgres gave no connection, or no answer, in time. Nothing is known of what it was asked for."""


AWAY = (
    DatabaseAway,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,  # of a connection that was cut off in the middle of an answer
)
"""How it is said that the database can't do its work just now, be it away, full, read-only or at its end."""

_let_down: WeakKeyDictionary["asyncio.Task[Any]", float] = WeakKeyDictionary()
_words: set["asyncio.Task[None]"] = set()


@dataclass(frozen=True, slots=True)
class Server:
    """What we found. ``pooled``: something stands between us and it. ``room``: connections it gives our user at most.

    ``settings``: whether it takes those that the URL names.
    """

    pooled: bool
    room: int | None
    settings: bool = True


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that carries no state from one use to the next, so giving it back needs no round trip.

    What gets no answer in time is given up together with the connection: waiting for the server to let go of it could
    take as long again.
    """

    waited = 0.0  # seconds that its present user has waited for it already; they count

    def get_reset_query(self) -> str:
        return ""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        with self._bounded():
            return str(await super().execute(query, *args, timeout=self._left(timeout)))

    async def _execute(self, query: str, args: Any, limit: int, timeout: float | None, **more: Any) -> Any:
        with self._bounded():
            return await super()._execute(query, args, limit, self._left(timeout), **more)

    async def _executemany(self, query: str, args: Any, timeout: float | None, **more: Any) -> Any:
        with self._bounded():
            return await super()._executemany(query, args, self._left(timeout), **more)

    def _left(self, timeout: float | None) -> float | None:
        limit = timeout if timeout is not None else self._config.command_timeout
        left = None if limit is None else max(limit - self.waited, limit / 10)
        self.waited = 0.0
        return left

    @contextlib.contextmanager
    def _bounded(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as late:
            self._give_up()
            raise let_down("no answer in time") from late
        except asyncpg.InterfaceError as error:
            if not self.is_closed():
                raise
            raise DatabaseAway("the connection was closed") from error
        except asyncio.CancelledError:
            self._loop.call_later(CANCEL, self._give_up_waiting)
            raise

    def _give_up(self) -> None:
        if not self.is_closed():
            word = self._loop.create_task(self._say_it())
            _words.add(word)
            word.add_done_callback(_words.discard)
            self.terminate()

    def _give_up_waiting(self) -> None:
        if not self.is_closed() and self._protocol._is_cancelling():
            self.terminate()

    async def _say_it(self) -> None:
        """Tell the server that nobody waits for it any more, so that it holds no lock for us."""
        protocol = self._protocol
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CANCEL):
                await connect_utils._cancel(
                    loop=self._loop, addr=self._addr, params=self._params,
                    backend_pid=protocol.backend_pid, backend_secret=protocol.backend_secret,
                )  # fmt: skip


def let_down(why: str) -> DatabaseAway:
    """The error to raise; for a moment, the same task is refused at once: a page asks more than one question."""
    task = asyncio.current_task()
    if task is not None:
        _let_down[task] = time.monotonic()
    return DatabaseAway(why)


class Pool(AsyncpgPool):  # type: ignore[misc]
    """A pool that waits for a connection when it or the server is full, but no longer than ``patience`` seconds."""

    def __init__(self, *args: Any, patience: float | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience = patience

    async def _acquire(self, timeout: float | None) -> Any:
        task, began = asyncio.current_task(), time.monotonic()
        if task is not None and began - _let_down.get(task, -AT_ONCE) < AT_ONCE:
            raise DatabaseAway("it did not answer a moment ago")
        limit = self._patience if timeout is None else timeout
        try:
            async with asyncio.timeout(limit):
                found = await self._as_soon_as_there_is_one()
        except TimeoutError as late:
            raise let_down("no connection became free in time") from late
        except OSError as gone:
            raise let_down(f"it can't be reached: {type(gone).__name__}") from gone
        found._con.waited = time.monotonic() - began
        return found

    async def _as_soon_as_there_is_one(self) -> Any:
        while True:
            try:
                return await super()._acquire(None)
            except FULL:
                self._connected_first()
                await asyncio.sleep(FULL_AGAIN)

    def _connected_first(self) -> None:
        """Whoever asks next gets one that is open already, if one has been given back."""
        free = []
        while not self._queue.empty():
            free.append(self._queue.get_nowait())
        for holder in sorted(free, key=lambda one: bool(one.is_connected())):
            self._queue.put_nowait(holder)


async def connect(address: Address, *, timeout: float = CONNECT) -> Connection:
    """One connection, without limits on its statements. A setting of the URL that the pooler refuses is left out."""
    connection, _ = await _connect(address, timeout)
    return connection


async def _connect(address: Address, timeout: float) -> tuple[Connection, bool]:
    given = {"timeout": timeout, "statement_cache_size": 0, "connection_class": Connection}
    try:
        return await asyncpg.connect(**address.options(), **given), True
    except UNKNOWN_SETTING:
        if not address.server_settings:
            raise
    return await asyncpg.connect(**address.options(server_settings=False), **given), False


MEASURE = """SELECT pg_backend_pid() AS pid, clock_timestamp() AS at, least(
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0),
  (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
  (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())) AS room"""


async def measure(address: Address) -> Server:
    """Look at what is at the other end, waiting a while for a server that is full or starting."""
    deadline = time.monotonic() + START
    while True:
        try:
            connection, settings = await _connect(address, CONNECT)
            break
        except FULL:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(FULL_AGAIN * 4)
    try:
        asked = time.monotonic()
        pid, at, room = await connection.fetchrow(MEASURE, timeout=CONNECT)
        clock.measured(at, asked, time.monotonic())
        # A pooler makes up a key of its own for cancelling, and with it a process number that is not the server's.
        pooled = pid != connection.get_server_pid()
        return Server(pooled, None if pooled else room, settings)
    finally:
        await connection.close(timeout=CANCEL)


async def open_pool(address: Address, server: Server, size: int, patience: float | None) -> Pool:
    """A pool on the running loop; ``patience``: seconds, None for no limit."""
    if not server.settings:
        log.get("bitloot.database").info("database.settings_refused", names=sorted(address.server_settings))
    options = address.options(server_settings=server.settings)
    if not server.pooled:
        limits = {"idle_in_transaction_session_timeout": IDLE_TRANSACTION}
        if patience is not None:
            limits["statement_timeout"] = f"{int(patience * 2000)}ms"
        options["server_settings"] = limits | options.get("server_settings", {})
    pool: Pool = await Pool(
        **options, patience=patience, min_size=1, max_size=size, command_timeout=patience, timeout=CONNECT,
        statement_cache_size=0 if server.pooled else STATEMENTS, connection_class=Connection, max_queries=50_000,
        max_inactive_connection_lifetime=IDLE, setup=None, init=None, loop=None, record_class=asyncpg.Record,
    )  # fmt: skip
    return pool


class _Transaction(PostgresTransaction):
    """One that waits for a lock no longer than its engine says."""

    async def begin(self) -> None:
        await super().begin()  # type: ignore[no-untyped-call]
        if isinstance(self.engine, Engine) and self.engine.lock_timeout:
            await self.connection.execute(f"SET LOCAL lock_timeout = '{self.engine.lock_timeout}'")


class Engine(PostgresEngine):
    """Piccolo's engine. ``lock_timeout``: how long its transactions wait for a lock, as Postgres writes it; empty: for
    ever. Set for migrations alone: whatever waits for a table's lock holds up everybody who comes after it."""

    lock_timeout = ""

    def transaction(self, allow_nested: bool = True) -> _Transaction:
        return _Transaction(engine=self, allow_nested=allow_nested)
