"""What commands stand on: a loop, a pool, and the providers where they are needed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.core import db
from app.core.courier import courier
from app.core.settings import settings
from app.providers.kit import Providers, open_providers

T = TypeVar("T")


def with_database(work: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        await db.open_pool(2)
        try:
            return await work()
        finally:
            await db.close_pool()
            courier.close()

    return asyncio.run(run())


def with_providers(work: Callable[[Providers], Awaitable[T]]) -> T:
    async def run() -> T:
        kit = open_providers(settings())
        try:
            return await work(kit)
        finally:
            await kit.aclose()

    return with_database(run)
