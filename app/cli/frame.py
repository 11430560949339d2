"""What commands stand on: a loop and a pool."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.core import db, pools
from app.core.redis_publisher import publisher

T = TypeVar("T")


def with_database(work: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        await db.open_pool(pools.COMMAND.most)
        try:
            return await work()
        finally:
            await db.close_pool()
            publisher.close()

    return asyncio.run(run())
