"""What commands that talk to providers stand on besides."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.cli.frame import with_database
from app.core.settings import settings
from app.providers.kit import Providers, open_providers

T = TypeVar("T")


def with_providers(work: Callable[[Providers], Awaitable[T]]) -> T:
    async def run() -> T:
        kit = open_providers(settings())
        try:
            return await work(kit)
        finally:
            await kit.aclose()

    return with_database(run)
