"""Group commit: calls that arrive while one is being written are written together by the next statement.

Each caller waits until what it gave is committed, as if it had been alone.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class BatchWriter(Generic[T, R]):
    """``await together(item)`` gives what ``write(items)`` answered for it; at most ``most`` items a write."""

    def __init__(self, write: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, most: int = 64) -> None:
        self._write, self._most = write, most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> R:
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writer is None or self._writer.done():
            # An empty context: the first caller's transaction, if it is in one, is not everybody's.
            self._writer = asyncio.create_task(self._write_all(), context=contextvars.Context())
        return await future

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                answers = await self._write([item for item, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
