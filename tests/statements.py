"""What the database is asked while something happens, as its connections log it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from app.core import db

Work = Callable[[], Awaitable[Any]]
ENDS = ("COMMIT", "ROLLBACK")


async def statements_of(work: Work) -> list[str]:
    """What the database is asked meanwhile, on every connection that is open; not what our clock asks for itself."""
    return [statement for _, statement in await _logged(work) if "clock_timestamp" not in statement]


async def transactions_of(work: Work) -> list[list[str]]:
    """The statements of each transaction that begins and ends meanwhile, in the order in which they end."""
    ended, open_ones = [], dict[int, list[str]]()
    for connection, statement in await _logged(work):
        if statement.startswith("BEGIN"):
            open_ones[connection] = []
        elif statement.startswith(ENDS):
            ended.append(open_ones.pop(connection))
        elif connection in open_ones:
            open_ones[connection].append(statement)
    assert not open_ones
    return ended


async def _logged(work: Work) -> list[tuple[int, str]]:
    """Each statement with its connection's number."""
    seen: list[tuple[int, str]] = []
    connections = [holder._con for holder in db.engine().pool._holders if holder._con is not None]
    loggers = [
        (connection, lambda record, number=number: seen.append((number, record.query)))
        for number, connection in enumerate(connections)
    ]
    for connection, logger in loggers:
        connection.add_query_logger(logger)
    try:
        await work()
        await asyncio.sleep(0)  # what is noted is called soon, not at once
    finally:
        for connection, logger in loggers:
            connection.remove_query_logger(logger)
    return seen
